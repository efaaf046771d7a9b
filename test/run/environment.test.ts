import { test } from 'tap';
import { childEnvironment } from '../../src/run/environment.js';

const proxy = {
  host: '127.0.0.1',
  port: 54321,
  user: 'dbguard',
  password: 'p/w:1',
  database: 'shop db',
  socketDir: '/run/user/1000/dbg-x',
  libpqHost: '/run/user/1000/dbg-x',
  further: [{ user: 'read only', password: 'own/1', variable: 'READONLY_DATABASE_URL' }],
};
const secret = 'S3cret/pass word';

function build(parent: Record<string, string>, real = {}) {
  return childEnvironment(
    parent,
    proxy,
    { upstreamPasswords: [secret], upstreamHosts: ['db.internal'], ...real },
    'sid1',
  );
}

test('the child finds the proxy, for libpq and for drivers', (t) => {
  const { env, removed } = build({ PATH: '/bin', HOME: '/home/anna', LANG: 'C' });
  t.match(env, {
    PATH: '/bin',
    HOME: '/home/anna',
    LANG: 'C',
    PGHOST: '/run/user/1000/dbg-x',
    PGPORT: '54321',
    PGUSER: 'dbguard',
    PGPASSWORD: 'p/w:1',
    PGDATABASE: 'shop db',
    PGSSLMODE: 'disable',
    DBGUARD_SESSION: 'sid1',
  });
  const url = new URL(env.DATABASE_URL ?? '');
  t.equal(decodeURIComponent(url.password), 'p/w:1');
  t.equal(url.host, '127.0.0.1:54321');
  t.equal(url.pathname, '/shop%20db');
  t.equal(url.searchParams.get('sslmode'), 'disable');
  t.strictSame(removed, []);
  const readonly = new URL(env.READONLY_DATABASE_URL ?? '');
  t.equal(decodeURIComponent(readonly.username), 'read only');
  t.equal(decodeURIComponent(readonly.password), 'own/1');
  t.equal(readonly.host, url.host);
  const six = childEnvironment({}, { ...proxy, host: '::1' }, {}, 'sid1');
  t.match(six.env.DATABASE_URL, '@[::1]:54321/');
  t.end();
});

test('attack: nothing that could carry the real login is left', (t) => {
  const leaks: Record<string, string> = {
    PGHOST: 'db.internal',
    PGPASSWORD: secret,
    PGPASSFILE: '/home/anna/.pgpass',
    PGSERVICE: 'prod',
    PGSERVICEFILE: '/etc/pg_service.conf',
    PGSYSCONFDIR: '/etc/postgresql',
    PGSSLKEY: '/home/anna/.postgresql/postgresql.key',
    PGSSLCERT: '/home/anna/.postgresql/postgresql.crt',
    PGHOSTADDR: '10.0.0.1',
    PGTARGETSESSIONATTRS: 'read-write',
    pgpassword: secret,
    DATABASE_URL: `postgres://app:${encodeURIComponent(secret)}@db.internal/shop`,
    TEST_DATABASE_URL: 'postgresql://db.internal/shop',
    DIRECT_URL: 'POSTGRES://app@db.internal/shop',
    SQLALCHEMY_DATABASE_URI: 'postgresql+asyncpg://app:x@db.internal/shop',
    SPRING_DATASOURCE_URL: 'jdbc:postgresql://db.internal/shop?user=app&password=x',
    SHORT_JDBC: 'jdbc:postgresql:shop?password=x',
    QUOTED: `"postgres://app:x@db.internal/shop"`,
    DSN: 'host=db.internal dbname=shop user=app password=other',
    NPGSQL: 'Host=db.internal;Username=app;Password=other;Database=shop',
    POSTGRES_PASSWORD: 'another',
    DB_PASSWORD: 'another',
    DBGUARD_PASSWORD: secret,
    DBGUARD_ID_TOKEN: 'x',
    WHOLE: secret,
    INSIDE: `--password=${secret} --verbose`,
    ENCODED: `x=${encodeURIComponent(secret)}`,
    BASE64: Buffer.from(secret).toString('base64'),
    JSON_CONFIG: JSON.stringify({ pw: secret }),
    LOGIN_ELSEWHERE: 'scheme://app:other@db.internal:6543',
    TOKEN: 'an-id-token-of-ours',
    CI_JOB_TOKEN: 'read from here',
  };
  const { env, removed } = build(leaks, { otherSecrets: ['an-id-token-of-ours'], variables: ['CI_JOB_TOKEN'] });
  t.strictSame(removed, Object.keys(leaks).sort(), 'names, so that a person sees what is missing');
  const all = JSON.stringify(env);
  for (const piece of [
    secret,
    encodeURIComponent(secret),
    'db.internal',
    '.pgpass',
    'another',
    'an-id-token-of-ours',
  ]) {
    t.notMatch(all, piece, piece);
  }
  // libpq looks into ~/.pgpass, ~/.pg_service.conf and the system's service file unless these name others
  for (const name of ['PGPASSFILE', 'PGSERVICEFILE', 'PGSYSCONFDIR'])
    t.match(env[name], /^\/run\/user\/1000\/dbg-x\/no-/);
  t.end();
});

test('what has nothing to do with the database stays', (t) => {
  const kept = {
    PGAPPNAME: 'tests',
    PGCLIENTENCODING: 'UTF8',
    PGTZ: 'UTC',
    ANTHROPIC_API_KEY: 'sk-1',
    AWS_SECRET_ACCESS_KEY: 'x',
    MYSQL_URL: 'mysql://root:x@localhost/shop',
    GREETING: 'my password = none of yours',
    EDITOR: 'vim',
    COMPANY: 'postgres lovers',
  };
  const { env, removed } = build(kept);
  t.match(env, kept);
  t.strictSame(removed, []);
  t.end();
});

test('a short password does not take everything with it', (t) => {
  const { removed } = build({ NODE_ENV: 'development', STAGE: 'dev' }, { upstreamPasswords: ['dev'] });
  t.strictSame(removed, ['STAGE']);
  t.end();
});

test('what the launcher keeps from dbguard itself is the child’s', (t) => {
  const { env, removed } = build({
    DBGUARD_CHILD_NODE_OPTIONS: '--require=./debugger.js --use-openssl-ca',
    NODE_OPTIONS: ' --use-openssl-ca',
    DBGUARD_CHILD_NODE_V8_COVERAGE: 'coverage',
    DBGUARD_CHILD_PGPASSWORD: 'x',
  });
  t.match(env, { NODE_OPTIONS: '--require=./debugger.js --use-openssl-ca', NODE_V8_COVERAGE: 'coverage' });
  t.equal(env.PGPASSWORD, 'p/w:1', 'nothing else comes in by that name');
  t.notMatch(Object.keys(env).join(), /DBGUARD_CHILD/);
  t.strictSame(removed, ['PGPASSWORD']);
  t.end();
});
