/**
 * Logs as real servers write them, in every form, of clients that do their best to be misread. Collectors' forms are made
 * of the server's own lines. Kept logs lie in test/vectors/server-logs, for machines without pgAudit.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { TestPostgres } from '../helpers/postgres.js';

/** The settings of one form, and what a collector makes of the server's lines. */
export interface LogForm {
  readonly settings: Readonly<Record<string, string>>;
  readonly file: 'server.log' | 'server.csv' | 'server.json';
  readonly collected?: (lines: readonly string[]) => string[];
  /** What is left of the server's prefix when the collector has taken its part; the setting otherwise. */
  readonly prefix?: string;
  /** Needs what few machines have; read from the kept log only. */
  readonly keptOnly?: true;
}

/** Prefixes that providers fix, tools recommend and people write: every escape, padding, %q. */
const prefixes: Readonly<Record<string, string>> = {
  default: '%m [%p] ',
  debian: '%m [%p] %q%u@%d ',
  rds: '%t:%r:%u@%d:[%p]:',
  aurora: '%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:',
  pgbadger: '%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ',
  azure: '%t-%c-',
  epoch: '%n [%p] ',
  'application-first': '%t app=%a [%p] ',
  everything: '%a|%u|%d|%r|%h|%b|%p|%P|%t|%m|%n|%i|%e|%c|%l|%s|%v|%x|%Q|%% ',
  padded: '%-24m %7p %-12u %12d %20a ',
  names: '%u %d %a %m %p ',
};

export const forms: Readonly<Record<string, LogForm>> = {
  ...Object.fromEntries(
    Object.entries(prefixes).map(([name, prefix]) => [name, text({ log_line_prefix: prefix })] as const),
  ),
  verbose: text({ log_error_verbosity: 'verbose' }),
  ...Object.fromEntries(
    ['debug1', 'info', 'notice', 'warning'].map((level) => [level, text({ 'pgaudit.log_level': level })] as const),
  ),
  // localedef -i de_DE -f UTF-8, and LOCPATH; so for zh_CN
  german: { ...text({ lc_messages: 'de_DE.UTF-8' }), keptOnly: true },
  chinese: { ...text({ lc_messages: 'zh_CN.UTF-8' }), keptOnly: true },
  csvlog: { settings: {}, file: 'server.csv' },
  jsonlog: { settings: {}, file: 'server.json' },
  // PostgreSQL's syslog.c: at most 900 bytes a piece, cut at line breaks; rsyslog writes a tab as #011
  syslog: { ...text({ log_line_prefix: '%p=%q%u@%d ' }), collected: asSyslog, prefix: '%q%u@%d ' },
  'cloud-sql': { ...text({ log_line_prefix: '%m [%p]: [%l-1] db=%d,user=%u ' }), collected: asCloudSql },
  cloudwatch: { ...text({ log_line_prefix: '%t:%r:%u@%d:[%p]:' }), collected: asCloudWatch },
  'azure-monitor': { ...text({ log_line_prefix: '%t-%c-' }), collected: asAzureMonitor },
  docker: { ...text({ log_line_prefix: '%m [%p] ' }), collected: asDocker },
  compose: { ...text({ log_line_prefix: '%m [%p] ' }), collected: (lines) => lines.map((line) => `db-1  | ${line}`) },
  kubernetes: { ...text({ log_line_prefix: '%m [%p] %q%u@%d ' }), collected: asContainerRuntime },
  journald: { ...text({ log_line_prefix: '%m [%p] ' }), collected: asJournald },
  'cloudnative-pg': { settings: {}, file: 'server.csv', collected: asCloudNative },
};

function text(settings: Readonly<Record<string, string>>): LogForm {
  return { settings, file: 'server.log' };
}

/** What a client may choose so that its lines read like others'. */
export const disguises: readonly string[] = [
  'psql',
  '',
  'LOG:  ',
  '[4242]',
  ' [4242] LOG:  ',
  '[4242] LOG:  x',
  '4242] LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,select 1,',
  ',client=[local] LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,1,<none>',
  ':[4242]:LOG:  ',
  '2026-01-01 00:00:00 UTC [4242] LOG:  connection authorized: u',
];

/** Statements whose text imitates the log. */
const imitated = '2026-01-01 00:00:00.000 UTC [4242] LOG:  connection authorized: user=app database=shop';

export const statements: readonly string[] = [
  'delete from orders',
  ...['\n', '\r', '\u2028', '"\n', '",\n', '\t', '\n\t'].map((before) => `select '${before}${imitated}' from orders`),
  `select '${'long '.repeat(400)}' from orders`,
];

