/**
 * Detectors over columns that nobody declared, through the proxy: what is reported and when, what is hidden, and that
 * nothing else changes. What they cannot see is held here too: they are a second line, not a boundary.
 */
import type pg from 'pg';
import t, { type Test } from 'tap';
import { combineConfigs } from '../../src/policy/combine.js';
import { parseConfig } from '../../src/policy/config.js';
import { startAttendedProxy } from '../attack/attended-proxy.js';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';

/** Luhn's check holds. */
const card = '4111111111111111';

const setup = [
  `CREATE TABLE people (id int, mail text, note varchar(80), doc jsonb, raw json, list text[], number bigint, data bytea,
     ref char(11), phone text, ssn text, part text, agreed text);
   INSERT INTO people SELECT n, 'ada' || n || '@example.org', 'write to ada' || n || '@example.org, "soon"',
     jsonb_build_object('name', 'Ada', 'mail', 'ada' || n || '@example.org', 'card', ${card}, 'n', n),
     ('{ "m": "ada' || n || '\\u0040example.org" , "t":"\\u00e9" }')::json,
     ARRAY['a', 'ada' || n || '@example.org, x', NULL], ${card}, convert_to('ada' || n || '@example.org', 'utf8'),
     lpad((100000000 + n * 7919 % 800000000)::text, 9, '1'), '+44 20 7946 0' || lpad(n::text, 3, '0'),
     '123-45-' || lpad((n + 1)::text, 4, '0'), 'ada' || n || '@exa', 'ada' || n || '@example.org'
   FROM generate_series(1, 20) AS n`,
  `UPDATE people SET ref = '219-09-' || lpad(((id * 7919) % 9999)::text, 4, '0');
   COMMENT ON COLUMN people.agreed IS 'Shown on the site. dbguard:mask=none'`,
];

async function world(t: Test, server: TestPostgres, yaml: string) {
  const { connect, harness } = await startAttendedProxy(t, server, setup, {
    masked: {
      config: combineConfigs([{ level: 'user', config: parseConfig(`version: 1\n${yaml}`, 'dbguard.yaml') }]),
      audience: { subject: 'dev', groups: undefined, environments: ['production'], connection: 'test', agent: 'a' },
    },
  });
  const notices: { message: string | undefined; hint: string | undefined }[] = [];
  const client = await connect();
  const listen = (one: pg.Client) => one.on('notice', ({ message, hint }) => notices.push({ message, hint }));
  listen(client);
  const another = async () => {
    const one = await connect();
    listen(one);
    return one;
  };
  const said = () => notices.map(({ message }) => message);
  return { client, another, harness, notices, said };
}

async function copied(client: pg.Client, sql: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const take = ({ chunk }: { chunk: Buffer }) => chunks.push(chunk);
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
  connection.on('copyData', take);
  await client.query(sql);
  connection.off('copyData', take);
  return Buffer.concat(chunks);
}

