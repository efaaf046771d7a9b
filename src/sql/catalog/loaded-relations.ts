/**
 * Views, rules, triggers and column statistics of one database, as its catalog had them when it was asked.
 * State: the last answer. Must not know how the queries are run, nor when to ask again.
 */

import type { Target } from '../facts.js';
import type { CatalogRelations, ColumnKnowledge, Hidden, RowEvent } from './catalog-relations.js';

/** One row of `hiddenQuery`, in text. */
export type HiddenRow = Readonly<Record<string, string | null>>;
/** One row of `columnsQuery`, in text. */
export type ColumnRow = Readonly<Record<string, string | null>>;
/** One row of `keysQuery`, in text. */
export type KeyRow = Readonly<Record<string, string | null>>;

/** Of columns whose values have more rows than this nothing is remembered. */
const fewRows = 1000;

/** Functions of column defaults and CHECK constraints run like triggers. Asked under an empty search_path, so that every name in a definition has its schema. An extension's views are its own affair. */
export const hiddenQuery = `
  SELECT 'view' AS kind, n.nspname::text AS schema, c.relname::text AS name, pg_get_viewdef(c.oid) AS sql,
    NULL AS events, NULL AS function_schema, NULL AS function_name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  UNION ALL
  SELECT 'rule', n.nspname, c.relname, pg_get_ruledef(r.oid), r.ev_type::text, NULL, NULL
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE r.ev_type <> '1' AND r.ev_enabled <> 'D' AND c.oid >= 16384
  UNION ALL
  SELECT 'trigger', n.nspname, c.relname, NULL, g.tgtype::text, fn.nspname, f.proname
  FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc f ON f.oid = g.tgfoid JOIN pg_namespace fn ON fn.oid = f.pronamespace
  WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND f.oid >= 16384
  UNION ALL
  SELECT 'trigger', n.nspname, c.relname, NULL, calls.events, fn.nspname, f.proname
  FROM (
    SELECT ad.adrelid AS relid, '4' AS events, d.refobjid AS function
    FROM pg_attrdef ad JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = ad.oid
    WHERE d.refclassid = 'pg_proc'::regclass
    UNION
    SELECT k.conrelid, '20', d.refobjid
    FROM pg_constraint k JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
    WHERE d.refclassid = 'pg_proc'::regclass AND k.contype = 'c' AND k.conrelid <> 0
  ) calls
  JOIN pg_class c ON c.oid = calls.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc f ON f.oid = calls.function JOIN pg_namespace fn ON fn.oid = f.pronamespace
  WHERE f.oid >= 16384`;

/** Columns that are keys, columns that really have NULLs, and columns of which no value has many rows. */
export const columnsQuery = `
  SELECT n.nspname::text AS schema, c.relname::text AS relation, a.attname::text AS name, k.key::text AS key,
    s.null_frac::text AS null_fraction, v.rows::text AS rows_per_value,
    CASE WHEN k.key THEN (s.histogram_bounds::text::text[])[1] END AS lowest,
    CASE WHEN k.key THEN (s.histogram_bounds::text::text[])[array_upper(s.histogram_bounds::text::text[], 1)] END AS highest
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited
  CROSS JOIN LATERAL (
    SELECT a.attidentity <> '' OR EXISTS (
      SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 1
        AND i.indkey[0] = a.attnum AND i.indpred IS NULL) AS key) k
  LEFT JOIN LATERAL (
    -- without a list of common values all of them are about as common
    SELECT ceil(c.reltuples * greatest(s.most_common_freqs[1],
      1 / NULLIF(CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * c.reltuples ELSE s.n_distinct END, 0))) AS rows
    WHERE c.reltuples > 0 AND s.n_distinct <> 0) v(rows) ON true
  WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND (k.key OR s.null_frac > 0 OR v.rows <= ${fewRows})`;

/** Unique indexes over plain columns, and columns that foreign keys with an action refer to. A table's index says nothing of the tables that inherit from it. */
export const keysQuery = `
  SELECT n.nspname::text AS schema, c.relname::text AS relation, (
      SELECT json_agg(a.attname ORDER BY k.place)::text
      FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(number, place)
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number) AS columns,
    EXISTS (SELECT FROM pg_constraint f
      WHERE f.confrelid = c.oid AND f.contype = 'f' AND f.confdeltype IN ('c', 'n', 'd'))::text AS deletes_on, (
      SELECT json_agg(DISTINCT a.attname)::text
      FROM pg_constraint f JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (f.confkey)
      WHERE f.confrelid = c.oid AND f.contype = 'f' AND f.confupdtype IN ('c', 'n', 'd')) AS updates_on
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
    AND NOT 0 = ANY (i.indkey[0:i.indnkeyatts - 1]) AND (c.relkind = 'p' OR NOT c.relhassubclass)
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384 AND c.relpersistence <> 't'`;

