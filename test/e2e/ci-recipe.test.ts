/** The recipe of `dbguard deploy shell`, run as a CI runs it: a platform signs for the job, a migration goes through, its transcript is attached. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { ciRecipe } from '../../src/cli/deploy/ci-recipe.js';
import { startPostgres } from '../helpers/postgres.js';
import { dbguardProgram, repositoryRoot } from '../helpers/repository.js';
import { startTokenIssuer } from '../helpers/token-issuer.js';
import { makeWorkspace } from '../helpers/workspace.js';

const [postgres, platform] = await Promise.all([
  startPostgres(),
  startTokenIssuer('repo:acme/shop:ref:refs/heads/main'),
]);
const workspace = makeWorkspace();
t.teardown(() => Promise.all([postgres.stop(), platform.close()]));
t.teardown(() => workspace.remove());
await postgres.query('create table orders (id int)');

const { project } = workspace;
const recipe = ciRecipe();
writeFileSync(join(project, recipe.path), recipe.text);
// what npm install --global does
const programs = join(project, 'programs');
mkdirSync(programs);
symlinkSync(dbguardProgram, join(programs, 'dbguard'));
const url = new URL(postgres.url());
const password = decodeURIComponent(url.password);
url.password = '';
const configure = (issuer: string, more: object = {}) =>
  workspace.configure({
    ...more,
    identity: { issuer, client_id: 'dbguard', workload_issuers: [platform.issuer] },
    connections: { shop: { url: String(url), environment: 'production' } },
    default_connection: 'shop',
  });
configure(platform.issuer);

/** A migration tool: it connects by DATABASE_URL, and prints what it finds of the job's secrets. */
writeFileSync(
  join(project, 'migrate.mjs'),
  `import pg from ${JSON.stringify(join(repositoryRoot, 'node_modules/pg/esm/index.mjs'))};
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
for (const sql of process.argv.slice(2)) await client.query(sql);
await client.end();
const kept = Object.keys(process.env).filter((name) => /^(ACTIONS_|DBGUARD_(CONFIG|ID))/.test(name));
console.log('secrets: ' + kept.join() + (process.env.PGPASSWORD === ${JSON.stringify(password)} ? ' password' : ''));`,
);
const run = (sql: string[], job: Record<string, string>) =>
  execa('sh', [recipe.path, process.execPath, 'migrate.mjs', ...sql], {
    cwd: project,
    extendEnv: false,
    reject: false,
    env: {
      ...workspace.env,
      PATH: `${programs}:${workspace.env.PATH}`,
      DBGUARD_CONFIG: 'dbguard.yaml',
      PGPASSWORD: password,
      ...job,
    },
  });
const evidence = (name: string): string => readFileSync(join(project, 'dbguard-evidence', name), 'utf8');

const jobs = {
  'as on GitHub: the platform signs a hash of the key': { job: platform.jobEnv, exit: 0, verdict: 'proven' },
  'as on GitLab: a token in a variable, for dbguard': {
    job: { DBGUARD_ID_TOKEN: await platform.sign({ aud: 'dbguard' }) },
    exit: 0,
    verdict: 'proven',
  },
};
for (const [name, { job, exit, verdict }] of Object.entries(jobs))
  t.test(name, async (t) => {
    const { exitCode, stdout, stderr } = await run(['insert into orders values (1)'], job);
    t.equal(exitCode, exit, stderr + stdout);
    t.match(stdout, /^secrets: $/m, 'the command has none');
    const summary = JSON.parse(evidence('summary.json'));
    t.match(summary, { command: 0, uploaded: true, verdict, exit });
    t.match(JSON.parse(evidence('verify.json')), { verdict });
    t.match(evidence('transcript.html'), summary.session);
  });

t.test('what a person would be asked is denied where nobody is, and that is the job’s end', async (t) => {
  const { exitCode, stderr } = await run(['drop table orders'], platform.jobEnv);
  t.equal(exitCode, 1);
  t.match(stderr, /42501|denied/);
  t.match(JSON.parse(evidence('summary.json')), { command: 1, uploaded: true, verdict: 'proven', exit: 1 });
  t.match(await postgres.query('select count(*)::int from orders'), [{ count: 2 }]);
});

t.test('where somebody is named who approves, it is put to them, and the job says that nobody has', async (t) => {
  configure(platform.issuer, { second_person: { approvers: ['lead@example.test'], wait: '1s' } });
  const { exitCode, stderr } = await run(['drop table orders'], platform.jobEnv);
  configure(platform.issuer);
  t.equal(exitCode, 1);
  t.match(stderr, /no second person has approved this statement yet/);
  const objects = readdirSync(workspace.bucket, { recursive: true }).map(String);
  t.ok(
    objects.some((key) => /request/.test(key)),
    objects.join(),
  );
  t.match(JSON.parse(evidence('summary.json')), { command: 1, uploaded: true, verdict: 'proven', exit: 1 });
  t.match(await postgres.query('select count(*)::int from orders'), [{ count: 2 }]);
});

t.test('a job without an identity opens nothing', async (t) => {
  const { exitCode, stderr } = await run(['select 1'], {});
  t.equal(exitCode, 77, stderr);
  t.match(JSON.parse(evidence('summary.json')), { session: null, exit: 77 });
});

t.test('without settings or a command it says what it wants', async (t) => {
  t.match(await run([], { DBGUARD_CONFIG: '' }), { stderr: /names no dbguard\.yaml/ });
  t.match(await execa('sh', [recipe.path], { cwd: project, reject: false }), { exitCode: 64 });
});
