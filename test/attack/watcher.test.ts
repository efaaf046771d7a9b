/** The agent kills, or stops, the terminal in which a person watches for what a run without a terminal asks. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { developer, script } from '../e2e/developer.js';

const { postgres, terminal, run, workspace } = await developer(t, {
  config: { policy: { approval: { timeout: '3s' } } },
});
await postgres.query('CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)');
const go = join(workspace.project, 'go');

/** Nobody is asked before somebody watches. */
const agent = (sql: string): string[] =>
  script(`
    const { existsSync } = require('node:fs');
    console.error('connected');
    while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 50));
    return attempt('${sql}');`);

for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
  t.test(`${signal}: nothing passes`, async (t) => {
    rmSync(go, { force: true });
    const running = run(agent(`DELETE FROM orders -- ${signal}`));
    const lines = running.iterable({ from: 'stderr' })[Symbol.asyncIterator]();
    while ((await lines.next()).value !== 'connected');
    const watcher = terminal(['approvals']);
    t.teardown(() => watcher.kill());
    await watcher.shows('Watching 1 run');
    writeFileSync(go, '');
    await watcher.shows('Delete ALL rows of orders');
    await watcher.hides('Keys count in a moment');
    watcher.kill(signal);
    if (signal === 'SIGSTOP') watcher.type('a');
    const { stdout, stderr } = await running;
    t.match(JSON.parse(String(stdout)), { code: '42501', message: /nobody approved it in time/ }, stderr);
    const [row] = await postgres.query('SELECT count(*)::int AS count FROM orders');
    t.equal(row?.count, 1);
    watcher.kill('SIGKILL');
    await watcher.exit;
  });
}
