/**
 * Code that is read to its end and only does what would pass as statements passes: bodies of functions, DO, functions of
 * the session, calls that return at once. And what only looks like that.
 */
import pg from 'pg';
import t from 'tap';
import { compilePolicy } from '../../src/policy/engine.js';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyInProcess } from '../helpers/proxy-in-process.js';

const schema = `
  CREATE TABLE jobs (id int PRIMARY KEY, key text UNIQUE, note text);
  INSERT INTO jobs SELECT n, 'k' || n, 'x' FROM generate_series(1, 3000) n;
  CREATE TABLE kinds (id int PRIMARY KEY, name text UNIQUE);
  INSERT INTO kinds VALUES (1, 'mail');
  CREATE TABLE several (kind int, note text);
  CREATE TYPE spec AS (key text, note text);
  CREATE SCHEMA app;
  CREATE TABLE app.queue (name text PRIMARY KEY, made timestamptz DEFAULT now());
  CREATE TABLE app.watched (name text PRIMARY KEY, made timestamptz DEFAULT now());
  INSERT INTO app.queue VALUES ('mail');
  INSERT INTO app.watched VALUES ('mail');
  CREATE FUNCTION rename() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := NEW.name || '!'; RETURN NEW; END $$;
  CREATE TRIGGER rename BEFORE INSERT ON app.watched FOR EACH ROW EXECUTE FUNCTION rename();

  CREATE FUNCTION finish(ids int[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM jobs WHERE id = ANY (ids); END $$;
  CREATE FUNCTION finish_all(ids int[]) RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN ids := (SELECT array_agg(id) FROM jobs); DELETE FROM jobs WHERE id = ANY (ids); END $$;
  CREATE FUNCTION finish_by_note(notes text[]) RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM jobs WHERE note = ANY (notes); END $$;
  CREATE FUNCTION add_jobs(specs spec[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    UPDATE jobs SET note = 'again' FROM unnest(specs) s WHERE jobs.key = s.key;
    INSERT INTO jobs AS j (id, key, note) SELECT k.id + 10000, s.key, s.note
      FROM unnest(specs) s JOIN kinds k ON k.name = s.note LEFT JOIN app.queue q ON q.name = s.note
      ON CONFLICT (key) DO UPDATE SET note = excluded.note; END $$;
  CREATE FUNCTION add_job(key text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM add_jobs(ARRAY[(key, 'mail')::spec]); END $$;
  CREATE FUNCTION add_crossed(specs spec[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO jobs AS j (id, key, note) SELECT o.id, o.key, 'x' FROM unnest(specs) s JOIN jobs o ON o.note = s.note
      ON CONFLICT (key) DO UPDATE SET note = excluded.note; END $$;
  CREATE FUNCTION out_first(OUT done int, ids int[], more int[]) LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM jobs WHERE id = ANY (more); done := 1; END $$;
  CREATE PROCEDURE touch(which int) LANGUAGE plpgsql AS $$ BEGIN UPDATE jobs SET note = 'y' WHERE id = which; END $$;

  CREATE FUNCTION app.new_queue(queue_name text, options json) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE made_on timestamptz; at varchar := 'q' || md5(queue_name);
    BEGIN
      WITH q AS (INSERT INTO app.queue (name) VALUES (queue_name) ON CONFLICT DO NOTHING RETURNING made) SELECT made INTO made_on FROM q;
      IF made_on IS NULL OR options ->> 'partition' IS NULL THEN RETURN; END IF;
      EXECUTE format('CREATE TABLE app.%I ()', at);
    END $$;
  CREATE FUNCTION app.new_watched(queue_name text) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE made_on timestamptz;
    BEGIN
      WITH q AS (INSERT INTO app.watched (name) VALUES (queue_name) ON CONFLICT DO NOTHING RETURNING made) SELECT made INTO made_on FROM q;
      IF made_on IS NULL THEN RETURN; END IF;
      EXECUTE 'DROP TABLE kinds';
    END $$;
  CREATE FUNCTION app.inverse(queue_name text) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE made_on timestamptz;
    BEGIN
      WITH q AS (INSERT INTO app.queue (name) VALUES (queue_name) ON CONFLICT DO NOTHING RETURNING made) SELECT made INTO made_on FROM q;
      IF made_on IS NOT NULL THEN RETURN; END IF;
      EXECUTE format('DROP TABLE %I', 'kinds');
    END $$;
  CREATE FUNCTION app.first_drops(queue_name text) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE made_on timestamptz;
    BEGIN
      EXECUTE format('DROP TABLE %I', 'kinds');
      WITH q AS (INSERT INTO app.queue (name) VALUES (queue_name) ON CONFLICT DO NOTHING RETURNING made) SELECT made INTO made_on FROM q;
      IF made_on IS NULL THEN RETURN; END IF;
    END $$;
  CREATE FUNCTION app.by_number(queue_name int) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE made_on timestamptz;
    BEGIN
      WITH q AS (INSERT INTO app.queue (name) VALUES (queue_name) ON CONFLICT DO NOTHING RETURNING made) SELECT made INTO made_on FROM q;
      IF made_on IS NULL THEN RETURN; END IF;
      EXECUTE format('DROP TABLE %I', 'kinds');
    END $$`;

