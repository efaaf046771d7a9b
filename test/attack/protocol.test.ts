/**
 * One name, two meanings: messages arranged so that what the server runs is not what dbguard has judged. Each attack is
 * real (sent straight to the server it empties the table) and through dbguard nothing is lost that nobody was asked about.
 */
import t from 'tap';
import { compilePolicy } from '../../src/policy/engine.js';
import { Client, type Target } from '../conformance/client.js';
import { bind, closeStatement, execute, flush, parse, query, sync } from '../conformance/messages.js';
import { startPostgres } from '../helpers/postgres.js';
import { startHarness } from '../proxy/harness.js';

const server = await startPostgres();
t.teardown(() => server.stop());
await server.query(`CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);

const wipe = 'DELETE FROM orders';
const wipeRows = 'DELETE FROM orders RETURNING id';
const harmless = 'SELECT 1';

/** Messages that leave in one write; the next ones only when the server is ready again. */
type Turn = readonly Buffer[];

interface Attack {
  readonly name: string;
  readonly turns: readonly Turn[];
  readonly startup?: Readonly<Record<string, string>>;
  readonly database?: string;
}

const long = 'a'.repeat(63);

const attacks: readonly Attack[] = [
  {
    name: 'a Parse that is skipped leaves the unnamed statement as it was',
    turns: [
      [parse(wipe), sync()],
      [bind([], { statement: 'nobody' }), parse(harmless), sync(), bind(), execute(), sync()],
    ],
  },
  {
    name: 'a Bind that fails leaves the portal of its name as it was',
    turns: [
      [query('BEGIN')],
      [parse(wipe, { name: 's' }), bind([], { statement: 's', portal: 'p' }), sync()],
      [query('SAVEPOINT a')],
      [parse(harmless), bind([], { portal: 'p' }), sync()],
      [query('ROLLBACK TO a')],
      [execute('p'), sync()],
      [query('COMMIT')],
    ],
  },
  {
    name: 'a Bind that is skipped leaves the portal of its name as it was',
    turns: [
      [query('BEGIN'), parse(wipe, { name: 's' }), bind([], { statement: 's', portal: 'p' }), sync()],
      [query('SAVEPOINT a')],
      [
        bind([], { statement: 'nobody' }),
        bind([], { statement: 's', portal: 'p' }),
        sync(),
        query('ROLLBACK TO a'),
        execute('p'),
        sync(),
        query('COMMIT'),
      ],
    ],
  },
  {
    name: 'names are cut off after 63 bytes',
    turns: [
      [parse(wipe, { name: long }), sync()],
      [parse(harmless, { name: `${long}b` }), sync(), bind([], { statement: `${long}b` }), execute(), sync()],
    ],
  },
  {
    name: 'FETCH runs a portal',
    turns: [
      [query('BEGIN')],
      [parse(wipeRows, { name: 's' }), bind([], { statement: 's', portal: 'p' }), sync()],
      [query('FETCH ALL FROM p')],
      [query('COMMIT')],
    ],
  },
  {
    name: 'FETCH runs a portal in the same pipeline',
    turns: [
      [
        parse(wipeRows, { name: 's' }),
        bind([], { statement: 's', portal: 'p' }),
        parse('FETCH ALL FROM p'),
        bind(),
        execute(),
        sync(),
      ],
    ],
  },
  {
    name: 'PL/pgSQL fetches from a portal',
    turns: [
      [query('BEGIN')],
      [parse(wipeRows, { name: 's' }), bind([], { statement: 's', portal: 'p' }), sync()],
      [query(`DO $$ DECLARE c refcursor := 'p'; r record; BEGIN FETCH c INTO r; END $$`)],
      [query('COMMIT')],
    ],
  },
  {
    name: 'a function fetches from a portal',
    turns: [
      [query('BEGIN')],
      [parse(wipeRows, { name: 's' }), bind([], { statement: 's', portal: 'p' }), sync()],
      [query(`SELECT cursor_to_xml('p', 10, false, false, '')`)],
      [query('COMMIT')],
    ],
  },
  {
    name: 'a portal runs EXECUTE',
    turns: [
      [parse(wipe, { name: 's' }), sync()],
      [parse('EXECUTE s', { name: 'e' }), bind([], { statement: 'e' }), execute(), sync()],
    ],
  },
  {
    name: 'PL/pgSQL runs a prepared statement',
    turns: [[parse(wipe, { name: 's' }), sync()], [query(`DO $$ BEGIN EXECUTE 'EXECUTE s'; END $$`)]],
  },
  {
    name: 'PL/pgSQL prepares a statement anew',
    turns: [
      [query(`PREPARE s AS ${harmless}`)],
      [query(`DO $$ BEGIN EXECUTE 'DEALLOCATE s'; EXECUTE 'PREPARE s AS ${wipe}'; END $$`)],
      [query('EXECUTE s')],
    ],
  },
  {
    name: 'EXPLAIN ANALYZE runs a prepared statement',
    turns: [[parse(wipe, { name: 's' }), sync()], [query('EXPLAIN ANALYZE EXECUTE s')]],
  },
  {
    name: 'a name in another client_encoding',
    startup: { client_encoding: 'LATIN1' },
    turns: [
      // as LATIN1 the first name is two characters, whose bytes are the second name in UTF-8
      [parse(harmless, { name: 'é' }), sync()],
      [rawParse(wipe, Buffer.from([0xe9])), sync()],
      [rawQuery(Buffer.from('EXECUTE "\xe9"', 'latin1'))],
    ],
  },
  {
    name: 'DEALLOCATE of a name in another client_encoding',
    startup: { client_encoding: 'LATIN1' },
    turns: [
      [parse(wipe, { name: 'é' }), rawParse(harmless, Buffer.from([0xe9])), sync()],
      [rawQuery(Buffer.from('DEALLOCATE "\xe9"', 'latin1'))],
      [parse(harmless, { name: 'é' }), sync(), bind([], { statement: 'é' }), execute(), sync()],
    ],
  },
  {
    name: 'names that are longer here than in a database in LATIN1',
    database: 'latin',
    startup: { client_encoding: 'UTF8' },
    turns: [
      [query(`PREPARE "${'é'.repeat(40)}" AS ${wipe}; PREPARE "${'é'.repeat(41)}" AS ${harmless}`)],
      [query(`EXECUTE "${'é'.repeat(40)}"`)],
    ],
  },
  {
    name: 'the same in one text',
    database: 'latin',
    startup: { client_encoding: 'UTF8' },
    turns: [
      [
        query(
          `PREPARE "${'é'.repeat(40)}" AS ${wipe}; PREPARE "${'é'.repeat(41)}" AS ${harmless}; EXECUTE "${'é'.repeat(40)}"`,
        ),
      ],
    ],
  },
  {
    name: 'Close of a statement that a portal holds',
    turns: [
      [parse(wipe, { name: 's' }), bind([], { statement: 's' }), closeStatement('s'), parse(harmless, { name: 's' })],
    ].map((turn) => [...turn, execute(), sync()]),
  },
  {
    name: 'a Parse that fails behind Flush leaves the statement of its name as it was',
    turns: [
      [parse(wipe, { name: 's' }), flush(), sync()],
      [parse(harmless, { name: 's' }), sync(), bind([], { statement: 's' }), execute(), sync()],
    ],
  },
];

function rawParse(sql: string, name: Buffer): Buffer {
  const body = Buffer.concat([name, Buffer.from(`\0${sql}\0\0\0`)]);
  return frame('P', body);
}

function rawQuery(sql: Buffer): Buffer {
  return frame('Q', Buffer.concat([sql, Buffer.from([0])]));
}

function frame(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** How many rows are left. */
async function play(attack: Attack, target: Target): Promise<number> {
  const database = attack.database ?? 'postgres';
  await server.query(
    'DROP TABLE IF EXISTS orders; CREATE TABLE orders AS SELECT generate_series(1, 3) AS id',
    [],
    database,
  );
  const client = await Client.open({ ...target, database });
  await client.logIn({ ...attack.startup });
  for (const turn of attack.turns) {
    await client.send(Buffer.concat(turn));
    const answers = turn.filter((one) => one[0] === 0x53 || one[0] === 0x51).length;
    await client.hears('Z', answers);
  }
  await client.hangUp();
  const [row] = await server.query('SELECT count(*)::int AS left FROM orders', [], database);
  return Number(row?.left);
}

for (const attack of attacks) {
  t.test(attack.name, async (t) => {
    const { host, port, password, superuser: user } = server;
    const direct = await play(attack, { host, port, password, user, database: 'postgres' });
    t.equal(direct, 0, 'straight to the server it empties the table');
    const harness = await startHarness({ upstreamUrl: server.url(), policy: compilePolicy([]) });
    t.teardown(() => harness.close());
    t.equal(await play(attack, harness.target), 3, 'through dbguard it does not');
    t.ok(harness.requests.length > 0, 'a person was asked');
  });
}
