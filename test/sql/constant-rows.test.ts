/** Facts of an INSERT whose constant rows were left out are the facts of the whole text, whatever stands between them. */
import fc from 'fast-check';
import t from 'tap';
import { createAnalyser } from '../../src/sql/analyser.js';
import { withoutConstantRows } from '../../src/sql/constant-rows.js';
import type { Facts } from '../../src/sql/facts.js';
import { loadGrammar } from '../../src/sql/grammar/grammar.js';

const plainRow = `(1, 'a', NULL)`;
const many = (row = plainRow, count = 600): string => Array.from({ length: count }, () => row).join(', ');

t.test('what is left out, and what is not', async (t) => {
  const kept = (sql: string): number | undefined => withoutConstantRows(sql)?.length;
  const left = (sql: string): boolean => (kept(sql) ?? sql.length) < 200;
  for (const head of ['INSERT INTO t', 'insert  into "My t" ( "a, b" , c$1 )', '\n INSERT INTO s . t(a)']) {
    t.ok(left(`${head} VALUES ${many()}`), head);
  }
  for (const row of [
    `('it''s', -1.5, true)`,
    `( 0 )`,
    `('a\\')`,
    `('--')`,
    `('/*')`,
    `('é', '\u00a0')`,
    `('(),', FALSE)`,
  ]) {
    t.ok(left(`INSERT INTO t VALUES ${many(row)}`), row);
  }
  for (const row of [
    ...['(now())', '(DEFAULT)', "(E'a\\'')", "('a'::text)", '($1)', '(1 + 1)', '(- 1)', '(1a)', '(1e5)', '(0x1F)'],
    ...[
      "('a' 'b')",
      "(U&'a')",
      '(x)',
      '(NULL::int)',
      '(nulls)',
      '(1 /* 2 */)',
      '(SELECT 1)',
      '((1))',
      '()',
      '(1\u00a0)',
    ],
  ]) {
    t.notOk(left(`INSERT INTO t VALUES ${many(row)}`), row);
  }
  t.notOk(left(`INSERT INTO t VALUES ${many()} ON CONFLICT (a) DO UPDATE SET b = 1`), 'an upsert counts its rows');
  t.notOk(left(`UPDATE t SET a = 1; INSERT INTO t VALUES ${many()}`), 'not the first statement');
  t.notOk(left(`INSERT INTO t SELECT * FROM (VALUES ${many()}) v`));
  t.notOk(left(`INSERT INTO t AS x VALUES ${many()}`));
  t.ok(kept(`INSERT INTO t VALUES ${many()}, (evil()), ${many()}`) ?? 0 > 4000, 'reading on from the first other row');
  t.equal(
    kept(`INSERT INTO t VALUES ('${"''".repeat(4 << 20)}'), ('x'), (1)`),
    8 * 2 ** 20 + 30,
    'a literal of any length',
  );
});

t.test('limits are those of the whole text', async (t) => {
  const analyser = await createAnalyser({ grammar: await loadGrammar({ maxBytes: 8_000 }) });
  const reason = (sql: string): string | undefined => analyser.analyse(sql).unparseable?.reason;
  t.equal(reason(`INSERT INTO t VALUES ${many()}`), 'too-large');
  const whole = await createAnalyser();
  const insert = (row: string): Facts => whole.analyse(`INSERT INTO t VALUES ${many()}, ${row}, ${many()}`);
  t.equal(insert(`('\0')`).unparseable?.reason, 'encoding');
  t.equal(insert(`('\ud800')`).unparseable?.reason, 'encoding');
  t.equal(insert(`('a'), ('`).unparseable?.reason, 'syntax', 'a literal that does not end');
});

const constants = fc.oneof(
  fc.constantFrom('NULL', 'true', 'False', '1', '-1', '1.50', "''", "'it''s'", "'--'", "'/*'", "'\\'", "'a;b'", "'$$'"),
  fc.string({ unit: 'grapheme', maxLength: 6 }).map((text) => `'${text.replaceAll("'", "''").replaceAll('\0', '')}'`),
);
const others = fc.constantFrom(
  'DEFAULT',
  'now()',
  "E'\\''",
  "'a'::text",
  '1+1',
  'lo_unlink(1)',
  '(SELECT 1)',
  '1 -- x\n',
  "nextval('s')",
  "'a'\n'b'",
  '$tag$x$tag$',
  "N'x'",
  '/* ) */ 1',
  '"c"',
);
const spaced = fc.constantFrom('', ' ', '\n', '\t ', '\u00a0', '--x\n', '/**/');
const row = (value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(value, { minLength: 1, maxLength: 3 }), spaced, spaced)
    .map(([values, before, after]) => `${before}(${values.join(`${before},${after}`)}${after})`);
const heads = fc.constantFrom(
  'INSERT INTO t',
  'INSERT INTO "T" (a, "b c")',
  'insert into s.t(a,b)',
  'INSERT INTO t AS x',
  'WITH w AS (SELECT 1) INSERT INTO t',
  'INSERT INTO t OVERRIDING USER VALUE',
  'SELECT 1; INSERT INTO t',
);
const ends = fc.constantFrom(
  '',
  ';',
  ' ; ',
  ' RETURNING *',
  ' RETURNING lo_unlink(a)',
  ' ON CONFLICT DO NOTHING',
  ' ON CONFLICT (a) DO UPDATE SET a = 1',
  '; DROP TABLE t',
  ' -- end',
  '/* conflict */',
  ')',
  " WHERE 'a' = 'b'",
);

t.test('facts are those of the whole text', async (t) => {
  const analyser = await createAnalyser({ cacheEntries: 0 });
  /** As the grammar alone reads it: the scanner knows no text that begins with a comment. */
  const whole = (sql: string): Facts => {
    const { statements, unparseable } = analyser.analyse(`/**/${sql}`);
    const moved = statements.map((one) => ({ ...one, start: Math.max(0, one.start - 4), end: one.end - 4 }));
    const { position } = unparseable ?? {};
    if (unparseable === undefined) return { statements: moved };
    return { statements: moved, unparseable: { ...unparseable, ...(position ? { position: position - 4 } : {}) } };
  };
  fc.assert(
    fc.property(
      heads,
      fc.array(fc.oneof({ weight: 9, arbitrary: row(constants) }, row(others)), { minLength: 1, maxLength: 12 }),
      ends,
      (begin, rows, end) => {
        const padded = [...rows, ...Array.from({ length: 250 }, () => "('x', 12)"), ...rows];
        const sql = `${begin} VALUES ${padded.join(',')}${end}`;
        t.same(analyser.analyse(sql), whole(sql));
      },
    ),
    { numRuns: 150 },
  );
});
