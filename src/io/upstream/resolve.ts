/**
 * From everything that may describe a connection to one checked `UpstreamConfig`, in libpq's order: what is given explicitly,
 * the service file, the environment, the defaults. Reads the service file, and nothing from the network.
 */
import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { UpstreamConfig, UpstreamHost } from './config.js';
import {
  type AuthMethod,
  authMethods,
  type IgnoredSetting,
  sslModes,
  targetSessionAttrs,
  type UpstreamAuth,
  type UpstreamTls,
} from './config.js';
import { invalid, isConninfo, parseConninfo, setKeyword } from './conninfo.js';
import { isKeyword, type Keyword, keywords, type Settings } from './keywords.js';
import { Secret } from './secret.js';
import { readService } from './service-file.js';
import { integer, oneOf, portNumber } from './setting-values.js';

export interface UpstreamSource {
  /** A URI or keyword string; may be left out where overrides, service or environment say it all. */
  readonly url?: string;
  /** Connection parameters by keyword; they win over `url`. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** A program and its arguments, or one line that is split at blanks (quotes hold together): no shell either way. */
  readonly passwordCommand?: string | readonly string[];
}

const defaultPort = 5432;

/** libpq waits for ever; a person in front of a terminal does not. `connect_timeout=0` does. */
const defaultConnectTimeout = 30;

/** Throws DbguardError `config-invalid` that names the parameter. */
export function resolveUpstream(source: UpstreamSource, env: NodeJS.ProcessEnv): UpstreamConfig {
  const home = env.HOME || homedir();
  const settings = gather(source, env, home);
  refuseUnsupported(settings);
  const user = settings.get('user') || userInfo().username;
  const hosts = readHosts(settings);
  return {
    hosts,
    user,
    database: settings.get('dbname') || user,
    tls: readTls(settings, home, hosts),
    auth: readAuth(settings, source, home),
    targetSessionAttrs: oneOf(settings, 'target_session_attrs', targetSessionAttrs, 'any'),
    loadBalanceHosts: oneOf(settings, 'load_balance_hosts', ['disable', 'random'], 'disable') === 'random',
    connectTimeout: Math.max(0, integer(settings, 'connect_timeout') ?? defaultConnectTimeout) * 1000,
    keepalivesIdle:
      integer(settings, 'keepalives') === 0 ? undefined : (integer(settings, 'keepalives_idle') ?? 0) * 1000,
    ...readProtocol(settings),
    parameters: readParameters(settings),
    ignored: listIgnored(settings),
  };
}

/** Explicit settings, then the service's, then the environment's. */
function gather(source: UpstreamSource, env: NodeJS.ProcessEnv, home: string): Settings {
  const settings = source.url === undefined ? new Map() : parseConninfo(source.url);
  for (const [name, value] of Object.entries(source.overrides ?? {})) {
    // as for psql: a dbname may itself be a connection string
    if (name === 'dbname' && isConninfo(value))
      for (const [key, given] of parseConninfo(value)) settings.set(key, given);
    else setKeyword(settings, name, value, 'the connection');
  }
  const service = settings.get('service') ?? env.PGSERVICE;
  if (service) {
    for (const [name, value] of readService(service, settings.get('servicefile'), env, home)) {
      if (!settings.has(name)) settings.set(name, value);
    }
  }
  for (const name of Object.keys(keywords).filter(isKeyword)) {
    const variable = keywords[name];
    const value = variable === undefined ? undefined : env[variable];
    if (value !== undefined && !settings.has(name)) settings.set(name, value);
  }
  if (env.PGREQUIRESSL === '1' && !settings.has('sslmode')) settings.set('sslmode', 'require');
  return settings;
}

function list(settings: Settings, keyword: Keyword): string[] {
  const value = settings.get(keyword);
  return value === undefined || value === '' ? [] : value.split(',');
}

function readHosts(settings: Settings): UpstreamHost[] {
  const names = list(settings, 'host');
  const addresses = list(settings, 'hostaddr');
  const ports = list(settings, 'port');
  const count = Math.max(addresses.length || names.length, 1);
  if (addresses.length > 0 && names.length > 0 && names.length !== addresses.length) {
    throw invalid(`host names ${names.length} hosts, hostaddr ${addresses.length} addresses`, 'Give one for each.');
  }
  if (ports.length > 1 && ports.length !== count) {
    throw invalid(`port names ${ports.length} ports for ${count} hosts`, 'Give one port, or one for each host.');
  }
  return Array.from({ length: count }, (_, index) => {
    const port = portNumber((ports.length === 1 ? ports[0] : ports[index]) || String(defaultPort));
    const hostaddr = addresses[index]?.trim() || undefined;
    const host = names[index]?.trim() || (hostaddr ?? defaultHost(port));
    return { host, hostaddr, port };
  });
}

