/** Rules that a review has to settle before, or instead of, asking a person. */
import pg from 'pg';
import t from 'tap';
import { measureImpact } from '../../../src/io/catalog/impact.js';
import { parseConfig } from '../../../src/policy/config.js';
import { compilePolicy } from '../../../src/policy/engine.js';
import type { Assessor } from '../../../src/proxy/statement/assessor.js';
import { startPostgres } from '../../helpers/postgres.js';
import { startProxyInProcess } from '../../helpers/proxy-in-process.js';

const server = await startPostgres();
t.teardown(() => server.stop());
await server.query('CREATE TABLE big AS SELECT n AS id FROM generate_series(1, 5000) n; ANALYZE big');

const estimate: Assessor['impact'] = (candidate, held, session) =>
  measureImpact(candidate, held, session, undefined as never);

const policy = compilePolicy([
  {
    level: 'user',
    config: parseConfig(
      `version: 1
policy:
  profile: observe
  rules:
    - { name: many, when: { effect: delete, rows: "> 1000" }, then: deny, reason: Ask the DBA. }
    - { name: some, when: { effect: delete, rows: "> 100" }, then: ask }
    - { name: two, when: { effect: truncate }, then: second-person }`,
      'user.yaml',
    ),
  },
]);

t.test('the estimate decides which rule about rows holds', async (t) => {
  const harness = await startProxyInProcess({ upstreamUrl: server.url(), policy, impact: estimate });
  harness.answer = async () => ({ decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' });
  const client = new pg.Client(harness.url());
  await client.connect();
  t.teardown(async () => {
    await client.end();
    await harness.close();
  });

  await client.query('DELETE FROM big WHERE id < 50');
  t.equal(harness.requests.length, 0, 'few rows: nobody is asked');
  await client.query('DELETE FROM big WHERE id < 500');
  t.equal(harness.requests.length, 1, 'some rows: asked');
  t.equal(harness.requests[0]?.ruling.rule, 'some', 'about the rule that holds');
  await t.rejects(client.query('DELETE FROM big WHERE id < 4000'), { code: '42501', message: /Ask the DBA/ });
  t.equal(harness.requests.length, 1, 'many rows: a rule that denies is no question, whatever a person would say');
  t.match(harness.recorder.of('verdict').at(-1), { decision: 'deny', by: 'rule', rule: 'many' });
  t.strictSame((await client.query('SELECT count(*)::int FROM big')).rows, [{ count: 4501 }]);
});

t.test('nobody stands in for a second person', async (t) => {
  const harness = await startProxyInProcess({ upstreamUrl: server.url(), policy, impact: estimate });
  harness.answer = async () => ({ decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' });
  const client = new pg.Client(harness.url());
  await client.connect();
  t.teardown(async () => {
    await client.end();
    await harness.close();
  });

  await t.rejects(client.query('TRUNCATE big'), { code: '42501', message: /needs a second person/ });
  t.equal(harness.requests.length, 0);
  t.match(harness.recorder.of('verdict'), [{ decision: 'deny', by: 'rule', rule: 'two' }]);
  t.ok((await client.query('SELECT count(*)::int FROM big')).rows[0].count > 0);
});

t.test('in a failed transaction nobody is asked, unless the text may end it', async (t) => {
  const harness = await startProxyInProcess({ upstreamUrl: server.url(), policy, impact: estimate });
  harness.answer = async () => ({ decision: 'deny', by: { kind: 'person' } });
  const client = new pg.Client(harness.url());
  await client.connect();
  t.teardown(async () => {
    await client.end();
    await harness.close();
  });
  await client.query('BEGIN');
  await t.rejects(client.query('SELECT 1 / 0'), { code: '22012' });
  const aborted = { code: '25P02', message: /^current transaction is aborted, commands ignored/ };
  await t.rejects(client.query('DELETE FROM big WHERE id < 4000'), aborted);
  await t.rejects(client.query('DELETE FROM big WHERE id < $1', [4000]), aborted, 'as the server says it');
  await t.rejects(client.query('TRUNCATE big'), aborted);
  t.equal(harness.requests.length, 0);
  t.match(harness.recorder.of('outcome').at(-1), { how: 'skipped' });
  await t.rejects(client.query('ROLLBACK; DELETE FROM big WHERE id < 500'), { code: '42501' });
  t.equal(harness.requests.length, 1, 'what runs after ROLLBACK is asked about');
  await client.query('ROLLBACK');
});
