SELECT 1
SELECT now(), version(), current_user
SELECT * FROM accounts WHERE id = 5
SELECT a.*, count(s.id) FROM accounts a LEFT JOIN statuses s ON s.account_id=a.id GROUP BY a.id ORDER BY 2 LIMIT 20
SELECT * FROM accounts WHERE lower(username) = 'u5' AND domain IS NULL LIMIT 1
SELECT exists(SELECT 1 FROM follows WHERE account_id=1 AND target_id=2)
SELECT count(*) FROM statuses WHERE created_at > now() - interval '1 day'
SELECT date_trunc('day', created_at) d, count(*) FROM statuses GROUP BY 1 ORDER BY 1
SELECT id, row_number() OVER (PARTITION BY account_id ORDER BY created_at DESC) FROM statuses LIMIT 5
WITH RECURSIVE t AS (SELECT id, in_reply_to_id FROM statuses WHERE id=5 UNION ALL SELECT s.id,s.in_reply_to_id FROM statuses s JOIN t ON s.in_reply_to_id=t.id) SELECT * FROM t
SELECT settings->>'theme', settings #>> '{a,b}' FROM accounts WHERE settings ? 'theme'
SELECT jsonb_agg(to_jsonb(a)) FROM (SELECT id, username FROM accounts LIMIT 10) a
SELECT string_agg(username, ',') FROM accounts WHERE id < 10
SELECT fullname(a) FROM accounts a LIMIT 5
SELECT a.fullname FROM accounts a LIMIT 5
SELECT * FROM take_job('q1')
SELECT * FROM active_accounts WHERE id=7
SELECT * FROM account_stats ORDER BY n DESC LIMIT 10
SELECT * FROM jobs WHERE queue='q1' ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED
SELECT * FROM accounts WHERE id = 4 FOR UPDATE
SELECT * FROM accounts WHERE id = 4 FOR NO KEY UPDATE NOWAIT
SELECT * FROM projects WHERE name % 'p1' OR name ILIKE '%p1%'
SELECT to_tsvector('english', text) @@ plainto_tsquery('hello') FROM statuses LIMIT 3
SELECT ts_headline(text, to_tsquery('a')) FROM statuses LIMIT 1
SELECT generate_series(current_date - 30, current_date, interval '1 day')::date
SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY total) FROM invoices
SELECT sum(total) FILTER (WHERE status='paid'), sum(total) FILTER (WHERE status='open') FROM invoices
SELECT * FROM invoices TABLESAMPLE SYSTEM (1) LIMIT 5
SELECT pg_size_pretty(pg_total_relation_size('accounts'))
SELECT relname, n_live_tup FROM pg_stat_user_tables ORDER BY 2 DESC
SELECT pid, state, query FROM pg_stat_activity WHERE state <> 'idle'
SELECT * FROM pg_locks WHERE NOT granted
SELECT pg_get_functiondef('wipe()'::regprocedure)
SELECT pg_get_viewdef('active_accounts'::regclass)
SELECT column_name, data_type FROM information_schema.columns WHERE table_name='accounts'
SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace WHERE n.nspname='public' AND c.relkind IN ('r','p')
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid='statuses'::regclass
SELECT nextval('accounts_id_seq')
SELECT currval('accounts_id_seq')
SELECT lastval()
SELECT gen_random_uuid()
SELECT pg_backend_pid()
SELECT pg_try_advisory_xact_lock(42)
SELECT pg_advisory_xact_lock(hashtext('migrate'))
SELECT pg_advisory_unlock(1)
SELECT pg_is_in_recovery()
SELECT current_setting('server_version_num')::int
SELECT set_config('search_path','public',false)
SELECT pg_sleep(0.01)
SELECT txid_current()
SELECT pg_notify('jobs','{"id":1}')
NOTIFY jobs, 'x'
LISTEN jobs
UNLISTEN *
SHOW search_path
SHOW ALL
SET search_path TO public
SET LOCAL statement_timeout = '5s'
SET statement_timeout = 30000
SET TIME ZONE 'UTC'
SET client_encoding = 'UTF8'
SET standard_conforming_strings = on
SET application_name = 'psql'
SET datestyle TO 'ISO, MDY'
SET intervalstyle = 'iso_8601'
SET extra_float_digits = 3
SET LOCAL lock_timeout = '2s'
SET work_mem = '64MB'
RESET statement_timeout
RESET ALL
DISCARD ALL
DEALLOCATE ALL
CLOSE ALL
BEGIN
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE
START TRANSACTION READ WRITE
COMMIT
ROLLBACK
SAVEPOINT a
RELEASE SAVEPOINT a
ROLLBACK TO SAVEPOINT a
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED
SET CONSTRAINTS ALL DEFERRED
EXPLAIN SELECT * FROM statuses WHERE account_id=4
EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM statuses WHERE account_id=4
EXPLAIN DELETE FROM accounts
INSERT INTO accounts(username,email) VALUES ('new','n@x.test') RETURNING id
INSERT INTO accounts(username) VALUES ('a1'),('a2'),('a3') ON CONFLICT (username) DO NOTHING
INSERT INTO accounts(username,email) VALUES ('u5','z') ON CONFLICT (username) DO UPDATE SET email = excluded.email RETURNING *
INSERT INTO follows(account_id,target_id) SELECT 1, id FROM accounts WHERE username = 'u9' ON CONFLICT DO NOTHING
INSERT INTO schema_migrations(version) VALUES ('20260101000000')
INSERT INTO feature_flags VALUES ('beta', true, '{"pct": 10}') ON CONFLICT (key) DO UPDATE SET enabled = EXCLUDED.enabled, rules = feature_flags.rules || EXCLUDED.rules
INSERT INTO event_log(at,kind,body) VALUES ('2025-03-01','k','{}')
INSERT INTO audit DEFAULT VALUES
INSERT INTO sessions(account_id,token,expires_at) VALUES (1,'abc',now()+interval '1 day') RETURNING id
INSERT INTO statuses(account_id,text) SELECT id,'hello' FROM accounts WHERE id IN (1,2,3)
UPDATE accounts SET followers_count = followers_count + 1 WHERE id = 5
UPDATE accounts SET email='x@y', locked=false WHERE username='u7'
UPDATE accounts SET settings = jsonb_set(settings,'{theme}','"dark"') WHERE id = 9 RETURNING settings
UPDATE accounts SET (email,domain) = ('a','b') WHERE id = 3
UPDATE accounts SET followers_count = (SELECT count(*) FROM follows WHERE target_id = accounts.id) WHERE id = 3
UPDATE accounts SET suspended_at = NULL WHERE id IN (3,4,5)
UPDATE accounts SET email = v.e FROM (VALUES (1,'a'),(2,'b')) v(id,e) WHERE accounts.id = v.id
UPDATE jobs SET locked_by='w1', locked_at=now(), attempts=attempts+1 WHERE id = (SELECT id FROM jobs WHERE queue='q1' AND locked_at IS NULL ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *
WITH j AS (SELECT id FROM jobs WHERE locked_at IS NULL ORDER BY run_at LIMIT 5 FOR UPDATE SKIP LOCKED) UPDATE jobs SET locked_at = now() FROM j WHERE jobs.id = j.id RETURNING jobs.*
UPDATE ci_builds SET status='running', lock_version = lock_version + 1 WHERE id = 10 AND lock_version = 0
UPDATE ci_builds SET status='success', finished_at=now() WHERE project_id = 4 AND name='b3'
UPDATE invoices SET status='paid', paid_at=now() WHERE number='INV-5'
UPDATE feature_flags SET enabled = NOT enabled WHERE key = 'f3'
UPDATE tiny SET v = 'w' WHERE id BETWEEN 1 AND 3
UPDATE projects SET star_count = greatest(star_count - 1, 0) WHERE path = 'path7'
UPDATE event_log SET body = '{"a":1}' WHERE id = 5 AND at = '2024-06-01'
DELETE FROM accounts WHERE id = 77
DELETE FROM sessions WHERE token = 'tok5'
DELETE FROM sessions WHERE id = '6f9619ff-8b86-d011-b42d-00c04fc964ff'
DELETE FROM follows WHERE account_id = 1 AND target_id = 8
DELETE FROM follows WHERE (account_id,target_id) = (1,8)
DELETE FROM follows WHERE account_id = 5
DELETE FROM jobs WHERE id = 5 RETURNING payload
DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE queue='q2' ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED)
DELETE FROM feature_flags WHERE key IN ('f1','f2')
DELETE FROM statuses WHERE account_id = 17
DELETE FROM statuses WHERE id = ANY ('{1,2,3}'::bigint[])
DELETE FROM statuses USING accounts a WHERE a.id = statuses.account_id AND a.username = 'u18'
DELETE FROM schema_migrations WHERE version = '00000000000007'
DELETE FROM invoice_lines WHERE invoice_id IN (SELECT id FROM invoices WHERE number = 'INV-9')
DELETE FROM invoices WHERE number = 'INV-10'
DELETE FROM event_log WHERE id = 8 AND at = '2024-06-01 01:20:00'
MERGE INTO feature_flags f USING (VALUES ('f5',true)) v(k,e) ON f.key = v.k WHEN MATCHED THEN UPDATE SET enabled = v.e WHEN NOT MATCHED THEN INSERT VALUES (v.k, v.e, '{}')
WITH gone AS (DELETE FROM jobs WHERE id = 7 RETURNING *) INSERT INTO audit(actor,action) SELECT 'w', queue FROM gone
WITH up AS (UPDATE tiny SET v='z' WHERE id = 1 RETURNING id) SELECT * FROM up
PREPARE q(int) AS SELECT * FROM accounts WHERE id=$1
DECLARE c CURSOR FOR SELECT id FROM accounts
FETCH 10 FROM c
COPY tiny TO STDOUT WITH (FORMAT csv)
COPY (SELECT id, username FROM accounts LIMIT 10) TO STDOUT
CREATE TEMP TABLE t (id int)
CREATE TEMP TABLE t2 AS SELECT id FROM accounts WHERE id < 10
DROP TABLE IF EXISTS pg_temp.t
ANALYZE accounts
VACUUM
VACUUM ANALYZE jobs
SELECT purge_account(5)
SELECT coalesce(max(id),0)+1 FROM tiny
SELECT array_agg(id ORDER BY id) FROM tiny
SELECT unnest(ARRAY[1,2,3])
SELECT * FROM json_to_recordset('[{"a":1}]') AS x(a int)
SELECT * FROM jsonb_path_query('{"a":[1,2]}', '$.a[*]')
VALUES (1),(2)
TABLE tiny
SELECT a.id FROM accounts a WHERE NOT EXISTS (SELECT FROM sessions s WHERE s.account_id = a.id)
SELECT id FROM accounts EXCEPT SELECT account_id FROM credentials
SELECT DISTINCT ON (account_id) * FROM statuses ORDER BY account_id, created_at DESC LIMIT 10
SELECT lag(total) OVER w, ntile(4) OVER w FROM invoices WINDOW w AS (ORDER BY due) LIMIT 5
SELECT CASE WHEN locked THEN 'y' ELSE 'n' END, greatest(1,2), nullif(1,2) FROM accounts LIMIT 1
SELECT regexp_replace(email,'@.*',''), split_part(email,'@',2), format('%s-%s',id,username) FROM accounts LIMIT 2
SELECT pg_column_size(a), row_to_json(a) FROM accounts a LIMIT 1
SELECT has_table_privilege('accounts','select'), pg_has_role('postgres','member')
SELECT obj_description('accounts'::regclass), col_description('accounts'::regclass,1)
SELECT setseed(0.5), random()
CREATE TABLE IF NOT EXISTS schema_migrations (version varchar primary key)
CREATE SCHEMA IF NOT EXISTS public
DROP TABLE IF EXISTS nothing_here
SELECT inet_client_addr(), current_database(), current_schema()
SELECT lo_get(1) WHERE false
SELECT overlay('abc' placing 'x' from 1), trim(both from ' a '), 'a' || 1
SELECT '{1,2}'::int[] && ARRAY[1], 4 = ANY('{1,4}'::int[])
SELECT tsrange(now()::timestamp, null) @> now()::timestamp
SELECT st.id FROM statuses st CROSS JOIN LATERAL (SELECT 1 FROM accounts a WHERE a.id=st.account_id) x LIMIT 1
SELECT pg_export_snapshot()
SELECT count(*) OVER () AS full_count, id FROM accounts ORDER BY id OFFSET 20 LIMIT 20
UPDATE sessions SET expires_at = now() + interval '1 day' WHERE token = 'tok9'
UPDATE accounts SET locked = true WHERE email = 'u99@x.test'
DELETE FROM sessions WHERE account_id = 4 AND expires_at < now()
DELETE FROM credentials WHERE account_id = 12 AND kind = 'password'
INSERT INTO credentials(account_id,kind,secret_hash) VALUES (1,'totp','x')
DELETE FROM ci_builds WHERE project_id = 5
UPDATE statuses SET deleted_at = now() WHERE id = 5 AND account_id = 6
SELECT 1 WHERE 1=0
DROP ROLE IF EXISTS nobody_of_this_name
SELECT pg_advisory_lock(1)
