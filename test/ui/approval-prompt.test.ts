/** What is on the screen while a person is asked, drawn by a terminal emulator. */
import fc from 'fast-check';
import { test } from 'tap';
import { previewOf } from '../../src/approval/preview.js';
import { compilePolicy } from '../../src/policy/engine.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { loadPromptTools, runPrompt } from '../../src/ui/prompt-screen.js';
import { HandClock } from '../approval/clock.js';
import { facts, request } from '../approval/requests.js';
import { input } from '../policy/facts.js';
import { emulator } from './fake-terminals.js';

// as on a terminal with colours, whatever the tests run on; read when chalk is imported
process.env.FORCE_COLOR = '1';
const tools = await loadPromptTools();

/** A prompt that is up. */
class Prompt {
  readonly clock = new HandClock();
  readonly #screen: ReturnType<typeof emulator>;
  readonly #gone = new AbortController();
  readonly #over: Promise<unknown>;
  #type: (bytes: Buffer) => void = () => undefined;

  constructor(
    columns: number,
    rows: number,
    changes: Parameters<typeof request>[0] = {},
    colours = true,
    leftMs = 60_000,
    ascii = false,
  ) {
    const screen = emulator(columns, rows);
    this.#screen = screen;
    const surface = {
      size: { columns, rows },
      write: (text: string) => screen.write(text),
      onInput: (listener: (bytes: Buffer) => void) => {
        this.#type = listener;
      },
      onResize: () => undefined,
      toChild: () => undefined,
    };
    const preview = previewOf(request({ ...changes, expiresAt: this.clock.now() + leftMs }));
    const expiresAt = this.clock.now() + leftMs;
    this.#over = runPrompt(surface, tools, {
      shown: () => ({ preview, dryRun: 'none' }),
      tryOut: () => undefined,
      sessionObstacle: undefined,
      expiresAt: () => expiresAt,
      busy: () => undefined,
      clock: this.clock,
      waiting: () => 0,
      colours,
      ascii,
      mark: 'amber otter',
      gone: this.#gone.signal,
    }).catch(() => undefined);
  }

  type(text: string): void {
    this.#type(Buffer.from(text));
  }

  async lines(): Promise<string[]> {
    await new Promise<void>((resolve) => this.#screen.write('', resolve));
    const { buffer, rows } = this.#screen;
    return Array.from(
      { length: rows },
      (_, row) => buffer.active.getLine(row)?.translateToString(true).trimEnd() ?? '',
    );
  }

  /** Colours of the cells in the first row. */
  async bar(): Promise<string[]> {
    await this.lines();
    const line = this.#screen.buffer.active.getLine(0);
    const cells = Array.from({ length: this.#screen.cols }, (_, column) => line?.getCell(column));
    return [...new Set(cells.map((cell) => `${cell?.getFgColor()} on ${cell?.getBgColor()}, ${cell?.isInverse()}`))];
  }

  close(): Promise<unknown> {
    this.#gone.abort();
    return this.#over;
  }
}

for (const [columns, rows] of [
  [60, 15],
  [80, 24],
  [100, 30],
  [200, 50],
  [80, 6],
] as const) {
  test(`all that is needed to decide is on ${columns} x ${rows}`, async (t) => {
    const prompt = new Prompt(columns, rows);
    const lines = await prompt.lines();
    await prompt.close();
    t.match(lines[0], /^ PRODUCTION Delete ALL rows of orders \(about 10,482\)\?/);
    t.match(lines.join('\n'), 'DELETE FROM orders');
    t.match(lines.join('\n'), /^ {2}a {2}approve.* d {2}deny.* x {2}end/m);
    t.match(lines.join('\n'), /^ Keys count in a moment\. No answer denies in 1:00\./m);
    if (rows < 10) t.match(lines.at(-1), /1:00\. \d+ more rows below\.$/);
    t.match(lines.join('\n'), /^── amber otter ──/m);
  });
}

test('in the locale C the frame is ASCII; the statement and its name for the person are as they are', async (t) => {
  const sql = "DELETE FROM orders WHERE note = '… → ─'";
  for (const [columns, rows] of [
    [60, 15],
    [80, 6],
  ] as const) {
    const prompt = new Prompt(columns, rows, { sql }, true, 60_000, true);
    const lines = await prompt.lines();
    await prompt.close();
    t.match(lines.join('\n'), "note = '… → ─'");
    t.match(lines.join('\n'), /^-- amber otter --/m);
    for (const line of lines.filter((one) => !one.includes('note ='))) t.notMatch(line, /[^ -~]/);
  }
});

/** What takes a table's rows, or the table, in one of many statements or deep inside one. */
const destroying: readonly ((table: string) => string)[] = [
  (table) => `DROP TABLE IF EXISTS ${table} CASCADE`,
  (table) => `DROP VIEW ${table}`,
  (table) => `TRUNCATE ${table}`,
  (table) => `DELETE FROM ${table}`,
  (table) => `DELETE FROM ${table} WHERE id > 3`,
  (table) => `UPDATE ${table} SET a = 1`,
  (table) => `WITH d AS (DELETE FROM ${table} RETURNING *) INSERT INTO log SELECT 1 FROM d`,
  (table) => `DO $$ BEGIN DROP TABLE ${table}; END $$`,
  (table) => `MERGE INTO ${table} USING s ON ${table}.id = s.id WHEN MATCHED THEN DELETE`,
  (table) => `CREATE TABLE c AS WITH x AS (DELETE FROM ${table} RETURNING 1) SELECT * FROM x`,
];
const beside = [
  'SELECT 1',
  'CREATE TABLE newone (id int)',
  'GRANT SELECT ON log TO bob',
  'UPDATE log SET n = 1 WHERE id = 4',
  `/* ${'harmless words '.repeat(100)} */ SELECT 2`,
];
const tables = ['customers', 'billing_accounts', 'orders', 'payments_2026', 'audit_trail'];

test('every table that is destroyed is on the screen before a key counts, whatever stands before and behind', async (t) => {
  const analyser = await createAnalyser();
  const policy = compilePolicy([]);
  const statements = fc
    .shuffledSubarray(tables, { minLength: 1, maxLength: 4 })
    .chain((chosen) =>
      fc.tuple(
        fc.constant(chosen),
        fc.tuple(...chosen.map((table) => fc.constantFrom(...destroying).map((destroy) => destroy(table)))),
        fc.array(fc.constantFrom(...beside), { maxLength: 3 }),
        fc.array(fc.constantFrom(...beside), { maxLength: 1 }),
      ),
    );
  await fc.assert(
    fc.asyncProperty(statements, async ([chosen, destroy, before, behind]) => {
      const sql = [...before, ...destroy, ...behind].join('; ');
      const facts = analyser.analyse(sql);
      for (const [columns, rows] of [
        [60, 15],
        [80, 24],
        [200, 50],
      ] as const) {
        const prompt = new Prompt(columns, rows, { sql, facts, ruling: policy.decide(input(facts)) });
        const seen = (await prompt.lines()).join('').replaceAll(/\s/g, '');
        await prompt.close();
        for (const table of chosen) if (!seen.includes(table)) throw new Error(`${table} on ${columns} x ${rows}`);
      }
    }),
    { numRuns: 8 },
  );
  t.pass();
});

test('a headline of wide characters fills its row, one that is too long keeps its end', async (t) => {
  const wide = new Prompt(60, 15, { facts: facts('delete', '注文テーブル') });
  t.match((await wide.lines())[0], /^ PRODUCTION Delete ALL rows of 注文テーブル \(about 10,482\)\?$/);
  t.equal((await wide.bar()).length, 1, 'one bar over the whole row');
  await wide.close();
  const long = new Prompt(60, 15, { facts: facts('delete', 'x'.repeat(63)) });
  t.match((await long.lines())[0], /^ PRODUCTION Delete ALL row.*…x*.*\(about 10,482\)\?$/);
  await long.close();
});

test('no screen is too small to be drawn', async (t) => {
  for (const [columns, rows] of [
    [2, 1],
    [10, 3],
    [12, 4],
    [13, 5],
    [30, 2],
  ] as const) {
    const prompt = new Prompt(columns, rows);
    t.ok((await prompt.lines())[0]?.startsWith(' PRODUCTION'.slice(0, columns - 1)) ?? false, `${columns} x ${rows}`);
    await prompt.close();
  }
});

test('a name as long as names can be has a row of its own', async (t) => {
  const name = 'n'.repeat(63);
  const impact = { lines: [{ label: `and ${name}`, text: 'about 7 rows', severity: 'info' as const }] };
  const prompt = new Prompt(80, 24, { impact });
  const lines = await prompt.lines();
  await prompt.close();
  const row = lines.indexOf(` and ${name}`);
  t.match(lines[row + 1], /^ {13}about 7 rows$/);
  t.match(
    lines.find((line) => line.startsWith(' why')),
    /^ why {9}It deletes/,
  );
});

test('whoever writes a reason sees the time that is left', async (t) => {
  const prompt = new Prompt(80, 24);
  prompt.clock.advance(1000);
  prompt.type('r');
  prompt.clock.advance(1000);
  prompt.type('name the orders');
  prompt.clock.advance(1000);
  const lines = await prompt.lines();
  await prompt.close();
  t.match(lines.join('\n'), /^ Why not\? name the orders/m);
  t.match(lines.join('\n'), 'Enter denies, Esc goes back. 0:57 left.');
});

test('a request that is open for hours says so in hours', async (t) => {
  for (const [leftMs, shown] of [
    [8 * 3_600_000, '8:00:00'],
    [3_600_000 + 61_000, '1:01:01'],
    [59 * 60_000 + 5000, '59:05'],
  ] as const) {
    const prompt = new Prompt(80, 24, {}, true, leftMs);
    const lines = await prompt.lines();
    await prompt.close();
    t.match(lines.join('\n'), new RegExp(`[^0-9:]${shown}[^0-9:]`));
  }
});

test('a key too early: the screen says so for long enough to be read, beside the time that is left', async (t) => {
  const prompt = new Prompt(60, 15);
  prompt.type('a');
  prompt.clock.advance(1500);
  t.match((await prompt.lines()).at(-1), /^ Typing is ignored here\. Pause, then press one key\. \(0:59\)$/);
  prompt.clock.advance(1000);
  t.match((await prompt.lines()).at(-1), /^ No answer denies in 0:58\.$/);
  prompt.type('x');
  prompt.clock.advance(1000);
  t.match((await prompt.lines()).at(-1), /^ Ends the agent and this session\. Press x again\. \(0:57\)$/);
  await prompt.close();
});

test('every prompt carries the words that the agent does not know, on every screen', async (t) => {
  for (const [columns, rows] of [
    [100, 30],
    [60, 15],
    [80, 8],
  ] as const) {
    const prompt = new Prompt(columns, rows);
    prompt.clock.advance(1000);
    t.match((await prompt.lines()).join('\n'), 'amber otter', `${columns}x${rows}`);
  }
});

test('the bar is of two named colours; without colours it is inverse', async (t) => {
  const bars = await Promise.all(
    [
      new Prompt(60, 15),
      new Prompt(60, 15, { environment: 'development', connection: 'dev' }),
      new Prompt(60, 15, {}, false),
    ].map(async (prompt) => {
      const bar = await prompt.bar();
      await prompt.close();
      return bar.join();
    }),
  );
  t.strictSame(bars, ['15 on 1, 0', '0 on 3, 0', `-1 on -1, ${0x4000000}`]);
});
