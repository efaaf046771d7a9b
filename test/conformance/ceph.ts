/**
 * A real S3 server: Ceph's object gateway over a cluster of one monitor and one store in memory, on ports of 127.0.0.1,
 * with a folder of its own. Everything goes when `stop` is called or when this process ends, however it ends.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { freePort } from '../helpers/free-port.js';
import { Daemon } from './daemon.js';
import { installed } from './installed.js';
import { adminOf, type RealStore, type Rights, type StoreKey } from './real-store.js';

/** A cluster that does not come up hangs whoever asks it. */
const run = (program: string, args: readonly string[]) => promisify(execFile)(program, args, { timeout: 60_000 });

const programs = ['ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin'];

/** What is not installed of it; undefined: it can be started. */
export function missingOfCeph(): string | undefined {
  return programs.find((program) => installed(program) === undefined);
}

export async function startCeph(): Promise<RealStore> {
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
    await gateway.answering(endpoint);
    const { stdout } = await run('ceph', ['--version']);
    const [version = ''] = stdout.match(/\d+\.\d+\.\d+/) ?? [];
    const narrow = (bucket: string, rights: Rights) =>
      nameInBucketPolicy({ endpoint, key: owner }, writer, bucket, rights);
    return { name: `Ceph ${version}`, endpoint, key: owner, narrow, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Whom nothing else allows anything. */
async function nameInBucketPolicy(
  owner: Pick<RealStore, 'endpoint' | 'key'>,
  writer: StoreKey & { readonly name: string },
  bucket: string,
  rights: Rights,
): Promise<StoreKey> {
  const Principal = { AWS: [`arn:aws:iam:::user/${writer.name}`] };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, ...rights }] });
  await adminOf(owner).send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  return writer;
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
