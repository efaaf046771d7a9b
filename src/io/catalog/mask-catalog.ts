/**
 * The server's catalog as lineage needs it: relations, columns, views' queries, inheritance.
 *
 * What lives here: the last copy, and whether it may still be believed. What it must not know: masks, statements.
 */
import { DbguardError } from '../../errors.js';
import type { CatalogRelation, LineageCatalog, OwnCode, SearchPath } from '../../sql/lineage/catalog.js';
import type { Row } from './control-connection.js';

export type Ask = (sql: string, values: readonly (string | null)[], timeoutMs: number) => Promise<Row[]>;

/**
 * With an empty search_path pg_get_viewdef() qualifies every name that is not of pg_catalog. The view's text is asked
 * for only once that setting is made: the CASE depends on it.
 */
const question = `
  SELECT c.oid, n.nspname AS schema, c.relname AS name,
         CASE WHEN path.now = '' AND c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
              THEN pg_get_viewdef(c.oid) END AS definition,
         (SELECT json_agg(json_build_array(a.attname, a.attnum, a.atttypid::int8, t.typcategory = 'S') ORDER BY a.attnum)
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
         (SELECT json_agg(i.inhrelid::int8) FROM pg_inherits i WHERE i.inhparent = c.oid) AS children,
         EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal) AS triggers,
         EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type <> '1') AS rules
    FROM (SELECT set_config('search_path', '', true) AS now OFFSET 0) path,
         pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 't', 'S')`;

/** Extensions bring operators for their own types, and nothing that reads tables. */
const ownCodeQuestion = `
  SELECT own.kind, own.name
    FROM (SELECT 'function' AS kind, proname AS name, oid, 'pg_proc'::regclass AS class FROM pg_proc
           WHERE pronamespace <> 'pg_catalog'::regnamespace
          UNION ALL
          SELECT 'operator', oprname, oid, 'pg_operator'::regclass FROM pg_operator
           WHERE oprnamespace <> 'pg_catalog'::regnamespace
          UNION ALL
          SELECT 'cast', '', oid, 'pg_cast'::regclass FROM pg_cast WHERE castfunc >= 16384
          UNION ALL
          SELECT 'cast', t.typname, t.oid, 'pg_type'::regclass
            FROM pg_type t JOIN pg_constraint c ON c.contypid = t.oid
            JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_constraint'::regclass
             AND d.refclassid = 'pg_proc'::regclass) own
   WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = own.class AND d.objid = own.oid AND d.deptype = 'e')
     AND own.oid >= 16384
   GROUP BY 1, 2`;

const system: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema']);

export class MaskCatalog implements LineageCatalog {
  readonly #ask: Ask;
  readonly #timeoutMs: number;
  #byOid = new Map<number, CatalogRelation>();
  /** By schema and name; relations of temporary schemas by name alone. */
  #byName = new Map<string, CatalogRelation>();
  /** By name alone; undefined where several schemas have it. */
  #unique = new Map<string, CatalogRelation | undefined>();
  #temporary = new Set<string>();
  /** `kind name`; undefined while it is not known. */
  #ownCode: ReadonlySet<string> | undefined;
  #invalidated = 0;
  #codeInvalidated = 0;
  #loaded = -1;
  generation = 0;

  constructor(ask: Ask, timeoutMs = 10_000) {
    this.#ask = ask;
    this.#timeoutMs = timeoutMs;
  }

  get current(): boolean {
    return this.#loaded === this.#invalidated;
  }

  /**
   * DDL went through: nothing is believed until the next `refresh` that began later has ended.
   * @param code functions, operators or casts may be others now
   */
  invalidate(code: boolean): void {
    this.#invalidated++;
    this.generation++;
    if (!code) return;
    this.#codeInvalidated++;
    this.#ownCode = undefined;
  }

  /** Loads what the server has committed. Throws DbguardError when the server does not answer; then nothing is current. */
  async refresh(): Promise<void> {
    const asOf = this.#invalidated;
    const codeAsOf = this.#codeInvalidated;
    let rows: Row[];
    let ownCode: Row[];
    try {
      rows = await this.#ask(question, [], this.#timeoutMs);
      ownCode = await this.#ask(ownCodeQuestion, [], this.#timeoutMs);
    } catch (cause) {
      this.#loaded = -1;
      this.#ownCode = undefined;
      throw new DbguardError('upstream-unreachable', 'the catalog could not be read, so nothing can be masked', {
        hint: 'Masked columns need a login that may read pg_class and pg_attribute. Until then results are hidden.',
        cause,
      });
    }
    this.#take(rows.map(relationOf));
    if (codeAsOf === this.#codeInvalidated) this.#ownCode = new Set(ownCode.map(({ kind, name }) => `${kind} ${name}`));
    this.#loaded = asOf;
    this.generation++;
  }

  find(schema: string | undefined, name: string, searchPath: SearchPath): CatalogRelation | undefined {
    if (schema !== undefined) return schema.startsWith('pg_temp') ? undefined : this.#byName.get(`${schema}\0${name}`);
    // A temporary table comes first in every search_path, and whose it is cannot be told from here.
    if (this.#temporary.has(name)) return undefined;
    if (searchPath === undefined) return this.#unique.get(name);
    const path = searchPath.includes('pg_catalog') ? searchPath : ['pg_catalog', ...searchPath];
    for (const one of path) {
      const relation = this.#byName.get(`${one}\0${name}`);
      if (relation !== undefined) return relation;
    }
    return undefined;
  }

  replaces(kind: OwnCode, name: string): boolean {
    return this.#ownCode?.has(`${kind} ${name}`) ?? true;
  }

  byOid(oid: number): CatalogRelation | undefined {
    return this.#byOid.get(oid);
  }

  *relations(): Iterable<CatalogRelation> {
    for (const relation of this.#byOid.values()) if (!system.has(relation.schema)) yield relation;
  }

  #take(relations: readonly CatalogRelation[]): void {
    this.#byOid = new Map(relations.map((one) => [one.oid, one]));
    this.#byName = new Map(relations.map((one) => [`${one.schema}\0${one.name}`, one]));
    this.#unique = new Map();
    for (const one of relations) this.#unique.set(one.name, this.#unique.has(one.name) ? undefined : one);
    this.#temporary = new Set(relations.filter((one) => one.schema.startsWith('pg_temp')).map((one) => one.name));
  }
}

function relationOf(row: Row): CatalogRelation {
  const columns = JSON.parse(row.columns ?? '[]') as [string, number, number, boolean][];
  return {
    oid: Number(row.oid),
    schema: row.schema ?? '',
    name: row.name ?? '',
    columns: columns.map(([name, number, type, textual]) => ({ name, number, type, textual })),
    ...(row.definition === null || row.definition === undefined ? {} : { definition: row.definition }),
    children: JSON.parse(row.children ?? '[]') as number[],
    triggers: row.triggers === 't',
    rules: row.rules === 't',
  };
}
