/**
 * Real PostgreSQL servers for tests, the demo and the benchmarks: on a random port of 127.0.0.1 and a unix socket, with a
 * data folder of their own. They go when `stop` is called or when this process ends, however it ends.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Certificate, makeCertificate } from '../io/upstream/certificates.js';
import { freePort } from './free-port.js';
import { account, binaries, clientProgram, moveIntoPlace, type PostgresVersion } from './postgres-binaries.js';

export {
  chosenVersion,
  clientProgram,
  type PostgresVersion,
  postgresAvailable,
  testedVersions,
} from './postgres-binaries.js';

const run = promisify(execFile);

export interface PostgresOptions {
  /** Default: 18. Ask `postgresAvailable` before you take 15. */
  readonly version?: PostgresVersion;
  /** How everybody logs in, over TCP and the socket. Default: scram-sha-256. */
  readonly auth?: 'scram-sha-256' | 'md5' | 'password' | 'trust';
  /** TLS on, with a certificate for localhost and 127.0.0.1 unless you make another one. */
  readonly ssl?: boolean | { readonly certificate: (authority: Certificate) => Certificate };
  /** As in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of pg_hba.conf that come before the default ones. */
  readonly hba?: readonly string[];
  /** false: leave nothing in the temp folder afterwards, not even the template that makes the next start fast. */
  readonly cache?: boolean;
}

export interface TestPostgres {
  readonly version: PostgresVersion;
  readonly host: '127.0.0.1';
  readonly port: number;
  /** `host` of the unix socket, as libpq takes it. */
  readonly socketDir: string;
  readonly superuser: 'postgres';
  readonly password: string;
  /** initdb and postgres; of version 15 also psql and pgbench. */
  readonly binDir: string;
  /** Any psql of this machine. */
  readonly psqlPath: string | undefined;
  /** With `ssl`: who signed the server's certificate and may sign clients', and its PEM file. */
  readonly tls: { readonly authority: Certificate; readonly rootcert: string } | undefined;
  /** Connection URI over TCP; by default of the superuser, with the password. */
  url(database?: string, user?: string, password?: string): string;
  /** The rows of one statement, run by the superuser on a connection of its own. */
  query<Row = Record<string, unknown>>(sql: string, parameters?: unknown[], database?: string): Promise<Row[]>;
  /** What the server has logged so far. */
  log(): string;
  /** Same port, same data. `immediate` is a crash: clients get no farewell. */
  restart(how?: 'fast' | 'immediate'): Promise<void>;
  /** Disconnects everybody and removes the data. Again is fine. */
  stop(): Promise<void>;
}

const superuser = 'postgres';
/** Easy to find where it must not be. */
const password = 'upstream-pg-secret-5e1f';

