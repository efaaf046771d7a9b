/** Many rows with a condition, in one statement or in many small ones: a person sees it before they are gone. */
import t, { type Test } from 'tap';
import { AnalysisBudget } from '../../src/sql/conditions/analysis-budget.js';
import { makesManyOfOne } from '../../src/sql/conditions/makes-rows.js';
import { loadGrammar } from '../../src/sql/grammar/grammar.js';
import { as } from '../../src/sql/grammar/tree.js';
import { startPostgres } from '../helpers/postgres.js';
import { no, once, startAttendedProxy } from './attended-proxy.js';

const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());

const shop = [
  `
  CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL, status text NOT NULL, town int, seen timestamptz);
  INSERT INTO customers SELECT n, 'C' || n || '@example.com', CASE WHEN n % 50 = 0 THEN 'new' ELSE 'old' END, n / 3, now() - n * interval '1 hour'
    FROM generate_series(1, 10000) n;
  CREATE TABLE orders (id int PRIMARY KEY, customer_id int, UNIQUE (customer_id, id));
  INSERT INTO orders SELECT n, n FROM generate_series(1, 10000) n;
  CREATE TABLE pick (id int);
  INSERT INTO pick SELECT generate_series(1, 5000);
  CREATE TABLE few (id int, name text);
  INSERT INTO few SELECT n, 'x' FROM generate_series(1, 80) n;
  CREATE FUNCTION purge(low int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM customers WHERE id > low; END $$;
  CREATE FUNCTION touch(which int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE customers SET town = 1 WHERE id = which; END $$;
  CREATE FUNCTION prune(low int) RETURNS SETOF int LANGUAGE sql AS $$ DELETE FROM few WHERE id > low RETURNING id $$;
  CREATE TABLE members (id int, name text);
  INSERT INTO members SELECT n, 'x' FROM generate_series(1, 80) n;
  ALTER TABLE members ENABLE ROW LEVEL SECURITY;
  CREATE FUNCTION prune_members(low int) RETURNS void LANGUAGE sql AS $$ DELETE FROM members WHERE id > low $$;
  CREATE TABLE twice (id int);
  DROP SCHEMA IF EXISTS elsewhere CASCADE;
  CREATE SCHEMA elsewhere;
  CREATE TABLE elsewhere.twice AS SELECT generate_series(1, 200) AS id;
  CREATE FUNCTION prune_twice(low int) RETURNS void LANGUAGE sql SET search_path = elsewhere AS $$ DELETE FROM twice WHERE id > low $$;
  CREATE TABLE fresh (id int, name text);
  INSERT INTO fresh SELECT n, 'x' FROM generate_series(1, 3000) n;
  CREATE VIEW shown AS SELECT * FROM fresh;
  CREATE FUNCTION prune_shown(low int) RETURNS void LANGUAGE sql AS $$ DELETE FROM shown WHERE id > low $$;`,
  'ANALYZE customers, orders, pick',
];

const world = (t: Test) => startAttendedProxy(t, server, shop, { catalogPollMs: 60_000 });

/** Twelve: 4,096 sets of them. */
const cubed = Array.from({ length: 12 }, (_, index) => `abs(${index})`).join(', ');

