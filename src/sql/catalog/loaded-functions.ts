/**
 * The functions of one database, as its catalog had them when it was asked.
 * State: the last answer, and what may have been made since. Must not know how the queries are run, nor when to ask again.
 */
import type { PlainDefinition, PlainFunction } from '../definition.js';
import { ByName, NameCounts } from './by-name.js';
import type { CatalogFunction, CatalogFunctions, FunctionName } from './catalog-functions.js';

/** One row of `functionsQuery`, in text. */
export type FunctionRow = Readonly<Record<string, string | null>>;
/** One row of `callersQuery`, in text. */
export type CallerRow = Readonly<Record<string, string | null>>;

/**
 * Every function that is not in pg_catalog or information_schema. An aggregate is what it calls: its body here is a
 * SELECT of its support functions. For PostgreSQL 14 and later.
 */
export const functionsQuery = functionsWhere('true');
/** Of those in an array of oids. */
export const someFunctionsQuery = functionsWhere('p.oid = ANY($1::oid[])');

function functionsWhere(wanted: string): string {
  return `
  SELECT p.oid::text AS oid, n.nspname::text AS schema, p.proname::text AS name, p.provolatile::text AS volatility,
    CASE WHEN a.aggfnoid IS NULL THEN l.lanname::text ELSE 'sql' END AS language,
    CASE
      WHEN a.aggfnoid IS NOT NULL THEN (
        SELECT 'SELECT ' || string_agg(format('%I.%I()', fn.nspname, f.proname), ', ')
        FROM pg_proc f JOIN pg_namespace fn ON fn.oid = f.pronamespace
        WHERE f.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn,
          a.aggminvtransfn, a.aggmfinalfn))
      WHEN p.prosqlbody IS NOT NULL THEN pg_get_function_sqlbody(p.oid)
      ELSE p.prosrc
    END AS body,
    CASE WHEN l.lanname = 'plpgsql' THEN pg_get_functiondef(p.oid) END AS definition,
    to_json(p.proargnames)::text AS parameters, to_json(p.proargmodes::text[])::text AS modes,
    pg_get_expr(p.proargdefaults, 0) AS defaults, to_json(p.proconfig)::text AS settings,
    (EXISTS (SELECT FROM pg_type t WHERE t.oid = p.proargtypes[0] AND t.typtype = 'c'))::text AS takes_row,
    e.extname::text AS extension
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
  LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
  LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  LEFT JOIN pg_extension e ON e.oid = d.refobjid
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND ${wanted}`;
}

/** Operators, and casts to a type, that run such a function; a domain's checks run when something is cast to it; event triggers. */
export const callersQuery = `
  SELECT 'operator' AS what, n.nspname::text AS schema, o.oprname::text AS name,
    fn.nspname::text AS function_schema, f.proname::text AS function_name
  FROM pg_operator o
  JOIN pg_namespace n ON n.oid = o.oprnamespace
  JOIN pg_proc f ON f.oid = o.oprcode
  JOIN pg_namespace fn ON fn.oid = f.pronamespace
  WHERE o.oid >= 16384
  UNION ALL
  SELECT 'cast', n.nspname, t.typname, fn.nspname, f.proname
  FROM pg_cast c
  JOIN pg_type t ON t.oid = c.casttarget
  JOIN pg_namespace n ON n.oid = t.typnamespace
  JOIN pg_proc f ON f.oid = c.castfunc
  JOIN pg_namespace fn ON fn.oid = f.pronamespace
  WHERE c.oid >= 16384
  UNION ALL
  SELECT 'cast', n.nspname, t.typname, fn.nspname, f.proname
  FROM pg_constraint k
  JOIN pg_type t ON t.oid = k.contypid
  JOIN pg_namespace n ON n.oid = t.typnamespace
  JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid AND d.refclassid = 'pg_proc'::regclass
  JOIN pg_proc f ON f.oid = d.refobjid
  JOIN pg_namespace fn ON fn.oid = f.pronamespace
  WHERE k.contype = 'c' AND k.contypid > 0
  UNION ALL
  SELECT 'event', NULL, '', fn.nspname, f.proname
  FROM pg_event_trigger e
  JOIN pg_proc f ON f.oid = e.evtfoid
  JOIN pg_namespace fn ON fn.oid = f.pronamespace
  WHERE e.evtenabled <> 'D'`;

