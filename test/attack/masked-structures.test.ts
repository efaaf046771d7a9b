/**
 * Ways to a masked value through rows, arrays and JSON: every source with every expression, the protocol modes in turn.
 * Whatever lineage thinks that a value is made of, no canary is in what goes to the client.
 */
import t from 'tap';
import { type QueryOptions, startMaskedDatabase } from '../masking/database.js';
import { usableSchema, usableYaml } from '../masking/usable-queries.js';

const more = `
  CREATE MATERIALIZED VIEW kept AS SELECT id, email AS mail FROM users; ANALYZE kept;
  CREATE TYPE pair AS (ssn text, name text);
  CREATE VIEW swapped AS SELECT id, ssn AS name, name AS ssn, email FROM users;
  CREATE VIEW rows AS SELECT u.id, u AS r, to_jsonb(u) AS j, ARRAY[u.name, u.ssn] AS a FROM users u;
  CREATE FUNCTION everybody() RETURNS SETOF users LANGUAGE sql STABLE AS 'SELECT * FROM users';
  CREATE FUNCTION anybody() RETURNS TABLE (id int, name text, ssn text, email text) LANGUAGE sql STABLE AS 'SELECT id, ssn, name, email FROM users';
  CREATE FUNCTION as_doc(u users) RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT jsonb_build_object('name', u.ssn) $$;
  CREATE FUNCTION swap(j jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN jsonb_build_object('name', j -> 'ssn'); END $$;
`;

const database = await startMaskedDatabase(usableYaml, usableSchema + more);
t.teardown(() => database.stop());

/** Each gives rows `u` with `id`, `name`, `ssn` and `email`; which of them is masked differs. */
const sources: readonly [what: string, from: string, rest?: string][] = [
  ['a table', 'users u'],
  ['a subquery', '(SELECT * FROM users OFFSET 0) u'],
  ['names that are swapped', '(SELECT id, ssn AS name, name AS ssn, email FROM users) u'],
  ['one name for two', '(SELECT u.id, name, ssn, email, u.ssn AS nick FROM users u) u'],
  ['columns renamed by an alias', 'users AS u(id, ssn, email, name)'],
  ['a subquery renamed by an alias', '(SELECT id, ssn, name, email FROM users) AS u(id, name, ssn, email)'],
  ['a view', 'swapped u'],
  ['a set operation', '(SELECT id, name, ssn, email FROM users UNION ALL SELECT id, ssn, name, email FROM users) u'],
  ['a WITH query', '(WITH w(id, name, ssn, email) AS (SELECT id, ssn, name, email FROM users) SELECT * FROM w) u'],
  ['VALUES', `(VALUES (1, (SELECT ssn FROM users LIMIT 1), 'x', 'y')) AS u(id, name, ssn, email)`],
  ['a join with an alias', `(users a JOIN (SELECT 1 AS one) b ON true) AS u(id, ssn, email, name)`],
  ['LATERAL', 'users x, LATERAL (SELECT x.id, x.ssn AS name, x.name AS ssn, x.email) u'],
  ['a function', 'everybody() u'],
  ['a function with other names', 'anybody() u'],
  [
    'a recursive query',
    '(WITH RECURSIVE w AS (SELECT id, name, ssn, email FROM users UNION SELECT id, ssn, name, email FROM w) SELECT * FROM w) u',
  ],
];

/** Values that are made of a row `u`. */
const makers: readonly string[] = [
  'to_jsonb(u)',
  'row_to_json(u)::jsonb',
  'to_json(u.*)::jsonb',
  `jsonb_build_object('id', u.id, 'name', u.name, 'ssn', u.ssn)`,
  'to_jsonb(ROW(u.id, u.name, u.ssn))',
  'to_jsonb(ARRAY[u.name, u.ssn, u.email])',
  'jsonb_build_array(u.name, u.ssn, u)',
  `jsonb_build_object('a', to_jsonb(u), 'b', jsonb_build_array(to_jsonb(u)))`,
  'to_jsonb(u)::text::jsonb',
  `coalesce(to_jsonb(u), '{}')`,
  `CASE WHEN u.id = 1 THEN to_jsonb(u) ELSE jsonb_build_object('id', u.ssn, 'name', u.ssn) END`,
  `(SELECT to_jsonb(v) FROM (SELECT u.ssn AS name, u.name AS ssn) v)`,
  `JSON_OBJECT('name': u.ssn, 'id': u.name RETURNING jsonb)`,
  `JSON_ARRAY(NULL, u.name, u.ssn, u.email RETURNING jsonb)`,
];

