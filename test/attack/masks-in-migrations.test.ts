/**
 * While a migration is under way, what it does not touch shows as before, and what it makes of masked columns does not
 * show: in its transaction, or in one text.
 */
import t from 'tap';
import { seenOf, startMaskedStage } from './masked-stage.js';

const setup = `
  CREATE TABLE people (id int PRIMARY KEY, name text, card text);
  INSERT INTO people VALUES (1, 'Ada', 'CANARY-1'), (2, 'Bob', 'CANARY-2');
  CREATE TABLE visits (id int, name text, card text) PARTITION BY RANGE (id);
  CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (10);
  INSERT INTO visits VALUES (1, 'Ada', 'CANARY-3');
  CREATE TABLE notes (id int, text text);
  INSERT INTO notes VALUES (1, 'note');
  CREATE VIEW named AS SELECT id, name FROM people;
  CREATE VIEW named_again AS SELECT name FROM named;
  CREATE SCHEMA mine;
  CREATE FUNCTION card() RETURNS text LANGUAGE sql STABLE AS 'SELECT card FROM public.people WHERE id = 1';
  CREATE FUNCTION stamped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
  CREATE TABLE audit (id int, note text);
  CREATE TABLE spare (id int, text text);
  CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit SELECT id, card FROM people; RETURN NEW; END $$;
  CREATE FUNCTION flagged(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit SELECT id, card FROM people; RETURN true; END $$;
  CREATE TABLE checked (id int);
  CREATE VIEW flagging AS SELECT flagged(id) FROM spare;
  INSERT INTO spare VALUES (1, 'x');
  CREATE TRIGGER stamped BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION stamped();`;

const { connect, direct } = await startMaskedStage(t, setup, '{ column: "*.card", with: "null" }');

/** What is expected of the last text. */
const shows: readonly (readonly [texts: readonly string[], expected: string])[] = [
  [['ALTER TABLE notes ADD code text', 'UPDATE notes SET code = upper(text)', 'SELECT text FROM notes'], 'note'],
  [['ALTER TABLE notes ADD code text', 'SELECT upper(text), id + 1 FROM notes'], 'NOTE,2'],
  [['ALTER TABLE notes ADD code text', 'SELECT n.id, p.name FROM notes n JOIN people p USING (id)'], '1,Ada'],
  [['ALTER TABLE people ADD code text', 'SELECT upper(name), card FROM people ORDER BY id'], 'ADA,null BOB,null'],
  [['ALTER TABLE people ADD code text', `UPDATE people SET code = name WHERE id = 1 RETURNING id, name`], '1,Ada'],
  [['ALTER TABLE people ADD code text', 'SELECT upper(name) FROM named_again ORDER BY 1'], 'ADA BOB'],
  [['ALTER TABLE visits ADD room int', 'SELECT upper(name) FROM visits', 'SELECT upper(name) FROM visits_1'], 'ADA'],
  [
    [
      'CREATE TABLE wards (id serial, name text)',
      'INSERT INTO wards (name) SELECT name FROM people',
      'SELECT upper(name) FROM people WHERE id = 1',
    ],
    'ADA',
  ],
  [['CREATE INDEX ON people (name)', 'SELECT upper(name) FROM people ORDER BY 1'], 'ADA BOB'],
  [['CREATE VIEW v AS SELECT 1 AS a', 'SELECT upper(name) FROM named ORDER BY 1'], 'ADA BOB'],
  [['CREATE SEQUENCE numbers', `SELECT upper(name) FROM people ORDER BY 1`], 'ADA BOB'],
  [['DROP VIEW named_again', 'SELECT upper(name) FROM named ORDER BY 1'], 'ADA BOB'],
  [
    ['CREATE TEMP TABLE w AS SELECT name FROM people', 'ALTER TABLE notes ADD c int', 'SELECT name || 1 FROM w'],
    'Ada1 Bob1',
  ],
];

for (const [texts, expected] of shows) {
  t.test(`shows: ${texts.join('; ')}`, async (t) => {
    const client = await connect();
    // what the test before has undone is read again
    await client.query('SELECT 1');
    const inTransaction = await seenOf(client, ['BEGIN', ...texts]);
    t.equal(inTransaction.at(-1), expected);
    t.notMatch(inTransaction.join('\n'), '!');
    await client.query('ROLLBACK');
    // behind the making of a view, or of a table that is filled, less is known within one text
    if (!texts.some((text) => /VIEW|CREATE TABLE/.test(text))) {
      await client.query('SELECT 1');
      const inOneText = await seenOf(client, ['BEGIN', texts.join(';')]);
      t.equal(inOneText.at(-1)?.split('|').at(-1), expected, 'in one text');
      await client.query('ROLLBACK');
    }
    await client.end();
  });
}

