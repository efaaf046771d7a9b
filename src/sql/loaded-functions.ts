/**
 * The functions of one database, as its catalog had them when it was asked.
 * State: the last answer. Must not know how the query is run, nor when to ask again.
 */
import type { CatalogFunction, CatalogFunctions } from './catalog-functions.js';

/** One row of `functionsQuery`. */
export interface FunctionRow {
  readonly schema: string;
  readonly name: string;
  /** pg_proc.provolatile: `i`, `s` or `v`. */
  readonly volatility: string;
  readonly language: string;
  readonly body: string | null;
  readonly definition: string | null;
  readonly security_definer: boolean;
  readonly extension: string | null;
}

/**
 * Every function that is not in pg_catalog or information_schema. An aggregate is what it calls: its body here is a
 * SELECT of its support functions. For PostgreSQL 14 and later.
 */
export const functionsQuery = `
  SELECT n.nspname::text AS schema, p.proname::text AS name, p.provolatile::text AS volatility,
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
    p.prosecdef AS security_definer, e.extname::text AS extension
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
  LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
  LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  LEFT JOIN pg_extension e ON e.oid = d.refobjid
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')`;

export class LoadedFunctions implements CatalogFunctions {
  #byName: ReadonlyMap<string, readonly CatalogFunction[]> | undefined;
  #generation = 0;

  get generation(): number {
    return this.#generation;
  }

  /** The rows of `functionsQuery`; undefined when the catalog could not be read, or is known to have changed since. */
  replace(rows: readonly FunctionRow[] | undefined): void {
    this.#generation += 1;
    if (rows === undefined) {
      this.#byName = undefined;
      return;
    }
    const byName = new Map<string, CatalogFunction[]>();
    for (const row of rows) {
      const overloads = byName.get(row.name) ?? [];
      overloads.push(functionOf(row));
      byName.set(row.name, overloads);
    }
    this.#byName = byName;
  }

  /** Without a schema: in any of them, since the search_path is the session's own. */
  find(schema: string | undefined, name: string): readonly CatalogFunction[] | undefined {
    const all = this.#byName?.get(name) ?? [];
    if (this.#byName === undefined) return undefined;
    return schema === undefined ? all : all.filter((one) => one.schema === schema);
  }
}

const volatilities: Readonly<Record<string, CatalogFunction['volatility']>> = { i: 'immutable', s: 'stable' };

function functionOf(row: FunctionRow): CatalogFunction {
  return {
    schema: row.schema,
    volatility: volatilities[row.volatility] ?? 'volatile',
    language: row.language,
    body: plainBody(row.body ?? ''),
    definition: row.definition ?? '',
    securityDefiner: row.security_definer,
    ...(row.extension === null ? {} : { extension: row.extension }),
  };
}

/** pg_get_function_sqlbody() prints `RETURN x` or `BEGIN ATOMIC a; b; END`; as statements they are `SELECT x` and `a; b;`. */
function plainBody(body: string): string {
  const atomic = /^\s*BEGIN ATOMIC\b([\s\S]*)\bEND\s*$/.exec(body)?.[1];
  const returned = /^\s*RETURN\b([\s\S]*)$/.exec(body)?.[1];
  return atomic ?? (returned === undefined ? body : `SELECT ${returned}`);
}
