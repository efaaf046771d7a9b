/** The dialogues through a proxy in this process that allows everything; `npm run conformance` does more, from outside. */
import { type Test, test } from 'tap';
import { openAdminConnection } from '../helpers/admin-connection.js';
import { type PlayedServer, play } from '../helpers/play.js';
import { type PostgresVersion, postgresAvailable, startPostgres } from '../helpers/postgres.js';
import { startProxyInProcess } from '../helpers/proxy-in-process.js';
import { everything } from '../proxy/policies.js';
import { compare } from './compare.js';
import { allDialogues } from './dialogues/all.js';

async function openStage(t: Test, version: PostgresVersion, through: 'dbguard' | 'nothing'): Promise<PlayedServer> {
  const server = await startPostgres({ version });
  const { query: admin, end } = await openAdminConnection(server.url());
  const proxy =
    through === 'dbguard' ? await startProxyInProcess({ upstreamUrl: server.url(), policy: everything }) : undefined;
  t.teardown(async () => {
    await proxy?.close();
    await end();
    await server.stop();
  });
  const { host, port, password, superuser: user } = server;
  return { target: proxy?.target ?? { host, port, user, password, database: 'postgres' }, admin };
}

for (const version of [15, 18] as const)
  test(`PostgreSQL ${version}`, { skip: !postgresAvailable(version) && 'it is not installed' }, async (t) => {
    const [direct, guarded] = await Promise.all([openStage(t, version, 'nothing'), openStage(t, version, 'dbguard')]);
    for (const [group, dialogues] of Object.entries(allDialogues)) {
      // a matter of dbguard's buffers, not of the server's version
      if (group === 'sizes' && version === 15) continue;
      await t.test(group, async (t) => {
        for (const dialogue of dialogues.filter(({ since = 0 }) => since <= version)) {
          const [expected, heard] = await Promise.all([play(dialogue, direct), play(dialogue, guarded)]);
          t.strictSame(compare(dialogue, expected, heard), [], dialogue.name);
        }
      });
    }
  });
