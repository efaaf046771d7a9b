/**
 * MCP servers that an agent starts by its own configuration. One that has a connection string of its own would go around dbguard:
 * for this run it is pointed at the proxy, where it means the guarded database, and is not started where it means another.
 *
 * What lives here: what counts as a connection of its own, and what becomes of it. What it must not know: where an agent keeps
 * its configuration.
 */
import { loopbackUrl, type ProxyAddress } from '../environment.js';

/** Started on pipes: command, arguments and variables are the configuration's, and so are attacker-controlled. */
export interface McpServer {
  readonly name: string;
  /** Where it stands, for people. */
  readonly file: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The agent would ask before it starts this one, and nobody has said yes. */
  readonly unapproved?: boolean;
  /** The plugin that brings it, by the name under which it is switched off. */
  readonly plugin?: string;
}

export type SettledServer = McpServer &
  ({ readonly outcome: 'pointed' } | { readonly outcome: 'refused'; readonly why: string });

/** The guarded database, as others may name it. */
export interface GuardedPlace {
  readonly address: ProxyAddress;
  readonly servers: readonly { readonly host: string; readonly port: number }[];
}

const url = /\bpostgres(?:ql)?(?:\+\w+)?:\/\/[^\s"'`<>{}]*/gi;
/** libpq's own way to write one ("Connection Strings" in the PostgreSQL manual). */
const conninfo =
  /(?:^|[\s"'=])(?:host|hostaddr|service|dbname)\s*=\s*\S+.*\b(?:password|user|host|hostaddr|dbname|port)\s*=/i;
/** A URL for Java, and those of other languages. */
const otherUrl = /\bjdbc:postgresql:|\bServer=[^;]+;.*\bDatabase=/i;

const variable =
  /^(?:PG|(?:POSTGRES(?:QL)?|PSQL|DB|DATABASE|SUPABASE_DB|NEON)_?)(HOST|HOSTADDR|PORT|USER|USERNAME|PASSWORD|PASS|PWD|DATABASE|DBNAME|DB|NAME|SERVICE|SERVICEFILE|PASSFILE|SSL\w*)$/i;

/** Undefined for a server that has no connection of its own: what it takes from the run's variables is the proxy already. */
export function settleServer(server: McpServer, place: GuardedPlace): SettledServer | undefined {
  const texts = [...server.command, ...Object.values(server.env)];
  const named = Object.entries(server.env).flatMap(([name, value]) => {
    const part = variable.exec(name)?.[1]?.toUpperCase();
    // `${PGPASSWORD}` and the like are the run's own
    return part === undefined || /^\$\{?\w+\}?$|^\{env:\w+\}$/.test(value) ? [] : [{ name, part, value }];
  });
  const urls = texts.flatMap((text) => [...text.matchAll(url)].map(([found]) => found));
  const odd = texts.some((text) => otherUrl.test(text) || (conninfo.test(text) && !text.includes('://')));
  if (urls.length === 0 && named.length === 0 && !odd) return undefined;
  const refused = (why: string): SettledServer => ({ ...server, outcome: 'refused', why });
  if (odd) return refused('it has a connection of its own that dbguard cannot rewrite');
  if (server.plugin !== undefined) return refused('a plugin brings it with a connection of its own');
  for (const one of urls) {
    const other = otherPlace(one, place);
    if (other !== undefined) return refused(`it connects to ${other}, which is not the guarded database`);
  }
  const values = new Map(named.map(({ part, value }) => [part, value]));
  const host = values.get('HOST') ?? values.get('HOSTADDR');
  if (values.has('SERVICE') || values.has('SERVICEFILE')) return refused('it connects by a service file of its own');
  if (named.length > 0 && !isPlace(host ?? 'localhost', Number(values.get('PORT') ?? 5432), place)) {
    return refused(`it connects to ${host ?? 'localhost'}, which is not the guarded database`);
  }
  if (server.unapproved)
    return refused('it has a connection of its own, and the agent has not been told yet to start it');
  const { address } = place;
  const pointed = (text: string): string => text.replace(url, (found) => proxyUrl(found, address));
  const own: Readonly<Record<string, string>> = {
    ...{ HOST: address.host, HOSTADDR: address.host, PORT: `${address.port}` },
    ...{ USER: address.user, USERNAME: address.user, DATABASE: address.database, DBNAME: address.database },
    ...{ PASSWORD: address.password, PASS: address.password, PWD: address.password },
    ...{ DB: address.database, NAME: address.database, PASSFILE: `${address.socketDir}/no-passfile` },
  };
  const parts = new Map(named.map(({ name, part }) => [name, own[part] ?? (part === 'SSLMODE' ? 'disable' : '')]));
  return {
    ...server,
    outcome: 'pointed',
    command: server.command.map(pointed),
    env: Object.fromEntries(
      Object.entries(server.env).map(([name, value]) => [name, parts.get(name) ?? pointed(value)]),
    ),
  };
}

/** In words, without a login; undefined where it is the guarded database. */
function otherPlace(text: string, place: GuardedPlace): string | undefined {
  const [, rest = ''] = /^[^:]+:\/\/(.*)$/s.exec(text) ?? [];
  const [authority = '', path = ''] = rest.split(/\/(.*)/s);
  const hosts = authority.slice(authority.lastIndexOf('@') + 1).split(',');
  const database = path.split('?')[0] ?? '';
  const where = hosts.map((host) => readPlace(host));
  const query = path.split('?')[1] ?? '';
  if (/(?:^|&)(?:host|hostaddr|port|service|dbname)=/i.test(query)) return 'a place named in its parameters';
  if (!where.every((one) => one !== undefined && isPlace(one.host, one.port, place)))
    return hosts.join(',') || 'a socket';
  if (database !== '' && decoded(database) !== place.address.database) return `the database ${decoded(database)}`;
  return undefined;
}

function readPlace(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(text);
  return match
    ? { host: (match[1] ?? '').replace(/^\[|\]$/g, '') || 'localhost', port: Number(match[2] ?? 5432) }
    : undefined;
}

function isPlace(host: string, port: number, { servers, address }: GuardedPlace): boolean {
  if (host === address.host && port === address.port) return true;
  return servers.some((one) => one.port === port && (same(one.host, host) || (isLocal(one.host) && isLocal(host))));
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function isLocal(host: string): boolean {
  return /^(?:localhost|127\.[\d.]+|::1|\/.*|)$/i.test(host);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The scheme stays: it may name a driver, which may not know libpq's parameters. */
function proxyUrl(found: string, address: ProxyAddress): string {
  const scheme = found.slice(0, found.indexOf(':'));
  const whole = loopbackUrl(address, address).replace(/^postgresql/, scheme);
  return scheme.includes('+') ? (whole.split('?')[0] ?? whole) : whole;
}

/** What is started in the place of a server that is not: it says why, where the agent shows what its servers say. */
function refusalCommand({ name, why }: { readonly name: string; readonly why: string }): readonly string[] {
  const words = `dbguard: the MCP server ${name} is not started in this run: ${why}`.replace(/[^\w .,:()/-]/g, '_');
  return ['/bin/sh', '-c', `echo '${words}' >&2; exit 1`];
}

/** The command of a server for this run, whatever became of it. */
export function commandForRun(server: SettledServer): readonly [string, ...string[]] {
  const [program = '', ...args] = server.outcome === 'refused' ? refusalCommand(server) : server.command;
  return [program, ...args];
}
