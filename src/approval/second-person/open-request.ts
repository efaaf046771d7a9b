/**
 * One request that is open: which answers to it have come, and which of them count.
 *
 * What lives here: verdicts that hold, those that do not and why. What it must not know: statements that wait, journals.
 */

import { messageOf } from '../../errors.js';
import { type JudgeEvidence, judgeVerdict, missingApproval, peopleOf } from '../../identity/approval-judge.js';
import { subjectName } from '../../identity/subject-name.js';
import type { ReadObject } from '../../transcript/approval-objects.js';
import type { BucketObject } from '../../transcript/entry.js';
import { type ApprovalBucket, readVerdict, type Standing, standingOf } from './objects.js';

export interface Answered {
  readonly text: string;
  readonly verdict: ReadObject<'verdict'>;
}

export type Look =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'denied'; readonly by: readonly Answered[] }
  | { readonly kind: 'approved'; readonly by: readonly Answered[] }
  /** Something was run on it. */
  | { readonly kind: 'used' }
  /** Whoever approved it has done so too long ago, and nobody answers twice. */
  | { readonly kind: 'over' };

/** The bucket's own time may differ from the approver's. A verdict that says an earlier one is dated back. */
const CLOCK_SKEW_MS = 5 * 60_000;

export class OpenRequest {
  readonly request: ReadObject<'request'>;
  /** As they lie in the bucket. */
  readonly text: string;
  readonly shown: string;
  readonly estimatedRows: number | undefined;
  /** A statement of this process is about to run on it. */
  taken = false;
  readonly #seen = new Set<string>();
  readonly #counting: Answered[] = [];
  /** Why the last answer that came does not count. */
  ignored: string | undefined;

  constructor(parts: Pick<OpenRequest, 'request' | 'text' | 'shown' | 'estimatedRows'>) {
    this.request = parts.request;
    this.text = parts.text;
    this.shown = parts.shown;
    this.estimatedRows = parts.estimatedRows;
  }

  get id(): string {
    return this.request.claims.id;
  }

  /** How many people have said yes so far, of those who may. */
  get approvals(): number {
    const all = this.#counting.map(({ verdict }) => verdict);
    return peopleOf(all.filter(({ claims }) => claims.decision === 'allow'));
  }

  /** As `look`; `expired` where no answer came and none counts any more. */
  async standing(bucket: ApprovalBucket, judge: JudgeEvidence, now: number): Promise<Look['kind'] | 'expired'> {
    const { kind } = await this.look(bucket, judge, now);
    return kind === 'waiting' && now > this.request.claims.expiresAt ? 'expired' : kind;
  }

  /** Rejects where the bucket cannot be read: that is neither yes nor no. */
  async look(bucket: ApprovalBucket, judge: JudgeEvidence, now: number): Promise<Look> {
    return this.lookAt(await standingOf(bucket, this.id), bucket, judge, now);
  }

  /** As `look`, where somebody has listed what lies there. */
  async lookAt(
    { verdicts, claimed }: Standing,
    bucket: ApprovalBucket,
    judge: JudgeEvidence,
    now: number,
  ): Promise<Look> {
    if (claimed) return { kind: 'used' };
    for (const object of verdicts) {
      if (this.#seen.has(object.key)) continue;
      const why = await this.#take(bucket, judge, object);
      if (why?.final !== false) this.#seen.add(object.key);
      this.ignored = why?.text ?? this.ignored;
    }
    const denied = this.#counting.filter(({ verdict }) => verdict.claims.decision === 'deny');
    if (denied.length > 0) return { kind: 'denied', by: denied };
    const { validFor } = this.request.claims.demands;
    const valid = this.#counting.filter(({ verdict }) => now <= verdict.claims.at + validFor);
    const missing = missingApproval(
      this.request,
      valid.map(({ verdict }) => verdict),
    );
    if (missing === undefined) return { kind: 'approved', by: valid };
    return { kind: valid.length < this.#counting.length ? 'over' : 'waiting' };
  }

  /** Why it does not count, and whether it never will; rejects where nobody can say yet. */
  async #take(
    bucket: ApprovalBucket,
    judge: JudgeEvidence,
    object: BucketObject,
  ): Promise<{ readonly text: string; readonly final: boolean } | undefined> {
    let answered: Answered;
    try {
      answered = await readVerdict(bucket, object);
    } catch (error) {
      if (isAboutContent(error)) return { text: messageOf(error), final: true };
      throw error;
    }
    const { subject } = answered.verdict.claims.who;
    const name = subjectName(subject);
    const { faults, doubts } = await judgeVerdict(answered.verdict, this.request, judge);
    const [why] = [...faults, ...datedBack(object.createdAt, answered)];
    if (why !== undefined) return { text: `the answer of ${name} does not count: ${why}`, final: true };
    // keys of an issuer that cannot be had now may be had in a moment
    if (doubts.length > 0) return { text: `the answer of ${name} is not proven: ${doubts[0]}`, final: false };
    this.#counting.push(answered);
    return undefined;
  }
}

function datedBack(storedAt: number, { verdict }: Answered): string[] {
  const { at } = verdict.claims;
  return Math.abs(storedAt - at) > CLOCK_SKEW_MS ? ['the bucket got it at another time than it says'] : [];
}

function isAboutContent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'transcript-invalid';
}
