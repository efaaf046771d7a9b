import { test } from 'tap';
import { headline } from '../../src/approval/headline.js';
import { isProduction, previewDigest, previewOf, previewText } from '../../src/approval/preview.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { loadGrammar } from '../../src/sql/grammar/grammar.js';
import { textWidth } from '../../src/ui/character-width.js';
import { documentRows, wrap } from '../../src/ui/document-rows.js';
import { highlight } from '../../src/ui/highlight.js';
import { sanitise, singleLine } from '../../src/untrusted-text.js';
import { facts, request } from './requests.js';

test('attack: nothing in a statement acts on the terminal or hides', (t) => {
  const tricks: Readonly<Record<string, string>> = {
    'cursor movement': 'SELECT 1\x1b[1A\x1b[2K',
    'C1 control': 'SELECT\x9b2J',
    'carriage return': 'DROP TABLE a;\rSELECT 1;      ',
    backspace: 'DROP\b\b\b\bREAD',
    'right-to-left override': '/* \u202e */ DROP',
    isolate: 'a\u2066b\u2069',
    'zero width space': 'ord\u200bers',
    'soft hyphen': 'ord\u00aders',
    'no-break space': 'DELETE\u00a0FROM',
    'ideographic space': 'a\u3000b',
    'Hangul filler': 'a\u3164b',
    'braille blank': 'a\u2800b',
    'variation selector': 'a\ufe0fb',
    'tag characters': 'a\u{e0041}b',
    'line separator': '-- x\u2028DROP',
    'private use': 'a\ue000b',
    'lone surrogate': 'a\ud800b',
    'combining grapheme joiner': 'a\u034fb',
    'stacked marks': `a${'\u0301'.repeat(30)}`,
    NUL: 'a\0b',
  };
  for (const [name, trick] of Object.entries(tricks)) {
    const { text, warnings } = sanitise(trick);
    t.notMatch(
      text,
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\u2800\u3000]|\p{Default_Ignorable_Code_Point}|\u00a0/u,
      name,
    );
    t.match(text, /⟨U\+[0-9A-F]{4,6}⟩/, `${name} is shown`);
    if (name !== 'stacked marks') t.ok(warnings.length > 0, `${name} is warned of`);
    t.equal(sanitise(text).text, text, 'shown text is stable');
  }
  t.end();
});

test('ordinary text stays as it is', (t) => {
  const sql = "SELECT 'naïve café', '日本', 'Ω', 'привет' -- ünïcode\nFROM t";
  t.strictSame(sanitise(sql), { text: sql, warnings: [] });
  t.equal(sanitise('a\r\n\tb').text, 'a\n    b');
  t.match(sanitise('SELECT * FROM оrders').warnings, [/mixes alphabets/]);
  t.equal(singleLine('a\nb\x07'), 'a⏎b⟨U+0007⟩');
  t.equal(singleLine('x'.repeat(300), 10), 'xxxxxxxxx…');
  t.end();
});

test('every part of a request that an agent controls is sanitised', (t) => {
  const evil = 'x\x1b[2J\u202e';
  const text = previewText(
    request({
      agent: evil,
      subject: evil,
      connection: evil,
      database: evil,
      user: evil,
      environment: evil,
      searchPath: evil,
      sql: evil,
      bindValues: [evil],
      facts: facts('delete', evil),
      ruling: { decision: 'ask', rule: evil, origin: evil, reason: evil },
      impact: { lines: [{ label: evil, text: evil, severity: 'info' }] },
    }),
  );
  t.notMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
  t.match(text, '⟨U+001B⟩[2J⟨U+202E⟩');
  t.end();
});

test('the digest binds statement, values, place and impact, even what is too long to show', (t) => {
  const base = previewDigest(request());
  t.equal(base, previewDigest(request()), 'the same request, the same digest');
  const long = 'x'.repeat(400_000);
  const changed = [
    request({ sql: 'DELETE FROM orders2' }),
    request({ bindValues: [null] }),
    request({ database: 'other' }),
    request({ user: 'admin' }),
    request({ transactionStatus: 'T' }),
    request({ impact: { lines: [] } }),
    request({ sql: `${long}a${long}` }),
    request({ sql: `${long}b${long}` }),
    request({ bindValues: [`${long}a`] }),
    request({ bindValues: [`${long}b`] }),
    request({ bindValues: ['NULL'] }),
  ];
  const digests = new Set([base, ...changed.map((one) => previewDigest(one))]);
  t.equal(digests.size, changed.length + 1);
  t.end();
});

