/** Real servers with a role for every way to log in: TLS, client certificates, cleartext, md5, SCRAM, trust. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { type PostgresVersion, postgresAvailable, startPostgres } from '../../helpers/postgres.js';
import { type Certificate, makeCertificate } from './certificates.js';

/** 18 comes from npm and is always there; 15 is used where the machine has it. */
export const versions: readonly PostgresVersion[] = ([15, 18] as const).filter((version) => postgresAvailable(version));

export interface Server {
  readonly version: PostgresVersion;
  readonly port: number;
  /** Folder of its unix socket, its certificates and its data. */
  readonly dir: string;
  /** Signed the server's certificate and may sign clients'. */
  readonly authority: Certificate;
  /** PEM file of the authority. */
  readonly rootcert: string;
}

export interface ServerOptions {
  /** default_transaction_read_only. */
  readonly readOnly?: boolean;
  readonly serverCertificate?: (authority: Certificate) => Certificate;
  /** In recovery for ever: a standby without a primary to follow. */
  readonly standby?: boolean;
}

/** Passwords of the roles, by name of the role. */
export const passwords = {
  clear: 'clear-Pw',
  md5user: 'md5-Pw',
  scram: 'scram-Pw',
  umlaut: 'Pa\u00dfw\u00f6rt \u2168',
  tlsonly: 'tls-Pw',
} as const;

const hba = [
  'local     all trusty       trust',
  'local     all clear        password',
  'local     all scram        scram-sha-256',
  'host      all trusty       all trust',
  'hostssl   all certified    all cert',
  'hostssl   all tlsonly      all scram-sha-256',
  'hostnossl all plainonly    all trust',
  'host      all clear        all password',
  'host      all md5user      all md5',
  'host      all scram,umlaut all scram-sha-256',
  'host      all postgres     all scram-sha-256',
  'host      all all          all reject',
];

const roles = [
  'CREATE ROLE trusty LOGIN SUPERUSER',
  'CREATE ROLE certified LOGIN',
  'CREATE ROLE plainonly LOGIN',
  `CREATE ROLE clear LOGIN PASSWORD '${passwords.clear}'`,
  `CREATE ROLE scram LOGIN PASSWORD '${passwords.scram}'`,
  `CREATE ROLE umlaut LOGIN PASSWORD '${passwords.umlaut}'`,
  `CREATE ROLE tlsonly LOGIN PASSWORD '${passwords.tlsonly}'`,
  `SET password_encryption = 'md5'; CREATE ROLE md5user LOGIN PASSWORD '${passwords.md5user}'`,
];

/** Runs until the test ends. */
export async function startServer(t: Test, version: PostgresVersion, options: ServerOptions = {}): Promise<Server> {
  const hosts = ['localhost', '127.0.0.1', '::1'];
  const certificate =
    options.serverCertificate ??
    ((authority: Certificate) => makeCertificate({ name: 'localhost', issuer: authority, hosts }));
  const server = await startPostgres({ version, hba, ssl: { certificate } });
  t.teardown(() => server.stop());
  for (const sql of roles) await server.query(sql);
  await server.query('CREATE DATABASE shop');
  if (options.readOnly) await server.query('ALTER SYSTEM SET default_transaction_read_only = on');
  if (options.readOnly) await server.restart();
  if (options.standby) {
    await writeFile(join(server.socketDir, 'data', 'standby.signal'), '');
    // `restart` waits for a server that takes writes, which this one never does
    void server.restart().catch(() => {});
    while (!server.log().includes('ready to accept read-only connections')) await sleep(10);
  }
  const { tls, port, socketDir } = server;
  if (!tls) throw new Error('the server was started without TLS');
  return { version, port, dir: socketDir, ...tls };
}
