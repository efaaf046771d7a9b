import t from 'tap';
import { createAnalyser } from '../../../src/sql/analyser.js';

const analyser = await createAnalyser();

function bounded(sql: string): boolean | undefined {
  const effects = analyser.analyse(sql).statements.flatMap((statement) => statement.effects);
  return effects.find((effect) => effect.kind === 'delete' || effect.kind === 'update')?.bounded;
}

const restricting = [
  'id = 1',
  'id = $1',
  "status = 'x' AND created_at < now()",
  'id = ANY($1)',
  'id IN (1, 2)',
  'id > 100',
  'id BETWEEN 10 AND 20',
  'id < 100',
  "name LIKE 'a%'",
  "name NOT LIKE 'a%'",
  "name ~ '^a'",
  'active',
  'NOT active',
  'active IS TRUE',
  'deleted_at IS NULL',
  'NOT (deleted_at IS NOT NULL)',
  'id = 1 OR id = 2',
  'NOT (id = 1 AND true) AND name = $1',
  'true AND id = 1',
  '(id, name) = (1, 2)',
  'id = (SELECT max(id) FROM t)',
  'id IN (SELECT user_id FROM banned)',
  'id IN (SELECT id FROM t WHERE name = $1)',
  'id IN (SELECT id FROM t LIMIT 10)',
  'id IN (SELECT min(id) FROM t GROUP BY name)',
  'id NOT IN (SELECT min(id) FROM t GROUP BY name)',
  'id IN (SELECT t2.id FROM t t2 JOIN banned USING (email))',
  'id IN (SELECT b.user_id FROM t t2 LEFT JOIN banned b ON b.user_id = t2.id)',
  'EXISTS (SELECT 1 FROM banned WHERE banned.id = t.id)',
  'NOT EXISTS (SELECT 1 FROM o WHERE o.t_id = t.id)',
  'EXISTS (SELECT 1 FROM t t2 WHERE t2.name = t.name AND t2.id < t.id)',
  'expires_at < now()',
  "created_at < now() - interval '90 days'",
  "created_at > now() - interval '1 day'",
  "created_at >= '2024-01-01'",
  'email <> lower(email)',
  "status <> 'done'",
  'updated_at > created_at',
  'CASE WHEN active THEN id = 1 ELSE false END',
  'coalesce(name, $1) = $2',
  "ctid = '(0,1)'",
  'CURRENT OF c',
  'false',
  'NULL',
  '1 = 0',
  "'f'::bool",
  'id IS NULL',
  'length(name) > 20',
  'id % 2 = 0',
];

t.test('a condition that restricts', (t) => {
  for (const condition of restricting) {
    t.equal(bounded(`DELETE FROM t WHERE ${condition}`), true, condition);
    t.equal(bounded(`UPDATE t SET a = 1 WHERE ${condition}`), true, condition);
  }
  t.end();
});

const open = [
  'true',
  '1 = 1',
  'NOT false',
  'NOT NOT true',
  "'yes'::bool",
  'id = id',
  't.id = t.id',
  'NOT (id <> id)',
  'id + 0 = id',
  "name || '' = name",
  'id IS NOT NULL',
  'NOT (id IS NULL)',
  'id IS DISTINCT FROM NULL',
  'id > 0',
  '0 < id',
  'id >= -1',
  'id > 1',
  'id <> 0',
  'id <> 7',
  'NOT (id = 7)',
  'id NOT IN (1, 2)',
  'id < 9999999999',
  'id BETWEEN 0 AND 9999999999',
  "name LIKE '%'",
  "name NOT LIKE ''",
  "name ~ '.*'",
  "name SIMILAR TO '%'",
  'active OR NOT active',
  'id = 1 OR id <> 1',
  'id < 5 OR id >= 5',
  'x IS NULL OR x IS NOT NULL',
  'active IN (true, false)',
  'active = true OR active = false',
  'id = 1 OR true',
  'id = 1 OR $1',
  '$1',
  'now() > $1',
  'random() < 2',
  'current_user = $1',
  'EXISTS (SELECT 1)',
  'EXISTS (SELECT 1 FROM other WHERE other.a = 1)',
  'EXISTS (SELECT 1 FROM t t2 WHERE t2.id = t.id)',
  'id IN (SELECT id FROM t)',
  'id IN (SELECT id FROM public.t WHERE id > 0)',
  'id IN (SELECT DISTINCT id FROM t)',
  'id IN (SELECT id FROM t GROUP BY id)',
  'id IN (SELECT id FROM t LIMIT 1000000000)',
  'id IN (SELECT t2.id FROM t t2 LEFT JOIN other o ON o.id = t2.id)',
  'id IN (WITH x AS (SELECT id FROM t) SELECT id FROM x)',
  'id = ANY (ARRAY(SELECT id FROM t))',
  'id IN (SELECT generate_series(1, 1000000))',
  'id >= (SELECT min(id) FROM t)',
  'id = (SELECT id)',
  'coalesce(true, false)',
  'CASE WHEN active THEN true ELSE true END',
  'created_at < now()',
  "created_at < now() + interval '1 day'",
  "created_at > '2000-01-01'",
  "created_at > now() - interval '100 years'",
  "x > '-infinity'",
  'tableoid = $1::oid',
  '(id = id) IS NOT FALSE',
];

