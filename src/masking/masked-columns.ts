import { isDeepStrictEqual } from 'node:util';
import { type Mask, stricterMask } from '../policy/mask-kinds.js';
/** Which columns of the database the declarations mean, partitions and children included. Pure. */
import { matchName } from '../policy/name-pattern.js';
import type { MaskDeclaration } from '../policy/read-mask.js';
import {
  anyColumn,
  type BaseColumn,
  baseColumn,
  type CatalogColumn,
  type CatalogRelation,
  type Flow,
  type LineageCatalog,
} from '../sql/lineage/catalog.js';
import type { DerivedColumns } from '../sql/lineage/derived.js';

export interface MaskedColumn {
  readonly mask: Mask;
  readonly column: CatalogColumn;
  readonly relation: CatalogRelation;
  /** What makes it of other masked columns; undefined where it is declared. */
  readonly by?: string;
}

/** Which columns are masked. */
export type MaskLookup = Pick<MaskedColumns, 'get' | 'in' | 'has'>;

export class MaskedColumns {
  readonly #columns = new Map<BaseColumn, MaskedColumn>();
  readonly #relations = new Set<number>();
  /** A trigger or rule sends masked values out of the database whenever a row is written: by NOTIFY, above all. */
  readonly exported: boolean;

  /** @param before what was masked earlier: a column that is renamed keeps its mask */
  constructor(
    declarations: readonly MaskDeclaration[],
    catalog: LineageCatalog,
    derived: DerivedColumns,
    before?: MaskedColumns,
  ) {
    for (const relation of catalog.relations()) {
      for (const column of relation.columns) {
        const declared = declarations
          .filter((one) => matchName(one.column, [relation.schema, relation.name, column.name]) === 'yes')
          .map((one) => one.mask);
        const mask = strictest([...declared, ...(before?.masksOf(relation.oid, column.number) ?? [])]);
        if (mask !== undefined) this.#add(relation, column, mask, catalog);
      }
    }
    this.#derive(derived, catalog);
    this.exported = derived.exported.some(({ flow }) => flow.has(anyColumn) || this.in(flow).length > 0);
  }

  /** In rounds, since a derived column may be what others are made of. Nothing of its own form is left to keep. */
  #derive({ columns }: DerivedColumns, catalog: LineageCatalog): void {
    for (let found = true; found; ) {
      found = false;
      for (const { into, flow, by } of columns) {
        if (this.#columns.has(into) || !(flow.has(anyColumn) || this.in(flow).length > 0)) continue;
        const [oid, number] = into.split('.').map(Number);
        const relation = catalog.byOid(oid ?? 0);
        const column = relation?.columns.find((one) => one.number === number);
        if (relation === undefined || column === undefined) continue;
        this.#add(relation, column, { kind: 'null' }, catalog, by);
        found = true;
      }
    }
  }

  /** The same but for columns that are lifted; what is derived from those stays masked. */
  without(isLifted: (schema: string, table: string, column: string) => boolean, catalog: LineageCatalog): MaskLookup {
    const lifted = new Set<BaseColumn>();
    const lift = (relation: CatalogRelation, name: string): void => {
      const column = relation.columns.find((one) => one.name === name);
      if (column !== undefined) lifted.add(baseColumn(relation.oid, column.number));
      for (const oid of relation.children) {
        const child = catalog.byOid(oid);
        if (child !== undefined) lift(child, name);
      }
    };
    for (const { relation, column } of this.#columns.values()) {
      if (isLifted(relation.schema, relation.name, column.name)) lift(relation, column.name);
    }
    const get = (column: BaseColumn): MaskedColumn | undefined => (lifted.has(column) ? undefined : this.get(column));
    return {
      get,
      in: (flow) => [...flow].flatMap((column) => (column === anyColumn ? [] : (get(column) ?? []))),
      has: (relation) => this.has(relation),
    };
  }

  /** Every masked column. */
  all(): Iterable<MaskedColumn> {
    return this.#columns.values();
  }

  masksOf(relation: number, column: number): Mask[] {
    const masked = this.#columns.get(baseColumn(relation, column));
    return masked ? [masked.mask] : [];
  }

  get(column: BaseColumn): MaskedColumn | undefined {
    return this.#columns.get(column);
  }

  /** The relation has a masked column. */
  has(relation: number): boolean {
    return this.#relations.has(relation);
  }

  in(flow: Flow): MaskedColumn[] {
    const found: MaskedColumn[] = [];
    for (const key of flow) {
      const masked = key === anyColumn ? undefined : this.#columns.get(key);
      if (masked !== undefined) found.push(masked);
    }
    return found;
  }

  #add(relation: CatalogRelation, column: CatalogColumn, mask: Mask, catalog: LineageCatalog, by?: string): void {
    const key = baseColumn(relation.oid, column.number);
    const before = this.#columns.get(key)?.mask;
    this.#columns.set(key, {
      mask: strictest(before ? [before, mask] : [mask]) ?? mask,
      column,
      relation,
      ...(by === undefined ? {} : { by }),
    });
    this.#relations.add(relation.oid);
    for (const oid of relation.children) {
      const child = catalog.byOid(oid);
      const same = child?.columns.find((one) => one.name === column.name);
      if (child !== undefined && same !== undefined) this.#add(child, same, mask, catalog, by);
    }
  }
}

function strictest(masks: readonly Mask[]): Mask | undefined {
  const [first, ...others] = masks;
  return others.reduce((a, b) => a && stricterMask(a, b), first);
}

export function sameMask(a: Mask, b: Mask): boolean {
  return isDeepStrictEqual(a, b);
}
