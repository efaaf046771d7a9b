/** IF NOT EXISTS and IF EXISTS that change nothing ask nobody; what would change something asks, whoever raced. */
import pg from 'pg';
import t from 'tap';
import { parseConfig } from '../../../src/policy/config.js';
import { compilePolicy } from '../../../src/policy/engine.js';
import { startPostgres } from '../../helpers/postgres.js';
import { startProxyInProcess } from '../../helpers/proxy-in-process.js';

const server = await startPostgres();
const harness = await startProxyInProcess({
  upstreamUrl: server.url(),
  policy: compilePolicy([]),
  catalogPollMs: 60_000,
});
t.teardown(() => harness.close().finally(() => server.stop()));

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: harness.url() });
  await client.connect();
  return client;
}

const client = await connect();
t.teardown(() => client.end());

/** True where a person was asked, who says no. */
async function asks(sql: string, by = client, values?: unknown[]): Promise<boolean> {
  const before = harness.requests.length;
  await by.query(sql, values).catch((error: Error) => {
    if (!/dbguard/.test(error.message)) throw error;
  });
  return harness.requests.length > before;
}

await server.query(`
  CREATE SCHEMA app; CREATE EXTENSION citext; CREATE ROLE reader;
  CREATE TABLE users (id serial PRIMARY KEY, name text); CREATE INDEX users_name ON users (name);
  CREATE TABLE app.posts (id int, author int, CONSTRAINT positive CHECK (id > 0)); CREATE SEQUENCE app.counter;
  CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN short AS text; CREATE VIEW people AS SELECT * FROM users;
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
  CREATE POLICY mine ON users USING (true); CREATE TABLE app.only_here ();
`);

const caught = (sql: string, how: string) => `DO $$ BEGIN ${sql}; EXCEPTION WHEN ${how} THEN null; END $$`;

const nothing = [
  'CREATE TABLE IF NOT EXISTS users (id int)',
  'CREATE TABLE IF NOT EXISTS people (id int)',
  'CREATE TABLE IF NOT EXISTS app.posts AS SELECT 1',
  'CREATE SEQUENCE IF NOT EXISTS app.counter',
  'CREATE INDEX IF NOT EXISTS users_name ON users (id)',
  'CREATE SCHEMA IF NOT EXISTS app',
  'CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public',
  'ALTER TABLE users ADD COLUMN IF NOT EXISTS name text',
  'ALTER TABLE users DROP COLUMN IF EXISTS gone, DROP CONSTRAINT IF EXISTS gone',
  'ALTER TABLE IF EXISTS gone ADD COLUMN a int',
  'ALTER TABLE IF EXISTS gone RENAME TO users',
  "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'sad'",
  'DROP TABLE IF EXISTS gone, app.gone, gone.gone CASCADE',
  'DROP VIEW IF EXISTS gone',
  'DROP INDEX IF EXISTS gone',
  'DROP TYPE IF EXISTS gone',
  'DROP FUNCTION IF EXISTS gone(int)',
  'DROP TRIGGER IF EXISTS gone ON users',
  'DROP TRIGGER IF EXISTS gone ON gone',
  'DROP POLICY IF EXISTS gone ON users',
  'DROP SCHEMA IF EXISTS gone CASCADE',
  'DROP EXTENSION IF EXISTS hstore',
  'DROP ROLE IF EXISTS gone',
  'DROP DATABASE IF EXISTS gone',
  caught("CREATE TYPE mood AS ENUM ('x')", 'duplicate_object'),
  caught('CREATE DOMAIN short AS int', 'others'),
  caught('CREATE ROLE reader', 'duplicate_object'),
  caught('ALTER TABLE app.posts ADD CONSTRAINT positive CHECK (id > 1)', 'duplicate_object'),
  caught('CREATE TABLE users ()', 'duplicate_table OR duplicate_object'),
  "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN CREATE ROLE reader; END IF; END $$",
  'BEGIN; SET LOCAL lock_timeout = 100; CREATE SCHEMA IF NOT EXISTS app; DROP TABLE IF EXISTS gone; SELECT 1',
];

const something = [
  'CREATE TABLE IF NOT EXISTS only_here (id int)',
  'CREATE TABLE IF NOT EXISTS app.users (id int)',
  'CREATE INDEX IF NOT EXISTS users_id ON users (id)',
  'CREATE INDEX IF NOT EXISTS users_name ON app.posts (id)',
  'CREATE SCHEMA IF NOT EXISTS other',
  'CREATE EXTENSION IF NOT EXISTS hstore',
  'ALTER TABLE users ADD COLUMN IF NOT EXISTS name text, ADD COLUMN other int',
  'ALTER TABLE users ADD COLUMN IF NOT EXISTS other int',
  'ALTER TABLE IF EXISTS users ADD COLUMN other int',
  'ALTER TABLE app.posts DROP CONSTRAINT IF EXISTS positive',
  "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad'",
  'DROP TABLE IF EXISTS gone, users CASCADE',
  'DROP FUNCTION IF EXISTS touch()',
  'DROP TRIGGER IF EXISTS touched ON users',
  'DROP ROLE IF EXISTS reader',
  'DROP TYPE IF EXISTS mood',
  caught("CREATE TYPE mood AS ENUM ('x')", 'duplicate_table'),
  caught("CREATE TYPE _mood AS ENUM ('x')", 'duplicate_object'),
  caught('CREATE TYPE mood AS ENUM (); DROP TABLE users', 'duplicate_object'),
  'DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN DROP TABLE users; END $$',
  'DO $$ DECLARE a int := touch(); BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$',
  "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN DROP ROLE reader; END IF; END $$",
  'DO $$ BEGIN IF NOT EXISTS (SELECT FROM users) THEN DROP TABLE users; END IF; END $$',
  'ALTER TABLE users RENAME TO gone; DROP TABLE IF EXISTS gone',
  'SET search_path = app; CREATE TABLE IF NOT EXISTS users ()',
  'CREATE SCHEMA IF NOT EXISTS app; DROP TABLE users',
];

