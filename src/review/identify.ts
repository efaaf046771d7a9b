/**
 * Who wrote a session: certificate by the login key, login key bound to the subject by the issuer's token, in the order
 * in which trust is handed down. Everything in the opening entry is attacker-controlled, and none of it chooses how it
 * is checked: issuers, clients and what counts as a workload come from `IdentityDemands`.
 */
import { DbguardError, messageOf } from '../errors.js';
import { bindingNonce, certifyingKey, levelSatisfies, thumbprint } from '../identity/binding.js';
import { type VerifiedToken, verifyBinding } from '../identity/id-token.js';
import type { EvidenceLevel } from '../identity/identity.js';
import { claimsLocal, localFault } from '../identity/local.js';
import { DEFAULT_MAX_LOGIN_AGE_MS } from '../identity/login-source.js';
import { verifyCertificate } from '../identity/session.js';
import type { Findings } from '../transcript/finding.js';
import type { Evidence } from '../transcript/open-entry.js';
import type { Identification } from '../transcript/verify.js';
import { provenByGateway } from './identify-gateway.js';
import {
  CLOCK_SKEW,
  type IdentityDemands,
  type ProvenIdentity,
  refuse,
  type SessionTimes,
  strangerAmong,
  warnOfLookAlikes,
} from './identity-demands.js';
import { type FoundKeys, firstUnder, type IssuerKeySource, type Judged } from './issuer-keys.js';

const DAY_MS = 86_400_000;

export async function identify(
  sid: string,
  open: Evidence,
  times: SessionTimes,
  findings: Findings,
  source: IssuerKeySource,
  demands: IdentityDemands,
): Promise<Identification & ProvenIdentity> {
  const key = await certifiedKey(sid, open, times.openedAt, findings);
  checkRevocation(open, times, findings, demands);
  const proven =
    open.gateway === undefined
      ? await provenLevel(open, times, findings, source, demands)
      : await provenByGateway(open, open.gateway, times, findings, source, demands, provenLevel);
  return { ...key, ...proven };
}

async function certifiedKey(
  sid: string,
  open: Evidence,
  openedAt: number,
  findings: Findings,
): Promise<Identification> {
  try {
    const claims = await verifyCertificate(open.certificate, open.loginKey, { sid, at: openedAt });
    if (claims.sessionKey.x === open.sessionKey.x) {
      return { sessionKey: certifyingKey(claims.sessionKey), notAfter: claims.notAfter };
    }
    findings.fail('certificate-invalid', 'the certificate vouches for another key than the one this session names', {
      n: 0,
    });
  } catch (error) {
    const message =
      error instanceof DbguardError ? error.message : `the session key proves nothing: ${messageOf(error)}`;
    findings.fail('certificate-invalid', message, { n: 0 });
  }
  return { notAfter: 0 };
}

/** The writer's clock alone could lie a thief's session back to before the revocation: the bucket's counts as well. */
function checkRevocation(open: Evidence, times: SessionTimes, findings: Findings, demands: IdentityDemands): void {
  const key = thumbprint(open.loginKey);
  const revoked = demands.revokedKeys?.find((one) => one.thumbprint === key);
  if (revoked === undefined || Math.max(times.openedAt, times.storedAt ?? 0) < revoked.since) return;
  const since = new Date(revoked.since).toISOString().slice(0, 16).replace('T', ' ');
  findings.fail('login-revoked', `its login key is revoked from ${since} UTC: ${revoked.reason}`, { n: 0 });
}

async function provenLevel(
  open: Evidence,
  times: SessionTimes,
  findings: Findings,
  source: IssuerKeySource,
  demands: IdentityDemands,
): Promise<ProvenIdentity> {
  const { iss } = open.subject;
  const unproven = (message: string): ProvenIdentity => {
    findings.warn('identity-unproven', message, { n: 0 });
    return {};
  };
  if (claimsLocal(open)) return localLevel(open, times, findings, demands);
  const stranger = strangerAmong(open, demands);
  if (stranger !== undefined) return unproven(stranger);
  const fault = contradiction(open, demands);
  if (fault !== undefined) return refuse(findings, fault);
  const found = await source.keysOf(iss).catch((error: unknown) => messageOf(error));
  if (typeof found === 'string') return unproven(`the token of ${iss} was not checked: ${found}`);
  const bound = await firstBinding(open, found, demands);
  if ('unknown' in bound) return unproven(`the token of ${iss} was not checked: ${bound.unknown}`);
  if ('refused' in bound) return refuse(findings, bound.refused);
  const { subject, level, issuedAt } = bound.verified;
  if (subject.sub !== open.subject.sub)
    return refuse(findings, 'the token is for another subject than the session names');
  if (subject.email !== open.subject.email) {
    return refuse(findings, 'the token has another e-mail address than the session names');
  }
  const aged = ageFault(issuedAt, times, findings, demands);
  if (aged !== undefined) return refuse(findings, aged);
  warnOfLookAlikes(open, findings);
  const judged = judgeLevel(level, open, findings, bound.keys.origin, demands);
  if (!isOurs(open, demands)) {
    const client = open.audience ?? open.clientId;
    return unproven(
      `the token was made for ${JSON.stringify(client)}, and nobody has said that this is dbguard: whoever runs another client of that issuer could have had it made; name yours with --client-id`,
    );
  }
  if (!bound.keys.unvouched) return judged;
  return unproven(
    `only keys from the ${bound.keys.origin} fit: whoever may write there could have made them; trust them with --keys`,
  );
}

