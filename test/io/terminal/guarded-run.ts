/**
 * `dbguard run` without a database: a child, the takeover, the approvals queue. Each line that the child puts into the
 * file ASK_FIFO asks for one statement; answers are appended to ANSWERS. With FENCE=1 the child is in a fence that hides nothing.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { type Approvals, createApprovals } from '../../../src/approval/approvals.js';
import { fenceOf } from '../../../src/cli/guard/fence.js';
import { startGuardedChild } from '../../../src/cli/guard/guarded-child.js';
import { DbguardError } from '../../../src/errors.js';
import { findFenceProgram } from '../../../src/io/fence/fence-program.js';
import type { Fence } from '../../../src/io/terminal/job-shell.js';
import { howToApprove } from '../../../src/run/instructions.js';
import { realClock } from '../../approval/clock.js';
import { facts, request } from '../../approval/requests.js';

const [asks = '', answers = '', command = '', ...args] = process.argv.slice(2);
const { stdin, stdout, stderr } = process;
const env = Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])));
const desk: Approvals = createApprovals({
  channels: [],
  clock: realClock,
  unattended: 'deny',
  howToApprove,
});
try {
  const child = await startGuardedChild(
    { stdin, stdout, stderr, env, cwd: process.cwd() },
    {
      command,
      args,
      fence: process.env.FENCE === '1' ? await openFence() : undefined,
      env: { ...env, GUARD_PID: `${process.pid}` },
      clock: realClock,
      bell: true,
      mark: 'amber otter',
      desk: () => desk,
    },
  );
  for (const channel of child.channels) desk.attach(channel);
  let asked = 0;
  setInterval(() => {
    const lines = readFileSync(asks, 'utf8').split('\n').filter(Boolean);
    for (const sql of lines.slice(asked)) ask(`${++asked}`, sql);
  }, 20).unref();
  process.exitCode = await child.exited;
} catch (error) {
  if (!(error instanceof DbguardError)) throw error;
  stderr.write(`${error.code}: ${error.message}\n`);
  process.exitCode = error.exitCode;
}

async function openFence(): Promise<Fence> {
  const found = await findFenceProgram(process.env);
  if ('obstacle' in found) throw new DbguardError('child-failed', found.obstacle.why);
  const mounts = [
    { kind: 'write', from: '/', at: '/' },
    { kind: 'devices', at: '/dev' },
    { kind: 'processes', at: '/proc' },
  ] as const;
  return fenceOf(found, { cwd: process.cwd(), mounts }, '/nowhere');
}

function ask(id: string, sql: string): void {
  const now = Date.now();
  const one = request({ id, sql, facts: facts('delete', 'orders'), askedAt: now, expiresAt: now + 60_000 });
  void desk
    .ask(one, new AbortController().signal)
    .then((answer) => appendFileSync(answers, `${JSON.stringify(answer)}\n`));
}