const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());
await server.query(schema);
await server.query('ANALYZE');
const harness = await startProxyInProcess({
  upstreamUrl: server.url(),
  policy: compilePolicy([]),
  catalogPollMs: 60_000,
});
t.teardown(() => harness.close());

type Statement = string | { readonly text: string; readonly values: readonly unknown[] };

/** Each on a connection of its own; whatever it does is undone. */
async function ask(statements: readonly Statement[]): Promise<unknown> {
  const client = new pg.Client(harness.url());
  await client.connect();
  try {
    await client.query('BEGIN');
    for (const one of statements) await client.query(one as string);
    return 'passes';
  } catch (error) {
    return (error as { code?: string }).code === '42501' ? 'asked' : error;
  } finally {
    await client.end();
  }
}

const many = `{${Array.from({ length: 150 }, (_, n) => n).join(',')}}`;
const harmless = 'CREATE OR REPLACE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$';
const harmful = 'CREATE OR REPLACE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql AS $$ DELETE FROM jobs $$';

const passing: readonly (readonly Statement[])[] = [
  ['DO $$ BEGIN UPDATE jobs SET note = note WHERE id = 1; END $$'],
  ['DO $$ BEGIN PERFORM 1; END $$'],
  ['CALL touch(1)'],
  [{ text: 'SELECT finish($1)', values: [[1, 2, 3]] }],
  [{ text: 'SELECT finish($1::int[])', values: [[]] }],
  ["SELECT finish('{1,2}')", 'SELECT finish(ARRAY[1, 2])', 'SELECT finish(ids => ARRAY[4])', 'SELECT finish(NULL)'],
  [{ text: 'SELECT add_job($1)', values: ['k1'] }],
  [
    {
      text: 'SELECT add_jobs(ARRAY(SELECT json_populate_recordset(NULL::spec, $1::json)))',
      values: ['[{"key":"k1","note":"mail"},{"key":"new","note":"mail"}]'],
    },
  ],
  ["SELECT out_first('{1,2}'::int[], '{3}'::int[])"],
  [{ text: 'SELECT app.new_queue($1, $2)', values: ['mail', '{}'] }],
  ["SELECT app.new_queue('mail', '{}')"],
  [harmless, 'DROP FUNCTION IF EXISTS pg_temp.f()'],
  [`${harmless}; SELECT pg_temp.f(); DROP FUNCTION pg_temp.f()`],
  [
    `CREATE OR REPLACE FUNCTION pg_temp.f(OUT a jobs, OUT b text) RETURNS RECORD LANGUAGE plpgsql AS $$ BEGIN
       INSERT INTO jobs VALUES (1, 'k1', 'z') RETURNING * INTO a;
     EXCEPTION WHEN unique_violation THEN GET STACKED DIAGNOSTICS b = PG_EXCEPTION_DETAIL; END $$;
     SELECT (f.a).id, f.b FROM pg_temp.f()`,
  ],
];

