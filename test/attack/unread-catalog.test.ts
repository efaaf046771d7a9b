/** An agent that is faster than the first reading of a large catalog finds nothing open that is closed later. */
import pg from 'pg';
import t from 'tap';
import { compilePolicy } from '../../src/policy/engine.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { LoadedFunctions } from '../../src/sql/catalog/loaded-functions.js';
import { LoadedRelations } from '../../src/sql/catalog/loaded-relations.js';
import { loadGrammar } from '../../src/sql/grammar/grammar.js';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyInProcess } from '../helpers/proxy-in-process.js';

const schema = `
  CREATE TABLE orders (id int PRIMARY KEY, tenant text);
  CREATE TABLE ruled (id int);
  CREATE TABLE triggered (id int);
  CREATE FUNCTION purge() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders; RETURN 1; END $$;
  CREATE FUNCTION purged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders; RETURN NEW; END $$;
  CREATE VIEW innocent AS SELECT purge() AS n;
  CREATE RULE wipe AS ON INSERT TO ruled DO ALSO DELETE FROM orders;
  CREATE TRIGGER purged BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION purged();
  CREATE FUNCTION same(text, int) RETURNS bool LANGUAGE sql AS 'SELECT purge() > 0';
  CREATE OPERATOR === (LEFTARG = text, RIGHTARG = int, FUNCTION = same);
  CREATE DOMAIN checked AS int CHECK (purge() > 0);
  ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON orders USING (tenant = current_setting('app.tenant'));`;

const attempts = [
  'SELECT * FROM innocent',
  'INSERT INTO ruled VALUES (1)',
  'INSERT INTO triggered VALUES (1)',
  "SELECT 'a' === 1",
  'SELECT 1::checked',
  'SELECT purge()',
  "SET app.tenant = 'another'",
  "SELECT set_config('app.tenant', 'another', false)",
  'PREPARE it AS SELECT * FROM innocent; EXECUTE it',
  'TABLE innocent',
  'COPY (SELECT * FROM innocent) TO STDOUT',
  'DECLARE c CURSOR WITH HOLD FOR SELECT * FROM innocent',
  'EXPLAIN ANALYZE SELECT * FROM innocent',
];

t.test('what is sent before the catalog has been read waits for it', async (t) => {
  const postgres = await startPostgres({ auth: 'trust' });
  t.teardown(() => postgres.stop());
  await postgres.query(schema);
  let read = (): void => undefined;
  const catalogReadAfter = new Promise<void>((resolve) => {
    read = resolve;
  });
  const proxy = await startProxyInProcess({
    upstreamUrl: postgres.url(),
    policy: compilePolicy([]),
    catalogPollMs: 60_000,
    catalogReadAfter,
  });
  t.teardown(() => proxy.close());
  const ended: string[] = [];
  const extended = async (client: pg.Client, text: string): Promise<void> => {
    await client.query({ text, values: [] });
  };
  const simple = async (client: pg.Client, text: string): Promise<void> => {
    await client.query(text);
  };
  const clients: pg.Client[] = [];
  const under: Promise<void>[] = [];
  for (const send of [simple, extended])
    for (const text of attempts) {
      if (send === extended && text.includes(';')) continue;
      const client = new pg.Client({ connectionString: proxy.url() });
      await client.connect();
      clients.push(client);
      t.equal((await client.query('BEGIN')).command, 'BEGIN', 'the connection is there, and a transaction begins');
      under.push(
        send(client, text).then(
          () => void ended.push(`ran: ${text}`),
          () => void ended.push(`refused: ${text}`),
        ),
      );
    }
  // whatever had been let through would have ended before what others ask now
  for (const other of [new pg.Client(proxy.url()), new pg.Client(proxy.url())]) {
    await other.connect();
    await other.query('BEGIN');
    await other.query('BEGIN');
    await other.end();
  }
  t.strictSame(ended, [], 'nothing else has come through');
  read();
  await Promise.all(under);
  t.strictSame(
    ended.filter((one) => one.startsWith('ran')),
    [],
    'nor afterwards: it is judged by what the catalog says',
  );
  t.equal(proxy.requests.length, ended.length, 'a person is asked about each');
  for (const client of clients) await client.end();
});

t.test('of a catalog that could not be read anything may be behind anything', async (t) => {
  const relations = new LoadedRelations();
  const analyser = await createAnalyser({ grammar: await loadGrammar(), catalog: new LoadedFunctions(), relations });
  for (const text of [
    'SELECT * FROM t',
    'INSERT INTO t VALUES (1)',
    'UPDATE t SET a = 1 WHERE id = 1',
    'DELETE FROM t',
  ])
    t.ok(
      analyser.analyse(text).statements.some(({ effects }) => effects.some(({ opaque }) => opaque)),
      text,
    );
  t.notOk(analyser.analyse('SELECT * FROM pg_class').statements[0]?.effects.some(({ opaque }) => opaque));
});
