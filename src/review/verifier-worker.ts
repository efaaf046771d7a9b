/** One thread of the verifier pool: reports on the sessions that it is sent, and asks for all that it needs to read. */
import { parentPort, workerData } from 'node:worker_threads';
import { allOf, type FoundKeys } from './issuer-keys.js';
import {
  errorFrom,
  type FromWorker,
  failureOf,
  type Question,
  type ToWorker,
  type WorkerSettings,
} from './verifier-pool.js';
import type { VerifyOptions } from './verify-options.js';
import { verifySession } from './verify-session.js';
import { readSession } from './views/read-session.js';
import type { ViewName } from './views/view-table.js';

const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
let next = 0;
/** Characters of rows that wait for more of their session. */
const BATCH = 256 * 1024;

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function ask<Answer>(question: Question): Promise<Answer> {
  const id = next++;
  return new Promise<Answer>((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    send({ id, question });
  });
}

const { rows: withRows, ...settings } = workerData as WorkerSettings;
const options: VerifyOptions = {
  ...settings,
  source: {
    location: 'the bucket',
    read: (key, version) => ask<Uint8Array>({ ask: 'object', key, ...(version === undefined ? {} : { version }) }),
  },
  keys: allOf([{ keysOf: (of) => ask<readonly FoundKeys[]>({ ask: 'keys', of }) }]),
  signatures: 'inline',
};

parentPort?.on('message', (message: ToWorker) => {
  if ('verify' in message) {
    const { id, verify } = message;
    let rows: [ViewName, string][] = [];
    let length = 0;
    // a message for each view would cost more than the rows of most sessions
    const sink = (view: ViewName, lines: string): void => {
      rows.push([view, lines]);
      length += lines.length;
      if (length < BATCH) return;
      send({ rowsOf: id, rows });
      rows = [];
      length = 0;
    };
    const report = withRows ? readSession(verify, options, sink) : verifySession(verify, options);
    report.then(
      (value) => send({ reportOf: id, rows, outcome: { value } }),
      (error: unknown) => send({ reportOf: id, rows: [], outcome: { failure: failureOf(error) } }),
    );
    return;
  }
  const asked = waiting.get(message.answerTo);
  waiting.delete(message.answerTo);
  if ('value' in message.outcome) asked?.resolve(message.outcome.value as never);
  else asked?.reject(errorFrom(message.outcome.failure));
});
