/** What is measured, each as a function from a target to one figure. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyData, query } from '../helpers/wire-messages.js';
import { mixedDefinitions, schemaFile } from './definitions.js';
import { manyTables } from './many-tables.js';
import { maskedRows } from './masked-rows.js';
import type { PgbenchRun } from './pgbench.js';
import { RawClient } from './raw-client.js';
import { type BenchTarget, memoryOf, type TargetName } from './targets.js';

/** What dbguard is to reach: a ratio to another way, so much more than it, or a figure of its own. */
export type Goal =
  | { readonly of: TargetName; readonly ratio: number }
  | { readonly above: TargetName; readonly by: number }
  | { readonly figure: number };

export interface Measure {
  readonly name: string;
  readonly unit: 'tps' | 'MB/s' | 'rows/ms' | 'us' | 'ms' | 'MB' | 'x';
  readonly goals?: readonly Goal[];
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
  const throughput = (name: string, run: Omit<PgbenchRun, 'seconds'>, goals: readonly Goal[] = []): Measure => ({
    name,
    unit: 'tps',
    more: true,
    goals,
    of: (target) => load(target, { ...run, seconds }),
  });
  const prepared16 = { clients: 16, mode: 'prepared', selectOnly: true } as const;
  const modes = ['simple', 'extended', 'prepared'] as const;
  return [
    ...[1, 16].flatMap((clients) =>
      modes.map((mode) =>
        throughput(
          `SELECT by key, ${mode}, ${clients} client${clients === 1 ? '' : 's'}`,
          { clients, mode, selectOnly: true },
          mode === 'prepared' ? selectGoals[clients] : [],
        ),
      ),
    ),
    throughput('TPC-B-like, simple, 1 client', { clients: 1, mode: 'simple', selectOnly: false }),
    throughput('TPC-B-like, prepared, 16 clients', { clients: 16, mode: 'prepared', selectOnly: false }, [
      { of: 'byte pipe', ratio: 0.72 },
      { of: 'pgbouncer', ratio: 0.58 },
    ]),
    {
      ...throughput('the SELECT by unix sockets, 16 clients', prepared16, [{ of: 'byte pipe', ratio: 0.88 }]),
      of: (target) => load(target.sockets ?? target, { ...prepared16, seconds }),
    },
    throughput('connect, SELECT, disconnect', { clients: 1, mode: 'simple', selectOnly: true, reconnect: true }, [
      { of: 'pgbouncer', ratio: 0.78 },
    ]),
    {
      name: 'the SELECT with 500 rules, of without',
      ...{ unit: 'x', more: true, goals: [{ figure: 0.97 }] },
      async of({ ruled, ...plain }) {
        if (ruled === undefined) return undefined;
        return (await load(ruled, { ...prepared16, seconds })) / (await load(plain, { ...prepared16, seconds }));
      },
    },
    transfer(`SELECT of ${rows} rows`, wide(rows), rows, [{ of: 'direct', ratio: 0.97 }]),
    recorded(rows),
    ...maskedRows(rows),
    transfer(`COPY ${rows} rows out`, `COPY (${wide(rows)}) TO STDOUT`, rows, [{ of: 'direct', ratio: 0.97 }]),
    copyIn(rows),
    insertOfConstants(25_000),
    turnOfInsert(25_000, 'of constants'),
    turnOfInsert(25_000, 'with hints of secrets', "'the token of "),
    schemaFile(rows / 1_000),
    mixedDefinitions(rows / 10_000),
    latency('latency of SELECT 1, median', 0.5, seconds, 45),
    latency('latency of SELECT 1, 99 of 100', 0.99, seconds, 170),
    command('dbguard --version', ['--version'], 40),
    command('dbguard run -- true', ['run', '--', 'true'], 180),
    peakMemory(rows),
    idleMemory(100),
    ...manyTables(),
  ];
}

/** By number of clients. */
const selectGoals: Readonly<Record<number, readonly Goal[]>> = {
  1: [
    { of: 'byte pipe', ratio: 0.72 },
    { of: 'pgbouncer', ratio: 0.6 },
  ],
  16: [
    { of: 'byte pipe', ratio: 0.75 },
    { of: 'pgbouncer', ratio: 0.55 },
  ],
};

