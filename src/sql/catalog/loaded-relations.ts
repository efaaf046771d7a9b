/**
 * Views, rules, triggers and column statistics of one database, as its catalog had them when it was asked.
 * State: the last answer. Must not know how the queries are run, nor when to ask again.
 */

import type { Target } from '../facts.js';
import { ByName } from './by-name.js';
import type { CatalogRelations, ColumnKnowledge, Hidden, RowEvent } from './catalog-relations.js';
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

/** Columns that are keys, columns that really have NULLs, and columns of which no value has many rows. */
const columns = ({ relation, statistics }: Wanted): string => `
  SELECT c.oid::text AS oid, n.nspname::text AS schema, c.relname::text AS name, a.attname::text AS column, k.key::text AS key,
    s.null_frac::text AS null_fraction, v.rows::text AS rows_per_value,
    CASE WHEN k.key THEN (s.histogram_bounds::text::text[])[1] END AS lowest,
    CASE WHEN k.key THEN (s.histogram_bounds::text::text[])[array_upper(s.histogram_bounds::text::text[], 1)] END AS highest
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN ${statistics} ON true
  CROSS JOIN LATERAL (
    SELECT a.attidentity <> '' OR EXISTS (
      SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 1
        AND i.indkey[0] = a.attnum AND i.indpred IS NULL) AS key) k
  LEFT JOIN LATERAL (
    -- without a list of common values all of them are about as common
    SELECT ceil(c.reltuples * greatest(s.most_common_freqs[1],
      1 / NULLIF(CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * c.reltuples ELSE s.n_distinct END, 0))) AS rows
    WHERE c.reltuples > 0 AND s.n_distinct <> 0) v(rows) ON true
  WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND (k.key OR s.null_frac > 0 OR v.rows <= ${fewRows})
    AND ${relation('c.oid')}`;

/** Unique indexes over plain columns. A table's index says nothing of the tables that inherit from it. */
const keys = ({ relation }: Wanted): string => `
  SELECT c.oid::text AS oid, n.nspname::text AS schema, c.relname::text AS name, (
      SELECT json_agg(a.attname ORDER BY k.place)::text
      FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(number, place)
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number) AS columns
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
    AND NOT 0 = ANY (i.indkey[0:i.indnkeyatts - 1]) AND (c.relkind = 'p' OR NOT c.relhassubclass)
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384 AND c.relpersistence <> 't' AND ${relation('c.oid')}`;

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

/**
 * Settings that an application has made up and that code of the database reads: what a policy lets through depends on
 * them. Names that are computed are not found.
 */
const decisiveSettings = ({ relation, function: code }: Wanted): string => `
  SELECT DISTINCT lower(found[1]) AS name, code.of, code.oid::text AS oid
  FROM (
    SELECT 'relation', polrelid, concat_ws(' ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
      FROM pg_policy WHERE ${relation('polrelid')}
    UNION ALL SELECT 'relation', oid, pg_get_viewdef(oid) FROM pg_class
      WHERE relkind IN ('v', 'm') AND oid >= 16384 AND ${relation('oid')}
    UNION ALL SELECT 'function', oid, prosrc FROM pg_proc WHERE oid >= 16384 AND ${code('oid')}
    UNION ALL SELECT 'function', oid, pg_get_function_sqlbody(oid) FROM pg_proc
      WHERE oid >= 16384 AND prosqlbody IS NOT NULL AND ${code('oid')}
    UNION ALL SELECT 'relation', adrelid, pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE ${relation('adrelid')}
    -- those of domains go with no relation, so that they are always read
    UNION ALL SELECT 'relation', conrelid, pg_get_expr(conbin, conrelid) FROM pg_constraint
      WHERE contype = 'c' AND ${relation('conrelid', '0')}
    UNION ALL SELECT 'relation', ev_class, pg_get_ruledef(oid) FROM pg_rewrite
      WHERE ev_type <> '1' AND oid >= 16384 AND ${relation('ev_class')}
  ) code(of, oid, text)
  CROSS JOIN LATERAL regexp_matches(code.text, 'current_setting\\s*\\(\\s*''([^'']+\\.[^'']+)''', 'gi') found`;

/** All that an unqualified name could mean beside a temporary table. */
const permanent = ({ relation }: Wanted): string => `
  SELECT oid::text AS oid, relname::text AS name FROM pg_class
  WHERE relpersistence <> 't' AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND ${relation('oid')}`;

/** Conditions on columns with oids. */
interface Wanted {
  /** @param also one more oid, which is always wanted */
  readonly relation: (oid: string, also?: string) => string;
  readonly function: (oid: string) => string;
  /** @param constraint a foreign key: of what it refers to */
  readonly referred: (constraint: string) => string;
  /** Of the column `a` of `n.c`, as `s`. */
  readonly statistics: string;
}

