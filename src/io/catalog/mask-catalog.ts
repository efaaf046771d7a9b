/**
 * The server's catalog as lineage needs it: relations, columns, views' queries, inheritance.
 *
 * What lives here: the last copy, and whether it may still be believed. What it must not know: masks, statements.
 */
import { DbguardError } from '../../errors.js';
import type { CatalogChange } from '../../proxy/session-state/client-catalog.js';
import { type Objects, oidArray, type Question } from '../../sql/catalog/questions.js';
import type {
  CatalogCode,
  CatalogColumn,
  CatalogRelation,
  DefinedConstants,
  LineageCatalog,
  OwnCode,
  SearchPath,
} from '../../sql/lineage/catalog.js';
import { builtInsQuery, callersQuery, codeQuery, LoadedCode, someCodeQuery } from '../../sql/lineage/loaded-code.js';
import { NameDoubts } from '../../sql/lineage/name-doubts.js';
import type { Row } from './control-connection.js';
import type { AskCatalog, CatalogReader } from './keeper.js';

/**
 * With an empty search_path pg_get_viewdef() qualifies every name that is not of pg_catalog. The view's text is asked
 * for only once that setting is made: the CASE depends on it.
 */
const relationsWhere = (wanted: string): string => `
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
         (SELECT json_agg(json_build_array(g.tgfoid::int8, encode(g.tgargs, 'escape'), g.tgtype & 66, g.tgoldtable, g.tgnewtable))
            FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal) AS triggers,
         -- tgtype: 1 each row, 2 before, 4 insert, 16 update, 64 instead of
         (SELECT json_agg(DISTINCT g.tgtype & 20)
            FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgtype & 66 > 0) AS rewriting,
         (SELECT json_agg(CASE WHEN path.now = '' THEN pg_get_ruledef(w.oid) END)
            FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type <> '1') AS rules
    FROM (SELECT set_config('search_path', '', true) AS now OFFSET 0) path,
         pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 't', 'S') AND ${wanted}`;

/** Expressions of the catalog in which values may stand, by relation: see `DefinedConstants`. */
const constantsWhere = (wanted: string): string => `
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
          SELECT tgrelid, '{}', regexp_replace(pg_get_triggerdef(oid), ' EXECUTE .*', ''), false FROM pg_trigger WHERE tgqual IS NOT NULL
          UNION ALL
          SELECT indrelid, '{}', concat(pg_get_expr(indexprs, indrelid), ' ', pg_get_expr(indpred, indrelid)), false FROM pg_index
           WHERE indexprs IS NOT NULL OR indpred IS NOT NULL
          UNION ALL
          SELECT stxrelid, '{}', array_to_string(pg_get_statisticsobjdef_expressions(oid), ' '), false FROM pg_statistic_ext) one
   WHERE (values AND text !~ '^(nextval|now)\\(' OR text LIKE '%''%') AND ${wanted}`;

/** Comments and labels of columns that speak of masks. */
const tagsWhere = (wanted: string): string => `
  SELECT d.objoid AS oid, d.objsubid AS number, 'comment' AS place, d.description AS text FROM pg_description d
   WHERE d.classoid = 'pg_class'::regclass AND d.objsubid > 0 AND d.description LIKE '%dbguard:mask=%' AND d.objoid ${wanted}
   UNION ALL
  SELECT l.objoid, l.objsubid, 'label', l.label FROM pg_seclabel l
   WHERE l.classoid = 'pg_class'::regclass AND l.objsubid > 0 AND l.label ~* '^\\s*masked\\s+with\\s' AND l.objoid ${wanted}`;

/** Whether there is any: a database without one needs no catalog where no file masks anything. */
export const anyTag = `SELECT EXISTS (${tagsWhere('> 0')}) AS tagged`;

type Part = 'callers' | 'relations' | 'constants' | 'tags' | 'code' | 'built-ins';

const whole = { relations: relationsWhere('true'), constants: constantsWhere('true'), tags: tagsWhere('> 0') };
const some = {
  // with what they have in TOAST
  relations: relationsWhere(
    'c.oid = ANY($1::oid[] || ARRAY(SELECT o.reltoastrelid FROM pg_class o WHERE o.oid = ANY($1::oid[])))',
  ),
  constants: constantsWhere('relation = ANY($1::oid[])'),
  tags: tagsWhere('= ANY($1::oid[])'),
};

function partsOf(questions: Readonly<Partial<Record<Part, string>>>): [part: Part, sql: string][] {
  return Object.entries(questions) as [Part, string][];
}

const system: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema']);

const isTemporary = (schema: string): boolean => schema.startsWith('pg_temp');

type DoubtedBy = Pick<CatalogChange, 'code' | 'otherCode' | 'functions' | 'relations' | 'calls'>;

