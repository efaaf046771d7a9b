/** Fresh servers of one version: the first is talked to directly, the second through `dbguard proxy`. */

import { openAdminConnection } from '../helpers/admin-connection.js';
import type { PlayedServer } from '../helpers/play.js';
import { type PostgresVersion, startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { type ProxyProcess, startProxyProcess } from '../helpers/proxy-process.js';

export interface ServerPair {
  readonly direct: PlayedServer;
  readonly guarded: PlayedServer;
  /** A third server, talked to directly as well: what two servers say differently is not dbguard's doing. */
  readonly control: PlayedServer | undefined;
  close(): Promise<void>;
}

/** The policy allows everything that dbguard can allow: what is compared is the protocol. */
export async function openServerPair(
  version: PostgresVersion,
  options: { trickle?: boolean; control?: boolean } = {},
): Promise<ServerPair> {
  const { trickle = false } = options;
  const count = options.control ? 3 : 2;
  // what autovacuum has seen by then decides which plan EXPLAIN shows
  const settings = { autovacuum: 'off' };
  const servers = await Promise.all(Array.from({ length: count }, () => startPostgres({ version, settings })));
  const [direct, upstream, control] = servers;
  const admins = await Promise.all(servers.map((server) => openAdminConnection(server.url())));
  const [directAdmin, guardedAdmin, controlAdmin] = admins;
  if (!direct || !upstream || !directAdmin || !guardedAdmin) throw new Error('unreachable');
  let proxy: ProxyProcess;
  const closeServers = async () => {
    await Promise.all(admins.map((one) => one.end()));
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    proxy = await startProxyProcess(upstream, { policy: { profile: 'observe' } });
  } catch (error) {
    await closeServers();
    throw error;
  }
  return {
    direct: { target: targetOf(direct), admin: directAdmin.query },
    guarded: { target: { ...proxy, database: 'postgres' }, admin: guardedAdmin.query, trickle },
    control: control && controlAdmin && { target: targetOf(control), admin: controlAdmin.query },
    close: async () => {
      await proxy.stop().finally(closeServers);
    },
  };
}

function targetOf(server: TestPostgres) {
  const { host, port, password, superuser } = server;
  return { host, port, user: superuser, password, database: 'postgres' };
}
