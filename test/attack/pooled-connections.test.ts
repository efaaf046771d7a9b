/** Whoever leaves something behind in a server connection for the next client of it, or reaches into it from behind. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type Socket, connect as tcp } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type pg from 'pg';
import t from 'tap';
import { encodeCancelRequest } from '../../src/wire/startup.js';
import { audience, stageGateway } from '../helpers/gateway.js';

const log = { logging_collector: 'on', log_directory: 'log', log_filename: 'server.log', log_destination: 'csvlog' };
const settings = {
  ...log,
  log_connections: 'on',
  log_disconnections: 'on',
  log_statement: 'all',
  wal_level: 'replica',
};
const stage = await stageGateway({ postgres: { settings } });
t.teardown(() => stage.close());
const { postgres } = stage;
await postgres.query(`CREATE TABLE orders (id int);
  CREATE SEQUENCE numbers;
  CREATE ROLE app SUPERUSER LOGIN PASSWORD 'app-secret';
  CREATE ROLE reader; GRANT SELECT ON orders TO reader;
  CREATE FUNCTION opaque(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE $1; RETURN 'done'; END $$`);

const more = {
  policy: { profile: 'observe' },
  connections: { shop: { url: postgres.url('postgres', 'app', 'app-secret'), environment: 'development' } },
};
// one place, so that whoever comes next has this connection, or waits until it is gone
stage.configure({ pool: { size: 1, idle: '1h', wait: '60s' } }, more);
const gateway = await stage.start();

const token = await stage.tokenOf('ada');
const services = { user: 'ada@example.test' };

/** What a session can find of itself. Of names that are not asked for here the settings tell. */
const probe = `SELECT current_user, session_user, current_setting('role') AS role,
  current_setting('my.tenant', true) AS tenant, current_setting('dbguard.session') AS session,
  current_setting('dbguard.subject') AS subject,
  (SELECT array_agg(name || '=' || setting ORDER BY name) FROM pg_settings WHERE name NOT LIKE 'plpgsql.%') AS settings,
  (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
  (SELECT array_agg(name) FROM pg_prepared_statements) AS prepared,
  (SELECT array_agg(name) FROM pg_cursors WHERE is_holdable) AS cursors,
  (SELECT array_agg(c) FROM pg_listening_channels() c) AS channels,
  pg_my_temp_schema()::int AS temporary, to_regclass('pg_temp.mine')::text AS relation,
  (SELECT count(*)::int FROM pg_get_replication_slots() WHERE temporary AND active_pid = pg_backend_pid()) AS slots,
  now() = statement_timestamp() AS alone`;

async function found(client: pg.Client): Promise<Record<string, unknown>> {
  return (await client.query(probe)).rows[0];
}

