/**
 * Approvals from a second terminal: a unix socket in a private folder that only processes outside the agent's reach
 * may use. See `approvals-protocol.ts` for why the run calls back.
 *
 * What lives here: sockets, and who may speak on them. What it must not know: how a verdict is made.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ApprovalChannel, ApprovalDesk } from '../../approval/approvals.js';
import { judgePeer, type RunProcesses } from '../../approval/peer-ancestry.js';
import { askedMessage, parseCallMe, parseFromApprover, type RunDescription } from '../../approval/protocol.js';
import { answerWindows, type WindowDesk } from '../../approval/window-protocol.js';
import { DbguardError, messageOf, reasonOf } from '../../errors.js';
import { socketPath } from '../files/socket-path.js';
import { findAdopters, listeningInode, processInfo, socketHolders } from './process-tree.js';
import { onLines, sendLine } from './socket-lines.js';

export interface ApprovalsSocketOptions {
  /** Private folder; see `state-dirs.ts`. */
  readonly dir: string;
  readonly run: RunDescription;
  readonly desk: () => ApprovalDesk;
  readonly windows: WindowDesk;
  /** Session id of a child with a pty of its own: its process id. */
  readonly childSession: () => number | undefined;
  /** Processes above this one that may be the agent; none by default. */
  readonly agents?: ReadonlySet<number>;
}

export interface ApprovalsSocket {
  readonly channel: ApprovalChannel;
  close(): void;
}

const approvalsChannelName = 'dbguard approvals';
/** Elsewhere nothing proves who is on the other end. */
export const approvalsSocketSupported = process.platform === 'linux';

export async function startApprovalsSocket(options: ApprovalsSocketOptions): Promise<ApprovalsSocket> {
  const followers = new Set<Socket>();
  const sockets = new Set<Socket>();
  const path = socketPath(join(options.dir, `ask-${randomBytes(6).toString('hex')}.sock`));
  const gatekeeper = new Gatekeeper(options.childSession, options.agents ?? new Set());
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    onLines(socket, (line) => {
      const call = parseCallMe(line);
      if (!call) socket.destroy();
      else void callBack(socket, join(options.dir, call.socket));
    });
  });

  const callBack = async (caller: Socket, approver: string): Promise<void> => {
    const before = await gatekeeper.judge(approver);
    if (!before.trusted) {
      sendLine(caller, { type: 'refused', why: before.why });
      caller.end();
      return;
    }
    const socket = connect(approver);
    socket.on('error', () => socket.destroy());
    socket.once('connect', () => {
      // the path may have been taken over in between
      if (listeningInode(approver) === before.inode) serve(socket);
      else socket.destroy();
      caller.end();
    });
  };

  const serve = (socket: Socket): void => {
    sockets.add(socket);
    const desk = options.desk();
    const stop = desk.onChange((event) => {
      if (event.kind !== 'settled') sendLine(socket, askedMessage(event.pending));
      else {
        const { answer, id } = event;
        const by = answer.by.name ?? answer.by.channel ?? answer.by.kind;
        sendLine(socket, { type: 'settled', id, decision: answer.decision, by });
      }
    });
    socket.on('close', () => {
      stop();
      sockets.delete(socket);
      followers.delete(socket);
    });
    sendLine(socket, { type: 'hello', run: options.run, pending: desk.pending.map(askedMessage) });
    onLines(socket, (line) => {
      const message = parseFromApprover(line);
      if (!message) socket.destroy();
      else if (message.type === 'follow') followers.add(socket);
      else if (message.type === 'try') desk.tryOut(message.id);
      else if (message.type === 'busy') desk.busy(message.id);
      else if (message.type !== 'settle')
        sendLine(socket, answerWindows(options.windows, message, approvalsChannelName));
      else {
        const { id, digest, verdict } = message;
        const waits = desk.pending.find((one) => one.request.id === id);
        const seen = waits === undefined || waits.digest === digest;
        const result = seen ? desk.settle(id, verdict, { channel: approvalsChannelName }) : 'changed';
        sendLine(socket, { type: 'result', id, result });
      }
    });
  };

  await listen(server, path);
  return {
    channel: { name: approvalsChannelName, attended: () => followers.size > 0 },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      rmSync(path, { force: true });
    },
  };
}

/** Judges the process behind a listening socket. */
class Gatekeeper {
  readonly #childSession: () => number | undefined;
  readonly #agents: ReadonlySet<number>;
  #adopters: Promise<ReadonlySet<number>> | undefined;

  constructor(childSession: () => number | undefined, agents: ReadonlySet<number>) {
    this.#childSession = childSession;
    this.#agents = agents;
  }

  async judge(path: string): Promise<{ trusted: true; inode: string } | { trusted: false; why: string }> {
    try {
      const guard = processInfo(process.pid);
      if (!guard) return { trusted: false, why: 'dbguard cannot read its own process' };
      this.#adopters ??= findAdopters();
      const run: RunProcesses = {
        guard,
        childSession: this.#childSession(),
        adopters: await this.#adopters,
        agents: this.#agents,
      };
      const inode = listeningInode(path);
      const holders = inode === undefined ? [] : socketHolders(inode);
      if (inode === undefined || holders.length === 0) {
        return { trusted: false, why: 'the process that listens for the answer cannot be found' };
      }
      for (const pid of holders) {
        const judgement = judgePeer(pid, processInfo, run);
        if (!judgement.trusted) return judgement;
      }
      return { trusted: true, inode };
    } catch (error) {
      return { trusted: false, why: `its process cannot be looked up (${messageOf(error)})` };
    }
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new DbguardError('listen-failed', `cannot listen for approvals on ${path}: ${reasonOf(error)}`, {
          hint: 'Look at that folder; it must be yours to write.',
          cause: error,
        }),
      ),
    );
    server.listen(path, () => {
      chmodSync(path, 0o600);
      // does not keep the process alive by itself
      server.unref();
      resolve();
    });
  });
}
