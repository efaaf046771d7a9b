/**
 * The child's environment: the way through the proxy and no other.
 *
 * Rejected: starting from an empty environment (agents need PATH, HOME, their own keys, locale), and rewriting every
 * variable that looks like a connection string (a wrong guess would silently point an application elsewhere). What
 * could carry real credentials is taken out and named, so that a person sees why an application misses it.
 */

import { sessionMarker } from './run-mark.js';

/** Where the child finds the proxy. */
export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Users besides `user`, each with the variable that holds its URL. */
  readonly further: readonly { readonly user: string; readonly password: string; readonly variable: string }[];
  /** Private folder of the proxy's unix socket. */
  readonly socketDir: string;
  /** What libpq connects to: the folder, where the platform has such sockets; each statement takes a fifth less time there. */
  readonly libpqHost: string;
  /** Where hooks of its agent speak. */
  readonly hooks?: string | undefined;
}

/** What must not reach the child. */
export interface RealCredentials {
  readonly upstreamPasswords?: readonly string[];
  readonly upstreamHosts?: readonly string[];
  /** Tokens and keys of our own login. */
  readonly otherSecrets?: readonly string[];
  /** Names of variables that a login or a password was read from. */
  readonly variables?: readonly string[];
}

/** Names the socket that `dbguard hook` speaks to. */
export const hookVariable = 'DBGUARD_HOOKS';

export interface ChildEnvironment {
  readonly env: Record<string, string>;
  /** Names, sorted, of what was taken out; never values. */
  readonly removed: readonly string[];
  /** Those of them that the child has no other value of: what an application may miss. */
  readonly withheld: readonly string[];
}

/** Before the names of Node's variables that bin/dbguard took from dbguard itself. */
const keptForChild = 'DBGUARD_CHILD_';
/** Names the variables that an application may miss: the answer to "why is STAGING_DATABASE_URL not set?". */
const withheldMarker = 'DBGUARD_WITHHELD';

/** libpq variables that name neither a server nor a credential ("Environment Variables" in the PostgreSQL manual). */
const harmless: ReadonlySet<string> = new Set([
  'PGAPPNAME',
  'PGCLIENTENCODING',
  'PGDATESTYLE',
  'PGTZ',
  'PGOPTIONS',
  'PGGEQO',
]);

/** postgres://, postgresql+asyncpg://, jdbc:postgresql:, prisma+postgres:// */
const postgresUrl = /(?:^|[^a-z])(?:postgres|postgresql|postgis|pgsql)(?:\+[a-z0-9_]+)?:(?:\/\/|[^\s:]+[/?])/i;
const conninfoPassword = /(?:^|[\s;"'])(?:password|pwd|passwd)\s*=/i;
const conninfoPlace = /(?:^|[\s;"'])(?:host|hostaddr|server|data source|dbname|database|user|user ?id|username)\s*=/i;
const passwordName = /^(?:PG|POSTGRES|POSTGRESQL|DB|DATABASE|SUPABASE|NEON|TIMESCALE)\w*(?:PASS|PASSWORD|PASSWD|PWD)$/i;
/** A shorter secret is looked for as a whole value only: "dev" is part of too many words. */
const shortestPart = 6;

/** `sid` goes into the marker variable. */
export function childEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
  proxy: ProxyAddress,
  real: RealCredentials,
  sid: string,
): ChildEnvironment {
  const env: Record<string, string> = {};
  const removed: string[] = [];
  const isSecret = secretMatcher(real);
  const named = new Set(real.variables ?? []);
  for (const [found, value] of Object.entries(parent)) {
    if (value === undefined) continue;
    const name = found.startsWith(keptForChild) ? found.slice(keptForChild.length) : found;
    // what bin/dbguard left of it for dbguard itself
    if (name === found && `${keptForChild}${name}` in parent) continue;
    const upper = name.toUpperCase();
    const leaves =
      named.has(name) ||
      (upper.startsWith('PG') && !harmless.has(upper)) ||
      upper.startsWith('DBGUARD_') ||
      passwordName.test(name) ||
      isConnectionString(value) ||
      isSecret(value);
    if (leaves) removed.push(name);
    else env[name] = value;
  }
  removed.sort();
  const given = { ...env, ...proxyVariables(proxy), [sessionMarker]: sid };
  const withheld = removed.filter((name) => !(name in given) && !name.toUpperCase().startsWith('DBGUARD_'));
  if (withheld.length > 0) Object.assign(given, { [withheldMarker]: withheld.join(' ') });
  return { env: given, removed, withheld };
}

function proxyVariables(proxy: ProxyAddress): Record<string, string> {
  const further = proxy.further.map(({ variable, ...login }) => [variable, loopbackUrl(proxy, login)]);
  return {
    ...Object.fromEntries(further),
    ...(proxy.hooks === undefined ? {} : { [hookVariable]: proxy.hooks }),
    PGHOST: proxy.libpqHost,
    PGPORT: String(proxy.port),
    PGUSER: proxy.user,
    PGPASSWORD: proxy.password,
    PGDATABASE: proxy.database,
    // loopback only: TLS would protect nothing and cost a handshake for each connection
    PGSSLMODE: 'disable',
    PGGSSENCMODE: 'disable',
    // names that do not exist: ~/.pgpass, ~/.pg_service.conf and the system's are then not consulted. /dev/null would
    // make libpq warn that it is no plain file.
    PGPASSFILE: `${proxy.socketDir}/no-passfile`,
    PGSERVICEFILE: `${proxy.socketDir}/no-service-file`,
    PGSYSCONFDIR: `${proxy.socketDir}/no-sysconfdir`,
    // not every driver knows sockets
    DATABASE_URL: loopbackUrl(proxy, proxy),
  };
}

/** Without a password where the other side has it already. */
export function loopbackUrl(
  { host, port, database }: Pick<ProxyAddress, 'host' | 'port' | 'database'>,
  { user, password }: { readonly user: string; readonly password?: string },
): string {
  const login = [user, ...(password === undefined ? [] : [password])].map(encodeURIComponent).join(':');
  const place = host.includes(':') ? `[${host}]` : host;
  return `postgresql://${login}@${place}:${port}/${encodeURIComponent(database)}?sslmode=disable`;
}

function isConnectionString(value: string): boolean {
  return postgresUrl.test(value) || (conninfoPassword.test(value) && conninfoPlace.test(value));
}

/** A value that is or contains a secret, plain or as it stands in a URL or in JSON; or a login at one of our hosts. */
function secretMatcher(real: RealCredentials): (value: string) => boolean {
  const whole = new Set<string>();
  const parts: string[] = [];
  for (const secret of [...(real.upstreamPasswords ?? []), ...(real.otherSecrets ?? [])]) {
    if (!secret) continue;
    const forms = [
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString('base64'),
    ];
    for (const form of forms) {
      if (form.length < shortestPart) whole.add(form);
      else parts.push(form);
    }
  }
  for (const host of real.upstreamHosts ?? []) {
    // a socket folder is no place that a login stands before
    if (host !== '' && !host.startsWith('/')) parts.push(`@${host}`);
  }
  return (value) => whole.has(value) || parts.some((part) => value.includes(part));
}
