/** From a project with a DATABASE_URL and nothing else to a transcript that verifies: one question, no file, no login. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { dbguardProgram } from '../helpers/repository.js';
import { Terminal } from '../helpers/terminal.js';
import { makeWorkspace } from '../helpers/workspace.js';

const postgres = await startPostgres();
t.teardown(() => postgres.stop());

const schema = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n';
const answers = ['run', '--', 'psql', '-XAtc', "SELECT 'answer ' || (41 + 1)"];

t.test('it asks once, remembers, says what is missing, and what the agent can read', async (t) => {
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  mkdirSync(join(workspace.project, 'prisma'));
  writeFileSync(join(workspace.project, 'prisma/schema.prisma'), schema);
  writeFileSync(join(workspace.project, '.env'), `DATABASE_URL="${postgres.url()}?schema=public"\n`);

  const unattended = await workspace.dbguard(answers);
  t.equal(unattended.exitCode, 77);
  t.match(unattended.stderr, /nobody has said yet which database is meant: .*--from \.env/);

  const how = { cwd: workspace.project, env: workspace.env, columns: 120 };
  const declined = new Terminal(dbguardProgram, answers, how);
  await declined.shows('Guard this one?');
  declined.type('n\r');
  t.equal((await declined.exit).code, 77);

  const terminal = new Terminal(dbguardProgram, answers, how);
  await terminal.shows(/Guard this one\?/);
  t.match(terminal.raw, /DATABASE_URL in \.env, prisma\/schema\.prisma/);
  terminal.type('\r');
  t.equal((await terminal.exit).code, 0);
  const said = terminal.raw;
  t.match(said, /answer 42/);
  t.match(said, /\.env holds the real password, and the agent can read that/);
  t.match(said, /local key \S{8} \(nobody vouches for it\)/);
  t.match(said, /not set up: an identity provider and a bucket \(dbguard init\)/);
  t.notMatch(said, postgres.password, 'in no line');

  const again = await workspace.dbguard(answers);
  t.match(again, { exitCode: 0, stdout: 'answer 42' });
  const sid = /session (\S+),/.exec(again.stderr)?.[1] ?? '';
  const verified = await workspace.dbguard(['transcripts', 'verify', sid]);
  t.match(verified.stdout, /UNCHANGED AND WHOLE, BY A LOCAL KEY/);
  t.match((await workspace.dbguard(['transcripts', 'list'])).stdout.split('\n').length, 2);

  // another database in the same place is another question
  writeFileSync(join(workspace.project, '.env'), `DATABASE_URL="${postgres.url('template1')}"\n`);
  t.equal((await workspace.dbguard(answers)).exitCode, 77);
});

t.test('a flag is an answer, and a file with a connection comes first', async (t) => {
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  const env = { DATABASE_URL: postgres.url() };
  const from = ['run', '--from', 'DATABASE_URL', ...answers.slice(1)];
  t.match(await workspace.dbguard(from, { env }), { exitCode: 0, stdout: 'answer 42' });
  workspace.configure({ connections: { main: { url: 'postgresql://127.0.0.1:1/elsewhere' } } });
  const elsewhere = await workspace.dbguard(answers, { env });
  t.match(elsewhere.stderr, /127\.0\.0\.1:1/);
});

t.test(
  'a file of the project that sends a variable of the person’s somewhere is asked about, by that name',
  async (t) => {
    const workspace = makeWorkspace();
    t.teardown(() => workspace.remove());
    const { project } = workspace;
    const env = { CLOUD_SECRET: 'canary-of-the-person' };
    const secret = "os.environ['CLOUD_SECRET']";
    const sends = {
      '.env': (password: string) => `DATABASE_URL=postgres://one:${password}@127.0.0.1:1/shop`,
      'shop/settings.py': (password: string) =>
        `DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql',\n  'NAME': 'shop',\n  'USER': 'two',\n  'HOST': '127.0.0.1',\n  'PORT': '1',\n  'PASSWORD': ${password === 'own' ? "'own'" : secret},\n}}`,
      'config/database.yml': (password: string) =>
        `development:\n  adapter: postgresql\n  host: 127.0.0.1\n  port: 1\n  database: shop\n  username: three\n  password: ${password === 'own' ? 'own' : '<%= ENV["CLOUD_SECRET"] %>'}\n`,
    };
    const start = (): Terminal =>
      new Terminal(dbguardProgram, answers, { cwd: project, env: { ...workspace.env, ...env } });
    for (const [file, text] of Object.entries(sends)) {
      const path = join(project, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text('own'));
      const own = start();
      await own.shows('Guard this one?');
      t.notMatch(own.raw, /gets/, `${file}: what is the project’s own`);
      own.type('y\r');
      await own.exit;
      writeFileSync(path, text('$CLOUD_SECRET'));
      const taken = start();
      await taken.shows('Guard this one?');
      t.match(taken.raw, /gets the variable CLOUD_SECRET of your environment/, file);
      t.notMatch(taken.raw, 'canary');
      taken.type('n\r');
      t.equal((await taken.exit).code, 77);
      rmSync(path);
    }
  },
);

t.test('it shows where it really goes, and asks anew when what says who is there has changed', async (t) => {
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  const authority = join(workspace.project, 'ca.pem');
  writeFileSync(authority, 'one');
  const url = new URL(postgres.url());
  url.hostname = 'db.example.com';
  for (const [name, value] of Object.entries({ hostaddr: '127.0.0.1', sslmode: 'disable', sslrootcert: authority }))
    url.searchParams.set(name, value);
  writeFileSync(join(workspace.project, '.env'), `DATABASE_URL="${url}"\n`);
  const terminal = new Terminal(dbguardProgram, answers, { cwd: workspace.project, env: workspace.env, columns: 160 });
  await terminal.shows('Guard this one?');
  t.match(terminal.raw, /db\.example\.com:\d+\/postgres \(at the address 127\.0\.0\.1\)/);
  terminal.type('y\r');
  t.equal((await terminal.exit).code, 0, terminal.raw);
  t.match(await workspace.dbguard(answers), { exitCode: 0 });
  writeFileSync(authority, 'two');
  t.match(await workspace.dbguard(answers), { exitCode: 77, stderr: /nobody has said yet/ });
});
