/**
 * Each agent as published, in its print mode and in its TUI, in a fence with a network of its own: it explores, writes a migration,
 * puts data right, is denied, reads the reason and goes on. A person is asked about what destroys, and about nothing else.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { findFenceProgram } from '../../src/io/fence/fence-program.js';
import { type Developer, developer, sessionOf } from '../e2e/developer.js';
import { clientProgram } from '../helpers/postgres.js';
import { keys, type Terminal } from '../helpers/terminal.js';
import { type DrivenAgent, drivenAgents } from './driven.js';
import { type ModelApi, startModelApi } from './model-api.js';
import { installPublished } from './published.js';

const psql = clientProgram('psql');
const skip =
  process.env.DBGUARD_TEST_AGENTS !== 'all'
    ? 'they are large (100 to 400 MB each): DBGUARD_TEST_AGENTS=all installs and runs them'
    : !psql && 'psql is not installed';
const fence = await findFenceProgram(process.env);

const reason = 'keep the returned ones';
const unbounded = 'DELETE FROM orders';
const work = [
  "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
  'SELECT count(*) FROM orders',
  'SELECT status, count(*) FROM orders GROUP BY status ORDER BY status',
  "EXPLAIN SELECT * FROM orders WHERE status = 'returned'",
  "SELECT * FROM orders WHERE status = 'returned' ORDER BY id LIMIT 3",
  'CREATE TABLE refunds (order_id int PRIMARY KEY REFERENCES orders, amount numeric NOT NULL)',
  'CREATE INDEX refunds_amount ON refunds (amount)',
  'ALTER TABLE orders ADD COLUMN cleaned boolean NOT NULL DEFAULT false',
  "INSERT INTO refunds SELECT id, 10 FROM orders WHERE status = 'returned'",
  "UPDATE orders SET cleaned = true WHERE id = 4 AND status = 'shipped'",
  unbounded,
  "DELETE FROM orders WHERE id = 4 AND status = 'shipped'",
  'ALTER TABLE orders DROP COLUMN cleaned',
  'ANALYZE orders',
  'SELECT count(*) FROM orders',
] as const;
/** What changes the schema, or rows without a condition. */
const destroys: readonly string[] = [work[5], work[6], work[7], unbounded, work[12]];

async function startModel(t: Test): Promise<ModelApi> {
  const model = await startModelApi((results) => {
    const sql = work[results.length];
    const last = results.at(-1) ?? '';
    if (sql === undefined) return { say: `FINISHED with ${/^(?:\s*Output: )?(\d+)\s*$/m.exec(last)?.[1]} orders left` };
    if (work[results.length - 1] === unbounded && !last.includes(reason))
      return { say: 'I do not know why that failed.' };
    return { run: `${psql} -Atc "${sql}"${results.length === 0 ? '; env' : ''}` };
  });
  t.teardown(() => model.close());
  return model;
}

/** What the person is asked for until the screen shows `text`: the statements, each approved but for the one that deletes all. */
async function answers(terminal: Terminal, text: string): Promise<string[]> {
  const asked: string[] = [];
  for (;;) {
    const screen = await terminal.shows(new RegExp(`approve once|${text}`));
    if (!screen.includes('approve once')) return asked;
    const sql = work.find((one) => screen.includes(` ${one}\n`));
    // opencode fetches a package of its own
    if (sql !== undefined) asked.push(sql);
    else if (!screen.includes('Let the agent reach')) throw new Error(`what is this question?\n${screen}`);
    if (sql === unbounded) await deny(terminal);
    else await press(terminal, 'a');
    await terminal.hides(sql === undefined ? 'Let the agent reach' : ` ${sql}\n`);
  }
}

async function deny(terminal: Terminal): Promise<void> {
  await press(terminal, 'r');
  await terminal.shows('Why not?');
  terminal.type(reason);
  await sleep(300);
  terminal.type(keys.enter);
}

/** Keys that come at once may have been meant for the agent: they do not count. */
async function press(terminal: Terminal, key: string): Promise<void> {
  await terminal.hides('Keys count in a moment');
  await sleep(600);
  terminal.type(key);
}

