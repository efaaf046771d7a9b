/**
 * What `dbguard run` and `dbguard approvals` say to each other: one JSON object on each line.
 *
 * The approver listens on a socket of its own and tells the run its name; the run looks up who holds that listening
 * socket, and calls back. (A plain connection would not do: Node offers no SO_PEERCRED, and Linux does not say in
 * /proc who is on the other end of an accepted unix socket, but it does say who listens at a path.)
 */
import type { Answer } from '../proxy/statement/asker.js';
import type { PendingApproval, SettleResult, Verdict } from './approvals.js';
import type { Preview } from './preview.js';
import { type FromWindows, parseToWindows, type ToWindows } from './window-protocol.js';

export interface RunDescription {
  readonly sid: string;
  readonly pid: number;
  readonly agent: string;
  readonly subject: string;
  readonly connection: string;
}

/** To the run, on the first connection: the file name of the approver's own socket in the same folder. */
export interface CallMe {
  readonly type: 'call-me';
  readonly socket: string;
}

export type FromRun =
  | { readonly type: 'refused'; readonly why: string }
  | { readonly type: 'hello'; readonly run: RunDescription; readonly pending: readonly AskedMessage[] }
  | AskedMessage
  | { readonly type: 'settled'; readonly id: string; readonly decision: Answer['decision']; readonly by: string }
  | { readonly type: 'result'; readonly id: string; readonly result: SettleResult }
  | FromWindows;

export interface AskedMessage {
  /** Again with the same id after a dry run: the preview is another one. */
  readonly type: 'asked';
  readonly id: string;
  readonly preview: Preview;
  /** SHA-256 over the preview's canonical text. */
  readonly digest: string;
  /** Milliseconds since 1970 UTC. */
  readonly askedAt: number;
  readonly expiresAt: number;
  readonly sessionObstacle?: string;
  /** Undefined where a dry run cannot be asked for. */
  readonly dryRun?: PendingApproval['dryRun'];
}

export type FromApprover =
  /** Somebody watches: statements are put to them. */
  | { readonly type: 'follow' }
  /** Have it run and undone, to see what it does. */
  | { readonly type: 'try'; readonly id: string }
  /** The person is at work on it. */
  | { readonly type: 'busy'; readonly id: string }
  /** `digest` is that of the preview the person saw; another one is refused. */
  | { readonly type: 'settle'; readonly id: string; readonly digest: string; readonly verdict: Verdict }
  | ToWindows;

export function askedMessage(pending: PendingApproval): AskedMessage {
  const { request, digest, sessionObstacle } = pending;
  return {
    type: 'asked',
    id: request.id,
    preview: pending.preview,
    digest,
    askedAt: request.askedAt,
    expiresAt: pending.expiresAt,
    ...(sessionObstacle === undefined ? {} : { sessionObstacle }),
    ...(request.dryRun ? { dryRun: pending.dryRun } : {}),
  };
}

/** A verdict from outside, or undefined where the line is none. */
export function parseFromApprover(line: string): FromApprover | undefined {
  const message = parseObject(line);
  if (message?.type === 'follow') return { type: 'follow' };
  if (message?.type === 'try' && typeof message.id === 'string') return { type: 'try', id: message.id };
  const aboutWindows = message && parseToWindows(message);
  if (aboutWindows) return aboutWindows;
  if (message?.type === 'busy' && typeof message.id === 'string') return { type: 'busy', id: message.id };
  if (message?.type !== 'settle' || typeof message.id !== 'string' || typeof message.digest !== 'string') {
    return undefined;
  }
  const verdict = parseVerdict(message.verdict);
  return verdict && { type: 'settle', id: message.id, digest: message.digest, verdict };
}

export function parseCallMe(line: string): CallMe | undefined {
  const message = parseObject(line);
  // a name, never a path: the folder is ours
  if (message?.type !== 'call-me' || typeof message.socket !== 'string') return undefined;
  return /^answer-[\w-]{1,40}\.sock$/.test(message.socket) ? { type: 'call-me', socket: message.socket } : undefined;
}

function parseVerdict(value: unknown): Verdict | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { decision, scope, reason } = value as Record<string, unknown>;
  if (decision === 'allow' && (scope === 'once' || scope === 'session')) return { decision, scope };
  if (decision === 'abort') return { decision };
  if (decision !== 'deny') return undefined;
  return typeof reason === 'string' && reason !== '' ? { decision, reason: reason.slice(0, 300) } : { decision };
}

export function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
