/**
 * Rows that are masked by what they say of themselves: the key beside a value decides what becomes of it.
 * State: one rewriter for each set of keys that has come by. Must not know SQL, nor why a cell is masked.
 */
import { cellAt } from './group-rows.js';
import type { CellMask } from './kinds/cell.js';
import { eachRow, type RowMask, RowRewriter, type TakeBytes } from './row-rewriter.js';

type Masks = readonly (CellMask | undefined)[];

/** A column that is told of. */
export interface ToldColumn {
  readonly at: number;
  /** The columns that tell, in their order; a text where it is the same in every row; undefined where nothing tells. */
  readonly keys: readonly (number | string | undefined)[];
  readonly maskOf: (keys: readonly (string | undefined)[]) => CellMask | undefined;
}

/** Texts that are the same in every encoding. */
const plainText = /^[\x20-\x7e]*$/;
const rewritersKept = 1000;

export class ToldRows implements RowMask {
  readonly #any: Masks;
  readonly #told: readonly ToldColumn[];
  readonly #telling: readonly number[];
  readonly #rewriters = new Map<string, RowRewriter>();
  readonly #anything: RowRewriter;

  /** @param any the masks of a row whose keys say nothing */
  constructor(any: Masks, told: readonly ToldColumn[]) {
    this.#any = any;
    this.#told = told;
    this.#telling = [...new Set(told.flatMap(({ keys }) => keys.filter((one) => typeof one === 'number')))];
    this.#anything = new RowRewriter(any);
  }

  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    eachRow(bytes, start, end, (row, next) => this.#rewriter(bytes, row, next).rewrite(bytes, row, next, take));
  }

  #rewriter(bytes: Buffer, start: number, end: number): RowRewriter {
    const cells = new Map<number, string>();
    for (const at of this.#telling) {
      const text = cellAt(bytes, start, end, at)?.toString('latin1');
      if (text === undefined || !plainText.test(text)) return this.#anything;
      cells.set(at, text);
    }
    const key = [...cells.values()].join('\0');
    const known = this.#rewriters.get(key);
    if (known !== undefined) return known;
    const masks = [...this.#any];
    for (const { at, keys, maskOf } of this.#told) {
      masks[at] = maskOf(keys.map((one) => (typeof one === 'number' ? cells.get(one) : one)));
    }
    const rewriter = new RowRewriter(masks);
    if (this.#rewriters.size < rewritersKept) this.#rewriters.set(key, rewriter);
    return rewriter;
  }
}
