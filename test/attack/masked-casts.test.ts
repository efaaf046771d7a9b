/**
 * Casts of the application's own run without being called: where a type is named, where a value is stored, inside of
 * composite values and JSON. What they give is followed; what no such cast can touch stays as it is.
 */
import t from 'tap';
import { startMaskedDatabase } from '../masking/database.js';

const canary = 'CANARY-4711';

const setup = `
  CREATE TABLE people (id int PRIMARY KEY, name text, card text, doc jsonb);
  INSERT INTO people VALUES (1, 'Ada', '${canary}', '{"a": 1}');
  CREATE TABLE trail (id int, v text);
  CREATE TYPE pair AS (a text, b text);
  CREATE TYPE holder AS (v text);
  CREATE FUNCTION card_of(pair) RETURNS text LANGUAGE sql STABLE AS 'SELECT card FROM people WHERE id = 1';
  CREATE CAST (pair AS text) WITH FUNCTION card_of(pair) AS ASSIGNMENT;
  CREATE TYPE plain AS (a text);
  CREATE FUNCTION first_of(plain) RETURNS uuid LANGUAGE sql STABLE AS 'SELECT md5(card)::uuid FROM people';
  CREATE CAST (plain AS uuid) WITH FUNCTION first_of(plain);
  CREATE TYPE doc AS ENUM ('x');
  CREATE FUNCTION doc_json(doc) RETURNS json LANGUAGE sql STABLE AS 'SELECT to_json(card) FROM people';
  CREATE CAST (doc AS json) WITH FUNCTION doc_json(doc);
  CREATE DOMAIN short AS text;
  CREATE FUNCTION assigned(p pair) RETURNS text LANGUAGE plpgsql AS $$ DECLARE v text; BEGIN v := p; RETURN v; END $$;
  CREATE FUNCTION selected(p pair) RETURNS text LANGUAGE plpgsql AS $$ DECLARE v text; BEGIN SELECT p INTO v; RETURN v; END $$;
  CREATE FUNCTION returned(p pair) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN p; END $$;
`;

const database = await startMaskedDatabase(
  `version: 1\nmask:\n  - {column: public.people.card, with: 'null'}\n`,
  setup,
);
t.teardown(() => database.stop());

const attacks: readonly (readonly string[])[] = [
  [`SELECT ROW('a', 'b')::pair::text`],
  [`SELECT ROW('a', 'b')::pair::short`],
  [`SELECT CAST(ARRAY[ROW('a', 'b')::pair] AS text[])`],
  [`SELECT ROW(ROW('a', 'b')::pair)::holder`],
  [`SELECT ROW('a')::plain::uuid`],
  [`SELECT to_json('x'::doc)`],
  [`SELECT json_build_object('x', 'x'::doc)`],
  [`SELECT json_agg('x'::doc)`],
  [`SELECT JSON_OBJECT('k': 'x'::doc)`],
  [`SELECT JSON_ARRAY('x'::doc)`],
  [`INSERT INTO trail VALUES (1, ROW('a', 'b')::pair)`, 'SELECT v FROM trail'],
  [`INSERT INTO trail VALUES (1, ROW('a', 'b')::pair) RETURNING v`],
  [`INSERT INTO trail VALUES (1, 'x')`, `UPDATE trail SET v = ROW('a', 'b')::pair`, 'SELECT v FROM trail'],
  [
    `MERGE INTO trail USING people p ON false WHEN NOT MATCHED THEN INSERT VALUES (1, ROW('a', 'b')::pair)`,
    'SELECT v FROM trail',
  ],
  [`SELECT assigned(ROW('a', 'b'))`],
  [`SELECT selected(ROW('a', 'b'))`],
  [`SELECT returned(ROW('a', 'b'))`],
];

const shows = (bytes: Buffer): boolean => {
  const text = bytes.toString('latin1');
  return /CANARY|4711/.test(text) || text.includes(hashed);
};

const [{ hashed } = { hashed: '' }] = await database.postgres.query<{ hashed: string }>(
  `SELECT md5('${canary}')::uuid::text AS hashed`,
);

for (const texts of attacks) {
  t.test(texts.join('; '), async (t) => {
    const client = await database.connect();
    t.teardown(() => client.close());
    const run = async (raw: boolean): Promise<{ shown: boolean; errors: readonly string[] }> => {
      await client.query('BEGIN', { raw: true });
      let shown = false;
      const errors: string[] = [];
      for (const text of texts) {
        const result = await client.query(text, { raw });
        errors.push(...result.errors);
        shown ||= shows(result.bytes);
        if (result.denied !== undefined) break;
      }
      await client.query('ROLLBACK', { raw: true });
      return { shown, errors };
    };
    t.match(await run(true), { shown: true, errors: [] }, 'without masks it shows');
    t.equal((await run(false)).shown, false, 'with masks it does not');
  });
}

const ordinary: readonly (readonly [sql: string, expected: string])[] = [
  [`SELECT doc -> 'a', doc ->> 'a' FROM people`, '1 1'],
  ['SELECT id::numeric, name || 1, lower(name) FROM people', '1 Ada1 ada'],
  [`SELECT '2024-01-01'::date + 1, 5::int8`, '2024-01-02 5'],
];

for (const [sql, expected] of ordinary) {
  t.test(`comes through: ${sql}`, async (t) => {
    const client = await database.connect();
    t.teardown(() => client.close());
    const { rows } = await client.query(sql);
    t.equal(rows.map((row) => row.map((cell) => cell?.toString() ?? 'NULL').join(' ')).join(','), expected);
  });
}