t.test('what changes nothing', async (t) => {
  for (const sql of nothing) {
    t.equal(await asks(sql), false, sql);
    await client.query('ROLLBACK');
    if (!sql.startsWith('BEGIN')) t.equal(await asks(sql, client, []), false, `${sql}, in the extended protocol`);
  }
});

t.test('what changes something', async (t) => {
  for (const sql of something) {
    t.equal(await asks(sql), true, sql);
    await client.query('ROLLBACK');
  }
});

t.test('as the session sees it', async (t) => {
  await client.query('SET search_path = app, public');
  t.equal(await asks('CREATE TABLE IF NOT EXISTS users ()'), true, 'made in app, where there is none');
  t.equal(await asks('CREATE TABLE IF NOT EXISTS only_here ()'), false);
  t.equal(await asks('DROP TABLE IF EXISTS users'), true, 'found in public');
  await client.query('RESET search_path');
});

t.test('another client that is about to change the catalog', async (t) => {
  const other = await connect();
  harness.answer = async () => ({ decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' });
  await other.query('BEGIN; ALTER TABLE app.only_here RENAME TO gone');
  harness.answer = async () => ({ decision: 'deny', by: { kind: 'person' } });
  t.equal(await asks('DROP TABLE IF EXISTS app.gone'), true, 'nobody knows how that ends');
  await other.query('ROLLBACK');
  while (await asks('DROP TABLE IF EXISTS app.gone')) await new Promise((resolve) => setTimeout(resolve, 20));
  await other.end();
});

t.test('as a role for a time, too: the server wants its rights also for what changes nothing', async (t) => {
  await server.query(`
    CREATE ROLE app_owner; CREATE ROLE app_agent LOGIN NOINHERIT PASSWORD 'agent'; GRANT app_owner TO app_agent;
    GRANT USAGE ON SCHEMA public, app TO app_agent; GRANT USAGE, CREATE ON SCHEMA public, app TO app_owner;
    ALTER TABLE users OWNER TO app_owner; ALTER TABLE app.posts OWNER TO app_owner; ALTER TABLE app.only_here OWNER TO app_owner`);
  const entry = `version: 1
access: [{ name: app, role: app_owner, tables: ['*'], effects: [create, alter, drop], for: 15m, then: ask }]`;
  const asRole = await startProxyInProcess({
    upstreamUrl: server.url('postgres', 'app_agent', 'agent'),
    policy: compilePolicy([{ level: 'user', config: parseConfig(entry, 'dbguard.yaml') }]),
    catalogPollMs: 60_000,
  });
  t.teardown(() => asRole.close());
  asRole.journal.windows.open({ access: 'app', channel: 'dbguard approvals', reason: 'INC-42' });
  const agent = new pg.Client({ connectionString: asRole.url() });
  await agent.connect();
  t.teardown(() => agent.end());
  const asked = async (sql: string): Promise<boolean> => {
    await agent.query(sql).catch(() => {});
    await agent.query('ROLLBACK');
    return asRole.requests.splice(0).length > 0;
  };
  for (const sql of nothing) t.equal(await asked(sql), false, sql);
  const ofTables = /^(CREATE TABLE|CREATE INDEX|ALTER TABLE)(?! IF EXISTS gone)/;
  const runs = nothing.filter((sql) => ofTables.test(sql) && !/ AS SELECT|people/.test(sql));
  t.ok(runs.length >= 4);
  for (const sql of [...runs, 'CREATE TABLE IF NOT EXISTS users (id serial PRIMARY KEY)'])
    await t.resolves(agent.query(sql), sql);
  const needsOwner = something.filter((sql) => ofTables.test(sql) && !sql.includes(';'));
  t.ok(needsOwner.length >= 4);
  for (const sql of needsOwner) t.equal(await asked(sql), true, sql);
});

t.test('in a transaction that was not approved, nothing else comes with it', async (t) => {
  const policy = compilePolicy([], { profile: 'migrations' });
  const migrations = await startProxyInProcess({ upstreamUrl: server.url(), policy, catalogPollMs: 60_000 });
  t.teardown(() => migrations.close());
  const tool = new pg.Client({ connectionString: migrations.url() });
  await tool.connect();
  await tool.query('BEGIN');
  await tool.query('DROP TABLE IF EXISTS gone');
  await t.rejects(tool.query('DROP TABLE users CASCADE'), { code: '42501' });
  t.equal(migrations.requests.length, 1);
  await tool.end();
});
