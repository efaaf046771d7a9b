/**
 * Statements that a second person has to approve: asked for in the bucket, waited for, and used once. All others go to
 * the queue of this run.
 *
 *   publish the request (or go on with one that is open, of this session or an earlier one) -> wait for verdicts -> claim -> the statement runs
 *
 * What lives here: the order of these steps. What it must not know: how a statement is held, which requests are open, who
 * approves.
 */

import { DbguardError, messageOf } from '../../errors.js';
import { subjectName } from '../../identity/subject-name.js';
import type { Answer, ApprovalRequest, Asker } from '../../proxy/statement/asker.js';
import { type ApprovalPart, approvalText } from '../../transcript/approval-objects.js';
import type { Recorder } from '../../transcript/entry.js';
import type { ApprovalsClock } from '../approvals.js';
import { DenialMemory } from '../denial-memory.js';
import { notShownWhole } from '../preview.js';
import { exactKey } from '../statement-key.js';
import { putClaim } from './objects.js';
import type { Answered, Look, OpenRequest } from './open-request.js';
import { OpenRequests, type OpenRequestsParts } from './open-requests.js';

export interface SecondPersonParts extends Omit<OpenRequestsParts, 'onNew'> {
  /** Asks whoever is at this run. */
  readonly local: Asker;
  readonly recorder: Pick<Recorder, 'append'>;
  readonly clock: ApprovalsClock;
  /** Told of each request, and of what became of it. */
  readonly onEvent?: (event: SecondPersonEvent) => void;
}

export interface SecondPersonEvent {
  readonly kind: 'asked' | 'approved' | 'denied' | 'unanswered';
  readonly id: string;
  readonly request: ApprovalRequest;
  /** Who has answered. */
  readonly by?: string;
}

/** Looks at the bucket: often at first. Milliseconds. */
const FIRST_LOOK_MS = 250;
const LONGEST_PAUSE_MS = 3000;
const DENIED_AGAIN_MS = 60_000;
const CHANNEL = 'bucket';

export class SecondPersonAsker implements Asker {
  readonly #parts: SecondPersonParts;
  readonly #denials = new DenialMemory(DENIED_AGAIN_MS);
  readonly #open: OpenRequests;

  constructor(parts: SecondPersonParts) {
    this.#parts = parts;
    this.#open = new OpenRequests({ ...parts, onNew: (id, request) => this.#tell('asked', id, request) });
  }

  recall(request: ApprovalRequest): Answer | undefined {
    const answer = this.#parts.local.recall?.(request);
    if (answer || request.ruling.decision !== 'second-person') return answer;
    const refusal = this.#denials.refusal(request, this.#parts.clock.now());
    return refusal === undefined ? undefined : { decision: 'deny', by: { kind: 'earlier-denial' }, reason: refusal };
  }

  ask(request: ApprovalRequest, signal: AbortSignal): Promise<Answer> {
    return request.ruling.decision === 'second-person'
      ? this.#ask(request, signal)
      : this.#parts.local.ask(request, signal);
  }

