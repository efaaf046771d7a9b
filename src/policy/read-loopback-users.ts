/**
 * `users` of a connection: the names that a client may connect to the loopback port with, and what each is on the server.
 *
 * Rejected: masks that differ by them. The agent holds every user's password, so it would pick the one that sees most.
 */
import { configKeys } from './config-keys.js';
import { readCommand } from './read-command.js';
import type { Value } from './yaml-source.js';

export interface LoopbackUserConfig {
  /** Login on the server; undefined: the connection's own. */
  readonly login?: string;
  /** Role that its sessions take on when they begin, as by `SET ROLE`. */
  readonly role?: string;
  /** Prints the password of `login`. */
  readonly passwordCommand?: readonly string[];
  /** The variable that tells the child its URL. */
  readonly variable: string;
}

export function readLoopbackUsers(value: Value): ReadonlyMap<string, LoopbackUserConfig> {
  const users = value.record(readUser);
  const named = new Map<string, string>();
  for (const [name, { variable }] of users) {
    const other = named.get(variable);
    if (other !== undefined) value.fail(`"${other}" and "${name}" would share the variable ${variable}`);
    named.set(variable, name);
  }
  return users;
}

/** An empty one logs in under its own name. */
function readUser(value: Value, name: string): LoopbackUserConfig {
  const plain = { login: name, variable: `DATABASE_URL_${name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}` };
  if (value.isNull) return plain;
  const fields = value.fields(configKeys.loopback_user);
  const role = fields.optional('role', (item) => item.string('the name of a role'));
  const passwordCommand = fields.optional('password_command', readCommand);
  const login = fields.optional('login', (item) => item.string('the name of a login')) ?? (role ? undefined : name);
  if (passwordCommand && login === undefined) value.fail('"password_command" goes with "login"');
  return {
    ...(login === undefined ? {} : { login }),
    ...(role === undefined ? {} : { role }),
    ...(passwordCommand === undefined ? {} : { passwordCommand }),
    variable: fields.optional('variable', readVariable) ?? plain.variable,
  };
}

/** No other kind of variable: a repository's file must not give the child a PATH or a PGHOST. */
function readVariable(value: Value): string {
  const name = value.string('the name of a variable, such as READONLY_DATABASE_URL');
  if (/^[A-Za-z]\w*_(?:URL|URI|DSN)$/.test(name) && !/^(?:PG|DBGUARD_|DATABASE_URL$)/i.test(name)) return name;
  return value.fail('expected a name that ends in _URL, _URI or _DSN and is not one of libpq’s or dbguard’s');
}
