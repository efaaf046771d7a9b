/** What a newcomer runs into, through bin/dbguard: settings, logins, addresses, ports. See everyday.test.ts for the days after. */
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startIdp } from '../helpers/idp.js';
import { makeWorkspace } from '../helpers/workspace.js';
import { developer } from './developer.js';
import { type Stumble, stumbleOver } from './stumble.js';

const { workspace, postgres, config } = await developer(t);
const wrongPassword = 'hunter2-is-not-the-password';
const server = `127.0.0.1:${postgres.port}`;

const stranger = makeWorkspace();
const forgetful = makeWorkspace();
const brief = await startIdp({ idTokenTtl: () => 1 });
const occupied = createServer().listen(0, '127.0.0.1');
await once(occupied, 'listening');
const address = occupied.address();
const takenPort = typeof address === 'object' ? address?.port : undefined;
t.teardown(async () => {
  stranger.remove();
  forgetful.remove();
  occupied.close();
  await brief.close();
});

const file = join(workspace.home, 'a-file');
writeFileSync(file, 'not a folder\n');
const deep = join(workspace.home, 'deep'.repeat(20));
mkdirSync(deep, { mode: 0o700 });
mkdirSync(join(workspace.home, 'xdg'));
symlinkSync(join(workspace.home, 'state'), join(workspace.home, 'xdg/dbguard'));

const invalid = '  Nothing runs with a policy that is only half understood. "dbguard policy lint" checks the file.';

