/** A real agent, in a fence with a network of its own: it is guarded without knowing, asked about, denied with a reason, and reads the reason. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { findFenceProgram } from '../../src/io/fence/fence-program.js';
import { developer, sessionOf } from '../e2e/developer.js';
import { clientProgram } from '../helpers/postgres.js';
import { dbguardProgram } from '../helpers/repository.js';
import { keys, Terminal } from '../helpers/terminal.js';
import { claudeCode, claudeEnvironment, skipOnboarding } from './claude-code.js';
import { type ModelApi, startModelApi } from './model-api.js';
import { installPublished } from './published.js';

const bin = await installPublished(claudeCode);
const psql = clientProgram('psql');
const skip = !bin ? 'Claude Code cannot be installed here' : !psql && 'psql is not installed';

/** The strictest that this machine can. */
const fence = await findFenceProgram(process.env);
const hasFence = !('obstacle' in fence);
const fenced = !hasFence ? {} : { sandbox: { use: 'required', network: 'guarded' } };

const wrong = `${psql} -Atc 'DELETE FROM orders'`;
const right = `${psql} -Atc 'DELETE FROM orders WHERE id = 1'`;

/** Counts, deletes all, reads why that was denied, deletes one, counts again. */
async function startModel(t: Test): Promise<ModelApi> {
  const model = await startModelApi((results) => {
    const last = results.at(-1) ?? '';
    switch (results.length) {
      case 0:
        return { run: `${psql} -Atc 'SELECT count(*) FROM orders'; env` };
      case 1:
        return { run: wrong };
      case 2:
        return last.includes('only order 1') ? { run: right } : { say: 'I do not know why that failed.' };
      case 3:
        return { run: `${psql} -Atc 'SELECT count(*) FROM orders'` };
      default:
        return { say: `FINISHED with ${last.trim()} orders left` };
    }
  });
  t.teardown(() => model.close());
  return model;
}

t.test('in print mode and in its TUI', { skip, timeout: 120_000 }, async (t) => {
  const { workspace, postgres } = await developer(t, { config: fenced });
  mkdirSync(join(workspace.project, '.git'));
  await postgres.query('CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 5)');
  const home = workspace.env.HOME ?? '';
  const start = (model: ModelApi, args: readonly string[]): Terminal => {
    const env = { ...workspace.env, ...claudeEnvironment(model.url, bin ?? '') };
    const command = ['run', '--', 'claude-code', '--dangerously-skip-permissions', ...args];
    const program = ['-u', 'NODE_OPTIONS', process.execPath, dbguardProgram, ...command];
    const terminal = new Terminal('/usr/bin/env', program, { cwd: workspace.project, env, columns: 110, rows: 32 });
    t.teardown(() => terminal.kill());
    return terminal;
  };
  const deny = async (terminal: Terminal, reason: string): Promise<void> => {
    await terminal.shows('Delete ALL rows of orders');
    await sleep(600);
    terminal.type('r');
    await terminal.shows('Why not?');
    terminal.type(reason);
    await sleep(300);
    terminal.type(keys.enter);
  };

  await t.test('print mode', async (t) => {
    const model = await startModel(t);
    const terminal = start(model, ['-p', 'Clean up the orders.']);
    await deny(terminal, 'only order 1 is obsolete');
    t.match(await terminal.exit, { code: 0 });
    const said = terminal.history().join('\n');
    t.match(said, 'FINISHED with 4 orders left');
    const [first = '', denied = '', deleted = ''] = model.results;
    t.match(first, /^5$/m, 'it reads');
    t.notMatch(first, postgres.password, 'the real password is nowhere in its environment');
    t.notMatch(first, new RegExp(`PGPORT=${postgres.port}\\b`));
    t.match(denied, /denied this statement: only order 1 is obsolete/, 'the agent has the person’s reason');
    t.match(denied, /Act on the reason given/);
    t.match(deleted, 'DELETE 1', 'what it then does is ordinary work');
    const shown = await workspace.dbguard(['transcripts', 'show', sessionOf(said)]);
    t.match(shown.stdout, /denied by a person at the terminal: only order 1 is obsolete/);
  });

  await t.test('the TUI is back as it was when the prompt is answered', async (t) => {
    const model = await startModel(t);
    skipOnboarding(home, workspace.project);
    await postgres.query('TRUNCATE orders; INSERT INTO orders SELECT generate_series(1, 5)');
    const terminal = start(model, []);
    await terminal.shows('bypass permissions on');
    await sleep(500);
    terminal.type('Clean up the orders.');
    await terminal.shows('Clean up the orders.');
    terminal.type(keys.enter);
    await deny(terminal, 'only order 1 is obsolete');
    const screen = await terminal.shows('FINISHED with 4 orders left');
    t.notMatch(screen, 'Delete ALL rows', 'nothing of the prompt is left');
    t.match(terminal.history().join('\n'), 'Clean up the orders.', 'the conversation is there');
    terminal.type(keys.interrupt);
    await sleep(200);
    terminal.type(keys.interrupt);
    t.match(await terminal.exit, { code: 0 });
  });
});

t.test('what it was asked for is beside each statement', { skip, timeout: 120_000 }, async (t) => {
  const { workspace, postgres } = await developer(t, { config: { sandbox: 'off' } });
  await postgres.query('CREATE TABLE orders (id int PRIMARY KEY)');
  const model = await startModel(t);
  const { exitCode, stderr } = await workspace.dbguard(
    ['run', '--', 'claude-code', '--dangerously-skip-permissions', '-p', 'Clean up the orders.'],
    { env: claudeEnvironment(model.url, bin ?? '') },
  );
  t.equal(exitCode, 0, String(stderr));
  const shown = await workspace.dbguard(['transcripts', 'show', sessionOf(String(stderr))]);
  t.match(shown.stdout, /asked for: Clean up the orders\. \(says claude-code, Bash\)/, 'linked by its process');
});

const noFence = !hasFence && 'there is no fence here';
t.test(
  'psql without a question of its own, and nothing else',
  { skip: skip || noFence, timeout: 120_000 },
  async (t) => {
    const { workspace, postgres, config } = await developer(t);
    workspace.configure({ ...config, sandbox: { use: 'required', unasked: ['psql'] } });
    const own = { DBGUARD_CONFIG: join(workspace.project, 'dbguard.yaml') };
    mkdirSync(join(workspace.project, '.git'));
    await postgres.query('CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 5)');
    const wanted = ["psql -Atc 'SELECT count(*) + 37 FROM orders'", 'touch made', 'psql -c "SELECT 1"; touch made'];
    const model = await startModelApi((results) => {
      const run = wanted[results.length];
      return run === undefined ? { say: 'FINISHED' } : { run };
    });
    t.teardown(() => model.close());
    const { exitCode, stderr } = await workspace.dbguard(['run', '--', 'claude-code', '-p', 'Count the orders.'], {
      env: { ...claudeEnvironment(model.url, bin ?? ''), ...own },
    });
    t.equal(exitCode, 0, String(stderr));
    t.equal(model.results[0]?.trim(), '42');
    for (const result of model.results.slice(1, 3)) t.match(result, /permission|approv|blocked/i);
    t.notOk(existsSync(join(workspace.project, 'made')), 'what is not named is asked about as ever');
  },
);
