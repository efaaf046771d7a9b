/**
 * The composition root of `dbguard serve`: the same gate and the same transcript as of a run, for many people at once. A
 * client comes in by a token, is given what the files open to them, and is one of the clients of a session that is theirs.
 */
import { DbguardError } from '../../errors.js';
import { type LoginKeeper, startLoginKeeper } from '../../identity/login-keeper.js';
import { loadLogin } from '../../identity/login-source.js';
import { subjectInFull } from '../../identity/subject-name.js';
import { openBucket } from '../../io/bucket/open.js';
import { stateDirs } from '../../io/files/state-dirs.js';
import { openCertificate } from '../../io/gateway/certificate.js';
import type { ShownToken } from '../../io/gateway/entrance.js';
import { openGatewayListener } from '../../io/gateway/gateway-listener.js';
import { IssuerKeyCache } from '../../io/gateway/issuer-key-cache.js';
import { openOperations } from '../../io/gateway/operations-server.js';
import type { ProxyConnection } from '../../io/listener/client-connection.js';
import { openLoginSource } from '../../io/login/oidc-login-source.js';
import { UpstreamPool } from '../../io/pool/upstream-pool.js';
import { listSpool, recoverSpool } from '../../io/spool/recovery.js';
import { waitingSegments } from '../../io/spool/waiting.js';
import { CancelMap } from '../../proxy/client/cancel-map.js';
import type { Bucket } from '../../transcript/entry.js';
import type { ErrorText } from '../../wire/backend.js';
import type { CommandContext } from '../command.js';
import { Closers } from '../guard/closers.js';
import type { CloseOptions } from '../guard/contract.js';
import { refuseInside } from '../guard/setup.js';
import { admitGuest } from './admission.js';
import { GuestSessions } from './guest-sessions.js';
import { gatewayLog } from './log.js';
import { gatewayMetrics } from './metrics.js';
import { issuerAway } from './refusals.js';
import { type GatewaySettings, type WatchedSettings, watchSettings } from './settings.js';
import { TimeLimits } from './time-limits.js';
import { guestWith } from './token-door.js';

export interface Gateway {
  /** As the client finds it. */
  readonly ports: { readonly listen: number; readonly oauth: number | undefined; readonly http: number | undefined };
  /** Who signs. */
  readonly subject: string;
  /** How many segments are left for the next start. */
  close(how: CloseOptions): Promise<number>;
}

/** What another start left behind goes up now, and again later where the bucket was away. */
const recoverMs = 60_000;

