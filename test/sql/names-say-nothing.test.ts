/** Whatever a thing is called, what is done with it is the same: no word in a name, a value or a comment decides. */
import t from 'tap';
import { catalogChange } from '../../src/proxy/session-state/catalog-change.js';
import { createAnalyser } from '../../src/sql/analyser.js';

const analyser = await createAnalyser();
const neutral = 'qqq';

/** `$` is where the name goes; `'$'` is a value. */
const statements = [
  'ALTER TABLE orders RENAME TO "$"',
  'ALTER VIEW v RENAME TO "$"',
  'ALTER TABLE orders RENAME COLUMN a TO "$"',
  'ALTER TABLE orders RENAME COLUMN "$" TO a',
  'ALTER FUNCTION f() RENAME TO "$"',
  'ALTER ROLE a RENAME TO "$"',
  'ALTER TABLE orders SET SCHEMA "$"',
  'ALTER TABLE "$" ADD COLUMN a int',
  'ALTER TABLE orders ADD COLUMN "$" int',
  'ALTER TABLE orders DROP COLUMN "$"',
  'ALTER TABLE orders ENABLE TRIGGER "$"',
  'CREATE TABLE "$" (a int)',
  'CREATE TEMPORARY TABLE "$" (a int)',
  'CREATE TABLE a AS SELECT 1 AS "$"',
  'CREATE VIEW "$" AS SELECT 1',
  'CREATE INDEX "$" ON orders (a)',
  'CREATE TRIGGER "$" BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()',
  'DROP TABLE "$"',
  'DROP VIEW "$"',
  'DROP TRIGGER "$" ON orders',
  'TRUNCATE "$"',
  'LOCK TABLE "$" IN SHARE MODE',
  'SELECT * FROM "$" FOR UPDATE',
  'SAVEPOINT "$"',
  'ROLLBACK TO "$"',
  "SET application_name = '$'",
  "SELECT set_config('application_name', '$', false)",
  "COMMENT ON TABLE orders IS '$'",
  'VACUUM "$"',
  'REINDEX TABLE "$"',
  "COPY orders FROM '/srv/$'",
  'SELECT nextval(\'"$"\')',
  'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $x$ ALTER TABLE orders RENAME TO "$" RETURNING 1 $x$',
  'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $x$ SELECT 1 FROM "$" $x$',
];

/** Every word that a description of an effect ever had, and some that code might take for one. */
const words = [
  'temporary',
  'temporary_orders',
  'my temporary',
  'CASCADE',
  'x, CASCADE',
  'rule',
  'trigger',
  'column',
  'policy',
  'rename to x',
  'set schema x',
  'add column',
  'enable trigger',
  'full',
  'concurrently',
  'FOR UPDATE',
  'ADVISORY',
  'ACCESS SHARE',
  'nextval',
  'setval',
  'read',
  'write',
  'comment',
  'everything owned',
  'behind a write',
  'x, in definition',
  'or replace',
  'off',
];

const factsOf = (template: string, name: string) =>
  analyser.analyse(template.replaceAll('"$"', `"${name}"`).replaceAll("$'", `${name}'`));

const valuesOf = (change: object | undefined): string => JSON.stringify(Object.values(change ?? {}));

t.test('no name decides', (t) => {
  for (const template of statements) {
    const plain = factsOf(template, neutral);
    for (const word of words) {
      const named = factsOf(template, word);
      const without = (facts: unknown): string =>
        JSON.stringify(facts, (key, value) =>
          key === 'start' || key === 'end' || key === 'detail' ? undefined : value,
        );
      t.equal(
        without(named).replaceAll(word, neutral),
        without(plain).replaceAll(word, neutral),
        `${template} as ${word}`,
      );
      t.equal(
        valuesOf(catalogChange(named)).replaceAll(word, neutral),
        valuesOf(catalogChange(plain)),
        `what is doubtful after ${template} as ${word}`,
      );
    }
  }
  t.end();
});
