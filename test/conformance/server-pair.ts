/** Fresh servers of one version: the first is talked to directly, the second through `dbguard proxy`. */

import { openBackstage } from '../helpers/admin-connection.js';
import { type Guarded, startGuarded } from '../helpers/guarded.js';
import type { Stage } from '../helpers/play.js';
import { type PostgresVersion, startPostgres, type TestPostgres } from '../helpers/postgres.js';

export interface Stages {
  readonly direct: Stage;
  readonly guarded: Stage;
  /** A third server, talked to directly as well: what two servers say differently is not dbguard's doing. */
  readonly control: Stage | undefined;
  close(): Promise<void>;
}

/** The policy allows everything that dbguard can allow: what is compared is the protocol. */
export async function openStages(
  version: PostgresVersion,
  options: { trickle?: boolean; control?: boolean } = {},
): Promise<Stages> {
  const { trickle = false } = options;
  const count = options.control ? 3 : 2;
  // what autovacuum has seen by then decides which plan EXPLAIN shows
  const settings = { autovacuum: 'off' };
  const servers = await Promise.all(Array.from({ length: count }, () => startPostgres({ version, settings })));
  const [direct, upstream, control] = servers;
  const backstages = await Promise.all(servers.map((server) => openBackstage(server.url())));
  const [directBackstage, guardedBackstage, controlBackstage] = backstages;
  if (!direct || !upstream || !directBackstage || !guardedBackstage) throw new Error('unreachable');
  let proxy: Guarded;
  const closeServers = async () => {
    await Promise.all(backstages.map((one) => one.end()));
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    proxy = await startGuarded(upstream, { policy: { profile: 'observe' } });
  } catch (error) {
    await closeServers();
    throw error;
  }
  return {
    direct: { target: targetOf(direct), backstage: directBackstage.query },
    guarded: { target: { ...proxy, database: 'postgres' }, backstage: guardedBackstage.query, trickle },
    control: control && controlBackstage && { target: targetOf(control), backstage: controlBackstage.query },
    close: async () => {
      await proxy.stop().finally(closeServers);
    },
  };
}

function targetOf(server: TestPostgres) {
  const { host, port, password, superuser } = server;
  return { host, port, user: superuser, password, database: 'postgres' };
}
