/**
 * Many rows in many small statements: in one text, under a name, sent at once, from clients that do not wait for the
 * answer. And the other side: the same row again, and a new one, are no further rows.
 */
import t, { type Test } from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { query, run, sync } from '../helpers/wire-messages.js';
import { forSession, no, once, startAttendedProxy } from './attended-proxy.js';

const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());

const shop = [
  `
  CREATE TABLE customers (id int PRIMARY KEY, code int UNIQUE, name text, town int);
  INSERT INTO customers SELECT n, 10001 - n, 'c' || n, n / 3 FROM generate_series(1, 10000) n;
  CREATE TABLE small (id int PRIMARY KEY, n int);
  INSERT INTO small SELECT n, 0 FROM generate_series(1, 500) n;
  CREATE TABLE counters (name text PRIMARY KEY, n int);
  INSERT INTO counters SELECT 'c' || n, 0 FROM generate_series(1, 500) n;
  CREATE TABLE visits (site int, day date, n int, PRIMARY KEY (site, day));
  INSERT INTO visits SELECT n, '2026-01-01', 0 FROM generate_series(1, 500) n;
  CREATE FUNCTION touch(which int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE customers SET town = 1 WHERE id = which; END $$`,
  'ANALYZE',
];

const world = (t: Test) => startAttendedProxy(t, server, shop, { catalogPollMs: 60_000 });
const upTo = (most: number): number[] => Array.from({ length: most }, (_, index) => index + 1);
const deletes = (most: number): string[] => upTo(most).map((id) => `DELETE FROM customers WHERE id = ${id}`);

const texts: readonly (readonly [sql: string, says: RegExp])[] = [
  [deletes(1001).join('; '), /up to 1,001 rows of customers/],
  [`BEGIN; ${deletes(1001).join('; ')}; COMMIT`, /up to 1,001 rows of customers/],
  [
    upTo(1001)
      .map((id) => `UPDATE customers SET town = 2 WHERE id = ${id}`)
      .join('; '),
    /up to 1,001 rows/,
  ],
  [
    `SELECT 1; ${deletes(51).join('; ')}; ${upTo(51)
      .map((id) => `DELETE FROM small WHERE id = ${id}`)
      .join('; ')}; ${upTo(900)
      .map((id) => `UPDATE customers SET town = 2 WHERE id = ${id}`)
      .join('; ')}`,
    /up to 900 rows of customers/,
  ],
  [
    `WITH ${deletes(1001)
      .map((sql, index) => `a${index} AS (${sql})`)
      .join(', ')} SELECT 1`,
    /up to 1,001 rows/,
  ],
  [`DO $$ BEGIN ${deletes(1001).join('; ')}; END $$`, /up to 1,001 rows of customers/],
  [
    `SELECT ${upTo(1001)
      .map((id) => `touch(${id})`)
      .join(', ')}`,
    /up to 1,001 rows of customers/,
  ],
  [
    upTo(12)
      .map(
        (n) =>
          `DELETE FROM customers WHERE id IN (${upTo(90)
            .map((k) => n * 90 + k)
            .join()})`,
      )
      .join('; '),
    /up to 1,080 rows/,
  ],
  [
    upTo(51)
      .map((id) => `DELETE FROM small WHERE id = ${id}; UPDATE small SET n = 1 WHERE id = ${id + 100}`)
      .join('; '),
    /up to 51 of the 500 rows of small/,
  ],
  [
    upTo(101)
      .map((id) => `INSERT INTO small VALUES (${id}, 1) ON CONFLICT (id) DO UPDATE SET n = 2`)
      .join('; '),
    /up to 101 of the 500 rows/,
  ],
];

t.test('many small statements in one text', async (t) => {
  const { person, connect, count } = await world(t);
  const client = await connect();
  for (const [index, [sql, says]] of texts.entries()) {
    const running = client.query(sql).then(
      () => 'ran',
      ({ code }) => code,
    );
    const seen = await Promise.race([person.sees(index + 1), running]);
    if (typeof seen === 'string') throw new Error(`not asked: ${sql.slice(0, 100)}`);
    t.match(seen.preview.why, says, sql.slice(0, 100));
    person.says(no);
    t.equal(await running, '42501');
    await client.query('ROLLBACK');
  }
  t.same([await count('customers'), await count('small')], [10_000, 500]);
  await client.query(deletes(60).join('; '));
  await client.query(`DO $$ BEGIN ${deletes(40).join('; ')}; END $$`);
  await client.query(
    `WITH ${deletes(30)
      .map((sql, n) => `a${n} AS (${sql})`)
      .join(', ')} SELECT 1`,
  );
  t.equal(person.shown.length, texts.length, 'a few in one text are nothing to ask about');
});

