/** COPY in every format, in a message for each record or cut anywhere: every field is masked by itself. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { BinaryCopyRewriter } from '../../src/masking/binary-copy-rewriter.js';
import { CopyRewriter } from '../../src/masking/copy-rewriter.js';
import type { CellMask } from '../../src/masking/kinds/cell.js';
import { cellMask } from '../../src/masking/kinds/table.js';
import { maskedValue } from '../../src/masking/kinds/whole-value.js';
import type { CopyMask } from '../../src/masking/rewrite-plan.js';
import { WatchedColumns } from '../../src/masking/undeclared/watched-rows.js';
import { message } from '../../src/wire/backend.js';
import { backend, headerBytes } from '../../src/wire/messages.js';
import { int16, int32 } from '../helpers/wire-messages.js';

type Cell = string | null;

interface Written {
  readonly head: readonly Buffer[];
  readonly records: readonly Buffer[];
}

interface Way {
  write(rows: readonly (readonly Cell[])[], header: boolean): Written;
  read(bytes: Buffer): Cell[][];
  rewriter(masks: readonly (CellMask | undefined)[], header: boolean, watched?: WatchedColumns): CopyMask;
}

const options = { encoding: undefined, quote: '"' } as const;

function text(delimiter: string, nullText: string): Way {
  const escapes: readonly (readonly [string, string])[] = [
    ['\\', '\\\\'],
    ['\b', '\\b'],
    ['\f', '\\f'],
    ['\n', '\\n'],
    ['\r', '\\r'],
    ['\t', '\\t'],
    ['\v', '\\v'],
    [delimiter, `\\${delimiter}`],
  ];
  const escaped = new Map(escapes.slice().reverse());
  const written = (cell: Cell): string =>
    cell === null ? nullText : [...cell].map((one) => escaped.get(one) ?? one).join('');
  const meant = new Map(escapes.map(([one, written]) => [written, one]));
  const unescaped = (field: string): Cell =>
    field === nullText ? null : field.replace(/\\./gs, (pair) => meant.get(pair) ?? pair.slice(1));
  const field = new RegExp(`((?:\\\\.|[^\\\\\\n])*?)(${delimiter === '|' ? '\\|' : delimiter}|\\n)`, 'gsy');
  return {
    write: (rows, header) => ({
      head: header ? [Buffer.from(`${rows[0]?.map((_, at) => `c${at}`).join(delimiter)}\n`)] : [],
      records: rows.map((cells) => Buffer.from(`${cells.map(written).join(delimiter)}\n`)),
    }),
    read: (bytes) => fieldsIn(bytes.toString('utf8'), field, unescaped),
    rewriter: (masks, header, watched) =>
      new CopyRewriter(masks, { ...options, format: 'text', delimiter, null: nullText, escape: '"', header }, watched),
  };
}

function csv(delimiter: string, nullText: string, escaping: string): Way {
  const special = new RegExp(`[${delimiter}"\\n\\r\\\\]`);
  const quoted = (cell: string): string =>
    `"${cell.replace(/["\\]/g, (one) => (one === '"' || one === escaping ? escaping + one : one))}"`;
  const written = (cell: Cell): string => {
    if (cell === null) return nullText;
    return cell === nullText || special.test(cell) ? quoted(cell) : cell;
  };
  const pair = escaping === '"' ? '""' : '\\\\.';
  const field = new RegExp(
    `("(?:${pair}|[^"${escaping === '"' ? '' : '\\\\'}])*"|[^"\\n${delimiter}]*)([${delimiter}\\n])`,
    'gsy',
  );
  const unquoted = (one: string): Cell => {
    if (one === nullText) return null;
    return one.startsWith('"')
      ? one.slice(1, -1).replace(escaping === '"' ? /""/g : /\\(["\\])/g, escaping === '"' ? '"' : '$1')
      : one;
  };
  return {
    write: (rows, header) => ({
      head: header ? [Buffer.from(`${rows[0]?.map((_, at) => `c${at}`).join(delimiter)}\n`)] : [],
      records: rows.map((cells) => Buffer.from(`${cells.map(written).join(delimiter)}\n`)),
    }),
    read: (bytes) => fieldsIn(bytes.toString('utf8'), field, unquoted),
    rewriter: (masks, header, watched) =>
      new CopyRewriter(
        masks,
        { ...options, format: 'csv', delimiter, null: nullText, escape: escaping, header },
        watched,
      ),
  };
}

function fieldsIn(bytes: string, field: RegExp, meaning: (field: string) => Cell): Cell[][] {
  const rows: Cell[][] = [[]];
  field.lastIndex = 0;
  for (let found = field.exec(bytes); found !== null; found = field.exec(bytes)) {
    rows.at(-1)?.push(meaning(found[1] ?? ''));
    if (found[2] === '\n') rows.push([]);
    if (field.lastIndex === bytes.length) break;
  }
  return rows.slice(0, -1);
}

const signature = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);

const binary: Way = {
  write: (rows) => ({
    head: [signature],
    records: [
      ...rows.map((cells) =>
        Buffer.concat([
          int16(cells.length),
          ...cells.flatMap((cell) =>
            cell === null ? [int32(-1)] : [int32(Buffer.byteLength(cell)), Buffer.from(cell)],
          ),
        ]),
      ),
      int16(-1),
    ],
  }),
  read(bytes) {
    const rows: Cell[][] = [];
    for (let at = signature.length; bytes.readInt16BE(at) !== -1; ) {
      const row: Cell[] = [];
      const count = bytes.readInt16BE(at);
      at += 2;
      for (let left = count; left > 0; left--) {
        const length = bytes.readInt32BE(at);
        at += 4 + Math.max(0, length);
        row.push(length < 0 ? null : bytes.toString('utf8', at - length, at));
      }
      rows.push(row);
    }
    return rows;
  },
  rewriter: (masks, _header, watched) => new BinaryCopyRewriter(masks, watched),
};

const ways: Readonly<Record<string, Way>> = {
  text: text('\t', '\\N'),
  'text with another delimiter': text('|', 'NIL'),
  csv: csv(',', '', '"'),
  'csv with an escape character': csv(';', 'NIL', '\\'),
  binary,
};

const keys = { session: Buffer.alloc(32, 7) };
const kinds = [
  { kind: 'null' },
  { kind: 'fixed', value: 'a "b",\t\\|;\n' },
  { kind: 'fixed', value: '' },
  { kind: 'partial', first: 0, last: 2 },
  { kind: 'hash', joins: 'session' },
  { kind: 'email', keep: 'domain' },
] as const;
const mask = fc.option(
  fc.constantFrom(...kinds).map((one) => cellMask(one, { oid: 25, textual: false }, 'text', keys)),
  { nil: undefined },
);
const cell: fc.Arbitrary<Cell> = fc.oneof(
  fc.constant(null),
  fc.constantFrom(
    '',
    'ada@example.com',
    '***',
    'tab\t|;,',
    'line\nline',
    'a "quoted" \\ one',
    '\\N',
    'NIL',
    'ß€',
    'x'.repeat(300),
  ),
  fc.string({ unit: fc.constantFrom('a', 'n', '\\', '"', '\t', '\n', ',', ';', '|', '\r', '\b') }),
);
const table = fc.array(mask, { minLength: 1, maxLength: 4 }).chain((masks) =>
  fc.record({
    masks: fc.constant(masks),
    rows: fc.array(fc.array(cell, { minLength: masks.length, maxLength: masks.length }), {
      minLength: 1,
      maxLength: 8,
    }),
    header: fc.boolean(),
    watched: fc.boolean(),
    /** Undefined: a message for each record, as PostgreSQL sends them. */
    cuts: fc.option(fc.array(fc.nat({ max: 400 }), { maxLength: 6 }), { nil: undefined }),
    /** Of the messages, how they come in runs. */
    run: fc.integer({ min: 1, max: 8 }),
  }),
);

