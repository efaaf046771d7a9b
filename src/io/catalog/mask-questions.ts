/**
 * What masks ask of the server's catalog about its relations.
 *
 * What lives here: the SQL. What it must not know: what becomes of the answers (catalog-relations.ts).
 */

/** Calls that hold no value. To look at all trees of the catalog takes a tenth of the time of printing them. */
const plainCalls = ['now', 'nextval', 'clock_timestamp', 'gen_random_uuid'];

/** That a tree is such a call as a whole, of nextval() also as the integer that it is cast to. */
const isPlainCall = (tree: string): string => `${tree}::text ~ (
  SELECT concat('^\\{FUNCEXPR :funcid (', string_agg(concat(before, oid), '|'), ') ')
    FROM pg_proc, (VALUES (''), ('\\d+ [^{}]*:funcformat 2 [^{}]*:args \\(\\{FUNCEXPR :funcid ')) cast_from(before)
   WHERE pronamespace = 'pg_catalog'::regnamespace AND proname IN (${plainCalls.map((name) => `'${name}'`).join(', ')}))`;

/** Condition on a column with an oid. */
type Wanted = (relation: string) => string;

const every: Wanted = () => 'true';

/**
 * With an empty search_path pg_get_viewdef() qualifies every name that is not of pg_catalog. The view's text is asked
 * for only once that setting is made: the CASE depends on it. What pg_class says of there being children, triggers and
 * rules may be out of date, but is never false where there are some. Tables of TOAST are not named: whatever reads them
 * is hidden.
 */
const relationsWhere = (wanted: Wanted): string => `
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relrowsecurity AS secured,
         CASE WHEN path.now = '' AND c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
              THEN pg_get_viewdef(c.oid) END AS definition,
         CASE WHEN c.relrowsecurity THEN (SELECT json_agg(DISTINCT jsonb_build_array(d.refobjid::int8, d.refobjsubid))
            FROM pg_policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
           WHERE p.polrelid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid) END AS looks_at,
         CASE WHEN c.relhassubclass THEN (SELECT json_agg(i.inhrelid::int8)
            FROM pg_inherits i WHERE i.inhparent = c.oid) END AS children,
         CASE WHEN c.relhastriggers THEN (
          SELECT json_agg(json_build_array(g.tgfoid::int8, encode(g.tgargs, 'escape'), g.tgtype & 66, g.tgoldtable, g.tgnewtable))
            FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal) END AS triggers,
         -- tgtype: 1 each row, 2 before, 4 insert, 16 update, 64 instead of
         CASE WHEN c.relhastriggers THEN (SELECT json_agg(DISTINCT g.tgtype & 20)
            FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgtype & 66 > 0) END AS rewriting,
         CASE WHEN c.relhasrules THEN (SELECT json_agg(CASE WHEN path.now = '' THEN pg_get_ruledef(w.oid) END)
            FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type <> '1') END AS rules
    FROM (SELECT set_config('search_path', '', true) AS now OFFSET 0) path,
         pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${wanted('c.oid')}`;

/** For each relation. A query of its own: 20,000 relations with a subquery for each take three times as long. */
const columnsWhere = (wanted: Wanted): string => `
  SELECT a.attrelid AS relation, json_agg(json_build_array(a.attname, a.attnum, a.atttypid::int8, t.typcategory = 'S',
           CASE WHEN a.attgenerated <> '' AND path.now = '' THEN pg_get_expr(e.adbin, e.adrelid) END,
           CASE WHEN a.attgenerated = '' AND path.now = '' AND (e.oid IS NULL AND t.typtype = 'd' OR NOT ${isPlainCall('e.adbin')})
                THEN substring(coalesce(pg_get_expr(e.adbin, e.adrelid), pg_get_expr(t.typdefaultbin, 0))
                               FROM '^(?!(?:nextval|now|gen_random_uuid|clock_timestamp|uuidv[47])\\().*\\(.*') END, f.refers)
           ORDER BY a.attnum) AS columns
    FROM (SELECT set_config('search_path', '', true) AS now OFFSET 0) path,
         pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
         LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
         LEFT JOIN (SELECT k.conrelid, pair.own, json_agg(json_build_array(k.confrelid::int8, pair.other)) AS refers
                      FROM pg_constraint k, unnest(k.conkey, k.confkey) pair(own, other) WHERE k.contype = 'f'
                     GROUP BY k.conrelid, pair.own) f ON f.conrelid = a.attrelid AND f.own = a.attnum
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND a.attnum > 0 AND NOT a.attisdropped AND ${wanted('a.attrelid')}
   GROUP BY a.attrelid`;