/** libpq has one folder compiled in; which one depends on who built it. */
function defaultHost(port: number): string {
  if (process.platform === 'win32') return 'localhost';
  const folders = ['/var/run/postgresql', '/tmp'];
  return folders.find((folder) => existsSync(join(folder, `.s.PGSQL.${port}`))) ?? 'localhost';
}

function readTls(settings: Settings, home: string, hosts: readonly UpstreamHost[]): UpstreamTls {
  const file = (keyword: Keyword, standard: string) => {
    const path = settings.get(keyword) || join(home, '.postgresql', standard);
    return path.startsWith('~/') ? join(home, path.slice(2)) : path;
  };
  const given = (keyword: Keyword) => settings.get(keyword) || undefined;
  const rootcert = given('sslrootcert') === 'system' ? 'system' : file('sslrootcert', 'root.crt');
  const mode = oneOf(settings, 'sslmode', sslModes, rootcert === 'system' ? 'verify-full' : 'prefer');
  if (rootcert === 'system' && mode !== 'verify-full') {
    throw invalid(
      `sslrootcert=system is too weak with sslmode=${mode}: anybody can get a certificate`,
      'Use sslmode=verify-full.',
    );
  }
  const negotiation = oneOf(settings, 'sslnegotiation', ['postgres', 'direct'], 'postgres');
  if (negotiation === 'direct' && ['disable', 'allow', 'prefer'].includes(mode)) {
    throw invalid(`sslnegotiation=direct cannot go with sslmode=${mode}`, 'Use sslmode=require or better.');
  }
  const certMode = oneOf(settings, 'sslcertmode', ['disable', 'allow', 'require'], 'allow');
  const sendCertificate = certMode !== 'disable';
  if (mode === 'verify-full' && hosts.every(({ host }) => host === '')) {
    throw invalid('sslmode=verify-full needs a host name to verify', 'Set host next to hostaddr.');
  }
  const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
  const minVersion = oneOf(settings, 'ssl_min_protocol_version', versions, 'TLSv1.2');
  const maxVersion =
    given('ssl_max_protocol_version') && oneOf(settings, 'ssl_max_protocol_version', versions, 'TLSv1.3');
  if (maxVersion && versions.indexOf(maxVersion) < versions.indexOf(minVersion)) {
    throw invalid('ssl_min_protocol_version is above ssl_max_protocol_version', 'Swap them, or leave one out.');
  }
  const keyPassword = given('sslpassword');
  return {
    mode,
    negotiation,
    rootcert,
    cert: sendCertificate ? file('sslcert', 'postgresql.crt') : undefined,
    key: sendCertificate ? file('sslkey', 'postgresql.key') : undefined,
    keyPassword: keyPassword ? new Secret(keyPassword) : undefined,
    crl: given('sslcrl') ?? (given('sslcrldir') ? undefined : file('sslcrl', 'root.crl')),
    crldir: given('sslcrldir'),
    sni: oneOf(settings, 'sslsni', ['0', '1'], '1') === '1',
    minVersion,
    maxVersion: maxVersion || undefined,
  };
}

function readAuth(settings: Settings, source: UpstreamSource, home: string): UpstreamAuth {
  const secret = (keyword: Keyword) => {
    const value = settings.get(keyword);
    return value ? new Secret(value) : undefined;
  };
  const passfile = settings.get('passfile') || defaultPassfile(home);
  return {
    password: secret('password'),
    passwordCommand:
      typeof source.passwordCommand === 'string' ? splitCommand(source.passwordCommand) : source.passwordCommand,
    passfile,
    channelBinding: oneOf(settings, 'channel_binding', ['disable', 'prefer', 'require'], 'prefer'),
    requireAuth: readRequireAuth(settings),
    scramClientKey: scramKey(settings, 'scram_client_key'),
    scramServerKey: scramKey(settings, 'scram_server_key'),
    oauthIssuer: settings.get('oauth_issuer') || undefined,
    oauthScope: settings.get('oauth_scope') || undefined,
  };
}