/**
 * Settings that an application has made up and that code of the database reads: what a policy lets through depends on
 * them. Names that are computed are not found.
 */
export const decisiveSettingsQuery = `
  SELECT DISTINCT lower(found[1]) AS name
  FROM (
    SELECT concat_ws(' ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM pg_policy
    UNION ALL SELECT pg_get_viewdef(oid) FROM pg_class WHERE relkind IN ('v', 'm') AND oid >= 16384
    UNION ALL SELECT prosrc FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT pg_get_function_sqlbody(oid) FROM pg_proc WHERE oid >= 16384 AND prosqlbody IS NOT NULL
    UNION ALL SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
    UNION ALL SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE contype = 'c'
    UNION ALL SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_type <> '1' AND oid >= 16384
  ) code(text)
  CROSS JOIN LATERAL regexp_matches(code.text, 'current_setting\\s*\\(\\s*''([^'']+\\.[^'']+)''', 'gi') found`;

/** All that an unqualified name could mean beside a temporary table. */
export const permanentQuery = `
  SELECT DISTINCT relname::text AS name FROM pg_class
  WHERE relpersistence <> 't' AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I')`;

export class LoadedRelations implements CatalogRelations {
  #hidden: ReadonlyMap<string, readonly LoadedHidden[]> = new Map();
  #columns: ReadonlyMap<string, readonly LoadedColumn[]> = new Map();
  #keys: ReadonlyMap<string, ReadonlyMap<string, readonly (readonly string[])[]>> = new Map();
  #passedOn: ReadonlyMap<string, readonly PassedOn[]> = new Map();
  /** Nothing has changed since it was read, as far as we know. */
  #current = false;
  #permanent: ReadonlySet<string> = new Set();
  #decisive: ReadonlySet<string> = new Set();
  /** Names of views that may have been made or changed since. */
  #doubted: Set<string> | 'all' = new Set();

  replace(
    hidden: readonly HiddenRow[],
    columns: readonly ColumnRow[],
    permanent: readonly Readonly<Record<string, string | null>>[],
    keys: readonly KeyRow[] = [],
    decisive: readonly Readonly<Record<string, string | null>>[] = [],
  ): void {
    this.#decisive = new Set(decisive.map(({ name }) => name ?? ''));
    this.#doubted = new Set();
    this.#current = true;
    this.#keys = keysByName(keys);
    this.#passedOn = byName(keys.flatMap(passedOnOf));
    this.#permanent = new Set(permanent.map(({ name }) => name ?? ''));
    this.#hidden = byName(hidden.map(hiddenOf));
    this.#columns = byName(columns.map(columnOf));
  }

