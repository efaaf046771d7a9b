/**
 * TLS towards the server, with libpq's meaning of sslmode, sslrootcert and client certificates.
 * Source: PostgreSQL manual, "SSL Support" in libpq.
 */
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { isIP, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { messageOf } from '../../errors.js';
import { tlsServerEndPoint } from '../../wire/scram-channel-binding.js';
import type { TlsFile, UpstreamHost, UpstreamTls } from './config.js';
import { tlsFailure, UpstreamError } from './failure.js';

/** The ALPN protocol that PostgreSQL 17 and later expect. */
const alpn = 'postgresql';

/** Where operating systems keep their roots in one PEM file; SSL_CERT_FILE as OpenSSL reads it comes first. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** Files read and parsed once per connection attempt, so that renewed certificates count at the next one. */
export interface TlsMaterial {
  readonly context: SecureContext;
  /** `ca`: the chain must end in a known root; `full`: and the certificate must name the host. */
  readonly verify: 'none' | 'ca' | 'full';
}

export interface TlsSession {
  readonly protocol: string;
  readonly cipher: string;
  /** The server proved who it is, at least by a certificate of a known root. */
  readonly verified: boolean;
  /** `tls-server-end-point` data; undefined where the certificate's signature has no hash of its own. */
  readonly certificateHash: Buffer | undefined;
}

export async function loadTlsMaterial(tls: UpstreamTls, env: NodeJS.ProcessEnv): Promise<TlsMaterial> {
  const { mode } = tls;
  const ca = await loadRoots(tls, env);
  if (mode.startsWith('verify-') && ca === undefined) {
    throw tlsFailure(
      `sslmode=${mode} needs root certificates, and sslrootcert names none`,
      'Set sslrootcert to the file of the CA that signed the server, or sslrootcert=system for the roots of this system.',
    );
  }
  const pair = await loadClientCertificate(tls);
  const crl = ca === undefined ? [] : await loadRevocations(tls);
  try {
    const context = createSecureContext({
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
    throw tlsFailure(
      `the TLS files of the connection cannot be used: ${messageOf(error)}`,
      'Check sslcert, sslkey, sslpassword and sslrootcert: PEM files that belong together.',
      error,
    );
  }
}

async function loadRoots({ rootcert }: UpstreamTls, env: NodeJS.ProcessEnv): Promise<string[] | undefined> {
  if (rootcert !== 'system') {
    const pem = await readPem('sslrootcert', rootcert);
    return pem === undefined ? undefined : [pem];
  }
  for (const path of [env.SSL_CERT_FILE, ...systemBundles]) {
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
    throw tlsFailure(`the private key ${path} belongs to another user`, 'It must be owned by you or by root.');
  }
  if (mode & tooOpen) {
    throw tlsFailure(`the private key ${path} can be read by others`, `Protect it: chmod 0600 '${path}'`);
  }
}

async function loadRevocations({ crl, crldir }: UpstreamTls): Promise<string[]> {
  const files: TlsFile[] = [crl];
  if (crldir !== undefined) {
    const names = await readdir(crldir).catch((error: unknown) => {
      throw tlsFailure(
        `cannot read the folder of sslcrldir, ${crldir}`,
        'Check that it exists and can be read.',
        error,
      );
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
    throw tlsFailure(`the file of ${keyword} ${what}: ${path}`, `Check ${keyword} of the connection.`, error);
  }
}

/** Speaks TLS on a connected socket. `signal` and the socket's own failure end it; rejects with UpstreamError. */
export async function startTls(
  socket: Socket,
  host: UpstreamHost,
  label: string,
  material: TlsMaterial,
  tls: UpstreamTls,
): Promise<{ socket: TLSSocket; session: TlsSession }> {
  const secured = connect({
    socket,
    secureContext: material.context,
    ALPNProtocols: [alpn],
    rejectUnauthorized: material.verify !== 'none',
    checkServerIdentity: (_name, certificate) =>
      material.verify === 'full' ? checkName(host.host, certificate) : undefined,
    ...(tls.sni && isIP(host.host) === 0 ? { servername: host.host } : {}),
  });
  // Stays, as in dial(): an error between two owners must not end the process.
  secured.on('error', () => {});
  const closed = new AbortController();
  secured.once('close', () => closed.abort(new Error('the server closed the connection')));
  try {
    await once(secured, 'secureConnect', { signal: closed.signal });
  } catch (error) {
    secured.destroy();
    const reason = closed.signal.aborted ? closed.signal.reason : error;
    throw error instanceof UpstreamError ? error : handshakeFailure(label, host, reason);
  }
  if (tls.negotiation === 'direct' && secured.alpnProtocol !== alpn) {
    secured.destroy();
    throw tlsFailure(
      `${label} did not accept the PostgreSQL protocol over direct TLS (ALPN)`,
      'sslnegotiation=direct needs PostgreSQL 17 or later: leave it out for this server.',
    );
  }
  const certificate = secured.getPeerX509Certificate();
  return {
    socket: secured,
    session: {
      protocol: secured.getProtocol() ?? 'unknown',
      cipher: secured.getCipher().name,
      verified: material.verify !== 'none',
      certificateHash: certificate && tlsServerEndPoint(certificate.raw),
    },
  };
}

/** Node's check (RFC 6125), and the common name for an IP address in a certificate without any alternative name, as libpq. */
function checkName(host: string, certificate: PeerCertificate): Error | undefined {
  const mismatch = checkServerIdentity(host, certificate);
  if (mismatch && isIP(host) !== 0 && !certificate.subjectaltname && certificate.subject?.CN === host) return undefined;
  return mismatch;
}

function handshakeFailure(label: string, { host }: UpstreamHost, error: unknown): UpstreamError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return tlsFailure(
      `the certificate of ${label} is not for the host "${host}"`,
      'Connect by the name that the certificate carries, or use sslmode=verify-ca if you trust every server of that CA.',
      error,
    );
  }
  if (certificateErrors.has(code)) {
    return tlsFailure(
      `the certificate of ${label} is not trusted: ${messageOf(error)}`,
      'Set sslrootcert to the file of the CA that signed it (sslrootcert=system for public CAs).',
      error,
    );
  }
  return tlsFailure(
    `the TLS handshake with ${label} failed: ${messageOf(error)}`,
    'Check that the port speaks PostgreSQL, the TLS versions allowed on both sides, and the client certificate.',
    error,
  );
}

const certificateErrors: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'INVALID_CA',
]);
