/**
 * Rows that UNION puts together of branches that need other masks, told apart by a column that is another constant in
 * each branch.
 *
 * What lives here: which column tells, and the rewriter of each branch. What it must not know: SQL, why a cell is masked.
 */
import type { Shape } from '../sql/lineage/shape.js';
import { cellAt } from './group-rows.js';
import type { CellMask } from './kinds/cell.js';
import { eachRow, type RowMask, RowRewriter, type TakeBytes } from './row-rewriter.js';

type Masks = readonly (CellMask | undefined)[];

export class UnionRows implements RowMask {
  readonly #column: number;
  readonly #branches: ReadonlyMap<string, RowRewriter>;
  /** For a row that says of no branch that it is of it. */
  readonly #any: RowRewriter;

  /** @param branches by the constant */
  constructor(column: number, branches: ReadonlyMap<string, Masks>, any: Masks) {
    this.#column = column;
    this.#branches = new Map([...branches].map(([value, masks]) => [value, new RowRewriter(masks)]));
    this.#any = new RowRewriter(any);
  }

  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    eachRow(bytes, start, end, (row, next) => {
      const cell = cellAt(bytes, row, next, this.#column);
      const branch = cell && this.#branches.get(cell.toString('latin1'));
      (branch ?? this.#any).rewrite(bytes, row, next, take);
    });
  }
}

/** The first column that is another constant in each branch; its values in their order. */
export function tellingColumn({
  branches = [],
  columns = [],
}: Pick<Shape, 'branches' | 'columns'>): { readonly column: number; readonly values: readonly string[] } | undefined {
  for (const column of columns.keys()) {
    const values = branches.flatMap((one) => one.columns?.[column]?.constant ?? []);
    if (values.length === branches.length && new Set(values).size === values.length && values.every(isSure))
      return { column, values };
  }
  return undefined;
}

/** Constants that mean the same under every setting of the session, in every encoding; a text is the same in both formats. */
function isSure(value: string): boolean {
  return /^[\w .:-]+$/.test(value);
}
