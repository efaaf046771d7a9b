/** "For the session" is for the same statement under the same circumstances: ways to make the same bytes another one. */
import pg from 'pg';
import t, { type Test } from 'tap';
import { compilePolicy } from '../../src/policy/engine.js';
import { startPostgres } from '../helpers/postgres.js';
import { bind, execute, parse, query, sync } from '../helpers/wire-messages.js';
import { forSession, no, once, startAttendedProxy } from './attended-proxy.js';

// reports search_path, as servers do since 18
const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());

const three = 'AS SELECT generate_series(1, 3) AS id;';
const tables = `CREATE TABLE orders ${three} CREATE TABLE customers ${three} CREATE TABLE other.orders ${three}`;
const statement = 'DELETE FROM orders';

/** A world in which `statement` is approved for the session, on a connection of its own. */
async function approved(t: Test, setup = tables, sql: string | pg.QueryConfig = statement) {
  const world = await startAttendedProxy(t, server, setup, { catalogPollMs: 60_000 });
  const client = await world.connect();
  const first = client.query(sql as string);
  await world.person.sees(1);
  world.person.says(forSession);
  await first;
  await client.query(sql as string);
  const unasked = await world.connect();
  await unasked.query(sql as string);
  t.equal(world.person.shown.length, 1, 'the same again is not asked about, from other connections neither');
  await server.query('INSERT INTO orders SELECT generate_series(1, 3)');
  return world;
}

type World = Awaited<ReturnType<typeof approved>>;

/** The statement is asked about although it was approved; denied, it harms nothing. */
async function isAsked(t: Test, world: World, client: pg.Client, sql: string | pg.QueryConfig = statement) {
  const seen = world.person.shown.length;
  const running = client.query(sql as string).catch((error) => error);
  const pending = await world.person.sees(seen + 1);
  world.person.says(no);
  t.match(await running, { code: '42501' });
  return pending;
}

t.test('timeouts and names of applications make no difference', async (t) => {
  const world = await approved(t);
  const client = await world.connect();
  for (const setting of ["application_name = 'x'", 'statement_timeout = 30000', 'LOCAL lock_timeout = 1'])
    await client.query(`SET ${setting}`);
  await client.query(statement);
  t.equal(world.person.shown.length, 1);
});

t.test('a temporary view takes the name of the table', async (t) => {
  const world = await approved(t);
  const client = await world.connect();
  await client.query('CREATE TEMP VIEW orders AS SELECT * FROM customers');
  await isAsked(t, world, client);
  t.equal(await world.count('customers'), 3);
});

t.test('a temporary view that is gone again', async (t) => {
  const world = await startAttendedProxy(t, server, tables, { catalogPollMs: 60_000 });
  const client = await world.connect();
  await client.query('BEGIN; CREATE TEMP TABLE orders (id int)');
  const first = client.query(statement);
  await world.person.sees(1);
  world.person.says(forSession);
  await first;
  await client.query('ROLLBACK');
  await isAsked(t, world, client);
  t.equal(await world.count('orders'), 3);
});

t.test('a search_path that the server has not reported yet', async (t) => {
  const world = await approved(t);
  const client = await world.raw();
  const pipeline = [parse('SET search_path = other'), bind(), execute(), parse(statement), bind(), execute(), sync()];
  await client.send(Buffer.concat(pipeline));
  const { request } = await world.person.sees(2);
  t.equal(request.searchPath, undefined, 'no path is shown where it is not known');
  world.person.says(no);
  await client.hears('Z', 1);
  t.equal(await world.count('other.orders'), 3);
});

t.test('a portal that was bound under another search_path', async (t) => {
  const world = await approved(t);
  const client = await world.raw();
  const run = async (...messages: Buffer[]) => {
    await client.send(Buffer.concat([...messages, sync()]));
    t.ok(await client.hears('Z', 1), 'nobody is asked about it');
  };
  await run(parse('BEGIN'), bind(), execute());
  await run(parse('SET search_path = other'), bind(), execute());
  await run(parse(statement, { name: 's' }), bind([], { statement: 's', portal: 'p' }));
  await run(parse('RESET search_path'), bind(), execute());
  await client.send(Buffer.concat([execute('p'), sync()]));
  const { request } = await world.person.sees(2);
  t.match(request, { sql: statement, searchPath: undefined }, 'it runs under the path of its Bind');
  world.person.says(no);
  await client.hears('Z', 1);
  await client.send(query('ROLLBACK'));
  await client.hears('Z', 1);
  t.equal(await world.count('other.orders'), 3);
});

