/** The first line of a prompt, of real statements: what it says is what happens. */
import { test } from 'tap';
import { headline } from '../../src/approval/headline.js';
import { compilePolicy } from '../../src/policy/engine.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { input } from '../policy/facts.js';

const cases: readonly (readonly [sql: string, says: RegExp])[] = [
  ["SELECT setval('orders_id_seq', 1)", /^Set the next number of orders_id_seq$/],
  ['ALTER TABLE orders RENAME COLUMN mail TO email', /^Alter table orders \(rename column mail to email\)$/],
  ['ALTER TABLE orders RENAME TO orders_old', /^Alter table orders \(rename to orders_old\)$/],
  [
    "CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE sql AS $$ DELETE FROM orders; SELECT 'x' $$",
    /^Create function f \(or replace\); delete ALL rows of orders whenever its code runs$/,
  ],
  ['TRUNCATE a, b CASCADE', /that refers to them$/],
  ['DROP TABLE a, b, c, d CASCADE', /^Drop .*a, b, c and d and everything that depends on them$/],
  ['SELECT 1; UPDATE a SET x = 1 WHERE id = 1; DROP TABLE b', /^Drop table b, and 2 more statements$/],
  ['WITH d AS (DELETE FROM b RETURNING 1) UPDATE a SET x = 1 WHERE id = 1', /^Delete ALL rows of b/],
];

test('what a headline says', async (t) => {
  const analyser = await createAnalyser();
  const policy = compilePolicy([]);
  for (const [sql, says] of cases) {
    const facts = analyser.analyse(sql);
    const told = headline({ facts, ruling: policy.decide(input(facts)), impact: { lines: [] } });
    t.match(told, says, sql);
  }
});