t.test('rows of a text count afterwards, however many statements it has', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  await client.query(`${'SELECT 1; '.repeat(200)}${deletes(600).join('; ')}`);
  const running = client
    .query(
      upTo(401)
        .map((id) => `DELETE FROM customers WHERE id = ${id + 600}`)
        .join('; '),
    )
    .catch(({ code }) => code);
  t.match((await person.sees(1)).preview.why, /up to 401 .*customers, after 600 rows/);
  person.says(no);
  t.equal(await running, '42501');
});

const named: readonly (readonly [prepare: string, each: (id: number) => string])[] = [
  ['PREPARE p (int) AS DELETE FROM small WHERE id = $1', (id) => `EXECUTE p(${id})`],
  ['PREPARE p (int) AS UPDATE small SET n = 1 WHERE id = $1', (id) => `EXECUTE p(${id})`],
];

t.test('what runs under a name', async (t) => {
  for (const [prepare, each] of named) {
    for (const extended of [false, true]) {
      const { person, connect } = await world(t);
      const client = await connect();
      await client.query(prepare);
      const execute = (id: number) =>
        client.query(extended ? { text: each(id), name: `s${id}` } : each(id)).catch(({ code }) => code);
      for (let id = 1; id <= 100; id++) await execute(id);
      t.equal(person.shown.length, 0);
      const next = execute(101);
      t.match((await person.sees(1)).preview.why, /of the \d+ rows of small, after 100 rows/, prepare);
      person.says(no);
      t.equal(await next, '42501');
    }
  }
});

t.test('few rows under a name are planned like any other', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  await client.query('PREPARE p (int) AS DELETE FROM customers WHERE id > $1');
  t.equal((await client.query('EXECUTE p(9990)')).rowCount, 10);
  t.equal(person.shown.length, 0);
  const running = client.query('EXECUTE p(5)').catch(({ code }) => code);
  t.match((await person.sees(1)).preview.why, /Deletes about 9,9\d5 of the 10,000/);
  person.says(no);
  t.equal(await running, '42501');
});

t.test('sent at once, before the server has answered any', async (t) => {
  const ways: Readonly<Record<string, (id: number) => Buffer>> = {
    'simple queries': (id) => query(`DELETE FROM small WHERE id = ${id}`),
    'one pipeline': (id) => run('DELETE FROM small WHERE id = $1', [`${id}`]),
    'a Sync after each': (id) => Buffer.concat([run('DELETE FROM small WHERE id = $1', [`${id}`]), sync()]),
  };
  for (const [name, message] of Object.entries(ways)) {
    const { person, raw, count } = await world(t);
    const client = await raw();
    await client.send(Buffer.concat([...upTo(150).map(message), sync()]));
    await person.sees(1);
    t.ok((await count('small')) >= 400, name);
    await client.hangUp();
  }
});

t.test('from clients that do not wait for the answer', async (t) => {
  const { person, connect, raw, count } = await world(t);
  for (let id = 1; id <= 130 && person.shown.length === 0; id++) {
    const client = await raw();
    await client.send(query(`DELETE FROM small WHERE id = ${id}`));
    await client.hangUp();
  }
  t.ok((await count('small')) >= 400);
  const client = await connect();
  await client.query('SELECT 1');
  t.ok((await count('small')) >= 400);
});

t.test('a row of the same number is another one: by another key, in another schema', async (t) => {
  const { person, connect } = await world(t);
  await server.query(`
    CREATE TABLE pair (a int PRIMARY KEY, b int UNIQUE, n int);
    INSERT INTO pair SELECT n, 501 - n, 0 FROM generate_series(1, 500) n;
    DROP SCHEMA IF EXISTS t1, t2 CASCADE; CREATE SCHEMA t1; CREATE SCHEMA t2;
    CREATE TABLE t1.users (id int PRIMARY KEY, n int); INSERT INTO t1.users SELECT n, 0 FROM generate_series(1, 60) n;
    CREATE TABLE t2.users (id int PRIMARY KEY, n int); INSERT INTO t2.users SELECT n, 0 FROM generate_series(1, 60) n;
    ANALYZE`);
  const client = await connect();
  await client.query('SELECT 1');
  const cases: readonly (readonly [one: string, other: string])[] = [
    ['UPDATE pair SET n = 1 WHERE a = $1', 'UPDATE pair SET n = 1 WHERE b = $1'],
    ['UPDATE t1.users SET n = 1 WHERE id = $1', 'UPDATE t2.users SET n = 1 WHERE id = $1'],
  ];
  let asked = 0;
  for (const [one, other] of cases) {
    for (let id = 1; id <= 50; id++) for (const text of [one, other]) await client.query({ text, values: [id] });
    t.equal(person.shown.length, asked);
    const next = client.query({ text: other, values: [51] }).catch(({ code }) => code);
    t.match((await person.sees(++asked)).preview.why, /after \d00 rows/, other);
    person.says(once);
    await next;
  }
});