export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  const { version = 18, auth = 'scram-sha-256' } = options;
  const { cache = true } = options;
  const dir = makeFolder('dbguard-pg-');
  const binDir = binaries(version, cache ? undefined : dir);
  const data = join(dir, 'data');
  try {
    await createCluster(binDir, version, data, cache);
    if (auth === 'md5') await storeMd5Password(binDir, data);
    const tls = options.ssl ? makeTls(dir, options.ssl) : undefined;
    const hba = [...(options.hba ?? []), `local all all ${auth}`, `host all all all ${auth}`];
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: dir,
      hba_file: writeOwned(dir, 'hba.conf', `${hba.join('\n')}\n`),
      fsync: 'off',
      ...(tls && {
        ssl: 'on',
        ssl_cert_file: join(dir, 'server.crt'),
        ssl_key_file: join(dir, 'server.key'),
        ssl_ca_file: tls.rootcert,
      }),
      ...options.settings,
    };
    const port = await freePort();
    const server = new ServerProcess(join(binDir, 'postgres'), dir, [
      ...['-D', data, '-p', String(port)],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]);
    await server.start();
    const url = (database: string = superuser, user: string = superuser, secret: string = password) =>
      `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(secret)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
    return {
      version,
      host: '127.0.0.1',
      port,
      socketDir: dir,
      superuser,
      password,
      binDir,
      psqlPath: clientProgram('psql'),
      tls,
      url,
      query: (sql, parameters, database) => queryOnce(url(database), sql, parameters),
      log: () => server.log,
      restart: async (how = 'fast') => {
        await server.stop(how, 'keep');
        await server.start();
      },
      stop: () => server.stop('fast', 'remove'),
    };
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

/** Signals of https://www.postgresql.org/docs/18/server-shutdown.html */
const shutdownSignals = { fast: 'INT', immediate: 'QUIT' } as const;

/**
 * Starts "$@", stops it by the signal that the first line of stdin names, and removes the folder $0. The end of stdin
 * says that the process which wanted this server is gone, be it by kill -9: a fast shutdown then.
 */
const keeper = `
exec 3<&0
"$@" & server=$!
{
  read -r signal keep <&3
  kill -"\${signal:-INT}" "$server"
  while kill -0 "$server"; do sleep 0.02; done
  [ -n "$keep" ] || rm -rf "$0"
} 2>/dev/null &
wait "$server"
`;

/** What lives here: the process of one server. It knows nothing of databases and logins. */
class ServerProcess {
  log = '';
  #process: ChildProcess | undefined;

  constructor(
    readonly program: string,
    readonly dir: string,
    readonly options: readonly string[],
  ) {}

  async start(): Promise<void> {
    const from = this.log.length;
    const server = spawn('/bin/sh', ['-c', keeper, this.dir, this.program, ...this.options], {
      ...account,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true, // out of reach of Ctrl-C and of whoever kills our process group: only the end of stdin counts
    });
    this.#process = server;
    server.stdin?.on('error', () => undefined);
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
    });
    while (!this.#ready(from)) {
      if (server.exitCode !== null) {
        await this.stop('fast', 'remove');
        throw new Error(`PostgreSQL did not start:\n${this.log.slice(from)}`);
      }
      await sleep(10);
    }
    // a test that is over need not wait for a server that it forgot: the keeper stops it
    for (const one of handles(server)) one.unref();
  }

  /** With logging_collector = on the server says so elsewhere, and in line 8 of postmaster.pid, as pg_ctl reads it. */
  #ready(from: number): boolean {
    if (this.log.includes('ready to accept connections', from)) return true;
    if (!this.log.includes('redirecting log output', from)) return false;
    const file = join(this.dir, 'data', 'postmaster.pid');
    return existsSync(file) && readFileSync(file, 'utf8').split('\n')[7]?.trim() === 'ready';
  }

  async stop(how: keyof typeof shutdownSignals, folder: 'keep' | 'remove'): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (server === undefined) return;
    // all of them: 'close' comes after the end of stderr, which may be later than the process's
    for (const one of handles(server)) one.ref();
    const closed = once(server, 'close');
    server.stdin?.end(`${shutdownSignals[how]} ${folder === 'keep' ? 'keep' : ''}\n`);
    await closed;
    if (folder === 'remove') rmSync(this.dir, { recursive: true, force: true });
  }
}

/** What keeps this process alive for a child: its pipes are sockets, which the types do not say. */
function handles(child: ChildProcess): (ChildProcess | Socket)[] {
  return [child, ...[child.stdin, child.stderr].filter((stream) => stream instanceof Socket)];
}

/** initdb takes a second, a copy of what it made a tenth of that. */
async function createCluster(binDir: string, version: number, data: string, cache: boolean): Promise<void> {
  if (!cache) return initdb(binDir, data);
  const made = statSync(join(binDir, 'postgres')).mtimeMs.toFixed(0);
  const template = join(scratch(), `dbguard-pg${version}-template-${account.uid ?? process.getuid?.() ?? 0}-${made}`);
  if (!existsSync(template)) {
    const own = makeFolder('dbguard-pg-template-');
    await initdb(binDir, join(own, 'data'));
    moveIntoPlace(own, template);
  }
  await run('cp', ['-R', join(template, 'data'), data], { ...account, cwd: '/' });
}

async function initdb(binDir: string, data: string): Promise<void> {
  const folder = makeFolder('dbguard-pg-init-');
  const pwfile = writeOwned(folder, 'password', password);
  const options = ['-D', data, '-U', superuser, '--pwfile', pwfile, '-A', 'scram-sha-256', '-E', 'UTF8', '--no-locale'];
  try {
    // the smallest WAL segments: what has to be copied for each server halves
    await run(join(binDir, 'initdb'), [...options, '--no-sync', '--wal-segsize', '1'], { ...account, cwd: '/' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** With a SCRAM verifier stored, the server would use SCRAM even where pg_hba.conf says md5. */
async function storeMd5Password(binDir: string, data: string): Promise<void> {
  const single = spawn(join(binDir, 'postgres'), ['--single', '-F', '-D', data, 'postgres'], {
    ...account,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  single.stdin.end(`SET password_encryption = 'md5';\nALTER ROLE ${superuser} PASSWORD '${password}';\n`);
  await once(single, 'exit');
}

function makeTls(dir: string, ssl: true | Exclude<PostgresOptions['ssl'], boolean | undefined>) {
  const authority = makeCertificate({ name: 'test CA', authority: true });
  const certificate =
    ssl === true
      ? makeCertificate({ name: 'localhost', issuer: authority, hosts: ['localhost', '127.0.0.1', '::1'] })
      : ssl.certificate(authority);
  writeOwned(dir, 'server.crt', certificate.pem);
  writeOwned(dir, 'server.key', certificate.keyPem);
  return { authority, rootcert: writeOwned(dir, 'root.crt', authority.pem) };
}

/** Memory where there is plenty: a container's default /dev/shm of 64 MB holds one server and no work. */
function scratch(): string {
  const memory = '/dev/shm';
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > 1e9 ? memory : tmpdir();
}

/** The server account's own. */
function makeFolder(prefix: string): string {
  const folder = mkdtempSync(join(scratch(), prefix));
  if (account.uid !== undefined && account.gid !== undefined) chownSync(folder, account.uid, account.gid);
  return folder;
}

/** The server demands that nobody else may read its key. */
function writeOwned(folder: string, name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content, { mode: 0o600 });
  if (account.uid !== undefined && account.gid !== undefined) chownSync(file, account.uid, account.gid);
  return file;
}

async function queryOnce<Row>(url: string, sql: string, parameters?: unknown[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}