/** Functions in the policies, constraints, defaults and indexes of relations, also behind operators. */
const behindWhere = (wanted: Wanted): string => `
  SELECT relation::int8::text AS relation, json_agg(DISTINCT function::int8)::text AS functions
    FROM (SELECT coalesce(p.polrelid, k.conrelid, e.adrelid, i.indrelid) AS relation, coalesce(o.oprcode, d.refobjid) AS function
            FROM pg_depend d
            LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
            LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
            LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
            LEFT JOIN pg_attrdef e ON d.classid = 'pg_attrdef'::regclass AND e.oid = d.objid
            LEFT JOIN pg_index i ON d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid
           WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND d.refobjid >= 16384) one
   WHERE relation <> 0 AND ${wanted('relation')}
   GROUP BY relation`;

/** Expressions of the catalog in which values may stand, by relation: see `DefinedConstants`. */
const constantsWhere = (wanted: Wanted): string => `
  SELECT relation::int8::text AS relation, array_to_json(columns)::text AS columns, text, values::text AS values
    FROM (SELECT i.inhparent AS relation, p.partattrs::int2[] AS columns, pg_get_expr(c.relpartbound, c.oid) AS text, true AS values
            FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid JOIN pg_partitioned_table p ON p.partrelid = i.inhparent
           WHERE c.relispartition
          UNION ALL
          SELECT e.adrelid, ARRAY[e.adnum], pg_get_expr(e.adbin, e.adrelid), true
            FROM pg_attrdef e JOIN pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum AND a.attgenerated = ''
           WHERE NOT ${isPlainCall('e.adbin')}
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
   WHERE (values AND text !~ '^(nextval|now)\\(' OR text LIKE '%''%') AND ${wanted('relation')}`;

/** Comments and labels of columns that speak of masks. */
const tagsWhere = (wanted: Wanted): string => `
  SELECT d.objoid AS oid, d.objsubid AS number, 'comment' AS place, d.description AS text FROM pg_description d
   WHERE d.classoid = 'pg_class'::regclass AND d.objsubid > 0 AND d.description LIKE '%dbguard:mask=%' AND ${wanted('d.objoid')}
   UNION ALL
  SELECT l.objoid, l.objsubid, 'label', l.label FROM pg_seclabel l
   WHERE l.classoid = 'pg_class'::regclass AND l.objsubid > 0 AND l.label ~* '^\\s*masked\\s+with\\s' AND ${wanted('l.objoid')}`;

/** Whether there is any: a database without one needs no catalog where no file masks anything. */
export const anyTag = `SELECT EXISTS (${tagsWhere(every)}) AS tagged`;

const questions = {
  relations: relationsWhere,
  columns: columnsWhere,
  behind: behindWhere,
  constants: constantsWhere,
  tags: tagsWhere,
} as const;

export type RelationPart = keyof typeof questions;

/** Of everything, or of the relations in $1. */
export const relationQueries = (about: 'all' | 'some'): [part: RelationPart, sql: string][] =>
  (Object.keys(questions) as RelationPart[]).map((part) => [
    part,
    questions[part](about === 'all' ? every : (relation) => `${relation} = ANY($1::oid[])`),
  ]);