const mass: readonly [sql: string, says: RegExp][] = [
  ['DELETE FROM customers WHERE id > 2', /9,998 of the 10,000 rows of customers/],
  ['DELETE FROM customers WHERE id IN (SELECT id FROM pick)', /5,000 of the 10,000/],
  ['DELETE FROM customers USING orders WHERE orders.customer_id = customers.id', /10,000 of the 10,000/],
  ['DELETE FROM customers c WHERE EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id)', /10,000 of the 10,000/],
  ["DELETE FROM customers WHERE email LIKE 'C%'", /10,000/],
  ["DELETE FROM customers WHERE email LIKE '%@%'", /10,000/],
  ["UPDATE customers SET status = 'x' WHERE status = 'old'", /9,800 of the 10,000/],
  ['UPDATE customers SET town = 3 WHERE length(email) > 5 AND length(status) = 3', /10,000/],
  ['UPDATE customers SET town = 3 WHERE length(email) + 0 > town - 100000 AND md5(email) <> status', /customers/],
  ['MERGE INTO customers c USING pick p ON p.id = c.id WHEN MATCHED THEN UPDATE SET town = 0', /5,000/],
  ['MERGE INTO customers c USING pick p ON p.id = c.id WHEN MATCHED THEN DELETE', /5,000/],
  ...['generate_series(1, 5000)', 'generate_series(1, 5000)::bigint', '0 + generate_series(1, 5000)'].map(
    (rows): [string, RegExp] => [
      `MERGE INTO customers c USING (SELECT ${rows} AS id) s ON s.id = c.id WHEN MATCHED THEN UPDATE SET town = 0`,
      /5,000|every row/,
    ],
  ),
  [
    `UPDATE customers c SET town = 0 FROM (SELECT grouping(${cubed}) AS id GROUP BY CUBE (${cubed})) s WHERE s.id = c.id`,
    /customers/,
  ],
  ['WITH gone AS (DELETE FROM customers WHERE id > 2 RETURNING 1) SELECT count(*) FROM gone', /9,998|10,000/],
  [
    "INSERT INTO customers (id, email, status) SELECT id, 'x', 'y' FROM pick WHERE id > 100 ON CONFLICT (id) DO UPDATE SET email = 'x'",
    /4,9\d\d|5,000/,
  ],
  ['SELECT purge(2)', /nobody can tell how many: it happens in code/],
  ['SELECT prune_members(70)', /it happens in code/],
  ['SELECT prune_shown(70)', /it happens in code|rows of/],
  ['SELECT prune_twice(70)', /it happens in code/],
  ['DO $$ BEGIN FOR i IN 1..5000 LOOP DELETE FROM customers WHERE id = i; END LOOP; END $$', /it happens in code/],
  [
    'DO $$ DECLARE c CURSOR FOR SELECT * FROM customers FOR UPDATE; BEGIN FOR r IN c LOOP DELETE FROM customers WHERE CURRENT OF c; END LOOP; END $$',
    /it happens in code/,
  ],
  ['DELETE FROM fresh WHERE id > 5', /2,995 of the 3,000/],
  ["DELETE FROM fresh WHERE name || '' = 'x' AND id + 0 <> 1", /fresh/],
  ['BEGIN; DELETE FROM customers WHERE id > 2; COMMIT', /9,998/],
  ['SELECT touch(id) FROM pick', /in code/],
  // what each of them lets through looks rare, what all of them let through is everything
  [
    `DELETE FROM customers WHERE email LIKE 'C%' AND email LIKE '%@%' AND email LIKE '%e%' AND email LIKE '%x%' AND email LIKE '%.com' AND email LIKE '%am%' AND email LIKE '%ple%'`,
    /10,000/,
  ],
];

t.test('a condition that holds for many rows is asked about', async (t) => {
  const { person, connect, count } = await world(t);
  const client = await connect();
  let asked = 0;
  for (const [sql, says] of mass) {
    const running = client.query(sql).catch(({ code }) => code);
    const { preview } = await person.sees(++asked).catch(async () => {
      await running;
      throw new Error(`not asked: ${sql}`);
    });
    t.match(preview.why, says, sql);
    person.says(no);
    t.equal(await running, '42501', sql);
    await client.query('ROLLBACK');
  }
  t.equal(await count('customers'), 10_000);
  t.equal(await count('fresh'), 3_000);
});

const ordinary: readonly (readonly [sql: string, values?: readonly unknown[]])[] = [
  ['UPDATE customers SET town = 1 WHERE id = $1', [5]],
  ['UPDATE customers SET town = 1 WHERE id = 6'],
  ['DELETE FROM customers WHERE id IN (7, 8, 9)'],
  ['DELETE FROM orders WHERE customer_id = $1 AND id = $2', [4, 4]],
  ['DELETE FROM customers WHERE id = (SELECT id FROM customers ORDER BY seen LIMIT 1)'],
  ['UPDATE customers SET town = v.town FROM (VALUES (1, 2), (2, 3)) v (id, town) WHERE v.id = customers.id'],
  ['UPDATE customers SET status = $1 WHERE town = $2', ['x', 900]],
  ["DELETE FROM customers WHERE seen > now() - interval '5 hours'"],
  ['UPDATE customers SET status = $2 WHERE lower(email) = $1', ['c77@example.com', 'x']],
  ["UPDATE customers SET status = 'new' WHERE id = ANY ($1)", [[11, 12, 13]]],
  ["DELETE FROM few WHERE name = 'x'"],
  ["UPDATE fresh SET name = 'y' WHERE id < 20"],
  [
    'INSERT INTO customers (id, email, status) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET email = excluded.email',
    [1, 'a', 'b'],
  ],
  ['SELECT touch(3)'],
  ['SELECT prune(75)'],
  ['SELECT * FROM prune($1)', [70]],
  ['DO $$ BEGIN DELETE FROM few WHERE id > 60; END $$'],
  ["WITH one AS (UPDATE customers SET status = 'x' WHERE id = 20 RETURNING *) SELECT * FROM one"],
  ['MERGE INTO customers c USING (VALUES (21)) v (id) ON c.id = v.id WHEN MATCHED THEN UPDATE SET town = 0'],
];

