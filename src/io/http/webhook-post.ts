/**
 * Posts one message to a webhook: tried again a few times where the receiver is away or overloaded, never for long.
 *
 * What lives here: which answers are worth another try, and how long to wait for it. What it must not know: what is told.
 */
import type { OutwardFetch } from './outward-fetch.js';

export interface PostLimits {
  /** One try, milliseconds. */
  readonly tryMs: number;
  /** Before the second try, the third one, ...; milliseconds. */
  readonly pausesMs: readonly number[];
}

const limits: PostLimits = { tryMs: 10_000, pausesMs: [1000, 5000] };
/** A receiver that asks for more patience than this is not asked again. */
const longestPauseMs = 30_000;
const headers = { 'content-type': 'application/json', accept: '*/*' };

/** Rejects with an Error that says why; the URL is not in it where we can help it. `signal` ends the tries. */
export async function postWebhook(
  fetch: OutwardFetch,
  url: string,
  body: string,
  signal: AbortSignal,
  { tryMs, pausesMs }: PostLimits = limits,
): Promise<void> {
  for (const pause of [...pausesMs, undefined]) {
    const failed = await once(fetch, url, body, tryMs, signal);
    if (failed === undefined) return;
    const wait = failed.waitMs ?? pause ?? 0;
    if (pause === undefined || !failed.again || wait > longestPauseMs || signal.aborted) throw failed.error;
    await paused(wait, signal);
  }
}

interface Failed {
  readonly error: Error;
  readonly again: boolean;
  readonly waitMs?: number;
}

async function once(
  fetch: OutwardFetch,
  url: string,
  body: string,
  tryMs: number,
  signal: AbortSignal,
): Promise<Failed | undefined> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(tryMs)]);
  try {
    const answer = await fetch(url, { method: 'POST', headers, body, signal: within });
    await answer.body?.cancel();
    if (answer.ok) return undefined;
    const { status } = answer;
    const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
    return {
      error: new Error(`it answered ${status}`),
      again: status >= 500 || status === 429 || status === 408,
      ...(seconds >= 0 ? { waitMs: seconds * 1000 } : {}),
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (signal.aborted) return { error: new Error('the run had ended before it answered'), again: false };
    if (error.name === 'TimeoutError') return { error: new Error('it did not answer in time'), again: true };
    return { error: error.cause instanceof Error ? error.cause : error, again: true };
  }
}

function paused(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    signal.addEventListener('abort', over, { once: true });
  });
}
