/** The dialogues through a proxy in this process that allows everything; `npm run conformance` does more, from outside. */
import pg from 'pg';
import { type Test, test } from 'tap';
import { type PostgresVersion, postgresAvailable, startPostgres } from '../helpers/postgres.js';
import { startHarness } from '../proxy/harness.js';
import { everything } from '../proxy/policies.js';
import { allDialogues } from './dialogues/all.js';
import { play, type Stage } from './play.js';
import { compare } from './verdict.js';

async function openStage(t: Test, version: PostgresVersion, through: 'dbguard' | 'nothing'): Promise<Stage> {
  const server = await startPostgres({ version });
  const backstage = new pg.Client({ connectionString: server.url() });
  await backstage.connect();
  t.teardown(async () => {
    await backstage.end();
    await server.stop();
  });
  const { host, port, password, superuser: user } = server;
  const target = { host, port, user, password, database: 'postgres' };
  const query = async (sql: string) => {
    const results: unknown = await backstage.query({ text: sql, rowMode: 'array' });
    const last: unknown = Array.isArray(results) ? results.at(-1) : results;
    return (last as pg.QueryArrayResult<unknown[]>).rows.map((row) => row[0]);
  };
  if (through === 'nothing') return { target, backstage: query };
  const proxy = await startHarness({ upstreamUrl: server.url(), policy: everything });
  t.teardown(() => proxy.close());
  const url = new URL(proxy.url());
  return { target: { ...target, port: proxy.proxy.port, password: url.password }, backstage: query };
}

for (const version of [15, 18] as const)
  test(`PostgreSQL ${version}`, { skip: !postgresAvailable(version) && 'it is not installed' }, async (t) => {
    const [direct, guarded] = await Promise.all([openStage(t, version, 'nothing'), openStage(t, version, 'dbguard')]);
    for (const [group, dialogues] of Object.entries(allDialogues)) {
      await t.test(group, async (t) => {
        for (const dialogue of dialogues.filter(({ since = 0 }) => since <= version)) {
          const [expected, heard] = await Promise.all([play(dialogue, direct), play(dialogue, guarded)]);
          t.strictSame(compare(dialogue, expected, heard), [], dialogue.name);
        }
      });
    }
  });
