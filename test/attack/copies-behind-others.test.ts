/**
 * What stands before a statement may leave names in doubt: then what comes back is hidden, and what would write masked
 * values elsewhere is denied, as it is when it comes alone. Before them stands each kind of text of the
 * labelled corpora.
 */
import t from 'tap';
import { SessionMasks } from '../../src/masking/session-masks.js';
import { loadGrammar } from '../../src/sql/grammar/grammar.js';
import { tagOf } from '../../src/sql/grammar/tree.js';
import { startMaskedDatabase } from '../masking/database.js';
import { recordings } from '../policy/corpus.js';

const database = await startMaskedDatabase(
  `version: 1\nmask:\n  - {column: public.people.card, with: 'null'}\n`,
  `CREATE TABLE people (id int PRIMARY KEY, card text, size int);
  CREATE TABLE trail (v text);
  CREATE SEQUENCE numbers;
  CREATE TYPE pair AS (a text, b text);
  CREATE FUNCTION log_one(v text) RETURNS text LANGUAGE sql AS 'INSERT INTO trail VALUES (v) RETURNING v';
  CREATE FUNCTION log_row(p people) RETURNS text LANGUAGE sql AS 'INSERT INTO trail VALUES (p.card) RETURNING v';
  CREATE FUNCTION log_nested(v text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN log_one(v || '!'); END $$;
  CREATE FUNCTION log_all() RETURNS void LANGUAGE sql AS 'INSERT INTO trail SELECT card FROM people';
  CREATE FUNCTION log_pair(pair) RETURNS text LANGUAGE sql AS 'INSERT INTO trail VALUES ($1.a) RETURNING v';
  CREATE CAST (pair AS text) WITH FUNCTION log_pair(pair);
  CREATE FUNCTION log_both(text, int) RETURNS text LANGUAGE sql AS 'INSERT INTO trail VALUES ($1) RETURNING v';
  CREATE OPERATOR <#> (LEFTARG = text, RIGHTARG = int, FUNCTION = log_both);
  CREATE PROCEDURE log_procedure() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trail SELECT card FROM people; END $$;`,
);
t.teardown(() => database.stop());

const copies = [
  'INSERT INTO trail SELECT card FROM people',
  'CREATE TABLE kept AS SELECT card FROM people',
  'UPDATE trail SET v = card FROM people',
  `SELECT set_config('my.card', card, false) FROM people`,
  `SELECT setval('numbers', length(card)) FROM people`,
  `SELECT pg_notify('ch', card) FROM people`,
  'SELECT lo_from_bytea(0, card::bytea) FROM people',
  'SELECT log_one(card) FROM people',
  'SELECT log_one(v => card) FROM people',
  'SELECT log_row(p), p.log_row FROM people p',
  'SELECT p.log_row FROM people p',
  'SELECT x FROM people p, log_nested(p.card) x',
  'SELECT log_all()',
  'SELECT card <#> 1 FROM people',
  'SELECT ROW(card, card)::pair::text FROM people',
  'CALL log_procedure()',
  'DO $$ BEGIN INSERT INTO trail SELECT card FROM people; END $$',
  'COPY people (card) TO PROGRAM $$cat$$',
];

const isDenied = (sql: string): boolean => new SessionMasks(database.masker).planFor(sql, ['public']).kind === 'deny';

t.test('alone', async (t) => {
  for (const copy of copies) t.ok(isDenied(copy), copy);
});

/** Some of each kind of text, by the kinds of statements in it. */
async function texts(): Promise<string[]> {
  const grammar = await loadGrammar();
  const byKind = new Map<string, string[]>();
  for (const { sql } of recordings().flatMap(({ statements }) => statements)) {
    const parsed = grammar.parse(sql);
    if ('rejection' in parsed) continue;
    const kind = (parsed.tree.stmts ?? []).map(({ stmt }) => stmt && tagOf(stmt)).join();
    const alike = byKind.get(kind) ?? [];
    byKind.set(kind, alike);
    if (alike.length < 3 && !alike.includes(sql)) alike.push(sql);
  }
  return [...byKind.values()].flat();
}

t.test('behind others in one text', async (t) => {
  const session = new SessionMasks(database.masker);
  for (const text of await texts()) {
    const passed = copies.filter((copy) => session.planFor(`${text}\n;${copy}`, ['public']).kind !== 'deny');
    t.same(passed, [], text);
  }
});

t.test('while the catalog, or code alone, is in doubt', async (t) => {
  const { catalog, reread } = database;
  for (const doubt of [
    undefined,
    { code: true, otherCode: true, functions: [], relations: 'all', calls: [] } as const,
  ]) {
    catalog.doubt(doubt);
    for (const copy of copies) t.ok(isDenied(copy), copy);
    await reread();
  }
});
