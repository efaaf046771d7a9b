/**
 * One client's session between two byte streams, with everything that it does written down in order: entries, messages to
 * the server, messages to the client, the end. No sockets, no server: what it is about is the order.
 */
import type { Policy } from '../../src/policy/decision.js';
import { ClientSession } from '../../src/proxy/client/client-session.js';
import { withoutCatalog } from '../../src/proxy/session-state/client-catalog.js';
import type { Answer } from '../../src/proxy/statement/asker.js';
import { StatementJournal } from '../../src/proxy/statement/statement-journal.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { type Disclosures, type EntryBody, RepeatedBody } from '../../src/transcript/entry.js';
import { decodeFields } from '../../src/wire/backend.js';
import { MemoryRecorder } from './proxy-in-process.js';

const analyser = await createAnalyser();

/** By first byte ("Message Formats" in the PostgreSQL manual). */
const fromClient: Readonly<Record<string, string>> = {
  ...{ Q: 'Query', P: 'Parse', B: 'Bind', D: 'Describe', E: 'Execute', S: 'Sync', H: 'Flush', C: 'Close' },
  ...{ F: 'FunctionCall', d: 'CopyData', c: 'CopyDone', f: 'CopyFail', X: 'Terminate' },
};
const fromServer: Readonly<Record<string, string>> = {
  ...{ T: 'RowDescription', D: 'DataRow', C: 'CommandComplete', Z: 'ReadyForQuery', E: 'ErrorResponse' },
  ...{ '1': 'ParseComplete', '2': 'BindComplete', G: 'CopyInResponse', N: 'NoticeResponse' },
};

class LoggingRecorder extends MemoryRecorder {
  readonly #log: string[];
  readonly #waiting: (() => void)[] = [];
  /** While true, what is appended is not written. */
  slow = false;

  constructor(log: string[]) {
    super();
    this.#log = log;
  }

  override append(body: EntryBody | RepeatedBody, disclosures: Disclosures = {}): number {
    const n = super.append(body, disclosures);
    this.#log.push(`journal: ${describeEntry(n, body instanceof RepeatedBody ? body.body : body)}`);
    return n;
  }

  override commit(sync: boolean, done: (error?: Error) => void): void {
    const written = () => {
      this.#log.push(sync ? 'journal: signed and on disk' : 'journal: written');
      done();
    };
    if (this.slow) this.#waiting.push(written);
    else written();
  }

  /** What waits is written, and what comes is again written at once. */
  catchUp(): void {
    this.slow = false;
    for (const written of this.#waiting.splice(0)) written();
  }
}

function describeEntry(n: number, { k, of, decision, verdict, how, tag, sqlstate }: EntryBody): string {
  const what = [decision, verdict, how, tag, sqlstate].filter((word) => word !== undefined).join(' ');
  return `${k} ${n}${of === undefined ? '' : ` of ${of}`}${what && `: ${what}`}`;
}

export class RecordedSession {
  readonly #log: string[] = [];
  readonly #answers: ((answer: Answer) => void)[] = [];
  readonly recorder = new LoggingRecorder(this.#log);
  readonly session: ClientSession;

  /** @param encoding of the client: in one that is not UTF8 dbguard asks the server nothing about a text beyond ASCII */
  constructor(policy: Policy, encoding: 'UTF8' | 'LATIN1' = 'UTF8') {
    const journal = new StatementJournal({
      policy,
      recorder: this.recorder,
      clock: { now: () => 0, monotonic: () => 0 },
      asker: {
        ask: (_request, signal) =>
          new Promise((resolve) => {
            this.#log.push('person: is asked');
            signal.addEventListener('abort', () => this.#log.push('person: is not asked any more'));
            this.#answers.push(resolve);
          }),
      },
    });
    this.session = new ClientSession({
      context: {
        ...{ number: 1, sid: 's', agent: 'a', subject: 'p', connection: 'c', database: 'd', login: 'app', user: 'app' },
      },
      journal,
      catalog: withoutCatalog(analyser),
      assessor: {
        impact: async () => ({ lines: [] }),
        extents: async () => new Map(),
        sizes: async () => new Map(),
        waitsForLock: async () => false,
        dryRun: async () => ({ refused: 'there is no server' }),
        endSession: () => this.#log.push('the child is ended'),
      },
      masks: undefined,
      databases: { leave: async () => undefined },
      port: {
        writeServer: (slices) => this.#say('server', fromClient, Buffer.concat(slices)),
        writeClient: (slices) => this.#say('client', fromServer, Buffer.concat(slices)),
        balance: () => undefined,
        cancel: async () => undefined,
        close: (reason) => this.#log.push(`both connections end: ${reason}`),
      },
      parameters: new Map([['client_encoding', encoding]]),
      maxMessage: 1 << 20,
      missingPortalName: 'missing',
    });
  }

  /** The person's answer to the oldest question. */
  answer(answer: Answer): void {
    this.#answers.shift()?.(answer);
  }

  /** What has happened since the last call. */
  async happened(): Promise<string[]> {
    // questions and answers are promises; nothing here waits for anything else
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    return this.#log.splice(0);
  }

  #say(to: string, names: Readonly<Record<string, string>>, bytes: Buffer): void {
    for (let start = 0, end: number; start < bytes.length; start = end) {
      end = start + 1 + bytes.readUInt32BE(start + 1);
      const type = String.fromCharCode(bytes[start] ?? 0);
      this.#log.push(`to the ${to}: ${names[type] ?? type}${detail(names[type], bytes, start, end)}`);
    }
  }
}

function detail(name: string | undefined, bytes: Buffer, start: number, end: number): string {
  if (name === 'Query' || name === 'CommandComplete' || name === 'ReadyForQuery')
    return ` ${bytes.toString('latin1', start + 5, end).replaceAll('\0', '')}`;
  if (name !== 'ErrorResponse') return '';
  const fields = decodeFields(bytes, start, end);
  return ` ${fields.get('C')} ${fields.get('M')}`;
}
