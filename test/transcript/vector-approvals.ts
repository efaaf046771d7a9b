/** A second person's approvals in transcripts, good and bad: keys, clock and salts are fixed. */
import { bindingNonce, publicHalf, thumbprint } from '../../src/identity/binding.js';
import { sha256 } from '../../src/sha256.js';
import {
  type ApprovalPart,
  type ApprovalRequestClaims,
  approvalText,
  type ClaimsOf,
  readApproval,
} from '../../src/transcript/approval-objects.js';
import { type Evidence, readEvidence } from '../../src/transcript/open-entry.js';
import {
  certificate,
  details,
  type FixedKey,
  fixedKey,
  keys,
  olderSid,
  otherSid,
  type Step,
  sid,
  signing,
  startedAt,
  subject,
  token,
  type Written,
} from './vector.js';

const HOUR = 3_600_000;
const ID = `${sid.slice(0, 20)}sec0nd`;
export const SQL = 'DELETE FROM orders WHERE note = $1';
export const BIND = ['old'];
/** The statement, the first entry of the steps. */
const OF = 2;

interface Person {
  readonly email?: string;
  readonly sub?: string;
  readonly sid?: string;
  readonly at?: number;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: FixedKey;
  readonly certified?: Readonly<Record<string, unknown>>;
  readonly level?: string;
  /** The issuer's key that its token names. */
  readonly kid?: string;
}

/** Evidence of an approver: a login key and a session key of their own. */
async function approver(person: Person = {}): Promise<Evidence> {
  const { email = 'lead@example.test', sub = 'u2', at = startedAt, claims = {}, level = 'nonce' } = person;
  const login = fixedKey(`login key of ${sub}`);
  const salt = Buffer.from(`salt of ${sub}`.padEnd(16).slice(0, 16)).toString('base64url');
  const iat = at / 1000 - 60;
  const binding = { email, sub, nonce: bindingNonce(login.jwk, salt), iat, exp: iat + 3600 };
  return {
    subject: { iss: subject.iss, sub, email },
    level,
    clientId: 'dbguard',
    method: 'device',
    loggedInAt: at - 60_000,
    loginKey: publicHalf(login.jwk),
    salt,
    idToken: await token({ ...binding, ...claims }, keys.issuer, person.kid === undefined ? {} : { kid: person.kid }),
    sessionKey: publicHalf((person.key ?? keys.other).jwk),
    certificate: certificate(
      { sid: person.sid ?? otherSid, sessionKey: publicHalf((person.key ?? keys.other).jwk), ...person.certified },
      signing(login),
    ),
  };
}

export function signed<P extends ApprovalPart>(part: P, claims: ClaimsOf[P], by: FixedKey): string {
  return approvalText(part, claims, { keyid: thumbprint(by.jwk), sign: signing(by).sign });
}

const written = (part: ApprovalPart, text: string, of: number, id: string, shown?: string): Written => [
  { k: 'approval', of, id, object: part, envelope: JSON.parse(text) },
  shown === undefined ? undefined : { shown },
];

/** What is special; everything else is as it should be. */
export interface Special {
  readonly id?: string;
  readonly entryId?: string;
  readonly of?: number;
  readonly asked?: object;
  readonly shown?: string;
  readonly request?: Partial<ApprovalRequestClaims>;
  readonly demands?: Partial<ApprovalRequestClaims['demands']>;
  readonly requestBy?: FixedKey;
  /** Whose, and of which session, where it is not this one. */
  readonly requester?: Person;
  readonly approvers?: readonly (Person & {
    readonly verdict?: Partial<ClaimsOf['verdict']>;
    readonly by?: FixedKey;
  })[];
  readonly claim?: Partial<ClaimsOf['claim']> | 'none';
  readonly claimBy?: FixedKey;
  readonly decision?: 'allow' | 'deny';
  /** Who the verdict entry says has decided. */
  readonly decidedBy?: string;
  readonly grant?: string;
}

/** A statement that a second person has approved, up to its outcome. */
export async function secondPerson(special: Special = {}): Promise<Step[]> {
  const { of = OF, id = ID, decision = 'allow' } = special;
  const about = { salt: 'A'.repeat(22), sql: SQL, bind: BIND, agent: 'psql', ...special.asked };
  const shown = JSON.stringify(about);
  const at = startedAt + 5;
  const { requester } = special;
  const own = readEvidence({ ...details, certificate: JSON.parse(details.certificate) });
  const who = requester === undefined ? own : await approver(requester);
  const requestText = signed(
    'request',
    {
      ...{
        id,
        sid: requester?.sid ?? sid,
        at,
        expiresAt: at + 8 * HOUR,
        shown: sha256(shown, 'base64url'),
        connection: 'shop',
      },
      demands: {
        approvers: ['Lead@example.test', 'group:dba'],
        min: 1,
        level: 'dpop',
        maxAge: 12 * HOUR,
        validFor: HOUR / 2,
        ...special.demands,
      },
      who,
      ...special.request,
    },
    special.requestBy ?? requester?.key ?? keys.session,
  );
  const request = readApproval('request', requestText);
  const verdicts = [];
  for (const person of special.approvers ?? [{}]) {
    verdicts.push(
      signed(
        'verdict',
        {
          ...{ id, sid: person.sid ?? otherSid, request: request.digest, decision, at: at + 60_000 },
          seen: sha256('seen', 'base64url'),
          who: await approver(person),
          ...person.verdict,
        },
        person.by ?? person.key ?? keys.other,
      ),
    );
  }
  const claim =
    special.claim === 'none' || decision === 'deny'
      ? undefined
      : signed(
          'claim',
          {
            ...{ id, sid, of, request: request.digest, at: at + 61_000 },
            verdicts: verdicts.map((text) => readApproval('verdict', text).digest),
            ...special.claim,
          },
          special.claimBy ?? keys.session,
        );
  const allowed = decision === 'allow';
  return [
    [
      { k: 'statement', conn: 1, tx: 'I', decision: 'second-person', rule: 'two' },
      { sql: SQL, bind: BIND },
    ],
    written('request', requestText, of, special.entryId ?? id, special.shown ?? shown),
    ...verdicts.map((text) => written('verdict', text, of, id)),
    ...(claim === undefined ? [] : [written('claim', claim, of, id)]),
    [
      {
        k: 'verdict',
        of,
        decision,
        by: special.decidedBy ?? 'second-person',
        channel: 'bucket',
        name: 'lead@example.test',
        rule: 'two',
      },
    ],
    ...(special.grant === undefined ? [] : [[{ k: 'grant', of, role: special.grant, access: 'fix' }] as const]),
    ...(allowed ? [[{ k: 'outcome', of, how: 'done', ...(special.grant && { role: special.grant }) }] as const] : []),
  ];
}

