DELETE FROM visits WHERE seq = 1
DELETE FROM visits WHERE patient_id > 10 AND seq >= 1
DELETE FROM visits WHERE (patient_id, seq) > (5, 1)
DELETE FROM visits WHERE (patient_id, seq) IN (SELECT patient_id, max(seq) FROM visits GROUP BY patient_id)
DELETE FROM visits WHERE at NOT BETWEEN '2020-01-01' AND '2024-12-31'
DELETE FROM visits WHERE ward IN ('w0', 'w1', 'w2', 'w3', 'w4', 'w5')
DELETE FROM visits WHERE ward = ANY (ARRAY['w1', 'w2', 'w3', 'w4'])
DELETE FROM visits WHERE ward <> ALL (ARRAY['w1', 'w2'])
DELETE FROM visits v WHERE v.bill < (SELECT avg(bill) FROM visits)
DELETE FROM visits v USING patients p WHERE p.id = v.patient_id AND p.region = 'north'
DELETE FROM visits v USING patients p, prescriptions r WHERE p.id = v.patient_id AND r.patient_id = p.id AND r.drug LIKE 'd1%'
DELETE FROM visits v USING (SELECT ward FROM ward_load ORDER BY visits DESC LIMIT 6) w WHERE w.ward = v.ward
DELETE FROM visits WHERE ctid IN (SELECT ctid FROM visits ORDER BY at LIMIT 8000)
DELETE FROM visits WHERE ctid = ANY (ARRAY(SELECT ctid FROM visits LIMIT 5000))
DELETE FROM visits v WHERE v.ctid <> (SELECT min(w.ctid) FROM visits w WHERE w.patient_id = v.patient_id)
DELETE FROM visits a USING visits b WHERE a.patient_id = b.patient_id AND a.seq < b.seq
DELETE FROM patients WHERE region = 'north'
DELETE FROM patients WHERE region IN (SELECT DISTINCT region FROM patients)
DELETE FROM patients WHERE email IS NULL
DELETE FROM patients WHERE consent
DELETE FROM patients WHERE consent IS NOT FALSE
DELETE FROM patients WHERE deleted_at IS NULL AND updated_at <= now()
DELETE FROM patients WHERE search @@ 'p1 | p2' OR region = 'east'
DELETE FROM patients WHERE age(dob) > interval '1 year'
DELETE FROM patients p WHERE age_of(p) > 0
DELETE FROM patients WHERE left(mrn, 1) = 'M'
DELETE FROM patients WHERE starts_with(mrn, 'M')
DELETE FROM patients WHERE mrn ^@ 'M'
DELETE FROM patients WHERE id NOT IN (SELECT patient_id FROM prescriptions WHERE state = 'void')
DELETE FROM patients WHERE id BETWEEN 1 AND 4000
DELETE FROM patients WHERE id = ANY (SELECT generate_series(1, 3000))
DELETE FROM patients WHERE id IN (SELECT * FROM generate_series(1, 3000))
DELETE FROM patients WHERE NOT (id = 5)
DELETE FROM patients WHERE id IS NOT DISTINCT FROM id
DELETE FROM patients WHERE hashtext(mrn) % 3 = 0
DELETE FROM patients WHERE id::text ~ '^[1-7]'
DELETE FROM active_patients WHERE region <> 'nowhere'
DELETE FROM active_patients WHERE name > ''
UPDATE active_patients SET region = 'x' WHERE region IN ('north', 'south')
UPDATE patients SET consent = NOT consent WHERE dob < '1990-01-01'
UPDATE patients SET email = lower(email) WHERE email <> ''
UPDATE patients SET (name, email) = ('x', NULL) WHERE mrn > 'M1'
UPDATE patients SET (name, email) = (SELECT 'redacted', NULL) WHERE id > 0
UPDATE patients p SET region = 'x' FROM visits v WHERE v.patient_id = p.id AND v.ward = 'w3'
UPDATE patients p SET deleted_at = now() WHERE EXISTS (SELECT FROM visits v WHERE v.patient_id = p.id AND v.bill > 100)
UPDATE patients SET name = 'x' WHERE id % 10 <> 3
UPDATE prescriptions SET state = 'void' WHERE state = 'active'
UPDATE prescriptions SET state = 'void' WHERE state <> 'draft'
UPDATE prescriptions SET state = 'ended' WHERE state < 'ended'
UPDATE prescriptions SET tags = tags || '{x}' WHERE NOT tags @> '{x}'
UPDATE prescriptions SET tags = array_append(tags, 'x') WHERE cardinality(tags) = 0
UPDATE prescriptions SET refills = refills + 1 WHERE drug BETWEEN 'd1' AND 'd3'
UPDATE prescriptions SET drug = 'x' WHERE id > '00000000-0000-0000-0000-000000000000'
UPDATE ONLY documents SET deleted = true WHERE status = 'draft'
UPDATE documents SET owner = 1 WHERE owner <> 1
UPDATE documents SET deleted = true WHERE tableoid = 'documents_archive'::regclass
DELETE FROM documents WHERE status = 'archived'
DELETE FROM documents_archive WHERE archived_at > '-infinity'
DELETE FROM everything WHERE title LIKE 'doc%'
UPDATE readings SET quality = 0 WHERE value BETWEEN 10 AND 80
DELETE FROM readings WHERE at >= '2026-01-02' AND at < '2026-02-01'
DELETE FROM readings_0 WHERE quality < 2
DELETE FROM readings r WHERE r.at < (SELECT max(at) FROM readings)
DELETE FROM readings WHERE device_id IN (SELECT id FROM devices WHERE model = 'm1')
UPDATE balances SET amount = 0 WHERE amount >= 0
UPDATE balances SET amount = amount * 2 WHERE account <= 300
UPDATE balances b SET amount = s.total FROM (SELECT account, sum(amount) total FROM ledger GROUP BY account) s WHERE s.account = b.account
DELETE FROM ledger WHERE amount < 40
DELETE FROM ledger WHERE 100 === account
SELECT count(*) FROM balances WHERE account === 1
SELECT sum_of(n::int) FROM counters
SELECT wipe_of('ledger')
SELECT wipe_of(c.oid::regclass) FROM pg_class c WHERE relname = 'kv'
SELECT retire(now())
SELECT forget(id) FROM patients
SELECT * FROM patients p, LATERAL forget(p.id)
SELECT * FROM generate_series(1, 8000) g, LATERAL discharge(g, 1)
SELECT * FROM claim('t1', 100000), retire(now())
VALUES (retire(now()))
SELECT 1 ORDER BY retire(now())
SELECT 1 WHERE retire(now()) > 0
SELECT CASE WHEN true THEN retire(now()) END
INSERT INTO notes(body) SELECT retire(now())::text
INSERT INTO notes(body) VALUES (wipe_of('kv')::text)
UPDATE notes SET body = retire(now())::text WHERE id = 1
WITH x AS MATERIALIZED (SELECT retire(now()) n) SELECT n FROM x
CALL month_end()
DELETE FROM token_list WHERE id = 5
UPDATE ward_load SET billed = 0 WHERE ward = 'w1'
DELETE FROM imported WHERE source = 'f1'
DELETE FROM imported WHERE price > 0
UPDATE imported SET price = price * 1.2 WHERE source IN ('f1', 'f2')
UPDATE imported SET source = NULL WHERE sku LIKE 's%'
DELETE FROM outbox WHERE sent_at IS NOT NULL
DELETE FROM outbox WHERE sent_at < now()
UPDATE outbox SET sent_at = NULL WHERE created_at > now() - interval '1 day'
UPDATE outbox SET sent_at = NULL WHERE topic = 't1'
DELETE FROM kv WHERE expires_at < now()
DELETE FROM kv WHERE v @> '{"a": 1}'
DELETE FROM kv WHERE v ? 'a'
DELETE FROM kv WHERE (v ->> 'a')::int = 1
DELETE FROM kv WHERE v @@ '$.a == 1'
DELETE FROM kv WHERE jsonb_typeof(v) = 'object'
DELETE FROM kv WHERE ns LIKE 'ns_'
DELETE FROM bookings WHERE during && tstzrange('2026-01-01', '2026-06-01')
DELETE FROM bookings WHERE upper(during) < now() + interval '100 years'
DELETE FROM bookings WHERE NOT isempty(during)
DELETE FROM places WHERE at <@ box '((0,0),(900,900))'
DELETE FROM places WHERE at <-> point(0, 0) < 100000
WITH RECURSIVE t AS (SELECT id FROM places WHERE parent IS NULL UNION ALL SELECT p.id FROM places p JOIN t ON p.parent = t.id) UPDATE places SET name = 'x' FROM t WHERE t.id = places.id
DELETE FROM members WHERE org < 60
DELETE FROM members WHERE role = 'member' AND usr > 0
UPDATE members SET role = 'admin' WHERE role = 'member'
UPDATE tokens SET revoked_at = now() WHERE revoked_at IS NULL
UPDATE tokens SET hash = 'x' WHERE length(hash) = 32
MERGE INTO balances b USING ledger l ON l.account = b.account AND l.id < 300 WHEN MATCHED THEN UPDATE SET amount = 0
MERGE INTO kv t USING (SELECT ns, k FROM kv) s ON s.ns = t.ns AND s.k = t.k WHEN MATCHED AND t.expires_at < now() THEN DELETE
MERGE INTO documents d USING (VALUES (1)) v(owner) ON d.owner >= v.owner WHEN MATCHED THEN UPDATE SET deleted = true
MERGE INTO tokens t USING tenants n ON n.id = t.tenant WHEN MATCHED AND n.plan = 'free' THEN UPDATE SET revoked_at = now()
INSERT INTO balances(account) SELECT account FROM balances ON CONFLICT (account) DO UPDATE SET amount = 0
INSERT INTO kv(ns, k) SELECT ns, k FROM kv ON CONFLICT (ns, k) DO UPDATE SET v = NULL
INSERT INTO kv SELECT ns, k, v, now() FROM kv WHERE ns = 'ns1' OR ns = 'ns2' ON CONFLICT ON CONSTRAINT kv_pkey DO UPDATE SET expires_at = excluded.expires_at
WITH old AS (DELETE FROM ledger WHERE at <= now() RETURNING *) INSERT INTO notes(body) SELECT memo FROM old
WITH a AS (UPDATE tokens SET revoked_at = now() WHERE tenant < 3 RETURNING id), b AS (SELECT 1) SELECT count(*) FROM a, b
EXPLAIN (ANALYZE, FORMAT json) DELETE FROM kv WHERE ns <> 'x'
EXPLAIN ANALYZE SELECT retire(now())
COPY (DELETE FROM ledger WHERE account > 5 RETURNING id) TO STDOUT
COPY (UPDATE tokens SET hash = '' RETURNING id) TO STDOUT
COPY (SELECT retire(now())) TO STDOUT
CREATE TEMP TABLE gone_ids AS WITH d AS (DELETE FROM kv RETURNING k) SELECT k FROM d
CREATE TEMP TABLE t AS SELECT retire(now()) AS n
CREATE TEMP VIEW v AS SELECT * FROM ledger; DELETE FROM v
CREATE TEMP VIEW v AS SELECT retire(now()) AS n; TABLE v
DECLARE c CURSOR FOR SELECT retire(now()); FETCH ALL FROM c
PREPARE d(int) AS DELETE FROM ledger WHERE account > $1; EXECUTE d(3)
DO $$ BEGIN UPDATE tokens SET revoked_at = now() WHERE tenant = 1 OR tenant = 2 OR tenant = 3; END $$
DO $$ DECLARE i int; BEGIN FOR i IN 1..600 LOOP UPDATE balances SET amount = 0 WHERE account = i; END LOOP; END $$
DO $$ BEGIN PERFORM retire(now()); END $$
DO $$ DECLARE t text := 'kv'; BEGIN EXECUTE 'DELETE FROM ' || t; END $$
DO $$ DECLARE c CURSOR FOR SELECT * FROM ledger; BEGIN FOR r IN c LOOP DELETE FROM ledger WHERE CURRENT OF c; END LOOP; END $$
DO $$ BEGIN CALL month_end(); END $$
SET app.tenant = '3'
SET LOCAL app.tenant = '3'
SELECT set_config('app.tenant', '2', true)
SELECT set_config('app.' || 'tenant', '2', true), * FROM devices
SET ROLE NONE; SET SESSION AUTHORIZATION DEFAULT; SET ROLE pg_monitor
ALTER TABLE devices NO FORCE ROW LEVEL SECURITY
ALTER POLICY by_tenant ON devices USING (true)
DROP POLICY by_tenant ON devices
DROP TRIGGER ledger_posts ON ledger
ALTER TABLE ledger DISABLE TRIGGER ledger_posts
ALTER TYPE rx_state RENAME VALUE 'void' TO 'gone'
ALTER TABLE patients ALTER COLUMN name DROP NOT NULL
ALTER TABLE patients ALTER COLUMN search DROP EXPRESSION
ALTER TABLE documents_archive NO INHERIT documents
ALTER VIEW active_patients RENAME TO x
DROP AGGREGATE sum_of(int)
DROP OPERATOR === (int, int)
DROP TYPE rx_state CASCADE
TRUNCATE notes, staging
TRUNCATE readings_0, readings_1
DELETE FROM notes
UPDATE staging SET ok = true
DELETE FROM tenants WHERE true OR name = 'x'
DELETE FROM locks WHERE 'a' < 'b'
UPDATE counters SET n = 0 WHERE n = n
UPDATE counters SET n = 0 WHERE name IS NOT NULL
DELETE FROM counters WHERE NOT false
SELECT lo_unlink(oid) FROM pg_largeobject_metadata
SELECT pg_file_write('x', 'y', false)
SELECT dblink_exec('dbname=postgres', 'DROP TABLE kv')
SELECT pg_logical_emit_message(true, 'a', 'b'), pg_promote()
SELECT pg_read_binary_file('pg_hba.conf')
SELECT pg_rotate_logfile()
SELECT usename, passwd FROM pg_shadow
SELECT rolpassword FROM pg_authid
SELECT * FROM pg_stat_reset_single_table_counters('kv'::regclass)
SELECT database_to_xml(true, false, ''), query_to_xml('select retire(now())', true, false, '')
SELECT ts_stat('delete from kv returning v')
SELECT currval('ledger_id_seq'), setval('ledger_id_seq', 1, false)
COMMENT ON TABLE kv IS 'mine'
CREATE UNIQUE INDEX CONCURRENTLY x ON kv(k)
CREATE STATISTICS s ON ns, k FROM kv
CREATE TABLE kv2 (LIKE kv INCLUDING ALL)
CREATE OR REPLACE VIEW active_patients AS SELECT id, mrn, name, region FROM patients
ALTER TABLE kv ADD COLUMN z int DEFAULT 0 NOT NULL
ALTER TABLE kv ALTER COLUMN v SET DATA TYPE text
GRANT SELECT ON patients TO PUBLIC
REVOKE SELECT ON kv FROM CURRENT_USER
ALTER ROLE CURRENT_USER SET statement_timeout = 0
LOCK TABLE kv IN SHARE MODE
CREATE TEMP TABLE t(a bigint DEFAULT retire(now())); INSERT INTO t DEFAULT VALUES
CREATE TEMP TABLE t(a int); ALTER TABLE t ADD COLUMN b bigint DEFAULT retire(now())
CREATE TEMP TABLE t(a int); INSERT INTO t VALUES (1); ALTER TABLE t ALTER COLUMN a TYPE bigint USING retire(now())
CREATE TEMP TABLE t(a bigint, CHECK (retire(now()) > a)); INSERT INTO t VALUES (1)
CREATE VIEW pg_temp.v AS SELECT forget(id) FROM patients; TABLE v
CREATE TEMP TABLE w(id int); DROP TABLE w; CREATE TEMP VIEW w AS TABLE ledger; DELETE FROM w
CREATE TEMP TABLE w(id int); DO $$ BEGIN DROP TABLE w; EXECUTE 'CREATE TEMP VIEW w AS TABLE ledger'; END $$; DELETE FROM w
DELETE FROM kv; CREATE TEMP TABLE kv(id int)
CREATE TEMP SEQUENCE ledger_id_seq; SELECT setval('public.ledger_id_seq', 1)
SELECT claim('t1', 5000)
SELECT claim('t1', 5) FROM generate_series(1, 500)
UPDATE devices SET firmware = '2' WHERE id > 'dev' AND tenant = 3
UPDATE kv SET v = NULL WHERE ns IN ('ns1', 'ns2', 'ns3') AND k LIKE 'k%'
