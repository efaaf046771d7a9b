/** `dbguard proxy` as a script meets it: flags in, one line out, and an orderly end. */
import { once } from 'node:events';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import t, { type Test } from 'tap';
import { signalsThat } from '../../src/io/terminal/signals.js';
import type { ProxyLine } from '../helpers/proxy-process.js';
import type { Spawned } from '../helpers/workspace.js';
import { developer, script } from './developer.js';

const { workspace, postgres, config, run } = await developer(t);
await postgres.query('CREATE DATABASE other');
await postgres.query('CREATE TABLE orders (id int)');

const password = 'chosen-by-the-script';
const passwordFile = join(workspace.home, 'password');
writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
const policyFile = join(workspace.home, 'policy.yaml');
writeFileSync(
  policyFile,
  `version: 1
policy:
  profile: observe
  rules:
    - name: not-this
      when: { table: orders, effect: delete }
      then: deny
      reason: Not here.
`,
);
const both = { ...(config.connections as object), wide: { url: postgres.url(), databases: 'any' } };
workspace.configure({ ...config, connections: both });

interface Running {
  readonly line: ProxyLine & { readonly password?: string };
  readonly process: Spawned;
  connect(database?: string, secret?: string): Promise<pg.Client>;
}

async function start(t: Test, ...flags: string[]): Promise<Running> {
  const process = workspace.dbguard(['proxy', '--json', ...flags]);
  t.teardown(() => process.kill('SIGTERM') && process);
  const { value } = await process.iterable()[Symbol.asyncIterator]().next();
  if (value === undefined) throw new Error((await process).stderr);
  const line: Running['line'] = JSON.parse(String(value));
  return {
    line,
    process,
    connect: async (database = line.database, secret = line.password ?? password) => {
      const { host, port, user } = line;
      const client = new pg.Client({ host, port, user, database, password: secret });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
  };
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    ({ code, message }) => ({ code, message }),
  );

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

async function running(part: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const rows = await postgres.query('SELECT 1 FROM pg_stat_activity WHERE query = $1', [part]);
    if (rows.length > 0) return;
    await sleep(20);
  }
}

t.test('every flag does what it says, and SIGTERM ends with 0 when the transcript is in the bucket', async (t) => {
  const port = await freePort();
  const listen = ['--listen', `127.0.0.1:${port}`];
  const { line, process, connect } = await start(
    t,
    ...['--connection', 'wide', '--policy', policyFile, ...listen, '--password-file', passwordFile],
  );
  t.match(line, { host: '127.0.0.1', port, user: 'postgres', database: 'postgres', session: /^[0-9a-z]{26}$/ });
  t.equal(line.password, undefined, 'who chose the password knows it');

  t.match(await failure(connect('postgres', 'wrong')), { code: '28P01' });
  const client = await connect();
  t.strictSame((await client.query('SELECT current_database()')).rows, [{ current_database: 'postgres' }]);
  t.match(await failure(client.query('DELETE FROM orders')), { code: '42501', message: /Not here/ });
  t.equal(await failure(client.query('CREATE TABLE by_the_policy_file_alone ()')), undefined);
  const other = await connect('other');
  t.strictSame((await other.query('SELECT current_database()')).rows, [{ current_database: 'other' }]);
  const bySocket = new pg.Client({ host: line.socket, port, user: line.user, password, database: 'postgres' });
  await bySocket.connect();
  await bySocket.end();

  const idle = once(other, 'error');
  const underWay = client.query("SELECT 'finished' AS how FROM pg_sleep(0.5)");
  await running("SELECT 'finished' AS how FROM pg_sleep(0.5)");
  const ended = once(client, 'error');
  process.kill('SIGTERM');
  t.match(await idle, [{ code: '57P01' }], 'an idle client is told at once');
  t.match(await failure(connect()), { code: /^(ECONNREFUSED|57P01)$/ });
  t.strictSame((await underWay).rows, [{ how: 'finished' }]);
  t.match(await ended, [{ code: '57P01' }]);
  const { exitCode, stdout, stderr } = await process;
  t.equal(exitCode, 0);
  t.equal(String(stdout).trim().split('\n').length, 1, 'one line on stdout');
  t.match(stderr, /transcript complete in the bucket/);
  const verified = await workspace.dbguard(['transcripts', 'verify', line.session]);
  t.equal(verified.exitCode, 0, verified.stdout);
});