test('attack: 10 MB of text is cut in the middle, and says so', (t) => {
  const sql = `DELETE FROM a; ${'-- filler\n'.repeat(1_000_000)} DROP TABLE z`;
  const preview = previewOf(request({ sql }));
  t.ok(preview.statement.length < 300_000);
  t.match(preview.statement, /^DELETE FROM a;/);
  t.match(preview.statement, /DROP TABLE z$/);
  t.match(preview.warnings, [/9,750,\d\d\d characters in the middle are not shown/]);
  const { rows } = documentRows(preview, 80);
  t.ok(rows.every((row) => row.reduce((sum, span) => sum + textWidth(span.text), 0) <= 80));
  t.end();
});

test('headlines say it in plain words', (t) => {
  const say = (changes: Parameters<typeof request>[0]) => headline(request(changes));
  t.equal(say({}), 'Delete ALL rows of orders (about 10,482)');
  t.equal(say({ facts: facts('delete', 'orders', true) }), 'Delete about 10,482 rows of orders');
  t.equal(
    say({ facts: facts('update', 'orders', true), impact: { lines: [], estimatedRows: 1 } }),
    'Change about 1 row of orders',
  );
  t.equal(say({ facts: facts('drop', 'orders') }), 'Drop table orders');
  const create = facts('drop', 'b').statements.map((one) => ({
    ...one,
    command: 'CREATE TABLE AS',
    effects: one.effects.map((effect) => ({ ...effect, kind: 'create' as const })),
  }));
  t.equal(say({ facts: { statements: create } }), 'Create table b');
  t.equal(say({ facts: { statements: [] } }), 'Run an empty statement');
  t.equal(
    say({ facts: { statements: [], unparseable: { reason: 'syntax', message: 'x' } } }),
    'Run a text that dbguard cannot read',
  );
  const several = [...facts('insert', 'a', true).statements, ...facts('drop', 'b').statements];
  t.equal(say({ facts: { statements: several } }), 'Drop table b, and 1 more statement', 'the gravest first');
  t.end();
});

test('production is recognised, products are not', (t) => {
  for (const name of ['production', 'prod', 'prod-eu', 'shop_prod', 'LIVE', 'eu-prd-1']) t.ok(isProduction(name), name);
  for (const name of ['products', 'reproduction', 'staging', 'delivery', undefined])
    t.notOk(isProduction(name), `${name}`);
  t.end();
});

test('colours follow the lexical rules of PostgreSQL', (t) => {
  const kinds = (sql: string) =>
    highlight(sql)
      .filter((token) => token.kind !== 'plain')
      .map((token) => `${token.kind}:${token.text}`);
  t.strictSame(kinds("DELETE FROM a WHERE b = 'it''s -- no' -- yes"), [
    'danger:DELETE',
    'keyword:FROM',
    'keyword:WHERE',
    "string:'it''s -- no'",
    'comment:-- yes',
  ]);
  t.strictSame(kinds("'a\\' DROP"), ["string:'a\\'", 'danger:DROP'], 'a backslash does not escape in a plain string');
  t.strictSame(kinds("E'a\\' DROP'"), ["string:E'a\\' DROP'"]);
  t.strictSame(kinds('/* a /* b */ c */ DROP'), ['comment:/* a /* b */ c */', 'danger:DROP'], 'comments nest');
  t.strictSame(kinds('$x$ DROP $$ $x$ DROP'), ['string:$x$ DROP $$ $x$', 'danger:DROP']);
  t.strictSame(kinds('"DROP" $1 drop_it'), ['number:1']);
  t.strictSame(kinds("'a⟨U+202E⟩b'"), ["string:'a", 'hidden:⟨U+202E⟩', "string:b'"]);
  for (const sql of ["'open", '"open', '/* open', '$$ open', "E'open\\"]) {
    t.equal(
      highlight(sql)
        .map((token) => token.text)
        .join(''),
      sql,
      'nothing is lost',
    );
  }
  t.end();
});

test('rows fit the width and lose nothing', (t) => {
  const text = `${'word '.repeat(30)}${'漢'.repeat(50)} ${'x'.repeat(200)}\n\n  indented\n`;
  for (const width of [10, 17, 59, 79, 200]) {
    const rows = wrap([{ style: 'plain', text }], width, 0);
    const lines = rows.map((row) => row.map((span) => span.text).join(''));
    t.ok(
      lines.every((line) => textWidth(line) <= width),
      `width ${width}`,
    );
    t.equal(lines.join('').replace(/\s/g, ''), text.replace(/\s/g, ''), 'all characters, in order');
  }
  t.end();
});