async function withClient<Result>(target: BenchTarget, act: (client: RawClient) => Promise<Result>): Promise<Result> {
  const client = await RawClient.open(target);
  return act(client).finally(() => client.close());
}

function wide(rows: number): string {
  return `SELECT i, i * 2, md5('x') FROM generate_series(1, ${rows}) AS i`;
}

/** A refusal is fast, and no figure: an answer without the rows counts as none. */
function transfer(name: string, sql: string, rows: number, goals: readonly Goal[]): Measure {
  const of = (target: BenchTarget) =>
    withClient(target, async (client) => {
      const start = performance.now();
      await client.request(query(sql));
      return client.received < rows * 10 ? undefined : client.received / 1e3 / (performance.now() - start);
    });
  return { name, unit: 'MB/s', more: true, goals, of };
}

/** Of a result that is longer than what is recorded of it. */
function recorded(rows: number): Measure {
  const { of } = transfer('', wide(rows), rows, []);
  return {
    name: `the SELECT of ${rows} rows recorded, of without`,
    ...{ unit: 'x', more: true, goals: [{ figure: 0.95 }] },
    async of({ recording, ...plain }) {
      if (recording === undefined) return undefined;
      const [without, figure] = [await of(plain), await of(recording)];
      return without === undefined || figure === undefined ? undefined : figure / without;
    },
  };
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
  return { name: `COPY ${rows} rows in`, unit: 'MB/s', more: true, goals: [{ of: 'direct', ratio: 0.97 }], of };
}

function insertOfConstants(rows: number): Measure {
  const of = (target: BenchTarget) =>
    withClient(target, async (client) => {
      await client.request(query(inserted));
      const statement = newInsert(rows);
      const start = performance.now();
      await client.request(statement);
      return performance.now() - start;
    });
  const goals: readonly Goal[] = [{ of: 'direct', ratio: 1.4 }];
  return { name: `INSERT of ${rows} rows of constants`, unit: 'ms', more: false, goals, of };
}

const inserted = 'CREATE TEMP TABLE inserted (id int, name text, price numeric, note text)';

/** A text that nobody has seen: no round repeats one. @param start of a literal in each row */
function newInsert(rows: number, start = "'name of "): Buffer {
  const first = Math.floor(Math.random() * 1e9);
  const values = Array.from({ length: rows }, (_, n) => `(${first + n}, ${start}${n}', ${n}.5, NULL)`);
  return query(`INSERT INTO inserted (id, name, price, note) VALUES ${values.join(', ')}`);
}

/** The longest that another client waits for its SELECT 1 meanwhile: a turn of the event loop, and what the machine adds. */
function turnOfInsert(rows: number, what: string, start?: string): Measure {
  const of = (target: BenchTarget) =>
    withClient(target, (client) =>
      withClient(target, async (other) => {
        await client.request(query(inserted));
        let running = true;
        const insert = client.request(newInsert(rows, start)).finally(() => {
          running = false;
        });
        let longest = 0;
        while (running) {
          const start = performance.now();
          await other.request(query('SELECT 1'));
          longest = Math.max(longest, performance.now() - start);
        }
        await insert;
        return longest;
      }),
    );
  const goals: readonly Goal[] = [{ above: 'byte pipe', by: 20 }];
  return { name: `another client waits: INSERT ${what}`, unit: 'ms', more: false, goals, of };
}

/** From its start to its end, with what it has to do for that. */
function command(name: string, args: readonly string[], ms: number): Measure {
  return { name, unit: 'ms', more: false, goals: [{ figure: ms }], of: async ({ run }) => run?.(args) };
}

function latency(name: string, percentile: number, seconds: number, by: number): Measure {
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
  return { name, unit: 'us', more: false, goals: [{ above: 'byte pipe', by }], of };
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
  const name = `memory with ${count} idle connections`;
  return { name, unit: 'MB', more: false, once: true, goals: [{ figure: 120 }], of };
}