for (const statements of passing)
  t.test(`passes: ${JSON.stringify(statements).slice(0, 100)}`, async (t) => {
    t.equal(await ask(statements), 'passes');
  });

const asked: readonly (readonly Statement[])[] = [
  ['DO $$ BEGIN DELETE FROM jobs; END $$'],
  ['DO $$ BEGIN FOR i IN 1..2000 LOOP DELETE FROM jobs WHERE id = i; END LOOP; END $$'],
  ["DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'jobs'; END $$"],
  [{ text: 'SELECT finish($1)', values: [many] }],
  [`SELECT finish('${many}')`],
  ['SELECT finish((SELECT array_agg(id) FROM jobs))', 'SELECT finish(ARRAY(SELECT id FROM jobs))'],
  ['SELECT finish(ARRAY(SELECT generate_series(1, 3000)))'],
  ['SELECT finish(ARRAY[id]) FROM jobs'],
  ["SELECT finish(string_to_array('1|2|3', '|')::int[])"],
  [{ text: 'SELECT finish_all($1)', values: [[1]] }],
  [{ text: 'SELECT finish_by_note($1)', values: [['x']] }],
  ["SELECT out_first('{1}'::int[], (SELECT array_agg(id) FROM jobs))"],
  [
    {
      text: 'SELECT add_crossed(ARRAY(SELECT json_populate_recordset(NULL::spec, $1::json)))',
      values: ['[{"note":"x"}]'],
    },
  ],
  [{ text: 'SELECT app.new_queue($1, $2)', values: ['other', '{}'] }],
  [{ text: 'SELECT app.new_queue($1, $2)', values: [null, '{}'] }],
  ["SELECT app.new_queue('mail', '{}') FROM generate_series(1, 2)"],
  ["SELECT app.new_queue('mail', '{}'), app.new_queue('other', '{}')"],
  ["DELETE FROM app.queue WHERE name = 'mail'", "SELECT app.new_queue('mail', '{}')"],
  ["DELETE FROM app.queue WHERE name = 'mail'; SELECT app.new_queue('mail', '{}')"],
  ["SELECT app.new_watched('mail')"],
  ["SELECT app.inverse('mail')"],
  ["SELECT app.first_drops('mail')"],
  ['SELECT app.by_number(1)'],
  ['SET TRANSACTION ISOLATION LEVEL REPEATABLE READ', "SELECT app.new_queue('mail', '{}')"],
  [harmful],
  [harmful.replace('LANGUAGE sql', 'SECURITY DEFINER LANGUAGE sql').replace('DELETE FROM jobs', 'SELECT')],
  [harmless, 'SELECT pg_temp.f()'],
  [`${harmless}; ROLLBACK; SELECT pg_temp.f()`],
  [`${harmless}; ROLLBACK TO a; SELECT pg_temp.f()`],
  [`${harmless}; SELECT pg_temp.f(1)`],
  [
    "DO $$ BEGIN IF false THEN CREATE OR REPLACE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; END IF; END $$; SELECT pg_temp.f()",
  ],
  [`${harmless.replace('pg_temp.f', 'f')}`],
  [
    `CREATE FUNCTION pg_temp.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$`,
    'CREATE TRIGGER f BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION pg_temp.f()',
  ],
];

for (const statements of asked)
  t.test(`asked: ${JSON.stringify(statements).slice(0, 100)}`, async (t) => {
    t.equal(await ask(statements), 'asked');
  });
