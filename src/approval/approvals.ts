/**
 * The queue of statements that wait for a person, in the order in which they were asked.
 *
 * What lives here: who waits, what was decided before, which answer came first. What it must not know: screens,
 * sockets, statements' meaning. A channel is a place where a person can answer; the first answer wins.
 */
import { messageOf } from '../errors.js';
import type { Answer, ApprovalRequest, Approver, Asker, DryRun } from '../proxy/statement/asker.js';
import { DenialMemory } from './denial-memory.js';
import { putOff } from './patience.js';
import { type Preview, previewDigest, previewOf } from './preview.js';
import { exactKey, sessionScopeObstacle } from './statement-key.js';

/** One statement that waits. */
export interface PendingApproval {
  readonly request: ApprovalRequest;
  /** Another one after a dry run. */
  readonly preview: Preview;
  /** SHA-256 over the preview's canonical text, base64url. */
  readonly digest: string;
  readonly dryRun: 'none' | 'running' | 'done';
  /** Milliseconds since 1970 UTC; later than the request's where a person is at work on it. */
  readonly expiresAt: number;
  /** Why it cannot be approved for the session; undefined where it can. */
  readonly sessionObstacle: string | undefined;
}

/** What a person may answer; who and where is added by the channel. */
export type Verdict =
  | { readonly decision: 'allow'; readonly scope: 'once' | 'session' }
  | { readonly decision: 'deny'; readonly reason?: string }
  | { readonly decision: 'abort' };

export interface ApprovalChannel {
  /** `terminal`, `approvals socket`, `script`: stands in the verdict. */
  readonly name: string;
  /** A person can see and answer here now. */
  attended(): boolean;
  /**
   * For a channel that shows one statement at a time, in order. `gone` aborts when it was settled elsewhere; the
   * verdict is then ignored. Rejecting means that this channel could not ask.
   */
  present?(pending: PendingApproval, gone: AbortSignal): Promise<Verdict>;
}

/** `changed`: a dry run has changed the preview since the person saw it. */
export type SettleResult = 'settled' | 'unknown' | 'not-for-session' | 'changed';

/** The person's side of the queue. */
export interface ApprovalDesk {
  readonly pending: readonly PendingApproval[];
  /** Answers on behalf of a person at `channel`. */
  settle(id: string, verdict: Verdict, approver: { readonly channel: string; readonly name?: string }): SettleResult;
  /** Has the statement run and undone, once; what that shows becomes part of the preview. */
  tryOut(id: string): void;
  /** A person is at work on it: silence begins anew, within bounds. */
  busy(id: string): void;
  /** Called after each change; returns the way to stop it. */
  onChange(listener: (event: DeskEvent) => void): () => void;
}

export type DeskEvent =
  | { readonly kind: 'asked'; readonly pending: PendingApproval }
  /** Its preview is another one. */
  | { readonly kind: 'changed'; readonly pending: PendingApproval }
  | { readonly kind: 'settled'; readonly id: string; readonly answer: Answer };

export interface ApprovalsClock {
  /** Milliseconds since 1970 UTC. */
  now(): number;
  /** Calls back once; returns the way to stop it. */
  after(milliseconds: number, callback: () => void): () => void;
}

export interface ApprovalsOptions {
  /** Read anew at each ask: channels may be added to it. */
  readonly channels: readonly ApprovalChannel[];
  readonly clock: ApprovalsClock;
  /** Where nobody watches: refuse at once, or wait for somebody to come. */
  readonly unattended: 'deny' | 'wait';
  /** Told to the agent where nobody watches. */
  readonly howToApprove: string;
  readonly maxPending?: number;
  /** How long a denied statement is refused without asking, in milliseconds. */
  readonly denialMemoryMs?: number;
}

/** What happened at the desk, for the summary at the end of a run. */
export interface ApprovalTotals {
  readonly asked: number;
  readonly allowed: number;
  readonly denied: number;
  /** Answered from an approval for the session, or refused because it was denied a moment ago. */
  readonly repeated: number;
  /** Denied because nobody could be asked. */
  readonly unanswered: number;
}

export interface Approvals extends Asker, ApprovalDesk {
  readonly totals: ApprovalTotals;
  /** A place to answer that comes up later than the queue: the terminal of a child that needs the proxy first. */
  attach(channel: ApprovalChannel): void;
  recall(request: ApprovalRequest): Answer | undefined;
}

interface Waiting extends PendingApproval {
  preview: Preview;
  digest: string;
  dryRun: PendingApproval['dryRun'];
  expiresAt: number;
  readonly settle: (answer: Answer) => void;
}

