/**
 * The composition root of `dbguard run` and `dbguard proxy`: everything between a client and the database, put
 * together once. `openGuard` reads as the list of what has to be there before anything runs; each step passes on what it
 * has opened, and leaves with the closers how it is closed.
 */
import { type PromptMark, promptMark } from '../../approval/prompt-mark.js';
import type { WindowDesk } from '../../approval/window-protocol.js';
import type { Login } from '../../identity/identity.js';
import { stateDirPaths } from '../../io/files/state-dirs.js';
import type { RunningProxy } from '../../io/listener/server.js';
import { workloadVariables } from '../../io/login/oidc-workload-token.js';
import type { Progress } from '../../io/spool/uploader.js';
import type { UpstreamConfig } from '../../io/upstream/config.js';
import { knownPasswords } from '../../io/upstream/password.js';
import type { CompiledPolicy } from '../../policy/engine.js';
import type { SandboxConfig } from '../../policy/read-sandbox.js';
import type { JournalTotals } from '../../proxy/statement/journal-totals.js';
import type { ProxyAddress, RealCredentials } from '../../run/environment.js';
import type { Recorder } from '../../transcript/entry.js';
import type { CommandContext } from '../command.js';
import type { ChosenConnection } from '../settings/found-connection.js';
import type { SessionUsers } from '../settings/loopback-users.js';
import { Closers } from './closers.js';
import type { CloseOptions, GuardOptions } from './contract.js';
import { openCatalogs } from './open-catalogs.js';
import { openEvidence } from './open-evidence.js';
import { type OpenIdentity, openIdentity } from './open-identity.js';
import { type OpenRecording, openRecording } from './open-recording.js';
import { readSetup, type Setup } from './setup.js';
import { startGuardedProxy } from './start-guarded-proxy.js';

export interface Guard {
  readonly sid: string;
  readonly subject: string;
  readonly connection: string;
  readonly policy: CompiledPolicy;
  readonly address: ProxyAddress;
  readonly real: RealCredentials;
  readonly bucket: string;
  /** What nobody has set up: who vouches for the key, where transcripts go that this machine cannot delete. */
  /** Where the connection was found, and the files that hold its password. */
  readonly found?: Pick<ChosenConnection, 'says' | 'files'>;
  readonly missing: { readonly provider: boolean; readonly bucket: boolean };
  readonly totals: JournalTotals;
  readonly windows: WindowDesk;
  readonly fence: FenceSettings;
  readonly recorder: Pick<Recorder, 'append'>;
  /** How often somebody was connected to the database beside it so far, at least. */
  beside(): Promise<number>;
  /** Takes clients from a further listener. */
  readonly adopt: RunningProxy['adopt'];
  /** What its prompts carry; see prompt-mark.ts. */
  readonly mark: PromptMark;
  readonly recording: Pick<OpenRecording, 'config' | 'terminal' | 'lost'>;
  /** Drains the proxy, seals the transcript and waits for its upload. */
  close(options?: CloseOptions): Promise<Progress>;
}

/** What a fence around the child has to know of the settings. */
export interface FenceSettings {
  readonly sandbox: SandboxConfig;
  /** Absolute paths of the files that speak. */
  readonly settled: readonly string[];
  /** Where real credentials and transcripts lie. */
  readonly closed: readonly string[];
  /** The servers of the guarded connection: host and port as they are written. */
  readonly databases: readonly { readonly host: string; readonly port: number }[];
}

/** A run that did not begin waits no longer than this for the bucket, milliseconds. */
const failedPatienceMs = 1000;

export async function openGuard(context: CommandContext, options: GuardOptions): Promise<Guard> {
  const closers = new Closers<CloseOptions>();
  try {
    const setup = await readSetup(context, options);
    options.onSettings?.(setup.files.config.sandbox);
    const identity = await openIdentity(setup, closers);
    const evidence = await openEvidence(setup, identity, closers);
    const catalogs = await openCatalogs(setup, identity, evidence, closers);
    const recording = await openRecording(setup, evidence, closers);
    const { proxy, journal, hooks, opened } = await startGuardedProxy(
      setup,
      identity,
      evidence,
      catalogs,
      recording,
      closers,
    );
    const { upstream, users, login, credential } = identity;
    return {
      sid: credential.sid,
      subject: identity.subject,
      connection: setup.name,
      policy: setup.policy,
      address: { ...addressOf(proxy, upstream.database, users, options.password), hooks },
      real: await realCredentials(users, setup.upstream, secretsOf(login)),
      bucket: evidence.bucket.location,
      ...(setup.found === undefined ? {} : { found: setup.found }),
      missing: { provider: setup.identity === undefined, bucket: setup.files.config.bucket === undefined },
      totals: journal.totals,
      windows: journal.windows,
      fence: fenceSettings(setup, identity),
      recorder: evidence.recorder,
      adopt: proxy.adopt,
      beside: () => catalogs.beside({ opened: opened() + evidence.ownConnections(), open: proxy.connections }),
      mark: promptMark(login),
      recording,
      async close(how = {}) {
        await closers.close(how);
        return evidence.uploaded();
      },
    };
  } catch (error) {
    await closers.close({ signal: AbortSignal.timeout(failedPatienceMs) }).catch(() => {});
    throw error;
  }
}

function addressOf(
  { host, port, socketDir }: RunningProxy,
  database: string,
  { own, further }: SessionUsers,
  password: string,
): ProxyAddress {
  const others = further.map(({ as, password, variable }) => ({ user: as.user, password, variable }));
  const libpqHost = process.platform === 'win32' ? host : socketDir;
  return { host, port, socketDir, libpqHost, user: own.as.user, password, database, further: others };
}

function fenceSettings({ sources, found, files, context, upstream }: Setup, { users }: OpenIdentity): FenceSettings {
  const { bucket, sandbox } = files.config;
  const credentials = [users.own, ...users.further].flatMap(({ upstream: { auth, tls } }) => [
    auth.passfile,
    tls.key.path,
  ]);
  const named = [context.env.PGSERVICEFILE, context.env.DBGUARD_ID_TOKEN_FILE];
  const folders = Object.values(stateDirPaths(context.env));
  return {
    sandbox,
    databases: upstream.hosts,
    settled: sources.filter((one) => one !== found?.source).map(({ path }) => path),
    closed: [...folders, ...(bucket?.kind === 'file' ? [bucket.path] : []), ...credentials, ...named].flatMap(
      (path) => path ?? [],
    ),
  };
}

function secretsOf({ idToken, refreshToken = '', accessToken }: Login): readonly string[] {
  return [idToken, refreshToken, accessToken?.value ?? ''];
}

async function realCredentials(
  { own, further }: SessionUsers,
  connection: UpstreamConfig,
  otherSecrets: readonly string[],
): Promise<RealCredentials> {
  const all = new Set([connection, ...[own, ...further].map(({ upstream }) => upstream)]);
  const passwords = await Promise.all([...all].map(knownPasswords));
  return {
    upstreamPasswords: passwords.flat().map((password) => password.reveal()),
    upstreamHosts: own.upstream.hosts.map((host) => host.host),
    otherSecrets: otherSecrets.filter((secret) => secret !== ''),
    variables: workloadVariables,
  };
}
