/** `dbguard access check`: what it finds in a login, and that its SQL takes exactly that away. */
import t, { type Test } from 'tap';
import { postgresAvailable, startPostgres, type TestPostgres, testedVersions } from '../helpers/postgres.js';
import { runCommand } from './run-command.js';

interface Case {
  readonly name: string;
  /** Run as a superuser; the login is `agent`. */
  readonly setup: string;
  readonly finds: readonly RegExp[];
  readonly since?: number;
}

const cases: readonly Case[] = [
  {
    name: 'what a login should be',
    setup:
      'CREATE TABLE own.plain (id int); GRANT USAGE ON SCHEMA own TO agent; GRANT SELECT, UPDATE ON own.plain TO agent',
    finds: [],
  },
  { name: 'a superuser', setup: 'ALTER ROLE agent SUPERUSER CREATEDB', finds: [/^agent is a superuser/] },
  { name: 'past policies', setup: 'ALTER ROLE agent BYPASSRLS', finds: [/policy of rows/] },
  { name: 'a maker of roles', setup: 'ALTER ROLE agent CREATEROLE', finds: [/makes roles/] },
  { name: 'replication', setup: 'ALTER ROLE agent REPLICATION CREATEDB', finds: [/makes databases/, /stream/] },
  { name: 'programs', setup: 'GRANT pg_execute_server_program TO agent', finds: [/runs programs on the server/] },
  { name: 'what is made of others', setup: 'GRANT pg_monitor TO agent', finds: [/pg_monitor: reads the statements/] },
  {
    name: 'files, through another role',
    setup: 'GRANT pg_read_server_files TO "Odd ""One"; GRANT "Odd ""One" TO agent',
    finds: [/agent has the privileges of Odd "One/, /pg_read_server_files through Odd "One: reads files/],
  },
  {
    name: 'an owner',
    setup: `CREATE TABLE own.a (id int); CREATE VIEW own.b AS SELECT 1 AS one; CREATE FUNCTION own.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
      ALTER TABLE own.a OWNER TO agent; ALTER VIEW own.b OWNER TO agent; ALTER FUNCTION own.f OWNER TO agent; ALTER SCHEMA own OWNER TO agent`,
    finds: [
      /^agent owns the schema own/,
      /owns 2 tables own\.a, own\.b.*policies of rows/,
      /owns the function own\.f\(/,
    ],
  },
  {
    name: 'an owner by membership',
    setup: 'CREATE TABLE own.a (id int); ALTER TABLE own.a OWNER TO "Odd ""One"; GRANT "Odd ""One" TO agent',
    finds: [/has the privileges of Odd "One/, /owns by its membership in Odd "One the table own\.a/],
  },
  {
    name: 'what everybody may do',
    setup: 'GRANT CREATE ON SCHEMA own TO PUBLIC; CREATE TABLE own."T" (id int); GRANT DELETE ON own."T" TO PUBLIC',
    finds: [/everybody may create objects in the schema own/, /everybody may change the rows of the table own\."T"/],
  },
  {
    name: 'what everybody may do, on more tables than are shown, and on a column',
    setup: `DO $$ BEGIN FOR n IN 1..8 LOOP
        EXECUTE format('CREATE TABLE own.t%s (id int, name text); GRANT UPDATE (name) ON own.t%s TO PUBLIC', n, n); END LOOP; END $$`,
    finds: [/the rows of 8 tables own\.t1, .*own\.t5 and 3 more$/],
  },
  {
    name: 'a function that runs as a superuser',
    setup: `GRANT USAGE ON SCHEMA own TO agent;
      CREATE FUNCTION own.anything(text, VARIADIC int[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN EXECUTE $1; END $$;
      CREATE PROCEDURE own.other() LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'`,
    finds: [/agent may call 2 functions own\.anything\(.*own\.other\(/],
  },
  {
    name: 'privileges that it may hand on',
    setup: 'CREATE TABLE own.a (id int); GRANT SELECT, INSERT ON own.a TO agent WITH GRANT OPTION',
    finds: [/hand its privileges on the table own\.a/],
  },
  {
    name: 'a role that counts after SET ROLE alone',
    setup: 'ALTER ROLE agent NOINHERIT; GRANT "Odd ""One" TO agent',
    finds: [/Odd "One: its privileges count after SET ROLE/],
  },
];

for (const version of testedVersions()) {
  const skip = postgresAvailable(version) ? false : `PostgreSQL ${version} is not installed`;
  t.test(`PostgreSQL ${version}`, { skip }, async (t) => {
    const server = await startPostgres({ version, auth: 'trust' });
    t.teardown(() => server.stop());
    await server.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    for (const one of cases) await t.test(one.name, (t) => found(t, server, one));
    await t.test('a login for one session', (t) => temporary(t, server));
  });
}

/** What each session's login is, the role of its entry is; of who makes it, what that takes is no news. */
async function temporary(t: Test, server: TestPostgres): Promise<void> {
  await server.query(`CREATE ROLE agent LOGIN CREATEROLE; CREATE ROLE "Odd ""One" BYPASSRLS; CREATE SCHEMA own;
    GRANT "Odd ""One" TO agent WITH ADMIN OPTION; ALTER ROLE agent NOINHERIT; CREATE TABLE own.a (id int);
    ALTER TABLE own.a OWNER TO "Odd ""One"; GRANT pg_execute_server_program TO "Odd ""One"`);
  if (server.version >= 16) await server.query('GRANT "Odd ""One" TO agent WITH INHERIT FALSE');
  t.teardown(async () => {
    await server.query(
      'DROP OWNED BY agent, "Odd ""One" CASCADE; DROP SCHEMA own CASCADE; DROP ROLE agent, "Odd ""One"',
    );
  });
  const { findings, temporary, code } = await check(t, server, `, temporary_login: 'Odd "One'`);
  t.equal(code, 1);
  t.same(
    findings.map(({ what }) => what),
    [],
  );
  t.match(temporary?.findings.map(({ what }) => what).sort(), [
    /Odd "One is a member of pg_execute_server_program/,
    /Odd "One owns the table own\.a/,
    /Odd "One .*polic/,
  ]);
  for (const sql of temporary?.findings.filter(({ what }) => !/owns/.test(what)).flatMap((one) => one.sql) ?? [])
    await server.query(sql);
  const then = await check(t, server, `, temporary_login: 'Odd "One'`);
  t.match(
    then.temporary?.findings.map(({ what }) => what),
    [/owns/],
    'its SQL takes the rest away',
  );
}

async function found(t: Test, server: TestPostgres, { setup, finds }: Case): Promise<void> {
  await server.query('CREATE ROLE agent LOGIN; CREATE ROLE "Odd ""One"; CREATE SCHEMA own');
  await server.query(setup);
  t.teardown(async () => {
    await server.query('DROP OWNED BY agent, "Odd ""One" CASCADE; DROP SCHEMA IF EXISTS own CASCADE');
    await server.query('DROP ROLE IF EXISTS agent, "Odd ""One", postgres_owner');
  });
  const first = await check(t, server);
  t.equal(first.findings.length, finds.length, first.findings.map(({ what }) => what).join('\n'));
  finds.forEach((one, index) => void t.match(first.findings[index]?.what, one));
  t.equal(first.code, finds.length > 0 ? 1 : 0);
  for (const { sql } of first.findings) for (const statement of sql) await server.query(statement);
  const then = await check(t, server);
  const left = then.findings.filter(({ what }) => !/count after SET ROLE/.test(what));
  t.strictSame(left, [], 'its SQL takes it away');
}

async function check(t: Test, server: TestPostgres, more = '') {
  const url = new URL(server.url());
  url.username = 'agent';
  const cwd = t.testdir({ 'own.yaml': `version: 1\nconnections: { main: { url: "${url.href}"${more} } }\n` });
  const ran = await runCommand('access check', ['--config', `${cwd}/own.yaml`, '--json'], {
    cwd,
    env: { DBGUARD_HOME: `${cwd}/home` },
  });
  type Findings = { what: string; sql: string[] }[];
  const { findings, temporary } = JSON.parse(ran.stdout) as { findings: Findings; temporary?: { findings: Findings } };
  return { code: ran.code, findings, temporary };
}
