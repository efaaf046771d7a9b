/**
 * Queries of applications and tools over tables with masked columns, for which a user expects data.
 *
 * Every masked value begins with `CANARY` and is masked with `***`: what a query may show is what it shows without masks,
 * with the canaries replaced.
 */
export const usableYaml = `version: 1
mask:
  - { column: users.email, with: fixed, value: '***' }
  - { column: users.ssn, with: fixed, value: '***' }
  - { column: posts.draft, with: fixed, value: '***' }
  - { column: payments.card, with: fixed, value: '***' }
`;

export const usableSchema = `
  CREATE TYPE address AS (street text, city text);
  CREATE TABLE users (
    id int PRIMARY KEY, name text NOT NULL, email text UNIQUE, ssn text, age int CHECK (age > 0), tags text[], prefs jsonb,
    home address, created timestamptz DEFAULT '2024-01-02 03:04:05+00', active boolean DEFAULT true);
  CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users, title text NOT NULL, draft text, likes int, at date);
  CREATE TABLE payments (id int PRIMARY KEY, user_id int REFERENCES users, amount numeric(10,2), card text, state text);
  INSERT INTO users VALUES
    (1, 'Ada', 'CANARYa@x', 'CANARY-1', 36, '{red,"light blue"}', '{"theme": "dark", "size": 1.50}', ROW('Main 1','Bern')),
    (2, 'Bob "B"', 'CANARYb@x', NULL, 41, '{}', '{"theme": {"name": "a\\"b"}}', ROW(NULL,'Ulm')),
    (3, 'Zoë', NULL, 'CANARY-3', NULL, NULL, NULL, NULL);
  INSERT INTO posts VALUES (10, 1, 'First', 'CANARY-d1', 3, '2024-01-01'), (11, 1, 'Second, "quoted"', 'CANARY-d2', 5, '2024-02-01'),
    (12, 2, 'Third', NULL, 0, NULL);
  INSERT INTO payments VALUES (20, 1, 12.50, 'CANARY-4111', 'paid'), (21, 2, 0.10, 'CANARY-4222', 'open');
  CREATE VIEW posts_public AS SELECT id, title FROM posts;
  CREATE VIEW people AS SELECT id, name, email AS mail, age FROM users;
  CREATE VIEW cards AS SELECT u.id, to_jsonb(u) AS doc FROM users u;
  CREATE FUNCTION full_name(u users) RETURNS text LANGUAGE sql STABLE AS $$ SELECT u.name || ' #' || u.id $$;
  CREATE FUNCTION tax(amount numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN amount * 0.2; END $$;
  CREATE FUNCTION address_name(address) RETURNS name LANGUAGE sql IMMUTABLE AS $$ SELECT ($1.street || ', ' || $1.city)::name $$;
  CREATE CAST (address AS name) WITH FUNCTION address_name(address);
  CREATE FUNCTION paid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE users SET active = true WHERE id = NEW.user_id; RETURN NULL; END $$;
  CREATE TRIGGER paid AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION paid();
  CREATE FUNCTION titles(who int) RETURNS SETOF text LANGUAGE sql STABLE AS $$ SELECT title FROM posts WHERE user_id = who ORDER BY id $$;
  CREATE FUNCTION factorial(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN IF n < 2 THEN RETURN 1; END IF; RETURN n * factorial(n - 1); END $$;
  CREATE TABLE likes (post int, who text); INSERT INTO likes SELECT n % 3, 'w' || n FROM generate_series(1, 9) n;
  CREATE TABLE audit (id serial, tbl text, op text, old jsonb, new json, line text);
  CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE was jsonb; entry audit%ROWTYPE; BEGIN
    IF TG_OP <> 'INSERT' THEN was := to_jsonb(OLD); END IF;
    INSERT INTO audit (tbl, op, old, new, line) VALUES (TG_TABLE_NAME, TG_OP, was, row_to_json(NEW), to_jsonb(NEW)::text); RETURN NULL; END $$;
  CREATE TRIGGER audited AFTER INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION audited();
  CREATE TRIGGER audited AFTER INSERT OR UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION audited();
  CREATE VIEW changes AS SELECT op, old ->> 'name' AS name, new FROM audit WHERE tbl = 'users';
  UPDATE users SET age = age; UPDATE posts SET likes = likes WHERE id = 10;
  CREATE TABLE history (tbl text, pairs jsonb, fresh jsonb);
  CREATE FUNCTION recorded() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE found jsonb; BEGIN
    SELECT jsonb_object_agg(n.key, jsonb_build_array(o.value, n.value)) INTO found
      FROM jsonb_each(to_jsonb(OLD)) o JOIN jsonb_each(to_jsonb(NEW)) n ON n.key = o.key AND n.value IS DISTINCT FROM o.value;
    INSERT INTO history VALUES (TG_TABLE_NAME, found, (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(NEW))
      WHERE to_jsonb(OLD) -> key IS DISTINCT FROM value)); RETURN NULL; END $$;
  CREATE TRIGGER recorded AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION recorded();
  CREATE FUNCTION stamped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.state := 'changed'; RETURN NEW; END $$;
  CREATE TRIGGER stamped BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION stamped();
  UPDATE users SET age = 50, email = 'CANARYn@x' WHERE id = 3;
  CREATE FUNCTION own_profile(who int) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$ DECLARE u users%ROWTYPE; BEGIN
    SELECT * INTO u FROM users WHERE id = who; RETURN jsonb_build_object('name', u.name, 'theme', u.prefs -> 'theme', 'email', u.email); END $$;
  ANALYZE;
`;

