/**
 * Masked values in what the server says between the messages of a pipeline: before a statement runs, after it, and in
 * the place of its answer. Each attack must leak straight to the server.
 */
import t from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';
import { Client } from '../helpers/wire-client.js';
import {
  bind,
  closePortal,
  copyData,
  copyDone,
  describePortal,
  execute,
  parse,
  query,
  sync,
} from '../helpers/wire-messages.js';

const server = await startPostgres();
t.teardown(() => server.stop());
await server.query(`
  CREATE TABLE people (id int, name text, card text);
  INSERT INTO people VALUES (1, 'Ada', 'qzxw-8137');
  CREATE FUNCTION tell() RETURNS int STABLE LANGUAGE plpgsql AS
    $$BEGIN RAISE NOTICE '%', (SELECT card FROM public.people LIMIT 1); RETURN 1; END$$;
  CREATE FUNCTION fail() RETURNS int STABLE LANGUAGE plpgsql AS
    $$BEGIN RAISE '%', (SELECT card FROM public.people LIMIT 1); END$$;
  CREATE FUNCTION send() RETURNS int STABLE LANGUAGE plpgsql AS
    $$BEGIN PERFORM pg_notify('c', (SELECT card FROM public.people LIMIT 1)); RETURN 1; END$$;
  CREATE FUNCTION checked(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
    $$BEGIN RAISE '%', (SELECT card FROM public.people LIMIT 1); END$$;
  CREATE DOMAIN checked_text AS text CHECK (checked(VALUE));
  CREATE TABLE nodes (id int, label text);
  INSERT INTO nodes VALUES (1, 'a');
  CREATE TABLE telling (LIKE nodes); CREATE TABLE looking (LIKE nodes); CREATE TABLE sending (LIKE nodes);
  INSERT INTO telling TABLE nodes; INSERT INTO looking TABLE nodes; INSERT INTO sending TABLE nodes;
  CREATE POLICY p ON telling USING (id = tell());
  CREATE POLICY p ON looking USING (id < (SELECT card FROM people LIMIT 1)::int);
  CREATE POLICY p ON sending USING (id = send());
  ALTER TABLE telling ENABLE ROW LEVEL SECURITY; ALTER TABLE telling FORCE ROW LEVEL SECURITY;
  ALTER TABLE looking ENABLE ROW LEVEL SECURITY; ALTER TABLE looking FORCE ROW LEVEL SECURITY;
  ALTER TABLE sending ENABLE ROW LEVEL SECURITY; ALTER TABLE sending FORCE ROW LEVEL SECURITY;
  CREATE TABLE late (id int);
  CREATE FUNCTION too_late() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE '%', (SELECT card FROM public.people LIMIT 1); END$$;
  CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION too_late();
  CREATE ROLE reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;`);
const guarded = await startProxyProcess(server, {
  policy: { profile: 'observe' },
  config: { mask: [{ column: 'public.people.card', with: null }] },
});
t.teardown(() => guarded.stop());

const run = (sql: string): Buffer[] => [parse(sql), bind([]), describePortal(), execute(), sync()];
const asReader = [query('SET ROLE reader')];

