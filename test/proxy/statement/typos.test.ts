/**
 * A text that dbguard's grammars reject is tried out on the server before anybody is asked. A client does not notice: not
 * by the answers, and not by what becomes of its transaction.
 */
import { test } from 'tap';
import { compare } from '../../conformance/compare.js';
import { typos } from '../../conformance/dialogues/typos.js';
import { openAdminConnection } from '../../helpers/admin-connection.js';
import { play } from '../../helpers/play.js';
import { postgresAvailable, startPostgres } from '../../helpers/postgres.js';
import { startProxyInProcess } from '../../helpers/proxy-in-process.js';
import { policyOf } from '../policies.js';

for (const version of [15, 18] as const)
  test(`PostgreSQL ${version}`, { skip: !postgresAvailable(version) && 'it is not installed' }, async (t) => {
    const server = await startPostgres({ version });
    const { query: admin, end } = await openAdminConnection(server.url());
    const policy = policyOf((facts) => (facts.unparseable ? 'ask' : 'allow'));
    const harness = await startProxyInProcess({ upstreamUrl: server.url(), policy });
    t.teardown(async () => {
      await harness.close();
      await end();
      await server.stop();
    });
    harness.answer = async () => ({ decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' });
    const { host, port, password, superuser: user } = server;
    for (const dialogue of typos) {
      const direct = await play(dialogue, { target: { host, port, user, password, database: 'postgres' }, admin });
      const guarded = await play(dialogue, { target: harness.target, admin });
      const heard = guarded.filter((line) => !line.includes('dbguard: waiting for a person'));
      t.strictSame(compare(dialogue, direct, heard), [], dialogue.name);
    }
    const asked = harness.requests.map(({ sql }) => sql);
    t.notOk(asked.includes('SELEC 1'), 'a typo is the business of nobody else');
    t.equal(asked.includes('SELECT 1 FROM t system_user'), version === 15, 'what the server takes is asked about');
  });