interface Known {
  readonly function: CatalogFunction;
  readonly takesRow: boolean;
}

export class LoadedFunctions implements CatalogFunctions {
  readonly #known = new ByName<Known>();
  /** By pg_proc.oid. */
  readonly #names = new Map<number, string>();
  #callers: Callers = new Map();
  #read = false;
  /** How many definitions may have changed any of them since. */
  #doubts = 0;
  #generation = 0;
  /** Names of functions that may have been made or changed since. */
  readonly #doubted = new NameCounts();
  /** What definitions have made since that say it themselves. */
  readonly #made = new ByName<Known>();

  get generation(): number {
    return this.#generation;
  }

  /** All that there is, as it is now. */
  replace(rows: readonly FunctionRow[], callers: readonly CallerRow[] = []): void {
    this.take(rows, callers);
    this.believe();
  }

  /**
   * @param callers undefined where they are what they were
   * @param oids the functions that `rows` are about; all where there are none
   */
  take(rows: readonly FunctionRow[], callers: readonly CallerRow[] | undefined, oids?: ReadonlySet<number>): void {
    this.#generation += 1;
    if (oids === undefined) {
      this.#known.clear();
      this.#names.clear();
    }
    for (const oid of oids ?? []) {
      this.#known.forget(this.#names.get(oid) ?? '', oid);
      this.#names.delete(oid);
    }
    for (const row of rows) {
      const [oid, name] = [Number(row.oid), row.name ?? ''];
      this.#names.set(oid, name);
      this.#known.add(name, { owner: oid, ...knownOf(row) });
    }
    if (callers !== undefined) this.#callers = callersOf(callers);
  }

  /** What was taken last is what the database has. */
  believe(): void {
    this.#generation += 1;
    this.#read = true;
    this.#doubts = 0;
    this.#doubted.clear();
    this.#made.clear();
  }

  /**
   * What was read may not be so any more.
   * @param made names of functions that are made or changed
   * @param others whether those of other names may have changed, too
   */
  doubt(made: readonly string[] = [], others = true): void {
    this.#generation += 1;
    if (others) this.#doubts += 1;
    this.#doubted.add(made);
  }

  /** What the definition that is in doubt makes is new among those of its name, and nobody else's is in doubt. */
  isNew({ functions }: PlainDefinition): boolean {
    const isOne = ({ name, replaces }: PlainFunction): boolean =>
      this.#doubted.count(name) === 1 && !(replaces && this.#isKnown(name));
    return this.#read && this.#doubts === 0 && functions.every(isOne);
  }

