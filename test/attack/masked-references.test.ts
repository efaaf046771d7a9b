/**
 * Ways in which the database itself puts masked values elsewhere, or finds them under a name of something else: foreign
 * keys, defaults that hide a function behind an operator, a schema that is searched as soon as it is there.
 */
import pg from 'pg';
import t from 'tap';
import { combineConfigs } from '../../src/policy/combine.js';
import { parseConfig } from '../../src/policy/config.js';
import { compilePolicy } from '../../src/policy/engine.js';
import { startPostgres } from '../helpers/postgres.js';
import { startAttendedProxy } from './attended-proxy.js';

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
  CREATE TABLE checked (v text CHECK (v <> (1 === 2)));`;

const server = await startPostgres({ auth: 'trust' });
t.teardown(() => server.stop());
const masked = {
  config: combineConfigs([
    { level: 'user', config: parseConfig('version: 1\nmask: [{ column: people.card, with: "null" }]', 'dbguard.yaml') },
  ]),
  audience: { subject: 'dev', groups: undefined, environments: [], connection: 'test', agent: 'a' },
};
const { connect } = await startAttendedProxy(t, server, setup, {
  masked,
  policy: compilePolicy([], { profile: 'observe' }),
});

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
];

const shown = async (client: pg.Client, texts: readonly string[]): Promise<string> => {
  const seen: string[] = [];
  for (const text of texts) {
    const given = await client.query({ text, rowMode: 'array' }).catch((error: Error) => `! ${error.message}`);
    seen.push(typeof given === 'string' ? given : JSON.stringify(given.rows));
  }
  return seen.join('\n');
};

t.test('hides', async (t) => {
  const direct = new pg.Client({ connectionString: server.url() });
  await direct.connect();
  t.teardown(() => direct.end());
  const client = await connect();
  for (const texts of hides) {
    await direct.query('BEGIN');
    t.match(await shown(direct, texts), /CANARY/, `straight to the server it shows: ${texts.join('; ')}`);
    await direct.query('ROLLBACK');
    await client.query('BEGIN');
    t.notMatch(await shown(client, texts), /CANARY/, texts.join('; '));
    await client.query('ROLLBACK');
  }
  t.match(
    await shown(client, ['SELECT p.id + 1, name FROM paid JOIN people p USING (id)']),
    /2,"Ada"/,
    'other keys show',
  );
});

t.test('a schema that is called like the login is searched first once it is there', async (t) => {
  const client = await connect();
  t.equal(await shown(client, [`SELECT text || '' FROM notes`]), '[["note"]]');
  const view = `CREATE VIEW "${user}".notes AS SELECT id, card AS text FROM public.people`;
  await shown(client, [`CREATE SCHEMA "${user}"`, view]);
  const direct = new pg.Client({ connectionString: server.url() });
  await direct.connect();
  t.teardown(() => direct.end());
  t.match(await shown(direct, [`SELECT text || '' FROM notes`]), /CANARY/, 'straight to the server');
  t.notMatch(await shown(client, [`SELECT text || '' FROM notes`, 'SELECT text FROM notes']), /CANARY/);
  const later = await connect();
  t.notMatch(await shown(later, [`SELECT text || '' FROM notes`]), /CANARY/);
  await direct.query(`DROP SCHEMA "${user}" CASCADE`);
});
