/** The loopback proxy in front of the gate. */
import { openHookSocket } from '../../io/intent/hook-socket.js';
import { type RunningProxy, startProxy } from '../../io/listener/server.js';
import type { Closers } from './closers.js';
import type { CloseOptions } from './contract.js';
import type { OpenCatalogs } from './open-catalogs.js';
import type { OpenEvidence } from './open-evidence.js';
import { type Gate, openGate } from './open-gate.js';
import type { OpenIdentity } from './open-identity.js';
import type { OpenRecording } from './open-recording.js';
import type { Setup } from './setup.js';

export interface GuardedProxy extends Pick<Gate, 'journal' | 'opened'> {
  readonly proxy: RunningProxy;
  /** Where hooks of agents speak; undefined where nobody listens. */
  readonly hooks: string | undefined;
}

const defaultConnections = 100;

export async function startGuardedProxy(
  setup: Setup,
  identity: OpenIdentity,
  evidence: OpenEvidence,
  catalogs: OpenCatalogs,
  recording: OpenRecording,
  closers: Closers<CloseOptions>,
): Promise<GuardedProxy> {
  const { options, files } = setup;
  const { further } = identity.users;
  const { recorder, runtime } = evidence;
  let drain = (): void => undefined;
  const gate = openGate(setup, identity, evidence, catalogs, recording, closers, { drain: () => drain() });
  const { connection, journal, intents, processes, opened } = gate;
  const proxy = await startProxy({
    listen: options.listen,
    socketParent: runtime,
    password: options.password,
    ownPasswords: new Map(further.map(({ as, password }) => [as.user, password])),
    maxConnections: files.limits.connections ?? defaultConnections,
    connection,
  });
  drain = () => proxy.drain();
  closers.defer(({ graceMs = 0 }) => proxy.close(graceMs));
  const listening = intents && { folder: proxy.socketDir, intents, recorder, processes };
  const hooks = listening && (await openHookSocket(listening));
  closers.defer(() => hooks?.close());
  return { proxy, journal, hooks: hooks?.path, opened };
}
