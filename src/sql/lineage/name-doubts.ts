/**
 * What names mean while DDL is under way that says what it touches: all but those mean what they meant before.
 *
 * What lives here: the names, and which relations share their columns. What it must not know: statements, masks, when the
 * catalog is read again.
 */
import type { CatalogRelation, LineageCatalog } from './catalog.js';

/** What a statement may have done to the relations of a database; `all` where it does not say to which. */
export type ChangedNames = NamedChanges | 'all';

export interface NamedChanges {
  /** They may be others, or gone. */
  readonly names: readonly string[];
  /** They may have got more columns behind those that they had, and are what they were else. */
  readonly widened: readonly string[];
  /** All of `names` are new, and hold nothing but what is put into them: no code runs where they are read or written. */
  readonly plain?: boolean;
}

export const nothingChanged: NamedChanges = { names: [], widened: [], plain: true };

/** Stands for every name among those of `unreadNames`. */
export const everyName = '*';

/** Names over which code may run by now that the catalog did not say. */
export function unreadNames(changed: ChangedNames): readonly string[] {
  if (changed === 'all') return [everyName];
  return changed.plain ? [] : changed.names;
}

/** pg_attribute.attnum of no column: stands for those that a relation may have got since. */
export const laterColumn = 0;

export class NameDoubts {
  readonly #names = new Set<string>();
  readonly #widened = new Set<string>();
  #touched: { readonly others: ReadonlySet<number>; readonly widened: ReadonlySet<number> } | undefined;

  /** @returns whether it says something new */
  add({ names, widened }: NamedChanges): boolean {
    const before = this.#names.size + this.#widened.size;
    for (const name of names) this.#names.add(name);
    for (const name of widened) this.#widened.add(name);
    if (this.#names.size + this.#widened.size === before) return false;
    this.#touched = undefined;
    return true;
  }

  /** Other relations have become known. */
  reread(): void {
    this.#touched = undefined;
  }

  isKnown(name: string): boolean {
    return !this.#names.has(name);
  }

  /** The relation as it may be now; undefined where it may be another. */
  seen(relation: CatalogRelation, catalog: Pick<LineageCatalog, 'relations'>): CatalogRelation | undefined {
    this.#touched ??= {
      others: alike(this.#names, catalog),
      widened: alike(this.#widened, catalog),
    };
    const { others, widened } = this.#touched;
    if (!this.isKnown(relation.name) || others.has(relation.oid)) return undefined;
    if (!widened.has(relation.oid)) return relation;
    const later = { name: '', number: laterColumn, type: 0, textual: false };
    return { ...relation, columns: [...relation.columns, later] };
  }
}

/** Those of these names, with their partitions and children, and what they are parts and children of. */
function alike(names: ReadonlySet<string>, catalog: Pick<LineageCatalog, 'relations'>): ReadonlySet<number> {
  const found = new Set<number>();
  if (names.size === 0) return found;
  const related = new Map<number, number[]>();
  const relate = (one: number, other: number): void => {
    related.set(one, [...(related.get(one) ?? []), other]);
  };
  for (const { oid, name, children } of catalog.relations()) {
    if (names.has(name)) found.add(oid);
    for (const child of children) {
      relate(oid, child);
      relate(child, oid);
    }
  }
  // a Set is walked to its end, which moves
  for (const oid of found) for (const other of related.get(oid) ?? []) found.add(other);
  return found;
}

/** A relation that something refers to by its number, as it may be now. */
export function relationNow(oid: number, catalog: LineageCatalog): CatalogRelation | undefined {
  const relation = catalog.byOid(oid);
  if (relation === undefined || !catalog.isKnown(relation.name)) return undefined;
  return catalog.find(relation.schema, relation.name, []);
}