export function createApprovals(options: ApprovalsOptions): Approvals {
  const { clock } = options;
  const attached: ApprovalChannel[] = [];
  const channels = (): ApprovalChannel[] => [...options.channels, ...attached];
  const maxPending = options.maxPending ?? 50;
  const denials = new DenialMemory(options.denialMemoryMs ?? 60_000);
  const approvedForSession = new Map<string, { digest: string; by: Approver }>();
  const waiting: Waiting[] = [];
  const listeners = new Set<(event: DeskEvent) => void>();
  const presenting = new Map<ApprovalChannel, string>();
  /** Who has ended the session: its last statements ask nobody. */
  let endedBy: Approver | undefined;
  const totals = { asked: 0, allowed: 0, denied: 0, repeated: 0, unanswered: 0 };

  const emit = (event: DeskEvent): void => {
    for (const listener of listeners) listener(event);
  };

  /** Gives every channel that shows one at a time the first that waits. */
  const present = (): void => {
    const first = waiting[0];
    if (!first) return;
    for (const channel of channels()) {
      if (!channel.present || presenting.has(channel) || !channel.attended()) continue;
      presenting.set(channel, first.request.id);
      const gone = new AbortController();
      const stop = listen((event) => {
        if (event.kind === 'settled' && event.id === first.request.id) gone.abort();
      });
      channel
        .present(first, gone.signal)
        .then((verdict) => desk.settle(first.request.id, verdict, { channel: channel.name }))
        .catch(() => {
          if (!gone.signal.aborted) first.settle(nobody('The approval prompt could not be shown.'));
        })
        .finally(() => {
          stop();
          presenting.delete(channel);
          present();
        });
    }
  };

  const listen = (listener: (event: DeskEvent) => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };

  const remember = (request: ApprovalRequest, answer: Answer): void => {
    if (answer.decision === 'allow') {
      totals.allowed++;
      if (answer.scope === 'session' && !request.ruling.as) {
        approvedForSession.set(exactKey(request), { digest: answer.previewDigest, by: answer.by });
      }
      return;
    }
    totals.denied++;
    if (answer.by.kind === 'person') {
      denials.add(request, clock.now(), answer.decision === 'deny' ? answer.reason : undefined);
    }
  };

  const wait = (request: ApprovalRequest, signal: AbortSignal): Promise<Answer> =>
    new Promise((resolve) => {
      const preview = previewOf(request);
      const entry: Waiting = {
        request,
        preview,
        digest: previewDigest(request, preview),
        dryRun: 'none',
        expiresAt: request.expiresAt,
        sessionObstacle: sessionScopeObstacle(request),
        settle: (answer) => {
          const index = waiting.indexOf(entry);
          if (index === -1) return;
          waiting.splice(index, 1);
          stopTimer();
          signal.removeEventListener('abort', interrupted);
          remember(request, answer);
          resolve(answer);
          emit({ kind: 'settled', id: request.id, answer });
        },
      };
      const interrupted = (): void => {
        entry.settle({ decision: 'deny', by: { kind: signal.reason === 'cancel' ? 'cancel' : 'disconnect' } });
      };
      const expired = (): void => {
        const left = entry.expiresAt - clock.now();
        if (left > 0) stop = clock.after(left, expired);
        else entry.settle({ decision: 'deny', by: { kind: 'timeout' }, previewDigest: entry.digest });
      };
      let stop = clock.after(Math.max(0, entry.expiresAt - clock.now()), expired);
      const stopTimer = (): void => stop();
      signal.addEventListener('abort', interrupted, { once: true });
      totals.asked++;
      waiting.push(entry);
      emit({ kind: 'asked', pending: entry });
      present();
    });

  const unasked = (reason: string): Answer => {
    totals.unanswered++;
    return nobody(reason);
  };

  const desk: Approvals = {
    totals,
    attach(channel) {
      attached.push(channel);
      present();
    },
    get pending() {
      return waiting;
    },
    onChange: listen,
    settle(id, verdict, approver) {
      const entry = waiting.find(({ request }) => request.id === id);
      if (!entry) return 'unknown';
      const by: Approver = { kind: 'person', ...approver };
      if (verdict.decision === 'allow') {
        if (verdict.scope === 'session' && entry.sessionObstacle !== undefined) return 'not-for-session';
        entry.settle({ ...verdict, by, previewDigest: entry.digest });
      } else entry.settle({ ...verdict, by, previewDigest: entry.digest });
      if (verdict.decision === 'abort') {
        endedBy = by;
        for (const other of [...waiting]) other.settle({ decision: 'abort', by, previewDigest: other.digest });
      }
      return 'settled';
    },
    tryOut(id) {
      const entry = waiting.find(({ request }) => request.id === id);
      if (!entry?.request.dryRun || entry.dryRun !== 'none') return;
      entry.dryRun = 'running';
      emit({ kind: 'changed', pending: entry });
      const shown = (found: DryRun): void => {
        entry.preview = previewOf(entry.request, found);
        entry.digest = previewDigest(entry.request, entry.preview);
        entry.dryRun = 'done';
        if (waiting.includes(entry)) emit({ kind: 'changed', pending: entry });
      };
      entry.request.dryRun().then(shown, (error: unknown) => shown({ refused: messageOf(error) }));
    },
    busy(id) {
      const entry = waiting.find(({ request }) => request.id === id);
      if (entry) entry.expiresAt = putOff(entry.request, entry.expiresAt, clock.now());
    },
    recall(request) {
      if (endedBy) return { decision: 'abort', by: endedBy };
      const approved = request.ruling.as ? undefined : approvedForSession.get(exactKey(request));
      if (approved && sessionScopeObstacle(request) === undefined) {
        totals.repeated++;
        const by: Approver = { ...approved.by, kind: 'earlier-approval' };
        return { decision: 'allow', scope: 'session', by, previewDigest: approved.digest };
      }
      const refusal = denials.refusal(request, clock.now());
      if (refusal !== undefined) {
        totals.repeated++;
        return { decision: 'deny', by: { kind: 'earlier-denial' }, reason: refusal };
      }
      return undefined;
    },
    async ask(request, signal) {
      if (signal.aborted)
        return { decision: 'deny', by: { kind: signal.reason === 'cancel' ? 'cancel' : 'disconnect' } };
      const recalled = desk.recall(request);
      if (recalled) return recalled;
      if (waiting.length >= maxPending) return unasked(`${waiting.length} statements wait for approval already.`);
      const attended = channels().some((channel) => channel.attended());
      if (!attended && options.unattended === 'deny') return unasked(options.howToApprove);
      return wait(request, signal);
    },
  };
  return desk;
}

function nobody(reason: string): Answer {
  return { decision: 'deny', by: { kind: 'nobody' }, reason };
}