t.test('another role, also one that only a transaction had', async (t) => {
  await server.query('DROP OWNED BY clerk').catch(() => undefined);
  await server.query('DROP ROLE IF EXISTS clerk');
  await server.query('CREATE ROLE clerk');
  const world = await approved(t, `${tables} GRANT ALL ON orders TO clerk; GRANT USAGE ON SCHEMA public TO clerk;`);
  const client = await world.connect();
  await client.query('BEGIN');
  const setting = client.query('SET LOCAL ROLE clerk');
  await world.person.sees(2);
  world.person.says(once);
  await setting;
  const asRole = client.query(`${statement} /* as clerk */`);
  await world.person.sees(3);
  world.person.says(forSession);
  await asRole;
  await client.query('COMMIT');
  await isAsked(t, world, client, `${statement} /* as clerk */`);
});

for (const [way, startup] of Object.entries({ SET: '', 'the startup packet': '&options=-c%20datestyle%3DGerman' })) {
  t.test(`another reading of dates, by ${way}`, async (t) => {
    const dated = "DELETE FROM orders WHERE day < '02/01/2024' OR true";
    const world = await approved(t, 'CREATE TABLE orders (id int, day date);', dated);
    const client = new pg.Client(world.harness.url() + startup);
    await client.connect();
    t.teardown(() => client.end());
    if (startup === '') await client.query("SET DateStyle = 'German'");
    await isAsked(t, world, client, dated);
  });
}

t.test('other types and formats of the same values', async (t) => {
  const text = { text: 'DELETE FROM orders WHERE $1 = $1', values: ['1'] };
  const world = await approved(t, tables, text);
  const client = await world.raw();
  const deny = async (bytes: Buffer) => {
    const seen = world.person.shown.length;
    await client.send(bytes);
    await world.person.sees(seen + 1);
    world.person.says(no);
    await client.hears('Z', 1);
  };
  await deny(Buffer.concat([parse(text.text, { types: [23] }), bind(['1']), execute(), sync()]));
  t.equal(await world.count('orders'), 3);
});

t.test('a definition that has changed, by way of the proxy', async (t) => {
  const setup = `${tables} CREATE VIEW gone AS SELECT * FROM orders;`;
  const world = await approved(t, setup, 'DELETE FROM gone');
  const client = await world.connect();
  const replaced = client.query('CREATE OR REPLACE VIEW gone AS SELECT * FROM customers');
  await world.person.sees(2);
  world.person.says(once);
  await replaced;
  await isAsked(t, world, client, 'DELETE FROM gone');
  t.equal(await world.count('customers'), 3);
});

t.test('code that runs what it finds is never approved for the session', async (t) => {
  const setup = `${tables} CREATE TABLE jobs (what text);
    CREATE FUNCTION work() RETURNS void LANGUAGE plpgsql AS
      $$ DECLARE job text; BEGIN FOR job IN SELECT what FROM jobs LOOP EXECUTE job; END LOOP; END $$;`;
  const { person, connect } = await startAttendedProxy(t, server, setup, { catalogPollMs: 60_000 });
  const client = await connect();
  for (const [index, sql] of ['SELECT work()', 'DO $$ BEGIN PERFORM work(); END $$'].entries()) {
    const running = client.query(sql).catch((error) => error);
    const { sessionObstacle } = await person.sees(index * 2 + 1);
    t.match(sessionObstacle, /cannot be seen/, sql);
    person.says(forSession);
    await person.sees(index * 2 + 2);
    person.says(no);
    t.match(await running, { code: '42501' }, 'such an answer is none: asked again');
  }
});

t.test('one approval of a migration ends with its transaction, however that ends', async (t) => {
  const policy = compilePolicy([], { profile: 'migrations' });
  const world = await startAttendedProxy(t, server, tables, { policy });
  const { person, connect, count } = world;
  for (const [index, end] of ['COMMIT AND CHAIN', 'ROLLBACK AND CHAIN', 'COMMIT; BEGIN'].entries()) {
    const client = await connect();
    await client.query('BEGIN');
    const made = client.query(`CREATE TABLE made${index} (id int)`);
    const { preview } = await person.sees(index * 2 + 1);
    t.match(preview.warnings.join(), 'further changes of this transaction');
    person.says(once);
    await made;
    await client.query(`CREATE INDEX ON made${index} (id)`);
    t.equal(person.shown.length, index * 2 + 1, 'part of it: not asked again');
    const [approval, covered] = world.harness.recorder.of('verdict').slice(-2);
    t.match(
      covered,
      { by: 'person', scope: 'transaction', under: approval?.of },
      'the verdict names the one it is under',
    );
    await client.query(end);
    const running = client.query(`DELETE FROM customers -- ${index}`).catch((error) => error);
    await person.sees(index * 2 + 2);
    person.says(no);
    t.match(await running, { code: '42501' }, end);
    await client.query('ROLLBACK');
  }
  t.equal(await count('customers'), 3);
});
