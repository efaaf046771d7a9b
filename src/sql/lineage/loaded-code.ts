/**
 * The application's and the extensions' code of one database, as its catalog had it when it was asked.
 * State: the last answer. Must not know how the queries are run, nor when to ask again.
 */
import { plainBody } from '../catalog/loaded-functions.js';
import type { CatalogCode, OwnCode, SearchPath } from './catalog.js';

/** One row of a query below, in text. */
export type CodeRow = Readonly<Record<string, string | null>>;

/**
 * Every function, procedure and aggregate that is not of pg_catalog or information_schema. Under an empty search_path
 * bodies in SQL-standard form come out with every name qualified. PostgreSQL 14 and later.
 */
export const codeQuery = codeWhere('true');
/** Of those in an array of oids. */
export const someCodeQuery = codeWhere('p.oid = ANY($1::oid[])');

function codeWhere(wanted: string): string {
  return `
  SELECT p.oid, n.nspname AS schema, p.proname AS name, p.provolatile AS volatility,
         CASE WHEN a.aggfnoid IS NULL THEN l.lanname ELSE 'aggregate' END AS language,
         CASE WHEN a.aggfnoid IS NOT NULL THEN ''
              WHEN p.prosqlbody IS NOT NULL AND path.now = '' THEN pg_get_function_sqlbody(p.oid)
              WHEN l.lanname = 'plpgsql' THEN pg_get_functiondef(p.oid)
              ELSE p.prosrc END AS source,
         CASE WHEN path.now = '' THEN pg_get_expr(p.proargdefaults, 0) END AS defaults,
         to_json(p.proargnames)::text AS names, to_json(p.proargmodes)::text AS modes, p.pronargs AS arguments,
         NULLIF(t.typrelid, 0) AS row_of, p.prorettype = 'record'::regtype AS record,
         (SELECT setting FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%') AS path,
         (SELECT json_agg(f::oid::int8) FROM unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn,
            a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]) f WHERE f <> 0)::text AS supports,
         EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') AS extension
    FROM (SELECT set_config('search_path', '', true) AS now OFFSET 0) path,
         pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang
    JOIN pg_type t ON t.oid = p.prorettype
    LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
   WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND ${wanted}`;
}

/**
 * The functions behind operators, casts and the checks and defaults of domains, by the places where they may run (see
 * `LineageCatalog.behind`). Extensions bring operators and casts for their own types, and nothing that reads tables.
 */
export const callersQuery = `
  SELECT own.kind, own.name, own.function::int8::text AS function
    FROM (SELECT 'operator' AS kind, oprname AS name, oid, 'pg_operator'::regclass AS class, oprcode::oid AS function
            FROM pg_operator WHERE oprnamespace <> 'pg_catalog'::regnamespace
          UNION ALL
          SELECT place.kind, place.name, c.oid, 'pg_cast'::regclass, c.castfunc
            FROM pg_cast c JOIN pg_type t ON t.oid = c.casttarget,
                 LATERAL (VALUES ('cast', t.typname::text, true), ('cast', '*', true), ('stored', '', c.castcontext <> 'e'),
                                 ('json', '', t.typname IN ('json', 'jsonb')), ('anywhere', '', c.castcontext = 'i'))
                         AS place(kind, name, applies)
           WHERE c.castfunc >= 16384 AND place.applies
          UNION ALL
          SELECT place.kind, place.name, t.oid, 'pg_type'::regclass, coalesce(o.oprcode, d.refobjid)
            FROM pg_type t JOIN pg_constraint c ON c.contypid = t.oid AND c.contypid > 0
            JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_constraint'::regclass
             AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
            LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid,
                 LATERAL (VALUES ('cast', t.typname::text), ('cast', '*')) AS place(kind, name)
          UNION ALL
          SELECT 'made', 'event', oid, 'pg_event_trigger'::regclass, evtfoid FROM pg_event_trigger WHERE evtenabled <> 'D'
          UNION ALL
          SELECT 'made', place.name, t.oid, 'pg_type'::regclass, coalesce(o.oprcode, d.refobjid)
            FROM pg_type t CROSS JOIN LATERAL (VALUES ('domain'), ('domain ' || t.typname)) place(name) JOIN pg_depend d ON d.objid = t.oid AND d.classid = 'pg_type'::regclass
             AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
            LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
           WHERE t.typtype = 'd') own
   WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = own.class AND d.objid = own.oid AND d.deptype = 'e')
     AND own.oid >= 16384
  UNION ALL
  SELECT DISTINCT 'hidden type', own.typname, '0' FROM pg_type own JOIN pg_type hidden USING (typname)
   WHERE own.typnamespace <> 'pg_catalog'::regnamespace AND hidden.typnamespace = 'pg_catalog'::regnamespace`;

/** Names that PostgreSQL itself has. */
export const builtInsQuery = `SELECT DISTINCT proname AS name FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace`;

/** Function oids by `kind name`. */
type Callers = ReadonlyMap<string, readonly number[]>;

export class LoadedCode {
  readonly #byOid: ReadonlyMap<number, CatalogCode>;
  readonly #byName = new Map<string, CatalogCode[]>();
  readonly #callers: Callers;
  readonly #builtIn: ReadonlySet<string>;

