/** What a doctor says of machines that are well and of others: no check hangs, needs another, or leaves a fault without a cure. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { type Check, ok } from '../../src/cli/doctor/check.js';
import { allChecks } from '../../src/cli/doctor/checks/all.js';
import { examine } from '../../src/cli/doctor/examine.js';
import { asText } from '../../src/cli/doctor/print.js';
import { startIdp } from '../helpers/idp.js';
import { startPostgres } from '../helpers/postgres.js';
import { makeWorkspace } from '../helpers/workspace.js';

const [postgres, idp] = await Promise.all([startPostgres(), startIdp()]);
t.teardown(async () => {
  await idp.close();
  await postgres.stop();
});
const identity = { issuer: idp.issuer, client_id: idp.clientId };
const database = (url: string) => ({ connections: { main: { url, environment: 'development' } } });

type Told = { check: string; state: string; text: string; fix?: string };

async function told(config: object | string | null, more: Readonly<Record<string, string>> = {}) {
  const workspace = makeWorkspace(more);
  t.teardown(() => workspace.remove());
  if (typeof config === 'string') writeFileSync(join(workspace.project, 'dbguard.yaml'), config);
  else if (config !== null) workspace.configure(config as Record<string, unknown>);
  const { exitCode, stdout, stderr } = await workspace.dbguard(['doctor', '--json']);
  const { checks } = JSON.parse(stdout) as { checks: Told[] };
  return { workspace, exitCode, stderr, checks, of: (name: string) => checks.filter(({ check }) => check === name) };
}

t.test('each check says something of each machine, and a fault comes with its cure', async (t) => {
  const machines: Readonly<
    Record<string, readonly [object | string | null, RegExp | undefined, Record<string, string>?]>
  > = {
    'nothing set up': [null, /^database$/],
    'a found connection': [null, /^database$/, { DATABASE_URL: postgres.url() }],
    'no database there': [
      { identity, ...database('postgresql://app@127.0.0.1:1/shop') },
      /^(database|provider|clock)$/,
    ],
    'no provider there': [
      { identity: { issuer: 'http://127.0.0.1:1', client_id: 'x' }, ...database(postgres.url()) },
      /^(database|provider|clock)$/,
    ],
    'a file that is none': ['version: [', /^(settings|provider|clock|database|bucket|fence)$/],
    'a provider that is demanded': [
      { identity: 'required', ...database(postgres.url()) },
      /^(database|provider|clock)$/,
    ],
  };
  for (const [name, [config, failing, more]] of Object.entries(machines)) {
    const { checks, exitCode, stderr } = await told(config, more);
    t.strictSame(new Set(checks.map(({ check }) => check)), new Set(allChecks.map((one) => one.name)), name);
    const failed = checks.filter(({ state }) => state === 'failure');
    for (const { check } of failed) t.match(check, failing, `${name}: ${check}`);
    t.equal(exitCode, failed.length > 0 ? 1 : 0);
    for (const { state, text, fix } of checks) {
      if (state === 'failure') t.ok(fix, `${name}: ${text}`);
      t.notMatch(text, /internal|undefined|\[object|^\s*at /);
    }
    t.notMatch(JSON.stringify(checks) + stderr, postgres.password, 'no secret');
  }
});

t.test('a machine that is well', async (t) => {
  await postgres.query("CREATE ROLE little LOGIN PASSWORD 'little-password'");
  const config = { identity, ...database(postgres.url('postgres', 'little', 'little-password')) };
  const { workspace, of } = await told(config);
  for (const name of ['provider', 'clock'])
    t.match(of(name)[0], { state: 'failure', text: /you have not said that it may/, fix: /dbguard trust/ });
  await workspace.dbguard(['trust', '--yes']);
  t.match((await workspace.dbguard(['doctor'])).stdout, /nobody is logged in\n *→ dbguard login/);
  await workspace.login(idp);
  const { exitCode, stdout } = await workspace.dbguard(['doctor']);
  t.equal(exitCode, 0, stdout);
  t.match(stdout, /provider .* answers[\s\S]*device flow[\s\S]*nonce: the issuer signed/);
  t.match(stdout, /clock +as the provider/);
  t.match(stdout, /little can do nothing beyond/);
});

t.test('a superuser is a failure', async (t) => {
  const { of } = await told(database(postgres.url()));
  t.match(
    of('database').find(({ state }) => state === 'failure'),
    { text: /postgres is a superuser/, fix: /access setup/ },
  );
});

t.test('a password in a dotenv file is told', async (t) => {
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  writeFileSync(join(workspace.project, '.env'), `DATABASE_URL=${postgres.url()}\n`);
  const { stdout } = await workspace.dbguard(['doctor']);
  t.match(stdout, /\.env holds a database password[\s\S]*\.pgpass/);
  t.notMatch(stdout, postgres.password);
});

t.test('what never answers ends by itself, and what breaks is one line', async (t) => {
  const stream = new PassThrough();
  const context = { stdin: stream, stdout: stream, stderr: stream, env: {}, cwd: t.testdir() };
  const checks: Check[] = [
    { name: 'mute', run: () => new Promise(() => {}) },
    { name: 'broken', run: async () => Promise.reject(new Error('odd')) },
    { name: 'fine', run: async () => [ok('yes')] },
  ];
  const examined = await examine(context, checks, undefined, 50);
  t.match(
    asText(context, examined),
    /mute +no answer within 0\.05 s[\s\S]*broken +could not be looked at: odd[\s\S]*fine +yes/,
  );
});

t.test('--fix installs completions, and touches nothing that is there', async (t) => {
  const workspace = makeWorkspace({ SHELL: '/bin/bash' });
  t.teardown(() => workspace.remove());
  const fixed = await workspace.dbguard(['doctor', '--fix']);
  t.match(fixed.stderr, /wrote \S+dbguard; the next shell reads it/);
  t.match(fixed.stdout, /completions +bash: /);
  t.ok(existsSync(join(workspace.env.HOME ?? '', '.local/share/bash-completion/completions/dbguard')));
  t.equal((await workspace.dbguard(['doctor', '--fix'])).stderr, '');
});

t.test('without UTF-8 its marks are ASCII, at any width', async (t) => {
  const workspace = makeWorkspace({ LANG: 'C' });
  t.teardown(() => workspace.remove());
  const { stdout } = await workspace.dbguard(['doctor']);
  t.notMatch(stdout, /[✓✗→]/);
  t.match(stdout, /^ {2}ok node/m);
});