/** What is done to them: `$` is the value, a jsonb. */
const changes: readonly string[] = [
  '$',
  `$ - 'name'`,
  `$ - 0`,
  `$ - '{id,name}'::text[]`,
  `$ #- '{name}'`,
  `$ #- '{0}'`,
  `$ || $`,
  `'{"name": 1}' || $`,
  `'[1]'::jsonb || $`,
  `$ || jsonb_build_object('name', $ -> 'ssn', 'id', $ -> 'ssn')`,
  `$ -> 'name'`,
  `$ ->> 'ssn'`,
  `$ ->> 'id'`,
  `$ -> 1`,
  `$ -> -1`,
  `$ ->> lower('NAME')`,
  `$ #> '{a,ssn}'`,
  `$ #>> '{b,0,ssn}'`,
  `$ #>> ARRAY[lower('SSN')]`,
  `($)['ssn']`,
  `jsonb_set($, '{name}', $ -> 'ssn')`,
  `jsonb_set($, '{0}', $ -> 1)`,
  `jsonb_set($, ARRAY['na' || 'me'], $ -> 'ssn')`,
  `jsonb_set($, '{a,name}', $ #> '{a,ssn}')`,
  `jsonb_insert($, '{0}', '"x"')`,
  `jsonb_strip_nulls($)`,
  `jsonb_pretty($)`,
  `jsonb_build_object('name', $)`,
  `jsonb_build_array($, 1)`,
  `jsonb_extract_path_text($, 'ssn')`,
  `jsonb_path_query_first($, '$.*')`,
  `jsonb_path_query_array($, 'strict $.**')`,
  `(SELECT jsonb_object_agg(value, key) FROM jsonb_each_text($))`,
  `(SELECT jsonb_object_agg(key, value) FROM jsonb_each($))`,
  `(SELECT jsonb_agg(e) FROM jsonb_each_text($) e)`,
  `(SELECT string_agg(value, ',') FROM jsonb_each_text($))`,
  `(SELECT max(e.value) FROM jsonb_each_text($) AS e(value, key))`,
  `(SELECT jsonb_agg(e ->> 0) FROM jsonb_path_query($, '$.*') e)`,
  `replace($::text, 'ssn', 'nick')::jsonb`,
  `replace($::text, '"ssn"', '"name"')::json`,
  `('{"name":' || ($ -> 'ssn')::text || '}')::jsonb`,
  `format('{"id": 1, "name": %s}', $ -> 'ssn')::json`,
  `($::text || '')::jsonb`,
  `jsonb_populate_record(NULL::users, $)`,
  `to_jsonb(jsonb_populate_record(NULL::pair, jsonb_build_object('name', $ ->> 'ssn')))`,
  `(SELECT r FROM jsonb_to_record($) AS r(name text, ssn text))`,
  `(SELECT name FROM jsonb_to_record(jsonb_build_object('name', $ ->> 'ssn')) AS r(name text))`,
  `swap($)`,
  `array_agg($) OVER ()`,
  `(array_agg($) OVER ())[1] ->> 'ssn'`,
  `lag($) OVER (ORDER BY 1)`,
  `jsonb_agg($) OVER ()`,
  `jsonb_object_agg(u.ssn, $) OVER ()`,
  `jsonb_object_agg(u.id, $ -> 'ssn') OVER ()`,
  `ROW(1, $)`,
  `ARRAY[$, $ -> 'ssn']`,
  `to_jsonb($::text)`,
  `$::text COLLATE "C"`,
  `left($::text, 400)`,
  `NULLIF($, '{}')`,
  `greatest($, '{}')`,
  `JSON_VALUE($, '$.ssn')`,
  `JSON_QUERY($, '$')`,
  `JSON_SERIALIZE($::json)`,
  `ts_headline('english', $, 'x')`,
];