t.test('whatever of PostgreSQL’s own returns a set is taken for no single row', async (t) => {
  const grammar = await loadGrammar();
  const makesMany = (value: string): boolean => {
    const parsed = grammar.parse(`SELECT ${value}`);
    const [statement] = 'tree' in parsed ? (parsed.tree.stmts ?? []) : [];
    const select = as(statement?.stmt, 'SelectStmt');
    return select === undefined || makesManyOfOne(select, new AnalysisBudget());
  };
  const sets = `SELECT DISTINCT proname AS name FROM pg_proc WHERE proretset AND pronamespace = 'pg_catalog'::regnamespace`;
  const rows = await server.query(sets);
  t.ok(rows.length > 80);
  for (const call of rows.map(({ name }) => `${name}(1)`)) {
    for (const value of [
      call,
      `${call}::text`,
      `1 + ${call}`,
      `coalesce(NULL, ${call})`,
      `(${call}).key`,
      `abs(${call})`,
    ])
      t.ok(makesMany(value), value);
  }
  const operators = `SELECT DISTINCT oprname AS name FROM pg_operator JOIN pg_proc p ON p.oid = oprcode WHERE proretset`;
  t.same(await server.query(operators), []);
  for (const value of ['1', 'lower($1)', '$1::int', "'a' || $2", '-$1', 'now()', '(SELECT max(id) FROM a)'])
    t.notOk(makesMany(value), value);
});

t.test('few rows are not', async (t) => {
  for (const simple of [true, false]) {
    const { person, connect } = await world(t);
    const client = await connect();
    for (const [text, values] of ordinary) {
      if (simple && values) continue;
      await client.query(values || !simple ? { text, values: [...(values ?? [])] } : text);
      t.equal(person.shown.length, 0, text);
    }
  }
});

const batches: readonly (readonly [sql: string, values?: readonly unknown[]])[] = [
  ['DELETE FROM queue WHERE id IN (SELECT id FROM queue WHERE kind = 1 ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED)'],
  ['DELETE FROM queue WHERE id IN (SELECT id FROM queue WHERE kind = $1 LIMIT $2)', [1, 10]],
  ['UPDATE queue SET kind = 2 FROM (SELECT id FROM queue ORDER BY id LIMIT 5) next WHERE queue.id = next.id'],
  [
    'WITH next AS (SELECT id FROM queue LIMIT 5 FOR UPDATE SKIP LOCKED) UPDATE queue SET kind = 2 FROM next WHERE next.id = queue.id RETURNING queue.*',
  ],
];
const largeBatches: typeof batches = [
  ['DELETE FROM queue WHERE id IN (SELECT id FROM queue ORDER BY id LIMIT 1500 FOR UPDATE SKIP LOCKED)'],
  ['DELETE FROM queue WHERE id IN (SELECT id FROM queue WHERE kind = $1 LIMIT $2)', [1, 1500]],
  ['DELETE FROM queue WHERE kind IN (SELECT kind FROM queue LIMIT 1)'],
  ['UPDATE queue SET kind = 2 FROM (SELECT kind FROM queue LIMIT 1) next WHERE queue.kind = next.kind'],
  // the LIMIT is for each row
  ['DELETE FROM queue q WHERE id IN (SELECT q.id FROM queue LIMIT 1)'],
];

