/**
 * Whether a fenced child may reach a host: on a list, remembered, or asked about once.
 *
 * What lives here: the decision and its entry in the transcript, one for each host and port. What it must not know: sockets, how a
 * person is asked.
 */
import { type HostEntry, type HostPort, isListed, isLocal } from '../../policy/hosts.js';
import type { Answer, ApprovalRequest, Asker } from '../../proxy/statement/asker.js';
import type { Recorder } from '../../transcript/entry.js';

export interface HostAdmissionParts {
  /** Each by the name that stands in the transcript. */
  readonly lists: readonly { readonly name: string; readonly entries: readonly HostEntry[] }[];
  /** Ports of this machine's own programs that are brought in. */
  readonly local: readonly number[];
  /** A guarded database: the one thing that is never reached but through dbguard. */
  closed(target: HostPort): boolean;
  /** What a person has allowed in earlier runs. */
  readonly remembered: { has(target: HostPort): boolean; add(target: HostPort): void };
  readonly recorder: Pick<Recorder, 'append'>;
  readonly asker: Pick<Asker, 'ask'>;
  readonly now: () => number;
  readonly patienceMs: number;
  readonly who: Pick<ApprovalRequest, 'sid' | 'agent' | 'subject' | 'connection' | 'database' | 'environment'>;
  /** Whoever was asked wants the session to end. */
  readonly endSession: () => void;
}

/** A child that asks for more at once has the rest refused: a person is no list of the internet. */
const asksMax = 3;
/** Entries of hosts that nobody approves end there; the refusals do not. */
const recordedMax = 1000;

const rule = 'sandbox:network';

export class HostAdmission {
  readonly #parts: HostAdmissionParts;
  readonly #known = new Map<string, Promise<string | undefined>>();
  readonly #end = new AbortController();
  #asking = 0;
  #asked = 0;

  constructor(parts: HostAdmissionParts) {
    this.#parts = parts;
  }

  /** Why not, in words for the agent; undefined where it may. */
  admit(target: HostPort): Promise<string | undefined> {
    const key = `${target.host}:${target.port}`;
    const known = this.#known.get(key);
    if (known) return known;
    if (this.#asking >= asksMax && this.#allowedBy(target) === undefined) {
      return Promise.resolve(refusal(target, 'other hosts are being asked about already; try again later'));
    }
    const decided = this.#decide(target);
    if (this.#known.size < recordedMax) this.#known.set(key, decided);
    return decided;
  }

  /** Nobody is asked any more. */
  stop(): void {
    this.#end.abort('disconnect');
  }

  async #decide(target: HostPort): Promise<string | undefined> {
    const { remembered } = this.#parts;
    // not every program keeps to NO_PROXY
    if (isLocal(target.host) && this.#parts.local.includes(target.port)) return undefined;
    if (isLocal(target.host)) return refusal(target, 'this machine’s own programs are not there');
    if (this.#parts.closed(target)) {
      this.#record(target, { decision: 'deny', by: 'rule', rule });
      return refusal(
        target,
        'the database is reached with PGHOST, PGPORT and DATABASE_URL as they are set, and no other way',
      );
    }
    const list = this.#allowedBy(target);
    if (list !== undefined) {
      this.#record(target, { decision: 'allow', by: list === '' ? 'earlier-approval' : 'rule', rule: list || rule });
      return undefined;
    }
    const { answer, waitedMs } = await this.#ask(target);
    const allowed = answer.decision === 'allow';
    const reason = answer.decision === 'deny' ? answer.reason : undefined;
    const { kind: by, channel, name } = answer.by;
    this.#record(target, { decision: allowed ? 'allow' : 'deny', by, channel, name, rule, waitedMs }, reason);
    if (answer.decision === 'abort') this.#parts.endSession();
    if (allowed) {
      remembered.add(target);
      return undefined;
    }
    // silence is no answer: the next try asks again
    if (by === 'timeout' || by === 'nobody') this.#known.delete(`${target.host}:${target.port}`);
    return refusal(target, whyNot(answer));
  }

  /** The name of the list; empty for what a person has allowed before. */
  #allowedBy(target: HostPort): string | undefined {
    const { lists, remembered, closed } = this.#parts;
    if (closed(target)) return undefined;
    return lists.find(({ entries }) => isListed(entries, target))?.name ?? (remembered.has(target) ? '' : undefined);
  }

  async #ask(target: HostPort): Promise<{ readonly answer: Answer; readonly waitedMs: number }> {
    const { asker, now, patienceMs, who } = this.#parts;
    const askedAt = now();
    const request: ApprovalRequest = {
      ...who,
      id: `n-${++this.#asked}`,
      ...{ entry: 0, connectionNumber: 0, askedAt, expiresAt: askedAt + patienceMs },
      // no SQL, so that no client's statement can be it
      sql: `reach ${target.host}:${target.port}`,
      bindValues: [],
      facts: { statements: [] },
      ruling: {
        ...{ decision: 'ask', rule, origin: 'the fence', reaches: target },
        reason:
          'A program in the fence wants to connect to a host that is on no list. What the agent knows can leave that way.',
      },
      transactionStatus: 'I',
      impact: {
        lines: [
          {
            label: 'allowed',
            text: 'it is remembered for this project; to allow it everywhere, list it in sandbox.hosts of your own dbguard.yaml',
            severity: 'info',
          },
        ],
      },
    };
    this.#asking++;
    try {
      return { answer: await asker.ask(request, this.#end.signal), waitedMs: now() - askedAt };
    } catch {
      return { answer: { decision: 'deny', by: { kind: 'nobody' } }, waitedMs: now() - askedAt };
    } finally {
      this.#asking--;
    }
  }

  #record(
    { host, port }: HostPort,
    fields: Readonly<Record<string, string | number | undefined>>,
    reason?: string,
  ): void {
    if (this.#known.size >= recordedMax) return;
    try {
      this.#parts.recorder.append({ k: 'network', host, port, ...fields }, reason ? { reason } : undefined);
    } catch {
      // a journal that takes no more ends the statements, too
    }
  }
}

function refusal({ host, port }: HostPort, why: string): string {
  return `dbguard: ${host}:${port} cannot be reached from here: ${why}`;
}

function whyNot(answer: Answer): string {
  const reason = answer.decision === 'deny' && answer.reason ? `: ${answer.reason}` : '';
  switch (answer.by.kind) {
    case 'timeout':
      return `nobody has allowed it yet${reason}. Tell the person you work for what it is needed for, then try again`;
    case 'nobody':
      // the reason speaks of a statement
      return 'nobody could be asked. Ask the person you work for to run "dbguard approvals" in another terminal, then try again';
    case 'cancel':
    case 'disconnect':
      return 'the run is at its end';
    default:
      return `the person you work for does not want it${reason}`;
  }
}
