/**
 * Writes that hide behind a read: in functions, operators, casts, views, triggers, overloads and search_path. Through
 * the real proxy, in front of a real server whose catalog the proxy reads.
 */
import pg from 'pg';
import t, { type Test } from 'tap';
import { compilePolicy } from '../../src/policy/engine.js';
import { startPostgres } from '../helpers/postgres.js';
import { type ProxyInProcess, startProxyInProcess } from '../helpers/proxy-in-process.js';

const schema = `
  CREATE TABLE orders (id int PRIMARY KEY, note text);
  CREATE TABLE customers (id int, name text);
  CREATE SCHEMA evil;
  CREATE SCHEMA app;
  CREATE EXTENSION pg_trgm;
  CREATE FUNCTION label(n int) RETURNS text STABLE LANGUAGE sql AS 'SELECT note FROM orders WHERE id = n';
  CREATE FUNCTION tidy(n int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders WHERE id = n; END $$;
  CREATE FUNCTION counted() RETURNS bigint LANGUAGE plpgsql AS
    $$ DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM orders; RETURN n; END $$;

  CREATE FUNCTION purge() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders; RETURN 1; END $$;
  CREATE FUNCTION purge(n int) RETURNS int LANGUAGE sql AS 'SELECT n';
  CREATE FUNCTION middle() RETURNS int LANGUAGE sql AS 'SELECT purge()';
  CREATE FUNCTION outermost() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN middle(); END $$;
  CREATE FUNCTION liar() RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN purge(); END $$;
  CREATE FUNCTION honest_liar() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT purge()';
  CREATE FUNCTION dynamic(q text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE q; END $$;
  CREATE FUNCTION formatted(name text) RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE format('DELETE FROM %I', name); END $$;
  CREATE FUNCTION by_condition(everything bool) RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM orders WHERE everything; END $$;
  CREATE FUNCTION by_variable() RETURNS void LANGUAGE plpgsql AS
    $$ DECLARE lowest int := 0; BEGIN DELETE FROM orders WHERE lowest = lowest; END $$;
  CREATE FUNCTION by_default(n int DEFAULT purge()) RETURNS int LANGUAGE sql AS 'SELECT n';
  CREATE FUNCTION of_row(orders) RETURNS int LANGUAGE sql AS 'SELECT purge()';
  CREATE FUNCTION step(int, int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN TRUNCATE orders; RETURN 1; END $$;
  CREATE AGGREGATE total (int) (sfunc = step, stype = int, initcond = '0');
  CREATE FUNCTION lower(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN TRUNCATE orders; RETURN 1; END $$;
  CREATE FUNCTION evil.upper(text) RETURNS text LANGUAGE sql AS 'SELECT purge()::text';
  CREATE FUNCTION evil.similarity(text, text) RETURNS real LANGUAGE sql AS 'SELECT purge()::real';
  CREATE FUNCTION evil.plus(int, int) RETURNS int LANGUAGE sql AS 'SELECT purge()';
  CREATE OPERATOR evil.+ (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.plus);
  CREATE OPERATOR evil.<-> (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.plus);
  CREATE OPERATOR public.@+@ (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.plus);
  CREATE TYPE box3 AS (a int);
  CREATE FUNCTION to_box3(int) RETURNS box3 LANGUAGE sql AS 'SELECT ROW(purge())::box3';
  CREATE CAST (int AS box3) WITH FUNCTION to_box3(int);
  CREATE FUNCTION checked(int) RETURNS bool LANGUAGE sql AS 'SELECT purge() = 1';
  CREATE DOMAIN small AS int CHECK (checked(VALUE));

  CREATE VIEW notes AS SELECT id, label(id) FROM orders;
  CREATE VIEW evil_view AS SELECT purge() AS n;
  CREATE VIEW behind_view AS SELECT n FROM evil_view;
  CREATE VIEW hashes AS SELECT rolname, rolpassword FROM pg_authid;
  CREATE TABLE ruled (id int);
  CREATE RULE wipe AS ON INSERT TO ruled DO ALSO DELETE FROM customers;
  CREATE TABLE quiet (id int, touched timestamptz);
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := now(); RETURN NEW; END $$;
  CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON quiet FOR EACH ROW EXECUTE FUNCTION touch();
  CREATE TABLE trapped (id int);
  CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM customers; RETURN NEW; END $$;
  CREATE TRIGGER trap BEFORE INSERT ON trapped FOR EACH ROW EXECUTE FUNCTION trap();

  CREATE TABLE machined (id int, touched timestamptz);
  CREATE FUNCTION machine() RETURNS trigger LANGUAGE c AS '$libdir/moddatetime', 'moddatetime';
  CREATE TRIGGER machine BEFORE UPDATE ON machined FOR EACH ROW EXECUTE FUNCTION machine('touched');
  CREATE TABLE relayed (id int);
  CREATE FUNCTION relay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE machined SET id = 1 WHERE id = 2; RETURN NEW; END $$;
  CREATE TRIGGER relay BEFORE INSERT ON relayed FOR EACH ROW EXECUTE FUNCTION relay();
  CREATE FUNCTION numbered() RETURNS int LANGUAGE plpgsql AS $$ BEGIN TRUNCATE customers; RETURN 1; END $$;
  CREATE TABLE defaulted (id int DEFAULT numbered());
  CREATE TABLE constrained (id int CHECK (checked(id)));
  CREATE EXTENSION moddatetime;
  CREATE TABLE dated (id int, touched timestamptz, name text, words tsvector);
  CREATE TRIGGER dated BEFORE UPDATE ON dated FOR EACH ROW EXECUTE FUNCTION moddatetime('touched');
  CREATE TRIGGER words BEFORE INSERT OR UPDATE ON dated FOR EACH ROW
    EXECUTE FUNCTION tsvector_update_trigger(words, 'pg_catalog.english', name);
  CREATE TABLE dynamically (id int);
  CREATE FUNCTION partitioned() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE format('SELECT %L', NEW.id); RETURN NEW; END $$;
  CREATE TRIGGER partitioned BEFORE INSERT ON dynamically FOR EACH ROW EXECUTE FUNCTION partitioned();

  INSERT INTO orders SELECT n, 'n' || n FROM generate_series(1, 20) n;
  INSERT INTO customers SELECT n FROM generate_series(1, 20) n;`;