const ofColumn = `LATERAL (SELECT * FROM pg_stats s
    WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited`;

const every: Wanted = {
  relation: () => 'true',
  function: () => 'true',
  referred: () => 'true',
  statistics: `${ofColumn}) s`,
};
/** In $1, or of functions in $2: arrays of oids. */
const some: Wanted = {
  relation: (oid, also) => `${oid} = ANY($1::oid[]${also === undefined ? '' : ` || ${also}::oid`})`,
  function: (oid) => `${oid} = ANY($2::oid[])`,
  // pg_constraint has no index by confrelid
  referred: (constraint) => `${constraint}.confrelid = ANY($1::oid[]) AND ${constraint}.oid IN (
      SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid = ANY($1::oid[]))`,
  // column by column, through its indexes: joined at once, the whole view is read for the sake of three tables
  statistics: `${ofColumn} OFFSET 0) s`,
};

const queries = [hidden, columns, permanent, keys, references, decisiveSettings];

/** What to ask about these objects, or about all that there are. Each answer goes to `take`, in this order. */
export function relationQuestions(objects?: Objects): Question[] {
  if (objects === undefined) return queries.map((query) => ({ sql: query(every), values: [] }));
  const arrays = [oidArray(objects.relations), oidArray(objects.functions)];
  return queries.map((query) => {
    const sql = query(some);
    return { sql, values: sql.includes('$2') ? arrays : arrays.slice(0, 1), often: true };
  });
}

type Row = Readonly<Record<string, string | null>>;

export class LoadedRelations implements CatalogRelations {
  readonly #hidden = new ByName<LoadedHidden>();
  readonly #columns = new ByName<LoadedColumn>();
  readonly #keys = new ByName<LoadedKey>();
  readonly #passedOn = new ByName<PassedOn>();
  readonly #permanent = new ByName<object>();
  readonly #decisive = { relation: new ByName<object>(), function: new ByName<object>() };
  readonly #lists = [this.#hidden, this.#columns, this.#keys, this.#passedOn, this.#permanent];
  /** Under which name relations stand in these lists. */
  readonly #names = new Map<number, string>();
  /** Settings that they read. */
  readonly #settings = { relation: new Map<number, string[]>(), function: new Map<number, string[]>() };
  /** Nothing has changed since it was read, as far as we know. */
  #current = false;
  /** Names of views that may have been made or changed since. */
  #doubted: Set<string> | 'all' = new Set();

