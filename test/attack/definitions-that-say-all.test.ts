/**
 * What was just made is judged by the text that made it, before the catalog has been read again: something else may stand
 * under its name by then. Each sequence deletes all orders where nobody watches, and its last statement does not run here.
 */
import pg from 'pg';
import t, { type Test } from 'tap';
import { compilePolicy } from '../../src/policy/engine.js';
import { startPostgres } from '../helpers/postgres.js';
import { type ProxyInProcess, startProxyInProcess } from '../helpers/proxy-in-process.js';

const schema = `
  DROP EVENT TRIGGER IF EXISTS on_ddl;
  DROP SCHEMA IF EXISTS public, app, other CASCADE; CREATE SCHEMA public; CREATE SCHEMA app; CREATE SCHEMA other;
  CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 20);
  CREATE FUNCTION purge() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.orders; RETURN 1; END $$;
  CREATE FUNCTION purges() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.orders; RETURN NEW; END $$;
  CREATE FUNCTION is_purged(int) RETURNS bool LANGUAGE sql AS 'SELECT purge() = 1';
  CREATE FUNCTION adds() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF tg_tag = 'CREATE TABLE' THEN CREATE TRIGGER g BEFORE INSERT ON fresh FOR EACH ROW EXECUTE FUNCTION purges(); END IF; END $$;
  CREATE TABLE trapped (id int);
  CREATE TRIGGER g BEFORE INSERT ON trapped FOR EACH ROW EXECUTE FUNCTION purges();
  CREATE DOMAIN small AS int CHECK (is_purged(VALUE));
  CREATE VIEW worse AS SELECT purge() AS n;
  CREATE FUNCTION does(c text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE c; RETURN 1; END $$;
  CREATE FUNCTION worsens(int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
    PERFORM public.does('CREATE OR REPLACE VIEW public.v AS SELECT public.purge() AS n'); RETURN true; END $$;
  CREATE TABLE filled (id int); INSERT INTO filled VALUES (1);
  CREATE DOMAIN acting AS int CHECK (worsens(VALUE));`;

/** Of client `a`, unless it says `b:`. */
const attacks: Readonly<Record<string, readonly string[]>> = {
  'a view in the place of another': [
    'CREATE VIEW v AS SELECT 1 AS n',
    'DROP VIEW v',
    'CREATE VIEW v AS SELECT purge() AS n',
    'SELECT * FROM v',
  ],
  'a view that is replaced': [
    'CREATE VIEW v AS SELECT 1 AS n',
    'CREATE OR REPLACE VIEW v AS SELECT purge() AS n',
    'SELECT * FROM v',
  ],
  'names that change places': [
    'CREATE VIEW v AS SELECT 1 AS n',
    'ALTER VIEW v RENAME TO better',
    'ALTER VIEW worse RENAME TO v',
    'SELECT * FROM v',
  ],
  'a transaction that never was': [
    'BEGIN',
    'CREATE VIEW v AS SELECT 1 AS n',
    'ROLLBACK',
    'b: CREATE VIEW v AS SELECT purge() AS n',
    'SELECT * FROM v',
  ],
  'back to a savepoint': [
    'BEGIN',
    'SAVEPOINT before',
    'DROP VIEW worse',
    'CREATE VIEW worse AS SELECT 1 AS n',
    'ROLLBACK TO before',
    'SELECT * FROM worse',
    'COMMIT',
  ],
  'a function in a schema that comes first': [
    "CREATE FUNCTION other.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT public.purge()'",
    'SET search_path = app, other',
    'SELECT f()',
  ],
  'a function of another client': [
    "CREATE FUNCTION other.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "b: CREATE OR REPLACE FUNCTION other.f() RETURNS int LANGUAGE sql AS 'SELECT purge()'",
    'SELECT other.f()',
  ],
  'a function behind one that says all': [
    "CREATE FUNCTION inner_one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION outer_one() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN inner_one(); END'",
    "CREATE OR REPLACE FUNCTION inner_one() RETURNS int LANGUAGE sql AS 'SELECT purge()'",
    'SELECT outer_one()',
  ],
  'a function that says it itself': [
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM orders; RETURN 1; END'",
    'SELECT f()',
  ],
  'an overload': [
    "CREATE FUNCTION abs(text) RETURNS int LANGUAGE sql AS 'DELETE FROM orders; SELECT 1'",
    "SELECT abs('x'::text)",
  ],
  'a call as a column': [
    'CREATE TABLE fresh (id int)',
    "CREATE FUNCTION total(fresh) RETURNS int LANGUAGE sql AS 'SELECT purge()'",
    'INSERT INTO fresh VALUES (1)',
    'SELECT fresh.total FROM fresh',
  ],
  'a default': ['CREATE TABLE fresh (id int DEFAULT purge())', 'INSERT INTO fresh DEFAULT VALUES'],
  'a default that comes later': [
    'CREATE TABLE fresh (id int)',
    'ALTER TABLE fresh ADD COLUMN n int, ALTER COLUMN id SET DEFAULT purge()',
    'INSERT INTO fresh DEFAULT VALUES',
  ],
  'a check': ['CREATE TABLE fresh (id int CHECK (is_purged(id)))', 'INSERT INTO fresh VALUES (1)'],
  'a trigger on what was just made': [
    'CREATE TABLE fresh (id int)',
    'CREATE TRIGGER g BEFORE INSERT ON fresh FOR EACH ROW EXECUTE FUNCTION purges()',
    'INSERT INTO fresh VALUES (1)',
  ],
  'a table that was there': ['CREATE TABLE IF NOT EXISTS trapped (id int)', 'INSERT INTO trapped VALUES (1)'],
  'a table in another schema': [
    'CREATE TABLE app.trapped (id int)',
    'SET search_path = public, app',
    'INSERT INTO trapped VALUES (1)',
  ],
  'an event trigger': [
    'CREATE EVENT TRIGGER on_ddl ON ddl_command_end EXECUTE FUNCTION adds()',
    'CREATE TABLE fresh (id int)',
    'INSERT INTO fresh VALUES (1)',
  ],
  'code of a domain': [
    'CREATE VIEW v AS SELECT 1 AS n',
    'ALTER TABLE filled ADD COLUMN more acting',
    'SELECT * FROM v',
  ],
  'code of an index': ['CREATE VIEW v AS SELECT 1 AS n', 'CREATE INDEX ON filled (worsens(id))', 'SELECT * FROM v'],
  'code that cannot be seen': [
    'CREATE VIEW v AS SELECT 1 AS n',
    "SELECT does('CREATE OR REPLACE VIEW v AS SELECT purge() AS n')",
    'SELECT * FROM v',
  ],
};

