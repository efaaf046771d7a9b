/**
 * From everything that may describe a connection to one checked `UpstreamConfig`, in libpq's order: what is given explicitly,
 * the service file, the environment, the defaults. Reads the service file, and nothing from the network.
 */
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { type IgnoredSetting, targetSessionAttrs, type UpstreamConfig, type UpstreamHost } from './config.js';
import { invalid, isConninfo, parseConninfo, setKeyword } from './conninfo.js';
import { isKeyword, type Keyword, keywords, type Settings } from './keywords.js';
import { ConnectionMemory } from './memory.js';
import { resolveAuth } from './resolve-auth.js';
import { resolveTls } from './resolve-tls.js';
import { readService } from './service-file.js';
import { integer, list, oneOf, portNumber } from './setting-values.js';

export interface UpstreamSource {
  /** A URI or keyword string; may be left out where overrides, service or environment say it all. */
  readonly url?: string;
  /** Connection parameters by keyword; they win over `url`. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** A program and its arguments, or one line that is split at blanks (quotes hold together): no shell either way. */
  readonly passwordCommand?: string | readonly string[];
}

const defaultPort = 5432;

/** Seconds. libpq waits for ever; a person in front of a terminal does not. */
const defaultConnectTimeout = 30;
/** Also for `connect_timeout=0`, which a repository may set: a server that trickles bytes would hold a run for ever. */
const longestConnectTimeout = 600;

/** Throws DbguardError `config-invalid` that names the parameter. */
export function resolveUpstream(source: UpstreamSource, env: NodeJS.ProcessEnv): UpstreamConfig {
  const home = env.HOME || homedir();
  const settings = gather(source, env, home);
  refuseUnsupported(settings);
  const user = settings.get('user') || systemUser();
  const hosts = readHosts(settings);
  return {
    hosts,
    user,
    database: settings.get('dbname') || user,
    tls: resolveTls(settings, home, env),
    auth: resolveAuth(settings, source.passwordCommand, home),
    targetSessionAttrs: oneOf(settings, 'target_session_attrs', targetSessionAttrs, 'any'),
    loadBalanceHosts: oneOf(settings, 'load_balance_hosts', ['disable', 'random'], 'disable') === 'random',
    connectTimeout: connectTimeout(settings),
    keepalivesIdle:
      integer(settings, 'keepalives') === 0 ? undefined : (integer(settings, 'keepalives_idle') ?? 0) * 1000,
    ...readProtocol(settings),
    parameters: readParameters(settings),
    memory: new ConnectionMemory(),
    ignored: listIgnored(settings),
  };
}

/** Milliseconds. As in libpq, 0 and less ask for no limit. */
function connectTimeout(settings: Settings): number {
  const seconds = integer(settings, 'connect_timeout') ?? defaultConnectTimeout;
  return (seconds > 0 ? Math.min(seconds, longestConnectTimeout) : longestConnectTimeout) * 1000;
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
    for (const [name, value] of readService(service, env, home)) {
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

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    throw invalid('the connection names no user, and this process runs as a user without a name', 'Set user.');
  }
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
    if (hostaddr !== undefined && isIP(hostaddr) === 0) {
      throw invalid('hostaddr is not an IP address', 'Names go into host.');
    }
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
