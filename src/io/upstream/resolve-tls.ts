/** The ssl* parameters of a connection. Files are only named here; they are read when a connection is made. */
import { join } from 'node:path';
import { sslModes, type TlsFile, type UpstreamTls } from './config.js';
import { invalid } from './conninfo.js';
import type { Keyword, Settings } from './keywords.js';
import { Secret } from './secret.js';
import { oneOf } from './setting-values.js';

const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

/** Throws DbguardError `config-invalid`. */
export function resolveTls(settings: Settings, home: string, env: NodeJS.ProcessEnv): UpstreamTls {
  const file = (keyword: Keyword, standard: string): TlsFile => {
    const path = settings.get(keyword);
    return path ? { path, given: true } : { path: join(home, '.postgresql', standard), given: false };
  };
  const system = settings.get('sslrootcert') === 'system';
  const mode = oneOf(settings, 'sslmode', sslModes, system ? 'verify-full' : 'prefer');
  if (system && mode !== 'verify-full') {
    throw invalid(
      `sslrootcert=system is too weak with sslmode=${mode}: anybody can get a certificate of a public CA`,
      'Use sslmode=verify-full.',
    );
  }
  const negotiation = oneOf(settings, 'sslnegotiation', ['postgres', 'direct'], 'postgres');
  if (negotiation === 'direct' && (mode === 'disable' || mode === 'allow' || mode === 'prefer')) {
    throw invalid(`sslnegotiation=direct cannot go with sslmode=${mode}`, 'Use sslmode=require or better.');
  }
  const minVersion = oneOf(settings, 'ssl_min_protocol_version', versions, 'TLSv1.2');
  const maxVersion = oneOf(settings, 'ssl_max_protocol_version', versions, undefined);
  if (maxVersion && versions.indexOf(maxVersion) < versions.indexOf(minVersion)) {
    throw invalid('ssl_min_protocol_version is above ssl_max_protocol_version', 'Swap them, or leave one out.');
  }
  const sendCertificate = oneOf(settings, 'sslcertmode', ['disable', 'allow'], 'allow') === 'allow';
  const keyPassword = settings.get('sslpassword');
  return {
    mode,
    negotiation,
    rootcert: system ? 'system' : file('sslrootcert', 'root.crt'),
    systemBundle: env.SSL_CERT_FILE,
    cert: sendCertificate ? file('sslcert', 'postgresql.crt') : undefined,
    key: file('sslkey', 'postgresql.key'),
    keyPassword: keyPassword ? new Secret(keyPassword) : undefined,
    crl: file('sslcrl', 'root.crl'),
    crldir: settings.get('sslcrldir') || undefined,
    sni: oneOf(settings, 'sslsni', ['0', '1'], '1') === '1',
    minVersion,
    maxVersion,
  };
}
