/** However a run ends, nothing hangs, the child is not left behind, and the transcript has its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { t } from 'tap';
import type { Terminal } from '../helpers/terminal.js';
import { developer, script, sessionOf } from './developer.js';

const { run, terminal, workspace } = await developer(t);

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let waited = 0; waited < 20_000 && lives(pid); waited += 50) await sleep(50);
  return !lives(pid);
}

async function state(screen: Terminal): Promise<string> {
  const sid = sessionOf(screen.raw);
  const verified = await workspace.dbguard(['transcripts', 'verify', sid, '--json']);
  return JSON.parse(verified.stdout).state;
}

t.test('a signal in the first moment of the child is the child’s', async (t) => {
  for (const signal of ['TERM', 'INT', 'HUP']) {
    const { exitCode, stdout, stderr } = await run([
      'sh',
      '-c',
      `trap "echo heard; exit 9" ${signal}; kill -${signal} $PPID; while :; do sleep 0.05; done`,
    ]);
    t.equal(exitCode, 9, stderr);
    t.equal(stdout, 'heard');
  }
});

t.test('the window is closed while the child writes and writes', async (t) => {
  const screen = terminal([
    'run',
    '--',
    'sh',
    '-c',
    'trap "yes bye | head -c 300000; exit 0" HUP; echo ready; while :; do sleep 0.05; done',
  ]);
  await screen.shows('ready');
  screen.close();
  t.ok(await gone(screen.pid));
  t.equal(await state(screen), 'complete');
});

t.test('the window is closed, and the child does not care', async (t) => {
  const screen = terminal(['run', '--', 'sh', '-c', 'trap "" HUP TERM; echo ready; while :; do sleep 0.05; done']);
  await screen.shows('ready');
  screen.close();
  t.ok(await gone(screen.pid), 'nobody would see what it goes on with');
  t.equal(await state(screen), 'complete');
});

t.test('the window is closed while the prompt is up', async (t) => {
  const screen = terminal(['run', '--', ...script("return attempt('delete from pg_am');")]);
  await screen.shows('approve once');
  screen.close();
  t.ok(await gone(screen.pid));
  t.equal(await state(screen), 'complete');
});
