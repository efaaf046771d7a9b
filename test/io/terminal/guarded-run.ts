/**
 * `dbguard run` without a database: a child, the takeover, the approvals queue. Each line that the child puts into the
 * file ASK_FIFO asks for one statement; answers are appended to ANSWERS.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { type Approvals, createApprovals } from '../../../src/approval/approvals.js';
import { startGuardedChild } from '../../../src/cli/guard/guarded-child.js';
import { DbguardError } from '../../../src/errors.js';
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

function ask(id: string, sql: string): void {
  const now = Date.now();
  const one = request({ id, sql, facts: facts('delete', 'orders'), askedAt: now, expiresAt: now + 60_000 });
  void desk
    .ask(one, new AbortController().signal)
    .then((answer) => appendFileSync(answers, `${JSON.stringify(answer)}\n`));
}
