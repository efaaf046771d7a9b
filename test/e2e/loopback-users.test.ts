/** Several users of one loopback port, each another login or role of the server, through real clients. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import pg from 'pg';
import t, { type Test } from 'tap';
import { clientProgram, type PostgresVersion, postgresAvailable, startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';
import { Client } from '../helpers/wire-client.js';
import { developer, script, sessionOf } from './developer.js';

const config = {
  users: {
    readonly: { role: 'app_readonly' },
    jobs: { login: 'app_jobs', variable: 'JOBS_DATABASE_URL' },
    outsider: { role: 'nobody_may' },
    guest: null,
  },
};
const roles = [
  'CREATE ROLE app_readonly',
  'CREATE ROLE nobody_may',
  "CREATE ROLE app LOGIN PASSWORD 'app-secret' IN ROLE app_readonly",
  "CREATE ROLE app_jobs LOGIN PASSWORD 'jobs-secret'",
  "CREATE ROLE guest LOGIN PASSWORD 'guest-secret'",
  'CREATE TABLE orders (id int)',
  'GRANT SELECT ON orders TO app_readonly',
  'GRANT SELECT, INSERT ON orders TO app, app_jobs',
  'GRANT pg_read_all_stats TO app',
];
const who = 'SELECT session_user AS login, current_user AS role';

/** The variables of a dbguard whose person has this .pgpass. */
function passfile(t: Test, lines: string): Record<string, string> {
  const folder = t.testdir({ passfile: lines });
  chmodSync(join(folder, 'passfile'), 0o600);
  return { PGPASSFILE: join(folder, 'passfile') };
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    ({ code, message, hint }) => ({ code, message, hint }),
  );

async function serverOf(t: Test, version: PostgresVersion) {
  const server = await startPostgres({ version });
  for (const sql of roles) await server.query(sql);
  const url = new URL(server.url());
  [url.username, url.password] = ['app', 'app-secret'];
  t.teardown(() => server.stop());
  return { server, url: url.href };
}

for (const version of [18, 15] as const) {
  if (!postgresAvailable(version)) continue;
  t.test(`PostgreSQL ${version}`, async (t) => {
    const { server, url } = await serverOf(t, version);
    const guarded = await startProxyProcess(server, {
      policy: {
        profile: 'observe',
        rules: [
          // biome-ignore lint/suspicious/noThenProperty: the rule's own word; nothing awaits it
          { name: 'guests-look', when: { user: 'guest', effect: 'insert' }, then: 'deny', reason: 'Guests look.' },
        ],
      },
      config: { connections: { main: { url, databases: 'any', environment: 'development', ...config } } },
      env: passfile(t, '*:*:*:guest:guest-secret\n*:*:*:app_jobs:jobs-secret\n'),
    });
    const connect = async (user: string, password = guarded.password): Promise<pg.Client> => {
      const { host, port, database } = guarded;
      const client = new pg.Client({ host, port, user, database, password, application_name: `as ${user}` });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    };

    await t.test('a client is on the server who it says it is', async (t) => {
      const expected = {
        app: { login: 'app', role: 'app' },
        readonly: { login: 'app', role: 'app_readonly' },
        jobs: { login: 'app_jobs', role: 'app_jobs' },
        guest: { login: 'guest', role: 'guest' },
      };
      for (const [user, is] of Object.entries(expected)) {
        const client = await connect(user);
        t.same((await client.query(who)).rows, [is], user);
        await client.end();
      }
    });

    await t.test('a role stays, whatever a pool resets', async (t) => {
      const client = await connect('readonly');
      for (const reset of ['RESET ALL', 'RESET ROLE', 'SET role TO DEFAULT', 'DISCARD ALL']) {
        await client.query(reset);
        t.match((await client.query(who)).rows, [{ role: 'app_readonly' }], reset);
      }
      t.match(await failure(client.query('INSERT INTO orders VALUES (1)')), {
        code: '42501',
        message: /permission denied/,
      });
      await client.end();
    });

    await t.test('a startup packet does not choose another role', async (t) => {
      const { host, port, database, password } = guarded;
      for (const more of [
        { role: 'app' },
        { ROLE: 'app' },
        { options: '-c role=app' },
        { options: '-c session_authorization=app' },
      ]) {
        const client = await Client.open({ host, port, user: 'readonly', password, database });
        await client.logIn(more);
        t.match(client.heard.at(-1)?.body.toString(), /the role of this user is given/, JSON.stringify(more));
      }
    });

    await t.test('who is nobody is told so, if the password is right', async (t) => {
      t.match(await failure(connect('postgres')), {
        code: '28000',
        message: 'dbguard: this session has no user "postgres"',
        hint: 'Connect as app, readonly, jobs, outsider, guest.',
      });
      t.match(await failure(connect('postgres', 'wrong')), { code: '28P01', hint: /Only the program/ });
      t.match(await failure(connect('app', 'wrong')), { code: '28P01', hint: /Only the program/ });
      t.match(
        await failure(connect('readonly', 'app-secret')),
        { code: '28P01' },
        'the server’s password is none here',
      );
    });

    await t.test('the server has the last word on a role', async (t) => {
      t.match(await failure(connect('outsider')), {
        message: /permission denied to set role|must be able to SET ROLE/,
      });
    });

    await t.test('a rule may be about a user', async (t) => {
      const [guest, jobs] = [await connect('guest'), await connect('jobs')];
      t.match(await failure(guest.query('INSERT INTO orders VALUES (1)')), { code: '42501', message: /Guests look/ });
      t.equal((await jobs.query('INSERT INTO orders VALUES (1)')).rowCount, 1);
      await Promise.all([guest.end(), jobs.end()]);
    });

    await t.test('a pool each, at the same time', async (t) => {
      const { host, port, database, password } = guarded;
      const pools = ['app', 'readonly', 'jobs'].map(
        (user) => new pg.Pool({ host, port, database, user, password, max: 3 }),
      );
      const found = await Promise.all(
        pools.flatMap((pool) => Array.from({ length: 12 }, async () => (await pool.query(who)).rows[0]?.role)),
      );
      t.same(new Set(found), new Set(['app', 'app_readonly', 'app_jobs']));
      t.equal(found.filter((role) => role === 'app_jobs').length, 12);
      await Promise.all(pools.map((pool) => pool.end()));
    });

    const psql = clientProgram('psql');
    if (psql) {
      await t.test('psql -U', async (t) => {
        const { host, port, database, password } = guarded;
        const env = { PGHOST: host, PGPORT: String(port), PGDATABASE: database, PGUSER: 'app', PGPASSWORD: password };
        const { stdout } = await execa(psql, ['-XAtU', 'readonly', '-c', 'SELECT current_user'], { env });
        t.equal(stdout, 'app_readonly');
      });
    }

    await guarded.stop();
  });
}

