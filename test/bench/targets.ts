/** The four ways to one server that are compared. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestPostgres } from '../helpers/postgres.js';
import { account } from '../helpers/postgres-binaries.js';
import { type ProxyProcessOptions, startProxyProcess } from '../helpers/proxy-process.js';
import { repositoryRoot } from '../helpers/repository.js';
import { maskedExamples } from './masked-kinds.js';

export type TargetName = 'direct' | 'pgbouncer' | 'byte pipe' | 'dbguard';

export interface BenchTarget {
  readonly name: TargetName;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Towards clients. */
  readonly tls?: boolean;
  /** The process in between, where there is one. */
  readonly pid?: number;
  /** The same with masked columns. */
  readonly masking?: BenchTarget;
  /** The same with 500 rules. */
  readonly ruled?: BenchTarget;
  /** The same with results recorded. */
  readonly recording?: BenchTarget;
  /** The same where definitions pass unasked. */
  readonly observing?: BenchTarget;
  /** The same by unix sockets on both sides. */
  readonly sockets?: BenchTarget;
  /** Another one, on the database that `make` has made. */
  readonly startOn?: (make: (url: TestPostgres['url']) => Promise<string>) => Promise<BenchTarget>;
  /** Runs the command with these arguments; milliseconds. */
  readonly run?: (args: readonly string[]) => Promise<number>;
  stop(): Promise<void>;
}

/** Session pooling and a login of its own, which is what dbguard does too. */
export async function startPgbouncer(
  server: TestPostgres,
  tls?: { readonly certificate: string; readonly key: string },
): Promise<BenchTarget | undefined> {
  const program = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'].find(existsSync);
  if (program === undefined) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'dbguard-bouncer-'));
  const port = await freePort();
  const ini = `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${dir}/users
pool_mode = session
default_pool_size = 150
max_client_conn = 500
log_connections = 0
log_disconnections = 0
ignore_startup_parameters = extra_float_digits
${tls ? `client_tls_sslmode = require\nclient_tls_cert_file = ${dir}/tls.crt\nclient_tls_key_file = ${dir}/tls.key\n` : ''}`;
  for (const [name, text] of Object.entries({
    'bouncer.ini': ini,
    users: `"${server.superuser}" "${server.password}"\n`,
    ...(tls && { 'tls.crt': tls.certificate, 'tls.key': tls.key }),
  }))
    writeFileSync(join(dir, name), text, { mode: 0o644 });
  if (account.uid !== undefined && account.gid !== undefined) chownSync(dir, account.uid, account.gid);
  const bouncer = spawn(program, ['-q', join(dir, 'bouncer.ini')], { ...account, stdio: 'ignore' });
  const { host, superuser: user, password } = server;
  const target: BenchTarget = {
    ...{ name: 'pgbouncer', host, port, user, password, database: 'postgres', tls: tls !== undefined },
    ...(bouncer.pid === undefined ? {} : { pid: bouncer.pid }),
    stop: async () => {
      bouncer.kill('SIGTERM');
      if (bouncer.exitCode === null) await Promise.race([once(bouncer, 'exit'), sleep(2000)]);
      bouncer.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await sleep(300);
  if (bouncer.exitCode === null) return target;
  await target.stop();
  return undefined;
}

export function direct(server: TestPostgres): BenchTarget {
  const { host, port, superuser: user, password } = server;
  return { name: 'direct', host, port, user, password, database: 'postgres', stop: async () => undefined };
}

/** In a process of its own, as dbguard is. */
export async function startPipe(server: TestPostgres): Promise<BenchTarget> {
  const program = join(repositoryRoot, 'dist/test/bench/byte-pipe.js');
  const pipe = spawn(process.execPath, [program, String(server.port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [chunk] = await once(pipe.stdout, 'data');
  return {
    ...direct(server),
    ...{ name: 'byte pipe', port: Number(chunk) },
    ...(pipe.pid === undefined ? {} : { pid: pipe.pid }),
    stop: async () => {
      pipe.kill();
    },
  };
}

/** Signing, journal, upload to a directory bucket and the built-in policy, as a developer has them. */
export async function startDbguard(server: TestPostgres): Promise<BenchTarget> {
  const plain = await guardedTarget(server, {});
  const mask = Object.entries(maskedExamples).map(([kind, one]) => ({
    column: `masked_${kind}.value`,
    with: kind,
    ...one.mask,
  }));
  const masking = await guardedTarget(server, { config: { mask } });
  const ruled = await guardedTarget(server, { policy: { ...loadTest, rules: manyRules } });
  const recording = await guardedTarget(server, { connection: { record: { results: 'masked', keep: '1d' } } });
  const observing = await guardedTarget(server, { policy: { profile: 'observe' } });
  const sockets = await guardedTarget(bySocket(server), {});
  const all = [plain, masking, ruled, recording, observing, sockets];
  const stop = async () => {
    for (const target of all) await target.stop();
  };
  const startOn: NonNullable<BenchTarget['startOn']> = async (make) =>
    guardedTarget(server, { database: await make(server.url) });
  return {
    ...plain,
    startOn,
    masking,
    ruled,
    recording,
    observing,
    sockets: { ...sockets, host: sockets.socketDir },
    stop,
  };
}

const manyRules = Array.from({ length: 500 }, (_, n) => ({
  name: `rule-${n}`,
  when: { table: `never_${n}` },
  // biome-ignore lint/suspicious/noThenProperty: a rule of dbguard.yaml says it so
  then: 'deny',
}));

/** pgbench changes more rows than anybody would let pass unasked. */
const loadTest = { mass_changes: { budget: false } };

function bySocket(server: TestPostgres): TestPostgres {
  const url = (database = 'postgres') => {
    const login = [server.superuser, server.password].map(encodeURIComponent).join(':');
    return `postgresql://${login}@/${database}?host=${encodeURIComponent(server.socketDir)}&port=${server.port}`;
  };
  return { ...server, url };
}

async function guardedTarget(
  server: TestPostgres,
  options: ProxyProcessOptions,
): Promise<BenchTarget & { readonly socketDir: string }> {
  const guarded = await startProxyProcess(server, { policy: loadTest, ...options });
  const { host, port, user, password, database, pid, socket, workspace } = guarded;
  const run = async (args: readonly string[]): Promise<number> => {
    const start = performance.now();
    await workspace.dbguard([...args]);
    return performance.now() - start;
  };
  const login = { host, port, user, password, database };
  return { name: 'dbguard', ...login, pid, socketDir: socket, run, stop: () => guarded.stop() };
}

/** Resident memory of a process in MB; undefined where /proc is not there. `peak` since it started. */
export function memoryOf(pid: number | undefined, kind: 'now' | 'peak'): number | undefined {
  const file = `/proc/${pid}/status`;
  if (pid === undefined || !existsSync(file)) return undefined;
  const pattern = kind === 'now' ? /VmRSS:\s+(\d+) kB/ : /VmHWM:\s+(\d+) kB/;
  const kilobytes = pattern.exec(readFileSync(file, 'utf8'))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
