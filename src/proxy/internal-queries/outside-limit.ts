/**
 * Time limits of a question that are kept from outside of its session: by CancelRequest, as a person's Ctrl-C in psql. A setting
 * of the session (statement_timeout, lock_timeout) could be read by the code that is tried, which then knew that it is.
 *
 * What lives here: when to cancel, and that no cancel is still under way when the next question goes out. What it must not
 * know: what is asked.
 */
import { ServerRefusal } from './internal-reply.js';

export interface OutsideLimits {
  /** Of one question, milliseconds. */
  readonly statementMs: number;
  /** From then on a question that waits for a lock is cancelled, milliseconds. */
  readonly lockMs: number;
  /** Resolves when the server has taken the request: it hits what runs then, and nothing that is sent afterwards. */
  readonly cancel: () => Promise<void>;
  /** Whether another session holds a lock that this one waits for. Asked on another connection. */
  readonly waitsForLock: () => Promise<boolean>;
}

/** query_canceled and lock_not_available, as statement_timeout and lock_timeout would have ended it. */
const cancelled = '57014';
const waited = '55P03';

/** Rejects as `question` does; with 55P03 in place of 57014 where it waited for a lock. */
export async function inOutsideLimits<T>(limits: OutsideLimits, question: () => Promise<T>): Promise<T> {
  const state = { over: false, waits: false };
  let underWay: Promise<unknown> = Promise.resolve();
  // code may catch query_canceled and go on: then it meets the next one
  const cancel = (): void => {
    if (!state.over) underWay = Promise.all([underWay, limits.cancel().catch(() => undefined)]);
  };
  const look = async (): Promise<void> => {
    const waits = await limits.waitsForLock().catch(() => false);
    if (!waits || state.over) return;
    state.waits = true;
    cancel();
  };
  const looks = setInterval(() => void look(), limits.lockMs);
  const end = setInterval(cancel, limits.statementMs);
  try {
    return await question();
  } catch (error) {
    if (!state.waits || !(error instanceof ServerRefusal) || error.sqlstate !== cancelled) throw error;
    throw new ServerRefusal(new Map([...error.fields, ['C', waited]]));
  } finally {
    state.over = true;
    clearInterval(looks);
    clearInterval(end);
    await underWay;
  }
}