const old = startedAt - 13 * HOUR;
const second = { email: 'dba@example.test', sub: 'u3', sid: olderSid, key: fixedKey('third session') };
const two = { demands: { min: 2, approvers: ['lead@example.test', 'dba@example.test', 'lead+2@example.test'] } };

const earlier = { email: 'u1@example.test', sub: 'u1', sid: olderSid, key: fixedKey('third session') };

export const goodApprovals: Readonly<Record<string, Special>> = {
  'approved by a second person': {},
  'approved by somebody of a group': {
    approvers: [{ email: 'other@example.test', claims: { groups: ['staff', 'dba'] } }],
  },
  'approved by two': { ...two, approvers: [{}, second] },
  'approved late, for an earlier session of the same person': { requester: earlier },
  'denied by a second person': { decision: 'deny' },
  'approved to run as a role': { request: { role: 'shop_writer' }, grant: 'shop_writer' },
};

export const doubtfulApprovals: Readonly<Record<string, Special>> = {
  'approved by somebody whose issuer’s key is not at hand': { approvers: [{ kid: 'rotated' }] },
};

export const badApprovals: Readonly<Record<string, Special>> = {
  'another statement than was asked about': { asked: { sql: 'DELETE FROM orders' } },
  'other values than were asked about': { asked: { bind: ['new'] } },
  'another text than was signed': { shown: JSON.stringify({ sql: SQL, bind: BIND }) },
  'a request under another id': { entryId: `${ID.slice(0, -1)}0` },
  'a request of somebody else’s session': { requester: { ...earlier, sub: 'u4' } },
  'a request of an earlier session, signed by this one': { requester: earlier, requestBy: keys.session },
  'a request by somebody else': { requestBy: keys.other },
  'a request on another connection': { request: { connection: 'elsewhere' } },
  'a request that is open for days': { request: { expiresAt: startedAt + 48 * HOUR } },
  'a request that names no approvers': { demands: { approvers: [] } },
  'a request that takes any key': { demands: { level: 'asserted' } },
  'approved by who asked': {
    approvers: [{ sub: 'u1', email: 'u1@example.test' }],
    demands: { approvers: ['u1@example.test'] },
  },
  'approved by a second account': {
    approvers: [{ email: 'U1+lead@example.test' }],
    demands: { approvers: ['u1+lead@example.test'] },
  },
  'approved by none of the approvers': { approvers: [{ email: 'somebody@example.test' }] },
  'approved by one of two': { ...two, approvers: [{}] },
  'approved twice by one of two': {
    ...two,
    approvers: [{}, { ...second, email: 'lead+2@example.test' }],
  },
  'approved by one, denied by the other': { ...two, approvers: [{}, { ...second, verdict: { decision: 'deny' } }] },
  'approved with a login of yesterday': { approvers: [{ at: old }] },
  'approved with a key that nobody vouches for': {
    approvers: [{ level: 'asserted', claims: { nonce: undefined } }],
  },
  'approved before it was asked': { approvers: [{ verdict: { at: startedAt - 10 * 60_000 } }] },
  'approved after the request had ended': {
    request: { expiresAt: startedAt + 30_000 },
  },
  'an approval of another request': { approvers: [{ verdict: { request: sha256('another', 'base64url') } }] },
  'an approval under another id': { approvers: [{ verdict: { id: otherSid } }] },
  'an approval signed by another key': { approvers: [{ by: keys.session }] },
  'an approver’s key made after the fact': { approvers: [{ certified: { notBefore: startedAt + 10 * 60_000 } }] },
  'an approver’s login made after the fact': {
    approvers: [{ at: startedAt + HOUR, certified: { notBefore: startedAt, notAfter: startedAt + 2 * HOUR } }],
  },
  'an approval that denies': { approvers: [{ verdict: { decision: 'deny' } }] },
  'a claim for another statement': { claim: { of: 3 } },
  'a claim of another session': { claim: { sid: otherSid } },
  'a claim of no verdict': { claim: { verdicts: [] } },
  'a claim signed by another key': { claimBy: keys.other },
  'a claim after the approval had ended': { claim: { at: startedAt + HOUR } },
  'a claim before the approval': { claim: { at: startedAt - HOUR } },
  'the first person in the place of the second': { decidedBy: 'person' },
  'an earlier approval in the place of the second person': { decidedBy: 'earlier-approval' },
  'an approval without a claim': { claim: 'none' },
  'an approval for another role': { request: { role: 'shop_writer' }, grant: 'shop_owner' },
  'a role that nobody was asked for': { grant: 'shop_owner' },
};
