/**
 * Ways in which the database itself puts masked values elsewhere, or finds them under a name of something else: foreign
 * keys, defaults that hide a function behind an operator, a schema that is searched as soon as it is there.
 */
import pg from 'pg';
import t from 'tap';
import { seenOf, startMaskedStage } from './masked-stage.js';

const setup = `
  CREATE TABLE people (id int PRIMARY KEY, name text, card text UNIQUE);
  INSERT INTO people VALUES (1, 'Ada', 'CANARY-1'), (2, 'Bob', 'CANARY-2');
  CREATE TABLE notes (id int, text text);
  INSERT INTO notes VALUES (1, 'note');
  CREATE TABLE paid (id int REFERENCES people, card text UNIQUE REFERENCES people (card) ON UPDATE CASCADE);
  INSERT INTO paid VALUES (1, 'CANARY-1');
  CREATE TABLE shipped (v text REFERENCES paid (card) ON UPDATE CASCADE);
  INSERT INTO shipped VALUES ('CANARY-1');
  CREATE FUNCTION carded(int, int) RETURNS text LANGUAGE sql STABLE AS 'SELECT card FROM public.people WHERE id = 1';
  CREATE OPERATOR === (FUNCTION = carded, LEFTARG = int, RIGHTARG = int);
  CREATE DOMAIN filled AS text DEFAULT (1 === 2);
  CREATE DOMAIN public.json AS text DEFAULT (1 === 2);
  CREATE DOMAIN other.feeling AS text DEFAULT (1 OPERATOR(public.===) 2);
  CREATE TABLE felt (v other.feeling, b int);
  CREATE TABLE checked (v text CHECK (v <> (1 === 2)));`;

const { server, connect, direct } = await startMaskedStage(t, setup, '{ column: people.card, with: "null" }');

const { user = 'postgres' } = new pg.Client({ connectionString: server.url() });
const hides: readonly (readonly string[])[] = [
  ['SELECT card FROM paid'],
  [`SELECT card || '.' FROM paid`],
  [`UPDATE people SET card = card || 'x' WHERE id = 1`, 'SELECT card FROM paid'],
  ['SELECT v FROM shipped'],
  ['SELECT to_jsonb(s) FROM shipped s'],
  ['CREATE TEMP TABLE w AS SELECT NULL::filled AS v, 1 AS b', 'INSERT INTO w (b) VALUES (1) RETURNING v || 1'],
  ['CREATE TABLE w AS SELECT NULL::filled AS v, 1 AS b', 'INSERT INTO w (b) VALUES (1) RETURNING v || 1'],
  ['CREATE TEMP TABLE w (v public.json, b int)', 'INSERT INTO w (b) VALUES (1) RETURNING v || 1'],
  ['CREATE TABLE w (v public.json, b int)', 'INSERT INTO w (b) VALUES (1) RETURNING v || 1'],
  ['CREATE TABLE w (LIKE felt)', 'INSERT INTO w (b) VALUES (1) RETURNING v || 1'],
  ['CREATE TABLE w (v other.feeling, b int)', 'INSERT INTO w (b) VALUES (1) RETURNING v || 1'],
  [
    `CREATE TYPE feeling AS ENUM ('sad')`,
    'SET LOCAL search_path = other, public',
    'CREATE TABLE public.w (v feeling, b int)',
    'INSERT INTO public.w (b) VALUES (1) RETURNING v || 1',
  ],
];

const shown = async (client: pg.Client, texts: readonly string[]): Promise<string> =>
  (await seenOf(client, texts)).join('\n');

t.test('hides', async (t) => {
  const straight = await direct();
  const client = await connect();
  for (const texts of hides) {
    await straight.query('BEGIN');
    t.match(await shown(straight, texts), /CANARY/, `straight to the server it shows: ${texts.join('; ')}`);
    await straight.query('ROLLBACK');
    await client.query('BEGIN');
    t.notMatch(await shown(client, texts), /CANARY/, texts.join('; '));
    await client.query('ROLLBACK');
  }
  t.match(
    await shown(client, ['SELECT p.id + 1, name FROM paid JOIN people p USING (id)']),
    /2,Ada/,
    'other keys show',
  );
});

t.test('a schema that is called like the login is searched first once it is there', async (t) => {
  const client = await connect();
  t.equal(await shown(client, [`SELECT text || '' FROM notes`]), 'note');
  const view = `CREATE VIEW "${user}".notes AS SELECT id, card AS text FROM public.people`;
  await shown(client, [`CREATE SCHEMA "${user}"`, view]);
  const straight = await direct();
  t.match(await shown(straight, [`SELECT text || '' FROM notes`]), /CANARY/, 'straight to the server');
  t.notMatch(await shown(client, [`SELECT text || '' FROM notes`, 'SELECT text FROM notes']), /CANARY/);
  const later = await connect();
  t.notMatch(await shown(later, [`SELECT text || '' FROM notes`]), /CANARY/);
  await straight.query(`DROP SCHEMA "${user}" CASCADE`);
});
