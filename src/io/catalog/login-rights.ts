/** What a login may do by itself, read from the catalog as the login sees it; for `dbguard access check`. */
import type { LoginRights, Membership, Ownership, RoleAttribute } from '../../policy/login-findings.js';
import type { Row } from './control-connection.js';

type Ask = (sql: string, values: readonly (string | null)[], timeoutMs: number) => Promise<Row[]>;

const patienceMs = 10_000;

const loginQuery = `
  SELECT session_user AS login, current_database() AS database, current_setting('server_version_num') AS version,
         rolsuper AS "SUPERUSER", rolbypassrls AS "BYPASSRLS", rolcreaterole AS "CREATEROLE", rolcreatedb AS "CREATEDB",
         rolreplication AS "REPLICATION"
    FROM pg_roles WHERE rolname = session_user`;

const attributeNames: readonly RoleAttribute[] = ['SUPERUSER', 'BYPASSRLS', 'CREATEROLE', 'CREATEDB', 'REPLICATION'];

/** @param setOption the privilege type that says whether SET ROLE is possible: SET since PostgreSQL 16, MEMBER before */
const membershipsQuery = (setOption: 'SET' | 'MEMBER'): string => `
  WITH RECURSIVE reached AS (
    SELECT oid FROM pg_roles WHERE rolname = session_user
    UNION SELECT m.roleid FROM pg_auth_members m JOIN reached r ON m.member = r.oid)
  SELECT role.rolname AS role, member.rolname AS member,
         pg_has_role(session_user, role.oid, 'USAGE') AS inherits, pg_has_role(session_user, role.oid, '${setOption}') AS becomes
    FROM pg_auth_members m JOIN reached r ON m.member = r.oid
    JOIN pg_roles role ON role.oid = m.roleid JOIN pg_roles member ON member.oid = m.member
   WHERE member.rolname !~ '^pg_'
   GROUP BY 1, 2, 3, 4 ORDER BY member.rolname = session_user DESC, 1, 2`;

const foreign = `NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(temp|toast)'`;
const functionName = `format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))`;
const tableName = `format('%I.%I', n.nspname, c.relname)`;

/** Names of kinds in the order in which they are told. */
const ownedQuery = `
  WITH owned AS (
    SELECT 1 AS rank, 'database' AS kind, datdba AS owner, format('%I', datname) AS name FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT 2, 'schema', n.nspowner, format('%I', n.nspname) FROM pg_namespace n WHERE n.nspname ${foreign}
    UNION ALL SELECT 3, 'table', c.relowner, ${tableName} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname ${foreign}
    UNION ALL SELECT 4, 'function', p.proowner, ${functionName} FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
               WHERE n.nspname ${foreign})
  SELECT kind, r.rolname AS owner, json_agg(name ORDER BY name)::text AS names
    FROM owned JOIN pg_roles r ON r.oid = owner
   WHERE pg_has_role(session_user, owner, 'USAGE')
   GROUP BY rank, kind, r.rolname ORDER BY r.rolname = session_user DESC, rank, r.rolname`;

const listed = (select: string): string => `SELECT json_agg(name ORDER BY name)::text AS names FROM (${select}) AS one`;

const openSchemasQuery = listed(`
  SELECT format('%I', n.nspname) AS name FROM pg_namespace n
   WHERE n.nspname ${foreign} AND EXISTS (SELECT FROM aclexplode(n.nspacl) a WHERE a.grantee = 0 AND a.privilege_type = 'CREATE')`);

const openTablesQuery = listed(`
  SELECT ${tableName} AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname ${foreign} AND EXISTS (
         SELECT FROM (SELECT c.relacl AS acl UNION ALL SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid) granted,
                aclexplode(granted.acl) a
          WHERE a.grantee = 0 AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'))`);

/** Those of extensions are as safe as their makers say; they are not looked at. */
const definerFunctionsQuery = listed(`
  SELECT ${functionName} AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_roles r ON r.oid = p.proowner AND r.rolsuper
   WHERE p.prosecdef AND n.nspname ${foreign} AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
     AND has_function_privilege(session_user, p.oid, 'EXECUTE') AND has_schema_privilege(session_user, n.oid, 'USAGE')
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`);

const grantableQuery = listed(`
  SELECT ${tableName} AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname ${foreign} AND EXISTS (
         SELECT FROM aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee AND r.rolname = session_user
          WHERE a.is_grantable AND c.relowner <> a.grantee)`);

/** @param role whose rights; default: those of the login that asks */
export async function readLoginRights(ask: Ask, role?: string): Promise<LoginRights> {
  const who = role === undefined ? 'session_user' : `'${role.replaceAll("'", "''")}'::name`;
  const rows = (sql: string): Promise<Row[]> =>
    ask(
      sql.replaceAll('session_user', () => who),
      [],
      patienceMs,
    );
  const [login = {}] = await rows(loginQuery);
  const version = Number(login.version);
  return {
    login: login.login ?? '',
    database: login.database ?? '',
    version,
    attributes: new Set(attributeNames.filter((name) => login[name] === 't')),
    memberships: (await rows(membershipsQuery(version >= 160000 ? 'SET' : 'MEMBER'))).map(
      (row): Membership => ({
        role: row.role ?? '',
        member: row.member ?? '',
        inherits: row.inherits === 't',
        mayBecome: row.becomes === 't',
      }),
    ),
    owned: (await rows(ownedQuery)).map(
      (row): Ownership => ({ owner: row.owner ?? '', kind: row.kind as Ownership['kind'], objects: namesOf(row) }),
    ),
    openSchemas: namesOf((await rows(openSchemasQuery))[0]),
    openTables: namesOf((await rows(openTablesQuery))[0]),
    definerFunctions: namesOf((await rows(definerFunctionsQuery))[0]),
    grantable: namesOf((await rows(grantableQuery))[0]),
  };
}

function namesOf(row: Row | undefined): string[] {
  return JSON.parse(row?.names ?? '[]') as string[];
}
