/**
 * Many clients at once, each doing something else every moment: work of every kind, and every rude way to stop. Whatever
 * they do, each gets the right answers, and in the end nothing of them is left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Disclosures, type EntryBody, RepeatedBody } from '../../src/transcript/entry.js';
import { openAdminConnection } from '../helpers/admin-connection.js';
import { startPostgres } from '../helpers/postgres.js';
import { MemoryRecorder, type ProxyInProcess, startProxyInProcess } from '../helpers/proxy-in-process.js';
import { Client } from '../helpers/wire-client.js';
import { copyData, copyDone, copyFail, parse, query, run, sync } from '../helpers/wire-messages.js';
import { named } from '../proxy/policies.js';

export interface SoakOptions {
  readonly seconds: number;
  readonly clients: number;
  readonly seed: number;
}

export interface SoakReport {
  /** How often each activity ran. */
  readonly done: Readonly<Record<string, number>>;
  /** Wrong answers, and whatever was left behind. */
  readonly wrong: readonly string[];
  readonly entries: number;
  /** Of this process, proxy and clients, after the first quarter and at the end, MB. */
  readonly heap: readonly [number, number];
}

/** Counts instead of keeping; knows which statements still owe an outcome. */
class SoakRecorder extends MemoryRecorder {
  count = 0;
  readonly unsettled = new Set<number>();

  override get size(): number {
    return this.count;
  }

  override append(given: EntryBody | RepeatedBody, disclosures: Disclosures = {}): number {
    const body = given instanceof RepeatedBody ? given.body : given;
    const n = this.count++;
    this.honesty.add(n, body, disclosures);
    if (body.k === 'statement') this.unsettled.add(n);
    if (body.k === 'outcome' || (body.k === 'verdict' && body.decision !== 'allow')) {
      this.unsettled.delete(Number(body.of));
    }
    return n;
  }
}

interface World {
  readonly harness: ProxyInProcess;
  readonly terminate: (pid: number) => Promise<unknown>;
  readonly random: () => number;
}

export async function soak({ seconds, clients, seed }: SoakOptions): Promise<SoakReport> {
  const postgres = await startPostgres({ settings: { max_connections: '250' } });
  const recorder = new SoakRecorder();
  const harness = await startProxyInProcess({
    upstreamUrl: postgres.url(),
    policy: named('denied', 'ask'),
    recorder,
    maxConnections: 200,
    timeouts: { handshakeMs: 20_000, lingerMs: 2_000 },
  });
  const admin = await openAdminConnection(postgres.url());
  await admin.query('CREATE TABLE denied (a int); CREATE TABLE t (a int, b text)');
  harness.answer = async () => {
    await sleep(3);
    return { decision: 'deny', by: { kind: 'person' } };
  };
  const terminate = (pid: number) => postgres.query('SELECT pg_terminate_backend($1)', [pid]);
  const done: Record<string, number> = {};
  const wrong: string[] = [];
  const until = Date.now() + seconds * 1000;
  const worker = async (number: number) => {
    const world: World = { harness, terminate, random: randomFrom(seed + number) };
    while (Date.now() < until) {
      const [name, act] = pick(world.random, Object.entries(activities));
      const complaint = await act(world).catch((error: unknown) => String(error));
      done[name] = (done[name] ?? 0) + 1;
      if (complaint !== undefined && wrong.length < 50) wrong.push(`${name}: ${complaint}`);
      harness.requests.length = 0;
    }
  };
  const firstHeap = sleep(seconds * 250).then(heapNow);
  await Promise.all(Array.from({ length: clients }, (_, number) => worker(number)));
  await settled(() => harness.proxy.connections === 0);
  const heap = [await firstHeap, heapNow()] as const;
  const left = {
    connections: harness.proxy.connections,
    'cancel keys': harness.proxy.cancelKeys,
    'statements without an outcome': recorder.unsettled.size,
    backends: Number((await admin.query(backends))[0]),
  };
  for (const [what, number] of Object.entries(left)) if (number !== 0) wrong.push(`left behind: ${number} ${what}`);
  await harness.close();
  await admin.end();
  await postgres.stop();
  await settled(() => leftovers().length === 0);
  for (const what of leftovers()) wrong.push(`left behind: ${what}`);
  return { done, wrong, entries: recorder.count, heap };
}

