/**
 * Codex hands what it is told to an app server that an earlier start has left behind, outside of every run. In a run of dbguard it does
 * not, with a fence and without one.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { findFenceProgram } from '../../src/io/fence/fence-program.js';
import { developer, sessionOf } from '../e2e/developer.js';
import { clientProgram } from '../helpers/postgres.js';
import { keys } from '../helpers/terminal.js';
import { startModelApi } from './model-api.js';
import { installPublished } from './published.js';

const psql = clientProgram('psql');
const asked = process.env.DBGUARD_TEST_AGENTS === 'all';
const skip = !asked ? 'it is large: DBGUARD_TEST_AGENTS=all installs and runs it' : !psql && 'psql is not installed';
const fence = await findFenceProgram(process.env);

t.test('a daemon of before gets nothing of the work', { skip, timeout: 240_000 }, async (t) => {
  const bin = await installPublished({ name: '@openai/codex', version: '0.169.0', program: 'codex' });
  if (!bin) {
    t.pass('codex', { skip: 'it cannot be installed here' });
    return;
  }
  const { workspace, postgres, terminal } = await developer(t);
  await postgres.query('CREATE TABLE orders (id int PRIMARY KEY)');
  const { project } = workspace;
  mkdirSync(join(project, '.git'));
  const model = await startModelApi((results) =>
    results.length === 0 ? { run: `${psql} -Atc 'SELECT 40 + 2 FROM orders LIMIT 1'; echo RAN` } : { say: 'FINISHED' },
  );
  t.teardown(() => model.close());
  const folder = join(workspace.env.HOME ?? '', '.codex');
  mkdirSync(folder, { recursive: true });
  const settings = [
    'model = "scripted"',
    'model_provider = "scripted"',
    'check_for_update_on_startup = false',
    '[model_providers.scripted]',
    `name = "scripted"\nbase_url = "${model.url}/v1"\nwire_api = "responses"\nenv_key = "OPENAI_API_KEY"`,
    `[projects."${project}"]\ntrust_level = "trusted"`,
  ];
  writeFileSync(join(folder, 'config.toml'), `${settings.join('\n')}\n`);
  const env = { ...workspace.env, OPENAI_API_KEY: 'dummy', PATH: `${bin}:${workspace.env.PATH}` };
  const daemon = (what: string) =>
    execa(join(bin, 'codex'), ['app-server', 'daemon', what], {
      env,
      extendEnv: false,
      cwd: project,
      reject: false,
      timeout: 30_000,
    });
  const started = await daemon('start');
  t.teardown(async () => {
    await daemon('stop');
    const updater = readFileSync(join(folder, 'app-server-daemon/daemon-updater.pid'), 'utf8');
    process.kill(Number(/\d+/.exec(updater)?.[0]), 'SIGKILL');
  });
  t.match(started.stdout, '"status":"started"', String(started.stderr));

  const statements = async (flags: readonly string[], command: readonly string[]): Promise<string> => {
    const screen = terminal(['run', ...flags, '--', ...command], { env, columns: 120, rows: 32 });
    t.teardown(() => screen.kill());
    await screen.shows('FINISHED');
    screen.type('/quit');
    await screen.shows('/quit');
    screen.type(keys.enter);
    await screen.exit;
    const said = screen.history().join('\n');
    const shown = await workspace.dbguard(['transcripts', 'show', sessionOf(said)]);
    return String(shown.stdout);
  };
  const codex = ['codex', '--dangerously-bypass-approvals-and-sandbox', 'Look at the orders.'];
  const unknown = ['sh', '-c', 'exec "$@"', 'sh', ...codex];
  t.notMatch(await statements(['--no-sandbox'], unknown), 'SELECT 40 + 2', 'it would be the daemon’s');
  t.match(await statements(['--no-sandbox'], codex), 'SELECT 40 + 2', 'without a fence');
  if ('obstacle' in fence) return;
  t.match(await statements(['--sandbox'], codex), 'SELECT 40 + 2', 'in a fence');
});