const server = await startPostgres();
t.teardown(() => server.stop());

async function orders(): Promise<unknown> {
  const [row] = await server.query('SELECT count(*)::int AS n FROM public.orders');
  return row?.n;
}

async function run(url: string, statements: readonly string[]): Promise<(Error | undefined)[]> {
  const clients = new Map<string, pg.Client>();
  const ends: (Error | undefined)[] = [];
  try {
    for (const name of ['a', 'b']) {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => undefined);
      await client.connect();
      clients.set(name, client);
    }
    for (const statement of statements) {
      const [by, sql] = statement.startsWith('b: ') ? ['b', statement.slice(3)] : ['a', statement];
      ends.push(
        await clients
          .get(by)
          ?.query(sql)
          .then(
            () => undefined,
            (error: Error) => error,
          ),
      );
    }
  } finally {
    for (const client of clients.values()) await client.end();
  }
  return ends;
}

/** Somebody who lets every definition through, and nothing else. */
async function guarded(t: Test): Promise<ProxyInProcess> {
  const harness = await startProxyInProcess({
    upstreamUrl: server.url(),
    policy: compilePolicy([]),
    catalogPollMs: 3_600_000,
  });
  t.teardown(() => harness.close());
  harness.answer = async ({ sql }) =>
    /^(CREATE|ALTER|DROP|SELECT does)/.test(sql)
      ? { decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' }
      : { decision: 'deny', by: { kind: 'nobody' } };
  return harness;
}

t.test('what is used is what is there', async (t) => {
  for (const [name, statements] of Object.entries(attacks)) {
    await server.query(schema);
    const ends = await run(server.url(), statements);
    t.strictSame(
      ends,
      statements.map(() => undefined),
      `${name}: it runs without dbguard`,
    );
    t.equal(await orders(), 0, name);

    await server.query(schema);
    const harness = await guarded(t);
    const watched = await run(harness.url(), statements);
    const at = statements.findLastIndex((one) => one !== 'COMMIT');
    t.strictSame(
      watched.slice(0, at),
      statements.slice(0, at).map(() => undefined),
      `${name}: all is made`,
    );
    t.ok(watched[at], `${name}: and then asked about`);
    t.equal(await orders(), 20, name);
    await harness.close();
  }
});

t.test('who uses what he has just made is asked about nothing but that', async (t) => {
  const uses = [
    'CREATE TABLE made (id int PRIMARY KEY, name text NOT NULL DEFAULT current_user, at timestamptz DEFAULT now())',
    "INSERT INTO made VALUES (1, 'one'), (2, 'two')",
    "CREATE FUNCTION next_of(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1'",
    "CREATE FUNCTION sum_of(n int) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT sum(id + n) FROM made); END'",
    'SELECT next_of(id), sum_of(1) FROM made',
    'ALTER TABLE made ADD COLUMN price int',
    'UPDATE made SET price = next_of(1) WHERE id = 1',
    'CREATE VIEW seen AS SELECT id, next_of(price) AS next FROM made',
    'SELECT * FROM seen',
  ];
  const wrapped: Readonly<Record<string, readonly string[]>> = {
    'one after the other': uses,
    'in one transaction': ['BEGIN', ...uses, 'COMMIT'],
  };
  for (const [name, statements] of Object.entries(wrapped)) {
    await server.query(schema);
    const harness = await guarded(t);
    t.strictSame(
      await run(harness.url(), statements),
      statements.map(() => undefined),
      name,
    );
    const asked = harness.requests.map(({ sql }) => sql).filter((sql) => !/^(CREATE|ALTER)/.test(sql));
    t.strictSame(asked, [], name);
    await harness.close();
  }
});
