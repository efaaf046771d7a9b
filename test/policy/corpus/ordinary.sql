SELECT 1

select version()

SELECT current_database(), current_user, inet_server_addr()

SHOW server_version

SHOW ALL

SELECT pg_is_in_recovery()

SELECT now(), clock_timestamp(), random(), gen_random_uuid()

SELECT * FROM orders

TABLE orders

VALUES (1, 'a'), (2, 'b')

SELECT o.*, u.email FROM orders o JOIN users u ON u.id = o.user_id WHERE o.created_at > now() - interval '1 day' ORDER BY 1 LIMIT 50

SELECT count(*) FILTER (WHERE status = 'paid') OVER (PARTITION BY user_id) FROM orders

WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 100) SELECT sum(n) FROM t

SELECT jsonb_path_query(data, '$.a[*] ? (@ > 1)'), data->>'x', data @> '{"a":1}' FROM events WHERE data ? 'k'

SELECT to_tsvector('english', body) @@ plainto_tsquery('x') FROM posts

SELECT unnest(string_to_array('a,b', ',')), generate_series(1, 10), regexp_matches('foo', 'o', 'g')

SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attrelid = '"users"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' END as "Type", pg_catalog.pg_get_userbyid(c.relowner) as "Owner" FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam WHERE c.relkind IN ('r','p','v','m','S','f','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2;

SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname OPERATOR(pg_catalog.~) '^(orders)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3;

SELECT pg_catalog.pg_get_viewdef('v'::regclass, true), pg_get_functiondef('f'::regproc), pg_get_indexdef(1), obj_description('a'::regclass), col_description(1, 1), shobj_description(1, 'pg_database')

SELECT pg_size_pretty(pg_total_relation_size('orders')), pg_relation_size('orders'), pg_database_size(current_database())

SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'

SELECT pid, state, query, pg_blocking_pids(pid) FROM pg_stat_activity WHERE state <> 'idle'

SELECT * FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 10

SELECT * FROM pg_settings WHERE name = 'work_mem'

SELECT has_table_privilege('orders', 'select'), pg_has_role('admin', 'member')

EXPLAIN SELECT * FROM orders

EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM orders WHERE id = 1

EXPLAIN (FORMAT JSON) DELETE FROM orders

EXPLAIN ANALYZE UPDATE orders SET note = 'x' WHERE id = 1

INSERT INTO users (name, email) VALUES ($1, $2) RETURNING id

INSERT INTO users (name) VALUES ('a'), ('b') ON CONFLICT (email) DO NOTHING

INSERT INTO counters (k, n) VALUES ($1, 1) ON CONFLICT (k) DO UPDATE SET n = counters.n + EXCLUDED.n RETURNING n

INSERT INTO archive SELECT * FROM orders WHERE created_at < '2020-01-01'

INSERT INTO logs DEFAULT VALUES

UPDATE users SET name = $1, updated_at = now() WHERE id = $2

UPDATE "users" SET "email" = 'x@y.z' WHERE "users"."id" = 5 RETURNING "id", "email"

UPDATE orders o SET status = 'late' FROM users u WHERE u.id = o.user_id AND u.id = 7

UPDATE django_session SET session_data = 'x', expire_date = '2030-01-01'::timestamptz WHERE session_key = 'abc'

DELETE FROM sessions WHERE expires_at < now()

DELETE FROM users WHERE id IN (1, 2, 3)

DELETE FROM users WHERE id = ANY($1)

DELETE FROM order_items USING orders WHERE orders.id = order_items.order_id AND orders.id = $1

DELETE FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id AND b.gone)

WITH moved AS (DELETE FROM queue WHERE id = (SELECT id FROM queue ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING *) INSERT INTO done SELECT * FROM moved

SELECT * FROM jobs WHERE state = 'ready' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED

SELECT * FROM accounts WHERE id = $1 FOR NO KEY UPDATE

MERGE INTO stock s USING (VALUES (1, 2)) v(id, n) ON s.id = v.id WHEN MATCHED THEN UPDATE SET n = s.n + v.n WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.n)

BEGIN

START TRANSACTION ISOLATION LEVEL SERIALIZABLE

BEGIN READ ONLY

