/**
 * The server's catalog as lineage needs it: relations, columns, views' queries, inheritance.
 *
 * What lives here: the last copy, and whether it may still be believed. What it must not know: masks, statements.
 */
import { DbguardError } from '../../errors.js';
import type {
  CatalogCode,
  CatalogColumn,
  CatalogRelation,
  DefinedConstants,
  LineageCatalog,
  OwnCode,
  SearchPath,
} from '../../sql/lineage/catalog.js';
import { callersQuery, codeQuery, LoadedCode } from '../../sql/lineage/loaded-code.js';
import type { Row } from './control-connection.js';

export type Ask = (sql: string, values: readonly (string | null)[], timeoutMs: number) => Promise<Row[]>;

/**
 * With an empty search_path pg_get_viewdef() qualifies every name that is not of pg_catalog. The view's text is asked
 * for only once that setting is made: the CASE depends on it.
 */
const question = `
  WITH behind AS MATERIALIZED (
    SELECT coalesce(p.polrelid, k.conrelid, e.adrelid, i.indrelid) AS relation, d.refobjid AS function
      FROM pg_depend d
      LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
      LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
      LEFT JOIN pg_attrdef e ON d.classid = 'pg_attrdef'::regclass AND e.oid = d.objid
      LEFT JOIN pg_index i ON d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid
     WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid >= 16384)
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relrowsecurity AS secured,
         CASE WHEN path.now = '' AND c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
              THEN pg_get_viewdef(c.oid) END AS definition,
         (SELECT json_agg(json_build_array(a.attname, a.attnum, a.atttypid::int8, t.typcategory = 'S',
                 CASE WHEN a.attgenerated <> '' AND path.now = '' THEN pg_get_expr(e.adbin, e.adrelid) END,
                 CASE WHEN a.attgenerated = '' AND path.now = '' AND (e.oid IS NOT NULL OR t.typtype = 'd')
                      THEN substring(coalesce(pg_get_expr(e.adbin, e.adrelid), pg_get_expr(t.typdefaultbin, 0))
                                     FROM '^(?!(?:nextval|now|gen_random_uuid|clock_timestamp|uuidv[47])\\().*\\(.*') END)
                 ORDER BY a.attnum)
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
         (SELECT json_agg(DISTINCT b.function::int8) FROM behind b WHERE b.relation = c.oid) AS behind,
         (SELECT json_agg(DISTINCT jsonb_build_array(d.refobjid::int8, d.refobjsubid))
            FROM pg_policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
           WHERE p.polrelid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid
             AND c.relrowsecurity) AS looks_at,
         (SELECT json_agg(i.inhrelid::int8) FROM pg_inherits i WHERE i.inhparent = c.oid) AS children,
         (SELECT json_agg(json_build_array(g.tgfoid::int8, g.tgoldtable, g.tgnewtable))
            FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal) AS triggers,
         (SELECT json_agg(CASE WHEN path.now = '' THEN pg_get_ruledef(w.oid) END)
            FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type <> '1') AS rules
    FROM (SELECT set_config('search_path', '', true) AS now OFFSET 0) path,
         pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 't', 'S')`;

/** Expressions of the catalog in which values may stand, by relation: see `DefinedConstants`. */
const constantsQuestion = `
  SELECT relation::int8::text AS relation, array_to_json(columns)::text AS columns, text, values::text AS values
    FROM (SELECT i.inhparent AS relation, p.partattrs::int2[] AS columns, pg_get_expr(c.relpartbound, c.oid) AS text, true AS values
            FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid JOIN pg_partitioned_table p ON p.partrelid = i.inhparent
           WHERE c.relispartition
          UNION ALL
          SELECT e.adrelid, ARRAY[e.adnum], pg_get_expr(e.adbin, e.adrelid), true
            FROM pg_attrdef e JOIN pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum AND a.attgenerated = ''
          UNION ALL
          SELECT k.conrelid, k.conkey, pg_get_constraintdef(k.oid), false FROM pg_constraint k WHERE k.contype = 'c' AND k.conrelid <> 0
          UNION ALL
          SELECT polrelid, '{}', concat(pg_get_expr(polqual, polrelid), ' ', pg_get_expr(polwithcheck, polrelid)), false FROM pg_policy
          UNION ALL
          SELECT indrelid, '{}', concat(pg_get_expr(indexprs, indrelid), ' ', pg_get_expr(indpred, indrelid)), false FROM pg_index
           WHERE indexprs IS NOT NULL OR indpred IS NOT NULL
          UNION ALL
          SELECT stxrelid, '{}', array_to_string(pg_get_statisticsobjdef_expressions(oid), ' '), false FROM pg_statistic_ext) one
   WHERE values AND text !~ '^(nextval|now)\\(' OR text LIKE '%''%'`;
/** Comments and labels of columns that speak of masks. */
const tagsFrom = `
  SELECT d.objoid AS oid, d.objsubid AS number, 'comment' AS place, d.description AS text FROM pg_description d
   WHERE d.classoid = 'pg_class'::regclass AND d.objsubid > 0 AND d.description LIKE '%dbguard:mask=%'
   UNION ALL
  SELECT l.objoid, l.objsubid, 'label', l.label FROM pg_seclabel l
   WHERE l.classoid = 'pg_class'::regclass AND l.objsubid > 0 AND l.label ~* '^\\s*masked\\s+with\\s'`;