function defaultPassfile(home: string): string {
  return process.platform === 'win32'
    ? join(process.env.APPDATA ?? home, 'postgresql', 'pgpass.conf')
    : join(home, '.pgpass');
}

function scramKey(settings: Settings, keyword: 'scram_client_key' | 'scram_server_key'): Secret | undefined {
  const value = settings.get(keyword);
  if (!value) return undefined;
  if (Buffer.from(value, 'base64').length !== 32 || Buffer.from(value, 'base64').toString('base64') !== value) {
    throw invalid(`${keyword} is not the base64 form of 32 bytes`, 'Take it from the SCRAM exchange it belongs to.');
  }
  return new Secret(value);
}

/** A list of methods that are fine, or, with `!`, of methods that are not; the two cannot be mixed. */
function readRequireAuth(settings: Settings): AuthMethod[] | undefined {
  const items = list(settings, 'require_auth').map((item) => item.trim());
  if (items.length === 0) return undefined;
  const negated = items.filter((item) => item.startsWith('!'));
  if (negated.length > 0 && negated.length < items.length) {
    throw invalid('require_auth mixes methods with and without "!"', 'Use one form for all.');
  }
  const named = items.map((item) => {
    const method = authMethods.find((known) => known === item.replace(/^!/, ''));
    if (!method) throw invalid('require_auth names an unknown method', `It takes ${authMethods.join(', ')}.`);
    return method;
  });
  if (new Set(named).size < named.length) throw invalid('require_auth names a method twice', 'Name each one once.');
  return negated.length > 0 ? authMethods.filter((method) => !named.includes(method)) : named;
}

function splitCommand(line: string): string[] {
  const words: string[] = [];
  for (const [, double, single, plain] of line.matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)) {
    words.push(double ?? single ?? plain ?? '');
  }
  return words;
}

function readProtocol(settings: Settings): { minProtocolMinor: number; maxProtocolMinor: number | undefined } {
  const versions = ['3.0', '3.2', 'latest'] as const;
  const minor = { '3.0': 0, '3.2': 2, latest: 2 };
  const min = minor[oneOf(settings, 'min_protocol_version', versions, '3.0')];
  const max = settings.get('max_protocol_version')
    ? minor[oneOf(settings, 'max_protocol_version', versions, 'latest')]
    : undefined;
  if (max !== undefined && min > max) {
    throw invalid('min_protocol_version is above max_protocol_version', 'Swap them, or leave one out.');
  }
  return { minProtocolMinor: min, maxProtocolMinor: max };
}

function readParameters(settings: Settings): Map<string, string> {
  const parameters = new Map<string, string>();
  const options = settings.get('options');
  const name = settings.get('application_name') || settings.get('fallback_application_name');
  const encoding = settings.get('client_encoding');
  if (options) parameters.set('options', options);
  if (name) parameters.set('application_name', name);
  // `auto` means the client's own locale: the client behind the proxy sends its own.
  if (encoding && encoding !== 'auto') parameters.set('client_encoding', encoding);
  return parameters;
}

/** What would weaken the connection if it were silently left out. */
function refuseUnsupported(settings: Settings): void {
  const refuse = (keyword: Keyword, reason: string) => {
    throw invalid(`${keyword} is not supported: ${reason}`, `Leave ${keyword} out of this connection.`);
  };
  if (settings.get('gssencmode') === 'require') refuse('gssencmode', 'dbguard speaks no GSSAPI; it encrypts with TLS');
  if (settings.get('requirepeer')) refuse('requirepeer', "Node.js cannot see a unix socket's peer");
  if (settings.get('sslkeylogfile')) refuse('sslkeylogfile', 'it writes session keys into a file');
  if (settings.get('sslcertmode') === 'require') refuse('sslcertmode', 'only allow and disable are');
  const replication = settings.get('replication');
  if (replication && !['false', 'off', 'no', '0'].includes(replication)) {
    refuse('replication', 'what a replication connection reads cannot be recorded');
  }
}

const notSettable: readonly (readonly [Keyword, string])[] = [
  ['tcp_user_timeout', 'Node.js cannot set TCP_USER_TIMEOUT'],
  ['keepalives_interval', 'Node.js probes every second'],
  ['keepalives_count', 'Node.js gives up after ten probes'],
];

function listIgnored(settings: Settings): IgnoredSetting[] {
  return notSettable
    .filter(([keyword]) => Number(settings.get(keyword) ?? 0) > 0)
    .map(([keyword, reason]) => ({ keyword, reason }));
}
