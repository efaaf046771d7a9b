/** What a guest asks for in the startup packet, as far as it is open to them: a connection of dbguard.yaml, and a user of it. */
import type { UpstreamConfig } from '../../io/upstream/config.js';
import type { ConnectionConfig } from '../../policy/read-connection.js';
import { type GuestRight, rightsOf } from '../../policy/serve-rights.js';
import type { ErrorText } from '../../wire/backend.js';
import type { StartupPacket } from '../../wire/startup.js';
import { upstreamOf } from '../settings/connection.js';
import type { GatewaySettings } from './settings.js';
import type { Guest } from './token-door.js';

export interface Admitted {
  readonly right: GuestRight;
  /** The client's packet, with the names that the connection has. */
  readonly startup: StartupPacket;
}

/** What is said of connections is said to whoever has shown who they are, and only of those that are theirs. */
export function admitGuest(
  { name, rights, token }: Guest,
  startup: StartupPacket,
  { files, serve }: GatewaySettings,
  env: NodeJS.ProcessEnv,
): Admitted | { readonly refused: ErrorText } {
  const open = rightsOf(rights, serve).flatMap((right) => {
    const connection = files.config.connections.get(right.connection);
    return connection ? [{ right, connection, upstream: upstreamOf(connection, right.connection, env) }] : [];
  });
  if (open.length === 0)
    return refused('28000', `no connection is open to ${name}`, 'Whoever keeps serve in dbguard.yaml can open one.');
  const names = open.map(({ right }) => right.connection);
  const wanted = startup.parameters.get('database') ?? '';
  const named = open.filter(({ right }) => right.connection === wanted);
  const fitting = named.length > 0 ? named : open.filter((one) => hasDatabase(one, wanted));
  const [chosen] = fitting;
  if (chosen === undefined || fitting.length > 1) {
    const what = chosen === undefined ? 'no' : 'more than one';
    return refused(
      '3D000',
      `${what} connection of yours has a database "${wanted}"`,
      `Connect to the database ${listed(names)}.`,
    );
  }
  const { right, connection, upstream } = chosen;
  const own = connection.temporaryLogin?.role ?? upstream.user;
  const users = right.grant.users.length > 0 ? right.grant.users : [own];
  const given = startup.parameters.get('user') ?? '';
  const isThemselves = [name, token.subject.sub, token.subject.email].includes(given);
  const user = isThemselves ? users[0] : users.find((one) => one === given);
  if (user === undefined) {
    return refused('28000', `you cannot be the user "${given}" here`, `Connect as ${listed([name, ...users])}.`);
  }
  const database = named.length > 0 ? upstream.database : wanted;
  const parameters = new Map([...startup.parameters, ['user', user], ['database', database]]);
  return { right, startup: { ...startup, parameters } };
}

function hasDatabase(
  { connection, upstream }: { readonly connection: ConnectionConfig; readonly upstream: UpstreamConfig },
  wanted: string,
): boolean {
  const { databases } = connection;
  return wanted !== '' && (upstream.database === wanted || databases === 'any' || databases.includes(wanted));
}

function refused(code: string, message: string, hint: string): { readonly refused: ErrorText } {
  return { refused: { severity: 'FATAL', code, message: `dbguard: ${message}`, hint } };
}

function listed(names: readonly string[]): string {
  const shown = [...new Set(names)].slice(0, 10);
  return shown.join(' or ');
}
