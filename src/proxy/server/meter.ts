import type { EntryBody } from '../../transcript/entry.js';
import { mostTags, rowsIn } from '../command-tag.js';
import type { PrivilegeRefusal } from './privilege-refusal.js';

/**
 * What one forwarded statement brought back, summed up while the bytes pass.
 * The command tags of a multi-statement string are kept up to a bound; the last one always.
 */
/**
 * What became of it. `lost`: the connection ended before the answer, and nobody here knows whether it ran. `undone`: it
 * ran, went beyond what its approver was shown or lacked a privilege in the middle of it, and was undone.
 */
export type Settled = 'done' | 'failed' | 'skipped' | 'lost' | 'undone';

export class Meter {
  /** The `statement` entry this belongs to. */
  readonly of: number;
  readonly #startedAt: number;
  readonly #tx: string;
  bytes = 0;
  masked: readonly string[] = [];
  /** Masked columns that the text asks something about. */
  inferred: readonly string[] = [];
  /** Columns that nobody declared, and what was found in them. */
  readonly detected: string[] = [];
  sqlstate: string | undefined;
  /** The server's, where it is for want of a privilege. */
  refusal: PrivilegeRefusal | undefined;
  /** It ran as this role, and not as whoever the session is. */
  role: string | undefined;
  #tags: string[] = [];
  #tagCount = 0;
  #rows = 0;

  /**
   * @param startedAt milliseconds of a monotonic clock
   * @param tx the transaction status before it
   */
  constructor(of: number, startedAt: number, tx: string) {
    this.of = of;
    this.#startedAt = startedAt;
    this.#tx = tx;
  }

  tag(tag: string): void {
    this.#tagCount++;
    this.#rows += rowsIn(tag) ?? 0;
    if (this.#tags.length < mostTags) this.#tags.push(tag);
    else this.#tags[mostTags - 1] = tag;
  }

  get tags(): readonly string[] {
    return this.#tags;
  }

  /** Rows that the command tags report: the last number of `INSERT 0 5`, `SELECT 7`, `COPY 3`. */
  get rows(): number {
    return this.#rows;
  }

  /** What a tag or the statement's own entry says is not said again. @param finishedAt milliseconds of the same clock as `startedAt` */
  outcome(how: Settled, finishedAt: number, tx: string): EntryBody {
    return this.#isPlain(tx) ? this.#plainOutcome(how, finishedAt) : this.#fullOutcome(how, finishedAt, tx);
  }

  /** One tag, and nothing but rows: of nearly all statements there is no more to say. */
  #isPlain(tx: string): boolean {
    return (
      this.#tagCount === 1 &&
      tx === this.#tx &&
      this.sqlstate === undefined &&
      this.role === undefined &&
      this.masked.length === 0 &&
      this.inferred.length === 0 &&
      this.detected.length === 0
    );
  }

  #plainOutcome(how: Settled, finishedAt: number): EntryBody {
    return {
      k: 'outcome',
      of: this.of,
      how,
      tag: this.#tags[0],
      bytes: this.bytes > 0 ? this.bytes : undefined,
      us: this.#microseconds(finishedAt),
    };
  }

  #microseconds(finishedAt: number): number {
    return Math.round((finishedAt - this.#startedAt) * 1000);
  }

  #fullOutcome(how: Settled, finishedAt: number, tx: string): EntryBody {
    return {
      k: 'outcome',
      of: this.of,
      how,
      tag: this.#tags.at(-1),
      tags: this.#tagCount > 1 ? this.#tagCount : undefined,
      rows: this.#tagCount > 1 ? this.rows : undefined,
      bytes: this.bytes > 0 ? this.bytes : undefined,
      us: this.#microseconds(finishedAt),
      sqlstate: this.sqlstate,
      role: this.role,
      masked: this.masked.length > 0 ? this.masked : undefined,
      inferred: this.inferred.length > 0 ? this.inferred : undefined,
      detected: this.detected.length > 0 ? this.detected : undefined,
      tx: tx === this.#tx ? undefined : tx,
    };
  }
}
