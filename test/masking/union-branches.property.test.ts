/** UNION of rows that need other masks: they are told apart by a constant, where there is one, and never wrongly. */
import fc from 'fast-check';
import t from 'tap';
import { startMaskedDatabase } from './database.js';

const database = await startMaskedDatabase(
  `version: 1
mask: [{ column: people.card, with: fixed, value: hidden }]
`,
  `CREATE TABLE people (id int, name text, card text);
  INSERT INTO people VALUES (1, 'Ada', 'CANARY-1'), (2, 'Bob', 'CANARY-2'), (3, 'p', 'o');`,
);
t.teardown(() => database.stop());
const client = await database.connect();
t.teardown(() => client.close());

/** What tells rows apart, or seems to. */
const teller = fc.oneof(
  fc.constantFrom(
    `'p'`,
    `'o'`,
    `'x y'`,
    `E'p'`,
    `'\\p'`,
    `''`,
    `'p'::text`,
    `'pp'::varchar(1)`,
    'name',
    `lower('P')`,
    'NULL',
  ),
  fc.constantFrom(`CASE WHEN id = 1 THEN 'o' END`, `coalesce('p', name)`, `'p' || ''`, `(SELECT 'o')`, 'k.v'),
);
const value = fc.constantFrom(
  { sql: 'card', masked: true },
  { sql: 'lower(card)', masked: true },
  { sql: `'x' || card`, masked: true },
  { sql: 'name', masked: false },
  { sql: 'upper(name)', masked: false },
);
const often = fc.constantFrom(`'p'`, `'o'`);
const branch = fc.record({
  teller: fc.oneof({ arbitrary: often, weight: 6 }, { arbitrary: teller, weight: 1 }),
  value,
});
/** What may stand around it: rows stay those of one branch, or they do not. */
const around = fc.constantFrom(
  { sql: (union: string) => union, whole: true },
  { sql: (union: string) => `SELECT * FROM (${union}) u WHERE v IS NOT NULL`, whole: true },
  { sql: (union: string) => `SELECT u.*, 1 AS one FROM (SELECT * FROM (${union}) i) u`, whole: true },
  { sql: (union: string) => `WITH u AS MATERIALIZED (${union}) SELECT * FROM u LIMIT 4`, whole: true },
  { sql: (union: string) => `SELECT k, max(v) AS v FROM (${union}) u GROUP BY k`, whole: false },
  { sql: (union: string) => `SELECT k, max(v) AS v FROM (${union}) u GROUP BY ROLLUP (k)`, whole: false },
  { sql: (union: string) => `SELECT max(k) AS k, max(v) AS v FROM (${union}) u`, whole: false },
  { sql: (union: string) => `SELECT coalesce(k) AS k, v FROM (${union}) u`, whole: false },
  { sql: (union: string) => `SELECT k, lag(v) OVER (ORDER BY k, v) AS v FROM (${union}) u`, whole: false },
  { sql: (union: string) => `SELECT lead(k) OVER (ORDER BY k, v) AS k, v FROM (${union}) u`, whole: false },
  {
    sql: (union: string) => `SELECT k, (SELECT max(i.v) FROM (${union}) i WHERE i.k <> u.k) FROM (${union}) u`,
    whole: false,
  },
  { sql: (union: string) => `SELECT u.k, i.v FROM (${union}) u JOIN (${union}) i ON i.k <> u.k`, whole: false },
  { sql: (union: string) => `SELECT u.k, i.v FROM (${union}) u, LATERAL (${union}) i`, whole: false },
  { sql: (union: string) => `SELECT u.k, to_jsonb(u) FROM (${union}) u`, whole: false },
  {
    sql: (union: string) => `SELECT 'o' AS k, v FROM (${union}) u UNION ALL SELECT 'p', card FROM people`,
    whole: false,
  },
);
const joiner = fc.constantFrom(' UNION ALL ', ' UNION ', ' EXCEPT ', ' INTERSECT ');

t.test('branches', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(branch, { minLength: 2, maxLength: 3 }),
      joiner,
      fc.boolean(),
      fc.constantFrom(undefined, 0, 1),
      around,
      async (branches, join, first, how, { sql: wrap, whole }) => {
        const selects = branches.map(({ teller, value }) => {
          const columns = [`${teller} AS k`, `${value.sql} AS v`];
          return `SELECT ${(first ? columns : columns.reverse()).join(', ')} FROM people, (VALUES ('o')) k(v)`;
        });
        const sql = `${wrap(selects.join(join))} ORDER BY 1, 2`;
        const options = how === undefined ? {} : { formats: [how as 0 | 1] };
        const raw = await client.query(sql, { ...options, raw: true });
        const masked = await client.query(sql, options);
        const silent = how === undefined ? masked : await client.query(sql, { ...options, describe: false });
        for (const { bytes } of [masked, silent]) {
          if (/canary/i.test(bytes.toString('latin1'))) throw new Error(`a canary: ${sql}`);
        }
        const told = branches.every(({ teller }) => /^'[op]'$/.test(teller));
        const apart =
          whole &&
          told &&
          join.includes('UNION') &&
          new Set(branches.map((one) => one.teller)).size === branches.length;
        if (!apart) return;
        const at = first ? 1 : 0;
        for (const [nth, row] of raw.rows.entries()) {
          const of = branches.find(({ teller }) => teller === `'${row[1 - at]}'`);
          const cell = masked.rows[nth]?.[at]?.toString();
          if (of?.value.masked === false) t.equal(cell, row[at]?.toString(), sql);
          else t.not(cell, row[at]?.toString(), sql);
        }
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 300) },
  );
});
