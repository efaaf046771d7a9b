/**
 * The files of a TLS connection, with libpq's meaning of sslrootcert, sslcert, sslkey and sslcrl.
 * Source: PostgreSQL manual, "SSL Support" in libpq.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates, type SecureContext } from 'node:tls';
import { messageOf } from '../../errors.js';
import { systemBundles } from '../files/system-roots.js';
import type { TlsFile, UpstreamConfig, UpstreamTls } from './config.js';
import { unusable } from './failure.js';

/** What a handshake needs. Files are read for each connection, so that a renewed certificate counts at the next one. */
export interface TlsMaterial {
  readonly context: SecureContext;
  /** `ca`: the chain must end in a known root; `full`: and the certificate must name the host. */
  readonly verify: 'none' | 'ca' | 'full';
}

/** Rejects with UpstreamError `config-invalid` that names the parameter. */
export async function loadTlsMaterial({ tls, memory }: Pick<UpstreamConfig, 'tls' | 'memory'>): Promise<TlsMaterial> {
  const { mode } = tls;
  const ca = await loadRoots(tls);
  if (mode.startsWith('verify-') && ca === undefined) {
    throw unusable(
      `sslmode=${mode} needs root certificates, and sslrootcert names none`,
      'Set sslrootcert to the file of the CA that signed the server, or sslrootcert=system for the roots of this system.',
    );
  }
  const pair = await loadClientCertificate(tls);
  const crl = ca === undefined ? [] : await loadRevocations(tls);
  try {
    const context = memory.secureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(crl.length === 0 ? {} : { crl }),
      ...pair,
      ...(pair && tls.keyPassword ? { passphrase: tls.keyPassword.reveal() } : {}),
      minVersion: tls.minVersion,
      ...(tls.maxVersion ? { maxVersion: tls.maxVersion } : {}),
    });
    // As in libpq: where roots are there, they are used, whatever the mode says below verify-ca.
    return { context, verify: mode === 'verify-full' ? 'full' : ca === undefined ? 'none' : 'ca' };
  } catch (error) {
    throw unusable(
      `the TLS files of the connection cannot be used: ${messageOf(error)}`,
      'Check sslcert, sslkey, sslpassword and sslrootcert: PEM files that belong together.',
      error,
    );
  }
}

async function loadRoots({ rootcert, systemBundle }: UpstreamTls): Promise<string[] | undefined> {
  if (rootcert !== 'system') {
    const pem = await readPem('sslrootcert', rootcert);
    if (pem === undefined) return undefined;
    // Node.js would take it for "no roots" without a word.
    if (!/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/.test(pem)) {
      throw unusable(`the file of sslrootcert holds no certificate: ${rootcert.path}`, 'It has to be in PEM format.');
    }
    return [pem];
  }
  for (const path of [systemBundle, ...systemBundles]) {
    const pem = path && (await readPem('sslrootcert', { path, given: false }));
    if (pem) return [pem];
  }
  return [...rootCertificates];
}

async function loadClientCertificate(tls: UpstreamTls): Promise<{ cert: string; key: string } | undefined> {
  const cert = tls.cert && (await readPem('sslcert', tls.cert));
  if (cert === undefined) return undefined;
  const key = await readPem('sslkey', { ...tls.key, given: true });
  await checkKeyPermissions(tls.key.path);
  return key === undefined ? undefined : { cert, key };
}

/** As libpq: readable by its owner alone, or by root's group when root owns it. */
async function checkKeyPermissions(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const { mode, uid } = await stat(path);
  const tooOpen = uid === 0 ? 0o037 : 0o077;
  if (uid !== 0 && uid !== process.getuid?.()) {
    throw unusable(`the private key ${path} belongs to another user`, 'It must be owned by you or by root.');
  }
  if (mode & tooOpen) {
    throw unusable(`the private key ${path} can be read by others`, `Protect it: chmod 0600 '${path}'`);
  }
}

async function loadRevocations({ crl, crldir }: UpstreamTls): Promise<string[]> {
  const files: TlsFile[] = [crl];
  if (crldir !== undefined) {
    const names = await readdir(crldir).catch((error: unknown) => {
      throw unusable(`cannot read the folder of sslcrldir, ${crldir}`, 'Check that it exists and can be read.', error);
    });
    for (const name of names) files.push({ path: join(crldir, name), given: true });
  }
  const lists = await Promise.all(files.map((file) => readPem('sslcrl', file)));
  return lists.filter((list) => list !== undefined);
}

/** undefined where the file is not there and nobody asked for it by name. */
async function readPem(keyword: string, { path, given }: TlsFile): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    if (missing && !given) return undefined;
    const what = missing ? 'does not exist' : 'cannot be read';
    throw unusable(`the file of ${keyword} ${what}: ${path}`, `Check ${keyword} of the connection.`, error);
  }
}
