/**
 * Whether a second person has approved exactly this: request, verdicts and claim held against each other and against
 * the issuer's word. The one that runs the statement, the one that approves it and whoever verifies the transcript later
 * ask here, so that none believes what another would refuse.
 *
 * What must live here: the rules of FORMAT.md, "What a second person’s approval has to be". What it must not know:
 * buckets, clocks, who asks.
 */
import type { VerifyingKey } from '../ed25519.js';
import type {
  ApprovalDemands,
  ApprovalPart,
  ApprovalRequestClaims,
  ApprovalVerdictClaims,
  ReadObject,
} from '../transcript/approval-objects.js';
import { approvalType } from '../transcript/approval-objects.js';
import { isEnvelopeBy } from '../transcript/envelope.js';
import type { Evidence } from '../transcript/open-entry.js';
import { levelSatisfies } from './binding.js';
import { type EvidenceLevel, evidenceLevels, type Subject } from './identity.js';
import { claimsLocal } from './local.js';
import { groupsOf, isSamePerson } from './subject.js';

/** What became of the evidence of one signer. */
export interface JudgedEvidence {
  /** Undefined where the certificate does not hold. */
  readonly sessionKey?: VerifyingKey;
  /** Undefined where the issuer's word could not be checked, or does not hold. */
  readonly level?: EvidenceLevel;
  /** What speaks against it, and what keeps it from being proven; one sentence each. */
  readonly faults: readonly string[];
  readonly doubts: readonly string[];
}

/** Judges who holds a session key at a time, as the opening entry of a session is judged. */
export type JudgeEvidence = (
  who: Evidence,
  session: { readonly sid: string; readonly at: number; readonly maxLoginAgeMs?: number },
) => Promise<JudgedEvidence>;

export interface Judged {
  readonly faults: readonly string[];
  readonly doubts: readonly string[];
}

/** Clocks of the two people. */
const CLOCK_SKEW_MS = 120_000;
/** A request is not open for longer, nor an approval good for longer, whatever it says. */
export const LONGEST_OPEN_MS = 24 * 3_600_000;
/** Nobody makes more people answer. */
const MOST_APPROVERS = 10;

/** @param asker who is known to ask; undefined where that is what has to be found out */
export async function judgeRequest(
  request: ReadObject<'request'>,
  judge: JudgeEvidence,
  asker?: Subject,
): Promise<Judged> {
  const { who, sid, at, expiresAt, demands } = request.claims;
  const { faults, doubts } = await judgeSigner(request, who, { sid, at }, judge);
  if (asker !== undefined && !(who.subject.iss === asker.iss && who.subject.sub === asker.sub)) {
    faults.push('the request is somebody else’s');
  }
  if (expiresAt < at || expiresAt - at > LONGEST_OPEN_MS) faults.push('the request is open for too long');
  faults.push(...demandFaults(demands));
  return { faults, doubts };
}

function demandFaults({ min, level, approvers, validFor }: ApprovalDemands): string[] {
  const faults: string[] = [];
  if (min < 1 || min > MOST_APPROVERS || approvers.length === 0) faults.push('the request demands nobody’s approval');
  if (!isBoundLevel(level)) faults.push('the request takes approvers whose key nobody vouches for');
  if (validFor > LONGEST_OPEN_MS) faults.push('the request would have an approval count for too long');
  return faults;
}

/** An approver's key is vouched for by the issuer, or is nobody's. */
function isBoundLevel(level: string): level is EvidenceLevel {
  const known = evidenceLevels.find((one) => one === level);
  return known !== undefined && levelSatisfies(known, 'dpop');
}

/** Of one verdict by itself; whether it allows is another matter. */
export async function judgeVerdict(
  verdict: ReadObject<'verdict'>,
  request: ReadObject<'request'>,
  judge: JudgeEvidence,
): Promise<Judged> {
  const { who, sid, at } = verdict.claims;
  const { demands } = request.claims;
  const signer = await judgeSigner(verdict, who, { sid, at, maxLoginAgeMs: demands.maxAge }, judge);
  const { faults, doubts, level } = signer;
  if (verdict.claims.id !== request.claims.id || verdict.claims.request !== request.digest) {
    faults.push('it is about another request');
  }
  if (at < request.claims.at - CLOCK_SKEW_MS) faults.push('it was given before it was asked for');
  if (at > request.claims.expiresAt) faults.push('it was given after the request had ended');
  if (isSamePerson(who.subject, request.claims.who.subject))
    faults.push('nobody approves what they ask for themselves');
  if (!mayApprove(demands.approvers, who)) faults.push('they are none of those who may approve it');
  if (level !== undefined && !(isBoundLevel(demands.level) && levelSatisfies(level, demands.level))) {
    faults.push(`the issuer vouches for their key at the level ${level} only, ${demands.level} is demanded`);
  }
  return { faults, doubts };
}