const looks = (table: string, column: string): string[] => [
  `SELECT ${column} FROM ${table}`,
  `SELECT ${column} || '.' FROM ${table}`,
  `SELECT * FROM ${table}`,
  `SELECT q.* FROM (SELECT * FROM ${table}) q`,
  `SELECT to_jsonb(x) FROM ${table} x`,
  `SELECT to_jsonb(x) ->> '${column}', (x).${column} FROM ${table} x`,
  `SELECT x::text, x FROM ${table} x`,
  `SELECT json_agg(x), array_agg(x) FROM ${table} x`,
  `SELECT e.* FROM ${table} x, jsonb_each_text(to_jsonb(x)) e`,
  `SELECT (SELECT ${column} FROM ${table} LIMIT 1) FROM notes`,
  `SELECT ${column} FROM people RIGHT JOIN (SELECT ${column} AS other FROM ${table}) o ON false`,
  `UPDATE ${table} SET id = id RETURNING *`,
  `WITH c AS (SELECT * FROM ${table}) SELECT c FROM c`,
  `CREATE TEMP TABLE kept AS SELECT ${column} FROM ${table}; SELECT * FROM kept`,
  `INSERT INTO notes SELECT 9, ${column} FROM ${table} RETURNING text`,
  `SELECT set_config('my.card', ${column}, false) FROM ${table}; SHOW my.card`,
];

