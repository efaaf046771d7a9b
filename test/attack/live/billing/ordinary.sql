SELECT 1
SELECT version(), current_database(), current_user
SELECT count(*) FROM invoices
SELECT tenant_id, sum(total) FILTER (WHERE status = 'paid'), avg(total) OVER () FROM invoices GROUP BY tenant_id, total
SELECT invoice_total(5)
SELECT id, invoice_total(id) FROM invoices WHERE tenant_id = 5
SELECT enqueue(4, 'https://x', '{"a":1}')
SELECT * FROM claim(5, 'worker-1')
SELECT mark_paid(4)
SELECT * FROM open_invoices WHERE tenant_id = 3
SELECT * FROM revenue ORDER BY total DESC LIMIT 10
SELECT nextval('invoices_id_seq')
SELECT currval(pg_get_serial_sequence('invoices', 'id')) FROM (SELECT nextval('invoices_id_seq')) x
SELECT * FROM webhooks WHERE state = 'queued' ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED
SELECT pg_try_advisory_lock(42)
SELECT pg_advisory_xact_lock(hashtext('invoices'))
SELECT * FROM jsonb_each('{"a": 1}')
SELECT settings->>'theme', settings #>> '{a,b}', jsonb_set(settings, '{x}', '1') FROM tenants WHERE id = 1
SELECT date_trunc('day', at), count(*) FROM events WHERE at > now() - interval '7 days' GROUP BY 1 ORDER BY 1
SELECT * FROM generate_series(1, 10) g LEFT JOIN LATERAL (SELECT * FROM users WHERE tenant_id = g LIMIT 1) u ON true
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r
SELECT crypt('x', gen_salt('bf', 4)), gen_random_uuid(), digest('a', 'sha256')
SELECT encode(hash, 'hex') FROM api_keys LIMIT 3
SELECT string_agg(name, ', ' ORDER BY name), array_agg(DISTINCT tenant_id), percentile_cont(0.5) WITHIN GROUP (ORDER BY id) FROM users
SELECT json_agg(row_to_json(u)) FROM (SELECT id, name FROM users LIMIT 5) u
SELECT pg_size_pretty(pg_total_relation_size('users'))
SELECT relname, n_live_tup FROM pg_stat_user_tables
SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database()
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'users'::regclass
SELECT pg_get_viewdef('open_invoices'::regclass)
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'webhooks'
SELECT to_regclass('public.users'), has_table_privilege('users', 'select')
SHOW server_version
SHOW ALL
SHOW search_path
SET statement_timeout = '5s'
SET LOCAL lock_timeout = 1000
SET TIME ZONE 'UTC'
SET search_path TO public
SET client_encoding TO 'UTF8'
SET application_name = 'web'
RESET statement_timeout
EXPLAIN SELECT * FROM users
EXPLAIN ANALYZE SELECT * FROM users WHERE id = 4
EXPLAIN DELETE FROM users
INSERT INTO invoices (tenant_id, number) VALUES (1, 'N-1'), (1, 'N-2'), (2, 'N-3') RETURNING *
INSERT INTO invoice_lines (invoice_id, line, sku) SELECT 1, 10 + g, 'A' FROM generate_series(1, 50) g
INSERT INTO flags (key, enabled) VALUES ('new', true) ON CONFLICT (key) DO NOTHING
INSERT INTO usage_daily VALUES (1, '2026-11-03', 1) ON CONFLICT (tenant_id, day) DO UPDATE SET calls = usage_daily.calls + 1
INSERT INTO sessions (token, user_id, expires_at, data) VALUES ('tok', 4, now() + interval '1 day', '{}') ON CONFLICT (token) DO UPDATE SET expires_at = EXCLUDED.expires_at, data = EXCLUDED.data
INSERT INTO events (tenant_id, at, kind, payload) VALUES (4, '2026-11-03', 'login', '{"ip": "::1"}')
INSERT INTO events (tenant_id, at, kind) SELECT 4, '2026-11-03', 'batch' FROM generate_series(1, 5000)
UPDATE users SET name = 'B' WHERE tenant_id = 4 AND email = 'u3@example.com'
UPDATE users SET name = upper(name) WHERE id IN (1, 2, 3)
UPDATE users SET is_admin = false WHERE tenant_id = 9
UPDATE invoices SET status = 'paid', paid_at = now() WHERE id = 12 AND version = 1
UPDATE invoices SET total = invoice_total(id) WHERE id = 14 RETURNING total
UPDATE invoices SET total = (SELECT sum(qty * price) FROM invoice_lines l WHERE l.invoice_id = invoices.id) WHERE tenant_id = 12
UPDATE invoices i SET status = 'paid' FROM payments p WHERE p.invoice_id = i.id AND p.id = 77
UPDATE webhooks SET state = 'running', locked_by = 'w' WHERE id = (SELECT id FROM webhooks WHERE state = 'queued' ORDER BY run_at FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING *
UPDATE tenants SET settings = settings || '{"theme": "dark"}' WHERE slug = 'tenant-4'
UPDATE usage_daily SET calls = calls + 1 WHERE tenant_id = 1 AND day = '2026-11-03'
UPDATE api_keys SET revoked_at = now() WHERE id = (SELECT id FROM api_keys LIMIT 1)
DELETE FROM sessions WHERE user_id = 5
DELETE FROM invoice_lines WHERE invoice_id = 4 AND line = 1
DELETE FROM invoice_lines WHERE invoice_id = 4 AND line NOT IN (1, 2)
DELETE FROM payments WHERE id = 12 RETURNING *
DELETE FROM users WHERE id = 5999
DELETE FROM webhooks WHERE id = 4 AND state = 'done'
DELETE FROM webhooks WHERE id IN (SELECT id FROM webhooks WHERE state = 'done' ORDER BY id LIMIT 50)
DELETE FROM events WHERE id = 16 AND at = '2026-10-01 01:20:00+00'
MERGE INTO usage_daily u USING (VALUES (1, date '2026-11-02', 5)) v(t, d, c) ON u.tenant_id = v.t AND u.day = v.d WHEN MATCHED THEN UPDATE SET calls = u.calls + v.c WHEN NOT MATCHED THEN INSERT VALUES (v.t, v.d, v.c)
WITH moved AS (DELETE FROM webhooks WHERE id = 5 RETURNING *) INSERT INTO events (tenant_id, at, kind, payload) SELECT tenant_id, '2026-11-03', 'hook', body FROM moved
WITH new AS (INSERT INTO tenants (slug) VALUES ('n') RETURNING id) INSERT INTO users (tenant_id, email) SELECT id, 'a@b' FROM new RETURNING id
COPY (SELECT id, name FROM users WHERE tenant_id = 4) TO STDOUT WITH (FORMAT csv, HEADER)
COPY users TO STDOUT
SELECT pg_notify('jobs', 'payload')
SELECT set_config('statement_timeout', '3000', true)
SELECT set_config('app.request_id', 'abc', true)
SELECT pg_sleep(0.01)
SELECT txid_current(), pg_backend_pid(), now(), clock_timestamp(), random()
SELECT * FROM pg_locks WHERE NOT granted
SELECT obj_description('users'::regclass), col_description('users'::regclass, 1)
SELECT array_position(scopes, 'read'), unnest(scopes) FROM api_keys LIMIT 5
SELECT DISTINCT ON (tenant_id) * FROM invoices ORDER BY tenant_id, due DESC
SELECT * FROM users WHERE (tenant_id, id) > (5, 10) ORDER BY tenant_id, id LIMIT 20
SELECT EXISTS (SELECT 1 FROM users WHERE email = 'x')
SELECT * FROM events WHERE payload @> '{"a": 1}' AND at BETWEEN '2026-11-01' AND '2026-11-02'
VALUES (1, 'a'), (2, 'b')
TABLE flags
/* app:web, controller:invoices */ SELECT * FROM invoices WHERE id = 4 /* trace=abc */
SELECT grouping(tenant_id), tenant_id, count(*) FROM users GROUP BY ROLLUP (tenant_id)
SELECT lag(total) OVER w FROM invoices WINDOW w AS (PARTITION BY tenant_id ORDER BY id) LIMIT 5
SELECT * FROM JSON_TABLE('[{"a":1}]', '$[*]' COLUMNS (a int PATH '$.a'))
INSERT INTO schema_migrations VALUES ('20261130')
SELECT version FROM schema_migrations ORDER BY version
ANALYZE users
CREATE TABLE IF NOT EXISTS users (id int)
CREATE EXTENSION IF NOT EXISTS pgcrypto
DROP TABLE IF EXISTS not_there
CREATE SCHEMA IF NOT EXISTS public
DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'plan_tier') THEN CREATE TYPE plan_tier AS ENUM ('free'); END IF; END $$
