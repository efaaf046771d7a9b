import type { VerifierParts } from '../transcript/verify.js';
import type { ObjectReader } from './catalog.js';
import type { IdentityDemands } from './identity-demands.js';
import type { IssuerKeySource } from './issuer-keys.js';

/** What verification needs from outside the transcript. */
export interface VerifyOptions {
  readonly source: ObjectReader;
  readonly keys: IssuerKeySource;
  readonly demands: IdentityDemands;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** After how many days the bucket's own rules let objects go. */
  readonly retentionDays?: number;
  readonly onEntry?: VerifierParts['onEntry'];
  readonly signatures?: VerifierParts['signatures'];
}
