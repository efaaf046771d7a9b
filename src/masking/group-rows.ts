/**
 * Rows of statistics that are shown where enough values stand behind them, row by row.
 * State: one rewriter for each set of columns that is hidden. Must not know SQL, nor why so many are enough.
 */
import { headerBytes } from '../wire/messages.js';
import type { CellMask, Format } from './kinds/cell.js';
import { eachRow, type RowMask, RowRewriter, type TakeBytes } from './row-rewriter.js';

/** A column, and the counts that must be reached for it to be shown. */
export interface GroupGuard {
  readonly at: number;
  readonly counts: readonly { readonly at: number; readonly format: Format; readonly least: number }[];
}

export class GroupRows implements RowMask {
  readonly #masks: readonly (CellMask | undefined)[];
  readonly #guards: readonly GroupGuard[];
  readonly #rewriters = new Map<string, RowRewriter>();

  /** @param masks of all columns; those of `guards` hide, and pass where the guard lets them */
  constructor(masks: readonly (CellMask | undefined)[], guards: readonly GroupGuard[]) {
    this.#masks = masks;
    this.#guards = guards;
  }

  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    eachRow(bytes, start, end, (row, next) => this.#rewriteOne(bytes, row, next, take));
  }

  #rewriteOne(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    const passing = this.#guards.filter(({ counts }) =>
      counts.every(({ at, format, least }) => countIn(cellAt(bytes, start, end, at), format) >= least),
    );
    this.#rewriter(passing).rewrite(bytes, start, end, take);
  }

  #rewriter(passing: readonly GroupGuard[]): RowRewriter {
    const shown = new Set(passing.map(({ at }) => at));
    const key = [...shown].join();
    const known = this.#rewriters.get(key);
    if (known !== undefined) return known;
    const rewriter = new RowRewriter(this.#masks.map((mask, at) => (shown.has(at) ? undefined : mask)));
    if (this.#rewriters.size < rewritersKept) this.#rewriters.set(key, rewriter);
    return rewriter;
  }
}

const rewritersKept = 100;

/** Undefined for NULL, and for a row that is not well-formed, which is reported when it is rewritten. */
export function cellAt(bytes: Buffer, start: number, end: number, column: number): Buffer | undefined {
  let read = start + headerBytes + 2;
  for (let at = 0; read + 4 <= end; at++) {
    const length = bytes.readInt32BE(read);
    const stop = read + 4 + Math.max(length, 0);
    if (stop > end) return undefined;
    if (at === column) return length < 0 ? undefined : bytes.subarray(read + 4, stop);
    read = stop;
  }
  return undefined;
}

/** A bigint, as count() gives it. */
function countIn(cell: Buffer | undefined, format: Format): number {
  if (cell === undefined) return 0;
  if (format === 'binary') return cell.length === 8 ? Number(cell.readBigInt64BE()) : 0;
  const text = cell.toString('latin1');
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
