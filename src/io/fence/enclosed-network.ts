/**
 * A network namespace (network_namespaces(7)) with a loopback interface and nothing else, for one fence. What listens in it
 * belongs to dbguard, outside: a socket stays in the namespace that it was made in, whoever accepts from it.
 *
 * Rejected: a process in the fence that forwards (the child could stop it, and a Node more at the start of every run takes as
 * long as the fence itself). The namespace is made while the guard opens, and costs a run nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket as DatagramSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import type { Server } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DbguardError } from '../../errors.js';
import { joinArguments, networkArguments } from '../../run/fence/linux.js';

export interface HolderOrder {
  readonly id: number;
  readonly kind: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
}

/** The first one says which process it is; the others come with the socket. */
export type HolderAnswer = { readonly pid: number } | { readonly id: number; readonly failed?: string };

type Handle = Server | DatagramSocket;

export interface EnclosedNetwork {
  /** The process that holds it. */
  readonly keeper: number;
  /** In front of a command: it is run in the namespace. */
  readonly join: { readonly program: string; readonly args: readonly string[] };
  tcp(host: string, port: number): Promise<Server>;
  udp(host: string, port: number): Promise<DatagramSocket>;
  /** The namespace stays as long as a process is in it. */
  close(): void;
}

const joiners = ['/usr/bin/nsenter', '/bin/nsenter', '/usr/sbin/nsenter', '/run/current-system/sw/bin/nsenter'];
const patienceMs = 10_000;

/** Throws DbguardError `child-failed`. */
export async function encloseNetwork(bubblewrap: string): Promise<EnclosedNetwork> {
  const joiner = joiners.find((path) => existsSync(path));
  if (joiner === undefined) {
    throw failed('nsenter is missing', 'Install util-linux with the system’s packages: apt install util-linux.');
  }
  const holder = start(bubblewrap);
  const waiting = new Map<number, (answer: { failed?: string }, handle: unknown) => void>();
  let orders = 0;
  const pid = await new Promise<number>((resolve, reject) => {
    let said = '';
    const late = setTimeout(() => ended(), patienceMs);
    const ended = (): void => {
      holder.kill('SIGKILL');
      reject(failed(said.trim().split('\n')[0] || 'it did not start', tryIt));
    };
    holder.stderr?.on('data', (text) => {
      said = `${said}${text}`.slice(0, 500);
    });
    holder.once('error', ended);
    holder.once('exit', ended);
    holder.on('message', (answer: HolderAnswer, handle) => {
      if ('pid' in answer) {
        clearTimeout(late);
        holder.off('exit', ended);
        resolve(answer.pid);
      } else waiting.get(answer.id)?.(answer, handle);
    });
  });
  const order = (kind: HolderOrder['kind'], host: string, port: number): Promise<Handle> =>
    new Promise((resolve, reject) => {
      const id = ++orders;
      const no = (why: string): void => reject(failed(`${host}:${port} in it cannot be listened at: ${why}`, tryIt));
      const gone = (): void => no('its keeper ended');
      holder.once('exit', gone);
      waiting.set(id, (answer, handle) => {
        waiting.delete(id);
        holder.off('exit', gone);
        if (answer.failed === undefined) resolve(handle as Handle);
        else no(answer.failed);
      });
      holder.send({ id, kind, host, port } satisfies HolderOrder);
    });
  return {
    keeper: pid,
    join: { program: joiner, args: joinArguments(pid) },
    tcp: async (host, port) => (await order('tcp', host, port)) as Server,
    udp: async (host, port) => (await order('udp', host, port)) as DatagramSocket,
    close: () => {
      if (holder.connected) holder.disconnect();
      holder.kill('SIGKILL');
    },
  };
}

function start(bubblewrap: string): ChildProcess {
  const program = new URL(`./network-holder${extname(import.meta.url)}`, import.meta.url);
  // nobody can listen there: no debugger before its first line. See bin/dbguard
  const node = [process.execPath, '--inspect-port=192.0.2.1:9229', ...process.execArgv, fileURLToPath(program)];
  const holder = spawn(bubblewrap, [...networkArguments, ...node], {
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  holder.channel?.unref();
  holder.unref();
  return holder;
}

const tryIt =
  'Try it by itself: bwrap --unshare-user --unshare-net --ro-bind / / true. Or share the network: sandbox: { network: shared }';

function failed(why: string, hint: string): DbguardError {
  return new DbguardError('child-failed', `a network of its own cannot be made for the fence: ${why}`, { hint });
}