  /** `all`: every view that is known may be another by now. */
  doubt(views: readonly string[] | 'all'): void {
    this.#current = false;
    if (views === 'all') this.#doubted = 'all';
    else if (this.#doubted !== 'all') for (const name of views) this.#doubted.add(name);
  }

  isDecisive(setting: string): boolean {
    return this.#decisive.has(setting);
  }

  isPermanent(name: string): boolean {
    return this.#permanent.has(name);
  }

  hidden(relation: Target, event: RowEvent): readonly Hidden[] {
    if (this.#doubted !== 'all' && event === 'read' && this.#doubted.has(relation.name)) return [unknown];
    const all = this.#hidden.get(relation.name);
    if (all === undefined) return nothing;
    const its = all.filter((one) => isOf(one, relation) && one.events.has(event)).map((one) => one.hidden);
    return this.#doubted === 'all' && event === 'read' && its.length > 0 ? [unknown] : its;
  }

  /** Without a schema it may be any of that name: then only what is a key in all of them. */
  keys(relation: Target): readonly (readonly string[])[] {
    const bySchema = this.#current ? this.#keys.get(relation.name) : undefined;
    if (bySchema === undefined) return nothing;
    if (relation.schema !== undefined) return bySchema.get(relation.schema) ?? nothing;
    const [first = nothing, ...others] = bySchema.values();
    const sameKey = (a: readonly string[], b: readonly string[]): boolean => a.join('\0') === b.join('\0');
    return first.filter((key) => others.every((keys) => keys.some((one) => sameKey(one, key))));
  }

  passesOn(relation: Target, event: 'update' | 'delete'): boolean {
    const all = this.#passedOn.get(relation.name)?.filter((one) => isOf(one, relation)) ?? nothing;
    if (event === 'delete') return all.some(({ deletes }) => deletes);
    return all.some(({ updates }) => updates.some((column) => relation.columns?.includes(column) ?? true));
  }

  columns(relation: Target, column: string): readonly ColumnKnowledge[] {
    const all = this.#columns.get(`${relation.name} ${column}`);
    return all === undefined ? nothing : all.filter((one) => isOf(one, relation)).map((one) => one.knowledge);
  }
}

const nothing: readonly never[] = [];
const unknown: Hidden = { kind: 'unknown' };

interface LoadedHidden {
  readonly schema: string;
  readonly name: string;
  readonly events: ReadonlySet<RowEvent>;
  readonly hidden: Hidden;
}

interface LoadedColumn {
  readonly schema: string;
  readonly name: string;
  readonly knowledge: ColumnKnowledge;
}

interface PassedOn {
  readonly schema: string;
  readonly name: string;
  readonly deletes: boolean;
  /** Columns whose new values are passed on. */
  readonly updates: readonly string[];
}

function isOf(one: { readonly schema: string }, relation: Target): boolean {
  return relation.schema === undefined || relation.schema === one.schema;
}

function byName<T extends { readonly name: string }>(all: readonly T[]): Map<string, T[]> {
  const grouped = new Map<string, T[]>();
  for (const one of all) {
    const known = grouped.get(one.name);
    if (known === undefined) grouped.set(one.name, [one]);
    else known.push(one);
  }
  return grouped;
}

function hiddenOf(row: HiddenRow): LoadedHidden {
  const { kind, events } = row;
  const schema = row.schema ?? '';
  const name = row.name ?? '';
  const sql = row.sql ?? '';
  if (kind === 'view') {
    return { schema, name, events: new Set(['read']), hidden: { kind, key: `view ${schema}.${name}`, sql } };
  }
  if (kind === 'rule') {
    return { schema, name, events: ruleEvents(events), hidden: { kind, key: `rule ${schema}.${name} ${sql}`, sql } };
  }
  const called = { schema: row.function_schema ?? '', name: row.function_name ?? '' };
  return { schema, name, events: triggerEvents(Number(events)), hidden: { kind: 'trigger', function: called } };
}

function keysByName(rows: readonly KeyRow[]): Map<string, Map<string, (readonly string[])[]>> {
  const byName = new Map<string, Map<string, (readonly string[])[]>>();
  for (const { schema, relation, columns } of rows) {
    const bySchema = byName.get(relation ?? '') ?? new Map<string, (readonly string[])[]>();
    const keys = bySchema.get(schema ?? '') ?? [];
    if (columns) keys.push(JSON.parse(columns) as string[]);
    byName.set(relation ?? '', bySchema.set(schema ?? '', keys));
  }
  return byName;
}

function passedOnOf({ schema, relation, deletes_on: deletes, updates_on: updates }: KeyRow): PassedOn[] {
  if (deletes !== 'true' && !updates) return [];
  const columns = JSON.parse(updates ?? '[]') as string[];
  return [{ schema: schema ?? '', name: relation ?? '', deletes: deletes === 'true', updates: columns }];
}

/** pg_rewrite.ev_type. */
function ruleEvents(type: string | null | undefined): ReadonlySet<RowEvent> {
  const event = ({ '2': 'update', '3': 'insert', '4': 'delete' } as const)[type ?? ''];
  return new Set(event === undefined ? [] : [event]);
}

/** pg_trigger.tgtype: TRIGGER_TYPE_INSERT, _DELETE, _UPDATE, _TRUNCATE of catalog/pg_trigger.h. */
function triggerEvents(type: number): ReadonlySet<RowEvent> {
  const bits = [
    [4, 'insert'],
    [8, 'delete'],
    [16, 'update'],
    [32, 'truncate'],
  ] as const;
  return new Set(bits.flatMap(([bit, event]) => ((type & bit) === 0 ? [] : event)));
}

function columnOf(row: ColumnRow): LoadedColumn {
  const nullFraction = numberOf(row.null_fraction);
  const lowest = numberOf(row.lowest);
  const highest = numberOf(row.highest);
  const rowsPerValue = numberOf(row.rows_per_value);
  return {
    schema: row.schema ?? '',
    name: `${row.relation} ${row.name}`,
    knowledge: {
      key: row.key === 'true',
      ...(nullFraction === undefined ? {} : { nullFraction }),
      ...(rowsPerValue === undefined ? {} : { rowsPerValue }),
      ...(lowest === undefined ? {} : { lowest }),
      ...(highest === undefined ? {} : { highest }),
    },
  };
}

/** Undefined also for keys that are no numbers: dates, texts, uuids. */
function numberOf(text: string | null | undefined): number | undefined {
  const value = text ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
