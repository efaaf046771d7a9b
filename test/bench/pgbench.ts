/** pgbench against one target, for a moment; its figures. */
import { execa } from 'execa';
import type { BenchTarget } from './targets.js';

export interface PgbenchRun {
  readonly clients: number;
  /** -S: one SELECT by key. Otherwise the TPC-B-like transaction of seven statements. */
  readonly selectOnly: boolean;
  readonly mode: 'simple' | 'extended' | 'prepared';
  /** One connection for each transaction: measures connecting. */
  readonly reconnect?: boolean;
  readonly seconds: number;
}

/** Transactions in a second. */
export async function pgbench(program: string, target: BenchTarget, run: PgbenchRun): Promise<number> {
  const { stdout, stderr } = await execa(
    program,
    [
      ...['-n', '-T', String(run.seconds), '-c', String(run.clients), '-j', String(Math.min(run.clients, 2))],
      ...['-M', run.mode, ...(run.selectOnly ? ['-S'] : []), ...(run.reconnect ? ['-C'] : [])],
    ],
    { env: libpqEnvironment(target), extendEnv: false },
  );
  const line = run.reconnect ? /tps = ([\d.]+) \(including reconnection/ : /tps = ([\d.]+) \(without initial/;
  const tps = line.exec(stdout)?.[1];
  if (tps === undefined) throw new Error(`pgbench to ${target.name} said nothing of tps:\n${stdout}\n${stderr}`);
  return Number(tps);
}

/** pgbench_accounts with 100,000 rows, and wide tables for results and COPY. */
export async function fill(program: string, direct: BenchTarget): Promise<void> {
  await execa(program, ['-i', '-q', '-s', '1'], { env: libpqEnvironment(direct), extendEnv: false });
}

export function libpqEnvironment({ host, port, user, password, database, tls }: BenchTarget): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
    PGSSLMODE: tls ? 'require' : 'disable',
  };
}