const stumbles: Readonly<Record<string, Stumble>> = {
  'no dbguard.yaml': {
    config: null,
    exitCode: 78,
    says: [
      'dbguard: no dbguard.yaml here or in a folder above, and none found in this project',
      /^ {2}Looked at DATABASE_URL, \.env files, .*Set DATABASE_URL, write a file with "dbguard init"/,
    ],
  },
  'no dbguard.yaml, and a database of another kind': {
    config: null,
    env: { DATABASE_URL: `mysql://app:${wrongPassword}@db/shop` },
    exitCode: 78,
    says: [/and none found in this project; DATABASE_URL in the environment is for mysql$/, /^ {2}Looked at/],
  },
  'no dbguard.yaml, and nobody who says which connection': {
    config: null,
    env: { DATABASE_URL: `postgresql://app:${wrongPassword}@db/shop` },
    exitCode: 77,
    says: [
      'dbguard: nobody has said yet which database is meant: app@db:5432/shop (DATABASE_URL in the environment), --from DATABASE_URL',
      '  Choose with --from, run it once at a terminal, or write a file with "dbguard init".',
    ],
  },
  'a place where no connection is': {
    args: ['run', '--from', 'compose.yaml', '--', 'true'],
    config: null,
    env: { DATABASE_URL: `postgresql://app:${wrongPassword}@db/shop` },
    exitCode: 64,
    says: [
      'dbguard: no connection was found in compose.yaml',
      '  Found: app@db:5432/shop (DATABASE_URL in the environment), --from DATABASE_URL.',
    ],
  },
  'a place for a connection, and a file that names one': {
    args: ['run', '--from', '.env', '--', 'true'],
    exitCode: 64,
    says: [
      'dbguard: --from is for folders where no dbguard.yaml names a connection',
      '  Choose one of its connections with --connection.',
    ],
  },
  'no dbguard.yaml to log in with': {
    args: ['login'],
    config: null,
    exitCode: 78,
    says: [
      'dbguard: no identity provider is configured',
      /^ {2}Set identity\.issuer and identity\.client_id in dbguard\.yaml \(dbguard init writes one\)/,
    ],
  },
  'no login': {
    at: stranger,
    exitCode: 77,
    says: ['dbguard: nobody is logged in', '  Run: dbguard login'],
  },
  'a login that has expired': {
    at: forgetful,
    config: { identity: { issuer: brief.issuer, client_id: brief.clientId, scopes: ['openid'] } },
    exitCode: 77,
    says: [/^dbguard: the login of dev-1\S* (has )?(ended|expired)/, /dbguard login/],
  },
  'the database is not there': {
    config: database(`postgresql://app:${wrongPassword}@127.0.0.1:1/shop`),
    exitCode: 69,
    says: [
      'dbguard: cannot reach 127.0.0.1:1: nothing listens there',
      /^ {2}Check host and port, and that the server runs/,
    ],
  },
  'a host that has no address': {
    config: database(`postgresql://app:${wrongPassword}@db.invalid/shop`),
    exitCode: 69,
    says: [/^dbguard: cannot reach db\.invalid:5432: the name /, /^ {2}Check the spelling of the host/],
  },
  'a wrong password': {
    config: database(postgres.url('postgres', 'postgres', wrongPassword)),
    exitCode: 77,
    says: [
      `dbguard: ${server} refused the connection: password authentication failed for user "postgres"`,
      '  Check the password of "postgres" in the connection, PGPASSWORD, .pgpass or password_command.',
    ],
  },
  'no password': {
    config: database(`postgresql://postgres@${server}/postgres`),
    exitCode: 77,
    says: [
      `dbguard: ${server} asks for the password of "postgres", and none was found`,
      '  Put it into PGPASSWORD, ~/.pgpass or password_command.',
    ],
  },
  'a database that does not exist': {
    config: database(postgres.url('shpo')),
    exitCode: 69,
    says: [`dbguard: ${server} refused the connection: database "shpo" does not exist`, /^ {2}Check the database name/],
  },
  'TLS where there is none': {
    config: database(`${postgres.url()}?sslmode=require`),
    exitCode: 76,
    says: [
      `dbguard: ${server} does not support TLS, and sslmode=require asks for it`,
      /^ {2}Switch ssl on in the server/,
    ],
  },
  'a connection that nobody has heard of': {
    args: ['run', '--connection', 'prod', '--', 'true'],
    exitCode: 78,
    says: ['dbguard: there is no connection "prod"', '  dbguard.yaml has: main.'],
  },
  'several connections, and none chosen': {
    config: {
      connections: { one: { url: 'postgresql://one/' }, two: { url: 'postgresql://two/' } },
      default_connection: undefined,
    },
    exitCode: 78,
    says: [
      'dbguard: no connection was chosen',
      '  dbguard.yaml has: one, two. Name one with --connection, or set default_connection.',
    ],
  },
  'a connection string of something else': {
    config: database(`mysql://app:${wrongPassword}@db/shop`),
    exitCode: 78,
    says: [/^dbguard: dbguard\.yaml:\d+:\d+: connections\.main\.url: expected postgresql:\/\//, invalid],
  },
  'YAML that is none': {
    config: 'version: 1\npolicy:\n  rules: [\n',
    exitCode: 78,
    says: [/^dbguard: dbguard\.yaml:\d+:\d+: not valid YAML: /, invalid],
  },
  'a key that does not exist': {
    config: 'version: 1\nconections:\n  main: {}\n',
    exitCode: 78,
    says: ['dbguard: dbguard.yaml:2:1: conections: unknown key. Did you mean "connections"?', invalid],
  },
  'a value that is not one': {
    config: { connections: { main: { url: 'postgresql://db/', environment: 'prod' } } },
    exitCode: 78,
    says: [
      /^dbguard: dbguard\.yaml:\d+:\d+: connections\.main\.environment: expected one of production, staging, development; "prod" is not one/,
      invalid,
    ],
  },
  'a command for the password as one text': {
    config: { connections: { main: { url: 'postgresql://db/', password_command: 'pass show db' } } },
    exitCode: 78,
    says: [/password_command: expected a list, since no shell takes it apart: \[pass, show, db\]$/, invalid],
  },
  'a provider that is demanded, and none named': {
    config: { identity: 'required' },
    exitCode: 78,
    says: [
      'dbguard: an identity provider is demanded, and none is configured',
      /^ {2}A file says "identity: required": set identity\.issuer and identity\.client_id/,
    ],
  },
  'half a provider': {
    config: { identity: undefined },
    env: { DBGUARD_ISSUER: 'https://login.example.com' },
    exitCode: 78,
    says: ['dbguard: the identity provider has an issuer and no client id', /^ {2}Give both: /],
  },
  'a bucket that cannot be written': {
    config: { bucket: `file:${file}` },
    exitCode: 69,
    says: [
      `dbguard: cannot use the bucket file:${file}: not a directory`,
      '  Check that the folder exists, that you may write to it, and that its disk has room.',
    ],
  },
  'an S3 bucket that only the repository names': {
    config: { bucket: 's3://transcripts/team' },
    exitCode: 77,
    says: [
      /^dbguard: dbguard\.yaml:\d+:\d+: bucket would send the transcripts and requests with your AWS credentials to s3:\/\/transcripts\/team, and you have not said that it may$/,
      /^ {2}Read that file\. If it is right, say so once: dbguard trust\./,
    ],
  },
  'an S3 bucket out of reach': {
    args: ['run', '--config', 'dbguard.yaml', '--', 'true'],
    config: { bucket: 's3://transcripts/team' },
    env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: wrongPassword },
    exitCode: 69,
    says: [/^dbguard: cannot use the bucket s3:\/\/transcripts\/team: /, /^ {2}Check the network, the endpoint/],
  },
  'a port that is taken': {
    args: ['proxy', '--listen', `127.0.0.1:${takenPort}`],
    exitCode: 71,
    says: [
      `dbguard: cannot listen on 127.0.0.1:${takenPort}: address already in use`,
      '  Choose another address with --listen (127.0.0.1:0 takes a free port), or stop the program that uses this one.',
    ],
  },
  'an address for everybody': {
    args: ['proxy', '--listen', '0.0.0.0:6432'],
    exitCode: 64,
    says: ['dbguard: --listen takes a loopback address, not 0.0.0.0', /SSH tunnel/],
  },
  'a password file that is not there': {
    args: ['proxy', '--password-file', 'nowhere'],
    exitCode: 64,
    says: [
      'dbguard: cannot read the password file nowhere: no such file or directory',
      '  Write a password of your choice into that file, readable by you alone.',
    ],
  },
  'a folder too deep for a socket': {
    env: { DBGUARD_HOME: '', XDG_STATE_HOME: join(workspace.home, 'xdg'), XDG_RUNTIME_DIR: deep },
    args: ['proxy'],
    exitCode: 71,
    says: [
      /^dbguard: the path of a socket may have 107 bytes, and this has more: /,
      /^ {2}Set XDG_RUNTIME_DIR or DBGUARD_HOME/,
    ],
  },
  'no place for dbguard’s own files': {
    env: { DBGUARD_HOME: file },
    exitCode: 78,
    says: [
      /^dbguard: cannot use the folder \S+: not a directory$/,
      '  Make its parent writable for you, or set DBGUARD_HOME to a folder that is.',
    ],
  },
  'a program that does not exist': {
    args: ['run', '--', 'no-such-program'],
    exitCode: 127,
    says: [
      'dbguard: no-such-program: command not found',
      '  Check the name and PATH, or give the full path: dbguard run -- /path/to/program',
    ],
  },
  'a program that may not be executed': {
    args: ['run', '--', './plain.txt'],
    exitCode: 126,
    says: ['dbguard: ./plain.txt: permission denied', '  Make it executable: chmod +x ./plain.txt'],
  },
  'no program': {
    args: ['run'],
    exitCode: 64,
    says: ["dbguard: missing required argument 'command'", '  See dbguard run --help.'],
  },
  'a command that does not exist': {
    args: ['rum'],
    exitCode: 64,
    says: ["dbguard: unknown command 'rum'", '(Did you mean run?)', '  See dbguard --help.'],
  },
  'a session that does not exist': {
    args: ['transcripts', 'show', 'zzzz'],
    exitCode: 66,
    says: [/^dbguard: no session begins with "zzzz" in file:/, /^ {2}See dbguard transcripts list/],
  },
};

function database(url: string): Readonly<Record<string, unknown>> {
  return { connections: { main: { url, environment: 'development' } } };
}

forgetful.configure({ identity: { issuer: brief.issuer, client_id: brief.clientId, scopes: ['openid'] } });
await forgetful.login(brief);
await sleep(1500); // longer than its token lives

t.jobs = 3;
stumbleOver(t, stumbles, { workspace, config, secrets: [wrongPassword, postgres.password] });
