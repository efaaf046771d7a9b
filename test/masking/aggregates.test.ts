/** What `aggregates` of a mask lets through, what it hides, and what is recorded of it. */
import t from 'tap';
import { type Result, startMaskedDatabase } from './database.js';

const yaml = `version: 1
mask:
  - { column: staff.salary, with: round, to: 1000, aggregates: allow }
  - { column: staff.bonus, with: 'null' }
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
  const masks = database.masker.session();
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
  ])
    t.same(inferred(sql), ['public.staff.salary'], sql);
  t.same(inferred('SELECT id, salary FROM staff'), []);
});
