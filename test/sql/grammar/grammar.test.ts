import { test } from 'tap';
import { loadGrammar } from '../../../src/sql/grammar/grammar.js';

const grammar = await loadGrammar();

function reason(sql: string): string | undefined {
  const parsed = grammar.parse(sql);
  return 'rejection' in parsed ? parsed.rejection.reason : undefined;
}

function statements(sql: string): number {
  const parsed = grammar.parse(sql);
  return 'tree' in parsed ? (parsed.tree.stmts?.length ?? 0) : -1;
}

/** Lets a parser that trapped come back: its replacement starts in the background. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 200));
}

/** Megabytes by which this process grows while `run` goes on, once the compilers of newer engines have come to rest. */
async function growth(run: () => void, rounds: number): Promise<number> {
  let before = 0;
  for (let round = 0; round < rounds; round++) {
    if (round === rounds >> 1) before = process.memoryUsage().rss;
    run();
    await settle();
  }
  return (process.memoryUsage().rss - before) >> 20;
}

test('100,000 parses through one process keep memory flat', async (t) => {
  const run = (): void => {
    for (let index = 0; index < 10_000; index++) {
      if (statements(`SELECT ${index % 100} AS "a short statement" WHERE true`) !== 1) t.fail(`parse ${index}`);
    }
  };
  t.ok((await growth(run, 10)) < 64);
});

test('syntax errors do not wear the parser out either', (t) => {
  for (let index = 0; index < 5_000; index++) reason(`SELECT FROM WHERE ${index}`);
  t.equal(statements('SELECT 1'), 1);
  t.end();
});

test('PL/pgSQL: what one parser does not know the other does, and memory stays flat', async (t) => {
  const make = (body: string, returns: string) =>
    `CREATE FUNCTION f(n int) RETURNS ${returns} LANGUAGE plpgsql AS $$ BEGIN ${body} END $$`;
  const parses = (text: string) => 'tree' in grammar.parsePlpgsql(text);
  t.ok(parses(make('DELETE FROM t;', 'void')));
  t.ok(parses(make('a := 1; RETURN NEXT;', 'TABLE (a int)')), 'only the second parser knows RETURN NEXT here');
  t.notOk(parses(make('DELETE FROM;', 'void')));
  t.same(grammar.parsePlpgsql('SELECT 1'), { tree: [] }, 'no function, no tree');
  const run = () => {
    for (let index = 0; index < 1_000; index++) parses(make(`a := ${index}; RETURN NEXT;`, 'TABLE (a int)'));
  };
  t.ok((await growth(run, 6)) < 64);
});

const nested: Record<string, (depth: number) => string> = {
  not: (depth) => `SELECT ${'NOT '.repeat(depth)}true`,
  subquery: (depth) => `SELECT ${'(SELECT '.repeat(depth)}1${')'.repeat(depth)}`,
  parentheses: (depth) => `SELECT ${'('.repeat(depth)}1${')'.repeat(depth)}`,
  sum: (depth) => `SELECT ${'1+'.repeat(depth)}1`,
  union: (depth) => `SELECT 1${' UNION ALL SELECT 1'.repeat(depth)}`,
  call: (depth) => `SELECT ${'f('.repeat(depth)}1${')'.repeat(depth)}`,
  join: (depth) => `SELECT 1 FROM a${' JOIN a ON true'.repeat(depth)}`,
  with: (depth) => `${'WITH x AS ('.repeat(depth)}SELECT 1${') SELECT 1'.repeat(depth)}`,
  from: (depth) => `SELECT * FROM ${'(SELECT * FROM '.repeat(depth)}a${') x'.repeat(depth)}`,
};

for (const [shape, make] of Object.entries(nested)) {
  test(`hostile nesting: ${shape}`, async (t) => {
    for (const depth of [100, 1_000, 20_000, 200_000]) {
      const text = make(depth);
      const why = reason(text);
      if (depth >= 20_000) t.equal(why, 'too-deep', `${depth} levels are too deep`);
      else if (why !== undefined) t.equal(why, 'too-deep', `${depth} levels: parsed, or too deep`);
      await settle();
      t.equal(statements('SELECT 1; SELECT 2'), 2, `still reads ordinary text after ${depth} levels`);
    }
  });
}

test('nesting below the limit leaves no trace in the parser', (t) => {
  const tree = JSON.stringify(grammar.parse('SELECT a, b FROM t WHERE c = 1'));
  for (const make of Object.values(nested)) {
    for (let depth = 50; depth < 900; depth += 50) reason(make(depth));
    t.equal(JSON.stringify(grammar.parse('SELECT a, b FROM t WHERE c = 1')), tree);
  }
  t.end();
});

test('a text that traps one parser is read by nobody, the next one by the other parser', async (t) => {
  await settle();
  t.equal(reason(`SELECT ${'1+'.repeat(100_000)}1`), 'too-deep');
  t.equal(statements('DELETE FROM t'), 1, 'at once, while the first parser restarts');
  await settle();
  t.equal(statements('DELETE FROM t'), 1);
});

test('3 MB of SQL parse, and an ordinary query still works', (t) => {
  const rows = Array.from({ length: 100_000 }, (_, index) => `(${index}, 'some text here')`).join(',\n');
  const sql = `INSERT INTO t VALUES ${rows}`;
  t.ok(sql.length > 2.5e6);
  t.equal(statements(sql), 1);
  t.equal(statements(`SELECT '${'x'.repeat(3_000_000)}'`), 1);
  t.equal(statements('SELECT 1'), 1);
  t.end();
});

test('a text over the limit is not parsed', async (t) => {
  const small = await loadGrammar({ maxBytes: 100 });
  const why = (sql: string) => {
    const parsed = small.parse(sql);
    return 'rejection' in parsed ? parsed.rejection.reason : undefined;
  };
  t.equal(why(`SELECT '${'x'.repeat(91)}'`), undefined, '100 bytes');
  t.equal(why(`SELECT '${'x'.repeat(92)}'`), 'too-large', '101 bytes');
  t.equal(why(`SELECT '${'ä'.repeat(46)}'`), 'too-large', 'bytes count, not characters');
});

test('what the parser would not see whole is refused', (t) => {
  t.equal(reason('SELECT 1 \0; DROP TABLE t'), 'encoding', 'a NUL ends the text for C');
  t.equal(reason("SELECT '\ud800'"), 'encoding', 'half a surrogate pair has no UTF-8');
  t.equal(reason("SELECT '\u{1f600}'"), undefined);
  t.end();
});

test('PostgreSQL 17 and 18 are understood by the second grammar', (t) => {
  for (const sql of [
    'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE RETURNING merge_action(), t.*',
    "SELECT * FROM JSON_TABLE('[]', '$[*]' COLUMNS (a int PATH '$.a')) AS j",
    'UPDATE t SET a = 1 RETURNING old.a, new.a',
    'CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)',
  ]) {
    t.equal(statements(sql), 1, sql);
  }
  t.end();
});

test('a syntax error says where', (t) => {
  const parsed = grammar.parse('SELECT * FORM t');
  t.match(parsed, { rejection: { reason: 'syntax', message: /"FORM"|"t"/, position: Number } });
  const characters = grammar.parse("SELECT 'äöü' FROM WHERE");
  t.match(characters, { rejection: { position: 19 } }, 'in characters, not bytes');
  t.end();
});

test('empty texts have no statements', (t) => {
  for (const sql of ['', ' ', ';', ' ; ; ', '-- only a comment', '/* /* nested */ */'])
    t.equal(statements(sql), 0, sql);
  t.end();
});