COMMIT

ROLLBACK

END

ABORT

SAVEPOINT sp_1

RELEASE SAVEPOINT sp_1

ROLLBACK TO SAVEPOINT sp_1

SET TRANSACTION ISOLATION LEVEL REPEATABLE READ

SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED

SET client_min_messages TO warning

SET statement_timeout = '30s'

SET LOCAL lock_timeout = 5000

SET standard_conforming_strings = on

SET TIME ZONE 'UTC'

SET SESSION timezone TO 'UTC'

SET DateStyle=ISO

SET extra_float_digits = 3

SET application_name = 'Metabase'

SET client_encoding TO 'UTF8'

SET NAMES 'utf8'

SET search_path TO app, public

SELECT pg_catalog.set_config('search_path', '', false)

SELECT set_config('bytea_output','hex',false) FROM pg_show_all_settings() WHERE name = 'bytea_output'

SET idle_in_transaction_session_timeout = 0

SET bytea_output = hex

SET intervalstyle = iso_8601

SET jit = off

SET enable_seqscan = off

RESET ALL

RESET statement_timeout

DISCARD ALL

SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;

SELECT pg_try_advisory_lock(72707369)

SELECT pg_advisory_xact_lock(1, 2)

SELECT pg_advisory_unlock(4419152)

LISTEN events

NOTIFY events, 'x'

UNLISTEN *

SELECT pg_notify('events', 'x')

PREPARE p (int) AS SELECT * FROM users WHERE id = $1

DEALLOCATE p

DEALLOCATE ALL

DECLARE c NO SCROLL CURSOR FOR SELECT * FROM orders

FETCH FORWARD 100 FROM c

MOVE 10 IN c

CLOSE c

COPY users TO STDOUT

COPY (SELECT * FROM users WHERE id < 10) TO STDOUT WITH (FORMAT csv, HEADER)

COPY users (name, email) FROM STDIN WITH (FORMAT csv)

CREATE TEMP TABLE scratch (id int)

CREATE TEMPORARY TABLE t AS SELECT * FROM orders WHERE id < 100

CREATE TEMP VIEW tv AS SELECT 1

SELECT * INTO TEMP t2 FROM orders

SELECT nextval('orders_id_seq')

SELECT currval('orders_id_seq'), lastval()

SELECT last_value, is_called FROM orders_id_seq

ANALYZE

ANALYZE orders

SELECT "public"."_prisma_migrations"."id" FROM "public"."_prisma_migrations" ORDER BY started_at

SELECT "schema_migrations"."version" FROM "schema_migrations" ORDER BY "schema_migrations"."version" ASC

INSERT INTO "schema_migrations" ("version") VALUES ('20240101000000') RETURNING "version"

INSERT INTO django_migrations (app, name, applied) VALUES ('a', '0001_initial', now()) RETURNING id

UPDATE alembic_version SET version_num='b' WHERE alembic_version.version_num = 'a'

DELETE FROM alembic_version WHERE alembic_version.version_num = 'a'

SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid WHERE t.typname IN ('int2', 'int4')

SELECT b.nspname, b.relname, array_agg(x.attname ORDER BY k.ord) FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k(attnum, ord) JOIN pg_attribute x ON x.attnum = k.attnum JOIN (SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace) b ON b.oid = i.indrelid GROUP BY 1, 2

SELECT oid, pg_catalog.format_type(oid, NULL) AS typname FROM pg_catalog.pg_type WHERE oid IN (1, 2)

select string_agg(distinct name, ', ' order by name), percentile_cont(0.5) within group (order by total), grouping(a) from x group by grouping sets ((a), ())

SELECT CASE WHEN quantity_in_stock > 0 THEN round(quantity * unit_price) END * 100, abs(x), trim(y), split_part(z, '-', 2), left(q, 3), encode(digest, 'hex'), to_char(now(), 'YYYY') FROM oi

SELECT md5(email), sha256(email::bytea), length(x), position('a' in x), overlay(x placing 'b' from 1), extract(epoch from ts), date_trunc('day', ts) AT TIME ZONE 'UTC' FROM t

SELECT array_to_json(array_agg(row_to_json(t))) FROM (SELECT * FROM users) t

