/**
 * What the runs of this user wait for, as `dbguard approvals`, `approve` and `deny` see it.
 *
 * What lives here: links to runs and the statements that wait there. What it must not know: how they are shown.
 */

import type { SettleResult, Verdict } from '../../approval/approvals.js';
import type { AskedMessage } from '../../approval/protocol.js';
import { DbguardError } from '../../errors.js';
import { connectRuns, type RunEvents, type RunLink, runSockets } from '../../io/approvals/socket-client.js';

export interface WaitingStatement {
  readonly link: RunLink;
  /** Another one after a dry run. */
  asked: AskedMessage;
}

const resultMs = 5000;

export class ApprovalLinks {
  readonly #dir: string;
  readonly #answerMs: number | undefined;
  readonly #known = new Set<string>();
  readonly #links = new Set<RunLink>();
  readonly #waiting: WaitingStatement[] = [];
  /** Who waits for the result of which statement: by link, since two runs may say that they are the same. */
  readonly #results = new Map<RunLink, Map<string, (result: SettleResult) => void>>();
  readonly #refusals: string[] = [];
  /** Told of each change; a settled one comes with who decided what. */
  onChange: (settled?: {
    readonly statement: WaitingStatement;
    readonly decision: string;
    readonly by: string;
  }) => void = () => undefined;

  /** @param answerMs how long a run may take to answer; by default as long as one that works may need */
  constructor(dir: string, answerMs?: number) {
    this.#dir = dir;
    this.#answerMs = answerMs;
  }

  get links(): ReadonlySet<RunLink> {
    return this.#links;
  }

  get waiting(): readonly WaitingStatement[] {
    return this.#waiting;
  }

  /** Links runs that are new. Throws DbguardError `denied` when runs are there and none would have us. */
  async refresh(follow: boolean): Promise<void> {
    const names = runSockets(this.#dir).filter((name) => !this.#known.has(name));
    for (const name of names) this.#known.add(name);
    const events: RunEvents = {
      message: (link, message) => {
        if (message.type === 'asked') this.#asked(link, message);
        else if (message.type === 'settled') this.#settled(link, message.id, message.decision, message.by);
        else if (message.type === 'result') this.#results.get(link)?.get(message.id)?.(message.result);
      },
      left: (link) => {
        this.#links.delete(link);
        this.#results.delete(link);
        for (const { asked } of this.#waiting.filter((one) => one.link === link)) {
          this.#settled(link, asked.id, 'deny', 'the end of the run');
        }
      },
    };
    const { links, refusals } = await connectRuns(this.#dir, names, events, this.#answerMs);
    for (const link of links) {
      this.#links.add(link);
      if (follow) link.send({ type: 'follow' });
    }
    this.#refusals.push(...refusals);
    if (this.#links.size === 0 && this.#refusals[0] !== undefined) {
      throw new DbguardError('denied', `dbguard run does not take answers from this process: ${this.#refusals[0]}`, {
        hint: 'An approval is for a person. Run this in a terminal of your own, outside the agent.',
      });
    }
  }

  /** The statement with this id, or `<first characters of the session>/<id>` where several runs have one. */
  find(id: string): WaitingStatement {
    const slash = id.indexOf('/');
    const [sid, own] = slash === -1 ? ['', id] : [id.slice(0, slash), id.slice(slash + 1)];
    const found = this.#waiting.filter(({ link, asked }) => asked.id === own && link.run.sid.startsWith(sid));
    const [statement, another] = found;
    if (!statement) {
      throw new DbguardError('approval-unknown', `no statement ${id} waits for approval`, {
        hint: 'It may have been answered, cancelled or timed out. "dbguard approvals" lists what waits.',
      });
    }
    if (another) {
      const ids = found.map(({ link, asked }) => `${link.run.sid.slice(0, 8)}/${asked.id}`);
      throw new DbguardError('approval-unknown', `several runs wait with ${id}`, {
        hint: `Name one: ${ids.join(', ')}`,
      });
    }
    return statement;
  }

  settle({ link, asked }: WaitingStatement, verdict: Verdict): Promise<SettleResult> {
    return new Promise((resolve) => {
      // what only looks like a run need not answer
      const timer = setTimeout(() => resolve('unknown'), resultMs);
      const results = this.#results.get(link) ?? new Map<string, (result: SettleResult) => void>();
      this.#results.set(link, results);
      results.set(asked.id, (result) => {
        clearTimeout(timer);
        resolve(result);
      });
      link.send({ type: 'settle', id: asked.id, digest: asked.digest, verdict });
    });
  }

  tryOut({ link, asked }: WaitingStatement): void {
    link.send({ type: 'try', id: asked.id });
  }

  busy({ link, asked }: WaitingStatement): void {
    link.send({ type: 'busy', id: asked.id });
  }

  close(): void {
    for (const link of this.#links) link.close();
  }

  #asked(link: RunLink, asked: AskedMessage): void {
    const known = this.#waiting.find((one) => one.link === link && one.asked.id === asked.id);
    if (known) known.asked = asked;
    else this.#waiting.push({ link, asked });
    this.onChange();
  }

  #settled(link: RunLink, id: string, decision: string, by: string): void {
    const index = this.#waiting.findIndex((one) => one.link === link && one.asked.id === id);
    const [statement] = index === -1 ? [] : this.#waiting.splice(index, 1);
    if (statement) this.onChange({ statement, decision, by });
  }
}
