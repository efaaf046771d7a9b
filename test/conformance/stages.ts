/** Servers of one kind to play dialogues on: by itself, and behind a proxy in this process. */
import type { Test } from 'tap';
import type { Policy } from '../../src/policy/decision.js';
import { openAdminConnection } from '../helpers/admin-connection.js';
import type { PlayedServer } from '../helpers/play.js';
import { type PostgresVersion, startPostgres } from '../helpers/postgres.js';
import { startProxyInProcess } from '../helpers/proxy-in-process.js';

/** Each has a server of its own: what one dialogue leaves behind is nothing to the other. */
export function openStages(t: Test, version: PostgresVersion, policy: Policy): Promise<[PlayedServer, PlayedServer]> {
  return Promise.all([openStage(t, version, undefined), openStage(t, version, policy)]);
}

/** @param policy of the proxy in between; undefined: none is */
async function openStage(t: Test, version: PostgresVersion, policy: Policy | undefined): Promise<PlayedServer> {
  const server = await startPostgres({ version });
  const { query: admin, end } = await openAdminConnection(server.url());
  const proxy = policy && (await startProxyInProcess({ upstreamUrl: server.url(), policy }));
  t.teardown(async () => {
    await proxy?.close();
    await end();
    await server.stop();
  });
  const { host, port, password, superuser: user } = server;
  return { target: proxy?.target ?? { host, port, user, password, database: 'postgres' }, admin };
}
