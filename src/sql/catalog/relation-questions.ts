/**
 * What is asked about the relations of a database: about all of them once, and then about those that have changed.
 *
 * What lives here: the SQL. What it must not know: what becomes of the answers (loaded-relations.ts).
 */
import { type Objects, oidArray, type Question } from './questions.js';

/** Of columns whose values have more rows than this nothing is remembered. */
const fewRows = 1000;

/** Functions of column defaults and CHECK constraints run like triggers. Asked under an empty search_path, so that every name in a definition has its schema. An extension's views are its own affair. */
const hidden = ({ relation }: Wanted): string => `
  SELECT 'view' AS kind, c.oid::text AS oid, n.nspname::text AS schema, c.relname::text AS name, pg_get_viewdef(c.oid) AS sql,
    NULL AS events, NULL AS function_schema, NULL AS function_name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') AND ${relation('c.oid')}
  UNION ALL
  SELECT 'rule', c.oid::text, n.nspname, c.relname, pg_get_ruledef(r.oid), r.ev_type::text, NULL, NULL
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE r.ev_type <> '1' AND r.ev_enabled <> 'D' AND c.oid >= 16384 AND ${relation('c.oid')}
  UNION ALL
  SELECT 'trigger', c.oid::text, n.nspname, c.relname, NULL, g.tgtype::text, fn.nspname, f.proname
  FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc f ON f.oid = g.tgfoid JOIN pg_namespace fn ON fn.oid = f.pronamespace
  WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND f.oid >= 16384 AND ${relation('c.oid')}
  UNION ALL
  SELECT 'trigger', c.oid::text, n.nspname, c.relname, NULL, calls.events, fn.nspname, f.proname
  FROM (
    SELECT ad.adrelid AS relid, '4' AS events, d.refobjid AS function
    FROM pg_attrdef ad JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = ad.oid
    WHERE d.refclassid = 'pg_proc'::regclass AND ${relation('ad.adrelid')}
    UNION
    SELECT k.conrelid, '20', d.refobjid
    FROM pg_constraint k JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
    WHERE d.refclassid = 'pg_proc'::regclass AND k.contype = 'c' AND k.conrelid <> 0
      AND ${relation('k.conrelid')}
  ) calls
  JOIN pg_class c ON c.oid = calls.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc f ON f.oid = calls.function JOIN pg_namespace fn ON fn.oid = f.pronamespace
  WHERE f.oid >= 16384`;

/** Columns that really have NULLs, columns of which no value has many rows, and columns that the server counts up. */
const columns = ({ relation, statistics }: Wanted): string => `
  WITH tables AS MATERIALIZED (
    SELECT c.oid, n.nspname, c.relname, c.reltuples FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND ${relation('c.oid')})
  SELECT t.oid::text AS oid, t.nspname::text AS schema, t.relname::text AS name, s.attname::text AS column,
    'false' AS counted, s.null_frac::text AS null_fraction, v.rows::text AS rows_per_value,
    CASE WHEN k.key THEN (s.histogram_bounds::text::text[])[1] END AS lowest,
    CASE WHEN k.key THEN (s.histogram_bounds::text::text[])[array_upper(s.histogram_bounds::text::text[], 1)] END AS highest
  FROM ${statistics}
  CROSS JOIN LATERAL (
    -- without a list of common values all of them are about as common
    SELECT CASE WHEN t.reltuples > 0 AND s.n_distinct <> 0 THEN ceil(t.reltuples * greatest(s.most_common_freqs[1],
      1 / NULLIF(CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * t.reltuples ELSE s.n_distinct END, 0))) END) v(rows)
  CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = s.attname AND (a.attidentity <> '' OR EXISTS (
      SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL
        AND i.indkey[0] = a.attnum)))) k(key)
  -- a join to one side is made row by row where the server has not counted its catalog yet: a second for 20,000 tables
  WHERE coalesce(t.oid, 0) > 0 AND NOT coalesce(s.inherited, true) AND (s.null_frac > 0 OR v.rows <= ${fewRows} OR k.key)
  UNION ALL
  SELECT t.oid::text, t.nspname, t.relname, a.attname, 'true', NULL, NULL, NULL, NULL
  FROM pg_attribute a JOIN tables t ON t.oid = a.attrelid
  WHERE a.attidentity <> '' AND a.attnum > 0 AND NOT a.attisdropped AND ${relation('a.attrelid')}`;

/**
 * All that an unqualified name could mean beside a temporary table, with the unique indexes of what has rows. Tables of
 * TOAST have a schema of their own.
 */
const relations = ({ relation }: Wanted): string => `
  SELECT c.oid::text AS oid, n.nspname::text AS schema, c.relname::text AS name,
    (c.relpersistence <> 't')::text AS permanent, (c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384)::text AS rows,
    -- what tells rows apart: not those that inherit, not until it is built, not while it is put off
    (i.indimmediate AND i.indisvalid AND (c.relkind = 'p' OR NOT c.relhassubclass))::text AS tells,
    -- most have one column, and 20,000 of them take half the time without the sorting
    CASE WHEN i.indnkeyatts = 1 THEN json_build_array(one.attname)::text ELSE (
      SELECT json_agg(a.attname ORDER BY k.place)::text
      FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(number, place)
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number) END AS columns
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL AND c.oid >= 16384
    AND NOT 0 = ANY (i.indkey[0:i.indnkeyatts - 1])
  LEFT JOIN LATERAL (SELECT a.attname FROM pg_attribute a
    WHERE i.indnkeyatts = 1 AND a.attrelid = c.oid AND a.attnum = i.indkey[0] OFFSET 0) one ON true
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND c.relnamespace <> 'pg_toast'::regnamespace
    AND ${relation('c.oid')}`;

