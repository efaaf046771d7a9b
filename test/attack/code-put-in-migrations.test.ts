/**
 * A law over what a transaction puts on a relation, what runs it there, and how: cards that it writes elsewhere do not
 * show, in the transaction or in one text. Each way to put it there shows some without masks.
 */
import type pg from 'pg';
import t from 'tap';
import { seenOf, startMaskedStage } from './masked-stage.js';

const trigger = (name: string, what: string): string => `
  CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit SELECT ${what}; RETURN coalesce(NEW, OLD); END $$;`;
const setup = `
  CREATE TABLE people (id int PRIMARY KEY, name text, card text);
  INSERT INTO people VALUES (1, 'Ada', 'CANARY-1'), (2, 'Bob', 'CANARY-2');
  CREATE TABLE audit (id int, note text);
  CREATE TABLE x (id int, text text);
  INSERT INTO x VALUES (1, 'one');
  CREATE TABLE parted (id int, text text) PARTITION BY LIST (id);
  CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1, 2);
  INSERT INTO parted VALUES (1, 'one');
  CREATE VIEW named AS SELECT id, name FROM people;
  CREATE TABLE fed (id int, text text);
  INSERT INTO fed VALUES (1, 'one');
  ${trigger('audited', 'id, card FROM people')} ${trigger('fed', 'id, name FROM named')}
  CREATE TRIGGER fed AFTER INSERT OR UPDATE OR DELETE ON fed FOR EACH ROW EXECUTE FUNCTION fed();
  CREATE FUNCTION flagged(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit SELECT id, card FROM people; RETURN true; END $$;
  CREATE FUNCTION fill(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE format('INSERT INTO %I VALUES (1)', $1); RETURN 1; END $$;
  CREATE FUNCTION fill_x() RETURNS int LANGUAGE sql AS 'INSERT INTO x VALUES (1, NULL) RETURNING 1';`;

const { connect, direct } = await startMaskedStage(t, setup, '{ column: people.card, with: "null" }');

const row = (when: string, table: string): string =>
  `CREATE TRIGGER a ${when} ON ${table} FOR EACH ROW EXECUTE FUNCTION audited()`;
const any = 'INSERT OR UPDATE OR DELETE';

/** What puts code there, and the relation that runs it. */
const puts: readonly (readonly [texts: readonly string[], on: string])[] = [
  [[row(`BEFORE ${any}`, 'x')], 'x'],
  [[`CREATE TRIGGER a AFTER ${any} OR TRUNCATE ON x EXECUTE FUNCTION audited()`], 'x'],
  [[`CREATE CONSTRAINT TRIGGER a AFTER ${any} ON x DEFERRABLE FOR EACH ROW EXECUTE FUNCTION audited()`], 'x'],
  [[row(`AFTER ${any}`, 'parted')], 'parted_1'],
  [[row(`AFTER ${any}`, 'parted')], 'parted'],
  [[row(`AFTER ${any}`, 'parted'), 'CREATE TABLE parted_2 PARTITION OF parted DEFAULT'], 'parted_2'],
  [['CREATE TABLE parted_2 PARTITION OF parted DEFAULT', row(`AFTER ${any}`, 'parted')], 'parted_2'],
  [
    [
      'CREATE TABLE n (id int, text text) PARTITION BY LIST (id)',
      'CREATE TABLE n_1 PARTITION OF n DEFAULT',
      row(`AFTER ${any}`, 'n'),
    ],
    'n_1',
  ],
  [
    [
      'CREATE TABLE n (id int, text text) PARTITION BY LIST (id)',
      row(`AFTER ${any}`, 'n'),
      'CREATE TABLE n_1 (id int, text text)',
      'ALTER TABLE n ATTACH PARTITION n_1 DEFAULT',
    ],
    'n_1',
  ],
  [['CREATE RULE r AS ON INSERT TO x DO ALSO INSERT INTO audit SELECT id, card FROM people'], 'x'],
  [['ALTER TABLE x ADD CHECK (flagged(id)) NOT VALID'], 'x'],
  [
    ['ALTER TABLE x ALTER id SET DEFAULT CASE WHEN flagged(1) THEN 1 END', 'ALTER TABLE x ALTER text SET DEFAULT 1'],
    'x',
  ],
  [['CREATE TABLE n (id int CHECK (flagged(id)), text text)'], 'n'],
  [['CREATE TABLE m (id int CHECK (flagged(id)), text text)', 'CREATE TABLE n (LIKE m INCLUDING ALL)'], 'n'],
  [['CREATE TABLE m (id int CHECK (flagged(id)), text text)', 'CREATE TABLE n () INHERITS (m)'], 'n'],
  [['CREATE DOMAIN d AS int CHECK (flagged(VALUE))', 'CREATE TABLE n (id d, text text)'], 'n'],
  [['CREATE VIEW n AS SELECT id, text FROM x WHERE flagged(id)'], 'n'],
  [['CREATE VIEW m AS SELECT id, text FROM x WHERE flagged(id)', 'CREATE VIEW n AS SELECT * FROM m'], 'n'],
  [['CREATE TABLE n (id int, text text)', row(`BEFORE ${any}`, 'n')], 'n'],
  [['CREATE OR REPLACE VIEW named AS SELECT id, card AS name FROM people'], 'fed'],
  [
    [
      'ALTER TABLE people RENAME name TO other',
      'ALTER TABLE people RENAME card TO name',
      'DROP VIEW named',
      'CREATE VIEW named AS SELECT id, name FROM people',
    ],
    'fed',
  ],
];

