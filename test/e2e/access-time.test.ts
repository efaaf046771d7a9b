/** What a person is told of a role that they have given for a time: how much is left, where their terminal has a place for it. */
import { join } from 'node:path';
import t from 'tap';
import { developer } from './developer.js';

t.test('beside a child in the title, and on a terminal of its own in lines', async (t) => {
  // biome-ignore lint/suspicious/noThenProperty: the rule's own word; nothing awaits it
  const entry = { role: 'pg_monitor', tables: ['orders'], effects: ['update'], then: 'ask', for: '15m' };
  const { terminal, workspace, config } = await developer(t);
  workspace.configure({ ...config, access: [{ name: 'fix-orders', ...entry }] });
  const env = { DBGUARD_CONFIG: join(workspace.project, 'dbguard.yaml') };
  const access = async (...args: string[]) =>
    t.match(await workspace.dbguard(['access', ...args, 'fix-orders'], { env }), { exitCode: 0 });
  const offered =
    'dbguard: you can give for a time: fix-orders (as pg_monitor, for 15m at most); from another terminal: dbguard access grant fix-orders';

  const child = terminal(['run', '--', 'cat'], { env, columns: 200 });
  await child.shows(offered);
  await child.press('ready\r', /ready\s+ready/);
  await access('grant');
  await child.titled('15 min as pg_monitor');
  await access('end');
  await child.titled('');
  child.type('\x04');
  await child.exit;

  const proxy = terminal(['proxy', '--listen', '127.0.0.1:0'], { env, columns: 200 });
  await proxy.shows(offered);
  await proxy.shows('Ctrl-C ends it');
  await access('grant', '--for', '10m');
  await proxy.shows(
    /dbguard: fix-orders: statements run as pg_monitor for 10m, until \d\d:\d\d; to end it: dbguard access end fix-orders/,
  );
  await access('end');
  await proxy.shows('dbguard: fix-orders is over: each statement is asked about again');
  proxy.type('\x03');
  await proxy.exit;
});