/** Turns of messages; a turn leaves in one write. */
const attacks: readonly [name: string, ...turns: Buffer[][]][] = [
  ['Query: a policy runs a function', asReader, [query('SELECT * FROM telling')]],
  ['Query: a policy looks at the column itself', asReader, [query('SELECT * FROM looking')]],
  ['Bind: the planner runs the function of a policy', asReader, run('SELECT * FROM telling')],
  ['Bind: a policy looks at the column itself', asReader, run('SELECT * FROM looking')],
  ['Bind and no more', asReader, [parse('SELECT * FROM telling'), bind([]), sync()]],
  [
    'Bind, and Close in the place of Execute',
    asReader,
    [parse('SELECT * FROM telling'), bind([]), closePortal(), sync()],
  ],
  ['Bind behind another statement', asReader, [...run('SELECT 1').slice(0, -1), ...run('SELECT * FROM telling')]],
  ['Bind before another statement', asReader, [parse('SELECT * FROM telling'), bind([]), ...run('SELECT 1')]],
  ['Bind: what the planner runs fails', run('SELECT * FROM nodes WHERE id = fail()')],
  ['Bind: a value of a domain is checked', [parse('SELECT $1::checked_text'), bind(['x']), execute(), sync()]],
  [
    'Bind of what PREPARE made',
    asReader,
    [query('PREPARE s AS SELECT * FROM telling')],
    [bind([], { statement: 's' }), execute(), sync()],
  ],
  ['Execute: EXPLAIN plans', asReader, run('EXPLAIN SELECT * FROM telling')],
  ['Sync: a deferred trigger fails', run('INSERT INTO late VALUES (1)')],
  [
    'Sync: behind a statement that shows clean columns',
    [...run('INSERT INTO late VALUES (1)').slice(0, -1), ...run('SELECT name FROM people')],
  ],
  ['Sync: behind COPY', [parse('COPY late FROM STDIN'), bind([]), execute(), copyData('1\n'), copyDone(), sync()]],
  ['Query: COMMIT', [query('BEGIN')], run('INSERT INTO late VALUES (1)'), [query('COMMIT')]],
  ['Execute: COMMIT', [query('BEGIN')], run('INSERT INTO late VALUES (1)'), run('COMMIT')],
  ['SET CONSTRAINTS', [query('BEGIN')], run('INSERT INTO late VALUES (1)'), run('SET CONSTRAINTS ALL IMMEDIATE')],
  ['PREPARE TRANSACTION', [query('BEGIN')], run('INSERT INTO late VALUES (1)'), run(`PREPARE TRANSACTION 'x'`)],
  [
    'COMMIT runs a cursor',
    asReader,
    [query('BEGIN')],
    run('DECLARE c CURSOR WITH HOLD FOR SELECT id + tell() FROM nodes'),
    run('COMMIT'),
  ],
  ['FETCH', asReader, [query('BEGIN')], run('DECLARE c CURSOR FOR SELECT id + tell() FROM nodes'), run('FETCH c')],
  ['MOVE', asReader, [query('BEGIN')], run('DECLARE c CURSOR FOR SELECT id + tell() FROM nodes'), run('MOVE c')],
  [
    'NOTIFY: the planner sends',
    [query('LISTEN c')],
    [parse('SELECT * FROM nodes WHERE id = send()'), bind([]), sync()],
    [query('SELECT 1')],
  ],
  ['NOTIFY: a policy sends', [query('LISTEN c'), ...asReader], run('SELECT * FROM sending'), [query('SELECT 1')]],
];

for (const [name, ...turns] of attacks) {
  t.test(name, async (t) => {
    const heard = async (target: { host: string; port: number; user: string; password: string }) => {
      const client = await Client.open({ ...target, database: 'postgres' });
      await client.logIn();
      for (const turn of turns) {
        await client.send(Buffer.concat(turn));
        t.ok(await client.hears('Z', turn.filter((one) => one[0] === 0x53 || one[0] === 0x51).length), 'it goes on');
      }
      await client.hangUp();
      return Buffer.concat(client.heard.map(({ body }) => body)).toString('latin1');
    };
    const { host, port, password, superuser: user } = server;
    t.match(await heard({ host, port, password, user }), /qzxw/, 'straight to the server it shows the value');
    t.notMatch(await heard(guarded), /qzxw/, 'through dbguard it does not');
  });
}

t.test('what the server says of a clean statement keeps its text', async (t) => {
  const client = await Client.open({ ...guarded, database: 'postgres' });
  await client.logIn();
  const texts = [
    [parse(`SELECT 1 / length($1)`), bind(['']), execute(), sync()],
    [bind([], { statement: 'nobody' }), sync()],
    [parse('SELECT $1::int'), bind(['x']), sync()],
    [parse('SELECT nothing'), sync()],
  ];
  for (const [at, turn] of texts.entries()) {
    await client.send(Buffer.concat(turn));
    t.ok(await client.hears('Z', 1), `${at}`);
  }
  await client.hangUp();
  const said = client.heard.filter(({ type }) => type === 'E').map(({ body }) => body.toString('latin1'));
  t.equal(said.length, texts.length);
  for (const [at, text] of ['division by zero', '"nobody" does not exist', '"x"', '"nothing" does not exist'].entries())
    t.ok(said[at]?.includes(text), `${said[at]}`);
});