async function pidOf(client: pg.Client): Promise<number> {
  return (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
}

const first = await gateway.connect(token, services);
const asNew = await found(first);
await first.end();

interface Leaving {
  readonly what: string;
  readonly does: readonly string[];
  /** Whether the next one has the same connection. */
  readonly passes: boolean;
}

const leavings: readonly Leaving[] = [
  { what: 'nothing but an answer', does: ['SELECT 1'], passes: true },
  {
    what: 'rows that it has changed',
    does: ['INSERT INTO orders VALUES (1)', 'DELETE FROM orders WHERE id = 1'],
    passes: true,
  },
  { what: 'an error', does: ['SELECT 1/0'], passes: true },
  {
    what: 'settings',
    does: ['SET work_mem = 64', 'SET search_path = pg_temp, evil', 'SET row_security = off'],
    passes: true,
  },
  { what: 'a setting by function', does: ["SELECT set_config('statement_timeout', '5', false)"], passes: true },
  { what: 'transactions that only read', does: ['SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY'], passes: true },
  { what: 'a name for itself', does: ["SET application_name = 'root'"], passes: true },
  { what: 'an encoding', does: ["SET client_encoding = 'LATIN1'"], passes: true },
  { what: 'a role', does: ['SET ROLE reader'], passes: true },
  { what: 'another user', does: ['SET SESSION AUTHORIZATION reader'], passes: true },
  { what: 'a prepared statement', does: ["PREPARE mine AS SELECT 'theirs'"], passes: true },
  {
    what: 'a cursor that outlives its transaction',
    does: ['DECLARE mine CURSOR WITH HOLD FOR SELECT 1'],
    passes: true,
  },
  { what: 'a lock', does: ['SELECT pg_advisory_lock(7)'], passes: true },
  { what: 'an ear', does: ['LISTEN mine', "NOTIFY mine, 'secret'"], passes: true },
  { what: 'the last number of a sequence', does: ["SELECT nextval('numbers')"], passes: true },
  { what: 'a temporary table', does: ['CREATE TEMPORARY TABLE mine (a int)'], passes: false },
  {
    what: 'a temporary table that is gone',
    does: ['CREATE TEMPORARY TABLE mine (a int)', 'DROP TABLE mine'],
    passes: false,
  },
  {
    what: 'a temporary view in the place of a table',
    does: ['CREATE TEMP VIEW orders AS SELECT 2 AS id'],
    passes: false,
  },
  { what: 'a setting of its own', does: ["SET my.tenant = 'acme'"], passes: false },
  { what: 'an open transaction', does: ['BEGIN', 'SELECT 1'], passes: false },
  { what: 'a failed transaction', does: ['BEGIN', 'SELECT 1/0'], passes: false },
  { what: 'code', does: ["DO $$ BEGIN PERFORM set_config('my.tenant', 'x', false); END $$"], passes: false },
  { what: 'code that cannot be seen', does: ["SELECT opaque('CREATE TEMP TABLE mine ()')"], passes: false },
  { what: 'a library', does: ["LOAD 'auto_explain'"], passes: false },
  { what: 'a slot', does: ["SELECT pg_create_physical_replication_slot('mine', true, true)"], passes: false },
  {
    what: 'an origin',
    does: ["SELECT pg_replication_origin_create('mine')", "SELECT pg_replication_origin_session_setup('mine')"],
    passes: false,
  },
];

for (const { what, does, passes } of leavings) {
  t.test(`the next client finds nothing of ${what}`, async (t) => {
    const client = await gateway.connect(token, services);
    const pid = await pidOf(client);
    for (const sql of does) await client.query(sql).catch(() => undefined);
    await client.end();
    const next = await gateway.connect(token, services);
    t.strictSame(await found(next), asNew);
    t.equal((await pidOf(next)) === pid, passes, passes ? 'it is the same connection' : 'it is another connection');
    await t.rejects(next.query("SELECT currval('numbers')"), { code: '55000' });
    await t.rejects(next.query('EXECUTE mine'), { code: '26000' });
    await t.rejects(next.query('FETCH mine'), { code: '34000' });
    await next.end();
  });
}

t.test('what comes of random() is not known to whoever was there before', async (t) => {
  const client = await gateway.connect(token, services);
  const pid = await pidOf(client);
  await client.query('SELECT setseed(0.25)');
  const mine = (await client.query('SELECT random() AS r')).rows[0].r;
  await client.query('SELECT setseed(0.25)');
  await client.query('SELECT random()');
  const following = (await client.query('SELECT random() AS r')).rows[0].r;
  await client.query('SELECT setseed(0.25)');
  t.equal((await client.query('SELECT random() AS r')).rows[0].r, mine);
  await client.end();
  const next = await gateway.connect(token, services);
  t.equal(await pidOf(next), pid);
  t.not((await next.query('SELECT random() AS r')).rows[0].r, following);
  await next.end();
});

t.test('what was opened otherwise is for nobody else', async (t) => {
  const client = await gateway.connect(token, services);
  const pid = await pidOf(client);
  await client.end();
  const others: [string, string, pg.ClientConfig][] = [
    ['other options', token, { ...services, options: '-c work_mem=128' }],
    ['another name of the program', token, { ...services, application_name: 'other' }],
    ['another token of the same person', await stage.tokenOf('ada'), services],
    ['another person', await stage.tokenOf('bob'), { user: 'bob@example.test' }],
  ];
  const seen = new Set([pid]);
  for (const [what, shown, options] of others) {
    const other = await gateway.connect(shown, options);
    const theirs = await pidOf(other);
    t.notOk(seen.has(theirs), what);
    seen.add(theirs);
    const { work_mem, subject } = (
      await other.query("SELECT current_setting('work_mem') AS work_mem, current_setting('dbguard.subject') AS subject")
    ).rows[0];
    t.equal(work_mem, what === 'other options' ? '128kB' : '4MB');
    t.match(subject, what === 'another person' ? /bob/ : /ada/);
    await other.end();
  }
});

async function cancel(client: pg.Client): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const key = Buffer.alloc(4);
  key.writeInt32BE(secretKey);
  const socket = tcp(gateway.port, '127.0.0.1').on('error', () => undefined);
  socket.resume();
  socket.write(encodeCancelRequest(processID, key));
  await once(socket, 'close');
}