t.test('a condition that lets every row through', (t) => {
  for (const condition of open) {
    t.equal(bounded(`DELETE FROM t WHERE ${condition}`), false, condition);
    t.equal(bounded(`UPDATE t SET a = 1 WHERE ${condition}`), false, condition);
  }
  t.end();
});

t.test('a condition that other values of its parameters would make restrict, of an update alone', (t) => {
  const decides = (sql: string): boolean => {
    const [statement] = analyser.analyse(sql).statements;
    return statement?.effects.some((effect) => effect.parametersDecide === true) ?? false;
  };
  for (const condition of [
    "CASE WHEN $1 = '*' THEN true ELSE name = $1 END",
    "$1 = '*' OR name = $1",
    '$1::text IS NULL OR name = $1',
    '$1 OR id = $2',
    "NOT ($1 <> '*' AND name <> $1)",
    "(lower($1) = '*' OR name = $1) AND true",
  ]) {
    t.equal(bounded(`UPDATE t SET a = 1 WHERE ${condition}`), false, condition);
    t.equal(decides(`UPDATE t SET a = 1 WHERE ${condition}`), true, condition);
    t.equal(decides(`DELETE FROM t WHERE ${condition}`), false, condition);
  }
  const settled = open.filter((condition) => condition !== 'id = 1 OR $1');
  for (const condition of [
    ...settled,
    'true OR name = $1',
    '$1 = $1 OR name = $1',
    "$1 = '*'",
    '$1',
    '$1 = 1 OR 1 = 1',
  ])
    t.equal(decides(`UPDATE t SET a = 1 WHERE ${condition}`), false, condition);
  t.end();
});

t.test('joins', (t) => {
  t.equal(bounded('DELETE FROM a USING b WHERE a.id = b.id'), true, 'rows that have a partner');
  t.equal(bounded('DELETE FROM a USING b'), false, 'no condition');
  t.equal(bounded('DELETE FROM a USING b WHERE b.id = 1'), false, 'restricts the other one');
  t.equal(bounded('DELETE FROM a USING a b WHERE a.id = b.id'), false, 'the same rows again');
  t.equal(bounded('DELETE FROM a USING a b WHERE a.id = b.id AND b.name = $1'), true, 'the same rows, restricted');
  t.equal(bounded('DELETE FROM a USING a b WHERE a.id < b.id AND a.email = b.email'), true, 'duplicates');
  t.equal(bounded('UPDATE a SET x = 1 FROM b JOIN c ON c.id = b.id WHERE a.id = c.id'), true);
  t.equal(bounded('UPDATE a SET x = 1 FROM b LEFT JOIN a a2 ON a2.id = b.id WHERE a.id = a2.id'), false);
  t.equal(bounded('UPDATE a SET x = 1 FROM (VALUES (1)) v(id) WHERE v.id = a.id'), true);
  t.equal(bounded('UPDATE a SET x = 1 FROM (SELECT * FROM a) s WHERE s.id = a.id'), false);
  t.equal(bounded('WITH s AS (SELECT * FROM a) UPDATE a SET x = 1 FROM s WHERE s.id = a.id'), false);
  t.equal(bounded('WITH s AS (SELECT * FROM a WHERE b = 1) UPDATE a SET x = 1 FROM s WHERE s.id = a.id'), true);
  t.end();
});

t.test('WITH queries that refer to themselves end', (t) => {
  const recursive = (start: string) =>
    `WITH RECURSIVE r AS (${start} UNION ALL SELECT a.id FROM a JOIN r ON r.id = a.parent) DELETE FROM a WHERE id IN (SELECT id FROM r)`;
  t.equal(bounded(recursive('SELECT id FROM a WHERE id = 1')), true);
  t.equal(bounded(recursive('SELECT id FROM a')), false);
  t.equal(bounded('WITH RECURSIVE r AS (SELECT * FROM r) DELETE FROM a WHERE id IN (SELECT id FROM r)'), true);
  t.end();
});
