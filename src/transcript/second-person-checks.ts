/**
 * A second person's approval as the entries tell it: a request, then verdicts about it, then the claim that uses them, of
 * one statement that waits.
 *
 * What lives here: how far each is. What it must not know: what the objects say, who signed them.
 */
import type { Entry } from './entry.js';

/** What has been said of one. */
interface Requested {
  readonly id: unknown;
  verdicts: number;
  claimed: boolean;
}

/** Whoever is at the terminal, now or before. */
const byTheFirst: ReadonlySet<unknown> = new Set(['person', 'earlier-approval']);

export class SecondPersonChecks {
  readonly #fail: (n: number, message: string) => void;
  /** By the statement that waits for it. */
  readonly #requests = new Map<unknown, Requested>();
  /** Which rule says that a statement needs one. */
  readonly #needs = new Map<unknown, unknown>();

  constructor(fail: (n: number, message: string) => void) {
    this.#fail = fail;
  }

  statement({ n, fields: { decision, rule } }: Entry): void {
    if (decision === 'second-person' && rule !== undefined) this.#needs.set(n, rule);
  }

  /** Of a statement that is being asked about. */
  approval({ n, fields }: Entry): void {
    const { of, id, object } = fields;
    const requested = this.#requests.get(of);
    const isNext = object === 'request' ? requested === undefined : requested?.id === id && !requested?.claimed;
    if (!isNext || id === undefined || !('envelope' in fields))
      this.#fail(n, `entry ${n} is a ${String(object)} that belongs to no request for statement ${of}`);
    else if (requested === undefined) this.#requests.set(of, { id, verdicts: 0, claimed: false });
    else if (object === 'verdict') requested.verdicts++;
    else requested.claimed = true;
  }

  /** A second person decides by what stands there, and the first one never in their place. */
  verdict({ n, fields: { of, decision, by, rule } }: Entry): void {
    const requested = this.#requests.get(of);
    const needs = this.#needs.get(of);
    this.settled(of);
    if (decision === 'allow' && byTheFirst.has(by) && needs !== undefined && needs === rule)
      this.#fail(n, `verdict ${n} lets statement ${of} through by ${String(by)}, and its rule demands a second person`);
    if (by !== 'second-person') return;
    const shown = decision === 'allow' ? requested?.claimed : (requested?.verdicts ?? 0) > 0;
    if (!shown) this.#fail(n, `verdict ${n} is by a second person, and nothing of theirs stands before it`);
  }

  /** It waits no more. */
  settled(of: unknown): void {
    this.#requests.delete(of);
    this.#needs.delete(of);
  }

  forget(): void {
    this.#requests.clear();
    this.#needs.clear();
  }
}