export class MaskCatalog implements LineageCatalog, CatalogReader {
  readonly ignoresTemporary = false;
  #byOid = new Map<number, CatalogRelation>();
  /** All of a name, in whatever schema. */
  #byName = new Map<string, CatalogRelation[]>();
  /** What functions, operators and casts there are, as read last. */
  #code: LoadedCode | undefined;
  #codeKnown = false;
  /** While code is not known: the functions that may be others than what was read; undefined: any code may be. */
  #others: Set<string> | undefined;
  #current = false;
  /** While the catalog is not current: which names may mean something else by now; undefined: any. */
  #doubts: NameDoubts | undefined;
  generation = 0;

  get current(): boolean {
    return this.#current;
  }

  doubt(change: DoubtedBy | undefined): void {
    const code = change?.code ?? true;
    const names = this.#doubtNames(change);
    // what was doubtful already gives no other answers now
    if (this.#current || names || (code && (this.#codeKnown || this.#others !== undefined))) this.generation++;
    this.#current = false;
    if (!code) return;
    const before = this.#codeKnown ? new Set<string>() : this.#others;
    this.#others = change?.otherCode === false && before ? new Set([...before, ...change.functions]) : undefined;
    this.#codeKnown = false;
  }

  /** @returns whether more names are in doubt than before */
  #doubtNames(change: DoubtedBy | undefined): boolean {
    if (this.#doubts === undefined) return false;
    // what runs may define anything
    const runs = change?.calls.some((name) => this.#code?.functions(undefined, name, undefined).length !== 0) ?? true;
    const fires = this.#code?.behind('made', 'event').length !== 0;
    if (change !== undefined && change.relations !== 'all' && !runs && !fires)
      return this.#doubts.add(change.relations);
    this.#doubts = undefined;
    return true;
  }

  /** What to ask about these objects, or about all that there are. */
  questions(objects?: Objects): Question[] {
    return this.#parts(objects).map(({ question }) => question);
  }

  /** The answers, in that order. */
  take(answers: readonly (readonly Row[])[], objects?: Objects): void {
    this.generation++;
    this.#doubts?.reread();
    const answered = new Map(this.#parts(objects).map(({ part }, at) => [part, answers[at] ?? []]));
    const rows = (part: Part): readonly Row[] => answered.get(part) ?? [];
    if (objects === undefined || this.#code === undefined) {
      this.#byOid.clear();
      this.#byName.clear();
      this.#code = LoadedCode.of(rows('code'), rows('callers'), rows('built-ins'));
    } else {
      for (const oid of objects.relations) this.#forget(oid);
      if (answered.has('code') || answered.has('callers'))
        this.#code = this.#code.with(rows('code'), answered.get('callers'), objects.functions);
    }
    const defined = constantsByRelation(rows('constants'));
    const tags = tagsByColumn(rows('tags'));
    for (const row of rows('relations')) this.#remember(relationOf(row, defined, tags));
  }

  #parts(objects: Objects | undefined): readonly { readonly part: Part; readonly question: Question }[] {
    const callers = { part: 'callers', question: { sql: callersQuery, values: [] } } as const;
    if (objects === undefined) {
      const all = { ...whole, code: codeQuery, 'built-ins': builtInsQuery };
      return [callers, ...partsOf(all).map(([part, sql]) => ({ part, question: { sql, values: [] } }))];
    }
    const about = (part: Part, sql: string, oids: ReadonlySet<number>) =>
      oids.size === 0 ? [] : [{ part, question: { sql, values: [oidArray(oids)], often: true } as const }];
    return [
      ...(objects.callers ? [callers] : []),
      ...partsOf(some).flatMap(([part, sql]) => about(part, sql, objects.relations)),
      ...about('code', someCodeQuery, objects.functions),
    ];
  }

  /** What was taken last is what the database has. */
  believe(): void {
    this.generation++;
    this.#current = true;
    this.#doubts = new NameDoubts();
    this.#codeKnown = true;
  }

  isKnown(name: string): boolean {
    return this.#current || this.#doubts?.isKnown(name) === true;
  }

  find(schema: string | undefined, name: string, searchPath: SearchPath): CatalogRelation | undefined {
    const relation = this.#find(schema, name, searchPath);
    if (relation === undefined || this.#current) return relation;
    return this.#doubts?.seen(relation, this);
  }

  #find(schema: string | undefined, name: string, searchPath: SearchPath): CatalogRelation | undefined {
    if (schema !== undefined)
      return isTemporary(schema) ? undefined : this.#byName.get(name)?.find((one) => one.schema === schema);
    const named = this.#byName.get(name) ?? [];
    // A temporary table comes first in every search_path, and whose it is cannot be told from here.
    if (named.some((one) => isTemporary(one.schema))) return undefined;
    if (searchPath === undefined) return named.length === 1 ? named[0] : undefined;
    const path = searchPath.includes('pg_catalog') ? searchPath : ['pg_catalog', ...searchPath];
    for (const schema of path) {
      const relation = named.find((one) => one.schema === schema);
      if (relation !== undefined) return relation;
    }
    return undefined;
  }

  isLasting(name: string): boolean {
    return this.#byName.get(name)?.some(({ schema }) => !isTemporary(schema)) ?? false;
  }

  functions(schema: string | undefined, name: string, searchPath: SearchPath): readonly CatalogCode[] | undefined {
    const known = this.#known;
    if (known !== undefined) return known.functions(schema, name, searchPath);
    return this.#isStillBuiltIn(name) ? [] : undefined;
  }

  /** The application has had no function of that name, and has got none since. */
  #isStillBuiltIn(name: string): boolean {
    const code = this.#code;
    if (code === undefined || this.#others === undefined || this.#others.has(name)) return false;
    return code.isBuiltIn(name) && code.functions(undefined, name, undefined).length === 0;
  }

  isBuiltIn(name: string): boolean {
    return this.#known?.isBuiltIn(name) ?? true;
  }

  codeBefore(kind: 'function' | OwnCode, name: string): readonly CatalogCode[] | undefined {
    if (kind !== 'function') return this.#code?.behind(kind, name);
    const own = this.#code?.functions(undefined, name, undefined);
    return own?.length === 0 && !this.#code?.isBuiltIn(name) ? undefined : own;
  }

  codeByOid(oid: number): CatalogCode | undefined {
    return this.#known?.byOid(oid);
  }

  behind(kind: OwnCode, name: string): readonly CatalogCode[] | undefined {
    if (this.#known !== undefined || this.#others === undefined) return this.#known?.behind(kind, name);
    // where nothing ran, a function that is another does not either
    const before = this.#code?.behind(kind, name);
    return before?.length === 0 ? before : undefined;
  }

  byOid(oid: number): CatalogRelation | undefined {
    return this.#byOid.get(oid);
  }

  *relations(): Iterable<CatalogRelation> {
    for (const relation of this.#byOid.values()) if (!system.has(relation.schema)) yield relation;
  }

  get #known(): LoadedCode | undefined {
    return this.#codeKnown ? this.#code : undefined;
  }

  #remember(relation: CatalogRelation): void {
    const { oid, name } = relation;
    this.#byOid.set(oid, relation);
    const named = this.#byName.get(name);
    if (named === undefined) this.#byName.set(name, [relation]);
    else named.push(relation);
  }

  #forget(oid: number): void {
    const relation = this.#byOid.get(oid);
    if (relation === undefined) return;
    for (const toast of this.#byName.get(`pg_toast_${oid}`) ?? []) this.#forget(toast.oid);
    this.#byOid.delete(oid);
    const left = this.#byName.get(relation.name)?.filter((one) => one !== relation) ?? [];
    if (left.length > 0) this.#byName.set(relation.name, left);
    else this.#byName.delete(relation.name);
  }
}

/** Throws DbguardError when the server does not answer. */
export async function readMaskCatalog(ask: AskCatalog, timeoutMs = 10_000): Promise<MaskCatalog> {
  const catalog = new MaskCatalog();
  try {
    catalog.take(await ask(catalog.questions(), timeoutMs));
  } catch (cause) {
    throw new DbguardError('upstream-unreachable', 'the catalog could not be read, so nothing can be masked', {
      hint: 'Masked columns need a login that may read pg_class and pg_attribute.',
      cause,
    });
  }
  catalog.believe();
  return catalog;
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

type TriggerRow = [called: number, given: string | null, type: number, old: string | null, new: string | null];

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
    triggerCalls: (JSON.parse(row.triggers ?? '[]') as TriggerRow[]).map(([called, given, type, ...tables]) => ({
      function: called,
      rewrites: type > 0,
      // each ends with a zero byte
      given: (given ?? '').split('\\000').slice(0, -1),
      transitionTables: tables.flatMap((name) => name ?? []),
    })),
    rewritten: new Set(
      (JSON.parse(row.rewriting ?? '[]') as number[]).flatMap((events) => [
        ...(events & 4 ? (['insert'] as const) : []),
        ...(events & 16 ? (['update'] as const) : []),
      ]),
    ),
    rules: row.rules !== null && row.rules !== undefined,
    ruleTexts: (JSON.parse(row.rules ?? '[]') as (string | null)[]).map((text) => text ?? ''),
  };
}

function taggedWith(tags: Tags | undefined): { readonly tags?: Tags } {
  return tags === undefined ? {} : { tags };
}
