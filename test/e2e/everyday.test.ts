/** What goes wrong on the days after the first: servers that refuse, providers and buckets that are away, slips of the hand. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startS3, testKey } from '../helpers/s3.js';
import { makeCertificate } from '../io/upstream/certificates.js';
import { developer } from './developer.js';
import { type Stumble, stumbleOver } from './stumble.js';

const { workspace, postgres, idp, config } = await developer(t, {
  postgres: { ssl: true, hba: ['host all shutout all reject', 'host all nobody all trust'] },
});
await postgres.query("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0 PASSWORD 'crowded-secret'");
await postgres.query("CREATE ROLE reader LOGIN PASSWORD 'reader-secret'");
await postgres.query('CREATE DATABASE closed');
await postgres.query('REVOKE CONNECT ON DATABASE closed FROM public');
await postgres.query('CREATE TABLE orders (id int)');
const s3 = await startS3('transcripts');
s3.allows = ({ method }) => method === 'GET' || method === 'HEAD';
t.teardown(() => s3.close());
const server = `127.0.0.1:${postgres.port}`;

/** Two sessions, to be mistaken for each other. */
for (const _ of [1, 2]) await workspace.dbguard(['run', '--', 'true']);
const other = makeCertificate({ name: 'another authority', authority: true });
const rootcert = join(workspace.home, 'other.pem');
writeFileSync(rootcert, other.pem);
/** Enough to start programs, and no fence. */
const bare = join(workspace.home, 'bare');
mkdirSync(bare);
for (const program of ['env', 'true']) symlinkSync(`/usr/bin/${program}`, join(bare, program));