for (const [name, way] of Object.entries(ways)) {
  t.test(`COPY, ${name}`, async () => {
    fc.assert(
      fc.property(table, ({ masks, rows, header, watched, cuts, run }) => {
        // a value in text format that is written like NULL is NULL to everybody
        const plain = rows.map((row) => row.map((one) => (one === 'NIL' ? 'nil' : one)));
        const { head, records } = way.write(plain, header);
        const whole = Buffer.concat([...head, ...records]);
        const pieces = cuts ? cutAt(whole, cuts) : [...head, ...records];
        const watches = masks.map(() => undefined);
        const rewriter = way.rewriter(masks, header, watched ? new WatchedColumns(watches, 100) : undefined);
        const sent = through(rewriter, pieces, run);
        const expected = plain.map((row) => row.map((one, at) => maskedBy(masks[at], one)));
        const [body, dropped] = [Buffer.concat(sent), header && way !== binary ? 1 : 0];
        if (cuts === undefined && sent.length !== pieces.length) return false;
        return isDeepStrictEqual(way.read(body).slice(dropped), expected);
      }),
      { numRuns: 200 },
    );
  });
}

function maskedBy(mask: CellMask | undefined, cell: Cell): Cell {
  if (cell === null || mask === undefined) return cell;
  return maskedValue(mask, Buffer.from(cell))?.toString('utf8') ?? null;
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % bytes.length)), bytes.length].sort((a, b) => a - b);
  return at.map((end, n) => bytes.subarray(at[n - 1] ?? 0, end));
}

/** @returns what the CopyData messages hold that are sent instead */
function through(rewriter: CopyMask, pieces: readonly Buffer[], run: number): Buffer[] {
  const sent: Buffer[] = [];
  const take = (bytes: Buffer, start: number, end: number): void => {
    for (let at = start; at < end; at += 1 + bytes.readInt32BE(at + 1))
      sent.push(bytes.subarray(at + headerBytes, at + 1 + bytes.readInt32BE(at + 1)));
  };
  for (let at = 0; at < pieces.length; at += run) {
    const chunk = Buffer.concat(pieces.slice(at, at + run).map((one) => message(backend.copyData, one)));
    rewriter.rewrite(chunk, 0, chunk.length, take);
  }
  rewriter.finish(take);
  return sent;
}