const server = await startPostgres({ version: 15 });
t.teardown(() => server.stop());
await server.query(schema);

/** Every question is answered with no; what was asked stands in `requests`. */
async function guarded(t: Test, pollMs = 60_000): Promise<ProxyInProcess> {
  const harness = await startProxyInProcess({
    upstreamUrl: server.url(),
    policy: compilePolicy([]),
    catalogPollMs: pollMs,
  });
  t.teardown(() => harness.close());
  return harness;
}

async function connect(t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  t.teardown(() => client.end());
  return client;
}

const rows = async (): Promise<number> => Number((await server.query('SELECT count(*) AS n FROM orders'))[0]?.n);

t.test('ordinary functions, views and triggers do not ask', async (t) => {
  const harness = await guarded(t);
  const client = await connect(t, harness.url());
  for (const sql of [
    'SELECT label(1), counted()',
    'SELECT tidy(-1)',
    'SELECT * FROM notes',
    "SELECT 'a' % 'b', abs(-1), 2 - 1",
    'INSERT INTO quiet VALUES (1)',
    'UPDATE quiet SET id = 2 WHERE id = 1',
    "INSERT INTO dated (id, name) VALUES (1, 'x')",
    'UPDATE dated SET id = 2 WHERE id = 1',
    'INSERT INTO dynamically VALUES (1)',
    'INSERT INTO machined VALUES (1)',
    'SELECT * FROM machined',
    'EXPLAIN UPDATE machined SET id = 1 WHERE id = 2',
    'EXPLAIN SELECT purge()',
  ])
    await t.resolves(client.query(sql), sql);
  t.strictSame(harness.requests, []);
});

t.test('a write behind a read asks, whatever it hides behind', async (t) => {
  const harness = await guarded(t);
  const client = await connect(t, harness.url());
  for (const sql of [
    'SELECT purge()',
    'SELECT purge(1)',
    'SELECT outermost()',
    'SELECT liar()',
    'SELECT honest_liar()',
    'EXPLAIN SELECT honest_liar()',
    "SELECT dynamic('DELETE FROM orders')",
    "SELECT formatted('orders')",
    'SELECT by_condition(true)',
    'SELECT by_variable()',
    'SELECT by_default()',
    'SELECT o.of_row FROM orders o',
    'SELECT (o).of_row FROM orders o',
    'SELECT total(id) FROM orders',
    'SELECT lower(1)',
    'SET search_path = evil, pg_catalog',
    "SELECT upper('x')",
    "SELECT evil.similarity('a', 'b')",
    'SELECT 1 OPERATOR(evil.+) 1',
    'SELECT 1 OPERATOR(evil.<->) 1',
    'SELECT 1 @+@ 1',
    'SELECT id FROM orders ORDER BY id + 1',
    'SELECT 1::box3',
    'SELECT CAST(1 AS small)',
    'SELECT * FROM evil_view',
    'SELECT * FROM behind_view',
    'COPY (SELECT * FROM behind_view) TO STDOUT',
    'SELECT * FROM hashes',
    'INSERT INTO ruled VALUES (1)',
    'INSERT INTO trapped VALUES (1)',
    'UPDATE machined SET id = 1 WHERE id = 2',
    'INSERT INTO relayed VALUES (1)',
    'INSERT INTO defaulted DEFAULT VALUES',
    'INSERT INTO constrained VALUES (1)',
    'UPDATE constrained SET id = 1 WHERE id = 2',
    'WITH x AS (SELECT middle()) SELECT 1 FROM orders WHERE id = (SELECT 1 FROM x)',
    'DECLARE c CURSOR WITH HOLD FOR SELECT purge()',
    'PREPARE p AS SELECT purge(); EXECUTE p',
  ]) {
    const before = harness.requests.length;
    const error = await client.query(sql).then(
      () => undefined,
      (cause: { code?: string }) => cause.code,
    );
    t.equal(error, '42501', sql);
    t.equal(harness.requests.length, before + 1, `${sql}: a person was asked`);
  }
  t.equal(await rows(), 20, 'nothing ran');
});

