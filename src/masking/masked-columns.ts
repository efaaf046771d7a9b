import { isDeepStrictEqual } from 'node:util';
import { type AggregatePolicy, aggregatesShown, stricterAggregates } from '../policy/mask-aggregates.js';
import { type Mask, revealedBy, stricterMask } from '../policy/mask-kinds.js';
import { maskOfTag } from '../policy/mask-tags.js';
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
import { isMeasured } from '../sql/lineage/measured.js';
import { columnOf, placeOf } from '../sql/lineage/places.js';
import { constantsIn } from './inside/sql-text.js';
import { isClean } from './kinds/json-places.js';

export interface MaskedColumn {
  readonly mask: Mask;
  /** What is shown that is not one of its values. */
  readonly aggregates: AggregatePolicy;
  readonly column: CatalogColumn;
  readonly relation: CatalogRelation;
  /** What makes it of other masked columns; undefined where it is declared. */
  readonly by?: string;
}

/** Which columns are masked. */
export type MaskLookup = Pick<MaskedColumns, 'get' | 'in' | 'of' | 'has' | 'constants'>;

export class MaskedColumns {
  readonly #columns = new Map<BaseColumn, MaskedColumn>();
  readonly #relations = new Set<number>();
  /** A trigger or rule sends masked values out of the database whenever a row is written: by NOTIFY, above all. */
  readonly exported: boolean;
  /** Comments or labels of the database mask some of them. */
  readonly tagged: boolean = false;

  /** What stands in definitions and may be a value of a masked column: in quotes, or a number. */
  readonly constants: ReadonlySet<string>;

