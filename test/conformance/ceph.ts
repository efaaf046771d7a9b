/**
 * A real S3 server: Ceph's object gateway over a cluster of one monitor and one store in memory, on ports of 127.0.0.1,
 * with a folder of its own. Everything goes when `stop` is called or when this process ends, however it ends.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../helpers/free-port.js';

/** A cluster that does not come up hangs whoever asks it. */
const run = (program: string, args: readonly string[]) => promisify(execFile)(program, args, { timeout: 60_000 });

const programs = ['ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin'];

export interface CephCluster {
  readonly endpoint: string;
  /** Owner of every bucket made with it. */
  readonly owner: CephUser;
  /** Somebody to whom only a bucket policy gives anything. */
  readonly writer: CephUser;
  /** Of `ceph --version`. */
  readonly version: string;
  stop(): Promise<void>;
}

export interface CephUser {
  readonly name: string;
  readonly id: string;
  readonly secret: string;
}

/** What is not installed of it; undefined: it can be started. */
export function missingOfCeph(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return programs.find((program) => !folders.some((folder) => existsSync(join(folder, program))));
}

export async function startCeph(): Promise<CephCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'dbguard-ceph-'));
  const daemons: Daemon[] = [];
  const start = (program: string, ...args: readonly string[]): Daemon => {
    const daemon = new Daemon(dir, program, [...args, '-c', conf, '-f']);
    daemons.push(daemon);
    return daemon;
  };
  const stop = async (): Promise<void> => {
    for (const daemon of daemons.reverse()) await daemon.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  const [cluster, port] = [randomUUID(), await freePort()];
  const [monitor, conf] = [`v2:127.0.0.1:${await freePort()}`, join(dir, 'ceph.conf')];
  try {
    for (const name of ['mon', 'osd', 'rgw']) mkdirSync(join(dir, name));
    writeFileSync(conf, configuration(dir, { cluster, monitor, port }));
    const monmap = join(dir, 'monmap');
    await run('monmaptool', ['--create', '--fsid', cluster, '--addv', 'a', `[${monitor}]`, monmap]);
    await run('ceph-mon', ['--mkfs', '-i', 'a', '-c', conf, '--monmap', monmap]);
    start('ceph-mon', '-i', 'a');
    const store = randomUUID();
    await run('ceph', ['-c', conf, 'osd', 'new', store]);
    await run('ceph-osd', ['--mkfs', '-i', '0', '--osd-uuid', store, '-c', conf]);
    start('ceph-osd', '-i', '0');
    const users = ['owner', 'writer'].map((name) => ({ name, id: name.toUpperCase(), secret: randomUUID() }));
    const [owner, writer] = users;
    if (!owner || !writer) throw new Error('unreachable');
    for (const { name, id, secret } of users) {
      const key = ['--access-key', id, '--secret', secret];
      await run('radosgw-admin', ['-c', conf, 'user', 'create', '--uid', name, '--display-name', name, ...key]);
      await run('radosgw-admin', ['-c', conf, 'user', 'modify', '--uid', name, '--max-buckets', '0']); // no limit
    }
    const gateway = start('radosgw', '-n', 'client.rgw');
    const endpoint = `http://127.0.0.1:${port}`;
    while (!(await answers(endpoint))) {
      if (gateway.ended) throw new Error(`radosgw did not start:\n${gateway.log}`);
      await sleep(50);
    }
    const { stdout } = await run('ceph', ['--version']);
    return { endpoint, owner, writer, version: stdout.match(/\d+\.\d+\.\d+/)?.[0] ?? 'unknown', stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** https://docs.ceph.com/en/pacific/rados/configuration/ and https://docs.ceph.com/en/pacific/radosgw/config-ref/ */
function configuration(dir: string, of: { cluster: string; monitor: string; port: number }): string {
  const settings = {
    fsid: of.cluster,
    'mon host': of.monitor,
    'mon initial members': 'a',
    'public addr': '127.0.0.1',
    'cluster addr': '127.0.0.1',
    'auth cluster required': 'none',
    'auth service required': 'none',
    'auth client required': 'none',
    'ms mon client mode': 'crc', // the gateway's own default is encryption, which needs authentication
    'run dir': dir,
    'crash dir': dir,
    'admin socket': `${dir}/$name.$pid.asok`,
    'log file': '/dev/null',
    'log to stderr': 'true',
    keyring: join(dir, 'keyring'),
    'mon data': join(dir, 'mon'),
    'mon data avail crit': '1',
    'osd data': join(dir, 'osd'),
    'osd objectstore': 'memstore',
    'memstore device bytes': String(2 ** 30),
    'osd class load list': '*',
    'osd class default list': '*',
    'osd pool default size': '1',
    'osd pool default min size': '1',
    'osd pool default pg num': '1',
    'osd pool default pg autoscale mode': 'off',
    'mon allow pool size one': 'true',
    'osd crush chooseleaf type': '0',
    'rgw data': join(dir, 'rgw'),
    'rgw frontends': `beast endpoint=127.0.0.1:${of.port}`,
  };
  return `[global]\n${Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')}`;
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    () => true,
    () => false,
  );
}

/** Stops "$@" when stdin ends, which it does when the process that wanted it is gone, be it by kill -9; then the folder goes. */
const keeper = `
exec 3<&0
"$@" & daemon=$!
{
  read -r _ <&3
  kill "$daemon"
  while kill -0 "$daemon"; do sleep 0.05; done
  rm -rf "$0"
} 2>/dev/null &
wait "$daemon"
`;

/** A process in the foreground, out of reach of Ctrl-C. */
class Daemon {
  log = '';
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(dir: string, program: string, args: readonly string[]) {
    this.#process = spawn('/bin/sh', ['-c', keeper, dir, program, ...args], {
      cwd: '/',
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
    });
    this.#closed = once(this.#process, 'close');
    this.#process.stdin?.on('error', () => undefined);
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log = (this.log + text).slice(-10_000);
    });
  }

  get ended(): boolean {
    return this.#process.exitCode !== null;
  }

  async stop(): Promise<void> {
    this.#process.stdin?.end();
    await this.#closed;
  }
}