/** Of rows and arrays, without JSON. */
const others: readonly string[] = [
  'u',
  'u::text',
  '(u).ssn',
  'ROW(u.*)',
  '(ROW(u.id, u.ssn))::text',
  'ROW(u.name, u.ssn)::pair',
  '(ROW(u.name, u.ssn)::pair).name',
  'to_jsonb(ROW(u.name, u.ssn)::pair)',
  'to_json(ROW(u.ssn, u.name)::pair)',
  'ARRAY[u]',
  '(ARRAY[u])[1]',
  '((ARRAY[u])[1]).name',
  'ARRAY[u.name, u.ssn]',
  '(ARRAY[u.name, u.ssn])[2]',
  '(ARRAY[u.name, u.ssn])[2:2]',
  'array_remove(ARRAY[u.name, u.ssn], u.name)',
  'array_prepend(u.ssn, ARRAY[u.name])',
  'ARRAY[u.name] || ARRAY[u.ssn]',
  'ARRAY[u.name] || u.ssn',
  'array_cat(ARRAY[u.name], ARRAY[u.ssn])',
  'array_replace(ARRAY[u.name, u.ssn], u.name, u.ssn)',
  'ARRAY[ARRAY[u.name, u.ssn], ARRAY[u.ssn, u.name]]',
  'to_jsonb(ARRAY[ARRAY[u.name, u.ssn], ARRAY[u.ssn, u.name]])',
  'array_to_string(ARRAY[u.name, u.ssn], $$,$$)',
  'unnest(ARRAY[u.name, u.ssn])',
  '(SELECT x FROM unnest(ARRAY[u.name, u.ssn]) x OFFSET 1 LIMIT 1)',
  '(SELECT x.name FROM unnest(ARRAY[ROW(u.ssn, u.name)::pair]) x)',
  '(SELECT jsonb_agg(x) FROM unnest(ARRAY[u]) x)',
  'array_agg(u) OVER ()',
  'array_agg(u.name || u.ssn) OVER ()',
  'array_fill(u.ssn, ARRAY[2])',
  'as_doc(u)',
  'xmlforest(u.ssn AS name)',

  'coalesce(u, NULL)',
  'coalesce(ROW(u.id, u.name), ROW(u.id, u.ssn))',
  'CASE WHEN u.id = 1 THEN ROW(u.name, u.ssn) ELSE ROW(u.ssn, u.name) END',
  'to_jsonb(CASE WHEN u.id = 1 THEN ROW(u.name, u.ssn) ELSE ROW(u.ssn, u.name) END)',
  'json_object(ARRAY[u.name, u.ssn])',
  'json_object(ARRAY[u.ssn], ARRAY[u.name])',
  'json_build_object(u.ssn, u.name)',
  'json_object_agg(u.ssn, u.name) OVER ()',
  '(SELECT json_agg(r) FROM (SELECT u.name, u.ssn UNION ALL SELECT u.ssn, u.name) r)',
  '(SELECT to_jsonb(r) FROM rows r LIMIT 1)',
  '(SELECT (r.r).ssn FROM rows r LIMIT 1)',
  '(SELECT r.a[2] FROM rows r LIMIT 1)',
  `(SELECT r.j ->> 'ssn' FROM rows r LIMIT 1)`,
];

const values = [
  ...others,
  ...makers.flatMap((maker) =>
    changes.map((change) => change.replaceAll('$', `(${maker})`).replaceAll(/'\(.*?\)(\.[\w*]+)'/g, "'$$$1'")),
  ),
];

const ways: readonly [how: string, text: (query: string) => string, options?: QueryOptions][] = [
  ['simple', (query) => query],
  ['binary', (query) => query, { formats: [1] }],
  ['binary, not described', (query) => query, { formats: [1], describe: false }],
  ['COPY', (query) => `COPY (${query}) TO STDOUT`],
  ['COPY csv', (query) => `COPY (${query}) TO STDOUT (FORMAT csv)`],
  ['COPY binary', (query) => `COPY (${query}) TO STDOUT (FORMAT binary)`],
  ['WITH', (query) => `WITH w AS (${query}) SELECT w.*, w, to_jsonb(w) FROM w`],
];

const canary = /CANARY/i;
let tried = 0;
let leaking = 0;

