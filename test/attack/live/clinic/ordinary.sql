SELECT p.*, age_of(p) FROM patients p WHERE p.mrn = 'M17'
SELECT p.age_of FROM patients p ORDER BY p.id LIMIT 3
SELECT id, ts_rank(search, to_tsquery('simple', 'p5')) FROM patients WHERE search @@ to_tsquery('simple', 'p5:*') ORDER BY 2 DESC LIMIT 10
SELECT ward, count(*) FILTER (WHERE bill > 100), avg(bill)::numeric(10,2) FROM visits GROUP BY ROLLUP (ward)
SELECT ward, date_trunc('week', at), grouping(ward) FROM visits GROUP BY GROUPING SETS ((ward), (date_trunc('week', at)), ())
SELECT * FROM ward_load WHERE visits > 3
SELECT * FROM visits v JOIN LATERAL (SELECT max(at) AS last FROM visits w WHERE w.patient_id = v.patient_id) m ON v.at = m.last LIMIT 5
SELECT DISTINCT ON (patient_id) patient_id, drug FROM prescriptions ORDER BY patient_id, id LIMIT 20
SELECT array_agg(DISTINCT tag) FROM prescriptions, unnest(tags) AS tag
SELECT state, count(*) FROM prescriptions GROUP BY state ORDER BY state
SELECT enum_range(NULL::rx_state), 'active'::rx_state < 'void'
SELECT id FROM devices WHERE meta @> '{"a": 1}' OR meta ? 'b' LIMIT 2
SELECT jsonb_object_agg(k, v) FROM kv WHERE ns = 'ns1' AND k < 'k2'
SELECT jsonb_path_exists(v, '$.a ? (@ > 0)'), jsonb_path_query_array(v, '$.*') FROM kv LIMIT 3
SELECT * FROM json_table('[{"a": 1}]', '$[*]' COLUMNS (a int PATH '$.a'))
SELECT json_object('a': 1, 'b': NULL ABSENT ON NULL), json_array(1, 2), json_value('{"a": 1}', '$.a')
SELECT json_agg(row_to_json(t)) FROM (SELECT ns, k FROM kv LIMIT 2) t
SELECT xmlelement(name a, xmlattributes(1 AS b)), xmlforest(1 AS c)
SELECT room, range_agg(during) FROM bookings WHERE room < 3 GROUP BY room
SELECT * FROM bookings WHERE during && tstzrange('2026-01-01', '2026-01-02') AND room = 4
SELECT lower(during), upper(during) - lower(during) FROM bookings LIMIT 1
SELECT name FROM places ORDER BY at <-> point(5, 5) LIMIT 5
WITH RECURSIVE up AS (SELECT id, parent FROM places WHERE id = 90 UNION ALL SELECT p.id, p.parent FROM places p JOIN up ON p.id = up.parent) CYCLE id SET looped USING path SELECT count(*) FROM up
WITH RECURSIVE t AS (SELECT id, parent FROM places WHERE parent IS NULL UNION ALL SELECT p.id, p.parent FROM places p JOIN t ON p.parent = t.id) SEARCH DEPTH FIRST BY id SET ord SELECT * FROM t ORDER BY ord LIMIT 4
SELECT tableoid::regclass, count(*) FROM documents GROUP BY 1
SELECT * FROM ONLY documents WHERE owner = 3 OFFSET 2 FETCH NEXT ROW ONLY
SELECT * FROM documents WHERE owner = 3 ORDER BY id FETCH FIRST 3 ROWS WITH TIES
SELECT corr(amount, id), stddev_pop(amount), mode() WITHIN GROUP (ORDER BY memo) FROM ledger
SELECT account, sum(amount) OVER (PARTITION BY account ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM ledger LIMIT 4
SELECT first_value(id) OVER w, last_value(id) OVER w, nth_value(id, 2) OVER w, dense_rank() OVER w FROM ledger WINDOW w AS (PARTITION BY account ORDER BY id RANGE UNBOUNDED PRECEDING) LIMIT 3
SELECT width_bucket(value, 0, 90, 9), count(*) FROM readings GROUP BY 1
SELECT time_bucket.* FROM (SELECT date_bin('15 min', at, '2026-01-01') b, max(value) FROM readings GROUP BY 1 LIMIT 5) time_bucket
SELECT * FROM readings TABLESAMPLE BERNOULLI (0.1) REPEATABLE (1)
SELECT pg_size_pretty(pg_database_size(current_database())), pg_relation_filepath('kv')
SELECT schemaname, relname, n_dead_tup, last_autovacuum FROM pg_stat_user_tables ORDER BY n_dead_tup DESC LIMIT 5
SELECT relname, heap_blks_hit::float / nullif(heap_blks_hit + heap_blks_read, 0) FROM pg_statio_user_tables
SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE idx_scan = 0
SELECT pid, wait_event_type, pg_blocking_pids(pid), now() - query_start FROM pg_stat_activity WHERE state = 'active'
SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = 'kv'::regclass AND a.attnum > 0
SELECT pg_get_indexdef(indexrelid), indisunique FROM pg_index WHERE indrelid = to_regclass('public.kv')
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
SELECT polname, pg_get_expr(polqual, polrelid) FROM pg_policy
SELECT rolname, rolsuper FROM pg_roles
SELECT nspname, has_schema_privilege(oid, 'usage') FROM pg_namespace
SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'
SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = current_user
SELECT kcu.column_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu USING (constraint_name, table_schema) WHERE tc.table_name = 'visits' AND tc.constraint_type = 'PRIMARY KEY'
SELECT e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = 'rx_state' ORDER BY e.enumsortorder
SELECT * FROM pg_settings WHERE name ~ 'timeout'
SELECT extname, extversion FROM pg_extension; SELECT name FROM pg_available_extensions LIMIT 3
SELECT * FROM pg_sequences WHERE sequencename LIKE 'ledger%'
SELECT last_value, is_called FROM ledger_id_seq
SELECT pg_get_serial_sequence('ledger', 'id')
SELECT md5('a'), encode(sha256('x'), 'hex'), decode('00ff', 'hex'), digest IS NULL FROM (SELECT NULL AS digest) d
SELECT to_char(now(), 'YYYY-MM-DD"T"HH24:MI'), make_interval(days => 3), age(now(), '2020-01-01'), justify_hours(interval '30 h')
SELECT 'a' 'b', E'\n', U&'\0041', B'101', X'1f', $$q$$, $t$ $$ $t$
SELECT 1_000_000, 0x1F, 0b11, 1e3, .5
SELECT array_position(ARRAY[1, 2], 2), array_remove(ARRAY[1, 2], 1), ARRAY[[1], [2]][1:2], array_length('{1}'::int[], 1)
SELECT string_to_table('a,b', ','), regexp_matches('ab', '(a)(b)'), regexp_split_to_array('a b', ' ')
SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['a', 'b'])) WITH ORDINALITY AS t(n, s, i)
SELECT num_nonnulls(1, NULL), greatest(1, 2), bool_and(true), every(true), bit_or(1)
SELECT coalesce((SELECT n FROM counters WHERE name = 'c1'), 0)
SELECT currval(pg_get_serial_sequence('ledger', 'id')) WHERE false
SELECT nextval('ledger_id_seq'), nextval('outbox_id_seq'::regclass)
SELECT pg_try_advisory_lock(1, 2), pg_advisory_unlock_all()
SELECT pg_sleep(0), clock_timestamp() > now()
SELECT bump('visits')
SELECT * FROM bump('c1') AS n
SELECT * FROM claim('t1', 5)
SELECT (claim('t2', 1)).*
SELECT * FROM discharge(5, 2)
SELECT forget(77)
CALL transfer(1, 2, 10)
CALL transfer(a => 1, b => 2, x => 0.5)
INSERT INTO patients(mrn, name) VALUES ('N1', 'new') RETURNING id, search
INSERT INTO patients(mrn, name) OVERRIDING USER VALUE VALUES ('N1', 'new')
INSERT INTO patients(mrn, name) VALUES ('M5', 'x') ON CONFLICT (mrn) DO UPDATE SET name = excluded.name WHERE patients.name IS DISTINCT FROM excluded.name RETURNING (xmax = 0) AS inserted
INSERT INTO patients AS p (mrn, name) VALUES ('M5', 'x'), ('M6', 'y'), ('N7', 'z') ON CONFLICT (mrn) DO UPDATE SET name = excluded.name, region = p.region
INSERT INTO visits(patient_id, seq, at) SELECT 5, coalesce(max(seq), 0) + 1, now() FROM visits WHERE patient_id = 5
INSERT INTO visits VALUES (1, 1, now()) ON CONFLICT (patient_id, seq) DO UPDATE SET at = excluded.at
INSERT INTO visits SELECT id, 99, now() FROM patients WHERE region = 'north'
INSERT INTO ledger(account, amount) VALUES (5, 10)
INSERT INTO ledger(account, amount) VALUES (5, 10), (6, -10) RETURNING id
WITH e AS (INSERT INTO ledger(account, amount) VALUES (7, 1) RETURNING id) SELECT id FROM e
INSERT INTO kv VALUES ('ns1', 'k10', '{"b": 1}') ON CONFLICT (ns, k) DO UPDATE SET v = kv.v || excluded.v, expires_at = now()
INSERT INTO kv SELECT 'ns1', k, '1' FROM unnest(ARRAY['a', 'b', 'c']) k ON CONFLICT ON CONSTRAINT kv_pkey DO UPDATE SET v = excluded.v
INSERT INTO kv(ns, k, v) SELECT x.ns, x.k, x.v FROM jsonb_to_recordset('[{"ns": "a", "k": "b", "v": 1}]') x(ns text, k text, v jsonb) ON CONFLICT DO NOTHING
INSERT INTO counters AS c VALUES ('c3', 1) ON CONFLICT (name) DO UPDATE SET n = c.n + excluded.n RETURNING n
INSERT INTO locks VALUES ('l3', 'me', now() + interval '1 min') ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE locks.until < now() RETURNING owner
INSERT INTO outbox(topic, payload) SELECT 't', to_jsonb(p) FROM patients p WHERE p.id = 5
INSERT INTO members VALUES (1, 999999, 'owner') ON CONFLICT DO NOTHING
INSERT INTO documents(owner, title) SELECT owner, title || ' copy' FROM ONLY documents WHERE id = 4 RETURNING *
INSERT INTO readings VALUES ('dev1', now(), 1, 1) ON CONFLICT (device_id, at) DO UPDATE SET value = excluded.value
INSERT INTO staging SELECT n + 1000, 'x', true FROM generate_series(1, 500) n
INSERT INTO empty_queue(body) SELECT 'b' FROM generate_series(1, 5)
INSERT INTO devices(id, tenant) VALUES ('devx', 1)
INSERT INTO notes DEFAULT VALUES RETURNING id
UPDATE patients SET name = 'x' WHERE mrn = 'M9'
UPDATE patients SET email = 'e' WHERE id = 5 AND updated_at IS NOT NULL RETURNING *
UPDATE patients SET deleted_at = now() WHERE id IN (SELECT patient_id FROM prescriptions WHERE id = (SELECT id FROM prescriptions LIMIT 1))
UPDATE patients SET name = name WHERE id = ANY (ARRAY[1, 2, 3, 4, 5]::bigint[])
UPDATE patients SET region = CASE id WHEN 1 THEN 'a' WHEN 2 THEN 'b' END WHERE id IN (1, 2)
UPDATE patients p SET email = v.email FROM (VALUES ('M1', 'a@b'), ('M2', 'b@b')) AS v(mrn, email) WHERE v.mrn = p.mrn
UPDATE patients p SET email = x.email FROM unnest(ARRAY['M1', 'M2'], ARRAY['a', 'b']) AS x(mrn, email) WHERE p.mrn = x.mrn
UPDATE patients p SET email = x.email FROM jsonb_to_recordset('[{"id": 4, "email": "q"}]') AS x(id bigint, email text) WHERE p.id = x.id
UPDATE active_patients SET name = 'x' WHERE id = 8
UPDATE visits SET bill = bill + 1 WHERE patient_id = 5
UPDATE visits SET bill = 0 WHERE (patient_id, seq) = (5, 1)
UPDATE visits SET bill = 0 WHERE (patient_id, seq) IN ((5, 1), (5, 2), (6, 1))
UPDATE visits SET notes = 'n' WHERE patient_id = 5 AND at > '2020-01-01'
UPDATE visits v SET notes = p.name FROM patients p WHERE p.id = v.patient_id AND p.mrn = 'M12'
UPDATE prescriptions SET state = 'ended' WHERE patient_id = 12 AND state = 'active'
UPDATE prescriptions SET tags = array_append(tags, 'a') WHERE id = (SELECT id FROM prescriptions WHERE patient_id = 3 LIMIT 1)
UPDATE prescriptions SET refills = refills - 1 WHERE id = (SELECT id FROM prescriptions ORDER BY id LIMIT 1) AND refills > 0 RETURNING refills
UPDATE balances SET amount = amount - 5, version = version + 1 WHERE account = 4 AND version = 3
UPDATE balances SET amount = amount + CASE account WHEN 1 THEN -5 ELSE 5 END WHERE account IN (1, 2) RETURNING account, amount
UPDATE devices SET online = true, meta = meta || '{"seen": 1}' WHERE id = 'dev7'
UPDATE devices SET firmware = '2' WHERE id LIKE 'dev149_' AND tenant = 3
UPDATE devices SET meta = jsonb_set(meta, '{a, b}', '1', true) #- '{c}' WHERE id = 'dev8'
UPDATE devices SET meta['x'] = '1' WHERE id = 'dev8'
UPDATE readings SET quality = 1 WHERE device_id = 'dev3' AND at = '2026-01-01 00:02'
UPDATE readings SET quality = 2 WHERE device_id = 'dev3'
UPDATE outbox SET sent_at = now() WHERE id = (SELECT id FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *
UPDATE outbox SET sent_at = now() WHERE sent_at IS NULL AND topic = 't2'
UPDATE outbox SET sent_at = now() WHERE sent_at IS NULL
WITH batch AS MATERIALIZED (SELECT id FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED) UPDATE outbox o SET sent_at = now() FROM batch WHERE o.id = batch.id RETURNING o.*
UPDATE kv SET v = v || '{"c": 2}' WHERE ns = 'ns3' AND k = 'k3'
UPDATE kv SET expires_at = now() WHERE (ns, k) = ('ns3', 'k3') AND expires_at > now()
UPDATE bookings SET guest = 'x' WHERE room = 3 AND during @> timestamptz '2026-01-02 03:30'
UPDATE documents SET status = 'published' WHERE id = 5
UPDATE documents SET title = 't' WHERE owner = 3 AND title = 'doc53'
UPDATE ONLY documents SET deleted = true WHERE id = 9 AND NOT deleted
UPDATE members SET role = 'admin' WHERE org = 1 AND usr = 101
UPDATE members SET role = 'guest' WHERE org = 7
UPDATE locks SET owner = 'me', until = now() + interval '30 s' WHERE name = 'l1' AND (owner IS NULL OR until < now())
UPDATE counters SET n = n + 1 WHERE name = 'c1' RETURNING n
UPDATE counters SET n = 0 WHERE name LIKE 'c1_'
UPDATE notes SET body = 'x' WHERE id < 5
UPDATE notes SET body = upper(body) WHERE body LIKE 'n1%'
UPDATE tenants SET plan = 'pro' WHERE id = 2
UPDATE tokens SET revoked_at = now() WHERE hash = 'abc'
UPDATE tokens SET revoked_at = now() WHERE id = 6 AND revoked_at IS NULL
UPDATE staging SET ok = false WHERE id = 3
UPDATE staging SET v = 'w' WHERE ok
UPDATE imported SET price = 1 WHERE sku = 's17'
UPDATE imported SET price = 2 WHERE id IN (1, 2, 3)
UPDATE patients SET name = 'nobody' WHERE false
UPDATE patients SET name = 'nobody' WHERE mrn = 'none'
DELETE FROM visits WHERE patient_id = 4 AND seq = 2
DELETE FROM visits WHERE patient_id = 9
DELETE FROM visits WHERE patient_id IN (9, 10, 11)
DELETE FROM visits v USING patients p WHERE p.id = v.patient_id AND p.mrn = 'M44'
DELETE FROM visits WHERE ctid = (SELECT ctid FROM visits WHERE patient_id = 8 LIMIT 1)
DELETE FROM patients WHERE id = 8 RETURNING mrn
DELETE FROM patients WHERE mrn IN ('M50', 'M51')
DELETE FROM prescriptions WHERE id = gen_random_uuid()
DELETE FROM prescriptions WHERE patient_id = 17 AND state = 'draft'
DELETE FROM prescriptions WHERE patient_id = 17 AND NOT EXISTS (SELECT FROM patients WHERE id = 17)
DELETE FROM outbox WHERE id = 12
DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE sent_at IS NOT NULL ORDER BY id LIMIT 100)
DELETE FROM outbox WHERE ctid = ANY (ARRAY(SELECT ctid FROM outbox WHERE sent_at IS NOT NULL LIMIT 50))
WITH d AS (DELETE FROM outbox WHERE id = (SELECT min(id) FROM outbox) RETURNING *) SELECT payload FROM d
DELETE FROM kv WHERE ns = 'ns4' AND k = 'k4'
DELETE FROM kv WHERE ns = 'ns4' AND k LIKE 'k44%'
DELETE FROM kv WHERE expires_at < now() - interval '98 hours'
DELETE FROM bookings WHERE id = 5 AND guest = 'g5'
DELETE FROM documents WHERE id = 3
DELETE FROM documents_archive WHERE id = 4001
DELETE FROM members WHERE usr = 7 AND org = 7
DELETE FROM members WHERE org = 9
DELETE FROM locks WHERE name = 'l1' AND owner = 'me'
DELETE FROM notes WHERE id = 3
DELETE FROM notes WHERE body = 'n4' OR body = 'n5'
DELETE FROM tokens WHERE tenant = 3 AND hash = md5('18')
DELETE FROM staging WHERE id > 35
DELETE FROM imported WHERE id = 9
DELETE FROM imported WHERE sku = ANY ('{s1,s2}')
DELETE FROM empty_queue WHERE id = 1 RETURNING body
DELETE FROM empty_queue WHERE id IN (SELECT id FROM empty_queue ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED) RETURNING *
MERGE INTO balances b USING (VALUES (1, 5)) v(account, x) ON b.account = v.account WHEN MATCHED THEN UPDATE SET amount = b.amount + v.x WHEN NOT MATCHED THEN INSERT (account, amount) VALUES (v.account, v.x)
MERGE INTO kv USING (SELECT 'ns1' AS ns, 'k10' AS k) s ON kv.ns = s.ns AND kv.k = s.k WHEN MATCHED AND kv.expires_at < now() THEN DELETE WHEN MATCHED THEN UPDATE SET v = '{}' WHEN NOT MATCHED THEN INSERT (ns, k) VALUES (s.ns, s.k)
MERGE INTO members m USING (VALUES (1, 101), (1, 201)) v(org, usr) ON (m.org, m.usr) = (v.org, v.usr) WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT VALUES (v.org, v.usr, 'new')
MERGE INTO counters c USING (VALUES ('c1')) v(name) ON c.name = v.name WHEN MATCHED THEN UPDATE SET n = c.n + 1 RETURNING merge_action(), c.n
WITH src AS (SELECT id FROM documents WHERE id = 12) UPDATE documents d SET title = 'z' FROM src WHERE d.id = src.id RETURNING old.title, new.title
WITH moved AS (DELETE FROM notes WHERE id = 4 RETURNING *) INSERT INTO empty_queue(body) SELECT body FROM moved
WITH a AS (UPDATE balances SET amount = amount - 1 WHERE account = 1 RETURNING account), b AS (UPDATE balances SET amount = amount + 1 WHERE account = 2 RETURNING account) SELECT * FROM a UNION ALL SELECT * FROM b
WITH ins AS (INSERT INTO tenants VALUES (9, 'new', 'free') ON CONFLICT DO NOTHING RETURNING id) SELECT id FROM ins UNION ALL SELECT id FROM tenants WHERE id = 9
EXPLAIN (ANALYZE, BUFFERS, VERBOSE) UPDATE patients SET name = 'x' WHERE id = 4
EXPLAIN ANALYZE DELETE FROM staging WHERE id = 4
EXPLAIN ANALYZE DELETE FROM imported WHERE sku = 's4'
EXPLAIN (GENERIC_PLAN) DELETE FROM visits WHERE ward = $1
EXPLAIN (ANALYZE, TIMING off) INSERT INTO notes(body) VALUES ('x')
COPY (SELECT * FROM visits WHERE patient_id = 3) TO STDOUT (FORMAT csv, HEADER)
COPY (UPDATE imported SET price = 0 WHERE id = 6 RETURNING *) TO STDOUT
COPY visits(patient_id, seq) TO STDOUT (FORMAT binary)
DO $$ BEGIN UPDATE patients SET name = 'x' WHERE id = 9; END $$
DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM tenants WHERE id = 1) THEN INSERT INTO tenants VALUES (1, 'x', 'free'); END IF; END $$
DO $$ BEGIN RAISE NOTICE 'rows %', (SELECT count(*) FROM visits); END $$
DO $$ BEGIN PERFORM setseed(0.3); PERFORM pg_sleep(0); END $$
DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM kv; IF n = 0 THEN RAISE EXCEPTION 'empty'; END IF; END $$
DO $$ BEGIN FOR i IN 1..20 LOOP INSERT INTO notes(body) VALUES (i::text); END LOOP; EXCEPTION WHEN unique_violation THEN NULL; END $$
CREATE TEMP TABLE scratch(n int); INSERT INTO scratch SELECT generate_series(1, 5000); DELETE FROM scratch; UPDATE scratch SET n = 1; TRUNCATE scratch; DROP TABLE scratch
CREATE TEMP TABLE s2(n int); CREATE INDEX ON s2(n); ALTER TABLE s2 ADD COLUMN m text; ANALYZE s2; COMMENT ON TABLE s2 IS 'x'
CREATE TEMP SEQUENCE sq; SELECT nextval('sq'); SELECT setval('sq', 10)
CREATE TEMP VIEW vv AS SELECT id FROM patients; SELECT count(*) FROM vv
PREPARE up(bigint, text) AS UPDATE patients SET name = $2 WHERE id = $1; EXECUTE up(4, 'x'); EXECUTE up(5, 'y'); DEALLOCATE up
DECLARE c NO SCROLL CURSOR FOR SELECT id FROM visits v JOIN patients p ON p.id = v.patient_id; FETCH FORWARD 100 FROM c; MOVE 10 FROM c; CLOSE c
DECLARE c CURSOR FOR SELECT * FROM notes FOR UPDATE; FETCH c; UPDATE notes SET body = 'x' WHERE CURRENT OF c; FETCH c; DELETE FROM notes WHERE CURRENT OF c
SAVEPOINT s; UPDATE notes SET body = 'x' WHERE id = 1; ROLLBACK TO s; RELEASE s
SELECT pg_advisory_xact_lock(hashtextextended('a', 0)); SELECT 1
LOCK TABLE notes IN ROW EXCLUSIVE MODE
LOCK TABLE notes IN SHARE UPDATE EXCLUSIVE MODE
SELECT * FROM outbox WHERE sent_at IS NULL ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 10
SELECT p.id FROM patients p JOIN visits v ON v.patient_id = p.id WHERE p.id = 3 FOR NO KEY UPDATE OF p SKIP LOCKED
SELECT * FROM tenants FOR KEY SHARE
SET CONSTRAINTS ALL IMMEDIATE; SHOW transaction_isolation; SET LOCAL idle_in_transaction_session_timeout = '1min'
SET LOCAL enable_seqscan = off; SET LOCAL jit = off; SET plan_cache_mode = force_custom_plan; SET LOCAL random_page_cost = 1.1
SET bytea_output = 'hex'; SET client_min_messages = warning; SET xmloption = content; SET default_transaction_read_only = on
SET myapp.request_id = 'abc'; SELECT current_setting('myapp.request_id', true)
SELECT set_config('myapp.user', '17', true), set_config('statement_timeout', '5s', true)
CREATE TABLE IF NOT EXISTS notes (id serial primary key, body text); CREATE INDEX IF NOT EXISTS visits_ward_idx ON visits(ward)
CREATE SCHEMA IF NOT EXISTS public; CREATE EXTENSION IF NOT EXISTS plpgsql; CREATE SEQUENCE IF NOT EXISTS ledger_id_seq
DROP VIEW IF EXISTS no_such_view; DROP FUNCTION IF EXISTS no_such_function(int); DROP TYPE IF EXISTS no_such_type; DROP TRIGGER IF EXISTS none ON notes
ALTER TABLE notes ADD COLUMN IF NOT EXISTS body text
ALTER TABLE IF EXISTS no_such_table DROP COLUMN x
NOTIFY chan; LISTEN "Chan"; UNLISTEN chan
VACUUM (ANALYZE, VERBOSE) notes
ANALYZE patients (region), visits