/** What foreign keys with an action refer to: a row that goes or changes there takes others along. */
const references = ({ referred }: Wanted): string => `
  SELECT c.oid::text AS oid, n.nspname::text AS schema, c.relname::text AS name,
    (f.confdeltype IN ('c', 'n', 'd'))::text AS deletes,
    CASE WHEN f.confupdtype IN ('c', 'n', 'd') THEN (SELECT json_agg(a.attname)::text
      FROM pg_attribute a WHERE a.attrelid = f.confrelid AND a.attnum = ANY (f.confkey)) END AS updates
  FROM pg_constraint f
  JOIN pg_class c ON c.oid = f.confrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE f.contype = 'f' AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
    AND c.relpersistence <> 't' AND ${referred('f')}`;

/** What a tree of the catalog says of a call of current_setting: to print all trees as text takes 20 times as long. */
const mayReadSetting = (tree: string): string => `${tree}::text LIKE ANY (ARRAY(
      SELECT '%:funcid ' || oid || ' %' FROM pg_proc WHERE proname = 'current_setting'))`;

/**
 * Settings that an application has made up and that code of the database reads: what a policy lets through depends on
 * them. Names that are computed are not found.
 */
const decisiveSettings = ({ relation, function: code }: Wanted): string => `
  SELECT DISTINCT lower(found[1]) AS name, code.of, code.oid::text AS oid
  FROM (
    SELECT 'relation', polrelid, concat_ws(' ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
      FROM pg_policy WHERE ${relation('polrelid')}
    UNION ALL SELECT 'relation', c.oid, pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid AND r.ev_type = '1'
      WHERE c.relkind IN ('v', 'm') AND c.oid >= 16384 AND ${relation('c.oid')} AND ${mayReadSetting('r.ev_action')}
    UNION ALL SELECT 'function', oid, prosrc FROM pg_proc WHERE oid >= 16384 AND ${code('oid')}
    UNION ALL SELECT 'function', oid, pg_get_function_sqlbody(oid) FROM pg_proc
      WHERE oid >= 16384 AND prosqlbody IS NOT NULL AND ${code('oid')}
    UNION ALL SELECT 'relation', adrelid, pg_get_expr(adbin, adrelid) FROM pg_attrdef
      WHERE ${relation('adrelid')} AND ${mayReadSetting('adbin')}
    -- those of domains go with no relation, so that they are always read
    UNION ALL SELECT 'relation', conrelid, pg_get_expr(conbin, conrelid) FROM pg_constraint
      WHERE contype = 'c' AND ${relation('conrelid', '0')} AND ${mayReadSetting('conbin')}
    UNION ALL SELECT 'relation', ev_class, pg_get_ruledef(oid) FROM pg_rewrite
      WHERE ev_type <> '1' AND oid >= 16384 AND ${relation('ev_class')}
  ) code(of, oid, text)
  CROSS JOIN LATERAL regexp_matches(code.text, 'current_setting\\s*\\(\\s*''([^'']+\\.[^'']+)''', 'gi') found`;

/** Conditions on columns with oids. */
interface Wanted {
  /** @param also one more oid, which is always wanted */
  readonly relation: (oid: string, also?: string) => string;
  readonly function: (oid: string) => string;
  /** @param constraint a foreign key: of what it refers to */
  readonly referred: (constraint: string) => string;
  /** Statistics `s` of the columns of `tables`, as `t`. */
  readonly statistics: string;
}

const every: Wanted = {
  relation: () => 'true',
  function: () => 'true',
  referred: () => 'true',
  statistics: 'tables t FULL JOIN pg_stats s ON s.schemaname = t.nspname AND s.tablename = t.relname',
};
/** In $1, or of functions in $2: arrays of oids. */
const some: Wanted = {
  relation: (oid, also) => `${oid} = ANY($1::oid[]${also === undefined ? '' : ` || ${also}::oid`})`,
  function: (oid) => `${oid} = ANY($2::oid[])`,
  // pg_constraint has no index by confrelid
  referred: (constraint) => `${constraint}.confrelid = ANY($1::oid[]) AND ${constraint}.oid IN (
      SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid = ANY($1::oid[]))`,
  // table by table, through its indexes: joined at once, the whole view is read for the sake of three tables
  statistics: `tables t CROSS JOIN LATERAL (
    SELECT * FROM pg_stats s WHERE s.schemaname = t.nspname AND s.tablename = t.relname OFFSET 0) s`,
};

const queries = [hidden, columns, relations, references, decisiveSettings];

/** What to ask about these objects, or about all that there are. Each answer goes to `take`, in this order. */
export function relationQuestions(objects?: Objects): Question[] {
  if (objects === undefined) return queries.map((query) => ({ sql: query(every), values: [] }));
  const arrays = [oidArray(objects.relations), oidArray(objects.functions)];
  return queries.map((query) => {
    const sql = query(some);
    return { sql, values: sql.includes('$2') ? arrays : arrays.slice(0, 1), often: true };
  });
}