/** What puts cards into another column, and where that is looked for. */
const derivations: readonly (readonly [texts: readonly string[], table: string, column: string])[] = [
  [['ALTER TABLE people ADD peek text GENERATED ALWAYS AS (upper(card)) STORED'], 'people', 'peek'],
  [['ALTER TABLE people ADD a int, ADD peek text GENERATED ALWAYS AS (lower(card)) STORED'], 'people', 'peek'],
  [
    ['ALTER TABLE people ADD a int', 'ALTER TABLE people ADD peek text GENERATED ALWAYS AS (card) STORED'],
    'people',
    'peek',
  ],
  [['ALTER TABLE visits ADD peek text GENERATED ALWAYS AS (card) STORED'], 'visits', 'peek'],
  [['ALTER TABLE visits ADD peek text GENERATED ALWAYS AS (card) STORED'], 'visits_1', 'peek'],
  [
    ['ALTER TABLE visits DROP name', 'ALTER TABLE visits ADD name text GENERATED ALWAYS AS (card) STORED'],
    'visits_1',
    'name',
  ],
  [['ALTER TABLE visits RENAME name TO other', 'ALTER TABLE visits RENAME card TO name'], 'visits_1', 'name'],
  [['ALTER TABLE visits_1 ADD CHECK (id > 0)', 'ALTER TABLE visits DETACH PARTITION visits_1'], 'visits_1', 'card'],
  [['ALTER TABLE people RENAME TO crew'], 'crew', 'card'],
  [['ALTER TABLE people SET SCHEMA mine'], 'mine.people', 'card'],
  [['CREATE VIEW v AS SELECT id, card AS peek FROM people'], 'v', 'peek'],
  [['CREATE OR REPLACE VIEW named AS SELECT id, card AS name FROM people'], 'named', 'name'],
  [['CREATE OR REPLACE VIEW named AS SELECT id, card AS name FROM people'], 'named_again', 'name'],
  [['CREATE MATERIALIZED VIEW m AS SELECT id, card AS peek FROM people'], 'm', 'peek'],
  [['DROP TABLE notes CASCADE', 'CREATE VIEW notes AS SELECT id, card AS text FROM people'], 'notes', 'text'],
  [
    ['CREATE VIEW mine.notes AS SELECT id, card AS text FROM people', 'SET LOCAL search_path = mine, public'],
    'notes',
    'text',
  ],
  [['CREATE TABLE kids () INHERITS (people)', `INSERT INTO kids SELECT id, name, card FROM people`], 'people', 'card'],
  [[`CREATE TABLE filled (id int, peek text DEFAULT card())`, `INSERT INTO filled VALUES (1)`], 'filled', 'peek'],
  [[`ALTER TABLE notes ADD peek text DEFAULT card()`], 'notes', 'peek'],
  [[`ALTER TABLE notes ALTER text TYPE text USING card()`], 'notes', 'text'],
  [['DROP VIEW named CASCADE', 'ALTER TABLE people ALTER name TYPE text USING card'], 'people', 'name'],
  [
    [
      `CREATE OR REPLACE FUNCTION stamped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.text := card(); RETURN NEW; END $$`,
      'ALTER TABLE notes ADD a int',
      'INSERT INTO notes VALUES (7)',
    ],
    'notes',
    'text',
  ],
  // what runs from now on behind one table writes to another
  [
    ['CREATE TRIGGER a BEFORE INSERT ON spare FOR EACH ROW EXECUTE FUNCTION audited()', 'INSERT INTO spare VALUES (1)'],
    'audit',
    'note',
  ],
  [
    [
      'CREATE RULE r AS ON INSERT TO spare DO ALSO INSERT INTO audit SELECT id, card FROM people',
      'INSERT INTO spare VALUES (1)',
    ],
    'audit',
    'note',
  ],
  [['ALTER TABLE checked ADD CHECK (flagged(id))', 'INSERT INTO checked VALUES (1)'], 'audit', 'note'],
  [['ALTER TABLE checked ADD a boolean DEFAULT flagged(1)', 'INSERT INTO checked VALUES (1)'], 'audit', 'note'],
  [['CREATE TEMP VIEW w AS SELECT flagged(1)', 'SELECT * FROM w'], 'audit', 'note'],
  [['CREATE TEMP VIEW w AS SELECT * FROM flagging', 'SELECT * FROM w'], 'audit', 'note'],
  [['CREATE TEMP VIEW w AS SELECT * FROM flagging', 'ALTER VIEW w RENAME TO x', 'SELECT * FROM x'], 'audit', 'note'],
  [['CREATE TEMP VIEW w AS SELECT * FROM flagging', 'ALTER TABLE notes ADD c int', 'SELECT * FROM w'], 'audit', 'note'],
  [
    ['CREATE TEMP VIEW w AS SELECT 1', 'CREATE OR REPLACE TEMP VIEW w AS SELECT 1 FROM flagging', 'SELECT * FROM w'],
    'audit',
    'note',
  ],
  [['CREATE VIEW v AS SELECT * FROM flagging', 'SELECT * FROM v'], 'audit', 'note'],
  [['CREATE VIEW v AS SELECT flagged(1)', 'SELECT * FROM v'], 'audit', 'note'],
  [
    [
      'CREATE TABLE lists (id int, text text) PARTITION BY LIST (id)',
      'CREATE TRIGGER a BEFORE INSERT ON lists FOR EACH ROW EXECUTE FUNCTION audited()',
      'CREATE TABLE lists_1 PARTITION OF lists DEFAULT',
      'INSERT INTO lists_1 VALUES (1)',
    ],
    'audit',
    'note',
  ],
  [
    ['CREATE TRIGGER a AFTER TRUNCATE ON spare FOR EACH STATEMENT EXECUTE FUNCTION audited()', 'TRUNCATE spare'],
    'audit',
    'note',
  ],
];

t.test('what is made of masked columns', async (t) => {
  const straight = await direct();
  const client = await connect();
  t.teardown(() => client.end());
  for (const [nth, [texts, table, column]] of derivations.entries()) {
    await straight.query('BEGIN');
    const raw = await seenOf(straight, [...texts, `SELECT ${column} FROM ${table}`]);
    t.match(raw.join(), /CANARY/i, `straight to the server it shows: ${raw.join()}`);
    await straight.query('ROLLBACK');
    for (const [at, look] of looks(table, column).entries()) {
      const ways = [[...texts, look], [[...texts, look].join(';')], [...texts, `PREPARE p AS ${look}`, 'EXECUTE p']];
      // each way with each look of some derivation, and with some look of each
      const attack = ways[(nth + at) % ways.length] ?? [];
      const seen = await seenOf(client, ['BEGIN', ...attack]);
      t.notMatch(seen.join('\n'), /CANARY/i, attack.join('; '));
      await client.query('ROLLBACK; DISCARD ALL').catch(() => client.query('ROLLBACK'));
    }
  }
});
