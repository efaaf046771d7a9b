/**
 * A connection that nobody is connected through before that was granted, for a time. The first client that comes asks for
 * it; whoever comes meanwhile waits for the same answer, or is refused with it.
 *
 * What lives here: the request, its entries, the words of a refusal, when the time is over. What it must not know:
 * sockets, how a person is asked.
 *
 * In the transcript the request is a statement of dbguard's own, which is asked about like any other and runs nothing.
 */
import type { ConnectionAccess } from '../../policy/read-connection-access.js';
import { durationWords } from '../../policy/units.js';
import type { Recorder } from '../../transcript/entry.js';
import type { ErrorText } from '../../wire/backend.js';
import type { AccessWindows, TimedAccess } from '../session-state/access-windows.js';
import type { Answer, ApprovalRequest, Asker } from './asker.js';

export interface OnRequestParts {
  readonly access: ConnectionAccess;
  /** Whose rules have `timed` among them. */
  readonly windows: AccessWindows;
  readonly recorder: Pick<Recorder, 'append'>;
  readonly asker: Asker;
  readonly now: () => number;
  /** How long whoever is asked may take, milliseconds. */
  readonly patienceMs: number;
  readonly who: Pick<ApprovalRequest, 'sid' | 'agent' | 'subject' | 'connection' | 'database' | 'user' | 'environment'>;
  /** `dbguard.yaml:12`. */
  readonly origin: string;
  /** Why, as the person said who began the session. */
  readonly reason?: string;
  /** Whoever was asked wants the session to end. */
  readonly endSession: () => void;
}

/** In the list of what can be had for a time. No entry of `access` can have such a name. */
export function timedConnection(name: string, { decision, reasonRequired, forMs }: ConnectionAccess): TimedAccess {
  return { name: `connection:${name}`, connection: name, decision, reasonRequired, forMs };
}

/** What is asked, in the words that stand in the transcript. It is not SQL, so that no client's statement can be it. */
export function connectionAsked(connection: string, forMs: number): string {
  return `connect to ${connection} for ${durationWords(forMs)}`;
}

export type ConnectionAnswer = { readonly window: number } | { readonly refused: ErrorText };

export class ConnectionOnRequest {
  readonly #parts: OnRequestParts;
  readonly #name: string;
  readonly #end = new AbortController();
  #asking: Promise<Answer> | undefined;
  #requests = 0;

  constructor(parts: OnRequestParts) {
    this.#parts = parts;
    this.#name = timedConnection(parts.who.connection, parts.access).name;
  }

  get atEnd(): ConnectionAccess['atEnd'] {
    return this.#parts.access.atEnd;
  }

  /** The `window` entry of the time that is open now. */
  get open(): number | undefined {
    return this.#parts.windows.of(this.#name)?.n;
  }

  /** A time that is over by any clock ends now. */
  look(): void {
    this.#parts.windows.of(this.#name);
  }

