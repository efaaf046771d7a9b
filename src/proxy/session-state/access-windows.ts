/**
 * Times for which a person lets statements run as a role: what an entry of `access` covers then runs without being asked
 * about one by one.
 *
 * What lives here: which times are open, what may be opened, when one is over. What it must not know: who may open one,
 * how a role is taken on.
 *
 * The role itself is never held: each statement takes it on and gives it back. What ends on time is the permission to.
 */
import type { AccessRule } from '../../policy/read-access.js';
import { durationWords } from '../../policy/units.js';
import type { Recorder } from '../../transcript/entry.js';

export interface AccessWindow {
  /** The number of its `window` entry. */
  readonly n: number;
  readonly access: string;
  readonly role: string;
  readonly leftMs: number;
  readonly reason?: string;
}

export interface Opening {
  readonly access: string;
  /** Default: as long as the entry allows. */
  readonly forMs?: number;
  readonly reason?: string | undefined;
  /** Where the person said so. */
  readonly channel: string;
  /** The statement with whose approval the person said so. */
  readonly of?: number;
}

export interface AccessWindowsParts {
  readonly rules: readonly AccessRule[];
  readonly recorder: Pick<Recorder, 'append'>;
  /**
   * In milliseconds, each. The one that has gone furthest counts: one stands still while the machine sleeps, another is set
   * back.
   */
  readonly clocks: readonly (() => number)[];
  /** Calls back again and again until stopped. */
  readonly every: (milliseconds: number, callback: () => void) => () => void;
}

interface Open extends Omit<AccessWindow, 'leftMs'> {
  readonly forMs: number;
  readonly began: readonly number[];
}

const lookMs = 1000;

export class AccessWindows {
  readonly #parts: AccessWindowsParts;
  readonly #open = new Map<string, Open>();
  readonly #listeners = new Set<(n: number) => void>();
  #stopLooking: (() => void) | undefined;

  constructor(parts: AccessWindowsParts) {
    this.#parts = parts;
  }

  /** Entries of `access` that a person may open for a time. */
  get rules(): readonly AccessRule[] {
    return this.#parts.rules.filter(({ forMs }) => forMs !== undefined);
  }

  /** Opened anew, the time before is over. The words of an obstacle follow "because". */
  open({ access, forMs, reason, channel, of }: Opening): AccessWindow | { readonly obstacle: string } {
    const rule = this.#parts.rules.find(({ name }) => name === access);
    const obstacle = windowObstacle(rule, forMs, reason);
    if (rule?.forMs === undefined || obstacle !== undefined)
      return { obstacle: obstacle ?? 'it is for one statement each time' };
    this.end(access);
    const { role } = rule;
    const time = forMs ?? rule.forMs;
    const n = this.#parts.recorder.append(
      { k: 'window', event: 'open', access, role, forMs: time, channel, of },
      reason === undefined ? undefined : { reason },
    );
    const began = this.#parts.clocks.map((clock) => clock());
    this.#open.set(access, { n, access, role, forMs: time, began, ...(reason === undefined ? {} : { reason }) });
    this.#stopLooking ??= this.#parts.every(lookMs, () => this.#look());
    return { n, access, role, leftMs: time, ...(reason === undefined ? {} : { reason }) };
  }

  /** Undefined where it is not open, or not any more. */
  of(access: string): AccessWindow | undefined {
    const open = this.#open.get(access);
    if (open === undefined) return undefined;
    const { forMs, began, ...window } = open;
    const gone = this.#parts.clocks.map((clock, at) => clock() - (began[at] ?? 0));
    const leftMs = forMs - Math.max(...gone);
    if (leftMs > 0) return { ...window, leftMs };
    this.#close(open, 'time');
    return undefined;
  }

  list(): AccessWindow[] {
    return [...this.#open.keys()].flatMap((access) => this.of(access) ?? []);
  }

  /** A person ends it before its time. False where there is nothing to end. */
  end(access: string): boolean {
    const open = this.of(access) && this.#open.get(access);
    if (open) this.#close(open, 'person');
    return open !== undefined;
  }

  /** Called with the number of each one that ends; returns the way to stop it. */
  onEnd(listener: (n: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A journal that takes no more entries ends the session elsewhere. */
  #look(): void {
    try {
      this.list();
    } catch {
      this.stop();
    }
  }

  stop(): void {
    this.#stopLooking?.();
    this.#stopLooking = undefined;
    this.#open.clear();
  }

  #close({ access, n }: Open, why: 'time' | 'person'): void {
    this.#open.delete(access);
    if (this.#open.size === 0) {
      this.#stopLooking?.();
      this.#stopLooking = undefined;
    }
    for (const listener of this.#listeners) listener(n);
    this.#parts.recorder.append({ k: 'window', event: 'end', of: n, why });
  }
}

function windowObstacle(
  rule: AccessRule | undefined,
  forMs: number | undefined,
  reason: string | undefined,
): string | undefined {
  if (rule === undefined) return 'the policy of this session has no entry of access by that name';
  if (rule.forMs === undefined) return `its entry has no "for": it is for one statement each time`;
  if (rule.decision === 'second-person') return 'it needs a second person each time';
  if (forMs !== undefined && forMs > rule.forMs) return `its entry allows no more than ${durationWords(rule.forMs)}`;
  if (rule.reasonRequired && (reason ?? '') === '') return 'it needs a reason';
  return undefined;
}
