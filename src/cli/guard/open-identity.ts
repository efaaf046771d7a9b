/** Who is at work, the key of this session, and what the person's credentials may be used for. */
import type { Login, SessionCredential } from '../../identity/identity.js';
import { type LoginKeeper, startLoginKeeper } from '../../identity/login-keeper.js';
import { loadLogin } from '../../identity/login-source.js';
import { createSession, MAX_SESSION_MS } from '../../identity/session.js';
import { groupsOf } from '../../identity/subject.js';
import { isLocal, subjectInFull } from '../../identity/subject-name.js';
import { localLogins } from '../../io/login/local-logins.js';
import { openLoginSource } from '../../io/login/oidc-login-source.js';
import type { UpstreamConfig } from '../../io/upstream/config.js';
import { Secret } from '../../io/upstream/secret.js';
import { openTemporaryLogin, type TemporaryLogin } from '../../io/upstream/temporary-login.js';
import { type SessionUsers, sessionUsers, temporaryUser } from '../settings/loopback-users.js';
import { ensureTrusted, refuseUntrusted } from '../settings/trusted.js';
import { bucketUse, choiceUse, databaseUse, tokenUse } from '../settings/uses.js';
import type { Closers } from './closers.js';
import type { CloseOptions } from './contract.js';
import type { Setup } from './setup.js';

export interface OpenIdentity {
  readonly login: Login;
  readonly keeper: LoginKeeper;
  readonly credential: SessionCredential;
  /** The person, as shown. */
  readonly subject: string;
  /** See Audience. */
  readonly groups: readonly string[] | undefined;
  /** The database, with the person's token for it where the server asks for one. */
  readonly upstream: UpstreamConfig;
  /** Whom a client may be. */
  readonly users: SessionUsers;
  /** Where the login is this session's own. */
  readonly temporary?: TemporaryLogin;
}

export async function openIdentity(setup: Setup, closers: Closers<CloseOptions>): Promise<OpenIdentity> {
  const { context, options, sources, files, name, connection } = setup;
  const source = setup.identity ? openLoginSource(context.env, setup.identity) : localLogins(context.env);
  const login = await loadLogin(source, setup.identity);
  const keeper = startLoginKeeper({ source, login, ...setup.identity });
  closers.defer(() => keeper.stop());
  const credential = createSession(login, { now: Date.now(), lifetimeMs: MAX_SESSION_MS });

  const database = await databaseUse(name, connection, setup.upstream);
  await ensureTrusted(context, sources, [
    ...choiceUse(files.config, { name, connection, wanted: options.connection }),
    database,
    bucketUse(setup.bucket, 'write'),
  ]);
  const upstream: UpstreamConfig = {
    ...setup.upstream,
    oauthToken: async (request) => {
      refuseUntrusted(context, sources, [tokenUse(database)]);
      return new Secret(await keeper.accessToken(request));
    },
  };
  const groups = isLocal(login.subject) ? undefined : groupsOf(login.idToken);
  const person = { login, keeper, credential, groups, subject: subjectInFull(login.subject) };
  return { ...person, ...(await openUsers(setup, upstream, credential.sid, closers)) };
}

/** Whom a client may be on the server; a login of the session's own where the connection has that. */
export async function openUsers(
  { connection, options }: Pick<Setup, 'connection' | 'options'>,
  upstream: UpstreamConfig,
  sid: string,
  closers: Closers<CloseOptions>,
): Promise<Pick<OpenIdentity, 'upstream' | 'users' | 'temporary'>> {
  const { temporaryLogin } = connection;
  if (temporaryLogin === undefined) return { upstream, users: sessionUsers(connection, upstream) };
  const temporary = await openTemporaryLogin(upstream, { ...temporaryLogin, sid, onTrouble: options.onTrouble });
  closers.defer(() => temporary.close().catch(options.onTrouble));
  const users = temporaryUser(temporaryLogin.role, temporary.upstream);
  return { upstream: temporary.upstream, users, temporary };
}