  /** Calls back once the time is over, at once where it is already; returns the way to stop it. */
  whenOver(window: number, over: () => void): () => void {
    if (this.open !== window) {
      over();
      return () => undefined;
    }
    return this.#parts.windows.onEnd((n) => {
      if (n === window) over();
    });
  }

  /**
   * Waits for whoever is asked; `waits` is called where that takes time. A client that leaves takes nothing with it: the
   * next one finds the answer.
   */
  async admit(conn: number, left: AbortSignal, waits: () => void): Promise<ConnectionAnswer> {
    const { access, reason, asker } = this.#parts;
    const before = this.open;
    if (before !== undefined) return { window: before };
    if (access.reasonRequired && reason === undefined) return { refused: this.#refusal(nobodySaidWhy) };
    if (this.#end.signal.aborted) return { refused: this.#refusal('the session is at its end') };
    const earlier = this.#asking ? undefined : asker.recall?.(this.#request(conn, 0));
    if (earlier && earlier.decision !== 'allow') return { refused: this.#refusal(answerWords(earlier)) };
    waits();
    this.#asking ??= this.#ask(conn).finally(() => {
      this.#asking = undefined;
    });
    const answer = await Promise.race([this.#asking, aborted(left)]);
    const window = this.open;
    if (window !== undefined) return { window };
    return { refused: this.#refusal(answer === undefined ? 'you did not wait for the answer' : answerWords(answer)) };
  }

  /** Nobody is asked any more. Resolves once the transcript says what became of the last request. */
  async stop(): Promise<void> {
    this.#end.abort('disconnect');
    await this.#asking?.catch(() => undefined);
  }

  async #ask(conn: number): Promise<Answer> {
    const { recorder, windows, now, asker, reason } = this.#parts;
    const granted = new AbortController();
    const unlisten = windows.onBegin(({ access: name }) => {
      if (name === this.#name) granted.abort('cancel');
    });
    const request = this.#request(conn, this.#entry(conn));
    const signal = AbortSignal.any([granted.signal, this.#end.signal]);
    try {
      const answer = await askOrDeny(asker, request, signal);
      const { entry: of, ruling } = request;
      recorder.append(
        {
          k: 'verdict',
          ...{ of, decision: answer.decision, by: answer.by.kind, channel: answer.by.channel, name: answer.by.name },
          scope: answer.decision === 'allow' ? 'once' : undefined,
          ...{ rule: ruling.rule, shown: answer.previewDigest, waitedMs: now() - request.askedAt },
        },
        answer.decision === 'deny' && answer.reason ? { reason: answer.reason } : undefined,
      );
      if (answer.decision === 'abort') this.#parts.endSession();
      if (answer.decision !== 'allow') return answer;
      const channel = answer.by.channel ?? answer.by.kind;
      windows.open({ access: this.#name, of, channel, ...(reason === undefined ? {} : { reason }) });
      recorder.append({ k: 'outcome', of, how: 'done' });
      return answer;
    } finally {
      unlisten();
    }
  }

  #entry(conn: number): number {
    const { recorder, access, who } = this.#parts;
    const sql = connectionAsked(who.connection, access.forMs);
    const { decision } = access;
    return recorder.append(
      { k: 'statement', conn, protocol: 'connection', tx: 'I', decision, rule: this.#name },
      { sql },
    );
  }

  #request(conn: number, entry: number): ApprovalRequest {
    const { access, who, origin, now, patienceMs, reason } = this.#parts;
    const { forMs, decision, atEnd } = access;
    const askedAt = now();
    const then = atEnd === 'cancel' ? 'is cancelled' : 'may finish';
    return {
      ...who,
      id: `0-${++this.#requests}`,
      ...{ entry, connectionNumber: conn, askedAt, expiresAt: askedAt + patienceMs },
      sql: connectionAsked(who.connection, forMs),
      bindValues: [],
      facts: { statements: [] },
      ruling: {
        ...{ decision, origin, rule: this.#name, connects: { forMs } },
        reason: `${who.connection} is connected to on request only, and nobody has granted that.`,
      },
      transactionStatus: 'I',
      impact: {
        lines: [
          { label: 'afterwards', text: `what still runs ${then}, and every client is disconnected`, severity: 'info' },
          ...(reason === undefined ? [] : [{ label: 'reason', text: reason, severity: 'info' as const }]),
        ],
      },
    };
  }

  #refusal(why: string): ErrorText {
    const { who, access } = this.#parts;
    const whom = access.decision === 'ask' ? 'The person you work for is' : 'A second person is';
    return {
      severity: 'FATAL',
      code: '28000',
      message: `dbguard: ${who.connection} is connected to on request only, and ${why}`,
      hint:
        why === nobodySaidWhy
          ? 'Tell the person you work for what it is needed for: they begin a session with a reason (dbguard run --reason).'
          : `${whom} asked whenever somebody connects: tell the person you work for what it is needed for, then connect again.`,
    };
  }
}

const nobodySaidWhy = 'nobody has said why it is needed';

/** Words that follow "and". */
function answerWords(answer: Answer): string {
  if (answer.decision === 'allow') return 'its time is over';
  const reason = answer.decision === 'deny' && answer.reason ? `: ${answer.reason}` : '';
  switch (answer.by.kind) {
    case 'timeout':
      return `nobody has granted it yet${reason}`;
    case 'nobody':
      return `nobody could be asked${reason}`;
    case 'cancel':
    case 'disconnect':
      return 'nobody is asked any more';
    default:
      return `it was denied${reason}`;
  }
}

async function askOrDeny(asker: Asker, request: ApprovalRequest, signal: AbortSignal): Promise<Answer> {
  try {
    return await asker.ask(request, signal);
  } catch {
    return { decision: 'deny', by: { kind: 'nobody' }, reason: 'The approval prompt failed.' };
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}
