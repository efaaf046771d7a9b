/**
 * The dialogues with every change of rows run so that it can be undone: the client hears what it would hear
 * of the server alone.
 */
import { type Test, test } from 'tap';
import type { Policy } from '../../src/policy/decision.js';
import { massEffects } from '../../src/proxy/row-counts/mass-effects.js';
import { openAdminConnection } from '../helpers/admin-connection.js';
import { type PlayedServer, play } from '../helpers/play.js';
import { type PostgresVersion, postgresAvailable, startPostgres } from '../helpers/postgres.js';
import { startProxyInProcess } from '../helpers/proxy-in-process.js';
import { policyOf } from '../proxy/policies.js';
import { compare } from './compare.js';
import { allDialogues } from './dialogues/all.js';

/** Whatever a person or the planner took for few rows. */
const allow = policyOf(() => 'allow');
const few: Policy = {
  ...allow,
  decide: (input) => ({ ...allow.decide(input), ...(massEffects(input.facts).length > 0 ? { few: true } : {}) }),
};
/** There it cannot be undone for itself: it is asked about, see gate.ts. */
const unwatched = new Set(['a Query in the middle of a pipeline']);

async function openStage(t: Test, version: PostgresVersion, through: 'dbguard' | 'nothing'): Promise<PlayedServer> {
  const server = await startPostgres({ version });
  const { query: admin, end } = await openAdminConnection(server.url());
  const proxy =
    through === 'dbguard' ? await startProxyInProcess({ upstreamUrl: server.url(), policy: few }) : undefined;
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
      if (group === 'sizes' && version === 15) continue;
      await t.test(group, async (t) => {
        for (const dialogue of dialogues.filter(({ since = 0, name }) => since <= version && !unwatched.has(name))) {
          const [expected, heard] = await Promise.all([play(dialogue, direct), play(dialogue, guarded)]);
          t.strictSame(compare(dialogue, expected, heard), [], dialogue.name);
        }
      });
    }
  });