const runners = (table: string): string[] => [
  `INSERT INTO ${table} VALUES (1, 'a')`,
  `INSERT INTO ${table} (id) SELECT 1 RETURNING id`,
  `INSERT INTO ${table} (text) VALUES ('a')`,
  `WITH w AS (INSERT INTO ${table} VALUES (1) RETURNING 1) SELECT 1 FROM w`,
  `UPDATE ${table} SET text = 'b'`,
  `DELETE FROM ${table} WHERE id = 1`,
  `TRUNCATE ${table}`,
  `MERGE INTO ${table} m USING (SELECT 1 AS id) s ON m.id = s.id WHEN MATCHED THEN UPDATE SET text = 'c' WHEN NOT MATCHED THEN INSERT VALUES (1)`,
  `SELECT * FROM ${table}`,
  `COPY ${table} TO STDOUT`,
  `COPY (SELECT count(*) FROM ${table}) TO STDOUT`,
  `SELECT fill('${table}')`,
  `SELECT fill_x()`,
  `DO $$ BEGIN INSERT INTO ${table} VALUES (1); END $$`,
  `DO $$ BEGIN PERFORM 1 FROM ${table}; END $$`,
  `PREPARE p AS INSERT INTO ${table} VALUES (1); EXECUTE p`,
  `PREPARE p AS SELECT * FROM ${table}; EXECUTE p`,
  `DECLARE c CURSOR FOR SELECT * FROM ${table}; FETCH ALL FROM c`,
  `EXPLAIN ANALYZE INSERT INTO ${table} VALUES (1)`,
  `EXPLAIN ANALYZE SELECT * FROM ${table}`,
];

const looks = ['SELECT note FROM audit', `SELECT note || '.' FROM audit`, 'SELECT to_jsonb(a) FROM audit a'];

async function run(client: pg.Client, texts: readonly string[]): Promise<string> {
  return (await seenOf(client, texts)).join('\n');
}

t.test('what runs in it shows no card', async (t) => {
  const straight = await direct();
  const client = await connect();
  t.teardown(() => client.end());
  for (const [nth, [texts, on]] of puts.entries()) {
    let shown = 0;
    for (const [at, runner] of runners(on).entries()) {
      await straight.query('BEGIN');
      const raw = await run(straight, [...texts, runner, 'SELECT note FROM audit']);
      await straight.query('ROLLBACK; DEALLOCATE ALL');
      if (!raw.includes('CANARY')) continue;
      shown++;
      const look = looks[(nth + at) % looks.length] ?? '';
      for (const attack of [
        [...texts, runner, look],
        [...texts, `${runner};${look}`],
        [[...texts, runner, look].join(';')],
      ].filter((_, way) => shown === 1 || way === (nth + at) % 3)) {
        const seen = await run(client, ['BEGIN', ...attack]);
        t.notMatch(seen, /CANARY/, attack.join('; '));
        await client.query('ROLLBACK; DISCARD ALL').catch(() => client.query('ROLLBACK'));
      }
    }
    t.ok(shown > 0, `straight to the server it shows: ${texts.join('; ')}`);
  }
});
