/** What `dbguard access setup` has to know of a database before it says what to add. */
import type { SetupState } from '../../policy/login-setup.js';
import type { Row } from './control-connection.js';

type Ask = (sql: string, values: readonly (string | null)[], timeoutMs: number) => Promise<Row[]>;

const patienceMs = 10_000;

const serverSql = `
  SELECT current_setting('server_version_num') AS version, current_database() AS database,
         (SELECT json_agg(rolname) FROM pg_roles)::text AS roles`;

const tablesSql = `
  SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(temp|toast)'
   ORDER BY 1, 2`;

export async function readSetupState(ask: Ask): Promise<SetupState> {
  const [server = {}] = await ask(serverSql, [], patienceMs);
  const tables = await ask(tablesSql, [], patienceMs);
  return {
    version: Number(server.version),
    database: server.database ?? '',
    roles: new Set(JSON.parse(server.roles ?? '[]') as string[]),
    tables: tables.map(({ schema, name }) => ({ schema: schema ?? '', name: name ?? '' })),
  };
}
