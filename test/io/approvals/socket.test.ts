import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { type Approvals, createApprovals } from '../../../src/approval/approvals.js';
import type { FromRun } from '../../../src/approval/protocol.js';
import { startApprovalsSocket } from '../../../src/io/approvals/socket.js';
import { connectRuns, type RunLink, runSockets } from '../../../src/io/approvals/socket-client.js';
import { asMarked } from '../../../src/io/terminal/job-shell.js';
import { realClock } from '../../approval/clock.js';
import { request } from '../../approval/requests.js';
import { noWindows } from '../../helpers/windows.js';

async function openDesk(dir: string, unattended: 'deny' | 'wait') {
  let desk: Approvals | undefined;
  const socket = await startApprovalsSocket({
    dir,
    run: { sid: 'session-1', pid: process.pid, agent: 'claude', subject: 'anna', connection: 'shop' },
    desk: () => {
      if (!desk) throw new Error('too early');
      return desk;
    },
    windows: noWindows(),
    childSession: () => undefined,
  });
  desk = createApprovals({ channels: [socket.channel], clock: realClock, unattended, howToApprove: 'call somebody' });
  return { desk, socket };
}

const noEvents = { message: () => undefined, left: () => undefined };
const soon = () => ({ askedAt: Date.now(), expiresAt: Date.now() + 30_000 });

/**
 * The test process started the run, so it is older, as a person's shell is: it may answer. Were it started by the
 * agent, it may not; those tests run programs of their own.
 */
test('a run in another process takes answers from here', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dbg-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const guard = startGuard(dir);
  t.teardown(() => guard.stop());
  await guard.line('ready');

  const messages: Exclude<FromRun, { type: 'hello' }>[] = [];
  const { links, refusals } = await connectRuns(dir, runSockets(dir), {
    message: (_link: RunLink, message) => messages.push(message),
    left: () => undefined,
  });
  t.strictSame(refusals, []);
  const [link] = links;
  if (!link) return t.fail('no link');
  t.equal(link.run.sid, 'session-1');
  const [asked] = messages;
  if (asked?.type !== 'asked') return t.fail('nothing asked');
  t.equal(asked.preview.headline, 'Delete ALL rows of orders (about 10,482)');

  link.send({
    type: 'settle',
    id: asked.id,
    digest: 'of something else',
    verdict: { decision: 'allow', scope: 'once' },
  });
  link.send({ type: 'settle', id: asked.id, digest: asked.digest, verdict: { decision: 'deny', reason: 'no' } });
  const answer = JSON.parse(await guard.line('{'));
  t.match(answer, { decision: 'deny', reason: 'no', by: { kind: 'person', channel: 'dbguard approvals' } });
  t.equal(answer.previewDigest, asked.digest);
  t.strictSame(
    messages.filter((message) => message.type === 'result'),
    [
      { type: 'result', id: asked.id, result: 'changed' },
      { type: 'result', id: asked.id, result: 'settled' },
    ],
  );
  t.strictSame(
    readdirSync(dir).filter((name) => name.startsWith('answer-')),
    [],
    'the approver leaves no socket behind',
  );
  link.close();
});

for (const way of ['direct', 'double-fork', 'setsid', 'unmarked'] as const) {
  test(`attack: the agent answers for itself: ${way}`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'dbg-'));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    const guard = startGuard(dir, way);
    t.teardown(() => guard.stop());
    const said = await guard.line('child: ');
    t.match(said, /refused/, `${way}: ${said}`);
    t.match(said, way === 'direct' ? /inside the session/ : /inside the session|no process above it is older/);
  });
}

test('attack: what an earlier run left behind answers for the agent of this one', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dbg-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const agent = new URL('./agent.ts', import.meta.url).pathname;
  const bare = ['-i', `PATH=${process.env.PATH}`, 'setsid', process.execPath, '--import=tsx', agent, dir];
  // as a run starts its child; nothing in its environment, a session of its own, and older than the run that asks
  const { program, args } = asMarked({ program: '/usr/bin/env', args: bare });
  const left = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => left.kill('SIGKILL'));
  const said = new Promise<string>((resolve) => left.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString())));
  const guard = startGuard(dir);
  t.teardown(() => guard.stop());
  await guard.line('ready');
  t.match(await said, /refused: it runs inside the session of an agent/);
});

test('attack: connecting without being called back says nothing and settles nothing', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dbg-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { desk, socket } = await openDesk(dir, 'wait');
  t.teardown(() => socket.close());
  const abort = new AbortController();
  const answer = desk.ask(request(soon()), abort.signal);
  const [name = ''] = runSockets(dir);
  for (const line of [
    '{"type":"settle","id":"1-1","digest":"","verdict":{"decision":"allow","scope":"once"}}',
    '{"type":"call-me","socket":"../../etc/answer-1.sock"}',
    '{"type":"call-me","socket":"answer-nobody.sock"}',
    'not json',
  ]) {
    const heard = await exchange(join(dir, name), line);
    t.notMatch(heard, /DELETE FROM orders/, line);
  }
  t.equal(desk.pending.length, 1);
  abort.abort('disconnect');
  t.match(await answer, { decision: 'deny', by: { kind: 'disconnect' } });
});

test('attack: a process of this run itself is refused', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dbg-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { socket } = await openDesk(dir, 'wait');
  t.teardown(() => socket.close());
  const { links, refusals } = await connectRuns(dir, runSockets(dir), noEvents);
  t.equal(links.length, 0);
  t.match(refusals[0], /inside the session/);
});

test('nobody watching denies at once and says what to do', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dbg-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { desk, socket } = await openDesk(dir, 'deny');
  const answer = await desk.ask(request(soon()), new AbortController().signal);
  t.match(answer, { decision: 'deny', by: { kind: 'nobody' }, reason: 'call somebody' });
  socket.close();
  t.strictSame(readdirSync(dir), [], 'the socket is gone');
});

test('a socket that a crash left behind is removed', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dbg-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'ask-0123.sock'), '');
  const { links, refusals } = await connectRuns(dir, runSockets(dir), noEvents);
  t.strictSame([links.length, refusals.length], [0, 0]);
  t.strictSame(readdirSync(dir), []);
});

function exchange(path: string, line: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(path, () => socket.write(`${line}\n`));
    socket.on('data', (bytes) => {
      heard += bytes.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(heard));
  });
}

/** A run in a process of its own, with or without an agent that attacks. */
function startGuard(dir: string, attack = 'none') {
  const program = new URL('./guard.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--import=tsx', program, dir, attack], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let heard = '';
  let look: () => void = () => undefined;
  child.stdout.on('data', (bytes: Buffer) => {
    heard += bytes.toString();
    look();
  });
  return {
    line: (start: string) =>
      new Promise<string>((resolve) => {
        look = () => {
          const found = heard
            .split('\n')
            .slice(0, -1)
            .find((line) => line.startsWith(start));
          if (found !== undefined) resolve(found);
        };
        look();
      }),
    stop: () => {
      child.kill('SIGKILL');
    },
  };
}
