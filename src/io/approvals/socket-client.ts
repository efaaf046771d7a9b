/** The other side of the approvals socket: finds the runs of this user, and lets itself be called back by each. */
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { parseFromRun } from '../../approval/parse-from-run.js';
import type { FromApprover, FromRun, RunDescription } from '../../approval/protocol.js';
import { onLines, sendLine } from './socket-lines.js';

export interface RunLink {
  readonly run: RunDescription;
  send(message: FromApprover): void;
  close(): void;
}

export interface RunEvents {
  /** Called for everything after `hello`, in order. */
  message(link: RunLink, message: Exclude<FromRun, { type: 'hello' }>): void;
  left(link: RunLink): void;
}

export interface Runs {
  readonly links: readonly RunLink[];
  /** Why a run would not have us. */
  readonly refusals: readonly string[];
}

/** How long a run may take to look us up and call back. */
const ANSWER_MS = 3000;

/** The socket names of runs that may be there. */
export function runSockets(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => /^ask-\w+\.sock$/.test(name));
  } catch {
    return [];
  }
}

/** Connects to the runs behind `names`. Sockets that a crash has left behind are removed. */
export async function connectRuns(
  dir: string,
  names: readonly string[],
  events: RunEvents,
  answerMs = ANSWER_MS,
): Promise<Runs> {
  const links: RunLink[] = [];
  const refusals: string[] = [];
  await Promise.all(
    names.map(async (name) => {
      const found = await connectRun(dir, name, events, answerMs);
      if (typeof found === 'string') refusals.push(found);
      else if (found) links.push(found);
    }),
  );
  return { links, refusals };
}

/** A link, the words of a refusal, or undefined for nobody there. */
function connectRun(
  dir: string,
  name: string,
  events: RunEvents,
  answerMs: number,
): Promise<RunLink | string | undefined> {
  return new Promise((resolve) => {
    const own = `answer-${process.pid}-${randomBytes(6).toString('hex')}.sock`;
    const server = createServer((socket) => {
      // listening until the greeting: the run looks once more at who listens
      greet(socket, events, (link) => {
        stopWaiting();
        resolve(link);
      });
    });
    const caller = connect(join(dir, name));
    const timer = setTimeout(() => {
      stopWaiting();
      resolve(undefined);
    }, answerMs);
    const stopWaiting = (): void => {
      clearTimeout(timer);
      server.close();
      rmSync(join(dir, own), { force: true });
      caller.destroy();
    };
    caller.on('error', (error: NodeJS.ErrnoException) => {
      stopWaiting();
      if (error.code === 'ECONNREFUSED') rmSync(join(dir, name), { force: true });
      resolve(undefined);
    });
    caller.once('connect', () => {
      server.listen(join(dir, own), () => {
        chmodSync(join(dir, own), 0o600);
        sendLine(caller, { type: 'call-me', socket: own });
      });
    });
    onLines(caller, (line) => {
      const message = parseFromRun(line);
      if (message?.type !== 'refused') return;
      stopWaiting();
      resolve(message.why);
    });
  });
}

function greet(socket: Socket, events: RunEvents, done: (link: RunLink) => void): void {
  let link: RunLink | undefined;
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    if (link) events.left(link);
  });
  onLines(socket, (line) => {
    const message = parseFromRun(line);
    if (!message) socket.destroy();
    else if (message.type === 'hello' && !link) {
      link = {
        run: message.run,
        send: (out) => sendLine(socket, out),
        close: () => socket.destroy(),
      };
      for (const asked of message.pending) events.message(link, asked);
      done(link);
    } else if (link && message.type !== 'hello') events.message(link, message);
  });
}
