/**
 * Code that looks around before it acts: what it can see in a trial is what it sees in the real run, or the trial does not
 * say "exactly". Its time limits are kept from outside, so no setting tells.
 */
import pg from 'pg';
import t, { type Test } from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { once, startAttendedProxy } from './attended-proxy.js';

const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());

/** What a function can read without arguments that we know of; `same` where a trial must not change it at all. */
const looks: Readonly<Record<string, { readonly sql: string; readonly same?: true }>> = {
  'time limits': {
    sql: `concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('transaction_timeout'),
      current_setting('idle_in_transaction_session_timeout'))`,
    same: true,
  },
  'all settings': {
    sql: `(SELECT string_agg(concat(name, '=', setting), ' ' ORDER BY name) FROM pg_settings)`,
    same: true,
  },
  'where settings come from': {
    sql: `(SELECT string_agg(concat(name, '=', source), ' ' ORDER BY name) FROM pg_settings)`,
  },
  'reading only': { sql: `current_setting('transaction_read_only')`, same: true },
  'its name': { sql: `current_setting('application_name')`, same: true },
  'its process': { sql: `pg_backend_pid()::text`, same: true },
  'locks it holds': {
    sql: `(SELECT string_agg(DISTINCT concat(locktype, mode, relation::regclass), ' ') FROM pg_locks WHERE pid = pg_backend_pid())`,
  },
  'its statement': { sql: `(SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid())` },
  'its transaction': { sql: `concat(pg_current_xact_id_if_assigned()::text, txid_current_if_assigned())` },
  snapshot: { sql: `pg_current_snapshot()::text` },
  'savepoints above': {
    sql: `(SELECT count(*)::text FROM pg_stat_get_backend_idset() i, pg_stat_get_backend_subxact(i) s WHERE s.subxact_count > 0)`,
  },
  'the clock': { sql: `(clock_timestamp() - transaction_timestamp() > interval '1 hour')::text` },
  'a sequence': { sql: `(SELECT last_value::text FROM counter)` },
  'advisory locks': { sql: `pg_try_advisory_lock_shared(7)::text` },
  'prepared statements': { sql: `(SELECT count(*)::text FROM pg_prepared_statements)` },
  cursors: { sql: `(SELECT count(*)::text FROM pg_cursors)` },
  'rows changed so far': { sql: `pg_stat_get_xact_tuples_deleted('prey'::regclass)::text` },
  'who asks': { sql: `concat(current_user, session_user, current_database())`, same: true },
};

interface Way {
  readonly block: boolean;
  run(client: pg.Client, sql: string): Promise<unknown>;
}

const ways: Readonly<Record<string, Way>> = {
  simple: { block: false, run: (client, sql) => client.query(sql) },
  'simple, in a block': { block: true, run: (client, sql) => client.query(sql) },
  extended: { block: false, run: (client, sql) => client.query({ text: sql, values: [], name: sql }) },
  'extended, in a block': {
    block: true,
    run: (client, sql) => client.query({ text: `${sql} AND 'x' = $1`, values: ['x'] }),
  },
};

const setup = `
  CREATE TABLE prey (id int);
  CREATE TABLE noted (what text PRIMARY KEY, value text);
  CREATE SEQUENCE counter;
  ${Object.values(looks)
    .map(
      ({ sql }, index) => `
  CREATE FUNCTION look_${index}() RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RETURN ${sql}; END $f$;
  CREATE FUNCTION spring_${index}() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
    RETURN (SELECT value IS NOT DISTINCT FROM look_${index}() FROM noted WHERE what = 'look'); END $f$;`,
    )
    .join('')}`;

async function tryOut(world: Awaited<ReturnType<typeof startAttendedProxy>>, id: string): Promise<string> {
  const found = new Promise<string>((resolve) => {
    const stop = world.desk.onChange((event) => {
      if (event.kind !== 'changed' || event.pending.dryRun !== 'done') return;
      stop();
      resolve(event.pending.preview.dryRun.map(({ label, text }) => `${label}: ${text}`).join('\n'));
    });
  });
  world.desk.tryOut(id);
  return found;
}

for (const [name, way] of Object.entries(ways)) {
  t.test(`what code sees when it is tried: ${name}`, async (t) => {
    const world = await startAttendedProxy(t, server, setup, { catalogPollMs: 60_000 });
    const client = await world.connect();
    await client.query("SET statement_timeout = '91s'; SET lock_timeout = '17s'; SET application_name = 'mine'");
    let asked = 0;
    for (const [index, [what, { same }]] of Object.entries(looks).entries()) {
      await server.query('TRUNCATE prey, noted; INSERT INTO prey SELECT generate_series(1, 7)');
      if (way.block) await client.query('BEGIN');
      // what it is where nobody tries anything
      const { rows } = await client.query(`SELECT look_${index}() AS seen`);
      await server.query('INSERT INTO noted VALUES ($1, $2)', ['look', rows[0]?.seen ?? null]);
      const running = way.run(client, `DELETE FROM prey WHERE spring_${index}()`).then(
        () => 'ran',
        ({ code }) => code,
      );
      const { request } = await world.person.sees(++asked);
      const told = await tryOut(world, request.id);
      const again = /exactly (\d+) row/.exec(told);
      if (same) t.match(told, /(exactly|this time) 7 rows of prey/, `${what}: the trial sees what the real run sees`);
      else t.ok(again === null || again[1] === '7', `${what}: ${told}`);
      world.person.says({ decision: 'deny' });
      await running;
      if (way.block) await client.query('ROLLBACK');
    }
  });
}

t.test('a trial that waits for a lock is stopped, and its session is as it was', async (t) => {
  const world = await startAttendedProxy(t, server, setup, { catalogPollMs: 60_000 });
  await server.query('INSERT INTO prey SELECT generate_series(1, 7)');
  const client = await world.connect();
  const other = new pg.Client(server.url());
  await other.connect();
  t.teardown(() => other.end());
  let asked = 0;
  for (const [name, way] of Object.entries(ways)) {
    await other.query('BEGIN; SELECT * FROM prey FOR UPDATE');
    if (way.block) await client.query('BEGIN');
    const running = way.run(client, 'DELETE FROM prey WHERE true').catch(({ code }) => code);
    const { request } = await world.person.sees(++asked);
    t.match(await tryOut(world, request.id), /stopped: another session holds a lock that it needs/, name);
    await other.query('ROLLBACK');
    world.person.says(once);
    t.match(await running, { rowCount: 7 }, name);
    if (way.block) await client.query('ROLLBACK');
    else await server.query('INSERT INTO prey SELECT generate_series(1, 7)');
    t.match((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  }
});

t.test('code that catches the first cancel meets the next one', async (t: Test) => {
  const world = await startAttendedProxy(t, server, [
    setup,
    `INSERT INTO prey SELECT generate_series(1, 7);
     CREATE FUNCTION stubborn(int) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
       BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END;
       PERFORM pg_sleep(600); RETURN true; END $f$`,
  ]);
  const client = await world.connect();
  const running = client.query('DELETE FROM prey WHERE stubborn(id)').catch(({ code }) => code);
  const { request } = await world.person.sees(1);
  const told = await tryOut(world, request.id);
  t.match(told, /stopped after|cannot look into|takes longer/);
  world.person.says({ decision: 'deny' });
  t.equal(await running, '42501');
  t.match((await client.query('SELECT count(*)::int AS n FROM prey')).rows, [{ n: 7 }]);
});
