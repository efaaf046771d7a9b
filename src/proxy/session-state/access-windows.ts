/**
 * Times for which a person lets statements run as a role, or clients connect at all: what an entry of `access` covers then
 * runs without being asked about one by one.
 *
 * What lives here: which times are open, what may be opened, when one is over. What it must not know: who may open one,
 * how a role is taken on.
 *
 * The role itself is never held: each statement takes it on and gives it back. What ends on time is the permission to.
 */
import type { AccessRule } from '../../policy/read-access.js';
import { durationWords } from '../../policy/units.js';
import type { Recorder } from '../../transcript/entry.js';

/** What can be had for a time: a role, or a connection. */
export interface TimedAccess extends Pick<AccessRule, 'name' | 'decision' | 'reasonRequired' | 'forMs'> {
  readonly role?: string;
  /** Its name in dbguard.yaml. */
  readonly connection?: string;
}

export interface AccessWindow {
  /** The number of its `window` entry. */
  readonly n: number;
  readonly access: string;
  readonly role?: string;
  readonly connection?: string;
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
  /** The statement with whose approval the person said so; of a connection, the one that asked for it. */
  readonly of?: number;
}

export interface AccessWindowsParts {
  readonly rules: readonly TimedAccess[];
  readonly recorder: Pick<Recorder, 'append'>;
  /**
   * In milliseconds, each. The one that has gone furthest counts: one stands still while the machine sleeps, another is set
   * back.
   */
  readonly clocks: readonly (() => number)[];
  /** Calls back again and again until stopped. */
  readonly every: (milliseconds: number, callback: () => void) => () => void;
}

type EndListener = (n: number, window: Omit<AccessWindow, 'leftMs'>) => void;

interface Open extends Omit<AccessWindow, 'leftMs'> {
  readonly forMs: number;
  readonly began: readonly number[];
}

const lookMs = 1000;

export class AccessWindows {
  readonly #parts: AccessWindowsParts;
  readonly #open = new Map<string, Open>();
  readonly #listeners = new Set<EndListener>();
  readonly #beginners = new Set<(window: AccessWindow) => void>();
  #stopLooking: (() => void) | undefined;

  constructor(parts: AccessWindowsParts) {
    this.#parts = parts;
  }

  /** What a person may open for a time. */
  get rules(): readonly TimedAccess[] {
    return this.#parts.rules.filter(({ forMs }) => forMs !== undefined);
  }

  /** Opened anew, the time before is over. The words of an obstacle follow "because". */
  open({ access, forMs, reason, channel, of }: Opening): AccessWindow | { readonly obstacle: string } {
    const rule = this.#parts.rules.find(({ name }) => name === access);
    const obstacle = windowObstacle(rule, forMs, reason, of);
    if (rule?.forMs === undefined || obstacle !== undefined)
      return { obstacle: obstacle ?? 'it is for one statement each time' };
    this.end(access);
    const time = forMs ?? rule.forMs;
    const what = rule.connection === undefined ? { access, role: rule.role } : { connection: rule.connection };
    const n = this.#parts.recorder.append(
      { k: 'window', event: 'open', ...what, forMs: time, channel, of },
      reason === undefined ? undefined : { reason },
    );
    const began = this.#parts.clocks.map((clock) => clock());
    const { role, connection } = rule;
    const opened = {
      ...{ n, access },
      ...(role === undefined ? {} : { role }),
      ...(connection === undefined ? {} : { connection }),
      ...(reason === undefined ? {} : { reason }),
    };
    this.#open.set(access, { ...opened, forMs: time, began });
    this.#stopLooking ??= this.#parts.every(lookMs, () => this.#look());
    const window = { ...opened, leftMs: time };
    for (const listener of this.#beginners) listener(window);
    return window;
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

  /** Called with each one that begins; returns the way to stop it. */
  onBegin(listener: (window: AccessWindow) => void): () => void {
    this.#beginners.add(listener);
    return () => this.#beginners.delete(listener);
  }

  /** Called with the number of each one that ends, and with what it was; returns the way to stop it. */
  onEnd(listener: EndListener): () => void {
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

  #close(open: Open, why: 'time' | 'person'): void {
    const { access, n } = open;
    this.#open.delete(access);
    if (this.#open.size === 0) {
      this.#stopLooking?.();
      this.#stopLooking = undefined;
    }
    for (const listener of this.#listeners) listener(n, open);
    this.#parts.recorder.append({ k: 'window', event: 'end', of: n, why });
  }
}

function windowObstacle(
  rule: TimedAccess | undefined,
  forMs: number | undefined,
  reason: string | undefined,
  of: number | undefined,
): string | undefined {
  if (rule === undefined) return 'the policy of this session has no entry of access by that name';
  if (rule.forMs === undefined) return `its entry has no "for": it is for one statement each time`;
  const isApproved = rule.connection !== undefined && of !== undefined;
  if (rule.decision === 'second-person' && !isApproved)
    return rule.connection === undefined
      ? 'it needs a second person each time'
      : 'a second person grants it: they are asked by the first client that connects';
  if (forMs !== undefined && forMs > rule.forMs) return `its entry allows no more than ${durationWords(rule.forMs)}`;
  if (rule.reasonRequired && (reason ?? '') === '') return 'it needs a reason';
  return undefined;
}
