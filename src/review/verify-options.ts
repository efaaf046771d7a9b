import type { VerifierParts } from '../transcript/verify.js';
import type { ObjectSource } from './catalog.js';
import type { IdentityDemands } from './identify.js';
import type { IssuerKeySource } from './issuer-keys.js';

/** What verification needs from outside the transcript. */
export interface VerifyOptions {
  readonly source: ObjectSource;
  readonly keys: IssuerKeySource;
  readonly demands: IdentityDemands;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  readonly onEntry?: VerifierParts['onEntry'];
  readonly signatures?: VerifierParts['signatures'];
}
