import { configKeys } from './config-keys.js';
import { readCommand } from './read-command.js';
import { type ConnectionAccess, readConnectionAccess } from './read-connection-access.js';
import { type LoopbackUserConfig, readLoopbackUsers } from './read-loopback-users.js';
import { type RecordConfig, readRecord } from './read-record.js';
import { readSpan } from './read-span.js';
import type { Place, Value } from './yaml-source.js';

export const environments = ['production', 'staging', 'development'] as const;
export type Environment = (typeof environments)[number];

export interface ConnectionConfig {
  readonly place: Place;
  /** A libpq connection URI or keyword string; may hold a password, so it is never shown. */
  readonly url?: string;
  /** A name in libpq's pg_service.conf. */
  readonly service?: string;
  /** Program and arguments, no shell; the first line that it prints is the password. */
  readonly passwordCommand?: readonly string[];
  /** AWS RDS: a token for each login instead of a password. The region where the host does not say it. */
  readonly rdsIam?: { readonly region?: string };
  /** Each session logs in as a login of its own, a member of this role. `validMs` without being renewed. */
  readonly temporaryLogin?: { readonly role: string; readonly validMs: number };
  /** Databases a client may name besides the one of the connection string. */
  readonly databases: readonly string[] | 'any';
  /** A connection that does not say is treated as production. */
  readonly environment: Environment;
  readonly applicationName?: string;
  /** Further users of the loopback port, by name; an entry of the connection's own user says what that one is. */
  readonly users: ReadonlyMap<string, LoopbackUserConfig>;
  /** Undefined: a client is connected without being asked about. */
  readonly access?: ConnectionAccess;
  /** Undefined: nothing is recorded. */
  readonly record?: RecordConfig;
}

export function readConnection(value: Value): ConnectionConfig {
  const fields = value.fields(configKeys.connection);
  fields.exactlyOne(['url', 'service'], 'expected either "url" or "service"');
  fields.notBoth('database', 'databases');
  fields.notBoth('users', 'temporary_login');
  const url = fields.optional('url', readUrl);
  const service = fields.optional('service', (item) => item.string());
  const passwordCommand = fields.optional('password_command', readCommand);
  const rdsIam = fields.optional('rds_iam', readRdsIam);
  if (rdsIam && passwordCommand) value.fail('expected "password_command" or "rds_iam", not both');
  const temporaryLogin = fields.optional('temporary_login', readTemporaryLogin);
  const access = fields.optional('access', readConnectionAccess);
  const record = fields.optional('record', readRecord);
  const applicationName = fields.optional('application_name', (item) => item.string());
  return {
    place: value.place,
    ...(url === undefined ? {} : { url }),
    ...(service === undefined ? {} : { service }),
    ...(passwordCommand === undefined ? {} : { passwordCommand }),
    ...(rdsIam ? { rdsIam } : {}),
    ...(temporaryLogin ? { temporaryLogin } : {}),
    databases: fields.optional('databases', readDatabases) ?? fields.optional('database', readDatabases) ?? [],
    environment: fields.optional('environment', (item) => item.oneOf(environments)) ?? 'production',
    ...(applicationName === undefined ? {} : { applicationName }),
    users: fields.optional('users', readLoopbackUsers) ?? new Map(),
    ...(access === undefined ? {} : { access }),
    ...(record === undefined ? {} : { record }),
  };
}

/** Only the outermost form: the upstream connection reads the rest, with libpq's rules. */
function readUrl(value: Value): string {
  const text = value.string('a connection URI or a libpq keyword string');
  const looksRight = /^postgres(ql)?:\/\//.test(text) || /^\s*[a-z_]+\s*=/.test(text);
  return looksRight ? text : value.fail('expected postgresql://... or libpq keywords such as "host=db dbname=app"');
}

function readDatabases(value: Value): readonly string[] | 'any' {
  if (value.isString && value.string() === 'any') return 'any';
  return value.oneOrMore((item) => item.string('the name of a database, or any'));
}

function readRdsIam(value: Value): { readonly region?: string } | undefined {
  if (value.isMapping) {
    const region = value.fields(configKeys.rds_iam).optional('region', (item) => item.string('a region of AWS'));
    return region === undefined ? {} : { region };
  }
  return value.boolean() ? {} : undefined;
}

const usualValidMs = 3_600_000;

/** The name of the role, or a map where it is to be good for another time. */
function readTemporaryLogin(value: Value): { readonly role: string; readonly validMs: number } {
  if (value.isString) return { role: value.string(), validMs: usualValidMs };
  const fields = value.fields(configKeys.temporary_login);
  return {
    role: fields.required('role', (item) => item.string('the name of a role'), 'shop_agent'),
    validMs: fields.optional('for', readSpan) ?? usualValidMs,
  };
}