export const serverSettings: Readonly<Record<string, string>> = {
  shared_preload_libraries: 'pgaudit',
  'pgaudit.log': 'all',
  logging_collector: 'on',
  log_directory: 'log',
  log_filename: 'server.log',
  log_timezone: 'UTC',
  log_destination: 'stderr,csvlog,jsonlog',
  log_connections: 'on',
  log_min_messages: 'debug1',
};

/** Roles and databases are named so that they look like a line's beginning, too. */
export const roles: readonly (readonly [role: string, database: string])[] = [
  ['app', 'shop'],
  ['LOG: ', 'shop'],
  ['app', '[4242] LOG:  x'],
  ['a\n2026-01-01 00:00:00.000 UTC [4242] q@w LOG:  x', 'shop'],
];

export async function prepareServer(postgres: TestPostgres): Promise<void> {
  for (const [role, database] of roles) {
    const [known] = await postgres.query('select 1 from pg_database where datname = $1', [database]);
    if (!known) await postgres.query(`create database ${pg.escapeIdentifier(database)}`);
    const owner = await connect(postgres, postgres.superuser, postgres.password, database);
    await owner.query('create table if not exists orders (id int); grant all on orders to public');
    await owner.end();
    const [there] = await postgres.query('select 1 from pg_roles where rolname = $1', [role]);
    if (!there) await postgres.query(`create role ${pg.escapeIdentifier(role)} login password 'secret'`);
  }
}

/** Not by a URL, in which no name may have a line break. */
async function connect(
  { host, port }: TestPostgres,
  user: string,
  password: string,
  database: string,
  application = 'psql',
): Promise<pg.Client> {
  const client = new pg.Client({ host, port, user, password, database, application_name: application });
  await client.connect();
  return client;
}

/** `<form>.log.gz`, and `backends.json` with the backends of each. */
export function keptLog(file: string): string {
  return fileURLToPath(new URL(`../vectors/server-logs/${file}`, import.meta.url));
}

export interface MadeLog {
  readonly lines: readonly string[];
  /** The backends that connected, and how many statements each ran that name `orders`. */
  readonly backends: readonly { readonly pid: number; readonly benign: boolean; readonly statements: number }[];
}

/** Has clients of each disguise do their work, and gives the lines that the server wrote. */
export async function makeLog(postgres: TestPostgres, form: LogForm): Promise<MadeLog> {
  await postgres.query('alter system reset all');
  for (const [name, value] of Object.entries(form.settings)) {
    await postgres.query(`alter system set ${name} = ${pg.escapeLiteral(value)}`);
  }
  await postgres.query('select pg_reload_conf()');
  await inForce(postgres, form.settings);
  const [row] = await postgres.query<{ data_directory: string }>('show data_directory');
  const path = join(row?.data_directory ?? '', 'log', form.file);
  const from = readFileSync(path, 'utf8').length;
  const backends = [];
  for (const [role, database] of roles) {
    const names = role === 'app' && database === 'shop' ? disguises : ['psql'];
    for (const application of names) {
      const work = application === 'psql' ? statements : statements.slice(0, 1);
      const pid = await runAs(postgres, role, database, application, work);
      backends.push({
        pid,
        benign: application === 'psql' && role === 'app' && database === 'shop',
        statements: work.length,
      });
    }
  }
  await written(path, from, await runAs(postgres, 'app', 'shop', 'psql', ["select 'the last line' from orders"]));
  const lines = readFileSync(path, 'utf8').slice(from).split('\n');
  return { lines: form.collected ? form.collected(lines) : lines, backends };
}