export async function openGateway(context: CommandContext, config: string | undefined): Promise<Gateway> {
  const { env } = context;
  refuseInside(env);
  const closers = new Closers<CloseOptions>();
  const log = gatewayLog(context.stderr, (error) => metrics.trouble(error.code));
  const onTrouble = log.trouble;
  const pool = new UpstreamPool(() => settings.now.serve.pool);
  const metrics = gatewayMetrics(() => ({
    counts: sessions.counts,
    pool: pool.counts,
    waiting: listener?.waiting ?? 0,
    spooled: spooled(context),
  }));
  let listener: Awaited<ReturnType<typeof openGatewayListener>> | undefined;
  let ending = false;
  const changed = (): void => {
    if (!settings.beyond) log.say('settings-changed', { policy: settings.now.files.digest });
    sessions.look();
  };
  const settings: WatchedSettings = watchSettings(context, config, { onChange: changed, onTrouble });
  closers.defer(() => settings.stop());
  let sessions: GuestSessions;
  try {
    const { identity, serve, gateway, files } = settings.now;
    if (!files.config.bucket) throw noBucket();
    const keeper = await openKeeper(context, settings.now, closers);
    const bucket = await openBucket(files.config.bucket, { env, idToken: async () => keeper.login.idToken });
    recoverNowAndThen(context, bucket, closers, onTrouble);
    const keys = new IssuerKeyCache(identity, () => settings.now.serve.limits.keysMs, onTrouble);
    // an issuer that is away when the first one comes must not keep them out
    for (const issuer of issuersOf(settings.now)) void keys.keysOf(issuer);
    const certificate = serve.tls && openCertificate(serve.tls, onTrouble);
    closers.defer(() => certificate?.stop());
    const cancels = new CancelMap<ProxyConnection>();
    const limits = new TimeLimits(() => settings.now.serve.limits);
    closers.defer(() => limits.stop());
    const loginLost = (now: number): DbguardError | undefined => {
      const valid = keeper.valid(now);
      if (valid === true || now < keeper.login.expiresAt + settings.now.serve.limits.keysMs) return undefined;
      return new DbguardError('login-expired', `the gateway’s own login has ended: ${valid.message}`);
    };
    sessions = new GuestSessions({ context, settings, keeper, loginLost, bucket, cancels, pool, limits, log });
    closers.defer((how) => sessions.close(how));
    const judge = async ({ token, startup, socket }: ShownToken): Promise<ErrorText | undefined> => {
      const address = socket.remoteAddress ?? '';
      try {
        const guest = await guestWith(token, settings.now, keys);
        if (guest === undefined) {
          metrics.arrived('refused');
          log.say('refused', { address, why: issuerAway.message });
          return issuerAway;
        }
        const admitted = admitGuest(guest, startup, settings.now, env);
        const refusal = 'refused' in admitted ? admitted.refused : sessions.admit(guest, admitted, socket);
        if (refusal) log.say('refused', { address, subject: guest.name, why: refusal.message });
        metrics.arrived(refusal ? 'refused' : 'admitted');
        return refusal;
      } catch (error) {
        if (!(error instanceof DbguardError)) onTrouble(new DbguardError('internal', String(error)));
        metrics.arrived('refused');
        log.say('refused', { address, why: error instanceof DbguardError ? error.message : 'a bug in dbguard' });
        return badToken(settings.now);
      }
    };
    const discovery = discoveryFor(settings.now);
    const clearText = serve.tls === undefined;
    const { listen, listenOauth } = serve;
    listener = await openGatewayListener({
      ports: [
        { ...listen, handshake: { method: 'password', clearText, discovery } },
        ...(listenOauth ? [{ ...listenOauth, handshake: { method: 'oauth', clearText, discovery } as const }] : []),
      ],
      certificate,
      timeoutMs: () => settings.now.serve.limits.authenticationMs,
      most: () => settings.now.serve.limits.authenticating,
      judge,
      cancel: async (pid, key) => cancels.find(pid, key)?.cancel(),
      onTurnedAway: (reason, address, heard) => {
        if (heard) return;
        metrics.arrived('turned-away');
        log.say('turned-away', { address, why: reason });
      },
    });
    const opened = listener;
    closers.defer(() => {
      ending = true;
      return opened.close();
    });
    const unready = (): string[] => {
      const lost = loginLost(Date.now());
      const expired = certificate !== undefined && certificate.expiresAt < Date.now();
      return [
        ...(ending ? ['it is shutting down'] : []),
        ...(lost ? [lost.message] : []),
        ...(expired ? ['its certificate has expired'] : []),
        ...(settings.beyond ? [settings.beyond.message] : []),
      ];
    };
    const http = serve.http && (await openOperations(serve.http, { unready, metrics: () => metrics.read() }));
    closers.defer(() => http?.close());
    const subject = subjectInFull(keeper.login.subject);
    const [port = 0, oauth] = listener.ports;
    log.say('listening', {
      address: listen.host,
      port,
      oauth,
      http: http?.port,
      as: subject,
      audience: gateway.audience,
    });
    return {
      ports: { listen: port, oauth, http: http?.port },
      subject,
      async close(how) {
        // who asks for /readyz is told first
        ending = true;
        log.say('shutting-down');
        await closers.close(how);
        return spooled(context);
      },
    };
  } catch (error) {
    await closers.close({ signal: AbortSignal.timeout(1000) }).catch(() => {});
    throw error;
  }
}

async function openKeeper(
  { env }: CommandContext,
  { identity }: GatewaySettings,
  closers: Closers<CloseOptions>,
): Promise<LoginKeeper> {
  const source = openLoginSource(env, identity);
  const login = await loadLogin(source, identity);
  const keeper = startLoginKeeper({ source, login, ...identity });
  closers.defer(() => keeper.stop());
  return keeper;
}

function recoverNowAndThen(
  { env }: CommandContext,
  bucket: Bucket,
  closers: Closers<CloseOptions>,
  onTrouble: (error: DbguardError) => void,
): void {
  const { state } = stateDirs(env);
  const end = new AbortController();
  let running: Promise<unknown> | undefined;
  const recover = (): void => {
    running ??= recoverSpool({ state, bucket, signal: end.signal, onTrouble })
      .catch(() => undefined)
      .finally(() => {
        running = undefined;
      });
  };
  recover();
  const timer = setInterval(recover, recoverMs).unref();
  closers.defer(async () => {
    clearInterval(timer);
    end.abort();
    await running;
  });
}

function spooled({ env }: CommandContext): number {
  const folders = listSpool(stateDirs(env).state);
  return folders.reduce((all, { folder }) => all + waitingSegments(folder).length, 0);
}

/** One for whatever is wrong: whoever has a good token needs no more, and nobody learns from it what a bad one lacks. */
function badToken(settings: GatewaySettings): ErrorText {
  return {
    ...{ severity: 'FATAL', code: '28P01', message: 'dbguard: this token lets nobody in here' },
    hint: `The password is a fresh token of ${issuersOf(settings).join(' or ')} for the audience ${settings.gateway.audience}: dbguard token prints one.`,
  };
}

function issuersOf({ identity }: GatewaySettings): string[] {
  return [...new Set([identity.issuer, ...(identity.workloadIssuers ?? [])])];
}

/** RFC 7628 section 3.2.2; libpq reads openid-configuration and scope. */
function discoveryFor({ identity, files }: GatewaySettings): string {
  const scope = (files.config.identity?.scopes ?? ['openid']).join(' ');
  return JSON.stringify({
    status: 'invalid_token',
    'openid-configuration': `${identity.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    scope,
  });
}

function noBucket(): DbguardError {
  return new DbguardError('config-missing', 'no bucket for transcripts is configured', {
    hint: 'Set bucket in dbguard.yaml: file:./folder or s3://bucket/prefix.',
  });
}