for (const [what, from] of sources) {
  t.test(`out of ${what}`, async (t) => {
    const client = await database.connect();
    t.teardown(() => client.close());
    for (const [at, value] of values.entries()) {
      const query = `SELECT ${value} AS v FROM ${from}`;
      const raw = await client.query(query, { raw: true });
      if (canary.test(raw.bytes.toString('latin1'))) leaking++;
      for (const [how, text, options] of [ways[0], ways[1 + (at % (ways.length - 1))]].flatMap((way) =>
        way ? [way] : [],
      )) {
        const result = await client.query(text(query), options);
        tried++;
        if (canary.test(result.bytes.toString('latin1'))) t.fail(`${how}: ${text(query)}`);
      }
    }
    t.pass(`${values.length} values`);
  });
}

/** Rows that say of themselves what they hold: the key of one row says nothing of another, and nothing else is a key. */
const told: readonly string[] = [
  'SELECT key, value FROM users u, jsonb_each_text(to_jsonb(u))',
  `SELECT a.key, b.value FROM users u, jsonb_each_text(to_jsonb(u)) a, jsonb_each_text(to_jsonb(u)) b WHERE a.key = 'name'`,
  `WITH e AS (SELECT key, value FROM users u, jsonb_each_text(to_jsonb(u))) SELECT a.key, b.value FROM e a, e b WHERE a.key = 'name'`,
  `SELECT 'name' AS key, value FROM users u, jsonb_each_text(to_jsonb(u))`,
  `SELECT replace(key, 'ssn', 'name') AS key, value FROM users u, jsonb_each_text(to_jsonb(u))`,
  `SELECT value FROM users u, jsonb_each_text(to_jsonb(u)) WHERE key = 'name' OR true`,
  `SELECT value FROM users u, jsonb_each_text(to_jsonb(u)) WHERE NOT key = 'name'`,
  `SELECT value FROM users u LEFT JOIN jsonb_each_text(to_jsonb(u)) ON key = 'name' OR true`,
  `SELECT k, value FROM users u, jsonb_each_text(to_jsonb(u)), (VALUES ('name')) AS x(k) WHERE k = 'name'`,
  `SELECT min(key), max(value) FROM users u, jsonb_each_text(to_jsonb(u)) GROUP BY value`,
  `SELECT key, max(value) OVER (PARTITION BY u.id) FROM users u, jsonb_each_text(jsonb_build_object('name', u.name, 'ssn', u.ssn)) ORDER BY 2`,
  `SELECT key, lead(value) OVER (ORDER BY key) FROM users u, jsonb_each_text(to_jsonb(u)) ORDER BY 1`,
  `SELECT key, (SELECT max(e.value) FROM jsonb_each_text(to_jsonb(u)) e WHERE e.key = 'ssn') FROM users u, jsonb_each_text(to_jsonb(u))`,
  `SELECT value FROM users u, jsonb_each_text(jsonb_build_object('name', ssn)) WHERE key = 'name'`,
  `WITH RECURSIVE w(k, v) AS (SELECT key, value FROM users u, jsonb_each_text(to_jsonb(u)) UNION ALL SELECT 'name', v FROM w WHERE k = 'ssn') SELECT k, v FROM w`,
  `SELECT key, value FROM (SELECT key, value FROM users u, jsonb_each_text(to_jsonb(u)) UNION ALL SELECT 'name', ssn FROM users) x`,
  `SELECT s.tablename, s.attname, s.histogram_bounds FROM pg_stats s`,
  `SELECT a.tablename, a.attname, b.histogram_bounds FROM pg_stats a, pg_stats b WHERE a.tablename = 'posts' AND a.attname = 'title'`,
  `SELECT 'title' AS attname, 'posts' AS tablename, histogram_bounds FROM pg_stats`,
  `SELECT histogram_bounds FROM pg_stats WHERE tablename = 'posts' OR true`,
  `SELECT histogram_bounds::text FROM pg_stats WHERE tablename = 'posts'`,
  `SELECT schemaname, tablename, attname, most_common_vals, histogram_bounds FROM pg_stats WHERE tablename = 'kept'`,
];

t.test('rows that say what they hold', async (t) => {
  const client = await database.connect();
  t.teardown(() => client.close());
  for (const query of told) {
    const raw = await client.query(query, { raw: true });
    t.match(raw.bytes.toString('latin1'), canary, `without masks it shows: ${query}`);
    for (const [how, text, options] of ways) {
      const { bytes } = await client.query(text(query), options);
      t.notMatch(bytes.toString('latin1'), canary, `${how}: ${query}`);
    }
  }
});

t.teardown(() => console.log(`# ${tried} attempts, ${leaking} of the values show a canary without masks`));
