/** Rows as JSON through the whole proxy and a real driver: by Query, by Execute, in both formats, in several encodings. */
import pg from 'pg';
import t, { type Test } from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';
import { usableSchema } from './usable-queries.js';

const server = await startPostgres();
t.teardown(() => server.stop());
await server.query(usableSchema);
const guarded = await startProxyProcess(server, {
  policy: { profile: 'observe' },
  config: { mask: ['users.email', 'users.ssn'].map((column) => ({ column, with: 'fixed', value: '***' })) },
});
t.teardown(() => guarded.stop());

const masked = { id: 1, name: 'Ada', email: '***', ssn: '***' };
const rows = 'SELECT to_jsonb(s) AS v FROM (SELECT id, name, email, ssn FROM users ORDER BY id LIMIT 1) s';

async function connect(t: Test): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: guarded.url() });
  client.on('error', () => {});
  await client.connect();
  t.teardown(() => client.end());
  return client;
}

t.test('in both formats', async (t) => {
  const client = await connect(t);
  t.same((await client.query(rows)).rows, [{ v: masked }]);
  t.same((await client.query({ text: rows, values: [], name: 'named' })).rows, [{ v: masked }]);
  t.same(
    (await client.query({ text: rows, values: [], name: 'named' })).rows,
    [{ v: masked }],
    'without another Parse',
  );
  const { rows: binary } = await client.query({
    text: `${rows} WHERE $1`,
    values: [true],
    binary: true,
  } as pg.QueryConfig);
  t.same(JSON.parse(String(binary[0]?.v).slice(1)), masked, 'behind the version byte');
  const results = (await client.query(
    `SELECT lower(name) AS v FROM users WHERE id = 1; ${rows}`,
  )) as unknown as pg.QueryResult[];
  t.same(
    results.map((one) => one.rows),
    [[{ v: 'ada' }], [{ v: masked }]],
  );
});

t.test('in an encoding in which a letter may hold a backslash nothing is taken apart', async (t) => {
  const client = await connect(t);
  const texts = [
    `SET client_encoding = 'SJIS'; ${rows}`,
    rows,
    `COPY (${rows}) TO STDOUT`,
    `SET client_encoding = 'UTF8'; ${rows}`,
    rows,
  ];
  const seen: string[] = [];
  for (const text of texts) {
    await client.query(text).then(
      (result) => seen.push(JSON.stringify([result].flat().at(-1)?.rows)),
      (error: Error) => seen.push(error.message),
    );
  }
  const hidden = '[{"v":null}]';
  t.match(seen[2], /cannot be masked/);
  t.same([seen[0], seen[1], seen[3]], [hidden, hidden, hidden]);
  t.same(JSON.parse(seen[4] ?? ''), [{ v: masked }], 'and in UTF-8 again');
});
