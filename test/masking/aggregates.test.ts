/** What `aggregates` of a mask lets through, what it hides, and what is recorded of it. */
import t from 'tap';
import { SessionMasks } from '../../src/masking/session-masks.js';
import { type Result, startMaskedDatabase } from './database.js';

const yaml = `version: 1
mask:
  - { column: staff.salary, with: round, to: 1000, aggregates: allow }
  - { column: staff.bonus, with: 'null' }
  - { column: pay.amount, with: 'null', aggregates: { min_group: 5 } }
  - { column: pay.hours, with: 'null', aggregates: { min_group: 3 } }
  - { column: pay.card, with: 'null' }
  - { column: staff.code, with: partial, keep: 2, aggregates: allow }
  - { column: staff.card, with: partial, keep: 2 }
`;

const schema = `
  CREATE TABLE staff (id int PRIMARY KEY, dept text, salary int, bonus int, code text, card text);
  INSERT INTO staff SELECT n, 'd' || n % 2, 50123 + n * 1111, 70123 + n * 1111, 'CANARY-c' || n, 'CANARY-k' || n FROM generate_series(1, 6) n;
  CREATE FUNCTION rich(amount int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT amount > 52000';
  CREATE FUNCTION twice(amount int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT amount * 2';
  CREATE FUNCTION lead(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT reverse($1)';
  CREATE SCHEMA mine;
  CREATE VIEW wages AS SELECT dept, sum(salary) AS paid, sum(bonus) AS extra, max(salary) AS most FROM staff GROUP BY dept;
  CREATE TABLE pay (id int, dept text, amount int, hours int, card int, base int);
  INSERT INTO pay SELECT n, CASE WHEN n <= 6 THEN 'big' ELSE 'small' END, 70000 + n, 40 + n, n, n FROM generate_series(1, 8) n;
  INSERT INTO pay SELECT n, 'empty', CASE WHEN n = 20 THEN 71234 END, 1, 1, 1 FROM generate_series(20, 29) n;
  CREATE VIEW wide AS SELECT p.* FROM pay p, generate_series(1, 9);
  CREATE SCHEMA own;
  CREATE FUNCTION own.count(int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 99::bigint';
  CREATE TABLE noted (what text, total bigint);
`;

const database = await startMaskedDatabase(yaml, schema);
t.teardown(() => database.stop());

const shown = ({ rows, denied, errors, copy }: Result): string =>
  [denied, ...errors, copy, ...rows.map((row) => row.map((cell) => cell?.toString('latin1') ?? 'NULL').join('|'))]
    .filter(Boolean)
    .join('\n');

/** Nothing but NULL, in arrays too. */
const hidden = /^([{]?NULL[}|,\n]*)+$/;

async function both(sql: string): Promise<{ raw: string; masked: string }> {
  const client = await database.connect();
  try {
    return { raw: shown(await client.query(sql, { raw: true })), masked: shown(await client.query(sql)) };
  } finally {
    client.close();
  }
}

t.test('allow: sums, lengths and comparisons are shown as they are', async (t) => {
  for (const sql of [
    'SELECT dept, sum(salary), avg(salary), stddev(salary), variance(salary), count(DISTINCT salary) FROM staff GROUP BY 1 ORDER BY 1',
    'SELECT round(avg(salary), 2), sum(salary) / count(*) + 1 FROM staff',
    'SELECT id, salary > 53000, salary BETWEEN 1 AND 52000, salary IN (51234), NOT salary < 9 FROM staff ORDER BY id',
    'SELECT id, salary IS DISTINCT FROM 51234, salary = ANY (ARRAY[51234]) FROM staff ORDER BY id',
    `SELECT id, CASE WHEN salary > 53000 THEN 'high' ELSE 'low' END FROM staff ORDER BY id`,
    'SELECT id, sum(salary) OVER (ORDER BY id), avg(salary) FILTER (WHERE id > 2) OVER () FROM staff ORDER BY id',
    `SELECT length(code), octet_length(code), code LIKE 'CANARY%', code ~ 'c1$', starts_with(code, 'C') FROM staff`,
    'SELECT bool_or(salary > 53000), corr(salary, id), every(code IS NOT NULL) FROM staff',
    'SELECT id, rich(salary) FROM staff ORDER BY id',
    'SELECT dept, paid FROM wages ORDER BY 1',
    'SELECT json_agg(json_build_object($$dept$$, dept, $$paid$$, paid) ORDER BY dept) FROM wages',
    'COPY (SELECT dept, sum(salary) FROM staff GROUP BY 1 ORDER BY 1) TO STDOUT',
  ]) {
    const { raw, masked } = await both(sql);
    t.equal(masked, raw, sql);
  }
});