t.test('batches of a queue whose statistics are old: the LIMIT says how many', async (t) => {
  const queue =
    'CREATE TABLE queue (id int PRIMARY KEY, kind int) WITH (autovacuum_enabled = off); ANALYZE queue; INSERT INTO queue SELECT n, 1 FROM generate_series(1, 4000) n';
  const { person, connect, count } = await startAttendedProxy(t, server, [...shop, queue], { catalogPollMs: 60_000 });
  const client = await connect();
  for (const [text, values] of batches) {
    await client.query({ text, values: [...(values ?? [])] });
    t.equal(person.shown.length, 0, text);
  }
  t.equal(await count('queue'), 3980);
  for (const [index, [text, values]] of largeBatches.entries()) {
    const running = client.query({ text, values: [...(values ?? [])] }).catch(({ code }) => code);
    await person.sees(index + 1);
    person.says(no);
    t.equal(await running, '42501', text);
  }
  t.equal(await count('queue'), 3980);
});

t.test('code that works on a small table all day is not asked about', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  for (let round = 0; round < 30; round++) await client.query('SELECT * FROM prune($1)', [75 + (round % 2)]);
  t.equal(person.shown.length, 0);
});

const everyOrOne: readonly (readonly [sql: string, whole: readonly unknown[]])[] = [
  ["UPDATE TABLE SET name = 'y' WHERE CASE WHEN $1 = '*' THEN true ELSE name = $1 END", ['*']],
  ["UPDATE TABLE SET name = 'y' WHERE $1 = '*' OR name = $1", ['*']],
  ["UPDATE TABLE SET name = 'y' WHERE $1::text IS NULL OR name = $1", [null]],
  ["UPDATE TABLE SET name = 'y' WHERE ($1::bool OR name = 'x') AND ($1 IS NOT NULL OR id = 3)", [true]],
];
const always: readonly (readonly [sql: string, values?: readonly unknown[]])[] = [
  ['DELETE FROM few'],
  ["DELETE FROM few WHERE $1 = '*' OR name = $1", ['*']],
  ["UPDATE few SET name = 'y'"],
  ["UPDATE few SET name = 'y' WHERE true"],
  ["UPDATE few SET name = 'y' WHERE id = id"],
  ["UPDATE few SET name = 'y' WHERE $1 = $1 OR name = $1", ['x']],
  ["UPDATE few SET name = 'y' WHERE $1 = '*'", ['*']],
  ["UPDATE few SET name = 'y' WHERE true OR name = $1", ['x']],
];

t.test('one row or all, as a parameter says: a small table is not asked about, a large one is', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  const ask = async (text: string, values: readonly unknown[] = []) => {
    const seen = person.shown.length + 1;
    const running = client.query({ text, values: [...values] }).catch(({ code }) => code);
    const { preview } = await person.sees(seen);
    person.says(no);
    t.equal(await running, '42501', text);
    return preview;
  };
  for (const [sql, whole] of everyOrOne) {
    const text = sql.replace('TABLE', 'few');
    t.equal((await client.query({ text, values: [...whole] })).rowCount, 80, text);
    await client.query({ text, values: [whole[0] === true ? false : 'nobody'] });
    t.equal(person.shown.length, 0, text);
    await server.query("UPDATE few SET name = 'x'");
  }
  for (const [sql, whole] of everyOrOne) {
    const { why } = await ask(sql.replace('TABLE', 'fresh'), whole);
    t.match(why, /Changes every row of fresh/, sql);
  }
  for (const [sql, values] of always) t.match((await ask(sql, values)).why, /every row of few/, sql);
  // what the statistics say is old: the table has grown behind them
  await server.query('ANALYZE few; ALTER TABLE few SET (autovacuum_enabled = off)');
  await server.query("INSERT INTO few SELECT n, 'x' FROM generate_series(81, 5000) n");
  const [[sql = '', whole] = ['']] = everyOrOne;
  await ask(sql.replace('TABLE', 'few'), whole);
});

t.test('what the server would refuse is left to the server', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  await t.rejects(client.query("DELETE FROM customers WHERE nosuch > 'x'"), { code: '42703' });
  await t.rejects(client.query('DELETE FROM nosuch WHERE id > 5'), { code: '42P01' });
  await client.query('BEGIN');
  await t.rejects(client.query('DELETE FROM customers WHERE nosuch > 5'), { code: '42703' });
  await t.rejects(client.query('DELETE FROM customers WHERE id > 5'), { code: '25P02' });
  await client.query('ROLLBACK');
  t.equal(person.shown.length, 0);
});

t.test('the same prepared statement with other values is another question', async (t) => {
  const { person, connect } = await world(t);
  const client = await connect();
  const run = (low: number) =>
    client.query({ name: 'd', text: 'DELETE FROM customers WHERE id > $1', values: [low] }).catch(({ code }) => code);
  t.equal((await run(9990)).rowCount, 10);
  t.equal((await run(9990)).rowCount, 0);
  const running = run(2);
  t.match((await person.sees(1)).preview.why, /9,988 of the 10,000|9,988 of the 9,990/);
  person.says(once);
  t.equal((await running).rowCount, 9988);
});

