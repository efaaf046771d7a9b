/**
 * Connection strings: `host=db user=app` and `postgresql://app@db/shop?sslmode=require`.
 * Source: PostgreSQL manual, "Connection Strings". Errors name the parameter and never quote the string: it may hold a password.
 */
import { DbguardError } from '../../errors.js';
import { isKeyword, type Settings } from './keywords.js';

const schemes: readonly string[] = ['postgresql://', 'postgres://'];

export function isConninfo(text: string): boolean {
  return text.includes('=') || schemes.some((scheme) => text.startsWith(scheme));
}

/** Throws DbguardError `config-invalid`. A text that is neither form is a database name, as for psql. */
export function parseConninfo(text: string): Settings {
  const scheme = schemes.find((candidate) => text.startsWith(candidate));
  if (scheme) return parseUri(text.slice(scheme.length));
  if (/^[A-Za-z][\w+.-]*:\/\//.test(text)) {
    throw invalid('the connection URI is not one for PostgreSQL', 'It has to begin with postgresql:// or postgres://');
  }
  if (text.includes('=')) return parseKeywordString(text);
  return text === '' ? new Map() : new Map([['dbname', text]]);
}

export function invalid(message: string, hint?: string): DbguardError {
  return new DbguardError('config-invalid', message, {
    hint: hint ?? 'The PostgreSQL manual lists what is possible under "Database Connection Control Functions".',
  });
}

export function setKeyword(settings: Settings, name: string, value: string, where: string): void {
  if (!isKeyword(name)) {
    const last = [...settings.keys()].pop();
    throw invalid(
      `unknown connection parameter ${printable(name, last)} in ${where}`,
      'Check its spelling; a value that holds spaces needs single quotes around it, and one in a URI percent-encoding.',
    );
  }
  settings.delete(name); // the order of keys is the order of mention
  settings.set(name, value);
}

const secretKeywords: readonly string[] = ['password', 'sslpassword', 'oauth_client_secret'];

/** A misplaced quote or sign can make a piece of a password look like a keyword. */
function printable(name: string, last: string | undefined): string {
  if (last !== undefined && secretKeywords.includes(last)) return `after ${last}`;
  return /^[A-Za-z_][A-Za-z0-9_.]{0,40}$/.test(name) ? `"${name}"` : 'with an impossible name';
}

/** `keyword = value`, values in single quotes where they hold spaces, a backslash before a quote or backslash. */
function parseKeywordString(text: string): Settings {
  const settings: Settings = new Map();
  const nameAndSign = /\s*([^\s=]*)\s*(=?)\s*/y;
  const value = /(?:'((?:\\[\s\S]|[^'\\])*)'|((?:(?!')(?:\\[\s\S]|[^\s\\]))(?:\\[\s\S]|[^\s\\])*|))(?=\s|$)/y;
  let at = 0;
  while (text.slice(at).trim() !== '') {
    nameAndSign.lastIndex = at;
    const [head = '', name = '', sign] = nameAndSign.exec(text) ?? [];
    if (name === '' || sign === '') {
      throw invalid(`missing "=" in the connection string, after ${[...settings.keys()].pop() ?? 'its beginning'}`);
    }
    value.lastIndex = at + head.length;
    const match = value.exec(text);
    if (!match) throw invalid('the connection string has an unterminated quote or a stray character');
    setKeyword(settings, name, (match[1] ?? match[2] ?? '').replace(/\\([\s\S])/g, '$1'), 'the connection string');
    at = value.lastIndex;
  }
  return settings;
}

/** What follows the scheme: `user:password@host1:port1,host2:port2/dbname?param=value`. */
function parseUri(text: string): Settings {
  const settings: Settings = new Map();
  // libpq takes the first "@" before any "/": in a user name or password both must be encoded, "?" need not be.
  const login = /^([^@/]*)@/.exec(text);
  if (login) {
    const [user, password] = splitOnce(login[1] ?? '', ':');
    if (user) settings.set('user', decode(user, 'user'));
    if (password) settings.set('password', decode(password, 'password'));
  }
  const [location, query] = splitOnce(text.slice(login?.[0].length ?? 0), '?');
  // What is meant as a password would be taken for a host, and be shown as one in errors.
  if (location.includes('@')) {
    throw invalid(
      'the URI has an "@" or "/" too many before its host',
      'In a user name, password or database name write @ as %40, / as %2F and : as %3A.',
    );
  }
  const [hosts, database] = splitOnce(location, '/');
  readHosts(hosts, settings);
  if (database) settings.set('dbname', decode(database, 'dbname'));
  for (const parameter of query ? query.split('&') : []) readParameter(parameter, settings);
  return settings;
}

function readHosts(text: string, settings: Settings): void {
  if (text === '') return;
  const hosts: string[] = [];
  const ports: string[] = [];
  for (const item of text.split(',')) {
    const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(item);
    if (!match)
      throw invalid('the URI has a host that cannot be understood', 'An IPv6 address needs brackets: [::1]:5432');
    const [, ipv6, name, port] = match;
    if (ipv6 === '') throw invalid('the URI has empty brackets where an IPv6 address should be');
    hosts.push(decode(ipv6 ?? name ?? '', 'host'));
    ports.push(decode(port ?? '', 'port'));
  }
  if (hosts.some((host) => host !== '')) settings.set('host', hosts.join(','));
  if (ports.some((port) => port !== '')) settings.set('port', ports.join(','));
}

function readParameter(text: string, settings: Settings): void {
  const [encodedName, encodedValue] = splitOnce(text, '=');
  const name = decode(encodedName, 'a parameter name');
  if (encodedValue === undefined)
    throw invalid('a parameter in the URI has no "="', 'Parameters follow the "?" as name=value&name=value.');
  if (encodedValue.includes('='))
    throw invalid(`extra "=" in the value of ${isKeyword(name) ? name : 'a parameter'} in the URI`, 'Write it as %3D.');
  const value = decode(encodedValue, name);
  if (name === 'ssl') {
    // JDBC's spelling, accepted by libpq
    if (value !== 'true') throw invalid('the URI parameter ssl takes only "true"', 'Use sslmode instead.');
    settings.set('sslmode', 'require');
    return;
  }
  setKeyword(settings, name, value, 'the URI');
}

function decode(encoded: string, keyword: string): string {
  const text = encoded.trim();
  if (text.includes(' ')) {
    throw invalid(
      `unexpected blanks in ${isKeyword(keyword) ? keyword : 'a parameter'} of the URI`,
      'Write a blank as %20.',
    );
  }
  if (/%(?![0-9A-Fa-f]{2})/.test(text) || /%00/.test(text)) {
    throw invalid(
      `invalid percent-encoding in ${isKeyword(keyword) ? keyword : 'a parameter'} of the URI`,
      'Write a literal % as %25.',
    );
  }
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(
      `${isKeyword(keyword) ? keyword : 'a parameter'} of the URI is not UTF-8 after decoding`,
      'Percent-encode the bytes of its UTF-8 form.',
    );
  }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
