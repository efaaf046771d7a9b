/**
 * Where the hooks of a run's agent say what it was asked for and what it is about to do: a unix socket beside that of the proxy,
 * in its private folder, which a fence shows as well. Anything of the run may speak here; see proxy/intent for what that is worth.
 *
 * What lives here: the socket, and who speaks on it. What it must not know: which agent says what in which form.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Claim, parseClaim } from '../../proxy/intent/claim.js';
import type { Intents } from '../../proxy/intent/intents.js';
import { toldText } from '../../proxy/statement/told-text.js';
import type { Recorder } from '../../transcript/entry.js';
import { onLines } from '../approvals/socket-lines.js';
import { longestSocketPath } from '../files/socket-path.js';
import type { ClientProcesses } from '../peer/client-processes.js';

export interface HookSocketOptions {
  /** Private; the socket goes with it. */
  readonly folder: string;
  readonly intents: Intents;
  readonly recorder: Recorder;
  readonly processes: ClientProcesses;
}

export interface HookSocket {
  readonly path: string;
  close(): void;
}

/** Hooks speak for a moment each. */
const mostSpeakers = 32;
const longestClaim = 256 << 10;
const patienceMs = 10_000;

/** Undefined where there can be none: a run goes on without. */
export async function openHookSocket(options: HookSocketOptions): Promise<HookSocket | undefined> {
  const path = join(options.folder, 'hooks');
  if (process.platform === 'win32' || Buffer.byteLength(path) > longestSocketPath) return undefined;
  const speakers = new Set<Socket>();
  const server = createServer((socket) => {
    if (speakers.size >= mostSpeakers) return void socket.destroy();
    speakers.add(socket);
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on('close', () => speakers.delete(socket));
    socket.on('error', () => socket.destroy());
    hear(socket, options);
  });
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(path, () => {
      chmodSync(path, 0o600);
      server.unref();
      resolve({
        path,
        close: () => {
          server.close();
          for (const socket of speakers) socket.destroy();
          rmSync(path, { force: true });
        },
      });
    });
  });
}

/** One claim at a time: whoever says more waits for the last one to be written. */
function hear(socket: Socket, { intents, recorder, processes }: HookSocketOptions): void {
  const who = processes.of(socket);
  let before: Promise<void> = Promise.resolve();
  const record = async (claim: Claim): Promise<void> => {
    const by = await who;
    intents.claim({ ...claim, said: await toldText(claim.said) }, by);
    recorder.commit(false, () => {
      // the tool runs behind this
      if (!socket.destroyed) socket.write('ok\n');
    });
  };
  onLines(
    socket,
    (line) => {
      const claim = parseClaim(line);
      if (claim === undefined) return void socket.destroy();
      before = before.then(() => record(claim)).catch(() => void socket.destroy());
    },
    longestClaim,
  );
}