SELECT jsonb_build_object('a', jsonb_agg(to_jsonb(u))) FROM users u

SELECT ST_AsText(geom) FROM places WHERE ST_DWithin(geom, ST_MakePoint(1, 2), 10)

SELECT similarity(name, 'x') FROM users WHERE name % 'x'

SELECT uuid_generate_v4()

SELECT crypt('x', gen_salt('bf'))

SELECT * FROM users WHERE email ILIKE '%@example.com' AND deleted_at IS NULL

UPDATE users SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL

UPDATE posts SET views = views + 1 WHERE slug = 'x'

SELECT '; DROP TABLE users; --'

SELECT $$DELETE FROM orders$$

SELECT 1 -- DELETE FROM orders

/* TRUNCATE a */ SELECT "drop table" FROM "delete"

;

SET SESSION AUTHORIZATION DEFAULT

SET CONSTRAINTS ALL DEFERRED

SELECT set_config('request.jwt.claims', '{"sub":"1"}', true)

SELECT pg_sleep(0.1)

SELECT txid_current(), pg_current_xact_id(), pg_export_snapshot()

SELECT pg_backend_pid()

SELECT lo_get(1)

SELECT setseed(0.5)

SELECT pg_stat_get_activity(1)

SELECT name, setting FROM pg_file_settings

SET synchronous_commit = on

SELECT * FROM generate_series('2024-01-01'::date, '2024-02-01', '1 day') d

SELECT * FROM json_to_recordset('[{"a":1}]') AS x(a int)

SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['a'])) AS t(a, b)

SELECT xpath('/a/text()', '<a>1</a>'::xml)

DROP TABLE IF EXISTS pg_temp.scratch

SELECT rolname FROM pg_authid WHERE oid = 10

SELECT rolname, rolsuper, rolcanlogin FROM pg_roles

SELECT amcheck.bt_index_check('x')

SELECT time_bucket('1 hour', ts), avg(v) FROM m GROUP BY 1

SELECT id FROM items ORDER BY embedding <-> '[1,2,3]' LIMIT 5

SELECT cosine_distance(a, b), l2_distance(a,b), inner_product(a,b), vector_dims(a) FROM items

SELECT unaccent(name), word_similarity('a', name), levenshtein('a','b'), soundex('x'), dmetaphone('x'), metaphone('a', 4) FROM users

SELECT digest('a','sha256'), hmac('a','b','sha256'), pgp_sym_encrypt('a','b'), gen_random_bytes(3), armor('x')

SELECT postgis_full_version(), ST_Area(geom), ST_SRID(geom), ST_Transform(geom, 4326), ST_GeomFromText('POINT(0 0)', 4326), ST_Collect(geom), ST_Intersects(a.geom, b.geom) FROM a, b

SELECT earth_distance(ll_to_earth(1,2), ll_to_earth(3,4))

SELECT hstore('a','b') -> 'a', akeys(h), each(h), skeys(h) FROM x

SELECT nlevel(path), subpath(path, 0, 1), text2ltree('a.b') FROM tree

SELECT row_number() OVER w, lag(x) OVER w FROM t WINDOW w AS (ORDER BY id)

SELECT array_agg(x ORDER BY y) FILTER (WHERE z), mode() WITHIN GROUP (ORDER BY a) FROM t

SELECT xmlelement(name foo, 'a'), xmlforest(a, b), json_object('a': 1) FROM t

SELECT * FROM JSON_TABLE('[]', '$[*]' COLUMNS (a int PATH '$.a')) AS jt

MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = s.a RETURNING merge_action(), t.*

UPDATE t SET a = 1 WHERE id = 1 RETURNING old.a, new.a

SELECT pg_catalog.pg_get_userbyid(1), pg_catalog.array_to_string(a, E'\n'), pg_catalog.pg_encoding_to_char(6)

SELECT quote_ident('a'), quote_literal('b'), format('%I', 'c')

select * from pg_locks l join pg_stat_activity a using (pid)

SELECT schemaname, relname, n_live_tup FROM pg_stat_user_tables

SELECT pg_column_size(t.*) , ctid, xmin FROM t

SELECT to_regclass('public.x'), 'x'::regclass

