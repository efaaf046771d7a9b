/** What a reader demands of whoever signed a session, and the words for what does not meet it. */
import type { EvidenceLevel } from '../identity/identity.js';
import { looksLikeAnother } from '../identity/look-alikes.js';
import type { Findings } from '../transcript/finding.js';
import type { Evidence } from '../transcript/open-entry.js';
import type { RevokedKey } from './revoked-keys.js';

/** What the organisation expects; all of it comes from outside the transcript. */
export interface IdentityDemands {
  /** The issuer of people. Where neither it nor a workload issuer is named, any issuer whose keys are trusted counts. */
  readonly issuer?: string;
  readonly clientId?: string;
  /** Issuers whose tokens belong to CI jobs and services. */
  readonly workloadIssuers?: readonly string[];
  /** What workload tokens are issued for, where that is not the client id. */
  readonly audience?: string;
  /** Where it is missing and an issuer is named: any word of an issuer. Of a gateway it is its own level. */
  readonly minimumLevel?: EvidenceLevel;
  /** Nobody without an identity provider counts, whoever that is. */
  readonly identityRequired?: boolean;
  /** How long after the login a session may begin, in milliseconds; default `DEFAULT_MAX_LOGIN_AGE_MS`. */
  readonly maxLoginAgeMs?: number;
  /** Who the reader's own policy lets approve as a second person. */
  readonly approvers?: readonly string[];
  /** Who may sign for others, and what for; undefined: nobody. */
  readonly gateway?: GatewayDemands;
  /** Login keys that the leads have revoked. */
  readonly revokedKeys?: readonly RevokedKey[];
}

export interface GatewayDemands {
  /** What people's and services' tokens for a gateway are made for. */
  readonly audience: string;
  /** Clients that may ask for them; of services there is none. */
  readonly clients: readonly string[];
  /** `sub` of the gateways themselves, at the issuer of people or of workloads. */
  readonly subjects: readonly string[];
}

export interface ProvenIdentity {
  /** Undefined when the issuer's word could not be checked, or does not hold. */
  level?: EvidenceLevel;
  keysFrom?: string;
}

/** When it was, in milliseconds since 1970 UTC. */
export interface SessionTimes {
  /** By the writer's clock. */
  readonly openedAt: number;
  /** When the bucket had the opening entry. */
  readonly storedAt?: number;
}

/** Seconds; the issuer's, the writer's and the reader's clocks. */
export const CLOCK_SKEW = 120;

export function refuse(findings: Findings, message: string): ProvenIdentity {
  findings.fail('identity-invalid', message, { n: 0 });
  return {};
}

/** One bucket may hold people of one issuer and CI jobs of another: an issuer that nobody named is unknown, not forged. */
export function strangerAmong({ subject }: Evidence, demands: IdentityDemands): string | undefined {
  const named = [demands.issuer, ...(demands.workloadIssuers ?? [])].filter((issuer) => issuer !== undefined);
  if (named.length === 0 || named.includes(subject.iss)) return undefined;
  return `the issuer is ${subject.iss}, which is not ${named.join(' or ')}; if it is one of yours, name it with --issuer or --workload-issuer`;
}

export function warnOfLookAlikes({ subject }: Evidence, findings: Findings): void {
  for (const text of [subject.email, subject.sub]) {
    const why = text === undefined ? undefined : looksLikeAnother(text);
    if (why !== undefined) findings.warn('identity-look-alike', `the name ${JSON.stringify(text)} ${why}`, { n: 0 });
  }
}