test('what a dry run has counted is not estimated beside it', (t) => {
  const counted = [
    { label: 'dry run', text: 'deletes exactly 10,481 rows of orders', severity: 'danger' as const },
    { label: 'referenced by order_items', text: '31,204 rows deleted', severity: 'danger' as const },
  ];
  const labels = (preview: ReturnType<typeof previewOf>) => preview.impact.map(({ label }) => label);
  t.match(labels(previewOf(request())), ['rows', 'orders', 'referenced by order_items']);
  const after = labels(previewOf(request(), { lines: counted, rows: [] }));
  t.equal(after[0], 'orders');
  t.notMatch(after, /referenced by/);
  t.match(labels(previewOf(request(), { refused: 'a trigger' })), ['rows', 'orders'], 'nothing was counted');
  t.end();
});

test('a headline never names a bigger loss than there is, nor a smaller one', async (t) => {
  const analyser = await createAnalyser({ grammar: await loadGrammar({}) });
  const said: Readonly<Record<string, string>> = {
    'ALTER TABLE orders DROP COLUMN note': 'Drop column note of orders',
    'ALTER TABLE orders DROP COLUMN a, DROP COLUMN b': 'Drop columns a and b of orders',
    'ALTER TABLE orders DROP COLUMN a, DROP COLUMN b CASCADE':
      'Drop column b of orders and everything that depends on it; drop column a of orders',
    'DROP TABLE a, b, c, d': 'Drop table a, b, c and d',
    'WITH x AS (DELETE FROM a WHERE true), y AS (DELETE FROM b WHERE id = 1) UPDATE c SET v = 1':
      'Delete ALL rows of a; delete rows of b; change ALL rows of c',
    'UPDATE c SET v = 1; TRUNCATE b; DROP TABLE a':
      'Drop table a; empty b completely; change ALL rows of c, and 2 more statements',
    'SELECT pg_advisory_lock(1)': 'Take an advisory lock (pg_advisory_lock)',
    'DROP TRIGGER t ON orders': 'Drop trigger t of orders',
    'DROP POLICY p ON orders': 'Drop policy p of orders',
    'DROP OWNED BY bob': 'Drop everything that bob owns',
    'DROP TABLE a, b CASCADE': 'Drop table a and b and everything that depends on them',
    'TRUNCATE orders CASCADE': 'Empty orders and every table that refers to it',
    'DROP ROLE bob': 'Drop role bob',
    'ALTER ROLE bob SUPERUSER': 'Alter role bob',
    'CREATE INDEX ON orders (total)': 'Create an index on orders',
    'CREATE UNIQUE INDEX i ON app.orders (total)': 'Create index app.i on app.orders (unique)',
    'CREATE EXTENSION pgcrypto': 'Create extension pgcrypto, which runs code that dbguard cannot look into',
    'CREATE TRIGGER t AFTER INSERT ON orders EXECUTE FUNCTION f()': 'Create a trigger on orders',
    "COMMENT ON TABLE orders IS 'x'": 'Change the comment on orders',
    "SELECT nextval('s')": 'Take the next number of s',
    'SET role bob': 'Change a setting of this session: role',
    CHECKPOINT: 'Run CHECKPOINT',
  };
  for (const [sql, words] of Object.entries(said)) {
    t.equal(headline(request({ facts: analyser.analyse(sql), impact: { lines: [] } })), words, sql);
  }
});

test('who lifts a mask is asked about the column', async (t) => {
  const analyser = await createAnalyser({ grammar: await loadGrammar() });
  const facts = analyser.analyse("SET dbguard.unmask = 'public.people.card'");
  const ruling = { decision: 'ask', rule: 'builtin:unmask', origin: 'own', reason: '' } as const;
  t.equal(headline(request({ facts, ruling, impact: { lines: [] } })), 'Show the real values of public.people.card');
  t.end();
});

test('a sample of wide rows shows their first columns', (t) => {
  const cells = Array.from({ length: 20 }, (_, index) => ({ column: `column_${index}`, value: 'x'.repeat(10) }));
  const { dryRun } = previewOf(request(), {
    lines: [],
    rows: [
      { sign: '-', cells },
      { sign: '+', cells: cells.slice(0, 4) },
    ],
  });
  t.match(dryRun[0]?.text, /^- column_0 x{10}, .*column_3 x{10}, and 16 more columns$/);
  t.match(dryRun[1]?.text, /column_3 x{10}$/, 'what fits is whole');
  t.end();
});