t.test('the child has a variable for each, with a password that opens no other', async (t) => {
  const { postgres, workspace, config: own, run } = await developer(t);
  for (const sql of roles) await postgres.query(sql);
  const url = new URL(postgres.url());
  [url.username, url.password] = ['app', 'app-secret'];
  const jobs = { ...config.users.jobs, password_command: ['printf', 'jobs-secret'] };
  const users = { readonly: config.users.readonly, jobs };
  // the person's own file: password_command is refused in a repository's
  workspace.configure({ ...own, connections: { main: { url: url.href, environment: 'development', users } } });
  const file = { DBGUARD_CONFIG: join(workspace.project, 'dbguard.yaml') };
  const { stdout, stderr } = await run(
    script(`
      const seen = {};
      for (const name of ['DATABASE_URL', 'DATABASE_URL_READONLY', 'JOBS_DATABASE_URL']) {
        const one = new Client({ connectionString: process.env[name] });
        await one.connect();
        seen[name] = (await one.query('SELECT session_user || $$ $$ || current_user AS who')).rows[0].who;
        await one.end();
      }
      const other = new URL(process.env.DATABASE_URL_READONLY);
      other.username = 'jobs';
      const wrong = new Client({ connectionString: other.href });
      seen.wrong = await wrong.connect().then(() => 'in', (error) => error.code);
      seen.secrets = Object.values(process.env).filter((value) => /app-secret|jobs-secret/.test(value));
      return seen;`),
    { env: file },
  );
  t.same(JSON.parse(stdout || '{}'), {
    DATABASE_URL: 'app app',
    DATABASE_URL_READONLY: 'app app_readonly',
    JOBS_DATABASE_URL: 'app_jobs app_jobs',
    wrong: '28P01',
    secrets: [],
  });
  const show = await workspace.dbguard(['transcripts', 'show', sessionOf(stderr)], { env: file });
  t.match(show.stdout, / as app with the role app_readonly for readonly/);
  t.match(show.stdout, / as app_jobs for jobs/);
  const verify = await workspace.dbguard(['transcripts', 'verify', sessionOf(stderr)], { env: file });
  t.equal(verify.exitCode, 0, verify.stdout);
});