/** Whether there is any: a database without one needs no catalog where no file masks anything. */
export const anyTag = `SELECT EXISTS (${tagsFrom}) AS tagged`;

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
  /** Undefined while it is not known. */
  #code: LoadedCode | undefined;
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
    this.#code = undefined;
  }

  /** Loads what the server has committed. Throws DbguardError when the server does not answer; then nothing is current. */
  async refresh(): Promise<void> {
    const asOf = this.#invalidated;
    const codeAsOf = this.#codeInvalidated;
    let rows: Row[];
    let code: LoadedCode;
    let constants: Row[];
    let tags: ReadonlyMap<string, Tags>;
    try {
      rows = await this.#ask(question, [], this.#timeoutMs);
      tags = tagsByColumn(await this.#ask(tagsFrom, [], this.#timeoutMs));
      code = new LoadedCode(
        await this.#ask(codeQuery, [], this.#timeoutMs),
        await this.#ask(callersQuery, [], this.#timeoutMs),
      );
      constants = await this.#ask(constantsQuestion, [], this.#timeoutMs);
    } catch (cause) {
      this.#loaded = -1;
      this.#code = undefined;
      throw new DbguardError('upstream-unreachable', 'the catalog could not be read, so nothing can be masked', {
        hint: 'Masked columns need a login that may read pg_class and pg_attribute. Until then results are hidden.',
        cause,
      });
    }
    const defined = constantsByRelation(constants);
    this.#take(rows.map((row) => relationOf(row, defined, tags)));
    if (codeAsOf === this.#codeInvalidated) this.#code = code;
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

  functions(schema: string | undefined, name: string, searchPath: SearchPath): readonly CatalogCode[] | undefined {
    return this.#code?.functions(schema, name, searchPath);
  }

  isBuiltIn(name: string): boolean {
    return this.#code?.isBuiltIn(name) ?? true;
  }

  codeByOid(oid: number): CatalogCode | undefined {
    return this.#code?.byOid(oid);
  }

  behind(kind: OwnCode, name: string): readonly CatalogCode[] | undefined {
    return this.#code?.behind(kind, name);
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

type CatalogColumnRow = readonly [
  name: string,
  number: number,
  type: number,
  textual: boolean,
  generated: string | null,
  byDefault: string | null,
];

function constantsByRelation(rows: readonly Row[]): ReadonlyMap<string, readonly DefinedConstants[]> {
  const found = new Map<string, DefinedConstants[]>();
  for (const { relation, columns, text, values } of rows) {
    const list = found.get(relation ?? '') ?? [];
    found.set(relation ?? '', list);
    list.push({ columns: JSON.parse(columns ?? '[]') as number[], text: text ?? '', values: values === 'true' });
  }
  return found;
}

type Tags = NonNullable<CatalogColumn['tags']>;

function tagsByColumn(rows: readonly Row[]): Map<string, Tags> {
  const found = new Map<string, Tags>();
  for (const { oid, number, place, text } of rows) {
    const key = `${oid}.${number}`;
    found.set(key, [...(found.get(key) ?? []), { in: place === 'comment' ? 'comment' : 'label', text: text ?? '' }]);
  }
  return found;
}

function relationOf(
  row: Row,
  defined: ReadonlyMap<string, readonly DefinedConstants[]>,
  tags: ReadonlyMap<string, Tags>,
): CatalogRelation {
  const columns = JSON.parse(row.columns ?? '[]') as CatalogColumnRow[];
  return {
    oid: Number(row.oid),
    schema: row.schema ?? '',
    name: row.name ?? '',
    columns: columns.map(([name, number, type, textual, generated, byDefault]) => ({
      name,
      number,
      type,
      textual,
      ...(generated === null ? {} : { generated }),
      ...(byDefault === null ? {} : { byDefault }),
      ...taggedWith(tags.get(`${row.oid}.${number}`)),
    })),
    ...(row.definition === null || row.definition === undefined ? {} : { definition: row.definition }),
    children: JSON.parse(row.children ?? '[]') as number[],
    secured: row.secured === 't',
    policyReads: JSON.parse(row.looks_at ?? '[]') as [number, number][],
    constants: defined.get(row.oid ?? '') ?? [],
    behind: JSON.parse(row.behind ?? '[]') as number[],
    triggers: row.triggers !== null && row.triggers !== undefined,
    triggerCalls: (JSON.parse(row.triggers ?? '[]') as [number, string | null, string | null][]).map(
      ([called, ...tables]) => ({ function: called, transitionTables: tables.flatMap((name) => name ?? []) }),
    ),
    rules: row.rules !== null && row.rules !== undefined,
    ruleTexts: (JSON.parse(row.rules ?? '[]') as (string | null)[]).map((text) => text ?? ''),
  };
}

function taggedWith(tags: Tags | undefined): { readonly tags?: Tags } {
  return tags === undefined ? {} : { tags };
}
