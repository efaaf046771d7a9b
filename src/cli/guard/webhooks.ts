/** Tells webhooks of requests to a second person. What becomes of that holds nothing up: the bucket is what counts. */
import type { SecondPersonEvent } from '../../approval/second-person/asker.js';
import { webhookBody } from '../../approval/second-person/webhook-body.js';
import { DbguardError } from '../../errors.js';
import { outwardFetch } from '../../io/http/outward-fetch.js';
import { postWebhook } from '../../io/http/webhook-post.js';
import type { Webhook } from '../../policy/read-second-person.js';

/** A run that ends waits no longer for them. */
const lastMs = 3000;

export interface Webhooks {
  tell(event: SecondPersonEvent): void;
  /** What is on its way has a moment to get there. */
  close(): Promise<void>;
}

export function openWebhooks(
  webhooks: readonly Webhook[],
  env: NodeJS.ProcessEnv,
  onTrouble: (error: DbguardError) => void,
): Webhooks {
  const fetch = outwardFetch(env);
  const end = new AbortController();
  /** One after another to each, so that what became of a request does not come before it. */
  const last = new Map<number, Promise<void>>();
  const running = new Set<Promise<void>>();
  return {
    tell(event) {
      for (const [index, { url, format }] of webhooks.entries()) {
        const body = webhookBody(event, format);
        if (body === undefined) continue;
        const before = last.get(index) ?? Promise.resolve();
        const one: Promise<void> = before
          .then(() => postWebhook(fetch, url, body, end.signal))
          .catch((error: unknown) => onTrouble(notTold(url, index, error)))
          .finally(() => running.delete(one));
        running.add(one);
        last.set(index, one);
      }
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const enough = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, lastMs);
      });
      await Promise.race([Promise.all(running), enough]);
      clearTimeout(timer);
      end.abort('closed');
      await Promise.all(running);
    },
  };
}

/** The path of a webhook is its password: the host alone is named. */
function notTold(url: string, index: number, error: unknown): DbguardError {
  const why = error instanceof Error ? error.message : '';
  const message = `the webhook ${index + 1} at ${new URL(url).host} was not told of a request: ${why.replaceAll(url, '<its URL>')}`;
  return new DbguardError('output-failed', message, {
    hint: 'The request is in the bucket all the same: dbguard approvals --team shows it.',
  });
}
