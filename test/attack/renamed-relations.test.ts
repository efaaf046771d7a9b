/** A masked table that takes the name of a clean one within a transaction: whatever reads that name shows nothing masked. */
import t from 'tap';
import { seenOf, startMaskedStage } from './masked-stage.js';

const setup = `
  CREATE TABLE people (id int PRIMARY KEY, card text); INSERT INTO people VALUES (1, 'CANARY-1');
  CREATE TABLE secrets (id int, card text); INSERT INTO secrets VALUES (1, 'CANARY-2');
  CREATE TABLE plain (id int, v text); INSERT INTO plain VALUES (1, 'fine');
  CREATE TABLE sink (v text);
  CREATE FUNCTION by_sql() RETURNS text LANGUAGE sql AS 'SELECT v FROM plain LIMIT 1';
  CREATE FUNCTION by_code() RETURNS text LANGUAGE plpgsql AS 'DECLARE r text; BEGIN SELECT v INTO r FROM plain LIMIT 1; RETURN r; END';
  CREATE FUNCTION fill() RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO sink SELECT v FROM plain; RETURN 1; END';
`;
const { connect, direct } = await startMaskedStage(t, setup, '{ column: "*.card", with: "null" }');

const away = 'ALTER TABLE plain RENAME TO plain_before';
const into = 'ALTER TABLE secrets RENAME TO plain';
const moves: Readonly<Record<string, readonly string[]>> = {
  'its column first': ['ALTER TABLE secrets RENAME COLUMN card TO v', away, into],
  'its column last': [away, into, 'ALTER TABLE plain RENAME COLUMN card TO v'],
  'in one text': [`${away}; ${into}; ALTER TABLE plain RENAME COLUMN card TO v`],
  'behind savepoints': [
    'SAVEPOINT a',
    away,
    into,
    'SAVEPOINT b',
    'ALTER TABLE plain RENAME COLUMN card TO v',
    'RELEASE b',
  ],
  'a view': [away, 'CREATE VIEW plain AS SELECT id, card AS v FROM people'],
};

const reads: Readonly<Record<string, readonly string[]>> = {
  'a query': ['SELECT v FROM plain'],
  'a row': ['SELECT to_jsonb(p) FROM plain p'],
  'an SQL function': ['SELECT by_sql()'],
  'a PL/pgSQL function': ['SELECT by_code()'],
  'a function that writes': ['SELECT fill()', 'SELECT v FROM sink'],
  RETURNING: ['SELECT fill()', 'DELETE FROM sink RETURNING v'],
  'a copy': ['CREATE TABLE made AS SELECT by_code() AS x', 'SELECT x FROM made'],
  'a temporary copy': ['CREATE TEMP TABLE made AS SELECT v AS x FROM plain', 'SELECT x FROM made'],
  'a view of it': ['CREATE VIEW made AS SELECT v FROM plain', 'SELECT v || 1 FROM made'],
};

const extended = (text: string) => (text.includes(';') ? text : { text, values: [] });

for (const [how, move] of Object.entries(moves))
  t.test(how, async (t) => {
    const [without, client] = [await direct(), await connect()];
    for (const [what, read] of Object.entries(reads)) {
      const texts = ['BEGIN', ...move, ...read, 'ROLLBACK'];
      t.match(String((await seenOf(without, texts)).at(-2)), /CANARY/, `${what}: it leaks without masks`);
      // what was read before may be remembered
      await seenOf(client, read.slice(-1));
      const seen = [...(await seenOf(client, texts)), ...(await seenOf(client, texts.map(extended)))];
      t.notMatch(seen.join('\n'), /CANARY/, what);
    }
  });