t.test('whatever signal would end it drains it, and the session is sealed', async (t) => {
  for (const signal of signalsThat('ends')) {
    const { connect, process, line } = await start(t);
    const client = await connect();
    await client.query('SELECT 1');
    process.kill(signal);
    const { exitCode, stderr } = await process;
    t.equal(exitCode, 0, `${signal}: ${stderr}`);
    t.equal((await workspace.dbguard(['transcripts', 'verify', line.session])).exitCode, 0, signal);
  }
});

t.test('only the databases that the connection names', async (t) => {
  const { connect, line } = await start(t);
  t.type(line.password, 'string', 'without a file the password comes with the line');
  t.match(await failure(connect('other')), { code: '3D000' });
  const client = await connect();
  await client.end();
});

t.test('without --json: a connection string', async (t) => {
  const process = workspace.dbguard(['proxy']);
  const { value } = await process.iterable()[Symbol.asyncIterator]().next();
  const client = new pg.Client({ connectionString: String(value) });
  await client.connect();
  t.strictSame((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await client.end();
  process.kill('SIGINT');
  t.match(await process, { exitCode: 0 });
});

t.test('a restart of the server is survived by the next connection, and recorded', async (t) => {
  const { connect, line, process } = await start(t);
  const before = await connect();
  const ended = once(before, 'error');
  await postgres.restart('fast');
  t.match(await ended, [{ code: '57P01' }], 'what the server said');
  const after = await connect();
  t.strictSame((await after.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await after.end();
  process.kill('SIGTERM');
  t.match(await process, { exitCode: 0 });
  const { stdout } = await workspace.dbguard(['transcripts', 'show', line.session]);
  t.match(stdout, /server closed the connection/);
});

t.test('a restart in a long `run`, too', async (t) => {
  const program = script(`
    await attempt("SELECT 'ready'");
    const lost = await new Promise((resolve) => client.once('error', resolve));
    for (;;) {
      const again = new Client({ connectionString: process.env.DATABASE_URL });
      again.on('error', () => {});
      const rows = await again.connect().then(() => again.query('SELECT 1 AS one')).then(({ rows }) => rows, () => undefined);
      await again.end().catch(() => {});
      if (rows) return { lost: lost.code, rows };
    }`);
  const child = run(program);
  await running("SELECT 'ready'");
  await postgres.restart('immediate');
  const { stdout, exitCode, stderr } = await child;
  t.equal(exitCode, 0, stderr);
  t.match(JSON.parse(String(stdout).split('\n').at(-1) ?? ''), { rows: [{ one: 1 }] });
});

t.test('what cannot start says so, and what to do', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  t.teardown(() => taken.close());
  const short = join(workspace.home, 'short');
  writeFileSync(short, 'short\n');
  const attempts: [string[], RegExp][] = [
    [['--listen', '0.0.0.0:0'], /loopback/],
    [['--listen', 'nonsense'], /--listen takes an address and a port/],
    [['--listen', `127.0.0.1:${port}`], /cannot listen on 127\.0\.0\.1:\d+[\s\S]*port/],
    [['--password-file', join(workspace.home, 'nowhere')], /cannot read the password file/],
    [['--password-file', short], /shorter than 8 characters/],
    [['--connection', 'nobody'], /no connection "nobody".*\n.*main, wide/],
    [['--policy', join(workspace.home, 'nowhere.yaml')], /nowhere\.yaml/],
  ];
  const results = await Promise.all(attempts.map(([flags]) => workspace.dbguard(['proxy', '--json', ...flags])));
  for (const [index, { exitCode, stdout, stderr }] of results.entries()) {
    t.not(exitCode, 0);
    t.equal(stdout, '');
    t.match(stderr, attempts[index]?.[1], String(attempts[index]?.[0]));
  }
});

t.test('while the bucket cannot be reached it waits; a second signal ends it, and nothing is lost', async (t) => {
  const { connect, process, line } = await start(t);
  const client = await connect();
  await client.query("SELECT 'kept'");
  await client.end();
  renameSync(workspace.bucket, `${workspace.bucket}-elsewhere`);
  writeFileSync(workspace.bucket, 'no folder');
  process.kill('SIGTERM');
  for await (const said of process.iterable({ from: 'stderr', preserveNewlines: true })) {
    if (!said.includes('uploading the transcript')) continue;
    process.kill('SIGTERM');
    break;
  }
  t.match(await process, { exitCode: 1 });
  rmSync(workspace.bucket);
  renameSync(`${workspace.bucket}-elsewhere`, workspace.bucket);
  t.match(await workspace.dbguard(['upload']), { exitCode: 0 });
  t.match((await workspace.dbguard(['transcripts', 'show', line.session])).stdout, /SELECT 'kept'/);
});
