/**
 * A gateway's certificate: read from its files, and again when they change, without a connection lost. What cannot be used
 * any more stays in use until something better is there: a half-written file must not stop a gateway.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { DbguardError, reasonOf } from '../../errors.js';

const lookMs = 5_000;

export interface GatewayCertificate {
  readonly context: SecureContext;
  /** Milliseconds since 1970 UTC. */
  readonly expiresAt: number;
  stop(): void;
}

/** Throws `config-invalid` where there is none to begin with. */
export function openCertificate(
  files: { readonly certificate: string; readonly key: string },
  onTrouble: (error: DbguardError) => void,
): GatewayCertificate {
  let [current, version] = [load(files), versionOf(files)];
  const timer = setInterval(() => {
    const now = versionOf(files);
    if (now === version) return;
    version = now;
    try {
      current = load(files);
    } catch (error) {
      if (!(error instanceof DbguardError)) throw error;
      onTrouble(error);
    }
  }, lookMs).unref();
  return {
    get context() {
      return current.context;
    },
    get expiresAt() {
      return current.expiresAt;
    },
    stop: () => clearInterval(timer),
  };
}

function load({ certificate, key }: { readonly certificate: string; readonly key: string }) {
  try {
    const cert = readFileSync(certificate);
    // TLS 1.2 is what every driver of today has; PostgreSQL's own minimum, too
    const context = createSecureContext({ cert, key: readFileSync(key), minVersion: 'TLSv1.2' });
    return { context, expiresAt: Date.parse(new X509Certificate(cert).validTo) };
  } catch (error) {
    throw new DbguardError('config-invalid', `the certificate cannot be used: ${reasonOf(error)}`, {
      hint: 'serve.tls names a certificate with its chain and its key, both PEM; the key must belong to the certificate.',
      cause: error,
    });
  }
}

function versionOf({ certificate, key }: { readonly certificate: string; readonly key: string }): string {
  return [certificate, key].map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0).join();
}
