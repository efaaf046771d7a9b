/**
 * The session of one token on one connection: a transcript of its own, and the gate behind which all clients are that show
 * that token. The evidence is the token, so whoever shows another one has another session; a pool that connects twenty times
 * by the same one has one story.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createApprovals } from '../../approval/approvals.js';
import type { DbguardError } from '../../errors.js';
import type { LoginKeeper } from '../../identity/login-keeper.js';
import { createSession, MAX_SESSION_MS } from '../../identity/session.js';
import { type ConnectionParts, ProxyConnection } from '../../io/listener/client-connection.js';
import { EarlyDials } from '../../io/listener/early-dials.js';
import { whereJournalTakesIt } from '../../io/listener/upstream-opener.js';
import type { UpstreamPool } from '../../io/pool/upstream-pool.js';
import type { Progress } from '../../io/spool/uploader.js';
import type { GuestRight } from '../../policy/serve-rights.js';
import type { CancelMap } from '../../proxy/client/cancel-map.js';
import type { JournalTotals } from '../../proxy/statement/journal-totals.js';
import type { Bucket } from '../../transcript/entry.js';
import type { ErrorText } from '../../wire/backend.js';
import type { StartupPacket } from '../../wire/startup.js';
import type { CommandContext } from '../command.js';
import { Closers } from '../guard/closers.js';
import type { CloseOptions } from '../guard/contract.js';
import { masksFor } from '../guard/open-catalogs.js';
import { openSession } from '../guard/open-evidence.js';
import { openGate } from '../guard/open-gate.js';
import { openUsers } from '../guard/open-identity.js';
import { openRecording } from '../guard/open-recording.js';
import { setupOf } from '../guard/setup.js';
import type { ServedConnection } from './served-connection.js';
import type { GatewaySettings } from './settings.js';
import type { Guest } from './token-door.js';

export interface GuestSessionParts {
  readonly context: CommandContext;
  readonly settings: GatewaySettings;
  readonly served: ServedConnection;
  readonly guest: Guest;
  readonly right: GuestRight;
  /** The gateway's own login. */
  readonly keeper: LoginKeeper;
  /** True, or why nothing may run any more. */
  readonly valid: (now: number) => true | DbguardError;
  readonly bucket: Bucket;
  readonly cancels: CancelMap<ProxyConnection>;
  readonly pool: UpstreamPool;
  readonly onTrouble: (error: DbguardError) => void;
}

export interface GuestSession {
  readonly sid: string;
  readonly connections: ReadonlySet<ProxyConnection>;
  readonly totals: JournalTotals;
  connect(socket: Socket, startup: StartupPacket): ProxyConnection;
  /** No new statement: each client hears this as soon as what it runs has run. */
  drain(last: ErrorText): void;
  /** What runs is cancelled, the transcript sealed and uploaded. */
  close(how: CloseOptions): Promise<Progress>;
}

/** In the place of a command: what a client calls itself is its own word, and stands with its connection. */
export const servedAs = 'dbguard serve';

const howToApprove =
  'Nobody is at this connection to be asked. Run it through dbguard on your own machine, or have whoever keeps the policy name who may approve (second_person).';