t.test('many small statements are one large one', async (t) => {
  const { person, connect, count } = await world(t);
  const [one, two] = [await connect(), await connect()];
  let ran = 0;
  const remove = async (id: number) => {
    const client = id % 2 === 0 ? one : two;
    const code = await client.query('DELETE FROM customers WHERE id = $1', [id]).then(
      () => 'ran',
      ({ code }) => code,
    );
    if (code === 'ran') ran++;
    return code;
  };
  for (let id = 1; id <= 1000; id++) await remove(id);
  t.equal(person.shown.length, 0);
  t.equal(ran, 1000);
  const next = remove(1001);
  t.match((await person.sees(1)).preview.why, /after 1,000 rows that this session has deleted or changed before/);
  person.says(no);
  t.equal(await next, '42501');
  const again = remove(1002);
  await person.sees(2);
  person.says(once);
  t.equal(await again, 'ran');
  t.equal(await remove(1003), 'ran', 'whoever approved has seen the sum: it begins anew');
  t.equal(await count('customers'), 10_000 - 1002);
});

t.test('a tenth of a table, in steps; what is rolled back does not count; the same row is no other', async (t) => {
  const { person, connect } = await world(t);
  await server.query(
    'CREATE TABLE small (id int PRIMARY KEY, n int); INSERT INTO small SELECT n, 0 FROM generate_series(1, 500) n; ANALYZE small',
  );
  const client = await connect();
  await client.query('SELECT 1');
  for (let turn = 0; turn < 3; turn++) {
    await client.query('BEGIN');
    for (let id = 1; id <= 90; id++) await client.query('UPDATE small SET n = $2 WHERE id = $1', [id, turn]);
    await client.query('ROLLBACK');
  }
  for (let turn = 0; turn < 3; turn++) {
    for (let id = 1; id <= 90; id++) await client.query('UPDATE small SET n = $2 WHERE id = $1', [id, turn]);
  }
  await client.query('BEGIN');
  await client.query('SAVEPOINT s');
  for (let id = 91; id <= 99; id++) await client.query('DELETE FROM small WHERE id = $1', [id]);
  await client.query('ROLLBACK TO s');
  await client.query('COMMIT');
  for (let id = 91; id <= 100; id++) await client.query(`DELETE FROM small WHERE id = ${id}`);
  t.equal(person.shown.length, 0);
  const next = client.query('DELETE FROM small WHERE id = 101').catch(({ code }) => code);
  t.match(
    (await person.sees(1)).preview.why,
    /1 of the 4\d\d rows of small, after 100 rows|1 of the 500 rows of small, after 100/,
  );
  person.says(no);
  t.equal(await next, '42501');
});

t.test('a cursor in a loop', async (t) => {
  const { person, connect, count } = await world(t);
  const client = await connect();
  await client.query('BEGIN');
  await client.query('DECLARE c CURSOR FOR SELECT * FROM customers FOR UPDATE');
  let asked: Promise<unknown> | undefined;
  for (let row = 1; row <= 1001; row++) {
    await client.query('FETCH c');
    asked = client.query('DELETE FROM customers WHERE CURRENT OF c').catch(({ code }) => code);
    if (row <= 1000) await asked;
  }
  t.match((await person.sees(1)).preview.why, /after 1,000 rows/);
  person.says(no);
  t.equal(await asked, '42501');
  await client.query('ROLLBACK');
  t.equal(await count('customers'), 10_000);
});

