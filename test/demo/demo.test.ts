/** `npm run demo`, without a terminal and with a person at one. Needs the built dist/, as the command does. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { repositoryRoot } from '../helpers/repository.js';
import { keys, Terminal } from '../helpers/terminal.js';

// everything that the demo makes in the temp folder is seen here
const temp = mkdtempSync(join(tmpdir(), 'dbguard-demo-'));
t.teardown(() => rmSync(temp, { recursive: true, force: true }));
const env = { PATH: process.env.PATH ?? '', HOME: temp, TMPDIR: temp, LANG: 'C.UTF-8' };
const words = ['-u', 'NODE_OPTIONS', process.execPath, join(repositoryRoot, 'dist/test/demo/demo.js')];
const outcome = [
  /orders: 2000, customers: 200/,
  /2 asked \(0 approved, 2 denied\)/,
  /^PROVEN$/m,
  /whole +sealed by the session itself/,
];

t.test('without a terminal it answers by itself, and says so', async (t) => {
  const { stdout, exitCode } = await execa('/usr/bin/env', words, {
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });
  t.equal(exitCode, 0);
  t.match(stdout, 'without a terminal the demo answers');
  t.match(stdout, 'the demo presses r, writes "a WHERE is missing, name the orders" and presses Enter');
  for (const part of outcome) t.match(stdout, part);
  t.strictSame(readdirSync(temp), [], 'nothing stays behind');
});

t.test('with a terminal the person answers', async (t) => {
  const screen = new Terminal('/usr/bin/env', words, { cwd: repositoryRoot, env, columns: 140, rows: 40 });
  t.teardown(() => screen.kill());
  const asks = /No answer denies in/;
  await screen.shows(/Delete ALL rows of orders[\s\S]*deny, say why[\s\S]*^ No answer denies in/m);
  await answer(screen, 'r', 'Why not?');
  screen.type('keep them');
  await answer(screen, keys.enter, /Drop table customers[\s\S]*deny, say why[\s\S]*^ No answer denies in/m);
  screen.type('d');
  await screen.hides(asks);
  t.match(await screen.exit, { code: 0 });
  const said = screen.history().join('\n');
  t.match(said, 'you decide: the prompts are for you');
  t.match(said, 'denied this statement: keep them');
  for (const part of outcome) t.match(said, part);
  t.strictSame(readdirSync(temp), [], 'nothing stays behind');
});

async function answer(screen: Terminal, key: string, then: string | RegExp): Promise<void> {
  screen.type(key);
  await screen.shows(then);
}