/** By e-mail address as the issuer confirms it, or by a group that the issuer puts them in. */
export function mayApprove(approvers: readonly string[], { subject, idToken }: Evidence): boolean {
  const email = subject.email?.toLowerCase();
  const groups = new Set(groupsIn(idToken));
  return approvers.some((one) =>
    one.startsWith(GROUP) ? groups.has(one.slice(GROUP.length)) : email !== undefined && one.toLowerCase() === email,
  );
}

const GROUP = 'group:';

function groupsIn(idToken: string): readonly string[] {
  try {
    return groupsOf(idToken) ?? [];
  } catch {
    return [];
  }
}

/** Whether these verdicts, each of which holds, are enough. The reason where they are not. */
export function missingApproval(
  { claims: { demands } }: ReadObject<'request'>,
  verdicts: readonly ReadObject<'verdict'>[],
): string | undefined {
  if (verdicts.some(({ claims }) => claims.decision !== 'allow')) return 'one of those who were asked has denied it';
  const people = peopleOf(verdicts);
  return people < demands.min ? `${demands.min} have to approve it, and ${people} did` : undefined;
}

/** How many people they are of: somebody's accounts count once. */
export function peopleOf(verdicts: readonly ReadObject<'verdict'>[]): number {
  const people: Subject[] = [];
  for (const { claims } of verdicts) {
    if (!people.some((one) => isSamePerson(one, claims.who.subject))) people.push(claims.who.subject);
  }
  return people.length;
}

/** @param run the session and statement that it is to be for, and the session's key */
export async function judgeClaim(
  claim: ReadObject<'claim'>,
  request: ReadObject<'request'>,
  verdicts: readonly ReadObject<'verdict'>[],
  run: { readonly sid: string; readonly of: number; readonly sessionKey: VerifyingKey | undefined },
): Promise<string[]> {
  const { claims } = claim;
  const faults: string[] = [];
  if (run.sessionKey === undefined || !(await isEnvelopeBy(run.sessionKey, approvalType('claim'), claim))) {
    faults.push('the claim is not signed by this session');
  }
  if (claims.sid !== run.sid || claims.of !== run.of) faults.push('the claim is for another statement');
  if (claims.id !== request.claims.id || claims.request !== request.digest) {
    faults.push('the claim is about another request');
  }
  const known = new Set(verdicts.map(({ digest }) => digest));
  if (claims.verdicts.length !== known.size || !claims.verdicts.every((one) => known.has(one))) {
    faults.push('the claim rests on other verdicts');
  }
  if (verdicts.some((verdict) => isOver(verdict.claims, request.claims, claims.at))) {
    faults.push('the claim was made after the approval had ended');
  }
  if (verdicts.some(({ claims: { at } }) => claims.at < at - CLOCK_SKEW_MS)) {
    faults.push('the claim was made before the approval');
  }
  return faults;
}

/** An approval counts for a time. */
function isOver(
  { at }: Pick<ApprovalVerdictClaims, 'at'>,
  { demands }: Pick<ApprovalRequestClaims, 'demands'>,
  now: number,
): boolean {
  return now > at + demands.validFor + CLOCK_SKEW_MS;
}

async function judgeSigner(
  object: ReadObject<Exclude<ApprovalPart, 'claim'>>,
  who: Evidence,
  session: { readonly sid: string; readonly at: number; readonly maxLoginAgeMs?: number },
  judge: JudgeEvidence,
): Promise<{ faults: string[]; doubts: string[]; level: EvidenceLevel | undefined }> {
  const judged = await judge(who, session);
  const faults = [...judged.faults];
  if (claimsLocal(who)) faults.push(`nobody vouches for the local key that signed the ${object.part}`);
  const { sessionKey } = judged;
  if (sessionKey === undefined || !(await isEnvelopeBy(sessionKey, approvalType(object.part), object))) {
    faults.push(`the ${object.part} is not signed by who it names`);
  }
  return { faults, doubts: [...judged.doubts], level: judged.level };
}