/** There is no issuer to ask. Who has named one takes nobody's word for less, unless they say so. */
function localLevel(
  open: Evidence,
  { openedAt }: SessionTimes,
  findings: Findings,
  { minimumLevel, identityRequired = false, issuer, workloadIssuers = [] }: IdentityDemands,
): ProvenIdentity {
  const fault = localFault(open);
  if (fault !== undefined) return refuse(findings, fault);
  if (openedAt < open.loggedInAt) return refuse(findings, 'the session claims to have begun before its key was made');
  const least = minimumLevel ?? (issuer === undefined && workloadIssuers.length === 0 ? 'local' : 'asserted');
  if (identityRequired || !levelSatisfies('local', least)) {
    const demanded = minimumLevel ?? 'the word of an identity provider';
    findings.fail('identity-weak', `nobody vouches for its local key, ${demanded} is demanded`, { n: 0 });
  } else {
    findings.warn('identity-local', 'a key of one machine, made there: nobody vouches for whose it is', { n: 0 });
  }
  return { level: 'local' };
}

/** Against what the reader named. A login for another client could have been made by whoever runs that one. */
function contradiction(open: Evidence, { clientId, audience }: IdentityDemands): string | undefined {
  if (clientId !== undefined && open.clientId !== clientId)
    return `the login is for the client ${open.clientId}, not ${clientId}`;
  const wanted = audience ?? clientId;
  if (open.audience === undefined || wanted === undefined || open.audience === wanted) return undefined;
  return `the token is for the audience ${open.audience}, not ${wanted}`;
}

/** Whom a token is made for is the writer's word until the reader has named it; `contradiction` has held them against each other. */
function isOurs(open: Evidence, { clientId, audience }: IdentityDemands): boolean {
  return clientId !== undefined || (audience !== undefined && open.audience === audience);
}

async function firstBinding(
  open: Evidence,
  found: readonly FoundKeys[],
  demands: IdentityDemands,
): Promise<Judged<VerifiedToken>> {
  const { idToken, loginKey, salt, accessToken } = open;
  const claim = { idToken, loginKey, salt, ...(accessToken === undefined ? {} : { accessToken }) };
  const expected = {
    issuer: open.subject.iss,
    audience: open.audience ?? open.clientId,
    now: open.loggedInAt,
    clockSkew: CLOCK_SKEW,
    workload: demands.workloadIssuers?.includes(open.subject.iss) ?? false,
  };
  try {
    bindingNonce(loginKey, salt);
  } catch (error) {
    return { refused: messageOf(error) };
  }
  return firstUnder(found, (keys) => verifyBinding(claim, keys, expected));
}

function ageFault(
  issuedAt: number,
  { openedAt, storedAt }: SessionTimes,
  findings: Findings,
  demands: IdentityDemands,
): string | undefined {
  const age = openedAt - issuedAt;
  const most = demands.maxLoginAgeMs ?? DEFAULT_MAX_LOGIN_AGE_MS;
  if (age < -CLOCK_SKEW * 1000) return 'the session claims to have begun before its login';
  if (age > most + CLOCK_SKEW * 1000) return 'the login was older than allowed when the session began';
  const stored = storedAt === undefined ? 0 : storedAt - issuedAt;
  // A login key that was stolen long ago could say any time after its login.
  if (stored > Math.max(most, DAY_MS) + LATE_MS) {
    const days = Math.round(stored / DAY_MS);
    const message = `the bucket had it ${days} days after the login: only the writer’s clock says that it began in time`;
    findings.warn('login-old', message, { n: 0 });
  }
  return undefined;
}

/** So late a machine without network may bring a session that began in time. */
const LATE_MS = 7 * DAY_MS;

function judgeLevel(
  level: EvidenceLevel,
  open: Evidence,
  findings: Findings,
  keysFrom: string,
  demands: IdentityDemands,
): ProvenIdentity {
  if (level !== open.level) {
    const message = `the session claims the evidence level ${open.level}, its token proves ${level}`;
    // A job's own configuration may have named the issuer that this reader's does not.
    const unnamed = open.level === 'audience' && !demands.workloadIssuers?.includes(open.subject.iss);
    if (unnamed) findings.warn('identity-weak', `${message}: name the issuer with --workload-issuer`, { n: 0 });
    else if (level === 'asserted') findings.fail('identity-invalid', message, { n: 0 });
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
