/**
 * Who a gateway says somebody was: its own login is judged as anybody's, then the token that the person showed it, which
 * stands there without its signature. Neither is believed for the other: a gateway without a person's token proves
 * nobody, and a token that somebody else shows proves no gateway.
 */
import { messageOf } from '../errors.js';
import { type ShownToken, verifyShownToken } from '../identity/bearer-token.js';
import type { Findings } from '../transcript/finding.js';
import type { Evidence, GatewayLogin } from '../transcript/open-entry.js';
import {
  CLOCK_SKEW,
  type GatewayDemands,
  type IdentityDemands,
  type ProvenIdentity,
  refuse,
  type SessionTimes,
  strangerAmong,
  warnOfLookAlikes,
} from './identity-demands.js';
import { firstUnder, type IssuerKeySource, type JudgedUnder } from './issuer-keys.js';

/** Judges a login; see identify.ts. */
export type JudgeLogin = (
  login: Evidence,
  times: SessionTimes,
  findings: Findings,
  source: IssuerKeySource,
  demands: IdentityDemands,
) => Promise<ProvenIdentity>;

/** From the token's being shown to the opening entry: a gateway connects to the database in between. */
const OPENING_MS = 5 * 60_000;

export async function provenByGateway(
  open: Evidence,
  gateway: GatewayLogin,
  times: SessionTimes,
  findings: Findings,
  source: IssuerKeySource,
  demands: IdentityDemands,
  judgeLogin: JudgeLogin,
): Promise<ProvenIdentity> {
  const unproven = (message: string): ProvenIdentity => {
    findings.warn('identity-unproven', message, { n: 0 });
    return {};
  };
  const { loginKey, salt, sessionKey, certificate } = open;
  const own = await judgeLogin(
    { ...gateway, loginKey, salt, sessionKey, certificate },
    times,
    findings,
    source,
    demands,
  );
  const known = demands.gateway;
  const who = `${gateway.subject.sub} at ${gateway.subject.iss}`;
  if (known === undefined || !known.subjects.includes(gateway.subject.sub)) {
    return unproven(`a gateway signed, ${who}, and nobody has said that it is one: name it in identity.gateway`);
  }
  const stranger = strangerAmong(open, demands);
  if (stranger !== undefined) return unproven(stranger);
  if (open.audience !== known.audience) {
    return refuse(findings, `the token is for the audience ${open.audience}, the gateway’s is ${known.audience}`);
  }
  const late = times.openedAt - open.loggedInAt;
  if (late < -CLOCK_SKEW * 1000 || late > OPENING_MS + CLOCK_SKEW * 1000) {
    return refuse(findings, 'the token was shown at another time than the session began');
  }
  const found = await source.keysOf(open.subject.iss).catch((error: unknown) => messageOf(error));
  if (typeof found === 'string') return unproven(`the token of ${open.subject.iss} was not checked: ${found}`);
  const judged = await firstUnder(found, async (keys) => shownToken(open, keys, known, demands));
  if ('unknown' in judged) return unproven(`the token of ${open.subject.iss} was not checked: ${judged.unknown}`);
  if ('refused' in judged) return refuse(findings, judged.refused);
  return personBehind(judged, open, own, findings, unproven);
}

function shownToken(
  { idToken, proof, sessionKey, subject, loggedInAt }: Evidence,
  keys: Parameters<typeof verifyShownToken>[1],
  { audience, clients }: GatewayDemands,
  { workloadIssuers }: IdentityDemands,
): ShownToken {
  return verifyShownToken({ shown: idToken, proof, session: sessionKey.x }, keys, {
    issuer: subject.iss,
    audience,
    clients: workloadIssuers?.includes(subject.iss) ? 'any' : clients,
    now: loggedInAt,
    clockSkew: CLOCK_SKEW,
  });
}

function personBehind(
  { verified, keys }: JudgedUnder<ShownToken>,
  open: Evidence,
  own: ProvenIdentity,
  findings: Findings,
  unproven: (message: string) => ProvenIdentity,
): ProvenIdentity {
  const { subject, proven } = verified;
  if (subject.sub !== open.subject.sub)
    return refuse(findings, 'the token is for another subject than the session names');
  if (subject.email !== open.subject.email)
    return refuse(findings, 'the token has another e-mail address than the session names');
  warnOfLookAlikes(open, findings);
  // what is wrong with the gateway’s own login has been said
  if (own.level === undefined || own.level === 'asserted') return {};
  if (keys.unvouched) {
    return unproven(
      `only keys from the ${keys.origin} fit: whoever may write there could have made them; trust them with --keys`,
    );
  }
  if (!proven) {
    return unproven(
      'only the gateway says that the issuer signed the token: of its kind of signature nothing can be shown without the token',
    );
  }
  return { level: 'gateway', ...(own.keysFrom === undefined ? {} : { keysFrom: own.keysFrom }) };
}
