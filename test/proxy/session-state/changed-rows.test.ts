/** The sum at the end of a session: rows that stayed. */
import pg from 'pg';
import t from 'tap';
import { compilePolicy } from '../../../src/policy/engine.js';
import { startPostgres } from '../../helpers/postgres.js';
import { startProxyInProcess } from '../../helpers/proxy-in-process.js';

const server = await startPostgres();
t.teardown(() => server.stop());
await server.query('CREATE TABLE a (id int PRIMARY KEY)');
const harness = await startProxyInProcess({
  upstreamUrl: server.url(),
  policy: compilePolicy([], { profile: 'observe' }),
});
t.teardown(() => harness.close());

const cases: [what: string, statements: (string | pg.QueryConfig)[], rows: number][] = [
  ['by themselves', ['INSERT INTO a SELECT generate_series(1, 5)', 'UPDATE a SET id = id', 'SELECT * FROM a'], 10],
  ['committed', ['BEGIN', 'DELETE FROM a WHERE id = 1', 'UPDATE a SET id = id WHERE id = 2', 'COMMIT'], 2],
  ['rolled back', ['BEGIN', 'DELETE FROM a', 'ROLLBACK'], 0],
  ['a COMMIT that rolls back', ['BEGIN', 'DELETE FROM a', 'SELECT 1/0', 'COMMIT'], 0],
  ['one text', ['BEGIN; DELETE FROM a WHERE id = 2; COMMIT; BEGIN; DELETE FROM a; ROLLBACK'], 1],
  ['one text that fails', ['DELETE FROM a; SELECT 1/0'], 0],
  [
    'with parameters',
    [
      { text: 'DELETE FROM a WHERE id = $1', values: [3] },
      { text: 'SELECT $1::int', values: ['x'] },
    ],
    1,
  ],
  [
    'around a savepoint',
    ['BEGIN', 'DELETE FROM a WHERE id = 4', 'SAVEPOINT s', 'SELECT 1/0', 'ROLLBACK TO s', 'COMMIT'],
    1,
  ],
];

for (const [what, statements, rows] of cases) {
  t.test(what, async (t) => {
    const client = new pg.Client(harness.url());
    await client.connect();
    const before = harness.journal.totals.rowsChanged;
    for (const statement of statements) await client.query(statement).catch(() => undefined);
    await client.end();
    t.equal(harness.journal.totals.rowsChanged - before, rows);
  });
}