t.test('allow: what gives back a value is masked like the value', async (t) => {
  const rounded = await both('SELECT min(salary), max(salary), any_value(salary) FROM staff WHERE id = 1');
  t.equal(rounded.masked, '51000|51000|51000');
  const parts = await both('SELECT min(code), first_value(code) OVER () FROM staff WHERE id = 1 GROUP BY code');
  t.equal(parts.masked, '*******c1|*******c1');
  for (const sql of [
    'SELECT salary + 0, -salary, abs(salary), salary::text, twice(salary) FROM staff WHERE id = 1',
    'SELECT sum(salary) + min(salary) FROM staff WHERE id = 1',
    'SELECT nullif(salary, 1), greatest(salary, 1), coalesce(salary, 1) + 0 FROM staff WHERE id = 1',
    'SELECT array_agg(salary + 0), string_agg(reverse(code), $$,$$), percentile_cont(0.5) WITHIN GROUP (ORDER BY salary) FROM staff',
    'SELECT CASE WHEN salary > 1 THEN salary + 0 END FROM staff WHERE id = 1',
    `SELECT lead(code, 'x') FROM staff WHERE id = 1`,
    'SELECT lag(salary + 1) OVER (ORDER BY id), lag(salary, 1, bonus) OVER (ORDER BY id) FROM staff',
  ]) {
    const { masked } = await both(sql);
    t.match(masked, hidden, sql);
  }
});

t.test('hide, which holds where nothing is said: a number of values, and nothing else', async (t) => {
  const counted = await both('SELECT dept, count(bonus), count(DISTINCT card) FROM staff GROUP BY 1 ORDER BY 1');
  t.equal(counted.masked, counted.raw);
  for (const sql of [
    'SELECT sum(bonus), avg(bonus), stddev(bonus), min(bonus), max(bonus) FROM staff',
    'SELECT bonus > 71000, bonus = 71234, bonus BETWEEN 1 AND 2 FROM staff WHERE id = 1',
    `SELECT length(card), card LIKE 'C%', CASE WHEN bonus > 1 THEN 'a' END FROM staff WHERE id = 1`,
    'SELECT sum(bonus) OVER (), bool_or(bonus > 71000) OVER (), rich(bonus) FROM staff WHERE id = 1',
    'SELECT extra FROM wages',
    'SELECT sum(salary + bonus), salary > bonus FROM staff WHERE id = 1 GROUP BY salary, bonus',
  ]) {
    const { masked } = await both(sql);
    t.match(masked, hidden, sql);
  }
  const least = await both('SELECT min(card), max(card) FROM staff');
  t.equal(least.masked, '*******k1|*******k6');
});

t.test('what is not shown is not copied either', async (t) => {
  const allowed = await both(`INSERT INTO noted SELECT 'x', sum(salary) FROM staff`);
  t.equal(allowed.masked, '');
  for (const sql of [
    `INSERT INTO noted SELECT 'x', sum(bonus) FROM staff`,
    `INSERT INTO noted SELECT 'x', max(salary) FROM staff`,
    'CREATE TABLE mine.copied AS SELECT id, bonus > 71000 AS rich FROM staff',
  ])
    t.match((await both(sql)).masked, /masked columns/, sql);
});

t.test('every use is named as inference', async (t) => {
  const masks = new SessionMasks(database.masker);
  const inferred = (sql: string): readonly string[] => {
    const plan = masks.planFor(sql, ['public']);
    return plan.kind === 'mask' ? plan.inferred : [];
  };
  for (const sql of [
    'SELECT sum(salary) FROM staff',
    'SELECT salary > 1 FROM staff',
    'SELECT 1 FROM staff WHERE salary > 1',
    'SELECT count(salary) FROM staff',
    'SELECT dept FROM staff GROUP BY dept, salary HAVING max(salary) > 1',
    'SELECT id FROM staff ORDER BY salary',
    'SELECT paid FROM wages',
    'SELECT count(*) FILTER (WHERE salary > 1) FROM staff',
    'SELECT rich(salary) FROM staff',
    'SELECT count(*) FROM generate_series(1, (SELECT salary FROM staff LIMIT 1))',
    'SELECT id FROM staff LIMIT (SELECT salary FROM staff LIMIT 1)',
  ])
    t.same(inferred(sql), ['public.staff.salary'], sql);
  t.same(inferred('SELECT id, salary FROM staff'), []);
});

t.test('min_group: rows of large groups are shown, with their count beside them', async (t) => {
  const shownRows = (sql: string) => both(sql).then(({ masked }) => masked);
  t.equal(
    await shownRows('SELECT dept, avg(amount)::int, count(amount) FROM pay GROUP BY dept ORDER BY dept'),
    'big|70004|6\nempty|NULL|1\nsmall|NULL|2',
  );
  t.equal(
    await shownRows(
      'SELECT sum(p.amount), count(p.amount) FROM pay p WHERE dept = $$big$$ HAVING count(*) > 1 LIMIT 1',
    ),
    '420021|6',
  );
  t.equal(
    await shownRows(
      'SELECT dept, round(avg(amount), 1), sum(hours) / 2, count(hours) h, count(amount) a FROM pay GROUP BY 1 ORDER BY 1',
    ),
    'big|70003.5|130|6|6\nempty|NULL|5|10|1\nsmall|NULL|NULL|2|2',
  );
  t.equal(await shownRows('SELECT sum(amount + 0), count(amount) FROM pay'), 'NULL|9');
});

