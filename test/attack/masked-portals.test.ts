/** Ways to a masked value by names of the protocol: what is fetched is not what the text at hand says. */
import t from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';
import { Client } from '../helpers/wire-client.js';
import { bind, execute, parse, query, sync } from '../helpers/wire-messages.js';

const server = await startPostgres();
t.teardown(() => server.stop());
await server.query(`
  CREATE TABLE customers (id int, ssn text);
  INSERT INTO customers VALUES (1, 'qzxw-8137');
  CREATE FUNCTION ssn() RETURNS text LANGUAGE sql STABLE AS 'SELECT ssn FROM customers'`);
const guarded = await startProxyProcess(server, {
  policy: { profile: 'observe' },
  config: { mask: [{ column: 'public.customers.ssn', with: null }] },
});
t.teardown(() => guarded.stop());

const secret = 'SELECT ssn FROM customers';

const clean = 'CREATE TEMP VIEW w AS SELECT id::text AS v FROM customers';

/** Turns of messages; a turn leaves in one write. */
const attacks: readonly [name: string, ...turns: Buffer[][]][] = [
  [
    'Execute of a cursor that DECLARE made',
    [query('BEGIN')],
    [query(`DECLARE c CURSOR FOR ${secret}`)],
    [execute('c'), sync()],
  ],
  [
    'a statement that may be one of two',
    [parse(secret, { name: 's' }), sync()],
    [parse('EXPLAIN', { name: 's' }), sync(), bind([], { statement: 's' }), execute(), sync()],
  ],
  [
    'a portal that may be one of two',
    [parse(secret, { name: 's' }), query('BEGIN'), bind([], { statement: 's', portal: 'p' }), sync()],
    [query('SAVEPOINT a')],
    [parse('SELECT 1'), bind([], { portal: 'p' }), sync(), query('ROLLBACK TO a'), execute('p'), sync()],
  ],
  [
    'FETCH from a portal',
    [parse(secret, { name: 's' }), query('BEGIN'), bind([], { statement: 's', portal: 'p' }), sync()],
    [query('FETCH ALL FROM p')],
  ],
  [
    'a temporary view that is another before the server has made the first',
    [query(clean), query(`CREATE OR REPLACE TEMP VIEW w AS SELECT ssn AS v FROM customers`)],
    [query('SELECT v FROM w')],
  ],
  [
    'a temporary view that is a table before the server has made it',
    [query(clean), query('DROP VIEW w'), query('CREATE TEMP TABLE w (v text DEFAULT ssn())')],
    [query('INSERT INTO w DEFAULT VALUES')],
    [query('SELECT v FROM w')],
  ],
  [
    'the same in one run of messages',
    [
      ...[clean, 'DROP VIEW w', 'CREATE TEMP TABLE w (v text DEFAULT ssn())', 'INSERT INTO w DEFAULT VALUES'].flatMap(
        (sql) => [parse(sql), bind([]), execute()],
      ),
      sync(),
    ],
    [query('SELECT v FROM w')],
  ],
  [
    'a temporary view that an error behind it takes back',
    [query('CREATE TEMP VIEW w AS SELECT ssn AS v FROM customers')],
    [
      ...[clean.replace('CREATE', 'CREATE OR REPLACE'), 'SELECT 1/0'].flatMap((sql) => [
        parse(sql),
        bind([]),
        execute(),
      ]),
      sync(),
    ],
    [query('SELECT v FROM w')],
  ],
];

for (const [name, ...turns] of attacks) {
  t.test(name, async (t) => {
    const heard = async (target: { host: string; port: number; user: string; password: string }) => {
      const client = await Client.open({ ...target, database: 'postgres' });
      await client.logIn();
      for (const turn of turns) {
        await client.send(Buffer.concat(turn));
        await client.hears('Z', turn.filter((one) => one[0] === 0x53 || one[0] === 0x51).length);
      }
      await client.hangUp();
      return Buffer.concat(client.heard.map(({ body }) => body)).toString('latin1');
    };
    const { host, port, password, superuser: user } = server;
    t.match(await heard({ host, port, password, user }), /qzxw/, 'straight to the server it shows the value');
    t.notMatch(await heard(guarded), /qzxw/, 'through dbguard it does not');
  });
}
