/** The names in src/sql/catalog/pg-catalog-functions.ts, from real servers. */
import type { TestPostgres } from '../../helpers/postgres.js';

/** Contrib extensions whose functions are looked at; procedural languages and those that need preloading are not. */
const extensions = [
  ...['btree_gin', 'btree_gist', 'citext', 'cube', 'dict_int', 'dict_xsyn', 'earthdistance', 'fuzzystrmatch'],
  ...['hstore', 'intarray', 'isn', 'lo', 'ltree', 'pageinspect', 'pg_buffercache', 'pg_freespacemap', 'pg_prewarm'],
  ...['pg_stat_statements', 'pg_trgm', 'pg_visibility', 'pgcrypto', 'pgrowlocks', 'pgstattuple', 'seg', 'sslinfo'],
  ...['tablefunc', 'tsm_system_rows', 'tsm_system_time', 'unaccent', 'uuid-ossp', 'xml2', 'amcheck', 'dblink'],
  ...['file_fdw', 'postgres_fdw'],
];

/** They run or read what their text arguments name, although they are declared stable. */
const runText = /crosstab|connectby|xpath_table|dblink|fdw/;

export interface FunctionName {
  readonly name: string;
  /** Some overload of that name is volatile. */
  readonly volatile: boolean;
}

export function builtInNames(server: TestPostgres): Promise<FunctionName[]> {
  return server.query<FunctionName>(
    `SELECT proname::text AS name, bool_or(provolatile = 'v') AS volatile
     FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY 1 ORDER BY 1`,
  );
}

/** Creates what of `extensions` the server has. */
export async function extensionNames(server: TestPostgres): Promise<FunctionName[]> {
  const available = await server.query<{ name: string }>('SELECT name FROM pg_available_extensions');
  const there = new Set(available.map(({ name }) => name));
  for (const name of extensions.filter((one) => there.has(one))) {
    await server.query(`CREATE EXTENSION IF NOT EXISTS "${name}" CASCADE`);
  }
  return server.query<FunctionName>(
    `SELECT proname::text AS name, bool_or(provolatile = 'v') AS volatile FROM pg_proc p
     JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
     JOIN pg_extension e ON e.oid = d.refobjid WHERE e.extname <> 'plpgsql' GROUP BY 1 ORDER BY 1`,
  );
}

/** Names of which no overload is volatile on any server, sorted. */
export function sideEffectFree(names: readonly FunctionName[]): string[] {
  const volatile = new Set(names.filter((one) => one.volatile).map((one) => one.name));
  return [...new Set(names.map((one) => one.name))].filter((name) => !volatile.has(name)).sort();
}

export function sideEffectFreeOfExtensions(
  names: readonly FunctionName[],
  builtIns: readonly FunctionName[],
): string[] {
  const taken = new Set(builtIns.map((one) => one.name));
  return sideEffectFree(names).filter((name) => !taken.has(name) && !runText.test(name));
}