t.test('rows that refer to those of a key count as well', async (t) => {
  const { person, connect, count } = await world(t);
  await server.query(`
    CREATE TABLE tenants (id int PRIMARY KEY, code int UNIQUE, name text);
    INSERT INTO tenants SELECT n, n FROM generate_series(1, 20) n;
    CREATE TABLE users (id int PRIMARY KEY, tenant int REFERENCES tenants ON DELETE CASCADE, code int REFERENCES tenants (code) ON UPDATE CASCADE);
    INSERT INTO users SELECT n, 1 + n % 2, CASE WHEN n % 2 = 0 THEN 3 END FROM generate_series(1, 3000) n;
    INSERT INTO users SELECT n, 11 + n % 8 FROM generate_series(10001, 13000) n;
    CREATE TABLE posts (author int REFERENCES users ON DELETE CASCADE);
    INSERT INTO posts SELECT n FROM generate_series(1, 3000) n;
    CREATE VIEW seen AS SELECT * FROM tenants;
    CREATE FUNCTION leave(which int) RETURNS void LANGUAGE sql AS 'DELETE FROM tenants WHERE id = which';
    ANALYZE`);
  const client = await connect();
  await client.query('SELECT 1');
  await client.query('DELETE FROM tenants WHERE id = 20');
  await client.query("UPDATE tenants SET name = 'x' WHERE id = 1");
  t.equal(person.shown.length, 0, 'nothing refers to it, nothing is passed on');
  const many: readonly (readonly [sql: string, values?: 'values'])[] = [
    ['DELETE FROM tenants WHERE id = 1'],
    ['DELETE FROM tenants WHERE id = $1', 'values'],
    ['DELETE FROM tenants WHERE id IN (1, 2)'],
    ['DELETE FROM seen WHERE id = 1'],
    ['SELECT leave(1)'],
    ['WITH gone AS (DELETE FROM tenants WHERE id = 1 RETURNING *) SELECT * FROM gone'],
    ['MERGE INTO tenants USING (VALUES (1)) v (id) ON v.id = tenants.id WHEN MATCHED THEN DELETE'],
    ['UPDATE tenants SET code = 100 WHERE id = 3'],
  ];
  let asked = 0;
  for (const block of [false, true]) {
    if (block) await client.query('BEGIN');
    for (const [sql, values] of many) {
      // what was denied a moment ago is not asked about again
      const text = block ? sql.replaceAll(/(?<!\$)1/g, '2') : sql;
      const running = client.query({ text, values: values ? [block ? 2 : 1] : [] }).catch(({ code }) => code);
      t.match((await person.sees(++asked)).preview.why, /[13],[05]00 rows of users/, `${text}, block: ${block}`);
      person.says(no);
      t.equal(await running, '42501', text);
      if (block) await client.query('ROLLBACK AND CHAIN');
    }
    if (block) await client.query('ROLLBACK');
  }
  t.equal(await count('users'), 6000);
  for (const id of [11, 12]) await client.query('DELETE FROM tenants WHERE id = $1', [id]);
  t.equal(person.shown.length, asked, 'a few hundred of them are fine');
  const third = client.query('DELETE FROM tenants WHERE id = $1', [13]).catch(({ code }) => code);
  t.match(
    (await person.sees(++asked)).preview.why,
    /after 752 rows|really changed or deleted 375 rows/,
    'the budget counts them too',
  );
  person.says(no);
  t.equal(await third, '42501');
});

t.test('the size of a table is that of what the statement changes', async (t) => {
  const { person, connect, count } = await world(t);
  await server.query(`
    CREATE TABLE animals (id int, name text);
    CREATE TABLE dogs (breed text) INHERITS (animals);
    INSERT INTO dogs SELECT n, 'd' || n, 'x' FROM generate_series(1, 5000) n;
    CREATE TABLE other.customers (id int, low int);
    INSERT INTO other.customers VALUES (1, 2);
    CREATE TABLE events (day int, kind int) PARTITION BY RANGE (day);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (50);
    CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (50) TO (100);
    INSERT INTO events SELECT n % 100, n FROM generate_series(1, 5000) n;
    ANALYZE`);
  const client = await connect();
  const many: readonly [string, RegExp][] = [
    ["DELETE FROM animals WHERE name LIKE 'd%'", /5,000 of the 5,000/],
    ['DELETE FROM customers c USING other.customers o WHERE c.id > o.low', /9,998 of the 10,000/],
    ['DELETE FROM public.customers c USING other.customers o WHERE c.id > o.low', /9,998 of the 10,000/],
    ['DELETE FROM events WHERE day < 50', /2,500 of the 5,000/],
    ['DELETE FROM events_1 WHERE kind > 10', /2,49\d of the 2,500/],
  ];
  for (const [index, [sql, says]] of many.entries()) {
    const running = client.query(sql).catch(({ code }) => code);
    t.match((await person.sees(index + 1)).preview.why, says, sql);
    person.says(no);
    t.equal(await running, '42501', sql);
  }
  t.equal(await count('animals'), 5000);
});