/** A function and a view that others will replace. */
async function harmless(t: Test): Promise<void> {
  await server.query("CREATE FUNCTION changing() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  await server.query('CREATE VIEW changing_view AS SELECT 1 AS n');
  t.teardown(() => server.query('DROP VIEW changing_view; DROP FUNCTION changing()'));
}

const harm = `CREATE OR REPLACE FUNCTION changing() RETURNS int LANGUAGE sql AS 'DELETE FROM orders; SELECT 1'`;

/** A person who approves definitions, and nothing else. */
function approveDefinitions(harness: ProxyInProcess): void {
  harness.answer = async (request) =>
    /^(CREATE|DO)/.test(request.sql)
      ? { decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' }
      : { decision: 'deny', by: { kind: 'nobody' } };
}

t.test('replaced between Parse and Execute', async (t) => {
  await harmless(t);
  const harness = await guarded(t);
  approveDefinitions(harness);
  const first = await connect(t, harness.url());
  const second = await connect(t, harness.url());
  const named = { name: 'named', text: 'SELECT changing() AS n' };
  const view = { name: 'view', text: 'SELECT * FROM changing_view' };
  await first.query('PREPARE by_sql AS SELECT changing() AS n');
  t.equal((await first.query(named)).rows[0].n, 1);
  t.equal((await first.query(view)).rows[0].n, 1);
  t.equal((await first.query('EXECUTE by_sql')).rows[0].n, 1);

  await second.query(harm);
  await t.rejects(first.query(named), { code: '42501' }, 'a prepared statement');
  await t.rejects(first.query('EXECUTE by_sql'), { code: '42501' }, 'a PREPARE of SQL');
  await t.rejects(first.query('SELECT changing()'), { code: '42501' }, 'a text whose facts were cached');
  await second.query('CREATE OR REPLACE VIEW changing_view AS SELECT changing() AS n');
  await t.rejects(first.query(view), { code: '42501' }, 'a view');
  t.equal(await rows(), 20, 'nothing ran');
});

t.test('replaced in a transaction that nobody else sees yet', async (t) => {
  await harmless(t);
  const harness = await guarded(t);
  approveDefinitions(harness);
  const first = await connect(t, harness.url());
  const second = await connect(t, harness.url());
  await first.query('BEGIN');
  await first.query(harm);
  await second.query('SELECT 1');
  await t.rejects(second.query('SELECT changing()'), { code: '42501' }, 'may be committed before this one runs');
  await t.rejects(first.query('SELECT changing()'), { code: '42501' }, 'in that transaction');
  await first.query('ROLLBACK');
  t.equal((await first.query('SELECT changing() AS n')).rows[0].n, 1, 'and is believed again after it');
  t.equal(await rows(), 20, 'nothing ran');
});

t.test('an overload of a built-in function, just made', async (t) => {
  const harness = await guarded(t);
  approveDefinitions(harness);
  const client = await connect(t, harness.url());
  await client.query('BEGIN');
  await client.query("CREATE FUNCTION abs(text) RETURNS int LANGUAGE sql AS 'DELETE FROM orders; SELECT 1'");
  await t.rejects(client.query("SELECT abs('x'::text)"), { code: '42501' });
  await client.query('ROLLBACK');
  await client.query('SELECT abs(-1)');
  t.equal(harness.requests.length, 2);
});

t.test('made by code that cannot be seen', async (t) => {
  await harmless(t);
  const harness = await guarded(t);
  approveDefinitions(harness);
  const client = await connect(t, harness.url());
  await client.query(`DO $do$ BEGIN EXECUTE $x$ ${harm} $x$ || ''; END $do$`);
  await t.rejects(client.query('SELECT changing()'), { code: '42501' });
  t.equal(await rows(), 20, 'nothing ran');
});

t.test('replaced by a connection that does not come through the proxy', async (t) => {
  await harmless(t);
  const harness = await guarded(t, 50);
  const client = await connect(t, harness.url());
  const named = { name: 'named', text: 'SELECT changing()' };
  await client.query(named);
  await server.query(harm.replace('DELETE FROM orders', 'DELETE FROM orders WHERE id = -1 OR id = id'));
  // how late it is noticed is bounded by the poll, which is what ends this loop
  while (harness.requests.length === 0) {
    await server.query('TRUNCATE orders; INSERT INTO orders SELECT n FROM generate_series(1, 20) n');
    await client.query(named).catch(() => {});
  }
  await t.rejects(client.query(named), { code: '42501' });
  t.equal(await rows(), 20);
});

t.test('a function that was just made can be called without a question when it is harmless', async (t) => {
  const harness = await guarded(t);
  approveDefinitions(harness);
  const client = await connect(t, harness.url());
  t.teardown(() => server.query('DROP FUNCTION fresh()'));
  await client.query("CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 7'");
  t.equal((await client.query('SELECT fresh() AS n')).rows[0].n, 7);
  t.equal(harness.requests.length, 1, 'only its definition was asked about');
});
