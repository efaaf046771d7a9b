/**
 * The network of a fence that has one of its own: put together from what may be reached, who is asked, and the gateway.
 *
 * What lives here: that composition. What it must not know: namespaces, HTTP, names.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DbguardError } from '../../errors.js';
import type { EnclosedNetwork } from '../../io/fence/enclosed-network.js';
import { Gateway } from '../../io/fence/gateway.js';
import { outwardDial } from '../../io/fence/outward-dial.js';
import { rememberedHosts } from '../../io/fence/remembered-hosts.js';
import { stateDirs } from '../../io/files/state-dirs.js';
import { codeHosts, type HostEntry, hostOfUrl, isLocal, localPorts, readHost } from '../../policy/hosts.js';
import type { Asker } from '../../proxy/statement/asker.js';
import type { Agent } from '../../run/agents/agent.js';
import { networkVariables } from '../../run/fence/environment.js';
import { HostAdmission } from '../../run/fence/host-admission.js';
import { registryHosts } from '../../run/fence/registries.js';
import type { CommandContext } from '../command.js';
import type { Guard } from './guard.js';

export interface FenceNetwork {
  /** For the child. */
  readonly env: Readonly<Record<string, string>>;
  /** Files of the child's view; see FenceRequest. */
  readonly replaced: readonly { readonly from: string; readonly at: string }[];
  close(): void;
}

export interface NetworkUser {
  readonly agent: Agent | undefined;
  /** The command, in words. */
  readonly words: string;
  /** The real path of the folder that it works in. */
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
  readonly asker: Asker;
  readonly endSession: () => void;
}

/** Throws DbguardError `usage` where a setting would lead to the database itself. */
export async function openFenceNetwork(
  context: CommandContext,
  guard: Guard,
  network: EnclosedNetwork,
  user: NetworkUser,
): Promise<FenceNetwork> {
  const { sandbox, databases } = guard.fence;
  const own = modelHosts(user);
  const local = localPorts([...sandbox.hosts, ...own]);
  const closed = (host: string, port: number): boolean =>
    databases.some((one) => one.port === port && (one.host === host || (isLocal(one.host) && isLocal(host))));
  const led = local.find((port) => closed('localhost', port));
  if (led !== undefined) throw leadsToDatabase(led);
  const admission = new HostAdmission({
    lists: [
      { name: 'sandbox.hosts', entries: sandbox.hosts },
      { name: 'sandbox:model', entries: own },
      { name: 'sandbox:registries', entries: registryHosts(user.env) },
      { name: 'sandbox:code', entries: codeHosts },
    ],
    local,
    closed: ({ host, port }) => closed(host, port),
    remembered: rememberedHosts(stateDirs(context.env).state, user.project),
    recorder: guard.recorder,
    asker: user.asker,
    now: () => Date.now(),
    patienceMs: guard.policy.approvalTimeoutMs,
    who: {
      ...{ sid: guard.sid, agent: user.words, subject: guard.subject, connection: guard.connection },
      database: guard.address.database,
    },
    endSession: user.endSession,
  });
  const gateway = new Gateway({
    admit: (target) => admission.admit(target),
    dial: outwardDial(context.env, closed),
  });
  const close = (): void => {
    admission.stop();
    gateway.close();
    network.close();
  };
  try {
    const { host, port } = guard.address;
    const [proxy] = await Promise.all([
      network.tcp('127.0.0.1', 0),
      network.tcp(host, port).then((server) => guard.adopt(server, network.keeper)),
      network.udp('127.0.0.1', 53).then((socket) => gateway.serveNames(socket)),
      ...[443, 80].map((web) => network.tcp('0.0.0.0', web).then((server) => gateway.serveNamed(server, web))),
      ...local.map((one) => network.tcp('127.0.0.1', one).then((server) => gateway.serveLocal(server, one))),
    ]);
    gateway.serveConnect(proxy);
    const address = proxy.address();
    const resolver = join(guard.address.socketDir, 'resolv.conf');
    writeFileSync(resolver, 'nameserver 127.0.0.1\n', { mode: 0o644 });
    return {
      env: networkVariables(typeof address === 'object' && address ? address.port : 0),
      replaced: [{ from: resolver, at: '/etc/resolv.conf' }],
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function modelHosts({ agent, env }: NetworkUser): HostEntry[] {
  const named = agent?.hosts.flatMap((text) => readHost(text) ?? []) ?? [];
  const set = agent?.urlVariables?.flatMap((name) => hostOfUrl(env[name] ?? '') ?? []) ?? [];
  return [...named, ...set];
}

function leadsToDatabase(port: number): DbguardError {
  return new DbguardError('usage', `sandbox.hosts leads to the guarded database itself: localhost:${port}`, {
    hint: 'Take it out: in the fence the database is where PGHOST and DATABASE_URL say, through dbguard.',
  });
}
