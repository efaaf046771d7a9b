/** What is remembered of one text must be true of every text that differs in integers only. */
import t from 'tap';
import { createAnalyser } from '../../src/sql/analyser.js';
import { withoutIntegers } from '../../src/sql/integer-blind.js';
import { readCorpus } from './corpus.js';

t.test('where an integer stands alone, and nowhere else', async (t) => {
  t.equal(withoutIntegers('SELECT a1 FROM t2 WHERE id = 42 AND x=-7'), 'SELECT a1 FROM t2 WHERE id = \0 AND x=-\0');
  t.equal(
    withoutIntegers('SELECT 1.5, 2e3, .5, 1_000, 0x1F, 12345678901, 7'),
    'SELECT 1.5, 2e3, .5, 1_000, 0x1F, 12345678901, \0',
  );
  for (const hidden of ["'1'", '"1"', '$1', '$$1$$', '-- 1', '/* 1 */', '\\1', 'é 1']) {
    t.equal(withoutIntegers(`SELECT 1, ${hidden}`), undefined, hidden);
  }
  t.equal(withoutIntegers('SELECT a FROM t'), undefined, 'nothing to leave out');
  t.equal(withoutIntegers(`SELECT ${'1,'.repeat(5000)}1`), undefined, 'too long');
});

const digits = /(?<![\w.])\d{1,9}(?![\w.])/g;
const values = ['0', '1', '2', '7', '999999999'];

/** Every integer the same, then every integer another one. */
function variants(sql: string): string[] {
  const same = values.map((value) => sql.replace(digits, value));
  let at = 0;
  return [...same, sql.replace(digits, () => values[at++ % values.length] ?? '')];
}

t.test('facts from memory are the facts of the text', async (t) => {
  const remembering = await createAnalyser();
  const fresh = await createAnalyser({ cacheEntries: 0 });
  const more = [
    'DELETE FROM t WHERE id > 100',
    'DELETE FROM t WHERE a = 5 OR a <> 5',
    'DELETE FROM t WHERE NOT (a = 5) OR a = 5',
    'DELETE FROM t WHERE 3 = 3',
    'DELETE FROM t WHERE a = a + 3 - 3',
    'DELETE FROM t WHERE a = 3 * b',
    'DELETE FROM t WHERE a IN (1, 2, 3) LIMIT 3',
    'DELETE FROM t WHERE a = 1 AND 1 = 2 OR 3',
    'DELETE FROM t WHERE a % 3 = 1',
    'DELETE FROM t WHERE coalesce(a, 1) = 1',
    'DELETE FROM t WHERE a BETWEEN -5 AND 5',
    'DELETE FROM t WHERE CASE WHEN a = 1 THEN 1 = 1 ELSE 2 = 3 END',
    'DELETE FROM t WHERE id NOT IN (4)',
    'DELETE FROM t WHERE 5',
    'DELETE FROM t WHERE 5::bool',
    'UPDATE t SET a = 5 WHERE (SELECT 5) = 6',
    'SELECT * FROM t LIMIT 5',
    'SELECT * FROM t WHERE a = 5 FOR UPDATE',
    'SELECT setval(s, 5), pg_terminate_backend(5), lo_unlink(5), pg_advisory_lock(5)',
    '  SELECT 5 ; ',
    'SELECT 5; DELETE FROM t WHERE a = 5',
    'SET work_mem = 5',
    'FETCH 5 FROM c',
  ];
  let remembered = 0;
  for (const sql of [...readCorpus().map((vector) => vector.sql), ...more].filter(
    (sql) => withoutIntegers(sql) !== undefined,
  )) {
    remembering.analyse(sql);
    for (const variant of variants(sql)) {
      const known = remembering.analyse(variant);
      const found = fresh.analyse(variant);
      if (JSON.stringify(known) !== JSON.stringify(found)) t.strictSame(known, found, variant);
      remembered++;
    }
  }
  t.ok(remembered > 500, `${remembered} texts`);
});
