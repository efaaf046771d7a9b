/**
 * The composition root of `dbguard run` and `dbguard proxy`: everything between a client and the database, put
 * together once, in order. `openGuard` reads as the list of what has to be there before anything runs.
 */
import { promptMark } from '../../approval/prompt-mark.js';
import { DbguardError } from '../../errors.js';
import type { Login } from '../../identity/identity.js';
import { startLoginKeeper } from '../../identity/login-keeper.js';
import { loadLogin } from '../../identity/login-source.js';
import { createSession, MAX_SESSION_MS } from '../../identity/session.js';
import { enclosingRun } from '../../io/approvals/process-tree.js';
import { openBucket } from '../../io/bucket/open.js';
import { Controls } from '../../io/catalog/control-connections.js';
import { Catalogs } from '../../io/catalog/function-catalogs.js';
import { measureImpact } from '../../io/catalog/impact.js';
import { startMasking } from '../../io/catalog/masks-by-database.js';
import { measureExtents } from '../../io/catalog/measure-extents.js';
import { loadConfigsOrFail, loadNamed } from '../../io/files/config-files.js';
import { stateDirs } from '../../io/files/state-dirs.js';
import { type RunningProxy, startProxy } from '../../io/listener/server.js';
import { openLoginSource } from '../../io/login/oidc-login-source.js';
import { workloadVariables } from '../../io/login/oidc-workload-token.js';
import { recoverSpool } from '../../io/spool/recovery.js';
import { openTranscript, type Transcript } from '../../io/spool/spool.js';
import type { Progress } from '../../io/spool/uploader.js';
import { cancelUpstream } from '../../io/upstream/cancel.js';
import type { UpstreamConfig } from '../../io/upstream/config.js';
import { connectUpstream, type Upstream } from '../../io/upstream/connect.js';
import { readLogSettings } from '../../io/upstream/log-settings.js';
import { knownPasswords } from '../../io/upstream/password.js';
import { Secret } from '../../io/upstream/secret.js';
import { type CompiledPolicy, compilePolicy } from '../../policy/engine.js';
import type { ProfileName } from '../../policy/profiles.js';
import { DryRunner } from '../../proxy/dry-run/dry-run.js';
import type { Asker } from '../../proxy/statement/asker.js';
import { Gate, type GateTotals } from '../../proxy/statement/statement-journal.js';
import type { ProxyAddress, RealCredentials } from '../../run/environment.js';
import { createAnalyser } from '../../sql/analyser.js';
import { loadGrammar } from '../../sql/grammar/grammar.js';
import type { ErrorText } from '../../wire/backend.js';
import type { CommandContext } from '../command.js';
import { chooseConnection, upstreamOf } from '../settings/connection.js';
import { settingsFrom } from '../settings/identity-settings.js';
import { ensureTrusted, refuseUntrusted } from '../settings/trusted.js';
import { bucketUse, choiceUse, databaseUse, tokenUse } from '../settings/uses.js';
import { dbguardVersion } from '../version.js';
import { guardedByLogin } from './login-policy.js';

export interface GuardOptions {
  /** `--config`. */
  readonly config?: string | undefined;
  /** `--connection`; the configuration's default otherwise. */
  readonly connection?: string | undefined;
  /** `--policy`: judge by this file alone. */
  readonly policyFile?: string | undefined;
  readonly profile?: ProfileName | undefined;
  /** Shown to the approver and recorded: the command that is guarded. */
  readonly agent: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** What opens the loopback port. */
  readonly password: string;
  readonly asker: Asker;
  /** The approver chose to end the run. */
  readonly endSession: () => void;
  /** Told once for each kind of trouble that does not stop the session. */
  readonly onTrouble: (error: DbguardError) => void;
}

export interface Guard {
  readonly sid: string;
  readonly subject: string;
  readonly connection: string;
  readonly policy: CompiledPolicy;
  readonly address: ProxyAddress;
  readonly real: RealCredentials;
  readonly bucket: string;
  readonly totals: GateTotals;
  /** What its prompts carry; see prompt-mark.ts. */
  readonly mark: string;
  /** Drains the proxy, seals the transcript and waits for its upload. */
  close(options?: CloseOptions): Promise<Progress>;
}