const main = (url: string, more: object = {}) => ({
  connections: { main: { url, environment: 'development', ...more } },
});
const own = (url: string, more: object) => ({
  files: { 'own.yaml': JSON.stringify({ version: 1, ...config, ...main(url, more) }) },
  args: ['run', '--config', 'own.yaml', '--', 'true'],
});
const aws = {
  AWS_ENDPOINT_URL: s3.endpoint,
  AWS_ACCESS_KEY_ID: 'nobody',
  AWS_SECRET_ACCESS_KEY: 'x',
  AWS_REGION: 'eu-west-1',
};
const known = { ...aws, AWS_ACCESS_KEY_ID: testKey.id, AWS_SECRET_ACCESS_KEY: testKey.secret };
const stumbles: Readonly<Record<string, Stumble>> = {
  'a certificate that another authority has signed': {
    config: main(`${postgres.url()}?sslmode=verify-full&sslrootcert=${rootcert}`),
    exitCode: 76,
    says: [
      `dbguard: the certificate of ${server} is not trusted: self-signed certificate in certificate chain`,
      '  Set sslrootcert to the file of the CA that signed it (sslrootcert=system for public CAs).',
    ],
  },
  'a certificate for another name': {
    config: main(
      `host=db.example.com hostaddr=127.0.0.1 port=${postgres.port} user=postgres sslmode=verify-full sslrootcert=${postgres.tls?.rootcert}`,
    ),
    exitCode: 76,
    says: [
      `dbguard: the certificate of db.example.com:${postgres.port} is not for the host "db.example.com"`,
      '  Connect by the name that the certificate carries, or use sslmode=verify-ca if you trust every server of that CA.',
    ],
  },
  'roots that nobody named': {
    config: main(`${postgres.url()}?sslmode=verify-full`),
    exitCode: 78,
    says: [
      'dbguard: sslmode=verify-full needs root certificates, and sslrootcert names none',
      '  Set sslrootcert to the file of the CA that signed the server, or sslrootcert=system for the roots of this system.',
    ],
  },
  'a file of roots that is not there': {
    config: main(`${postgres.url()}?sslmode=verify-full&sslrootcert=/no/such.pem`),
    exitCode: 78,
    says: ['dbguard: the file of sslrootcert does not exist: /no/such.pem', '  Check sslrootcert of the connection.'],
  },
  'pg_hba.conf': {
    config: main(postgres.url('postgres', 'shutout', 'x')),
    exitCode: 77,
    says: [
      `dbguard: ${server} refused the connection: pg_hba.conf rejects connection for host "127.0.0.1", user "shutout", database "postgres", SSL encryption`,
      '  Check that the role "shutout" exists, may log in, and that pg_hba.conf lets it into "postgres" from here with this sslmode.',
    ],
  },
  'a role that does not exist': {
    config: main(postgres.url('postgres', 'nobody', 'x')),
    exitCode: 77,
    says: [
      `dbguard: ${server} refused the connection: role "nobody" does not exist`,
      '  Check that the role "nobody" exists, may log in, and that pg_hba.conf lets it into "postgres" from here with this sslmode.',
    ],
  },
  'too many connections': {
    config: main(postgres.url('postgres', 'crowded', 'crowded-secret')),
    exitCode: 69,
    says: [
      `dbguard: ${server} refused the connection: too many connections for role "crowded"`,
      '  No connection slot is left: close idle ones, or raise max_connections or the limit of the role or database.',
    ],
  },
  'a database that is closed to the role': {
    config: main(postgres.url('closed', 'reader', 'reader-secret')),
    exitCode: 77,
    says: [
      `dbguard: ${server} refused the connection: permission denied for database "closed"`,
      '  Grant CONNECT on database "closed" to "reader", or use another role.',
    ],
  },
  'a service that nobody has described': {
    config: { connections: { main: { service: 'nowhere' } } },
    exitCode: 78,
    says: [
      /there is no service "nowhere" in \S+\.pg_service\.conf/,
      '  Add a section [nowhere] there, or set PGSERVICEFILE to the file that has it.',
    ],
  },
  'a password command that fails': {
    ...own(`postgresql://postgres@${server}/postgres`, { password_command: ['false'] }),
    exitCode: 77,
    says: [
      'dbguard: password_command "false" gave no password: it ended with exit code 1',
      '  Run it by hand to see what it says.',
    ],
  },
  'a .env that is no connection': {
    config: null,
    files: { '.env': 'DATABASE_URL=postgresql://[broken\n' },
    exitCode: 78,
    says: [
      'dbguard: no dbguard.yaml here or in a folder above, and none found in this project; DATABASE_URL in .env cannot be read as a connection string',
      /^ {2}Looked at .*Set DATABASE_URL/,
    ],
  },
  'a provider that is down': {
    args: ['login', '--issuer', 'http://127.0.0.1:1', '--client-id', 'dbguard'],
    exitCode: 77,
    says: [
      'dbguard: the issuer http://127.0.0.1:1 cannot be reached: nothing listens there',
      '  Check the network, VPN or proxy, and identity.issuer in dbguard.yaml.',
    ],
  },
  'a provider that is none': {
    args: ['login', '--issuer', s3.endpoint, '--client-id', 'dbguard'],
    exitCode: 77,
    says: [
      `dbguard: ${s3.endpoint} does not answer as an OpenID Connect issuer (unexpected HTTP response status code)`,
      `  Check identity.issuer; ${s3.endpoint}/.well-known/openid-configuration must exist and name it exactly.`,
    ],
  },
  'an issuer that is no address': {
    args: ['login', '--issuer', 'login.example.com', '--client-id', 'x'],
    exitCode: 78,
    says: [
      'dbguard: identity.issuer is not a URL',
      '  It looks like https://login.example.com/realms/main and is written in your provider’s settings.',
    ],
  },
  'a client that the provider does not know': {
    args: ['login', '--issuer', idp.issuer, '--client-id', 'dbgaurd'],
    exitCode: 77,
    says: [
      'dbguard: the issuer does not know the client id dbgaurd',
      '  Check identity.client_id. The client must be public, or its secret given by DBGUARD_CLIENT_SECRET.',
    ],
  },
  'a keychain that is demanded and not there': {
    args: ['login', '--issuer', idp.issuer, '--client-id', 'dbguard'],
    env: { DBGUARD_TOKEN_STORE: 'keychain', DBUS_SESSION_BUS_ADDRESS: '', XDG_RUNTIME_DIR: '' },
    exitCode: 77,
    says: [
      /^dbguard: the OS keychain cannot be used: /,
      '  Unlock it and try again, or log in again with DBGUARD_TOKEN_STORE=file.',
    ],
  },
  'a kind of token store that is none': {
    args: ['whoami'],
    env: { DBGUARD_TOKEN_STORE: 'keychian' },
    exitCode: 64,
    says: [
      'dbguard: DBGUARD_TOKEN_STORE takes one of auto, keychain, file',
      '  Unset it to have the keychain where there is one, and an encrypted file elsewhere.',
    ],
  },
  'a bucket that is not there': {
    args: ['transcripts', 'list', '--bucket', 's3://missing'],
    env: known,
    exitCode: 69,
    says: [
      'dbguard: cannot use the bucket s3://missing: NoSuchBucket',
      '  Check the name in dbguard.yaml; dbguard does not create buckets.',
    ],
  },
  'keys that the bucket does not know': {
    args: ['transcripts', 'list', '--bucket', 's3://transcripts'],
    env: aws,
    exitCode: 69,
    says: [
      'dbguard: cannot use the bucket s3://transcripts: InvalidAccessKeyId',
      '  The AWS access key is not known: check the profile or the environment.',
    ],
  },
  'a bucket that may only be read': {
    ...own(postgres.url(), {}),
    files: { 'own.yaml': JSON.stringify({ version: 1, ...config, bucket: 's3://transcripts' }) },
    env: known,
    exitCode: 69,
    says: [
      'dbguard: cannot use the bucket s3://transcripts: AccessDenied: Access Denied',
      '  The credentials need s3:PutObject under v1/ (and recordings/) to record, s3:GetObject and s3:ListBucket to read.',
    ],
  },
  'a folder that cannot be made': {
    env: { DBGUARD_HOME: '/proc/nowhere' },
    exitCode: 78,
    says: [
      'dbguard: cannot use the folder /proc/nowhere/state: no such file or directory',
      '  Make its parent writable for you, or set DBGUARD_HOME to a folder that is.',
    ],
  },
  'an agent mistyped': {
    args: ['run', '--', 'claud'],
    exitCode: 127,
    says: [
      'dbguard: claud: command not found',
      '  Did you mean claude? Check the name and PATH, or give the full path: dbguard run -- /path/to/program',
    ],
  },
  'psql where there is none': {
    args: ['run', '--', 'psql'],
    env: { PATH: bare },
    exitCode: 127,
    says: [
      'dbguard: psql: command not found',
      '  Check the name and PATH, or give the full path: dbguard run -- /path/to/program. It comes with the PostgreSQL client: apt install postgresql-client, brew install libpq',
    ],
  },
  'a profile mistyped': {
    args: ['explain', '--profile', 'gaurded', 'select 1'],
    exitCode: 64,
    says: ['dbguard: --profile takes one of observe, guarded, read-only, migrations', '  Did you mean "guarded"?'],
  },
  'a profile mistyped in the file': {
    config: { policy: { profile: 'gaurded' } },
    exitCode: 78,
    says: [
      'dbguard: dbguard.yaml:12:12: policy.profile: expected one of observe, guarded, read-only, migrations; "gaurded" is not one. Did you mean "guarded"?',
      '  Nothing runs with a policy that is only half understood. "dbguard policy lint" checks the file.',
    ],
  },
  'an option mistyped': {
    args: ['run', '--conection', 'x', '--', 'true'],
    exitCode: 64,
    says: ["dbguard: unknown option '--conection'", '(Did you mean --connection?)', '  See dbguard run --help.'],
  },
  'a topic mistyped': {
    args: ['help', 'maskk'],
    exitCode: 64,
    says: ["dbguard: unknown command 'maskk', and no topic is called so", '  Did you mean "dbguard help masks"?'],
  },
  'a shell that has no completions': {
    args: ['completions', 'tcsh'],
    exitCode: 64,
    says: [
      'dbguard: there are no completions for "tcsh", only for bash, zsh, fish, powershell',
      '  Did you mean: dbguard completions bash',
    ],
  },
  'an id that two sessions have': {
    args: ['transcripts', 'show', '0'],
    exitCode: 64,
    says: [/^dbguard: \d+ sessions begin with "0"$/, /^ {2}Give more of one: \w{26}, /],
  },
  'a day that is none': {
    args: ['transcripts', 'list', '--since', 'yesterday'],
    exitCode: 64,
    says: ['dbguard: --since takes a day like 2026-11-23', '  See dbguard transcripts list --help.'],
  },
  'a statement that waits no more': {
    args: ['approve', 'zz9'],
    exitCode: 66,
    says: [
      'dbguard: no statement zz9 waits for approval',
      '  It may have been answered, cancelled or timed out. "dbguard approvals" lists what waits.',
    ],
  },
  'a recipient that is none': {
    config: main(postgres.url(), { record: { terminal: true, encrypt_to: ['agee1xyz'] } }),
    exitCode: 78,
    says: [
      'dbguard: dbguard.yaml:11:17: connections.main.record.terminal: expected one of on, off, found true',
      'dbguard.yaml:13:11: connections.main.record.encrypt_to[0]: expected age1... or ssh-ed25519 AAAA...',
      '  Nothing runs with a policy that is only half understood. "dbguard policy lint" checks the file.',
    ],
  },
  'a key that is not there': {
    args: ['transcripts', 'replay', '0', '--identity', 'nokey'],
    exitCode: 64,
    says: [
      'dbguard: cannot read nokey: no such file or directory',
      '  Name the file of your age key (age-keygen), or your ssh-ed25519 private key.',
    ],
  },
  'a screen without a terminal': {
    args: ['review'],
    exitCode: 64,
    says: [
      'dbguard: there is no terminal on stdin and stdout, and review is a screen',
      '  dbguard transcripts list, show, search and verify say the same in lines of text; transcripts page writes it for a browser.',
    ],
  },
  'words that nobody can be asked for': {
    args: ['mark'],
    exitCode: 64,
    says: [
      'dbguard: there is no terminal to ask at',
      '  Run dbguard mark in a terminal: words on a command line or in a file would not stay yours.',
    ],
  },
  'SQL that is not there': {
    args: ['policy', 'test', 'nofile.sql'],
    exitCode: 64,
    says: ['dbguard: cannot read nofile.sql: no such file or directory', '  See dbguard policy test --help.'],
  },
  'a file that is named and missing': {
    args: ['run', '--config', 'nope.yaml', '--', 'true'],
    exitCode: 78,
    says: [
      /^dbguard: there is no file \S+nope\.yaml$/,
      '  Check --config and DBGUARD_CONFIG, or write a new file with "dbguard init".',
    ],
  },
  'a file that would be replaced': {
    args: ['init'],
    exitCode: 64,
    says: ['dbguard: dbguard.yaml exists already', '  Edit it, or replace it with "dbguard init --force".'],
  },
};

t.jobs = 3;
stumbleOver(t, stumbles, { workspace, config, secrets: [postgres.password, 'crowded-secret', 'reader-secret'] });
