/**
 * `dbguard hook AGENT`: what an agent's hook runs. Hands on what the agent says to the run that it is in, waits until that is
 * written, and ends. It never fails and never says a word: an agent would take either for a refusal.
 */
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { hookVariable } from '../../run/environment.js';
import { claimOf } from '../../run/hooks/claim-of.js';
import type { CommandContext } from '../command.js';

/** An agent waits for its hooks. */
const patienceMs = 3000;
/** Characters; a tool's input may be a whole file. */
const longestPayload = 8 << 20;

export async function run(context: CommandContext, args: readonly string[]): Promise<number> {
  const path = context.env[hookVariable];
  const claim = path && claimOf(args[0] ?? '', await allOf(context.stdin));
  if (path && claim) await say(path, JSON.stringify(claim));
  return 0;
}

async function allOf(stdin: Readable): Promise<string> {
  let text = '';
  stdin.setEncoding('utf8');
  for await (const chunk of stdin) {
    text += chunk;
    if (text.length > longestPayload) return '';
  }
  return text;
}

function say(path: string, line: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write(`${line}\n`));
    const timer = setTimeout(() => socket.destroy(), patienceMs);
    socket.on('data', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