t.test('an approval for the session is not asked for again, and starts no count anew', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  const mass = 'UPDATE customers SET town = 7 WHERE id > 8500';
  const first = client.query(mass);
  await person.sees(1);
  person.says(forSession);
  t.equal((await first).rowCount, 1500);
  for (let id = 1; id <= 900; id++) {
    await client.query('DELETE FROM customers WHERE id = $1', [id]);
    if (id % 300 === 0) await client.query(mass);
  }
  t.equal(person.shown.length, 1);
  const next = client.query('DELETE FROM customers WHERE id > 900 AND id <= 1100').catch(({ code }) => code);
  t.match((await person.sees(2)).preview.why, /after 900 rows/);
  person.says(no);
  t.equal(await next, '42501');
});

t.test('whoever approves has seen the sum, and it begins anew', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  for (const approved of ['DELETE FROM customers WHERE id > 9000', 'UPDATE counters SET n = 0']) {
    for (let id = 1; id <= 40; id++)
      await client.query('UPDATE small SET n = $2 WHERE id = $1', [id, person.shown.length]);
    const running = client.query(approved);
    const { preview } = await person.sees(person.shown.length + 1);
    t.match(
      JSON.stringify([preview.why, preview.impact]),
      /\d\d rows that this session has deleted or changed/,
      approved,
    );
    person.says(once);
    await running;
    const asked = person.shown.length;
    for (const [text, values] of ordinary(1)) await client.query({ text, values: [...values] });
    t.equal(person.shown.length, asked, 'small updates after it are small');
    await server.query('UPDATE small SET n = -1');
  }
});

/** What an application does all day: the same rows again, and new ones. */
function ordinary(turn: number): readonly (readonly [text: string, values: readonly unknown[]])[] {
  const day = "'2026-02-01'";
  return [
    ['UPDATE small SET n = $2 WHERE id = $1', [5, turn]],
    [`UPDATE small SET n = ${turn} WHERE id = 6`, []],
    [`UPDATE counters SET n = ${turn} WHERE name = 'c7'`, []],
    ['UPDATE small SET n = n + 1 WHERE id IN ($1, $2, 12)', [7, 8]],
    ['INSERT INTO counters (name, n) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = counters.n + 1', ['c9']],
    ["INSERT INTO counters (name, n) VALUES ('c9', 1) ON CONFLICT (name) DO UPDATE SET n = counters.n + 1", []],
    ['INSERT INTO counters (name, n) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = 0', [`new${turn}`]],
    [
      `INSERT INTO visits (site, day, n) VALUES ($1, ${day}, 1), ($2, ${day}, 1) ON CONFLICT (site, day) DO UPDATE SET n = visits.n + 1`,
      [1, 2],
    ],
    [
      'MERGE INTO counters c USING (VALUES ($1::text)) v (name) ON v.name = c.name WHEN MATCHED THEN UPDATE SET n = 1 WHEN NOT MATCHED THEN INSERT VALUES (v.name, 1)',
      [`merged${turn}`],
    ],
    [`UPDATE customers SET town = ${turn} WHERE code = 17`, []],
    ["UPDATE customers SET town = 1 WHERE name LIKE 'c77%' AND id = $1", [77]],
  ];
}

t.test('the same rows again and new rows are no further ones', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  await client.query('SELECT 1');
  person.present = (pending) => {
    person.shown.push(pending);
    return Promise.resolve(no);
  };
  for (let turn = 1; turn <= 120; turn++) {
    for (const [text, values] of ordinary(turn)) {
      await client.query({ text, values: [...values] }).catch(() => undefined);
      if (person.shown.length > 0) throw new Error(`asked in turn ${turn}: ${text}: ${person.shown[0]?.preview.why}`);
    }
  }
  t.pass('1,320 statements, nobody was asked');
});

t.test('an upsert that changes what is there counts, one that adds does not', async (t) => {
  const { person, connect, count } = await world(t);
  const client = await connect();
  await client.query('SELECT 1');
  const upsert = (name: string) =>
    client
      .query('INSERT INTO counters (name, n) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = -1', [name])
      .catch(({ code }) => code);
  for (let n = 1; n <= 100; n++) await upsert(`c${n}`);
  for (let n = 1; n <= 50; n++) await upsert(`added${n}`);
  t.equal(person.shown.length, 0);
  const next = upsert('c101');
  t.match((await person.sees(1)).preview.why, /1 of the 5\d\d rows of counters, after 100 rows/);
  t.equal(await count('counters WHERE n = -1'), 100, 'it was undone');
  person.says(no);
  t.equal(await next, '42501');
});
