/**
 * Names in one query level: the FROM items and the WITH queries, inside the levels around it.
 * Holds which columns of each relation the text touches. Knows nothing of effects or of the catalog.
 */
import type { CommonTableExpr, RangeVar } from 'libpg-query';
import type { CatalogRelations, ColumnKnowledge } from '../catalog/catalog-relations.js';
import type { RowList, Target } from '../facts.js';
import { as, type Node, names } from '../grammar/tree.js';

/** One FROM item, or the target of INSERT, UPDATE, DELETE, MERGE. */
export interface Source {
  /** The name by which this level refers to it; empty for a FROM item without one. */
  readonly alias: string;
  /** The relation, where it is one (not a subquery, a function or a WITH query). */
  readonly relation?: Target;
  /** The query behind a subselect or a WITH query. */
  readonly query?: Node;
  /** generate_series(): as many values as one likes. */
  readonly series?: boolean;
  /** unnest() of what somebody lists. */
  readonly list?: RowList;
  /** The target of a statement that writes. */
  readonly written?: boolean;
  /** Of the side of an outer join that may be missing: what its rows have to meet to be there. */
  readonly joinedOn: Node[];
  readonly columns: Set<string>;
  /** A star, a whole-row reference, or a reference we cannot place. */
  allColumns: boolean;
}

/** What holds for every level of a statement. */
export interface Surroundings {
  /** Parameters and variables of the body around it: they look like columns, and are the same for every row. */
  readonly variables: ReadonlySet<string>;
  readonly relations: CatalogRelations | undefined;
  /** See IntegerPlaces; absent where the text is not the client's own. */
  readonly integerAt?: ((location: number) => number | undefined) | undefined;
}

const nothingAround: Surroundings = { variables: new Set(), relations: undefined };

export class Scope {
  readonly parent: Scope | undefined;
  readonly #surroundings: Surroundings;
  readonly sources: Source[] = [];
  readonly #ctes = new Map<string, CommonTableExpr>();
  /** Columns that a condition fixes, for what is computed after the condition was applied. */
  readonly #fixed = new Map<string, string>();

  constructor(parent?: Scope, surroundings?: Surroundings) {
    this.parent = parent;
    this.#surroundings = surroundings ?? (parent === undefined ? nothingAround : parent.#surroundings);
  }

  isVariable(name: string): boolean {
    return this.#surroundings.variables.has(name);
  }

  /** Which of the text's integers the parser has found at `location`. */
  integerAt(location: number): number | undefined {
    return this.#surroundings.integerAt?.(location);
  }

  /** Something here is computed for any number of rows. */
  get hasRows(): boolean {
    const some = this.sources.some(({ relation, query, series }) => relation || query || series);
    return some || (this.parent?.hasRows ?? false);
  }

  /** What statistics and keys say of a column of `relation`; empty where nothing is known. */
  columnsOf(relation: Target, column: string): readonly ColumnKnowledge[] {
    return this.#surroundings.relations?.columns(relation, column) ?? [];
  }

  /** Columns that together are unique in `relation`, whichever of that name it is; empty where none is known. */
  keysOf(relation: Target): readonly (readonly string[])[] {
    return this.#surroundings.relations?.keys(relation) ?? [];
  }

  addCte(cte: CommonTableExpr): void {
    if (cte.ctename !== undefined) this.#ctes.set(cte.ctename, cte);
  }

  /** The WITH query that an unqualified relation name means here, if any: the innermost level wins. */
  cte(relation: RangeVar): CommonTableExpr | undefined {
    const name = relation.relname;
    if (relation.schemaname !== undefined || relation.catalogname !== undefined || name === undefined) return undefined;
    return this.#ctes.get(name) ?? this.parent?.cte(relation);
  }

  addSource(alias: string, what: Pick<Source, 'relation' | 'query' | 'series' | 'list' | 'written'> = {}): Source {
    const source: Source = { alias, ...what, joinedOn: [], columns: new Set(), allColumns: false };
    this.sources.push(source);
    return source;
  }

  /** The source that `alias.` refers to: the innermost level that has one. */
  find(alias: string): Source | undefined {
    return this.sources.find((source) => source.alias === alias) ?? this.parent?.find(alias);
  }

  fix(column: string, value: string): void {
    this.#fixed.set(column, value);
  }

  unfix(): void {
    this.#fixed.clear();
  }

  /** The one value that a column of this level can have here: `WHERE name = 'x'`. */
  fixedValue(column: Node | undefined): string | undefined {
    const path = names(as(column, 'ColumnRef')?.fields);
    return path.length === 1 ? this.#fixed.get(path[0] ?? '') : undefined;
  }

  /** Notes the columns that a ColumnRef touches. Without the catalog an unqualified name may belong to any level. */
  touch(fields: readonly Node[]): void {
    const last = fields.at(-1);
    const path = fields.map((field) => as(field, 'String')?.sval ?? '');
    const star = as(last, 'A_Star') !== undefined;
    if (fields.length === 1 && star) {
      for (const source of this.sources) source.allColumns = true;
    } else if (fields.length === 1) {
      this.#touchUnqualified(path[0] ?? '');
    } else {
      const source = this.find(path.at(-2) ?? '') ?? this.find(path[0] ?? '');
      if (source === undefined) return;
      if (star) source.allColumns = true;
      else source.columns.add((source.alias === path.at(-2) ? path.at(-1) : path[1]) ?? '');
    }
  }

  #touchUnqualified(name: string): void {
    for (const source of this.sources) {
      if (source.alias === name) source.allColumns = true;
      source.columns.add(name);
    }
    if (this.parent !== undefined) this.parent.#touchUnqualified(name);
  }
}

export function relationTarget(relation: RangeVar, type: Target['type'] = 'table'): Target {
  const name = relation.relname ?? '';
  return relation.schemaname === undefined ? { type, name } : { type, schema: relation.schemaname, name };
}

/** True when both may be the same relation: a missing schema matches any. */
export function mayBeSame(a: Target, b: Target): boolean {
  return a.name === b.name && (a.schema === undefined || b.schema === undefined || a.schema === b.schema);
}

export function withColumns(source: Source): Target | undefined {
  if (source.relation === undefined) return undefined;
  return source.allColumns ? source.relation : { ...source.relation, columns: [...source.columns] };
}
