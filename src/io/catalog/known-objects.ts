/**
 * Which relations and functions a database had when its catalog was read last: by number, by name, and by what they hang
 * on.
 *
 * What lives here: the list. What it must not know: how it is read, what the objects are.
 */
import type { Row } from './control-connection.js';

export interface KnownRelation {
  readonly schema: number;
  readonly name: string;
  /** pg_class.oid of the table of an index or a sequence, of the parents of a partition or a child. */
  readonly on: readonly number[];
  /** pg_class.oid of what its foreign keys refer to. */
  readonly refersTo: readonly number[];
}

export interface KnownFunction {
  readonly schema: number;
  readonly name: string;
}

export class ByOid<Known extends { readonly name: string }> {
  readonly #byOid = new Map<number, Known>();
  readonly #byName = new Map<string, number[]>();

  get size(): number {
    return this.#byOid.size;
  }

  get(oid: number): Known | undefined {
    return this.#byOid.get(oid);
  }

  values(): Iterable<Known> {
    return this.#byOid.values();
  }

  keys(): Iterable<number> {
    return this.#byOid.keys();
  }

  named(name: string): readonly number[] {
    return this.#byName.get(name) ?? nothing;
  }

  set(oid: number, known: Known): void {
    this.delete(oid);
    this.#byOid.set(oid, known);
    add(this.#byName, known.name, oid);
  }

  delete(oid: number): Known | undefined {
    const known = this.#byOid.get(oid);
    if (known === undefined) return undefined;
    this.#byOid.delete(oid);
    remove(this.#byName, known.name, oid);
    return known;
  }

  clear(): void {
    this.#byOid.clear();
    this.#byName.clear();
  }
}

export class KnownFunctions extends ByOid<KnownFunction> {}

export class KnownRelations extends ByOid<KnownRelation> {
  readonly #hanging = new Map<number, number[]>();

  /** What hangs on this one: indexes, sequences, partitions, children. */
  hangingOn(oid: number): readonly number[] {
    return this.#hanging.get(oid) ?? nothing;
  }

  override set(oid: number, known: KnownRelation): void {
    super.set(oid, known);
    for (const owner of known.on) add(this.#hanging, owner, oid);
  }

  override delete(oid: number): KnownRelation | undefined {
    const known = super.delete(oid);
    for (const owner of known?.on ?? nothing) remove(this.#hanging, owner, oid);
    return known;
  }

  override clear(): void {
    super.clear();
    this.#hanging.clear();
  }

  /** All that goes when these go, themselves among them. */
  withHanging(oids: Iterable<number>): Set<number> {
    const all = new Set(oids);
    // a Set is walked to its end, which moves
    for (const oid of all) for (const hanging of this.hangingOn(oid)) all.add(hanging);
    return all;
  }
}

const nothing: readonly number[] = [];

function add<Key>(map: Map<Key, number[]>, key: Key, oid: number): void {
  const oids = map.get(key);
  if (oids === undefined) map.set(key, [oid]);
  else if (!oids.includes(oid)) oids.push(oid);
}

function remove<Key>(map: Map<Key, number[]>, key: Key, oid: number): void {
  const left = map.get(key)?.filter((one) => one !== oid) ?? nothing;
  if (left.length === 0) map.delete(key);
  else map.set(key, [...left]);
}

/** Relations that names stand for. Those of TOAST go with their tables. */
export const relationKinds = `c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I', 'c') AND c.relnamespace <> 'pg_toast'::regnamespace`;
export const ownFunctions = `p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)`;

/** Columns of a relation `c` as `knownRelation` reads them. */
export const relationColumns = `c.oid::text AS oid, c.relnamespace::text AS schema, c.relname::text AS name,
    (SELECT string_agg(one.oid::text, ' ') FROM (
      SELECT i.indrelid AS oid FROM pg_index i WHERE i.indexrelid = c.oid AND c.relkind IN ('i', 'I')
      UNION ALL SELECT h.inhparent FROM pg_inherits h WHERE h.inhrelid = c.oid
      UNION ALL SELECT d.refobjid FROM pg_depend d WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
        AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) one) AS hangs_on,
    (SELECT string_agg(DISTINCT k.confrelid::text, ' ') FROM pg_constraint k
      WHERE k.conrelid = c.oid AND k.contype = 'f' AND c.relkind IN ('r', 'p')) AS refers_to`;
/** Columns of a function `p` as `knownFunction` reads them. */
export const functionColumns = `p.oid::text AS oid, p.pronamespace::text AS schema, p.proname::text AS name, NULL AS hangs_on, NULL AS refers_to`;

export function knownRelation(row: Row): [oid: number, known: KnownRelation] {
  const known = { schema: Number(row.schema), name: row.name ?? '', on: oidsOf(row.hangs_on) };
  return [Number(row.oid), { ...known, refersTo: oidsOf(row.refers_to) }];
}

export function knownFunction(row: Row): [oid: number, known: KnownFunction] {
  return [Number(row.oid), { schema: Number(row.schema), name: row.name ?? '' }];
}

function oidsOf(text: string | null | undefined): readonly number[] {
  return text ? text.split(' ').map(Number) : nothing;
}
