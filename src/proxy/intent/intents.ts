/**
 * What the agents of a run have said they were asked for and are about to do, and which of it a statement comes from.
 *
 * What lives here: the last prompts and tool calls, their entries in the transcript, which client is which process. What it must
 * not know: how claims come in, what is decided. Nothing here has a part in any decision.
 */
import type { Recorder } from '../../transcript/entry.js';
import { type ClientProcess, processEntry } from '../client-process.js';
import type { Claim } from './claim.js';
import { type ClaimedCall, type Fit, type KnownProcess, knownProcess, plain, startedBy, underWay } from './fit.js';

/** What a statement is linked with. */
export interface Intent {
  /** Number of the `intent` entry. */
  readonly n: number;
  readonly fit: Fit;
  /** The person's prompt, as the agent says; without secrets. */
  readonly asked: string | undefined;
}

interface Prompt {
  readonly n: number;
  readonly text: string;
}

interface Call extends ClaimedCall {
  readonly n: number;
  readonly id: string | undefined;
  readonly prompt: Prompt | undefined;
}

/** Where a client's process was found, and what was found for it when as many claims were known. */
interface Client {
  process: KnownProcess | undefined;
  started: Call | undefined;
  known: number;
}

const mostSessions = 64;
const mostCalls = 256;
/** Entries of claims: at once, and one more each so many milliseconds. An agent in a loop must not fill the transcript. */
const burst = 200;
const everyMs = 250;

export class Intents {
  readonly #recorder: Recorder;
  readonly #now: () => number;
  /** The last prompt of each session, the last session last. */
  readonly #prompts = new Map<string, Prompt>();
  /** The newest first. */
  #calls: readonly Call[] = [];
  #claims = 0;
  readonly #clients = new Map<number, Client>();
  #allowance = burst;
  #allowedAt: number;
  #dropped = 0;

  /** @param now milliseconds since boot, as the start of a process is told */
  constructor(recorder: Recorder, now: () => number) {
    this.#recorder = recorder;
    this.#now = now;
    this.#allowedAt = now();
  }

  /** Records it; secrets have been taken out of what is said. False where there were too many lately: the next entry says how many. */
  claim(claim: Claim, by: ClientProcess | undefined): boolean {
    if (claim.event === 'end') {
      for (const call of this.#calls) if (sameCall(call, claim)) call.open = false;
      this.#claims++;
      return true;
    }
    if (!this.#mayRecord()) {
      this.#dropped++;
      return false;
    }
    const { said } = claim;
    const session = sessionOf(claim);
    const prompt = this.#prompts.get(session);
    const n = this.#record(claim, claim.event === 'tool' ? prompt?.n : undefined, said, by);
    this.#claims++;
    if (claim.event === 'prompt') this.#keepPrompt(session, { n, text: said });
    else this.#keepCall(claim, n, prompt);
    return true;
  }

  /** Somebody has said something: which process a client is, is worth waiting for. */
  get heard(): boolean {
    return this.#claims > 0;
  }

  connected(conn: number, process: ClientProcess): void {
    this.#clients.set(conn, { process: knownProcess(process), started: undefined, known: -1 });
  }

  left(conn: number): void {
    this.#clients.delete(conn);
  }

  /** What the statement that this client sends now comes from, as far as claims and processes tell. */
  of(conn: number, sql: string): Intent | undefined {
    if (this.#claims === 0) return undefined;
    const client = this.#clients.get(conn);
    const process = client?.process;
    if (client && process && client.known !== this.#claims) {
      client.started = startedBy(process, this.#calls);
      client.known = this.#claims;
    }
    if (client?.started) return intent(client.started, 'process');
    const found = underWay(process, this.#calls, sql);
    if (found) return intent(found.call, found.fit);
    return this.#lastPrompt(process?.agentSession);
  }

  /** Where no tool call fits: the last prompt of the process's session, or of the only one there is. */
  #lastPrompt(session: string | undefined): Intent | undefined {
    const prompts = [...this.#prompts].filter(([of]) => session === undefined || of === session || of === '');
    const [only, ...others] = prompts;
    if (only === undefined || others.length > 0) return undefined;
    const [of, { n, text }] = only;
    return { n, fit: session !== undefined && of === session ? 'session' : 'time', asked: text };
  }

  #record(claim: Claim, prompt: number | undefined, said: string, by: ClientProcess | undefined): number {
    const { event, agent, session, call, tool } = claim;
    const { pid, program, ancestors } = by ? processEntry(by).fields : {};
    const dropped = this.#dropped === 0 ? undefined : this.#dropped;
    this.#dropped = 0;
    return this.#recorder.append(
      { k: 'intent', event, agent, session, call, tool, prompt, dropped, pid, program, ancestors },
      { said },
    );
  }

  #keepPrompt(session: string, prompt: Prompt): void {
    // a person who speaks has heard of the calls before
    for (const call of this.#calls) if ((call.session ?? '') === session) call.open = false;
    this.#prompts.delete(session);
    this.#prompts.set(session, prompt);
    for (const [oldest] of this.#prompts) {
      if (this.#prompts.size <= mostSessions) return;
      this.#prompts.delete(oldest);
    }
  }

  #keepCall({ session, call, command, said }: Claim, n: number, prompt: Prompt | undefined): void {
    const words = command === undefined ? undefined : plain(command);
    const kept: Call = { n, id: call, session, command: words, given: said, prompt, at: this.#now(), open: true };
    this.#calls = [kept, ...this.#calls].slice(0, mostCalls);
  }

  #mayRecord(): boolean {
    const now = this.#now();
    const earned = Math.floor((now - this.#allowedAt) / everyMs);
    this.#allowance = Math.min(burst, this.#allowance + earned);
    this.#allowedAt += earned * everyMs;
    if (this.#allowance < 1) return false;
    this.#allowance--;
    return true;
  }
}

function sessionOf({ session }: Claim): string {
  return session ?? '';
}

function sameCall(call: Call, { session, call: id }: Claim): boolean {
  return call.session === session && (id === undefined || call.id === id);
}

function intent({ n, prompt }: Call, fit: Fit): Intent {
  return { n, fit, asked: prompt?.text };
}