  async #ask(request: ApprovalRequest, signal: AbortSignal): Promise<Answer> {
    const tooLong = notShownWhole(request);
    if (tooLong !== undefined)
      return nobody(`A second person cannot be shown all of it: ${tooLong}. Send it in parts.`);
    const end = new AbortController();
    const stop = this.#parts.clock.after(Math.max(0, request.expiresAt - this.#parts.clock.now()), () =>
      end.abort('timeout'),
    );
    const leave = (): void => end.abort(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      return await this.#decide(request, end.signal);
    } finally {
      stop();
      signal.removeEventListener('abort', leave);
    }
  }

  async #decide(request: ApprovalRequest, ended: AbortSignal): Promise<Answer> {
    const key = exactKey(request);
    let trouble: string | undefined;
    let open: OpenRequest | undefined;
    for (let pause = FIRST_LOOK_MS; !ended.aborted; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      try {
        if (open === undefined) {
          open = await this.#open.of(key, request, ended);
          if (ended.aborted) break;
          this.#record(request, 'request', open.text, open.id, open.shown);
        }
        const look = await open.look(this.#parts.bucket, this.#parts.judge, this.#parts.clock.now());
        trouble = undefined;
        if (ended.aborted) break;
        const answer = await this.#settle(key, request, open, look, ended);
        if (answer) return answer;
      } catch (error) {
        if (!(error instanceof DbguardError) || error.code === 'journal-unwritable') throw error;
        // a bucket that is away says neither yes nor no
        trouble = messageOf(error);
      }
      await this.#pause(pause, ended);
    }
    return this.#unanswered(request, open, trouble);
  }

  /** The answer that stands, if one does. */
  async #settle(
    key: string,
    request: ApprovalRequest,
    open: OpenRequest,
    look: Look,
    ended: AbortSignal,
  ): Promise<Answer | undefined> {
    if (look.kind === 'waiting') return undefined;
    if (look.kind === 'over') {
      this.#open.delete(key);
      return nobody('The approval of this statement has ended. Send it again to have it asked for anew.');
    }
    if (look.kind === 'used' || open.taken) {
      this.#open.delete(key);
      return nobody('The approval of this statement was used already. Send it again to have it asked for anew.');
    }
    if (look.kind === 'denied') {
      this.#open.delete(key);
      for (const { text } of look.by) this.#record(request, 'verdict', text, open.id);
      const [{ verdict }] = look.by as [Answered];
      const { reason, seen } = verdict.claims;
      this.#denials.add(request, this.#parts.clock.now(), reason);
      this.#tell('denied', open.id, request, namesOf(look.by));
      return {
        decision: 'deny',
        by: { kind: 'second-person', channel: CHANNEL, name: namesOf(look.by) },
        previewDigest: seen,
        ...(reason === undefined ? {} : { reason }),
      };
    }
    return this.#claim(key, request, open, look.by, ended);
  }

  async #claim(
    key: string,
    request: ApprovalRequest,
    open: OpenRequest,
    by: readonly Answered[],
    ended: AbortSignal,
  ): Promise<Answer | undefined> {
    const { bucket, sid, clock, signer } = this.#parts;
    open.taken = true;
    const claims = {
      ...{ id: open.id, sid, of: request.entry, request: open.request.digest, at: clock.now() },
      verdicts: by.map(({ verdict }) => verdict.digest),
    };
    const claim = approvalText('claim', claims, signer);
    for (let pause = FIRST_LOOK_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      try {
        await putClaim(bucket, open.id, claim, ended);
        break;
      } catch (error) {
        if (!(error instanceof DbguardError)) throw error;
        this.#open.delete(key);
        if (error.code === 'bucket-conflict') return nobody('The approval of this statement was used elsewhere.');
        if (ended.aborted) return undefined;
        await this.#pause(pause, ended);
      }
    }
    this.#open.delete(key);
    // whoever cancelled meanwhile has the last word; the approval is used up
    if (ended.aborted) return undefined;
    for (const { text } of by) this.#record(request, 'verdict', text, open.id);
    this.#record(request, 'claim', claim, open.id);
    this.#tell('approved', open.id, request, namesOf(by));
    const [{ verdict }] = by as [Answered, ...Answered[]];
    return {
      decision: 'allow',
      scope: 'once',
      by: { kind: 'second-person', channel: CHANNEL, name: namesOf(by) },
      previewDigest: verdict.claims.seen,
      ...(open.estimatedRows === undefined ? {} : { rowsShown: open.estimatedRows }),
    };
  }

  #unanswered(request: ApprovalRequest, open: OpenRequest | undefined, trouble: string | undefined): Answer {
    const about = open === undefined ? 'it could not be brought to the bucket' : `request ${shortId(open.id)} is open`;
    const more = trouble ?? open?.ignored;
    if (open) this.#tell('unanswered', open.id, request);
    return { decision: 'deny', by: { kind: 'timeout' }, reason: more === undefined ? about : `${about}; ${more}` };
  }

  #record({ entry }: ApprovalRequest, object: ApprovalPart, text: string, id: string, shown?: string): void {
    const body = { k: 'approval', of: entry, id, object, envelope: JSON.parse(text) } as const;
    this.#parts.recorder.append(body, shown === undefined ? undefined : { shown });
  }

  #tell(kind: SecondPersonEvent['kind'], id: string, request: ApprovalRequest, by?: string): void {
    this.#parts.onEvent?.({ kind, id, request, ...(by === undefined ? {} : { by }) });
  }

  #pause(milliseconds: number, ended: AbortSignal): Promise<void> {
    if (ended.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const over = (): void => {
        stop();
        ended.removeEventListener('abort', over);
        resolve();
      };
      const stop = this.#parts.clock.after(milliseconds, over);
      ended.addEventListener('abort', over, { once: true });
    });
  }
}

/** What people call a request: the random end of its id. */
export function shortId(id: string): string {
  return id.slice(-8);
}

function namesOf(answered: readonly Answered[]): string {
  return answered.map(({ verdict }) => subjectName(verdict.claims.who.subject)).join(', ');
}

function nobody(reason: string): Answer {
  return { decision: 'deny', by: { kind: 'nobody' }, reason };
}
