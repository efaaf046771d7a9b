/** A run without a terminal that waits for an answer; its child may be an agent that tries to answer for itself. */
import { spawn } from 'node:child_process';
import { type Approvals, createApprovals } from '../../../src/approval/approvals.js';
import { startApprovalsSocket } from '../../../src/io/approvals/socket.js';
import { realClock } from '../../approval/clock.js';
import { request } from '../../approval/requests.js';
import { noWindows } from '../../helpers/windows.js';

const [dir = '', attack = 'none'] = process.argv.slice(2);
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
desk = createApprovals({ channels: [socket.channel], clock: realClock, unattended: 'wait', howToApprove: '' });
const answer = desk.ask(request({ askedAt: Date.now(), expiresAt: Date.now() + 30_000 }), new AbortController().signal);

const agent = new URL('./agent.ts', import.meta.url).pathname;
const command = `'${process.execPath}' --import=tsx '${agent}' '${dir}'`;
/** How an agent could try to leave its own process tree. */
const ways: Readonly<Record<string, string>> = {
  direct: command,
  'double-fork': `(${command} &) ; exit`,
  setsid: `setsid sh -c "${command} &" ; exit`,
  unmarked: `setsid env -u DBGUARD_SESSION sh -c "${command} &" ; exit`,
};
const way = ways[attack];
if (way !== undefined) {
  const env = { ...process.env, DBGUARD_SESSION: attack === 'unmarked' ? '' : 'session-1' };
  const child = spawn('/bin/sh', ['-c', way], { stdio: ['ignore', 'pipe', 'inherit'], env });
  child.stdout.on('data', (bytes: Buffer) => process.stdout.write(`child: ${bytes.toString()}`));
}
process.stdout.write('ready\n');
process.stdout.write(`${JSON.stringify(await answer)}\n`);
socket.close();
