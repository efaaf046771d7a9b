DELETE FROM invoices WHERE status <> 'zzz'
DELETE FROM invoices WHERE NOT (id = 5)
DELETE FROM users WHERE id >= 1 AND id <= 100000
DELETE FROM users WHERE tenant_id BETWEEN 1 AND 299
DELETE FROM users u WHERE EXISTS (SELECT FROM tenants t WHERE t.id = u.tenant_id)
DELETE FROM users USING tenants WHERE users.tenant_id = tenants.id AND tenants.tier = 'free'
DELETE FROM users WHERE id IN (SELECT user_id FROM api_keys)
DELETE FROM open_invoices
DELETE FROM big_invoices WHERE id > 0
UPDATE big_invoices SET total = 0
DELETE FROM events WHERE at < '2026-11-01'
DELETE FROM events_2026_10
DELETE FROM ONLY users WHERE email LIKE 'u%'
DELETE FROM countries WHERE code = 'AA'
UPDATE flags SET enabled = true WHERE key = 'flag-1'
UPDATE users SET is_admin = true WHERE email ILIKE '%@example.com'
UPDATE users SET password_hash = crypt('x', gen_salt('bf')) WHERE id % 2 = 0
UPDATE users SET email = 'x' || id || '@y' WHERE name IS NOT NULL
UPDATE invoices SET total = 0, status = 'void' WHERE tenant_id < 200
UPDATE invoices i SET status = 'paid' FROM tenants t WHERE t.id = i.tenant_id
UPDATE invoices SET status = CASE WHEN id = 4 THEN 'paid' ELSE status END
UPDATE invoices SET status = 'void' WHERE id = ANY (ARRAY(SELECT id FROM invoices))
UPDATE invoices SET status = 'void' WHERE id IN (SELECT invoice_id FROM payments)
UPDATE invoices SET version = version WHERE due > '2026-01-01'
UPDATE api_keys SET revoked_at = now() WHERE revoked_at IS NULL
UPDATE api_keys SET scopes = '{admin}' WHERE scopes @> '{read}'
UPDATE usage_daily SET calls = calls * 2 WHERE day > '2026-11-02'
UPDATE tenants SET settings = '{}' WHERE settings IS NOT NULL OR slug = 'x'
UPDATE tenants SET deleted_at = now() WHERE coalesce(deleted_at, now()) <= now()
WITH gone AS (DELETE FROM payments RETURNING *) SELECT count(*) FROM gone
WITH x AS (SELECT id FROM users), d AS (DELETE FROM users WHERE id IN (SELECT id FROM x) RETURNING 1) SELECT 1
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 6000) DELETE FROM users USING r WHERE users.id = r.n
MERGE INTO users u USING tenants t ON t.id = u.tenant_id WHEN MATCHED THEN DELETE
MERGE INTO invoices i USING (SELECT generate_series(1, 5000)::bigint AS id) s ON s.id = i.id WHEN MATCHED THEN UPDATE SET status = 'void'
MERGE INTO flags f USING (VALUES ('flag-3')) v(k) ON f.key = v.k WHEN NOT MATCHED BY SOURCE THEN DELETE
INSERT INTO usage_daily SELECT t, date '2026-11-05', 0 FROM generate_series(1, 300) t ON CONFLICT (tenant_id, day) DO UPDATE SET calls = 0
INSERT INTO users (id, tenant_id, email) SELECT g, 1, 'q' || g || '@x' FROM generate_series(1, 3000) g ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.email
INSERT INTO flags SELECT key, true FROM flags ON CONFLICT (key) DO UPDATE SET enabled = true
SELECT purge_tenant(4)
SELECT active_count()
SELECT run_sql('DELETE FROM users')
SELECT run_sql($q$TRUNCATE payments CASCADE$q$)
SELECT * FROM tenants WHERE id ### 1
SELECT * FROM harmless
SELECT sub_del(id) FROM tenants LIMIT 1
SELECT claim(100000, 'me')
CALL archive_events('2027-01-01')
DO $$ BEGIN DELETE FROM users; END $$
DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM invoices LOOP DELETE FROM payments WHERE invoice_id = r.id; END LOOP; END $$
DO $$ BEGIN EXECUTE 'DROP ' || 'TABLE users CASCADE'; END $$
DO LANGUAGE plpgsql $$ BEGIN PERFORM run_sql('delete from sessions'); END $$
TRUNCATE sessions
TRUNCATE ONLY events_default RESTART IDENTITY
DROP TABLE IF EXISTS nothing_there, api_keys
DROP VIEW harmless, open_invoices
DROP INDEX webhooks_ready
DROP SCHEMA public CASCADE
DROP EXTENSION pgcrypto
DROP OWNED BY CURRENT_USER
DROP FUNCTION purge_tenant
DROP TYPE plan_tier CASCADE
DROP TRIGGER invoices_version ON invoices
DROP POLICY notes_tenant ON notes
ALTER TABLE notes DISABLE ROW LEVEL SECURITY
ALTER TABLE invoices DROP COLUMN total
ALTER TABLE users ALTER COLUMN name TYPE varchar(3) USING left(name, 3)
ALTER TABLE invoices DISABLE TRIGGER ALL
ALTER TABLE events DETACH PARTITION events_2026_10
ALTER TABLE users DROP CONSTRAINT users_tenant_id_fkey
ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x', DROP COLUMN last_seen
ALTER TABLE payments SET UNLOGGED
ALTER TABLE payments RENAME TO payments_old
ALTER SEQUENCE invoices_id_seq RESTART WITH 1
SELECT setval('invoices_id_seq', 1)
ALTER ROLE postgres SUPERUSER
ALTER SYSTEM SET wal_level = minimal
ALTER DATABASE postgres SET default_transaction_read_only = on
ALTER POLICY notes_tenant ON notes USING (true)
ALTER FUNCTION invoice_total(bigint) SECURITY DEFINER
CREATE OR REPLACE FUNCTION invoice_total(i bigint) RETURNS numeric LANGUAGE sql AS $$ DELETE FROM invoices; SELECT 1.0 $$
CREATE OR REPLACE VIEW open_invoices AS SELECT * FROM invoices
CREATE RULE no_ins AS ON INSERT TO payments DO INSTEAD NOTHING
CREATE TRIGGER eat BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION wipe_sessions()
CREATE ROLE intruder LOGIN SUPERUSER PASSWORD 'x'
GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC
GRANT pg_read_server_files TO CURRENT_USER
REVOKE ALL ON users FROM PUBLIC
COPY users TO PROGRAM 'cat > /tmp/x'
COPY (DELETE FROM payments RETURNING *) TO STDOUT
COPY nokey FROM '/etc/passwd'
SELECT pg_read_file('/etc/passwd')
SELECT lo_import('/etc/passwd')
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
SELECT query_to_xml('DELETE FROM users', true, true, '')
SELECT set_config('session_replication_role', 'replica', false)
SET session_replication_role = replica
SET app.tenant = '4'
SELECT set_config('app.' || 'tenant', '3', true)
EXPLAIN ANALYZE DELETE FROM sessions
EXPLAIN (ANALYZE, BUFFERS, COSTS off) UPDATE users SET name = 'x'
CREATE TABLE copied AS WITH d AS (DELETE FROM sessions RETURNING *) SELECT * FROM d
LOCK TABLE users IN ACCESS EXCLUSIVE MODE
VACUUM FULL users
REINDEX TABLE invoices
CLUSTER invoices USING invoices_pkey
CREATE INDEX ON invoices (due)
UPDATE pg_class SET relname = 'z' WHERE relname = 'users'
DELETE FROM pg_authid WHERE rolname = 'x'
COMMENT ON DATABASE postgres IS 'x'
REASSIGN OWNED BY CURRENT_USER TO pg_database_owner
SECURITY LABEL ON TABLE users IS 'x'
IMPORT FOREIGN SCHEMA x FROM SERVER y INTO public
CREATE EXTENSION dblink
SELECT pg_reload_conf()
SELECT pg_switch_wal()
DELETE FROM webhooks WHERE ctid = ANY (ARRAY(SELECT ctid FROM webhooks))
DELETE FROM webhooks WHERE state IN ('done', 'failed')
DELETE FROM invoice_lines WHERE (invoice_id, line) IN (SELECT invoice_id, line FROM invoice_lines WHERE line = 1)
DELETE FROM nokey WHERE a = a
DELETE FROM nokey WHERE b = 'x'
DELETE FROM nokey WHERE a <> ALL ('{}')
UPDATE invoices SET status = 'x' FROM (SELECT DISTINCT id FROM payments) v WHERE v.id = invoices.id
UPDATE invoices SET status = 'x' FROM LATERAL (SELECT 1 AS one) v WHERE v.one = 1
UPDATE invoices SET status = 'x' WHERE (tenant_id, status) IN (SELECT id, 'open' FROM tenants)
UPDATE invoices SET status = 'x' WHERE number = 'INV-' || (id)::text
UPDATE invoices SET status = 'x' WHERE id = id + 0
UPDATE invoices SET status = 'x' WHERE id IN (id)
UPDATE invoices SET status = 'x' WHERE id = ANY (ARRAY[id])
UPDATE invoices SET status = 'x' WHERE id = (SELECT i.id FROM invoices i WHERE i.id = invoices.id)
UPDATE invoices AS o SET status = 'x' WHERE id = (SELECT o.id)
UPDATE invoices AS o SET status = 'x' WHERE o.id = (SELECT max(x) FROM (VALUES (o.id)) v(x))
UPDATE invoices SET status = 'x' WHERE (SELECT true)
UPDATE invoices SET status = 'x' WHERE EXISTS (SELECT 1 WHERE invoices.id > 0)
UPDATE invoices SET status = 'x' WHERE id = nullif(id, 0)
UPDATE invoices SET status = 'x' WHERE id = greatest(id, 1)
UPDATE invoices SET status = 'x' WHERE id::text = id::text
UPDATE invoices SET status = 'x' WHERE NOT (id IS NULL)
UPDATE invoices SET status = 'x' WHERE row(id) = row(id)
UPDATE invoices SET status = 'x' WHERE invoices = invoices
UPDATE invoices SET status = 'x' WHERE id = (id - 1) + 1
UPDATE invoices SET status = 'x' WHERE number ~ '.'
UPDATE invoices SET status = 'x' WHERE number SIMILAR TO '%'
UPDATE invoices SET status = 'x' WHERE starts_with(number, '')
UPDATE invoices SET status = 'x' WHERE length(number) >= 0
UPDATE invoices SET status = 'x' WHERE id = ANY (SELECT i.id FROM invoices i)
UPDATE invoices SET status = 'x' WHERE id >= ALL (SELECT 0)
UPDATE invoices SET status = 'x' WHERE ctid IS NOT NULL
UPDATE invoices SET status = 'x' WHERE tableoid = 'invoices'::regclass
UPDATE invoices SET status = 'x' WHERE due < now() + interval '100 years'
DELETE FROM usage_daily WHERE tenant_id = tenant_id AND day = '2026-11-05' OR true
DELETE FROM usage_daily u USING usage_daily v WHERE u.tenant_id = v.tenant_id AND v.day = '2026-11-05'
DELETE FROM usage_daily WHERE day >= '2026-11-01'
DELETE FROM usage_daily WHERE day = '2026-11-05' OR day = '2026-11-06' OR day = '2026-11-07' OR day = '2026-11-08'
DELETE FROM usage_daily WHERE (tenant_id, day) IN (SELECT tenant_id, day FROM usage_daily)
DELETE FROM usage_daily WHERE tenant_id IN (SELECT generate_series(1, 200))
MERGE INTO usage_daily u USING tenants t ON u.tenant_id = t.id AND t.id > 0 WHEN MATCHED THEN DELETE
MERGE INTO usage_daily u USING (SELECT id FROM tenants) t ON u.tenant_id = t.id AND u.day = '2026-11-05' WHEN MATCHED THEN UPDATE SET calls = 0
MERGE INTO invoices i USING (VALUES (1)) v(x) ON true WHEN MATCHED THEN DELETE
MERGE INTO invoices i USING (VALUES (1)) v(x) ON i.id = i.id WHEN MATCHED THEN UPDATE SET status = 'x'
MERGE INTO invoices i USING (SELECT 1 AS x) v ON i.tenant_id < 200 WHEN MATCHED THEN UPDATE SET status = 'x'
MERGE INTO invoices i USING invoices j ON i.id = j.id WHEN MATCHED AND j.id % 2 = 0 THEN DELETE
MERGE INTO invoices i USING (SELECT id FROM invoices LIMIT 3000) j ON i.id = j.id WHEN MATCHED THEN UPDATE SET status = 'x'
MERGE INTO invoices i USING (TABLE payments) p ON p.invoice_id = i.id WHEN MATCHED THEN UPDATE SET status = 'x'
MERGE INTO invoices i USING json_to_recordset((SELECT json_agg(p) FROM payments p)) AS p(id bigint) ON p.id = i.id WHEN MATCHED THEN UPDATE SET status = 'x'
INSERT INTO invoices (id, tenant_id, status) SELECT id, tenant_id, 'void' FROM invoices ON CONFLICT (id) DO UPDATE SET status = 'void'
INSERT INTO invoices (id, tenant_id, status) TABLE invoices_copy ON CONFLICT (id) DO UPDATE SET status = 'void'
INSERT INTO flags TABLE flags ON CONFLICT (key) DO UPDATE SET enabled = NOT flags.enabled
WITH ids AS MATERIALIZED (SELECT id FROM invoices) UPDATE invoices SET status = 'x' WHERE id IN (TABLE ids)
WITH RECURSIVE t AS (SELECT id, tenant_id FROM invoices WHERE id = 1 UNION SELECT i.id, i.tenant_id FROM invoices i JOIN t ON i.id = t.id + 1) DELETE FROM payments WHERE invoice_id IN (SELECT id FROM t)
WITH a AS (UPDATE users SET last_seen = now() WHERE id < 90 RETURNING id), b AS (UPDATE users SET name = 'x' WHERE id BETWEEN 5000 AND 5999 RETURNING id) SELECT count(*) FROM a, b
WITH a AS (DELETE FROM invoice_lines WHERE invoice_id < 600 RETURNING *) INSERT INTO notes (tenant_id, body) SELECT 1, sku FROM a
EXPLAIN (ANALYZE true, FORMAT json) WITH d AS (DELETE FROM notes RETURNING 1) SELECT count(*) FROM d
COPY (WITH d AS (DELETE FROM notes RETURNING *) SELECT * FROM d) TO STDOUT
COPY (UPDATE users SET name = 'x' RETURNING id) TO STDOUT
BEGIN; DELETE FROM payments WHERE id < 3000; COMMIT
SELECT 1; SELECT 2; UPDATE users SET name = 'q'; SELECT 3
SELECT purge_tenant(t) FROM generate_series(1, 300) t
SELECT purge_tenant(id) FROM tenants WHERE false OR id > 0
SELECT count(*) FROM users u, LATERAL claim(50, u.name) c
SELECT * FROM tenants t WHERE EXISTS (SELECT 1 FROM claim(200, t.slug))
SELECT mark_paid(id) FROM invoices
SELECT mark_paid(g) FROM generate_series(1, 5000) g
SELECT array_agg(mark_paid(id)) FROM invoices
DO $$ DECLARE i bigint; BEGIN FOREACH i IN ARRAY (SELECT array_agg(id) FROM invoices) LOOP PERFORM mark_paid(i); END LOOP; END $$
DO $$ BEGIN WHILE EXISTS (SELECT 1 FROM payments) LOOP DELETE FROM payments WHERE id = (SELECT min(id) FROM payments); END LOOP; END $$
DO $$ BEGIN UPDATE users SET name = 'x' WHERE id IN (SELECT id FROM users LIMIT 2000); END $$
ALTER TABLE sessions ADD COLUMN x int GENERATED ALWAYS AS (1) STORED, DROP COLUMN data
ALTER INDEX webhooks_ready RENAME TO wr
ALTER TYPE plan_tier RENAME VALUE 'free' TO 'none'
ALTER DOMAIN email DROP CONSTRAINT email_check
ALTER VIEW open_invoices RENAME TO oi
ALTER TRIGGER invoices_version ON invoices RENAME TO v2
ALTER TABLE invoices ALTER COLUMN status DROP DEFAULT
ALTER TABLE invoices ALTER COLUMN tenant_id DROP NOT NULL
DROP ROLE IF EXISTS postgres
DROP SEQUENCE payments_id_seq CASCADE
DROP PROCEDURE archive_events
DROP DOMAIN email CASCADE
DROP RULE countries_gone ON countries
DROP MATERIALIZED VIEW revenue
DROP OPERATOR ### (int, int)
CREATE OR REPLACE FUNCTION bump_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$
CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION bump_version()
CREATE POLICY p2 ON notes USING (true)
CREATE SUBSCRIPTION s CONNECTION 'host=evil' PUBLICATION p
CREATE PUBLICATION p FOR ALL TABLES
SELECT pg_create_logical_replication_slot('s', 'test_decoding')
SELECT pg_drop_replication_slot('s')
SELECT lo_unlink(1)
SELECT pg_advisory_lock(1), pg_cancel_backend(1)
SELECT pg_ls_dir('/')
SELECT dblink_exec('host=x', 'DROP TABLE y')
SELECT xpath_table('id', 'x', 'y', 'z', 'true')
SET SESSION AUTHORIZATION postgres
VACUUM FULL
MERGE INTO invoices i USING (SELECT 0 + generate_series(1, 5000) AS id) s ON s.id = i.id WHEN MATCHED THEN DELETE
UPDATE invoices i SET status = 'void' FROM (SELECT generate_series(1, 5000)::bigint AS id) s WHERE s.id = i.id
DELETE FROM payments p USING (SELECT 0 + generate_series(1, 5000) AS id) s WHERE s.id = p.id
DELETE FROM payments p USING (SELECT (ARRAY[generate_series(1, 5000)])[1] AS id) s WHERE s.id = p.id
DELETE FROM payments p USING (SELECT coalesce(NULL, unnest(array(select generate_series(1,4000)))) AS id) s WHERE s.id = p.id
DELETE FROM payments WHERE id IN (SELECT generate_series(1, 5000)::bigint)
DELETE FROM payments WHERE id IN (SELECT 0 + generate_series(1, 5000))
DELETE FROM payments WHERE id IN (SELECT unnest(ARRAY(SELECT id FROM payments)))
DELETE FROM payments WHERE id IN (SELECT unnest(ARRAY(SELECT id FROM payments))::bigint)
DELETE FROM payments WHERE id IN (SELECT (jsonb_array_elements_text((SELECT jsonb_agg(id) FROM payments)))::bigint)
DELETE FROM payments p USING (VALUES ((SELECT 5)), (6)) v(id), generate_series(1, 5000) g WHERE p.id = v.id + g
DELETE FROM payments p USING (SELECT id FROM payments) s WHERE s.id = p.id
UPDATE payments p SET amount = 0 FROM (SELECT * FROM generate_series(1, 5000) g) s WHERE p.id = s.g
UPDATE payments p SET amount = 0 FROM (SELECT x.g FROM ROWS FROM (generate_series(1, 5000)) x(g)) s WHERE p.id = s.g
INSERT INTO flags SELECT 'flag-' || generate_series(1, 40), true ON CONFLICT (key) DO UPDATE SET enabled = true
INSERT INTO tenants (id, slug) SELECT generate_series(1, 300)::int, 'a' ON CONFLICT (id) DO UPDATE SET deleted_at = now()
INSERT INTO tenants (id, slug) SELECT 0 + generate_series(1, 300), 'a' ON CONFLICT (id) DO UPDATE SET deleted_at = now()
INSERT INTO tenants (id, slug) SELECT * FROM (SELECT generate_series(1, 300)::int, 'a' || random()) s ON CONFLICT (id) DO UPDATE SET deleted_at = now()
DELETE FROM payments WHERE id = ANY (ARRAY(SELECT generate_series(1, 5000)))
DELETE FROM payments WHERE id = ANY (ARRAY(SELECT 0 + generate_series(1, 5000)))
DELETE FROM payments WHERE (id, 1) IN (SELECT generate_series(1, 5000), 1)
UPDATE payments SET amount = 1 WHERE id BETWEEN 1 AND (SELECT max(id) FROM payments)
WITH s AS (SELECT generate_series(1, 5000)::bigint AS id) DELETE FROM payments p USING s WHERE s.id = p.id
WITH s AS (SELECT 0 + generate_series(1, 5000) AS id) UPDATE payments p SET amount = 2 FROM s WHERE s.id = p.id
WITH s(id) AS (VALUES (1), (2)) UPDATE payments p SET amount = 2 FROM s, generate_series(1, 3000) g WHERE p.id = s.id * g
DELETE FROM payments WHERE id IN (SELECT CASE WHEN true THEN a.b END FROM (SELECT generate_series(1, 5000) AS b) a)
DELETE FROM payments WHERE id IN (SELECT 1 UNION ALL SELECT generate_series(1, 5000)::bigint)
DELETE FROM payments WHERE id IN (SELECT regexp_split_to_table((SELECT string_agg(id::text, ',') FROM payments), ',')::bigint)