select txid_current_snapshot(), pg_snapshot_xmin(pg_current_snapshot())

SELECT inet_client_addr(), host(ip), masklen(ip) FROM t

SELECT lower(range), upper(r), isempty(r), range_agg(r) FROM t

SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY

SET TRANSACTION READ ONLY

SET TRANSACTION SNAPSHOT '00000003-1'

SET LOCAL app.user_id = '1'

SET default_transaction_isolation TO 'serializable'

SET default_transaction_deferrable = off

SET work_mem TO '64MB'; SET LOCAL maintenance_work_mem = '1GB'

SET plan_cache_mode = force_custom_plan

SET lc_messages = 'C'

SET default_tablespace = ''

SET xmloption = content

SET check_function_bodies = false

SET default_table_access_method = heap

SET transaction_timeout = 0

SET "search_path" TO "$user", public

SET SCHEMA 'app'

SET client_connection_check_interval = 0

SET cursor_tuple_fraction = 1

SET password_encryption = 'scram-sha-256'

SET max_parallel_workers_per_gather = 0

SET statement_timeout TO 0

SET debug_parallel_query = on

SET hnsw.ef_search = 100

SET ivfflat.probes = 10

SET pg_trgm.similarity_threshold = 0.5

SET plpgsql.extra_warnings = 'all'

SET citus.enable_repartition_joins = on

SET timescaledb.enable_chunk_append = on

SET session authorization default

SET vacuum_cost_delay = 0

COPY t FROM STDIN (FORMAT binary)

FETCH ALL IN "<unnamed portal 1>"

FETCH FIRST FROM c

SELECT * FROM t TABLESAMPLE SYSTEM (1)

SELECT 1; SELECT 2

BEGIN; UPDATE t SET a = 1 WHERE id = 1; COMMIT

UPDATE t SET a = 1 WHERE CURRENT OF c

DELETE FROM t WHERE id = $1

DELETE FROM t WHERE id > $1

DELETE FROM t WHERE created_at < now() - interval '30 days'

UPDATE t SET a = NULL WHERE a = ''

UPDATE t SET processed = true WHERE NOT processed

DELETE FROM t WHERE (a, b) IN (SELECT a, b FROM u WHERE c = 1)

DELETE FROM t a USING t b WHERE a.id < b.id AND a.email = b.email

INSERT INTO t SELECT generate_series(1,10)

INSERT INTO t (a) VALUES (DEFAULT) ON CONFLICT ON CONSTRAINT x DO UPDATE SET a = excluded.a WHERE t.a <> excluded.a

DROP TABLE pg_temp.x

TRUNCATE pg_temp.x

VACUUM

VACUUM (ANALYZE) t

VACUUM VERBOSE

EXPLAIN (ANALYZE, COSTS OFF) SELECT 1

EXPLAIN VERBOSE INSERT INTO t VALUES (1)

EXPLAIN CREATE TABLE x AS SELECT 1

SELECT pg_stat_clear_snapshot()

SELECT pg_size_bytes('1GB')

LOCK TABLE t IN ACCESS SHARE MODE

LOCK TABLE t IN ROW EXCLUSIVE MODE

DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE t.id = id AND u.gone)

UPDATE t SET a = 1 WHERE t.a <> b

DELETE FROM t WHERE t.id = 5 AND t.owner = owner

SELECT set_config('jit', $1, false)

SELECT set_config('app.tenant', $1, true), set_config('statement_timeout', $2::text, true)

SELECT json_value(d, '$.a'), json_exists(d, '$.a'), json_query(d, '$.a'), json_scalar(1), json_serialize('{}') FROM t

EXPLAIN (ANALYZE, ANALYZE off) DELETE FROM orders

INSERT INTO jobs (task, queue) SELECT t.id, q.id FROM tasks t LEFT JOIN queues q ON q.name = $2 WHERE t.name = $1 ON CONFLICT (key) DO UPDATE SET revision = jobs.revision + 1

SELECT 'a' -- why
  'b'

SELECT * FROM orders WHERE id NOT -- why
  IN (1, 2) ORDER BY id NULLS /* first */ FIRST

SET row_security = off

SELECT set_config('row_security', 'off', true)