  private constructor(byOid: ReadonlyMap<number, CatalogCode>, callers: Callers, builtIn: ReadonlySet<string>) {
    this.#byOid = byOid;
    this.#callers = callers;
    this.#builtIn = builtIn;
    for (const one of byOid.values()) {
      const named = this.#byName.get(one.name);
      if (named === undefined) this.#byName.set(one.name, [one]);
      else named.push(one);
    }
  }

  static of(code: readonly CodeRow[], callers: readonly CodeRow[], builtIns: readonly CodeRow[]): LoadedCode {
    const byOid = new Map(code.map((row) => [Number(row.oid), codeOf(row)]));
    return new LoadedCode(byOid, callersOf(callers), new Set(builtIns.map(({ name }) => name ?? '')));
  }

  /** The same, but for the functions with these oids. @param callers undefined where they are what they were */
  with(code: readonly CodeRow[], callers: readonly CodeRow[] | undefined, oids: ReadonlySet<number>): LoadedCode {
    const byOid = new Map(this.#byOid);
    for (const oid of oids) byOid.delete(oid);
    for (const row of code) byOid.set(Number(row.oid), codeOf(row));
    return new LoadedCode(byOid, callers ? callersOf(callers) : this.#callers, this.#builtIn);
  }

  functions(schema: string | undefined, name: string, searchPath: SearchPath): readonly CatalogCode[] {
    const all = this.#byName.get(name) ?? [];
    if (schema !== undefined) return all.filter((one) => one.schema === schema);
    // temporary functions are found only by their schema's name
    return searchPath === undefined ? all : all.filter((one) => searchPath.includes(one.schema));
  }

  byOid(oid: number): CatalogCode | undefined {
    return this.#byOid.get(oid);
  }

  isBuiltIn(name: string): boolean {
    return this.#builtIn.has(name);
  }

  /** Operators and casts of the application may call PostgreSQL's own functions: those compute. */
  behind(kind: OwnCode, name: string): readonly CatalogCode[] {
    const alone = kind !== 'cast' || (scalarTypes.has(name) && !this.#callers.has(`hidden type ${name}`));
    return this.#calledBy(kind, alone ? name : '*');
  }

  #calledBy(kind: OwnCode, name: string): CatalogCode[] {
    return (this.#callers.get(`${kind} ${name}`) ?? []).flatMap((oid) => this.#byOid.get(oid) ?? []);
  }
}

/**
 * A cast to one of these runs casts to it alone. To a composite type, an array of it or a domain there are casts of the
 * parts and to the type underneath.
 */
const scalarTypes: ReadonlySet<string> = new Set([
  ...['text', 'varchar', 'bpchar', 'name', 'bytea', 'bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric'],
  ...['date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'uuid', 'json', 'jsonb', 'xml', 'money'],
  ...['inet', 'cidr', 'oid', 'regclass', 'regproc', 'regtype', 'tsvector', 'tsquery', 'jsonpath'],
]);

/** Of PostgreSQL, and no composite, array, range or domain: values of it have no parts that are cast by themselves. */
export const isScalarType = (name: string): boolean => scalarTypes.has(name);

const volatilities: Readonly<Record<string, CatalogCode['volatility']>> = { i: 'immutable', s: 'stable' };

function callersOf(rows: readonly CodeRow[]): Callers {
  const callers = new Map<string, number[]>();
  for (const { kind, name, function: oid } of rows) {
    const key = `${kind} ${name}`;
    callers.set(key, [...(callers.get(key) ?? []), Number(oid)]);
  }
  return callers;
}

function codeOf(row: CodeRow): CatalogCode {
  const names = JSON.parse(row.names ?? '[]') as (string | null)[];
  const modes = JSON.parse(row.modes ?? 'null') as string[] | null;
  const given = modes ?? Array.from({ length: Math.max(names.length, Number(row.arguments)) }, () => 'i');
  const named = (wanted: string): string[] =>
    given.flatMap((mode, at) => (wanted.includes(mode) ? [names[at] ?? ''] : []));
  return {
    oid: Number(row.oid),
    schema: row.schema ?? '',
    name: row.name ?? '',
    language: row.language ?? '',
    source: plainBody(row.source ?? ''),
    inputs: named('ibv'),
    ...(row.defaults ? { defaults: row.defaults } : {}),
    outputs: named('obt'),
    returnsRowOf: row.row_of ? Number(row.row_of) : undefined,
    returnsRecord: row.record === 't',
    volatility: volatilities[row.volatility ?? ''] ?? 'volatile',
    searchPath: pathOf(row.path),
    supports: JSON.parse(row.supports ?? '[]') as number[],
    extension: row.extension === 't',
  };
}

/** `search_path=public, "My schema"`; one that names the role's own schema is not known. */
function pathOf(setting: string | null | undefined): SearchPath {
  if (!setting) return undefined;
  const list = setting.slice(setting.indexOf('=') + 1).match(/"(?:[^"]|"")*"|[^,\s]+/g) ?? [];
  const path = list.map((one) => (one.startsWith('"') ? one.slice(1, -1).replaceAll('""', '"') : one));
  return path.includes('$user') ? undefined : path.filter((one) => one !== '');
}
