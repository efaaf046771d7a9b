/** Every signal of the system, sent to dbguard while it has the terminal. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Test, test } from 'tap';
import { signalsThat, signalTable } from '../../../src/io/terminal/signals.js';
import { repositoryRoot } from '../../helpers/repository.js';
import { Terminal } from '../../helpers/terminal.js';
import { makeWorkspace } from '../../helpers/workspace.js';

const program = join(repositoryRoot, 'test/io/terminal/guarded-run.ts');

test('the table has a row for each signal of this system', (t) => {
  for (const name of Object.keys(constants.signals)) t.ok(signalTable[name as NodeJS.Signals], name);
  t.end();
});

function guarded(t: Test, command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'dbg-'));
  const asks = join(folder, 'asks');
  writeFileSync(asks, '');
  const args = ['--no-warnings', '--import=tsx', program, asks, join(folder, 'answers'), ...command];
  const screen = new Terminal(process.execPath, args, {
    cwd: repositoryRoot,
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  t.teardown(async () => {
    screen.kill();
    await screen.exit;
    rmSync(folder, { recursive: true, force: true });
  });
  return { screen, folder, ask: () => writeFileSync(asks, 'DELETE FROM orders\n') };
}

test('what would end dbguard is the child’s to hear, and nothing ends', async (t) => {
  const numbers = signalsThat('ends').map((signal) => constants.signals[signal]);
  const traps = numbers.map((number) => `trap 'echo heard ${number}.' ${number}`).join('; ');
  const { screen } = guarded(t, ['sh', '-c', `${traps}; echo ready; while kill -0 $PPID; do sleep 0.05; done`]);
  await screen.shows('ready');
  for (const number of numbers) {
    process.kill(screen.pid, number);
    await screen.shows(`heard ${number}.`);
  }
  process.kill(screen.pid, 'SIGPIPE');
  process.kill(screen.pid, 'SIGURG');
  process.kill(screen.pid, 'SIGTERM');
  await screen.shows(/heard 15\.[\s\S]*heard 15\./);
  t.pass('dbguard lives, and so does the child');
});

test('a flood of signals costs no more than a few', async (t) => {
  const { screen, folder, ask } = guarded(t, [
    'sh',
    '-c',
    'trap : USR2; echo ready; while kill -0 $PPID; do sleep 0.05; done',
  ]);
  await screen.shows('ready');
  ask();
  await screen.shows('No answer denies');
  let flooding = true;
  let sent = 0;
  const flood = (async () => {
    for (; flooding; sent++) {
      for (const signal of ['SIGCONT', 'SIGWINCH', 'SIGUSR2', 'SIGCHLD'] as const) screen.kill(signal);
      await pause(1);
    }
  })();
  await screen.hides(/Keys count in a moment|Typing is ignored/);
  // a key that comes while dbguard itself was held up does not count, as for a person
  const answers = join(folder, 'answers');
  const answered = () => existsSync(answers) && readFileSync(answers, 'utf8').endsWith('\n');
  for (let waited = 0; !answered(); waited++) {
    if (waited % 40 === 0) screen.type('d');
    await pause(50);
  }
  flooding = false;
  await flood;
  const [answer = ''] = readFileSync(answers, 'utf8').split('\n');
  t.match(JSON.parse(answer), { decision: 'deny', by: { kind: 'person' } }, `${sent} of each, and the key counted`);
});

test('SIGCONT again and again: the terminal is looked at twice a second, not each time', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dbg-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, 'log');
  writeFileSync(join(folder, 'stty'), `#!/bin/sh\necho x >> '${log}'\nexec /bin/stty "$@"\n`);
  chmodSync(join(folder, 'stty'), 0o755);
  const { screen } = guarded(t, ['cat'], { PATH: `${folder}:${process.env.PATH}` });
  screen.type('there\r');
  await screen.shows(/there\n+there/);
  const start = Date.now();
  for (let sent = 0; sent < 500; sent++) {
    process.kill(screen.pid, 'SIGCONT');
    await pause(1);
  }
  const looks = readFileSync(log, 'utf8').length / 2;
  const most = 3 + (Date.now() - start) / 400;
  t.ok(looks <= most, `${looks} looks after 500 signals`);
});

test('dbguard approvals gives the terminal back, whatever ends it', async (t) => {
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  for (const signal of signalsThat('ends')) {
    const command = `stty -a > before; "$NODE" "$PROGRAM" approvals; stty -a > after; echo over`;
    const screen = new Terminal('/bin/sh', ['-c', command], {
      cwd: workspace.project,
      env: { ...workspace.env, NODE: process.execPath, PROGRAM: join(repositoryRoot, 'bin/dbguard') },
    });
    t.teardown(() => screen.kill());
    await screen.shows('No dbguard run is active yet');
    const [pid] = readFileSync(`/proc/${screen.pid}/task/${screen.pid}/children`, 'utf8').trim().split(' ');
    process.kill(Number(pid), signal);
    if (signal === 'SIGUSR1') process.kill(Number(pid), 'SIGTERM');
    await screen.shows('over');
    await screen.exit;
    const [before, after] = ['before', 'after'].map((name) => readFileSync(join(workspace.project, name), 'utf8'));
    t.equal(after, before, signal);
  }
});