t.test('min_group: in binary too', async (t) => {
  const client = await database.connect();
  t.teardown(() => client.close());
  const sums = async (sql: string, describe: boolean) =>
    (await client.query(sql, { formats: [1], describe })).rows
      .map((row) => row.at(-2))
      .map((sum) => sum && Number(sum.readBigInt64BE()));
  const grouped = 'SELECT dept, sum(amount), count(amount) FROM pay GROUP BY dept ORDER BY dept';
  t.strictSame(await sums(grouped, true), [420021, null, null]);
  t.strictSame(await sums(grouped, false), [420021, null, null]);
});

t.test('min_group: what would take one value out of a group is hidden', async (t) => {
  const ways = [
    'SELECT sum(amount) FROM pay WHERE dept = $$big$$',
    'SELECT sum(amount), count(*) FROM pay WHERE dept = $$empty$$',
    'SELECT sum(amount), count(hours) FROM pay WHERE dept = $$empty$$',
    'SELECT sum(amount), count(amount) FROM pay WHERE id = 7',
    'SELECT sum(amount), count(amount) FROM pay, generate_series(1, 9) WHERE id = 7',
    'SELECT sum(amount), count(amount) FROM wide WHERE id = 7',
    'SELECT sum(amount), count(amount) FROM (SELECT amount FROM pay WHERE id = 7 UNION ALL SELECT NULL FROM pay) x',
    'WITH pay AS (SELECT p.amount FROM public.pay p, generate_series(1, 9) WHERE p.id = 7) SELECT sum(amount), count(amount) FROM pay',
    'SELECT sum(amount) FILTER (WHERE id = 7), count(amount) FROM pay',
    'SELECT sum(CASE WHEN id = 7 THEN amount END), count(amount) FROM pay',
    'SELECT sum(amount * (id = 7)::int), count(amount) FROM pay',
    'SELECT sum(DISTINCT amount), count(amount) FROM pay WHERE id < 7',
    'SELECT sum(amount) OVER (ORDER BY id), count(amount) OVER () FROM pay',
    'SELECT (SELECT sum(amount) FROM pay WHERE id = 7), count(amount) FROM pay',
    'SELECT sum(amount) - (SELECT sum(amount) FROM pay WHERE id <> 7), count(amount) FROM pay',
    'SELECT dept, sum(amount), count(amount) FROM pay GROUP BY ROLLUP (dept)',
    'SELECT sum(amount), count(amount) FROM pay GROUP BY amount',
    'SELECT sum(amount), count(amount), amount > 0 FROM pay GROUP BY 3',
    'SELECT min(amount), max(amount), count(amount) FROM pay',
    'SELECT max(amount) - sum(amount), count(amount) FROM pay',
    'SELECT sum(amount), 99 AS count FROM pay WHERE id = 7',
    'SELECT sum(amount), own.count(min(id)) FROM pay WHERE id = 7',
    'SELECT sum(amount), own.count(id) FROM pay WHERE id = 7 GROUP BY id',
    'SELECT amount > 70001, count(amount) FROM pay WHERE id = 1 GROUP BY amount',
    'SELECT string_agg(amount::text, $$,$$), array_agg(amount), count(amount) FROM pay',
    'SELECT sum(amount + card), count(card), count(amount) FROM pay',
    'SELECT json_build_object($$s$$, sum(amount)) FROM pay WHERE id = 7',
    'SELECT sum(amount), count(amount) FROM pay WHERE id < 7 UNION ALL SELECT sum(amount), 6 FROM pay WHERE id = 7',
    'SELECT sum(amount), count(amount) FROM pay WHERE id < 7; SELECT sum(amount), count(amount) FROM pay WHERE id < 6',
    'COPY (SELECT sum(amount), count(amount) FROM pay WHERE id = 7) TO STDOUT',
    'DECLARE c CURSOR WITH HOLD FOR SELECT sum(amount), count(amount) FROM pay WHERE id = 7; FETCH ALL FROM c; CLOSE c',
    'PREPARE s AS SELECT sum(amount), count(amount) FROM pay WHERE id = 7; EXECUTE s; DEALLOCATE s',
  ];
  for (const sql of ways) {
    const { masked } = await both(sql);
    t.notMatch(masked, /7\d{4}|\d{6}|\bt\b|\bf\b/, sql);
  }
  t.match((await both('CREATE TABLE own.copied AS SELECT sum(amount) FROM pay')).masked, /masked columns/);
});