t.test('the key of who was there before cancels nothing of who is there now', async (t) => {
  const before = await gateway.connect(token, services);
  const pid = await pidOf(before);
  await before.end();
  const now = await gateway.connect(token, services);
  t.equal(await pidOf(now), pid);
  const sleeps = async (): Promise<void> => {
    const question = `SELECT 1 FROM pg_stat_activity WHERE pid = ${pid} AND state = 'active' AND query LIKE '%pg_sleep%'`;
    for (const end = Date.now() + 60_000; Date.now() < end; ) if ((await postgres.query(question)).length > 0) return;
    throw new Error('it does not run');
  };
  const runs = now.query('SELECT pg_sleep(1), 1 AS done');
  await sleeps();
  await cancel(before);
  t.match((await runs).rows, [{ done: 1 }]);
  const cancelled = now.query('SELECT pg_sleep(100)');
  cancelled.catch(() => undefined);
  await sleeps();
  await cancel(now);
  await t.rejects(cancelled, { code: '57014' }, 'their own does');
  await now.end();
  const next = await gateway.connect(token, services);
  t.not(await pidOf(next), pid, 'a request on its way may come late: nobody else is there then');
  await next.end();
});

t.test('who breaks off in the middle leaves nobody a connection', async (t) => {
  const client = await gateway.connect(token, services);
  const pid = await pidOf(client);
  const { stream } = (client as unknown as { connection: { stream: NodeJS.WritableStream & { destroy(): void } } })
    .connection;
  // half of a Query
  stream.write(Buffer.from('Q\0\0\0\x40SELECT'));
  stream.end();
  const next = await gateway.connect(token, services);
  t.not(await pidOf(next), pid);
  await next.end();
});

t.test('who vanishes in the middle of an answer leaves nobody the rest of it', async (t) => {
  const client = await gateway.connect(token, services);
  const pid = await pidOf(client);
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  const gone = client.query("SELECT repeat('theirs', 1000) FROM generate_series(1, 100000)").catch(() => undefined);
  await once(stream, 'data');
  stream.destroy();
  await gone;
  const next = await gateway.connect(token, services);
  t.strictSame(await found(next), asNew);
  t.not(await pidOf(next), pid);
  await next.end();
});

t.test('who vanishes at rest has left', async (t) => {
  const client = await gateway.connect(token, services);
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  await client.query('SELECT set_config($1, $2, false)', ['search_path', 'evil']);
  stream.destroy();
  const next = await gateway.connect(token, services);
  t.strictSame(await found(next), asNew);
  await next.end();
});

t.test('who finds no place hears so, and who has another user waits for none', async (t) => {
  const log = gateway.log.length;
  stage.configure({ pool: { size: 1, wait: '1s' }, services: { 'repo:acme/shop:*': { connections: ['shop'] } } }, more);
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    if (gateway.log.slice(log).some(({ event }) => event === 'settings-changed')) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const one = await gateway.connect(token, services);
  await t.rejects(gateway.connect(await stage.tokenOf('bob'), { user: 'bob@example.test' }), {
    code: '53300',
    message: /no server connection became free/,
  });
  const waits = gateway.connect(await stage.platform.sign({ sub: 'repo:acme/shop:x', aud: audience }), {
    user: 'repo:acme/shop:x',
  });
  await one.end();
  const came = await waits;
  t.match((await came.query('SELECT 1 AS one')).rows, [{ one: 1 }], 'as soon as another has gone');
  await came.end();
});

t.test('what dbguard asks in between is in the transcript, as nobody’s statement, and strange to no log', async (t) => {
  t.equal(await gateway.stop(), 0);
  const { workspace } = stage;
  const files = readdirSync(workspace.bucket, { recursive: true }).map((file) => join(workspace.bucket, String(file)));
  const entries = files
    .filter((file) => file.endsWith('.jsonl.gz'))
    .flatMap((file) => gunzipSync(readFileSync(file)).toString().split('\n'));
  const kept = entries.filter((line) => line.includes('DISCARD ALL'));
  t.ok(kept.length >= leavings.filter(({ passes }) => passes).length);
  t.ok(
    kept.every((line) => /"k":"connection"/.test(line) && /"event":"own"/.test(line) && /"backendPid":\d+/.test(line)),
    kept.find((line) => !line.includes('"own"')) ?? 'as dbguard’s own',
  );
  const config = ['--config', join(workspace.project, 'dbguard.yaml')];
  const verified = await workspace.dbguard(['transcripts', 'verify', '--all', ...config]);
  t.match(verified.stdout, / 0 changed or forged/);
  const [row] = await postgres.query<{ data_directory: string }>('SHOW data_directory');
  const written = join(row?.data_directory ?? '', 'log', 'server.csv');
  const reconciled = await workspace.dbguard(['transcripts', 'reconcile', '--user', 'app', written, ...config]);
  t.equal(reconciled.exitCode, 0, reconciled.stdout + reconciled.stderr);
});
