/** What is measured, each as a function from a target to one figure. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyData, query } from '../helpers/wire-messages.js';
import type { PgbenchRun } from './pgbench.js';
import { RawClient } from './raw-client.js';
import { type BenchTarget, memoryOf } from './targets.js';

export interface Measure {
  readonly name: string;
  readonly unit: 'tps' | 'MB/s' | 'us' | 'ms' | 'MB';
  /** Whether more is better. Memory and latency are not. */
  readonly more: boolean;
  /** Rounds do not make it better: memory. */
  readonly once?: boolean;
  /** undefined: makes no sense for this target. */
  of(target: BenchTarget): Promise<number | undefined>;
}

export function measures(
  load: (target: BenchTarget, run: PgbenchRun) => Promise<number>,
  seconds: number,
  rows: number,
): Measure[] {
  const throughput = (name: string, run: Omit<PgbenchRun, 'seconds'>): Measure => ({
    name,
    unit: 'tps',
    more: true,
    of: (target) => load(target, { ...run, seconds }),
  });
  const modes = ['simple', 'extended', 'prepared'] as const;
  return [
    ...[1, 16].flatMap((clients) =>
      modes.map((mode) =>
        throughput(`SELECT by key, ${mode}, ${clients} client${clients === 1 ? '' : 's'}`, {
          clients,
          mode,
          selectOnly: true,
        }),
      ),
    ),
    throughput('TPC-B-like, simple, 1 client', { clients: 1, mode: 'simple', selectOnly: false }),
    throughput('TPC-B-like, prepared, 16 clients', { clients: 16, mode: 'prepared', selectOnly: false }),
    throughput('connect, SELECT, disconnect', { clients: 1, mode: 'simple', selectOnly: true, reconnect: true }),
    transfer(`SELECT of ${rows} rows`, wide(rows), rows),
    masked(rows),
    transfer(`COPY ${rows} rows out`, `COPY (${wide(rows)}) TO STDOUT`, rows),
    copyIn(rows),
    insertOfConstants(25_000),
    latency('latency of SELECT 1, median', 0.5, seconds),
    latency('latency of SELECT 1, 99 of 100', 0.99, seconds),
    peakMemory(rows),
    idleMemory(100),
  ];
}

async function withClient<Result>(target: BenchTarget, act: (client: RawClient) => Promise<Result>): Promise<Result> {
  const client = await RawClient.open(target);
  return act(client).finally(() => client.close());
}

function wide(rows: number): string {
  return `SELECT i, i * 2, md5('x') FROM generate_series(1, ${rows}) AS i`;
}

/** A refusal is fast, and no figure: an answer without the rows counts as none. */
function transfer(name: string, sql: string, rows: number): Measure {
  const of = (target: BenchTarget) =>
    withClient(target, async (client) => {
      const start = performance.now();
      await client.request(query(sql));
      return client.received < rows * 10 ? undefined : client.received / 1e3 / (performance.now() - start);
    });
  return { name, unit: 'MB/s', more: true, of };
}

/** Where nothing masks, the same rows as they are. */
function masked(rows: number): Measure {
  const measure = transfer(`SELECT of ${rows} rows, one column masked`, 'SELECT id, number, email FROM people', rows);
  return { ...measure, of: (target) => measure.of(target.masking ?? target) };
}

function copyIn(rows: number): Measure {
  const lines = Array.from({ length: 1000 }, (_, n) => `${n}\t${n * 2}\tabcdefghijklmnopqrstuvwxyz\n`).join('');
  const chunk = copyData(lines);
  const chunks = new Array<Buffer>(Math.ceil(rows / 1000)).fill(chunk);
  const of = (target: BenchTarget) =>
    withClient(target, async (client) => {
      await client.request(query('CREATE TEMP TABLE copied (a int, b int, c text)'));
      const start = performance.now();
      await client.copyIn(query('COPY copied FROM STDIN'), chunks);
      return (chunk.length * chunks.length) / 1e3 / (performance.now() - start);
    });
  return { name: `COPY ${rows} rows in`, unit: 'MB/s', more: true, of };
}

/** A text that nobody has seen: no round repeats one. */
function insertOfConstants(rows: number): Measure {
  const of = (target: BenchTarget) =>
    withClient(target, async (client) => {
      await client.request(query('CREATE TEMP TABLE inserted (id int, name text, price numeric, note text)'));
      const first = Math.floor(Math.random() * 1e9);
      const values = Array.from({ length: rows }, (_, n) => `(${first + n}, 'name of ${n}', ${n}.5, NULL)`);
      const statement = query(`INSERT INTO inserted (id, name, price, note) VALUES ${values.join(', ')}`);
      const start = performance.now();
      await client.request(statement);
      return performance.now() - start;
    });
  return { name: `INSERT of ${rows} rows of constants`, unit: 'ms', more: false, of };
}

function latency(name: string, percentile: number, seconds: number): Measure {
  const of = (target: BenchTarget) =>
    withClient(target, async (client) => {
      const statement = query('SELECT 1');
      const times: number[] = [];
      const end = performance.now() + seconds * 1000;
      for (let start = performance.now(); start < end; start = performance.now()) {
        await client.request(statement);
        times.push(performance.now() - start);
      }
      const sorted = times.sort((a, b) => a - b);
      return (sorted[Math.floor(sorted.length * percentile)] ?? 0) * 1000;
    });
  return { name, unit: 'us', more: false, of };
}

/** A result of a megabyte a row. */
function peakMemory(rows: number): Measure {
  const megabytes = Math.max(200, Math.round(rows / 1000));
  const of = async (target: BenchTarget) => {
    if (memoryOf(target.pid, 'peak') === undefined) return undefined;
    writeFileSync(`/proc/${target.pid}/clear_refs`, '5'); // the peak so far is forgotten (proc(5))
    await withClient(target, (client) =>
      client.request(query(`SELECT repeat('x', 1000000) FROM generate_series(1, ${megabytes})`)),
    );
    return memoryOf(target.pid, 'peak');
  };
  return { name: `peak memory in a result of ${megabytes} MB`, unit: 'MB', more: false, once: true, of };
}

function idleMemory(count: number): Measure {
  const of = async (target: BenchTarget) => {
    if (memoryOf(target.pid, 'now') === undefined) return undefined;
    const clients = await Promise.all(Array.from({ length: count }, () => RawClient.open(target)));
    await sleep(500);
    const memory = memoryOf(target.pid, 'now');
    for (const client of clients) client.close();
    await sleep(200);
    return memory;
  };
  return { name: `memory with ${count} idle connections`, unit: 'MB', more: false, once: true, of };
}
