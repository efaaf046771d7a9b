/** What stands in for pgbench where it is not installed: the same tables and transactions through node-postgres. */
import pg from 'pg';
import type { PgbenchRun } from './pgbench.js';
import type { BenchTarget } from './targets.js';

const accounts = 100_000;

export async function fill(direct: BenchTarget): Promise<void> {
  const client = await connect(direct);
  await client.query(`
    CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int);
    CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int);
    CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
    CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp);
    INSERT INTO pgbench_branches VALUES (1, 0);
    INSERT INTO pgbench_tellers SELECT n, 1, 0 FROM generate_series(1, 10) n;
    INSERT INTO pgbench_accounts SELECT n, 1, 0, '' FROM generate_series(1, ${accounts}) n;
    ANALYZE`);
  await client.end();
}

/** Transactions in a second. */
export async function nodeLoad(target: BenchTarget, run: PgbenchRun): Promise<number> {
  const end = performance.now() + run.seconds * 1000;
  const start = performance.now();
  const counts = await Promise.all(Array.from({ length: run.clients }, () => work(target, run, end)));
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - start) / 1000);
}

async function work(target: BenchTarget, run: PgbenchRun, end: number): Promise<number> {
  let count = 0;
  let client = await connect(target);
  for (; performance.now() < end; count++) {
    if (run.reconnect && count > 0) {
      await client.end();
      client = await connect(target);
    }
    for (const [name, text, values] of transaction(run.selectOnly)) {
      if (run.mode === 'simple') await client.query(text.replace(/\$(\d)/g, (_, n) => String(values[n - 1])));
      else await client.query(run.mode === 'prepared' ? { name, text, values } : { text, values });
    }
  }
  await client.end();
  return count;
}

function transaction(selectOnly: boolean): [name: string, text: string, values: number[]][] {
  const account = 1 + Math.floor(Math.random() * accounts);
  const read: [string, string, number[]] = ['s', 'SELECT abalance FROM pgbench_accounts WHERE aid = $1', [account]];
  if (selectOnly) return [read];
  const [teller, delta] = [1 + Math.floor(Math.random() * 10), Math.floor(Math.random() * 10_000) - 5000];
  return [
    ['begin', 'BEGIN', []],
    ['a', 'UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2', [delta, account]],
    read,
    ['t', 'UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2', [delta, teller]],
    ['b', 'UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2', [delta, 1]],
    ['h', 'INSERT INTO pgbench_history VALUES ($1, 1, $2, $3, CURRENT_TIMESTAMP)', [teller, account, delta]],
    ['end', 'END', []],
  ];
}

async function connect({ host, port, user, password, database }: BenchTarget): Promise<pg.Client> {
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  return client;
}