/** The server takes its settings in its own time. */
async function inForce(postgres: TestPostgres, settings: LogForm['settings']): Promise<void> {
  const wanted = {
    log_line_prefix: '%m [%p] ',
    log_error_verbosity: 'default',
    'pgaudit.log_level': 'log',
    ...settings,
  };
  for (const [name, value] of Object.entries(wanted)) {
    for (;;) {
      const [row] = await postgres.query<{ value: string }>('select current_setting($1) as value', [name]);
      if (row?.value === value) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function runAs(
  postgres: TestPostgres,
  role: string,
  database: string,
  application: string,
  work: readonly string[],
): Promise<number> {
  const client = await connect(postgres, role, 'secret', database, application);
  const { rows } = await client.query('select pg_backend_pid() as pid');
  for (const sql of work) await client.query(sql);
  await client.end();
  return Number(rows[0]?.pid);
}

/** The server writes its log in its own time. */
async function written(path: string, from: number, pid: number): Promise<void> {
  const last = new RegExp(`\\b(?:${pid}|${pid.toString(16)})\\b.*the last line`);
  while (!last.test(readFileSync(path, 'utf8').slice(from))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function entriesOf(lines: readonly string[]): string[] {
  const entries: string[] = [];
  for (const line of lines) {
    if (line.startsWith('\t') && entries.length > 0) entries.push(`${entries.pop()}\n${line}`);
    else if (line !== '') entries.push(line);
  }
  return entries;
}

/** The server gives the process id to syslog(3), and its prefix in the first piece only. */
function asSyslog(lines: readonly string[]): string[] {
  let pid = '0';
  let number = 0;
  return lines.flatMap((line) => {
    const [, own, rest] = /^(\d+)=(.*)$/s.exec(line) ?? [];
    if (own !== undefined) pid = own;
    if (own !== undefined) number++;
    const pieces = (rest ?? line).replace(/^\t/, '#011').match(/.{1,800}/gs) ?? [''];
    const head = `2026-11-29T03:00:01.123456+00:00 db1 postgres[${pid}]`;
    return pieces.map((piece, at) => `${head}: [${number}-${own === undefined || at > 0 ? 2 : 1}] ${piece}`);
  });
}

function asCloudSql(lines: readonly string[]): string[] {
  return entriesOf(lines).map((textPayload) =>
    JSON.stringify({
      insertId: 'a',
      resource: { type: 'cloudsql_database' },
      textPayload,
      timestamp: '2026-11-29T03:00:00Z',
    }),
  );
}

function asCloudWatch(lines: readonly string[]): string[] {
  const events = entriesOf(lines).map((message) => ({ timestamp: 1795921201123, message, ingestionTime: 1 }));
  return JSON.stringify({ events, nextToken: 'x' }, undefined, 4).split('\n');
}

function asAzureMonitor(lines: readonly string[]): string[] {
  return entriesOf(lines).map((message) =>
    JSON.stringify({
      category: 'PostgreSQLLogs',
      time: '2026-11-29T03:00:00Z',
      properties: { errorLevel: 'LOG', message },
    }),
  );
}

function asDocker(lines: readonly string[]): string[] {
  return lines.map((line) => JSON.stringify({ log: `${line}\n`, stream: 'stderr', time: '2026-11-29T03:00:00Z' }));
}

/** https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md */
function asContainerRuntime(lines: readonly string[]): string[] {
  return lines.map((line) => `2026-11-29T03:00:01.123456789Z stderr F ${line}`);
}

/** `journalctl -o json`, through a program that writes all of Unicode as escapes. */
function asJournald(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const text = JSON.stringify({ MESSAGE: line, _PID: '1', __REALTIME_TIMESTAMP: '1795921201123456' });
    return text.replace(/[^ -~]|[<>&=]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
  });
}

const csvColumns = ['log_time', 'user_name', 'database_name', 'process_id'];

/** Its instance manager reads the csvlog and prints each record. */
function asCloudNative(lines: readonly string[]): string[] {
  const records: string[] = [];
  const csv = lines.join('\n');
  for (const record of csv.match(/(?:"(?:[^"]|"")*"|[^"\n])+(?=\n|$)/g) ?? []) {
    const fields = (record.match(/(?:"(?:[^"]|"")*"|[^,"]*)(?:,|$)/g) ?? []).map((field) =>
      field
        .replace(/,$/, '')
        .replace(/^"(.*)"$/s, '$1')
        .replaceAll('""', '"'),
    );
    const known = Object.fromEntries(csvColumns.map((name, at) => [name, fields[at] ?? '']));
    const message = fields[13] ?? '';
    const [, audit] = /^AUDIT: (.*)$/s.exec(message) ?? [];
    records.push(
      JSON.stringify({
        ...{ level: 'info', ts: 1795921201.1, logger: audit === undefined ? 'postgres' : 'pgaudit', msg: 'record' },
        record: {
          ...known,
          error_severity: fields[11],
          message: audit === undefined ? message : '',
          ...auditFields(audit),
        },
      }),
    );
  }
  return records;
}

function auditFields(audit: string | undefined): object {
  if (audit === undefined) return {};
  const names = [
    'audit_type',
    'statement_id',
    'substatement_id',
    'class',
    'command',
    'object_type',
    'object_name',
    'statement',
  ];
  const fields = (audit.match(/(?:"(?:[^"]|"")*"|[^,"]*)(?:,|$)/g) ?? []).map((field) =>
    field
      .replace(/,$/, '')
      .replace(/^"(.*)"$/s, '$1')
      .replaceAll('""', '"'),
  );
  return { audit: Object.fromEntries(names.map((name, at) => [name, fields[at] ?? ''])) };
}