const backends = `SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;

/** Handles that only a connection or its timer can have left. */
function leftovers(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((one) => /^(TCPSocketWrap|TCPServerWrap|PipeServerWrap|Timeout)$/.test(one));
}

async function settled(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !holds(); tries++) {
    // unref'ed, so as not to count itself
    await sleep(50, undefined, { ref: false });
  }
}

function heapNow(): number {
  global.gc?.();
  return Math.round(process.memoryUsage().heapUsed / 1e6);
}

/** What went wrong, or nothing. */
type Activity = (world: World) => Promise<string | undefined>;

const activities: Readonly<Record<string, Activity>> = {
  'simple and extended queries': (world) =>
    withPg(world, async (client) => {
      for (let n = 0; n < 10; n++) {
        const { rows } = await client.query('SELECT $1::int + 1 AS n', [n]);
        if (rows[0].n !== n + 1) return `wrong sum ${rows[0].n}`;
        const several: unknown = await client.query(`SELECT ${n}; SELECT '${n}' AS s`);
        if (!Array.isArray(several) || several[1]?.rows[0].s !== String(n)) return 'wrong string';
      }
      return undefined;
    }),
  'a transaction with errors': (world) =>
    withPg(world, async (client) => {
      await client.query('BEGIN');
      await client.query('INSERT INTO t VALUES (1)');
      if ((await codeOf(client.query('SELECT 1/0'))) !== '22012') return 'no division by zero';
      if ((await codeOf(client.query('SELECT 1'))) !== '25P02') return 'the transaction goes on';
      await client.query('ROLLBACK');
      return undefined;
    }),
  'denials between other work': (world) =>
    withPg(world, async (client) => {
      if ((await codeOf(client.query('DELETE FROM denied'))) !== '42501') return 'not denied';
      if ((await codeOf(client.query('DELETE FROM denied WHERE a = $1', [1]))) !== '42501') return 'not denied';
      return (await client.query('SELECT 1 AS one')).rows[0].one === 1 ? undefined : 'wrong after a denial';
    }),
  'a large value there and back': (world) =>
    withPg(world, async (client) => {
      const value = 'v'.repeat(1 + Math.floor(world.random() * 2_000_000));
      return (await client.query('SELECT $1::text AS v', [value])).rows[0].v === value ? undefined : 'another value';
    }),
  'a pipeline with an error': async (world) => {
    const client = await loggedIn(world);
    await client.send(
      Buffer.concat([run('SELECT 1'), run('SELECT 1/0'), run('SELECT 2'), sync(), run('SELECT 3'), sync()]),
    );
    if (!(await client.hears('Z', 2))) return 'no answer';
    await client.hangUp();
    const rows = client.heard.filter(({ type }) => type === 'D').length;
    return rows === 2 ? undefined : `${rows} rows`;
  },
  'COPY in and out': async (world) => {
    const client = await loggedIn(world);
    await client.send(query('BEGIN; CREATE TEMP TABLE c (a text) ON COMMIT DROP; COPY c FROM STDIN'));
    await client.hears('G', 1);
    for (let n = 0; n < 50; n++) await client.send(copyData('0123456789\n'.repeat(1_000)));
    await client.send(world.random() < 0.3 ? copyFail('enough') : copyDone());
    if (!(await client.hears('Z', 1))) return 'no answer';
    await client.send(query('COPY c TO STDOUT'));
    if (!(await client.hears('Z', 1))) return 'no answer';
    await client.hangUp();
    return undefined;
  },
  'a result that is left in the middle': async (world) => {
    const client = await loggedIn(world);
    await client.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 100000)"));
    if (world.random() < 0.5) client.pause();
    await sleep(world.random() * 50);
    await client.hangUp();
    return undefined;
  },
  'a client that vanishes in a transaction': async (world) => {
    const client = await loggedIn(world);
    await client.send(query('BEGIN; INSERT INTO t VALUES (2)'));
    await sleep(world.random() * 10);
    await client.send(Buffer.concat([parse('SELECT 1'), query('SELECT pg_sleep(0.05)')]).subarray(0, 20));
    await client.hangUp();
    return undefined;
  },
  'a client that vanishes while it is asked about': async (world) => {
    const client = await loggedIn(world);
    await client.send(query('DELETE FROM denied'));
    await client.hangUp();
    return undefined;
  },
  'a cancel': (world) =>
    withPg(world, async (client) => {
      const sleeping = codeOf(client.query('SELECT pg_sleep(20)'));
      await sleep(20 + world.random() * 50);
      const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
      const canceller = new pg.Client({ connectionString: world.harness.url() }) as unknown as Canceller;
      canceller.connection.once('connect', () => canceller.connection.cancel(processID, secretKey));
      canceller.connection.on('error', () => undefined);
      canceller.connection.connect(world.harness.target.port, world.harness.target.host);
      return (await sleeping) === '57014' ? undefined : 'not cancelled';
    }),
  'an administrator ends it': (world) =>
    withPg(world, async (client) => {
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      const sleeping = codeOf(client.query('SELECT pg_sleep(20)'));
      await world.terminate(rows[0].pid);
      return (await sleeping) === '57P01' ? undefined : 'another end';
    }),
  notifications: (world) =>
    withPg(world, async (client) => {
      const channel = `c${Math.floor(world.random() * 1e9)}`;
      const heard = new Promise((resolve) => client.once('notification', ({ payload }) => resolve(payload)));
      await client.query(`LISTEN ${channel}`);
      await client.query(`NOTIFY ${channel}, 'x'`);
      return (await heard) === 'x' ? undefined : 'nothing heard';
    }),
  garbage: async (world) => {
    const client = world.random() < 0.5 ? await loggedIn(world) : await Client.open(world.harness.target);
    const bytes = Buffer.from(Array.from({ length: 1 + Math.floor(world.random() * 300) }, () => world.random() * 256));
    await client.send(bytes);
    await sleep(world.random() * 30);
    await client.hangUp();
    return undefined;
  },
};

interface Canceller {
  readonly connection: {
    connect(port: number, host: string): void;
    cancel(pid: number, key: number): void;
    once(event: 'connect', act: () => void): void;
    on(event: 'error', act: () => void): void;
  };
}

async function loggedIn({ harness }: World): Promise<Client> {
  const client = await Client.open(harness.target);
  await client.logIn();
  return client;
}

async function withPg(
  world: World,
  act: (client: pg.Client) => Promise<string | undefined>,
): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: world.harness.url() });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}

const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );

/** mulberry32: the same seed, the same clients. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}
