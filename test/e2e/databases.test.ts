/** Whole databases come and go as without dbguard, whose own connections are to nobody's database. */
import pg from 'pg';
import t from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';

const server = await startPostgres();
const guarded = await startProxyProcess(server, {
  policy: { profile: 'observe' },
  config: { mask: [{ column: 'public.people.email', with: 'null' }] },
});
t.teardown(() => guarded.stop().finally(() => server.stop()));

async function connect(database: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: guarded.url(database) });
  await client.connect();
  return client;
}

async function once(database: string, ...statements: string[]): Promise<pg.QueryResult[]> {
  const client = await connect(database);
  try {
    const results: pg.QueryResult[] = [];
    for (const sql of statements) results.push(await client.query(sql));
    return results;
  } finally {
    await client.end();
  }
}

/** Programs that are connected to a database, as the server sees it. */
async function programs(database: string): Promise<string[]> {
  const rows = await server.query<{ name: string }>(
    'SELECT application_name AS name FROM pg_stat_activity WHERE datname = $1',
    [database],
  );
  return rows.map(({ name }) => name);
}

const people = 'CREATE TABLE people (email text); INSERT INTO people VALUES ($$a@b.example$$)';

t.test('nobody is connected to a database once its last client has gone', async (t) => {
  await once('postgres', 'CREATE DATABASE used');
  const first = await connect('used');
  await first.query(people);
  const second = await connect('used');
  t.match(await programs('used'), [/dbguard/]);
  await first.end();
  t.same((await second.query('SELECT * FROM people')).rows, [{ email: null }]);
  await second.query('CREATE TABLE later ()');
  await second.end();
  while ((await programs('used')).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});

t.test('dropped, renamed, copied: as soon as the last client says goodbye', async () => {
  await once('postgres', 'CREATE DATABASE shadow');
  await once('shadow', people);
  await once('postgres', 'CREATE DATABASE copy TEMPLATE shadow', 'ALTER DATABASE shadow RENAME TO other');
  await once('other', 'SELECT * FROM people');
  await once('postgres', 'DROP DATABASE IF EXISTS shadow', 'DROP DATABASE other', 'DROP DATABASE copy');
});

t.test('template1 as well, which CREATE DATABASE copies unless told otherwise', async () => {
  await once('template1', 'SELECT 1');
  await once('postgres', 'CREATE DATABASE plain', 'DROP DATABASE plain');
});

t.test('clients that stay are the only ones in the way, and are judged as before', async (t) => {
  await once('postgres', 'CREATE DATABASE busy');
  const inside = await connect('busy');
  await inside.query(people);
  const outside = await connect('postgres');
  await t.rejects(outside.query('ALTER DATABASE busy RENAME TO idle'), {
    code: '55006',
    detail: 'There is 1 other session using the database.',
  });
  t.same((await inside.query('SELECT email FROM people')).rows, [{ email: null }]);
  await inside.end();
  await outside.query('DROP DATABASE busy');
  await outside.end();
});

t.test('another database by the same name is looked at anew', async (t) => {
  const make = ['CREATE DATABASE again'];
  await once('postgres', ...make);
  await once('again', 'CREATE TABLE other (email text); INSERT INTO other VALUES ($$a$$)', 'SELECT * FROM other');
  await once('postgres', 'DROP DATABASE again', ...make);
  await server.query('CREATE TABLE people (email text); INSERT INTO people VALUES ($$a$$)', [], 'again');
  const [shown] = await once('again', 'SELECT * FROM people');
  t.same(shown?.rows, [{ email: null }]);
});
