/**
 * Who wrote a session: certificate by the login key, login key bound to the subject by the issuer's token, in the order
 * in which trust is handed down. Everything in the opening entry is attacker-controlled.
 */
import { messageOf } from '../errors.js';
import { levelSatisfies, publicKeyObject } from '../identity/binding.js';
import { type VerifiedToken, verifyBinding } from '../identity/id-token.js';
import type { EvidenceLevel } from '../identity/identity.js';
import { verifyCertificate } from '../identity/session.js';
import type { Findings } from '../transcript/finding.js';
import type { OpenDetails } from '../transcript/open-entry.js';
import type { Identification } from '../transcript/verify.js';
import type { FoundKeys, IssuerKeySource } from './issuer-keys.js';

/** What the organisation expects; all of it comes from outside the transcript. */
export interface IdentityDemands {
  readonly issuer?: string;
  readonly clientId?: string;
  readonly minimumLevel?: EvidenceLevel;
  /** How long after the login a session may begin, in milliseconds. */
  readonly maxLoginAgeMs?: number;
}

export interface ProvenIdentity {
  /** Undefined when the issuer's word could not be checked, or does not hold. */
  level?: EvidenceLevel;
  keysFrom?: string;
}

/** Seconds; the issuer's, the writer's and the reader's clocks. */
const CLOCK_SKEW = 120;

export async function identify(
  sid: string,
  open: OpenDetails,
  openedAt: number,
  findings: Findings,
  source: IssuerKeySource,
  demands: IdentityDemands,
): Promise<Identification & ProvenIdentity> {
  const key = certifiedKey(sid, open, openedAt, findings);
  const proven = await provenLevel(open, openedAt, findings, source, demands);
  return { ...key, ...proven };
}

function certifiedKey(sid: string, open: OpenDetails, openedAt: number, findings: Findings): Identification {
  try {
    const claims = verifyCertificate(open.certificate, open.loginKey, { sid, at: openedAt });
    if (claims.sessionKey.x === open.sessionKey.x) {
      return { sessionKey: publicKeyObject(claims.sessionKey), notAfter: claims.notAfter };
    }
    findings.fail('certificate-invalid', 'the certificate vouches for another key than the one this session names', {
      n: 0,
    });
  } catch (error) {
    findings.fail('certificate-invalid', messageOf(error), { n: 0 });
  }
  return { notAfter: 0 };
}

async function provenLevel(
  open: OpenDetails,
  openedAt: number,
  findings: Findings,
  source: IssuerKeySource,
  demands: IdentityDemands,
): Promise<ProvenIdentity> {
  const { iss } = open.subject;
  const fail = (message: string): ProvenIdentity => {
    findings.fail('identity-invalid', message, { n: 0 });
    return {};
  };
  if (demands.issuer !== undefined && demands.issuer !== iss)
    return fail(`the issuer is ${iss}, not ${demands.issuer}`);
  if (demands.clientId !== undefined && demands.clientId !== open.clientId) {
    return fail(`the login is for the client ${open.clientId}, not ${demands.clientId}`);
  }
  const found = await source.keysOf(iss).catch((error: unknown) => messageOf(error));
  if (typeof found === 'string' || found.length === 0) {
    const why = typeof found === 'string' ? found : 'no keys of it are known here';
    findings.warn('identity-unproven', `the token of ${iss} was not checked: ${why}`, { n: 0 });
    return {};
  }
  const bound = await firstBinding(open, found);
  if (typeof bound === 'string') return fail(bound);
  const { subject, level, issuedAt } = bound.verified;
  if (subject.sub !== open.subject.sub) return fail('the token is for another subject than the session names');
  if (subject.email !== open.subject.email) return fail('the token has another e-mail address than the session names');
  const age = openedAt - issuedAt;
  if (age < -CLOCK_SKEW * 1000) return fail('the session claims to have begun before its login');
  if (demands.maxLoginAgeMs !== undefined && age > demands.maxLoginAgeMs) {
    return fail('the login was older than allowed when the session began');
  }
  const judged = judgeLevel(level, open, findings, bound.keys.origin, demands);
  if (!bound.keys.unvouched) return judged;
  const message = `only keys from the ${bound.keys.origin} fit: whoever may write there could have made them; trust them with --keys`;
  findings.warn('identity-unproven', message, { n: 0 });
  return {};
}

/** Checked under each key set in turn; the words of the most trusted one's refusal when none fits. */
async function firstBinding(
  open: OpenDetails,
  found: readonly FoundKeys[],
): Promise<{ readonly verified: VerifiedToken; readonly keys: FoundKeys } | string> {
  const claim = {
    idToken: open.idToken,
    loginKey: open.loginKey,
    salt: open.salt,
    workload: open.method === 'workload',
    ...(open.accessToken === undefined ? {} : { accessToken: open.accessToken }),
  };
  const expected = {
    issuer: open.subject.iss,
    audience: open.audience ?? open.clientId,
    now: open.loggedInAt,
    clockSkew: CLOCK_SKEW,
  };
  let refusal: string | undefined;
  for (const keys of found) {
    try {
      return { verified: await verifyBinding(claim, keys, expected), keys };
    } catch (error) {
      refusal ??= messageOf(error);
    }
  }
  return refusal ?? 'there are no keys';
}

function judgeLevel(
  level: EvidenceLevel,
  open: OpenDetails,
  findings: Findings,
  keysFrom: string,
  demands: IdentityDemands,
): ProvenIdentity {
  if (level !== open.level) {
    const message = `the session claims the evidence level ${open.level}, its token proves ${level}`;
    if (level === 'asserted') findings.fail('identity-invalid', message, { n: 0 });
    else findings.note('identity-weak', message, { n: 0 });
  }
  if (demands.minimumLevel !== undefined && !levelSatisfies(level, demands.minimumLevel)) {
    findings.fail('identity-weak', `the evidence level is ${level}, ${demands.minimumLevel} is demanded`, { n: 0 });
  } else if (level === 'asserted') {
    const message =
      'the issuer says who logged in, but not whose key this is: whoever held the token could have signed';
    findings.warn('identity-weak', message, { n: 0 });
  }
  return { level, keysFrom };
}
