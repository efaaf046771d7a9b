/**
 * Relations as lineage knows them: what is asked of the server's catalog, and how the answers are read.
 *
 * What must not live here: what was read last, and whether it may still be believed.
 */
import type { CatalogColumn, CatalogRelation, DefinedConstants } from '../../sql/lineage/catalog.js';
import type { Row } from './control-connection.js';

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

/** Of everything. */
export const whole = { relations: relationsWhere('true'), constants: constantsWhere('true'), tags: tagsWhere('> 0') };
/** Of the relations in $1. */
export const some = {
  // with what they have in TOAST
  relations: relationsWhere(
    'c.oid = ANY($1::oid[] || ARRAY(SELECT o.reltoastrelid FROM pg_class o WHERE o.oid = ANY($1::oid[])))',
  ),
  constants: constantsWhere('relation = ANY($1::oid[])'),
  tags: tagsWhere('= ANY($1::oid[])'),
};

/** From the answers to each of those questions. */
export function relationsOf(
  relations: readonly Row[],
  constants: readonly Row[],
  tagged: readonly Row[],
): readonly CatalogRelation[] {
  const defined = constantsByRelation(constants);
  const tags = tagsByColumn(tagged);
  return relations.map((row) => relationOf(row, defined, tags));
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