export interface CloseOptions {
  /** How long statements under way may take, milliseconds. */
  readonly graceMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** How long the bucket may take for the opening entry before the run gives up (or goes on, where the policy allows). */
const bucketPatienceMs = 15_000;
/** A bucket that says no each time is given up sooner than one that says nothing. */
const bucketAttempts = 3;
const defaultMaxMessage = 64 << 20;
const defaultConnections = 100;

export async function openGuard(context: CommandContext, options: GuardOptions): Promise<Guard> {
  const { env, cwd } = context;
  refuseInside(env);
  const sources = loadConfigsOrFail({ cwd, env, named: options.config });
  const profile = options.profile === undefined ? {} : { profile: options.profile };
  const files = compilePolicy(sources, profile);
  const policy =
    options.policyFile === undefined ? files : compilePolicy([loadNamed(options.policyFile, context)], profile);
  const { name, connection } = chooseConnection(files, options.connection);
  const configured = upstreamOf(connection, name, env);

  const settings = settingsFrom(files.config, env);
  if (!settings) throw noIdentity();
  const source = openLoginSource(env, settings);
  const login = await loadLogin(source, settings);
  const keeper = startLoginKeeper({ source, login, ...settings });
  const upstream: UpstreamConfig = {
    ...configured,
    oauthToken: async (request) => {
      refuseUntrusted(context, sources, [tokenUse(database)]);
      return new Secret(await keeper.accessToken(request));
    },
  };
  const now = Date.now();
  const credential = createSession(login, { now, lifetimeMs: MAX_SESSION_MS });
  const subject = login.subject.email ?? login.subject.sub;

  if (!files.config.bucket) throw noBucket();
  const database = await databaseUse(name, connection, upstream);
  await ensureTrusted(context, sources, [
    ...choiceUse(files.config, { name, connection, wanted: options.connection }),
    database,
    bucketUse(files.config.bucket, 'write'),
  ]);
  const bucket = await openBucket(files.config.bucket, { env, idToken: async () => keeper.login.idToken });
  // the first connection finds out whether there is a database at all, in words for a person
  const first = await connectUpstream(upstream, new Map([['application_name', `dbguard/${credential.sid}`]]));
  const logSettings = await readLogSettings(first, upstream);
  const { state, runtime } = stateDirs(env);
  // until the bucket has taken the opening entry its trouble is the error that ends the run, said once
  let opening = true;
  const transcript = openTranscript({
    state,
    bucket,
    credential,
    connection: {
      name,
      host: upstream.hosts.map((host) => host.host).join(','),
      port: upstream.hosts[0]?.port ?? 5432,
      database: upstream.database,
      user: upstream.user,
      serverVersion: first.serverVersion,
      environment: connection.environment,
      ...logSettings,
    },
    policy: { name: policy.name, digest: policy.digest },
    version: dbguardVersion,
    agent: options.agent,
    onTrouble: (error) => {
      if (!opening) options.onTrouble(error);
    },
    onFailure: options.onTrouble,
  });
  first.socket.destroy();
  const { recorder } = transcript;
  const own = (database: string, { backendKey }: Upstream): void => {
    // the server logs these too; without an entry they would look as if they went around dbguard
    recorder.append({ k: 'connection', event: 'own', database, user: upstream.user, backendPid: backendKey?.pid });
  };
  own(upstream.database, first);
  const controls = new Controls(upstream, credential.sid, own);
  const recovery = new AbortController();
  const closers: (() => Promise<unknown> | unknown)[] = [() => keeper.stop(), () => controls.close()];
  try {
    await bucketReady(transcript, policy.offline, options.onTrouble);
    opening = false;
    // what earlier runs left behind goes up in the background
    const recovered = recoverSpool({ state, bucket, signal: recovery.signal }).catch(() => {});

    const limits = files.limits;
    const maxMessage = limits.statementBytes ?? defaultMaxMessage;
    const grammar = await loadGrammar({ maxBytes: maxMessage });
    const startupAnalyser = await createAnalyser({ grammar });
    const catalogs = new Catalogs(grammar, (database) => controls.of(database));
    closers.unshift(() => catalogs.stop());
    const masking = await startMasking(files.config.mask, controls);
    const watched = guardedByLogin(policy, keeper);
    const gate = new Gate({
      policy: watched,
      recorder,
      asker: options.asker,
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
    });
    const dryRuns = new DryRunner();
    const judged = { connection: name, subject, agent: options.agent };
    const proxy = await startProxy({
      listen: options.listen,
      socketParent: runtime,
      user: upstream.user,
      password: options.password,
      maxConnections: limits.connections ?? defaultConnections,
      connection: {
        gate,
        context: {
          sid: credential.sid,
          user: upstream.user,
          environment: connection.environment,
          ...judged,
        },
        admission: () => ({
          policy: watched,
          analyser: startupAnalyser,
          database: upstream.database,
          databases: connection.databases,
          context: { ...judged, now: Date.now() },
          sid: credential.sid,
          upstreamOptions: upstream.parameters.get('options') ?? '',
        }),
        masksFor: (database, startup) => masking.session(database, startup),
        catalogFor: (database) => catalogs.client(database),
        databases: controls,
        reviewerFor: (_upstream, client) => ({
          impact: (candidate, held, session) => measureImpact(candidate, held, session, controls.of(client.database)),
          extents: measureExtents,
          dryRun: (candidate, held, session) => dryRuns.run(candidate, held, session),
          endSession: () => {
            proxy.drain();
            options.endSession();
          },
        }),
        maxMessage,
        connect: (parameters, protocolMinor, signal) =>
          connectUpstream(upstream, parameters, {
            protocolMinor,
            signal,
          }),
        cancelUpstream,
        blocked: () => loginError(keeper.valid(Date.now())),
      },
    });
    return {
      sid: credential.sid,
      subject,
      connection: name,
      policy,
      address: addressOf(proxy, upstream, options.password),
      real: await realCredentials(upstream, secretsOf(login)),
      bucket: bucket.location,
      totals: gate.totals,
      mark: promptMark(login.loginKey.d),
      async close({ graceMs = 0, ...finish } = {}) {
        await proxy.close(graceMs);
        for (const end of closers) await end();
        await masking.stop();
        try {
          const progress = await transcript.finish(finish);
          // The bucket can be reached: a run that was short must not leave the earlier ones waiting for ever.
          if (progress.left === 0) await settledOr(recovered, finish.signal);
          return progress;
        } finally {
          recovery.abort();
        }
      },
    };
  } catch (error) {
    recovery.abort();
    for (const end of closers) await end();
    await transcript.finish({ signal: AbortSignal.timeout(1000) }).catch(() => {});
    throw error;
  }
}

function settledOr(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
  if (!signal) return work;
  if (signal.aborted) return Promise.resolve();
  return Promise.race([work, new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))]);
}

