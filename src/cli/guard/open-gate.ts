/** The gate: everything that stands between a client and the database, but for how the client gets in. */
import { uptime } from 'node:os';
import type { DbguardError } from '../../errors.js';
import { measureImpact } from '../../io/catalog/impact.js';
import { waitsForLock } from '../../io/catalog/lock-waits.js';
import { measureExtents } from '../../io/catalog/measure-extents.js';
import { rowsByName } from '../../io/catalog/small-tables.js';
import type { ProxyOptions } from '../../io/listener/server.js';
import { type ClientProcesses, openClientProcesses } from '../../io/peer/client-processes.js';
import { cancelUpstream } from '../../io/upstream/cancel.js';
import { connectUpstream } from '../../io/upstream/connect.js';
import { accessOf } from '../../policy/access-offer.js';
import { DryRunner } from '../../proxy/dry-run/dry-run.js';
import { Intents } from '../../proxy/intent/intents.js';
import { AccessWindows } from '../../proxy/session-state/access-windows.js';
import { timedConnection } from '../../proxy/statement/connection-on-request.js';
import { StatementJournal } from '../../proxy/statement/statement-journal.js';
import type { ErrorText } from '../../wire/backend.js';
import type { Closers } from './closers.js';
import type { CloseOptions } from './contract.js';
import { guardedByLogin } from './login-policy.js';
import { openOnRequest } from './on-request.js';
import type { OpenCatalogs } from './open-catalogs.js';
import type { OpenEvidence } from './open-evidence.js';
import type { OpenIdentity } from './open-identity.js';
import type { OpenRecording } from './open-recording.js';
import { withSecondPerson } from './second-person.js';
import type { Setup } from './setup.js';

export interface Gate {
  /** What a client connection needs that has got in. */
  readonly connection: ProxyOptions['connection'];
  readonly journal: StatementJournal;
  readonly intents: Intents | undefined;
  readonly processes: ClientProcesses;
  /** Clients that were connected. */
  opened(): number;
}

/** @param drain no new statement of any client @param processes who is on the other end of a client's socket */
export function openGate(
  setup: Setup,
  identity: OpenIdentity,
  evidence: OpenEvidence,
  {
    controls,
    client,
    startupAnalyser,
    maxMessage,
  }: Pick<OpenCatalogs, 'controls' | 'client' | 'startupAnalyser' | 'maxMessage'>,
  recording: OpenRecording,
  closers: Closers<CloseOptions>,
  { drain, processes }: { readonly drain: () => void; readonly processes?: ClientProcesses },
): Gate {
  const { options, files, name, connection, policy } = setup;
  const { keeper, credential, subject, upstream, users } = identity;
  const { recorder } = evidence;
  const { sid } = credential;
  const watched = guardedByLogin(policy, keeper);
  const windows = new AccessWindows({
    rules: [
      ...accessOf(policy.config.access, name),
      ...(connection.access ? [timedConnection(name, connection.access)] : []),
    ],
    recorder,
    // the last one runs on while the machine sleeps, and nobody sets it
    clocks: [() => Date.now(), () => performance.now(), () => uptime() * 1000],
    every: (milliseconds, callback) => {
      const timer = setInterval(callback, milliseconds).unref();
      return () => clearInterval(timer);
    },
  });
  closers.defer(() => windows.stop());
  const asker = withSecondPerson(setup, identity, evidence, closers);
  const endSession = (): void => {
    drain();
    options.endSession();
  };
  recording.onLost(endSession);
  const onRequest = openOnRequest(setup, identity, { recorder, windows, asker, endSession });
  closers.defer(() => onRequest?.stop());
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const intents = files.config.intent === 'off' ? undefined : new Intents(recorder, () => uptime() * 1000);
  const journal = new StatementJournal({
    policy: watched,
    recorder,
    asker,
    clock,
    windows,
    ...(intents && { intents }),
  });
  const peers = processes ?? openClientProcesses({ toldArguments: intents !== undefined });
  closers.defer(() => peers.close());
  const dryRuns = new DryRunner();
  const everybody = [users.own, ...users.further];
  const upstreams = new Map(everybody.map(({ as, upstream }) => [as, upstream]));
  const judged = { connection: name, subject, agent: options.agent };
  let opened = 0;
  return {
    journal,
    intents,
    processes: peers,
    opened: () => opened,
    connection: {
      journal,
      recording: recording.results,
      processes: peers,
      users: new Map(everybody.map(({ as }) => [as.user, as])),
      context: {
        sid,
        environment: connection.environment,
        ...judged,
        ...(options.reason === undefined ? {} : { reason: options.reason }),
      },
      admission: ({ user, role }) => ({
        policy: watched,
        analyser: startupAnalyser,
        database: upstream.database,
        databases: connection.databases,
        context: { ...judged, user, now: Date.now() },
        ...(role === undefined ? {} : { role }),
        sid,
        upstreamOptions: upstream.parameters.get('options') ?? '',
      }),
      judgedBy: (database, startup) => client(database, startup),
      databases: controls,
      onRequest,
      assessorFor: (upstream, client) => ({
        impact: (candidate, held, session) => measureImpact(candidate, held, session, controls.of(client.database)),
        extents: measureExtents,
        sizes: rowsByName,
        dryRun: (candidate, held, session) => dryRuns.run(candidate, held, session),
        waitsForLock: () => waitsForLock(upstream.backendKey?.pid, controls.of(client.database)),
        endSession,
      }),
      maxMessage,
      connect: (user, { parameters, protocolMinor }, signal) => {
        opened++;
        return connectUpstream(upstreams.get(user) ?? upstream, parameters, { protocolMinor, signal });
      },
      cancelUpstream,
      blocked: () => loginError(keeper.valid(Date.now())),
    },
  };
}

function loginError(valid: true | DbguardError): ErrorText | undefined {
  if (valid === true) return undefined;
  const hint = valid.hint ? { hint: valid.hint } : {};
  return { severity: 'FATAL', code: '28000', message: `dbguard: ${valid.message}`, ...hint };
}