export interface Usable {
  readonly what: string;
  readonly sql: string;
}

const list = (what: string, ...queries: string[]): Usable[] => queries.map((sql) => ({ what, sql }));

export const usableQueries: readonly Usable[] = [
  ...list(
    'rows as JSON',
    'SELECT to_jsonb(u) FROM users u ORDER BY id',
    'SELECT row_to_json(u) FROM users u ORDER BY id',
    'SELECT row_to_json(u, true) FROM users u ORDER BY id',
    'SELECT row_to_json(u.*) FROM users u ORDER BY id',
    'SELECT to_json(users) FROM users ORDER BY users.id',
    'SELECT json_agg(u) FROM users u',
    'SELECT jsonb_agg(u ORDER BY u.email) FROM users u',
    'SELECT json_agg(u.* ORDER BY id DESC) FILTER (WHERE active) FROM users u',
    `SELECT json_build_object('id', id, 'name', name, 'email', email) FROM users ORDER BY id`,
    `SELECT jsonb_build_object('user', to_jsonb(u), 'n', 1) FROM users u ORDER BY id`,
    'SELECT json_build_array(id, name, ssn) FROM users ORDER BY id',
    'SELECT json_object_agg(id, name) FROM users',
    'SELECT jsonb_object_agg(id, to_jsonb(u)) FROM users u',
    `SELECT JSON_OBJECT('id': id, 'email': email) FROM users ORDER BY id`,
    `SELECT JSON_ARRAYAGG(JSON_OBJECT('n': name, 'e': email) ORDER BY id) FROM users`,
    `SELECT to_jsonb(u) - 'ssn' FROM users u ORDER BY id`,
    `SELECT to_jsonb(u) - 'ssn' - 'email' FROM users u ORDER BY id`,
    `SELECT to_jsonb(u) - '{ssn,email}'::text[] FROM users u ORDER BY id`,
    `SELECT to_jsonb(u) ->> 'name' FROM users u ORDER BY id`,
    `SELECT to_jsonb(u) -> 'email', to_jsonb(u) ->> 'email' FROM users u ORDER BY id`,
    `SELECT to_jsonb(u) #>> '{prefs,theme}' FROM users u ORDER BY id`,
    `SELECT to_jsonb(u) || '{"kind": "user"}' FROM users u ORDER BY id`,
    `SELECT to_jsonb(u) || jsonb_build_object('posts', 3) FROM users u ORDER BY id`,
    `SELECT jsonb_set(to_jsonb(u), '{name}', '"x"') FROM users u ORDER BY id`,
    'SELECT jsonb_strip_nulls(to_jsonb(u)) FROM users u ORDER BY id',
    'SELECT jsonb_pretty(to_jsonb(u)) FROM users u ORDER BY id',
    'SELECT row_to_json(u)::text FROM users u ORDER BY id',
    `SELECT (to_jsonb(u))['name'] FROM users u ORDER BY id`,
    'SELECT doc FROM cards ORDER BY id',
    'SELECT row_to_json(p) FROM people p ORDER BY id',
    'WITH w AS (SELECT id, email FROM users) SELECT json_agg(w) FROM w',
    'SELECT json_agg(row_to_json(s)) FROM (SELECT name, email AS contact FROM users ORDER BY id) s',
    'SELECT e ->> $$name$$ FROM users u, jsonb_array_elements(jsonb_build_array(to_jsonb(u))) e ORDER BY u.id',
    'SELECT jsonb_array_length(jsonb_agg(u)) FROM users u',
    'SELECT json_agg(u) OVER (ORDER BY u.ssn) FROM users u',
    'SELECT key, value FROM users u, jsonb_each_text(to_jsonb(u)) ORDER BY u.id, key',
    'SELECT u.id, e.* FROM users u, json_each(row_to_json(u)) e ORDER BY u.id, key',
    `SELECT lower(value) FROM users u, jsonb_each_text(to_jsonb(u)) WHERE key = 'name' ORDER BY u.id`,
    `WITH e AS (SELECT u.id, key AS k, value AS v FROM users u, jsonb_each(to_jsonb(u)))
     SELECT a.k, a.v, b.k, b.v FROM e a JOIN e b ON a.id = b.id WHERE b.k = 'email' ORDER BY a.id, a.k`,
    `SELECT jsonb_pretty(to_jsonb(u) #- '{prefs,size}') FROM users u ORDER BY id`,
    `SELECT jsonb_path_query_first(to_jsonb(u), '$.prefs.size') #>> '{}' FROM users u ORDER BY id`,
  ),
  ...list(
    'PostgREST, Hasura, Supabase',
    `WITH pgrst_source AS (SELECT "public"."users".* FROM "public"."users" ORDER BY id)
     SELECT null::bigint AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total,
            coalesce(json_agg(_postgrest_t), '[]') AS body, nullif(current_setting('response.headers', true), '') AS response_headers
       FROM (SELECT * FROM pgrst_source) _postgrest_t`,
    `SELECT "users"."id", "users"."name", COALESCE("users_posts_1"."users_posts_1", '[]') AS "posts"
       FROM "public"."users" LEFT JOIN LATERAL (
         SELECT json_agg("users_posts_1") AS "users_posts_1"
           FROM (SELECT "posts_1"."title", "posts_1"."draft" FROM "public"."posts" AS "posts_1"
                  WHERE "posts_1"."user_id" = "public"."users"."id" ORDER BY id) AS "users_posts_1") AS "users_posts_1" ON TRUE ORDER BY 1`,
    `SELECT coalesce(json_agg("root" ORDER BY "root_pk"), '[]') AS "root" FROM (
       SELECT row_to_json((SELECT "_e" FROM (SELECT "_root.base"."id" AS "id", "_root.base"."name" AS "name",
              "_root.base"."email" AS "email") AS "_e")) AS "root", "_root.base"."id" AS root_pk
         FROM (SELECT * FROM "public"."users" WHERE ('true')) AS "_root.base") AS "_root"`,
    `SELECT json_build_object('id', __local_0__.id, 'email', __local_0__.email, 'posts',
        (SELECT coalesce(json_agg(json_build_object('t', p.title, 'd', p.draft) ORDER BY p.id), '[]'::json) FROM posts p WHERE p.user_id = __local_0__.id))
       FROM (SELECT __local_0__.* FROM users AS __local_0__ WHERE TRUE ORDER BY id) AS __local_0__`,
    `SELECT jsonb_build_object('data', coalesce((SELECT jsonb_agg(t) FROM (SELECT id, name, ssn FROM users ORDER BY id) t), '[]'::jsonb), 'count', 3)`,
    `UPDATE posts SET likes = likes WHERE id = 10 RETURNING row_to_json(posts)`,
    `WITH changed AS (UPDATE posts SET likes = likes WHERE user_id = 1 RETURNING *) SELECT json_agg(c ORDER BY id) FROM changed c`,
  ),
  ...list(
    'rows, arrays and composites',
    'SELECT u FROM users u ORDER BY id',
    'SELECT u.*::text FROM users u ORDER BY id',
    'SELECT ROW(id, name, email) FROM users ORDER BY id',
    'SELECT (id, ssn, tags) FROM users ORDER BY id',
    'SELECT (u).name, (u).email FROM users u ORDER BY id',
    'SELECT (s.r).name FROM (SELECT u AS r FROM users u ORDER BY id) s',
    'SELECT array_agg(u ORDER BY id) FROM users u',
    'SELECT ARRAY(SELECT ROW(id, email) FROM users ORDER BY id)',
    'SELECT ARRAY[name, email, ssn] FROM users ORDER BY id',
    'SELECT array_agg(name ORDER BY email) FROM users',
    '(SELECT (array_agg(u ORDER BY id))[1] FROM users u)',
    'SELECT ((array_agg(u ORDER BY id))[1]).name FROM users u',
    'SELECT (home).city, home FROM users ORDER BY id',
    'SELECT array_to_json(array_agg(u ORDER BY id)) FROM users u',
    'SELECT x.title, x.draft FROM unnest((SELECT array_agg(p ORDER BY id) FROM posts p)) x',
    'COPY (SELECT id, to_jsonb(u), u FROM users u ORDER BY id) TO STDOUT',
    'COPY (SELECT row_to_json(u) FROM users u ORDER BY id) TO STDOUT (FORMAT csv, HEADER)',
    'COPY users TO STDOUT (FORMAT binary)',
    'COPY (SELECT id, email, u FROM users u ORDER BY id) TO STDOUT (FORMAT binary)',
  ),
  ...list(
    'Django, Rails, reports',
    `SELECT "users"."id", "users"."name", "users"."email" FROM "users" WHERE "users"."email" = 'CANARYa@x' LIMIT 21`,
    'SELECT COUNT(*) AS "__count" FROM "users" WHERE "users"."ssn" IS NOT NULL',
    'SELECT (1) AS "a" FROM "users" WHERE "users"."email" = $$CANARYa@x$$ LIMIT 1',
    `SELECT string_agg(name, ', ' ORDER BY email) FROM users`,
    'SELECT name, rank() OVER (ORDER BY ssn), lag(name) OVER (ORDER BY email) FROM users',
    'SELECT name, email IS NULL AS missing FROM users ORDER BY id',
    'SELECT state, sum(amount), count(card) FROM payments GROUP BY state ORDER BY 1',
    'SELECT u.name, p.title FROM users u LEFT JOIN posts p ON p.user_id = u.id ORDER BY u.email, p.id',
    'SELECT DISTINCT ON (u.id) u.name, p.draft FROM users u JOIN posts p ON p.user_id = u.id ORDER BY u.id, p.id',
    'SELECT id, title AS text FROM posts UNION ALL SELECT id, name FROM users ORDER BY 1',
    'SELECT id, name, email FROM users WHERE id = 1 UNION ALL SELECT id, title, NULL FROM posts ORDER BY 1',
    `SELECT 'user' AS kind, ssn AS v FROM users UNION ALL SELECT 'post', title FROM posts ORDER BY 1, 2`,
    `SELECT v FROM (SELECT 'b' AS k, name AS v FROM users UNION SELECT 'c', title FROM posts) u ORDER BY 1`,
    `SELECT * FROM (SELECT 'a' AS k, ssn AS v FROM users UNION SELECT 'c', title FROM posts) u WHERE v <> '' ORDER BY k`,
    'SELECT full_name(u) FROM users u ORDER BY id',
    'SELECT tax(amount), factorial(4) FROM payments ORDER BY id',
    'SELECT t FROM titles(1) t',
    'SELECT date_trunc($$month$$, at), sum(likes) FROM posts GROUP BY 1 ORDER BY 1',
    `UPDATE users SET email = 'new@x' WHERE id = 2 RETURNING id, email`,
    `INSERT INTO users (id, name, email) VALUES (4, 'New', 'mine@x') RETURNING *`,
    `INSERT INTO payments VALUES (22, 1, 5, '4000-1234', 'paid') RETURNING id, card`,
    `UPDATE payments SET card = '4000-9999' WHERE id = 20 RETURNING card`,
    'SELECT home::name, name FROM users ORDER BY id',
  ),
  ...list(
    'what triggers have written',
    'SELECT id, tbl, op, old, new, line FROM audit ORDER BY id',
    `SELECT old ->> 'name', new ->> 'age', old ->> 'email' FROM audit WHERE tbl = 'users' ORDER BY id`,
    `SELECT jsonb_pretty(old - 'email') FROM audit ORDER BY id`,
    `SELECT old #- '{prefs,size}' FROM audit ORDER BY id`,
    `SELECT line::jsonb -> 'title' FROM audit WHERE tbl = 'posts' ORDER BY id`,
    'SELECT name, new FROM changes ORDER BY name',
    'SELECT jsonb_object_keys(old) FROM audit WHERE id = 1',
    'SELECT json_agg(x) FROM (SELECT id, old, new FROM audit ORDER BY id) x',
    'COPY (SELECT old, line FROM audit ORDER BY id) TO STDOUT (FORMAT csv)',
    `UPDATE audit SET op = lower(op) WHERE id = 1 RETURNING op, old`,
    'SELECT own_profile(1), own_profile(3)',
    'SELECT pairs, fresh FROM history',
    `SELECT pairs -> 'age' -> 1, fresh ->> 'email' FROM history`,
    `SELECT jsonb_object_agg(key, value ORDER BY key) FROM users u, jsonb_each(to_jsonb(u)) WHERE id = 2`,
    `SELECT jsonb_object_agg(key, jsonb_build_array(a.value, b.value))
       FROM users u, jsonb_each(to_jsonb(u)) a JOIN jsonb_each(to_jsonb(u) - 'name') b USING (key) WHERE id = 2`,
    `CREATE TEMP VIEW w AS SELECT name, old FROM changes JOIN audit USING (op); SELECT DISTINCT name FROM w ORDER BY 1`,
  ),
  ...list(
    'several results in one text',
    'SELECT name FROM users ORDER BY id; SELECT email, id FROM users ORDER BY id; SELECT count(*) FROM users',
    'UPDATE posts SET likes = 1 WHERE id = 10; SELECT upper(title) FROM posts ORDER BY id; SHOW server_version; SELECT draft FROM posts ORDER BY id',
    'SELECT to_jsonb(u) FROM users u ORDER BY id; SELECT lower(name) FROM users ORDER BY id',
    'SELECT name || id FROM users WHERE id = 1; SELECT 1, title || id FROM posts WHERE id = 10; SELECT ssn FROM users',
  ),
  ...list(
    'catalogs and tools',
    `SELECT attname, null_frac, n_distinct FROM pg_stats WHERE tablename = 'users' ORDER BY 1`,
    `SELECT most_common_vals FROM pg_stats WHERE tablename = 'posts' AND attname = 'user_id'`,
    `SELECT attname, most_common_vals::text, histogram_bounds FROM pg_stats WHERE tablename = 'likes' ORDER BY 1`,
    `SELECT attname, histogram_bounds FROM pg_stats WHERE tablename = 'payments' AND attname = 'amount'`,
    `SELECT s.schemaname, s.tablename, s.attname, s.most_common_vals FROM pg_stats s JOIN pg_class c ON c.relname = s.tablename
      WHERE c.relname IN ('posts', 'likes') AND attname NOT LIKE 'draft' ORDER BY 2, 3`,
    `SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relname OPERATOR(pg_catalog.~) '^(users)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3`,
    `SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
            (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef)
       FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'users'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    `SELECT conname, pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conrelid = 'users'::regclass ORDER BY 1`,
    `SELECT indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'users'::regclass ORDER BY 1`,
    `SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'users' ORDER BY ordinal_position`,
    `SELECT relname, n_live_tup FROM pg_stat_user_tables WHERE relname = 'nobody'`,
    'EXPLAIN (COSTS OFF) SELECT name, email FROM users ORDER BY id',
    'SELECT pg_get_viewdef($$people$$::regclass)',
    'SHOW server_version',
    `SELECT query_to_xml('SELECT id, title FROM posts WHERE id = 10', true, false, '')`,
    `SELECT table_to_xml('public.posts_public'::regclass, true, false, '')`,
    `SELECT * FROM ts_stat('SELECT to_tsvector(''simple'', title) FROM posts') ORDER BY 1`,
  ),
];