  /** @param before what was masked earlier: a column that is renamed keeps its mask */
  constructor(
    declarations: readonly MaskDeclaration[],
    catalog: LineageCatalog,
    derived: DerivedColumns,
    before?: MaskedColumns,
  ) {
    for (const relation of catalog.relations()) {
      for (const column of relation.columns) {
        const declared = declaredBy(declarations, relation, column);
        const tagged = tagsOf(column);
        if (tagged.length > 0) this.tagged = true;
        const earlier = before?.hidingOf(relation.oid, column.number) ?? [];
        const hiding = strictest([...declared, ...tagged, ...earlier]);
        const by = declared.length === 0 && tagged.length > 0 ? 'a tag in the database' : undefined;
        if (hiding !== undefined) this.#add(relation, column, hiding, catalog, by);
      }
    }
    this.#derive(derived, catalog);
    const names = [...new Set([...this.#columns.values()].map(({ column }) => column.name))];
    this.constants = new Set([...catalog.relations()].flatMap((relation) => this.#constantsOf(relation, names)));
    this.exported = derived.exported.some(({ flow }) => flow.has(anyColumn) || this.in(flow).length > 0);
  }

  #constantsOf(relation: CatalogRelation, names: readonly string[]): string[] {
    const own = relation.columns.filter(({ number }) => this.#columns.has(baseColumn(relation.oid, number)));
    return (relation.constants ?? []).flatMap(({ columns, text, values }) => {
      // 0 stands for an expression in the key of a partitioned table
      const named = columns.length > 0 && !columns.includes(0);
      // a policy looks at other relations, too
      const about = named
        ? own.some(({ number }) => columns.includes(number))
        : (values && own.length > 0) || names.some((name) => text.includes(name));
      return about ? constantsIn(text, values) : [];
    });
  }

  /** In rounds, since a derived column may be what others are made of. Nothing of its own form is left to keep. */
  #derive({ columns }: DerivedColumns, catalog: LineageCatalog): void {
    for (let found = true; found; ) {
      found = this.#refer(catalog);
      for (const { into, flow, by } of columns) {
        if (this.#columns.has(into) || !(flow.has(anyColumn) || this.in(flow).length > 0)) continue;
        const [oid, number] = into.split('.').map(Number);
        const relation = catalog.byOid(oid ?? 0);
        const column = relation?.columns.find((one) => one.number === number);
        if (relation === undefined || column === undefined) continue;
        this.#add(relation, column, { mask: { kind: 'null' }, aggregates: 'hide' }, catalog, by);
        found = true;
      }
    }
  }

  /** A foreign key holds values of what it refers to, and is masked as that is. */
  #refer(catalog: LineageCatalog): boolean {
    let found = false;
    for (const relation of catalog.relations()) {
      for (const column of relation.columns) {
        if (column.refers === undefined || this.#columns.has(baseColumn(relation.oid, column.number))) continue;
        const hiding = strictest(column.refers.flatMap((one) => this.#columns.get(one) ?? []));
        if (hiding === undefined) continue;
        this.#add(
          relation,
          column,
          hiding,
          catalog,
          `the foreign key of ${relation.schema}.${relation.name}.${column.name}`,
        );
        found = true;
      }
    }
    return found;
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
    const { constants } = this;
    const has = (relation: number): boolean => this.has(relation);
    return { get, in: (flow) => hiddenIn(flow, get), of: (flow) => namedIn(flow, get), has, constants };
  }

  get isEmpty(): boolean {
    return this.#columns.size === 0;
  }

  /** Every masked column. */
  all(): Iterable<MaskedColumn> {
    return this.#columns.values();
  }

  hidingOf(relation: number, column: number): Hiding[] {
    const masked = this.#columns.get(baseColumn(relation, column));
    return masked ? [masked] : [];
  }

  get(column: BaseColumn): MaskedColumn | undefined {
    return this.#columns.get(column);
  }

  /** The relation has a masked column. */
  has(relation: number): boolean {
    return this.#relations.has(relation);
  }

  /** Of which a value flows in, or what is not to be seen either. */
  in(flow: Flow): MaskedColumn[] {
    return hiddenIn(flow, (column) => this.#columns.get(column));
  }

  /** Of which anything at all flows in. */
  of(flow: Flow): MaskedColumn[] {
    return namedIn(flow, (column) => this.#columns.get(column));
  }

  #add(relation: CatalogRelation, column: CatalogColumn, hiding: Hiding, catalog: LineageCatalog, by?: string): void {
    const key = baseColumn(relation.oid, column.number);
    const before = this.#columns.get(key);
    const { mask, aggregates } = strictest(before ? [before, hiding] : [hiding]) ?? hiding;
    this.#columns.set(key, {
      mask,
      aggregates,
      column,
      relation,
      ...(by === undefined ? {} : { by }),
    });
    this.#relations.add(relation.oid);
    for (const oid of relation.children) {
      const child = catalog.byOid(oid);
      const same = child?.columns.find((one) => one.name === column.name);
      if (child !== undefined && same !== undefined) this.#add(child, same, hiding, catalog, by);
    }
  }
}

function declaredBy(
  declarations: readonly MaskDeclaration[],
  { schema, name }: CatalogRelation,
  column: CatalogColumn,
): Hiding[] {
  return declarations
    .filter((one) => matchName(one.column, [schema, name, column.name]) === 'yes')
    .map(({ mask, aggregates = 'hide' }) => ({ mask, aggregates }));
}

/** What rules and tags say of the column by its name; undefined: nothing. */
export function declaredIn(
  relation: CatalogRelation,
  column: CatalogColumn,
  declarations: readonly MaskDeclaration[],
): Hiding | undefined {
  const declared = namesOf(relation).flatMap((name) =>
    namesOf(column).flatMap((own) => declaredBy(declarations, { ...relation, name }, { ...column, name: own })),
  );
  return strictest([...declared, ...tagsOf(column)]);
}

const namesOf = ({ name, formerly = [] }: Pick<CatalogColumn, 'name' | 'formerly'>): readonly string[] => [
  name,
  ...formerly,
];

/** The same with columns that no catalog has. */
export function alsoMasked(masked: MaskLookup, columns: ReadonlyMap<BaseColumn, MaskedColumn>): MaskLookup {
  const get = (column: BaseColumn): MaskedColumn | undefined => columns.get(column) ?? masked.get(column);
  const relations = new Set([...columns.values()].map(({ relation }) => relation.oid));
  return {
    get,
    in: (flow) => hiddenIn(flow, get),
    of: (flow) => namedIn(flow, get),
    has: (relation) => relations.has(relation) || masked.has(relation),
    constants: masked.constants,
  };
}

function tagsOf({ tags = [] }: CatalogColumn): Hiding[] {
  return tags.flatMap((tag) => {
    const found = maskOfTag(tag);
    return found === undefined ? [] : { mask: found.mask, aggregates: found.aggregates ?? 'hide' };
  });
}

type Hiding = Pick<MaskedColumn, 'mask' | 'aggregates'>;

function strictest(all: readonly Hiding[]): Hiding | undefined {
  const [first, ...others] = all;
  return others.reduce(
    (a, b) => a && { mask: stricterMask(a.mask, b.mask), aggregates: stricterAggregates(a.aggregates, b.aggregates) },
    first,
  );
}

type Get = (column: BaseColumn) => MaskedColumn | undefined;

function hiddenIn(flow: Flow, get: Get): MaskedColumn[] {
  const found: MaskedColumn[] = [];
  for (const key of flow) {
    const masked = key === anyColumn ? undefined : get(columnOf(key));
    if (masked !== undefined && !isShown(masked, key)) found.push(masked);
  }
  return found;
}

/** What has a part in the value is not hidden, although something of its column is. */
function isShown({ mask, aggregates }: MaskedColumn, part: BaseColumn): boolean {
  if (aggregates === 'allow' && isMeasured(part)) return true;
  const place = placeOf(part);
  return place !== undefined && mask.kind === 'json' && isClean(mask.paths, mask.listed, place);
}

function namedIn(flow: Flow, get: Get): MaskedColumn[] {
  return [...new Set([...flow].map(columnOf))].flatMap((column) => get(column) ?? []);
}

/** What is left of the column, for people. */
export function shownOf({ mask, aggregates }: Hiding): string {
  return [revealedBy(mask), aggregatesShown(aggregates)].filter(Boolean).join('; ');
}

export function sameMask(a: Mask, b: Mask): boolean {
  return isDeepStrictEqual(a, b);
}
