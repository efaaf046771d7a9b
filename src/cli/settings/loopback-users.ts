/** The users of a connection's loopback port, each with the login that it is on the server. */
import { randomBytes } from 'node:crypto';
import type { UpstreamConfig } from '../../io/upstream/config.js';
import { ConnectionMemory } from '../../io/upstream/memory.js';
import type { ConnectionConfig } from '../../policy/read-connection.js';
import type { LoopbackUserConfig } from '../../policy/read-loopback-users.js';
import type { LoopbackUser } from '../../proxy/candidate.js';

export interface SessionUser {
  readonly as: LoopbackUser;
  readonly upstream: UpstreamConfig;
}

/** A user besides the connection's own. */
export interface FurtherUser extends SessionUser {
  /** Opens this user alone. */
  readonly password: string;
  /** The variable with its URL. */
  readonly variable: string;
}

export interface SessionUsers {
  /** The one whose name PGUSER has. */
  readonly own: SessionUser;
  readonly further: readonly FurtherUser[];
}

export function sessionUsers({ users }: ConnectionConfig, upstream: UpstreamConfig): SessionUsers {
  const further = [...users].filter(([name]) => name !== upstream.user);
  return {
    own: sessionUser(upstream.user, users.get(upstream.user) ?? {}, upstream),
    further: further.map(([name, config]) => ({
      ...sessionUser(name, config, upstream),
      password: randomBytes(24).toString('base64url'),
      variable: config.variable,
    })),
  };
}

/** A login of this session alone, which clients know by the name of its role. */
export function temporaryUser(role: string, upstream: UpstreamConfig): SessionUsers {
  return { own: { as: { user: role, login: upstream.user, role }, upstream }, further: [] };
}

function sessionUser(user: string, config: Partial<LoopbackUserConfig>, upstream: UpstreamConfig): SessionUser {
  const { login = upstream.user, role, passwordCommand } = config;
  return {
    as: { user, login, ...(role === undefined ? {} : { role }) },
    upstream: login === upstream.user && !passwordCommand ? upstream : asLogin(upstream, login, passwordCommand),
  };
}

/** The connection's password is its own login's: another one has .pgpass, or a command that prints it. */
function asLogin(
  upstream: UpstreamConfig,
  login: string,
  passwordCommand: readonly string[] | undefined,
): UpstreamConfig {
  const nothingOfOthers = { password: undefined, scramClientKey: undefined, scramServerKey: undefined };
  return {
    ...upstream,
    user: login,
    auth: { ...upstream.auth, ...nothingOfOthers, passwordCommand, ...(passwordCommand && { minted: undefined }) },
    memory: new ConnectionMemory(),
  };
}