  /** Code of somebody's own may be called by a definition's expressions, or because of it. */
  isCalledBy({ calls, operators, casts }: Pick<PlainDefinition, 'calls' | 'operators' | 'casts'>): boolean {
    const isOwn = (name: string): boolean => this.#doubted.count(name) > 0 || this.#isKnown(name);
    return (
      this.#callers.has('event ') ||
      calls.some(isOwn) ||
      operators.some((symbol) => this.#callers.has(`operator ${symbol}`)) ||
      (casts ?? this.#castTypes()).some((type) => this.#callers.has(`cast ${type}`))
    );
  }

  #castTypes(): string[] {
    const prefix = 'cast ';
    return [...this.#callers.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  }

  /** The same as `doubt` was told, of what says all. */
  learn(made: readonly PlainFunction[], doubted: readonly string[]): void {
    this.#generation += 1;
    this.#doubted.remove(doubted);
    for (const one of made) this.#made.add(one.name, { owner: 0, ...plainlyKnown(one) });
  }

  /** Somebody has made a function of that name, or an extension has. */
  #isKnown(name: string): boolean {
    return this.#known.has(name) || this.#made.has(name);
  }

  /** Without a schema: in any of them, since the search_path is the session's own. */
  find(schema: string | undefined, name: string): readonly CatalogFunction[] | undefined {
    return this.#read && this.#doubts === 0 && this.#doubted.count(name) === 0 ? this.#named(schema, name) : undefined;
  }

  hasOwn(schema: string | undefined, name: string): boolean {
    return this.#doubted.count(name) > 0 || this.#named(schema, name).some((one) => one.extension === undefined);
  }

  behind(what: 'operator' | 'cast', schema: string | undefined, name: string): readonly FunctionName[] {
    const all = this.#callers.get(`${what} ${name}`) ?? [];
    return schema === undefined ? all : all.filter((one) => one.callerSchema === schema);
  }

  takesRow(name: string): boolean {
    if (this.#doubted.count(name) > 0) return true;
    return [...this.#known.named(name), ...this.#made.named(name)].some((one) => one.takesRow);
  }

  #named(schema: string | undefined, name: string): readonly CatalogFunction[] {
    const known = this.#known.named(name).map((one) => one.function);
    const all = this.#made.has(name) ? [...known, ...this.#made.named(name).map((one) => one.function)] : known;
    return schema === undefined ? all : all.filter((one) => one.schema === schema || one.schema === anySchema);
  }
}

type Callers = ReadonlyMap<string, readonly (FunctionName & { readonly callerSchema: string })[]>;

function callersOf(rows: readonly CallerRow[]): Callers {
  const callers = new Map<string, (FunctionName & { callerSchema: string })[]>();
  for (const { what, schema, name, function_schema, function_name } of rows) {
    const called = { schema: function_schema ?? '', name: function_name ?? '', callerSchema: schema ?? '' };
    listAt(callers, `${what} ${name}`).push(called);
  }
  return callers;
}

function listAt<T>(map: Map<string, T[]>, key: string): T[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made: T[] = [];
  map.set(key, made);
  return made;
}

/** Of what was made without naming one: no schema is called so. */
const anySchema = '';

function plainlyKnown(made: PlainFunction): Known {
  const { schema = anySchema, volatility, language, body, definition, parameters, inputs, takesRow } = made;
  const code = { volatility, language, body, definition, parameters, inputs };
  return { function: { schema, ...code, defaults: '', settings: [] }, takesRow };
}

const volatilities: Readonly<Record<string, CatalogFunction['volatility']>> = { i: 'immutable', s: 'stable' };

function knownOf(row: FunctionRow): Known {
  return { function: functionOf(row), takesRow: row.takes_row === 'true' && row.extension === null };
}

function functionOf(row: FunctionRow): CatalogFunction {
  const names = JSON.parse(row.parameters ?? 'null') as (string | null)[] | null;
  const modes = JSON.parse(row.modes ?? 'null') as string[] | null;
  return {
    schema: row.schema ?? '',
    volatility: volatilities[row.volatility ?? ''] ?? 'volatile',
    language: row.language ?? '',
    body: plainBody(row.body ?? ''),
    definition: row.definition ?? '',
    parameters: (names ?? []).flatMap((name) => name || []),
    inputs: (names ?? []).flatMap((name, at) => ('ibv'.includes(modes?.[at] ?? 'i') ? (name ?? '') : [])),
    defaults: row.defaults ?? '',
    settings: JSON.parse(row.settings ?? '[]') as string[],
    ...(row.extension ? { extension: row.extension } : {}),
  };
}

/** pg_get_function_sqlbody() prints `RETURN x` or `BEGIN ATOMIC a; b; END`; as statements they are `SELECT x` and `a; b;`. */
export function plainBody(body: string): string {
  const atomic = /^\s*BEGIN ATOMIC\b([\s\S]*)\bEND\s*$/.exec(body)?.[1];
  const returned = /^\s*RETURN\b([\s\S]*)$/.exec(body)?.[1];
  return atomic ?? (returned === undefined ? body : `SELECT ${returned}`);
}