async function bucketReady(
  transcript: Transcript,
  offline: 'deny' | 'allow',
  onTrouble: (error: DbguardError) => void,
): Promise<void> {
  try {
    await transcript.ready(bucketPatienceMs, bucketAttempts);
  } catch (error) {
    if (offline === 'deny' || !(error instanceof DbguardError)) throw error;
    // waiting helps against a bucket that is away, never against one that cannot keep a transcript
    if (error.code === 'bucket-unsuitable') throw error;
    onTrouble(error);
  }
}

/** An agent that starts a run of its own would be the one who answers its prompts. */
function refuseInside(env: NodeJS.ProcessEnv): void {
  const run = enclosingRun(env);
  if (run === undefined) return;
  throw new DbguardError('usage', `this is inside of a dbguard run already (${run})`, {
    hint: 'Start the command by itself: its connection is guarded. Another run needs another terminal.',
  });
}

function loginError(valid: true | DbguardError): ErrorText | undefined {
  if (valid === true) return undefined;
  const hint = valid.hint ? { hint: valid.hint } : {};
  return { severity: 'FATAL', code: '28000', message: `dbguard: ${valid.message}`, ...hint };
}

function addressOf(proxy: RunningProxy, upstream: UpstreamConfig, password: string): ProxyAddress {
  const { host, port, socketDir } = proxy;
  return { host, port, socketDir, user: upstream.user, password, database: upstream.database };
}

function secretsOf({ idToken, refreshToken = '', accessToken }: Login): readonly string[] {
  return [idToken, refreshToken, accessToken?.value ?? ''];
}

async function realCredentials(upstream: UpstreamConfig, otherSecrets: readonly string[]): Promise<RealCredentials> {
  const passwords = await knownPasswords(upstream);
  return {
    upstreamPasswords: passwords.map((password) => password.reveal()),
    upstreamHosts: upstream.hosts.map((host) => host.host),
    otherSecrets: otherSecrets.filter((secret) => secret !== ''),
    variables: workloadVariables,
  };
}

function noIdentity(): DbguardError {
  return new DbguardError('config-missing', 'no identity provider is configured', {
    hint: 'Set identity.issuer and identity.client_id in dbguard.yaml, or write the file anew with dbguard init.',
  });
}

function noBucket(): DbguardError {
  return new DbguardError('config-missing', 'no bucket for transcripts is configured', {
    hint: 'Set bucket in dbguard.yaml: file:./folder or s3://bucket/prefix.',
  });
}