  /** @param answers to `relationQuestions` */
  take(answers: readonly (readonly Row[])[], objects?: Objects): void {
    const [hiddenRows = [], columnRows = [], permanentRows = [], keyRows = [], references = [], settings = []] =
      answers;
    if (objects === undefined) this.#clear();
    else this.#forget(objects);
    const put = <Item extends object>(list: ByName<Item>, row: Row, item: Item): void => {
      const [owner, name] = [Number(row.oid), row.name ?? ''];
      if (!this.#names.has(owner)) this.#names.set(owner, name);
      list.add(name, { ...item, owner });
    };
    for (const row of hiddenRows) put(this.#hidden, row, hiddenOf(row));
    for (const row of columnRows) put(this.#columns, row, columnOf(row));
    for (const row of permanentRows) put(this.#permanent, row, {});
    for (const row of keyRows) put(this.#keys, row, keyOf(row));
    for (const row of references) put(this.#passedOn, row, passedOnOf(row));
    for (const { oid, name, of } of settings) this.#addSetting(of === 'function' ? of : 'relation', Number(oid), name);
  }

  #clear(): void {
    for (const list of this.#lists) list.clear();
    for (const of of ['relation', 'function'] as const) {
      this.#decisive[of].clear();
      this.#settings[of].clear();
    }
    this.#names.clear();
  }

  #forget({ relations, functions }: Objects): void {
    for (const oid of relations) {
      const name = this.#names.get(oid);
      if (name === undefined) continue;
      for (const list of this.#lists) list.forget(name, oid);
      this.#names.delete(oid);
    }
    for (const oid of [...relations, ofDomains]) this.#forgetSettings('relation', oid);
    for (const oid of functions) this.#forgetSettings('function', oid);
  }

  #addSetting(of: 'relation' | 'function', owner: number, name: string | null | undefined): void {
    this.#decisive[of].add(name ?? '', { owner });
    this.#settings[of].set(owner, [...(this.#settings[of].get(owner) ?? []), name ?? '']);
  }

  #forgetSettings(of: 'relation' | 'function', owner: number): void {
    for (const name of this.#settings[of].get(owner) ?? []) this.#decisive[of].forget(name, owner);
    this.#settings[of].delete(owner);
  }

  /** What was taken last is what the database has. */
  believe(): void {
    this.#doubted = new Set();
    this.#current = true;
  }

  /** `all`: every view that is known may be another by now. */
  doubt(views: readonly string[] | 'all'): void {
    this.#current = false;
    if (views === 'all') this.#doubted = 'all';
    else if (this.#doubted !== 'all') for (const name of views) this.#doubted.add(name);
  }

  isDecisive(setting: string): boolean {
    return this.#decisive.relation.has(setting) || this.#decisive.function.has(setting);
  }

  isPermanent(name: string): boolean {
    return this.#permanent.has(name);
  }

  hidden(relation: Target, event: RowEvent): readonly Hidden[] {
    if (this.#doubted !== 'all' && event === 'read' && this.#doubted.has(relation.name)) return [unknown];
    const all = this.#hidden.named(relation.name);
    if (all.length === 0) return nothing;
    const its = all.filter((one) => isOf(one, relation) && one.events.has(event)).map((one) => one.hidden);
    return this.#doubted === 'all' && event === 'read' && its.length > 0 ? [unknown] : its;
  }

  /** Without a schema it may be any of that name: then only what is a key in all of them. */
  keys(relation: Target): readonly (readonly string[])[] {
    const named = this.#current ? this.#keys.named(relation.name) : nothing;
    const its = named.filter((one) => isOf(one, relation));
    const [first = nothing, ...others] = [...new Set(its.map(({ owner }) => owner))].map((owner) =>
      its.flatMap((one) => (one.owner === owner && one.columns ? [one.columns] : [])),
    );
    const sameKey = (a: readonly string[], b: readonly string[]): boolean => a.join('\0') === b.join('\0');
    return first.filter((key) => others.every((keys) => keys.some((one) => sameKey(one, key))));
  }

  passesOn(relation: Target, event: 'update' | 'delete'): boolean {
    const all = this.#passedOn.named(relation.name).filter((one) => isOf(one, relation));
    if (event === 'delete') return all.some(({ deletes }) => deletes);
    return all.some(({ updates }) => updates.some((column) => relation.columns?.includes(column) ?? true));
  }

  columns(relation: Target, column: string): readonly ColumnKnowledge[] {
    const all = this.#columns.named(relation.name);
    if (all.length === 0) return nothing;
    return all.filter((one) => one.column === column && isOf(one, relation)).map((one) => one.knowledge);
  }
}

/** What reads a setting and goes with no relation: the checks of domains. */
const ofDomains = 0;
const nothing: readonly never[] = [];
const unknown: Hidden = { kind: 'unknown' };

interface LoadedHidden {
  readonly schema: string;
  readonly events: ReadonlySet<RowEvent>;
  readonly hidden: Hidden;
}

interface LoadedColumn {
  readonly schema: string;
  readonly column: string;
  readonly knowledge: ColumnKnowledge;
}

interface PassedOn {
  readonly schema: string;
  readonly deletes: boolean;
  /** Columns whose new values are passed on. */
  readonly updates: readonly string[];
}

interface LoadedKey {
  readonly schema: string;
  /** Undefined where the relation has no key. */
  readonly columns: readonly string[] | undefined;
}

function isOf(one: { readonly schema: string }, relation: Target): boolean {
  return relation.schema === undefined || relation.schema === one.schema;
}

function hiddenOf(row: Row): LoadedHidden {
  const { kind, events } = row;
  const schema = row.schema ?? '';
  const name = row.name ?? '';
  const sql = row.sql ?? '';
  if (kind === 'view') {
    return { schema, events: new Set(['read']), hidden: { kind, key: `view ${schema}.${name}`, sql } };
  }
  if (kind === 'rule') {
    return { schema, events: ruleEvents(events), hidden: { kind, key: `rule ${schema}.${name} ${sql}`, sql } };
  }
  const called = { schema: row.function_schema ?? '', name: row.function_name ?? '' };
  return { schema, events: triggerEvents(Number(events)), hidden: { kind: 'trigger', function: called } };
}

function keyOf({ schema, columns }: Row): LoadedKey {
  return { schema: schema ?? '', columns: columns ? (JSON.parse(columns) as string[]) : undefined };
}

function passedOnOf({ schema, deletes, updates }: Row): PassedOn {
  return { schema: schema ?? '', deletes: deletes === 'true', updates: JSON.parse(updates ?? '[]') as string[] };
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

function columnOf(row: Row): LoadedColumn {
  const nullFraction = numberOf(row.null_fraction);
  const lowest = numberOf(row.lowest);
  const highest = numberOf(row.highest);
  const rowsPerValue = numberOf(row.rows_per_value);
  return {
    schema: row.schema ?? '',
    column: row.column ?? '',
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
