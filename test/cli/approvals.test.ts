import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { dbguardProgram, repositoryRoot } from '../helpers/repository.js';
import { keys, Terminal } from '../helpers/terminal.js';
import { makeWorkspace } from '../helpers/workspace.js';

/** A run in a process of its own that waits for one answer, and a second terminal of the same user. */
async function world(t: Test) {
  const workspace = makeWorkspace();
  const runtime = join(workspace.home, 'run');
  mkdirSync(runtime, { mode: 0o700 });
  const program = join(repositoryRoot, 'test/io/approvals/guard.ts');
  const guard = spawn(process.execPath, ['--import=tsx', program, runtime], { stdio: ['ignore', 'pipe', 'inherit'] });
  let heard = '';
  let look: () => void = () => undefined;
  guard.stdout.on('data', (bytes: Buffer) => {
    heard += bytes.toString();
    look();
  });
  t.teardown(() => {
    guard.kill('SIGKILL');
    workspace.remove();
  });
  const line = (start: string) =>
    new Promise<string>((resolve) => {
      look = () => {
        const found = heard
          .split('\n')
          .slice(0, -1)
          .find((one) => one.startsWith(start));
        if (found !== undefined) resolve(found);
      };
      look();
    });
  await line('ready');
  return { workspace, answer: async () => JSON.parse(await line('{')) };
}

test('approvals lists what waits, approve lets it run', async (t) => {
  const { workspace, answer } = await world(t);
  const listed = await workspace.dbguard(['approvals']);
  t.equal(listed.exitCode, 0, listed.stderr);
  for (const part of ['1-1', 'PRODUCTION Delete ALL rows of orders', '| DELETE FROM orders', 'ON DELETE CASCADE']) {
    t.match(listed.stdout, part);
  }
  const json = JSON.parse((await workspace.dbguard(['approvals', '--json'])).stdout);
  t.match(json, [{ id: '1-1', preview: { statement: 'DELETE FROM orders' }, run: { sid: 'session-1' } }]);

  const unknown = await workspace.dbguard(['approve', '9-9']);
  t.match(unknown, { exitCode: 66, stderr: /no statement 9-9 waits.*\n.*dbguard approvals/ });
  const approved = await workspace.dbguard(['approve', 'session/1-1', '--session']);
  t.match(approved, { exitCode: 0, stdout: 'approved: Delete ALL rows of orders (about 10,482)' });
  t.match(await answer(), {
    decision: 'allow',
    scope: 'session',
    by: { kind: 'person', channel: 'dbguard approvals' },
  });
});

test('deny tells the agent why', async (t) => {
  const { workspace, answer } = await world(t);
  t.match(await workspace.dbguard(['deny', '1-1', '--reason', 'not on Friday']), {
    exitCode: 0,
    stdout: /^denied: Delete/,
  });
  t.match(await answer(), { decision: 'deny', reason: 'not on Friday' });
});

test('on a terminal it shows the prompt, and gives the screen back', async (t) => {
  const { workspace, answer } = await world(t);
  const terminal = new Terminal(process.execPath, [dbguardProgram, 'approvals'], {
    cwd: workspace.project,
    env: workspace.env,
  });
  t.teardown(async () => {
    terminal.kill();
    await terminal.exit;
  });
  await terminal.shows('No answer denies in');
  await terminal.hides('Keys count in a moment');
  t.equal(terminal.alternate, true);
  await terminal.press('r', 'Why not?');
  terminal.type(`ask ben first${keys.enter}`);
  t.match(await answer(), { decision: 'deny', reason: 'ask ben first' });
  await terminal.shows('denied by dbguard approvals: Delete ALL rows of orders');
  t.equal(terminal.alternate, false);
  terminal.type('q');
  t.match(await terminal.exit, { code: 0 });
});

test('with no run there is nothing to answer', async (t) => {
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  t.match(await workspace.dbguard(['approvals']), { exitCode: 0, stdout: 'No dbguard run is active.' });
  t.match(await workspace.dbguard(['approve', '1-1']), { exitCode: 66 });
});

test('instructions are for agents', async (t) => {
  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  const { stdout, exitCode } = await workspace.dbguard(['instructions']);
  t.equal(exitCode, 0);
  for (const part of ['waiting for a person to approve', '42501', 'dbguard approvals']) t.match(stdout, part);
});