async function prepare(
  t: Test,
  agent: DrivenAgent,
  bin: string,
): Promise<Developer & { model: ModelApi; env: Record<string, string>; args: readonly string[] }> {
  const model = await startModel(t);
  const at = await developer(t);
  const { workspace, postgres, config } = at;
  mkdirSync(join(workspace.project, '.git'));
  await postgres.query(`CREATE TABLE orders (id int PRIMARY KEY, status text);
    INSERT INTO orders SELECT n, (ARRAY['open', 'paid', 'returned', 'shipped'])[1 + n % 4] FROM generate_series(1, 40) n;
    UPDATE orders SET status = 'shipped' WHERE id = 4`);
  if (!('obstacle' in fence)) {
    workspace.configure({ ...config, sandbox: { use: 'required', network: 'guarded' } });
    const own = join(workspace.home, 'config');
    mkdirSync(own, { recursive: true, mode: 0o700 });
    const { port } = new URL(model.url);
    writeFileSync(join(own, 'dbguard.yaml'), `version: 1\nsandbox:\n  hosts: ["localhost:${port}"]\n`);
  }
  const place = { url: model.url, bin, home: workspace.env.HOME ?? '', project: workspace.project };
  const { args, env } = agent.start(place);
  return { ...at, model, args, env: { ...workspace.env, ...env } };
}

async function check(
  t: Test,
  { workspace, postgres, model }: Developer & { model: ModelApi },
  history: string,
): Promise<void> {
  t.equal(model.results.length, work.length, 'it went on to the end');
  t.match(model.results[0], /PGPASSWORD=/);
  t.notMatch(model.results[0], postgres.password, 'the real password is nowhere in its environment');
  t.match(history, `${work.length} statements, `);
  const shown = await workspace.dbguard(['transcripts', 'show', sessionOf(history), '--json']);
  const entries = String(shown.stdout)
    .split('\n')
    .map((line) => JSON.parse(line));
  const statements = entries.filter(({ kind }) => kind === 'statement');
  t.strictSame(
    statements.map(({ text }) => text),
    work,
  );
  const asked = statements.filter(({ fields }) => fields.decision !== 'allow').map(({ text }) => text);
  t.strictSame(asked, destroys, 'about nothing else');
  t.match(await postgres.query('SELECT count(*)::int FROM orders'), [{ count: 39 }]);
}

const task = 'Clean up the orders.';

for (const agent of drivenAgents) {
  t.test(agent.program, { skip, timeout: 400_000 }, async (t) => {
    const bin = await installPublished(agent);
    if (!bin) {
      t.pass(agent.name, { skip: 'it cannot be installed here' });
      return;
    }
    const program = join(bin, agent.program);

    await t.test('in its print mode', async (t) => {
      const at = await prepare(t, agent, bin);
      const command = ['run', '--', program, ...agent.print(at.args, task)];
      const terminal = at.terminal(command, { env: at.env, columns: 110, rows: 32 });
      t.teardown(() => terminal.kill());
      t.strictSame(await answers(terminal, 'FINISHED with 39'), destroys);
      t.match(await terminal.exit, { code: 0 });
      const history = terminal.history().join('\n');
      t.match(history, 'FINISHED with 39 orders left');
      await check(t, at, history);
    });

    await t.test('in its TUI, whose screen is back after each question', async (t) => {
      const at = await prepare(t, agent, bin);
      const terminal = at.terminal(['run', '--', program, ...at.args], { env: at.env, columns: 110, rows: 32 });
      t.teardown(() => terminal.kill());
      await answers(terminal, agent.ready.replace('+', '\\+'));
      await sleep(1000);
      terminal.type(task);
      await terminal.shows(task);
      await sleep(300);
      terminal.type(keys.enter);
      t.strictSame(await answers(terminal, 'FINISHED with 39'), destroys);
      const screen = await terminal.shows('FINISHED with 39 orders left');
      t.notMatch(screen, /approve once|Delete ALL rows|Drop column/, 'nothing of a question is left');
      await terminal.shows(agent.ready);
      terminal.type(keys.interrupt);
      await sleep(400);
      terminal.type(keys.interrupt);
      await terminal.exit;
      await check(t, at, terminal.history().join('\n'));
    });
  });
}