t.test('detectors', async (t) => {
  const server = await startPostgres({ auth: 'trust' });
  t.teardown(() => server.stop());

  await t.test('a column is reported once in a run, when enough different values of it hit', async (t) => {
    const { client, another, harness, notices, said } = await world(t, server, 'detectors: report');
    await client.query('SELECT mail FROM people WHERE id = 1');
    await client.query('SELECT mail FROM people WHERE id <= 2');
    await client.query("SELECT 'one@example.org' AS mail FROM generate_series(1, 50)");
    t.strictSame(said(), [], 'two values, and one fifty times, are not enough');
    const { rows } = await client.query('SELECT mail FROM people WHERE id = $1', [3]);
    t.strictSame(rows, [{ mail: 'ada3@example.org' }], 'a report hides nothing');
    t.match(notices, [
      {
        message: 'dbguard: values of public.people.mail look like e-mail addresses, and no mask is declared for it',
        hint: /dbguard mask suggest/,
      },
    ]);
    await client.query('SELECT mail, upper(mail) FROM people');
    await (await another()).query('SELECT mail FROM people');
    t.equal(notices.length, 1, 'said once, and what is made of it is the same column');
    t.strictSame(
      harness.recorder.of('outcome').map(({ detected }) => detected),
      [undefined, undefined, undefined, ['public.people.mail: email'], undefined, undefined],
    );
  });

  await t.test(
    'what has the form by chance is reported where its name says the same, or nearly all of many do',
    async (t) => {
      const { client, said } = await world(t, server, 'detectors: { all: report }');
      await client.query('SELECT ref, ssn, phone FROM people');
      t.match(said(), [/public\.people\.ssn look like national ids/, /public\.people\.phone look like phone numbers/]);
      await client.query("SELECT '219-09-' || lpad(n::text, 4, '0') AS ref FROM generate_series(1, 99) AS n");
      t.match(said().slice(2), [/"ref" \(computed\) look like national ids/]);
    },
  );

  await t.test('only the first rows of a large result are looked at', async (t) => {
    const { client, said } = await world(t, server, 'detectors: { email: report, rows: 100 }');
    const late =
      "SELECT CASE WHEN n > 100 THEN 'ada' || n || '@example.org' ELSE 'none' END FROM generate_series(1, 300) n";
    await client.query(late);
    await client.query(`SELECT repeat('x', 200000) UNION ALL (SELECT mail FROM people LIMIT 5)`);
    t.strictSame(said(), []);
  });

  await t.test('what is declared, tagged or switched off is not looked at', async (t) => {
    const { client, said } = await world(
      t,
      server,
      'detectors: { all: report, phone: off }\nmask: [{ column: people.mail, with: email }]',
    );
    await client.query('SELECT mail, phone, agreed, number, data FROM people');
    t.strictSame(
      said().filter((one) => one?.startsWith('dbguard: ')),
      [],
    );
  });

  await t.test('no mask, no rule: code and DDL that nobody can follow hide nothing', async (t) => {
    const { client } = await world(t, server, 'detectors: report');
    await client.query('BEGIN');
    await client.query('CREATE TEMPORARY TABLE fresh AS SELECT id, part FROM people');
    const { rows } = await client.query('SELECT part FROM fresh WHERE id = 1');
    t.strictSame(rows, [{ part: 'ada1@exa' }]);
    await t.rejects(client.query('SELECT nonsense FROM fresh'), { message: 'column "nonsense" does not exist' });
    await client.query('ROLLBACK');
  });

  await t.test('masked: every type that holds text, types and lengths stay', async (t) => {
    const { client } = await world(t, server, 'detectors: mask');
    const sql = 'SELECT id, mail, note, doc, raw::text AS raw, list, number, part FROM people WHERE id = 7';
    const expected = {
      id: 7,
      mail: '****************',
      note: 'write to ****************, "soon"',
      doc: { name: 'Ada', mail: '****************', card: null, n: 7 },
      list: ['a', '****************, x', null],
      number: card,
      part: 'ada7@exa',
    };
    for (const values of [undefined, []])
      t.match((await client.query({ text: sql, ...(values && { values }) })).rows, [expected]);
    const { rows } = await client.query('SELECT raw FROM people WHERE id = 7');
    t.strictSame(rows, [{ raw: { m: '****************', t: 'é' } }], 'the escape is read, the rest is as it was');
    const binary = await client.query({ text: sql, values: [], binary: true } as pg.QueryConfig);
    const bytes = JSON.stringify(binary.rows.map(({ list, ...others }) => [others, String(list)]));
    t.notMatch(bytes, /ada7@example/);
    t.match(binary.rows, [{ id: 7, mail: expected.mail, note: expected.note, part: expected.part }]);
  });

  await t.test('masked: COPY in each format; what holds nothing keeps its bytes', async (t) => {
    const { client, said } = await world(t, server, 'detectors: { email: mask }');
    const source = '(SELECT id, note, part, mail FROM people WHERE id < 6 ORDER BY id)';
    const text = String(await copied(client, `COPY ${source} TO STDOUT`));
    t.equal(text.split('\n')[0], '1\twrite to ****************, "soon"\tada1@exa\t****************');
    t.match(said(), [/people\.note/, /people\.mail/], 'COPY is looked at as rows are');
    const csv = String(await copied(client, `COPY ${source} TO STDOUT (FORMAT csv)`));
    t.equal(csv.split('\n')[0], '1,"write to ****************, ""soon""",ada1@exa,"****************"');
    const binary = await copied(client, `COPY ${source} TO STDOUT (FORMAT binary)`);
    t.notMatch(binary.toString('latin1'), /@example/);
    t.match(binary.toString('latin1'), /ada5@exa/);
    await t.rejects(copied(client, `COPY ${source} TO STDOUT (ENCODING 'SJIS')`), { message: /cannot be masked/ });
  });

  await t.test('attacks: what is seen all the same, and what is not', async (t) => {
    const { client } = await world(t, server, 'detectors: mask');
    const shown = async (expression: string) => {
      const { rows } = await client.query(`SELECT (${expression})::text AS x FROM people WHERE id = 7`);
      return String(rows[0]?.x);
    };
    const seen = {
      'zero-width characters': "replace(mail, '@', U&'\\200B@\\2060')",
      'a soft hyphen in the middle': "replace(mail, 'da', U&'d\\00ADa')",
      'JSON in JSON': "jsonb_build_object('a', doc::text)",
      'a row': 'ROW(id, mail, note)',
      'an array as text': 'ARRAY[mail, mail]::text',
      XML: 'xmlelement(name a, mail)',
      'upper case, padded': 'rpad(upper(mail), 60)',
    };
    for (const [what, expression] of Object.entries(seen)) {
      const text = (await shown(expression)).replace(/[\u00ad\u200b\u2060]/g, '');
      t.notMatch(text, /7@example/i, what);
    }
    const unseen = {
      reversed: 'reverse(mail)',
      'cut into rows or columns': 'left(mail, 6)',
      'as bytes': 'data',
      encoded: "encode(data, 'base64')",
    };
    for (const [what, expression] of Object.entries(unseen)) {
      t.notMatch(await shown(expression), /\*/, `${what}: only a declared mask hides it`);
    }
  });
});
