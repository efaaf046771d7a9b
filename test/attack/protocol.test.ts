/**
 * One name, two meanings: messages arranged so that what the server runs is not what dbguard has judged. Each attack is
 * real (sent straight to the server it empties the table) and through dbguard nothing is lost that nobody was asked about.
 */
import t from 'tap';
import { compilePolicy } from '../../src/policy/engine.js';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyInProcess } from '../helpers/proxy-in-process.js';
import { Client, type Target } from '../helpers/wire-client.js';
import { bind, closeStatement, execute, flush, parse, query, run, sync } from '../helpers/wire-messages.js';
import { policyOf } from '../proxy/policies.js';

const server = await startPostgres();
t.teardown(() => server.stop());
await server.query(`CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);

const setup = `
  DROP FUNCTION IF EXISTS liar(), purge();
  CREATE FUNCTION purge() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders; RETURN 1; END $$;
  CREATE FUNCTION liar() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT purge()';`;

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
    name: 'Bind alone plans, and planning runs what says that it is immutable',
    turns: [[parse('SELECT liar()'), bind(), sync()]],
  },
  {
    name: 'Bind of what PREPARE has prepared',
    turns: [[query('PREPARE s AS SELECT liar()')], [bind([], { statement: 's' }), sync()]],
  },
  {
    name: 'Bind of a statement with a name in another script',
    turns: [
      [parse('SELECT liar()', { name: 'é' }), sync()],
      [bind([], { statement: 'é' }), sync()],
    ],
  },
  {
    name: 'EXPLAIN plans a prepared statement',
    turns: [[query('PREPARE s AS SELECT liar()')], [query('EXPLAIN EXECUTE s')]],
  },
  {
    name: 'EXPLAIN plans a statement that came by Parse',
    turns: [[parse('SELECT liar()', { name: 's' }), sync()], [query('EXPLAIN CREATE TABLE x AS EXECUTE s')]],
  },
  {
    name: 'a Parse that fails behind Flush leaves the statement of its name as it was',
    turns: [
      [parse(wipe, { name: 's' }), flush(), sync()],
      [parse(harmless, { name: 's' }), sync(), bind([], { statement: 's' }), execute(), sync()],
    ],
  },
];

/** One literal where a backslash is a backslash; else a literal, a DELETE and a comment. */
const backslash = `SELECT '\\''; ${wipe}; --'`;
/** The same for Parse, which takes one statement: what restricts it is in the comment. */
const backslashes = `${wipe} WHERE '\\'' <> '' --' AND id < 0`;
const off = 'SET standard_conforming_strings = off';
const on = 'SET standard_conforming_strings = on';
const startsOff = { options: '-c standard_conforming_strings=off' };

/** Valid UTF-8 whose last byte begins another character in that encoding. */
const swallowing = { SJIS: 'ッ', BIG5: '令', GBK: 'あ', GB18030: 'あ' };

const settings: readonly Attack[] = [
  { name: 'a SET before', turns: [[query(off)], [query(backslash)]] },
  { name: 'a SET in the same write', turns: [[query(off), query(backslash)]] },
  { name: 'a SET in the same pipeline', turns: [[run(off), run(backslashes), sync()]] },
  { name: 'a SET in the pipeline before', turns: [[run(off), sync(), run(backslashes), sync()]] },
  {
    name: 'set_config',
    turns: [[query(`SELECT set_config('standard_conforming_strings', 'off', false)`), query(backslash)]],
  },
  {
    name: 'a setting that is data',
    turns: [
      [query(`UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'`), query(backslash)],
    ],
  },
  { name: 'the startup packet', startup: { standard_conforming_strings: 'off' }, turns: [[query(backslash)]] },
  { name: 'options of the startup packet', startup: startsOff, turns: [[query(backslash)]] },
  { name: 'RESET', startup: startsOff, turns: [[query(on)], [query('RESET ALL'), query(backslash)]] },
  { name: 'DISCARD', startup: startsOff, turns: [[query(on)], [query('DISCARD ALL'), query(backslash)]] },
  {
    name: 'the end of a transaction',
    startup: startsOff,
    turns: [
      [query('BEGIN'), query(on)],
      [query('ROLLBACK'), query(backslash)],
    ],
  },
  {
    name: 'the end of SET LOCAL',
    startup: startsOff,
    turns: [
      [query('BEGIN'), query(on.replace('SET', 'SET LOCAL'))],
      [query('COMMIT'), query(backslash)],
    ],
  },
  {
    name: 'a savepoint',
    startup: startsOff,
    turns: [
      [query('BEGIN'), query('SAVEPOINT a'), query(on)],
      [query('ROLLBACK TO a'), query(backslash), query('COMMIT')],
    ],
  },
  {
    name: 'an error',
    startup: startsOff,
    turns: [
      [run('BEGIN'), run(on), sync()],
      [query('SELECT 1/0'), query('ROLLBACK'), query(backslash)],
    ],
  },
  {
    name: 'a transaction that is implicit',
    startup: startsOff,
    turns: [[run(on), flush(), run('SELECT 1/0'), sync(), query(backslash)]],
  },
  ...Object.entries(swallowing).flatMap(([encoding, character]): Attack[] => {
    // in UTF-8 the backslash escapes the quote behind it, elsewhere it is the end of a character
    const swallowed = rawQuery(
      Buffer.concat([Buffer.from("SELECT E'"), Buffer.from(character), Buffer.from(`\\'; ${wipe}; --'`)]),
    );
    const set = query(`SET client_encoding TO ${encoding}`);
    return [
      { name: `${encoding} before`, turns: [[set], [swallowed]] },
      { name: `${encoding} in the same write`, turns: [[set, swallowed]] },
      { name: `${encoding} from the start`, startup: { client_encoding: encoding }, turns: [[swallowed]] },
    ];
  }),
];

/** Every setting may be changed: what counts is that the text behind it is read as the server reads it. */
const settingsPass = policyOf(({ statements, unparseable }) =>
  unparseable || statements.some(({ effects }) => effects.some(({ kind, bounded }) => kind === 'delete' && !bounded))
    ? 'ask'
    : 'allow',
);

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
  const table = 'DROP TABLE IF EXISTS orders; CREATE TABLE orders AS SELECT generate_series(1, 3) AS id';
  await server.query(`${table}; ${setup}`, undefined, database);
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

const guarded = compilePolicy([]);
const all = [
  ...attacks.map((attack) => [attack, guarded] as const),
  ...settings.map((attack) => [attack, settingsPass] as const),
];
for (const [attack, policy] of all) {
  t.test(attack.name, async (t) => {
    const { host, port, password, superuser: user } = server;
    const direct = await play(attack, { host, port, password, user, database: 'postgres' });
    t.equal(direct, 0, 'straight to the server it empties the table');
    const harness = await startProxyInProcess({ upstreamUrl: server.url(), policy, catalogPollMs: 60_000 });
    t.teardown(() => harness.close());
    t.equal(await play(attack, harness.target), 3, 'through dbguard it does not');
    t.ok(harness.requests.length > 0, 'a person was asked');
  });
}
