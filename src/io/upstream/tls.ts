/**
 * The TLS handshake with the server: who it must be, what it must speak, and what to say when it fails.
 * Source: PostgreSQL manual, "SSL Support" in libpq.
 */
import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { messageOf } from '../../errors.js';
import { tlsServerEndPoint } from '../../wire/scram-channel-binding.js';
import type { UpstreamHost, UpstreamTls } from './config.js';
import { tlsFailure, UpstreamError } from './failure.js';
import type { TlsMaterial } from './tls-files.js';
import type { TlsSession } from './tls-session.js';

/** The ALPN protocol that PostgreSQL 17 and later expect. */
const alpn = 'postgresql';

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