export async function openGuestSession(parts: GuestSessionParts): Promise<GuestSession> {
  const { context, settings, served, guest, right, keeper, bucket, onTrouble } = parts;
  const closers = new Closers<CloseOptions>();
  const connections = new Set<ProxyConnection>();
  const drain = (last?: ErrorText): void => {
    for (const one of connections) one.drain(last);
  };
  try {
    const clock = { now: () => Date.now(), after: timer };
    const setup = setupOf(
      context,
      {
        connection: right.connection,
        agent: servedAs,
        listen: { host: '', port: 0 },
        password: '',
        asker: createApprovals({ channels: [], clock, unattended: 'deny', howToApprove }),
        endSession: () => undefined,
        onTrouble,
      },
      { sources: settings.sources, files: settings.files, policy: settings.policyFor(right.grant.profile) },
    );
    const { token, name, rights, shownAt } = guest;
    const credential = createSession(keeper.login, {
      now: Date.now(),
      lifetimeMs: MAX_SESSION_MS,
      guest: (session) => {
        const proof = token.prove(session, randomBytes);
        const { audience } = settings.gateway;
        const clientId = token.client ?? audience;
        return { subject: token.subject, clientId, audience, shown: token.shown, shownAt, ...(proof && { proof }) };
      },
    });
    const users = await openUsers(setup, setup.upstream, credential.sid, closers);
    const identity = {
      ...{ login: keeper.login, credential, subject: name, groups: rights.groups, ...users },
      keeper: guestKeeper(keeper, parts.valid),
    };
    const evidence = await openSession(setup, identity, { bucket, server: served.server }, closers);
    const recording = await openRecording(setup, evidence, closers);
    const masks = masksFor(setup, identity);
    const { controls, startupAnalyser, maxMessage, client } = served.catalogs;
    const gate = openGate(
      setup,
      identity,
      evidence,
      { controls, startupAnalyser, maxMessage, client: (database, startup) => client(database, startup, masks) },
      recording,
      closers,
      { drain, processes: { of: async () => undefined, close: () => undefined } },
    );
    const connection = pooled(gate.connection, parts.pool, right.connection, closers);
    closers.defer(async ({ graceMs = 0 }) => {
      await ended(connections, graceMs);
    });
    const earlyDials = new EarlyDials();
    let number = 0;
    return {
      sid: credential.sid,
      connections,
      totals: gate.journal.totals,
      connect(socket, startup) {
        const one = new ProxyConnection(socket, {
          ...connection,
          ...{
            number: ++number,
            namespace: undefined,
            full: () => false,
            cancels: parts.cancels,
            earlyDials,
            admitted: startup,
          },
          handshake: { scramFor: refuseScram },
          ...(socket.remoteAddress && { address: socket.remoteAddress }),
        });
        connections.add(one);
        void one.closed.finally(() => connections.delete(one));
        return one;
      },
      drain,
      async close(how) {
        await closers.close(how);
        return evidence.uploaded();
      },
    };
  } catch (error) {
    await closers.close({ signal: AbortSignal.timeout(1000) }).catch(() => {});
    throw error;
  }
}

/** Nobody gets in here by another way than the token. */
function refuseScram(): never {
  throw new Error('a guest has shown a token already');
}

type Connection = ReturnType<typeof openGate>['connection'];

/** Each client has a connection to the server that was opened for it, or one that is as if it had been. */
function pooled(
  connection: Connection,
  pool: UpstreamPool,
  name: string,
  closers: Closers<CloseOptions>,
): Connection & Pick<ConnectionParts, 'keep'> {
  const { connect, databases, journal } = connection;
  const member = pool.member(name, ({ database, login, upstream }) => {
    const own = {
      event: 'own',
      database,
      user: login,
      backendPid: upstream.backendKey?.pid,
      reason: keptBecause,
    } as const;
    whereJournalTakesIt(() => journal.recordConnection({ k: 'connection', ...own }));
  });
  closers.defer(() => member.close());
  return {
    ...connection,
    connect: (user, wanted, signal) => {
      const { parameters, protocolMinor } = wanted;
      const openedWith = JSON.stringify([user, protocolMinor, ...parameters]);
      const database = parameters.get('database') ?? '';
      const wish = { user: user.user, login: user.login, openedWith, database };
      return member.take(wish, () => connect(user, wanted, signal), signal);
    },
    keep: (upstream, reported) => member.keep(upstream, reported),
    databases: {
      use: (database) => databases.use(database),
      leave: async (names) => {
        await Promise.all([databases.leave(names), member.leave(names)]);
      },
    },
  };
}

const keptBecause = 'its client has left: DISCARD ALL, for the next one';

function guestKeeper(keeper: LoginKeeper, valid: GuestSessionParts['valid']): LoginKeeper {
  return {
    get login() {
      return keeper.login;
    },
    accessToken: (request) => keeper.accessToken(request),
    valid,
    stop: () => undefined,
  };
}

async function ended(connections: ReadonlySet<ProxyConnection>, graceMs: number): Promise<void> {
  for (const one of connections) one.drain();
  const all = Promise.all([...connections].map(({ closed }) => closed));
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
  for (const one of connections) one.destroy('the gateway shut down before it was done');
  await Promise.all([...connections].map(({ closed }) => closed));
}

function timer(milliseconds: number, callback: () => void): () => void {
  const running = setTimeout(callback, milliseconds);
  return () => clearTimeout(running);
}
