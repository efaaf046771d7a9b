/** What masking one value costs: CPU time for each kind, over rows as PostgreSQL sends them, 64 KiB at a time. No server. */

import { BinaryCopyRewriter } from '../../src/masking/binary-copy-rewriter.js';
import { CopyRewriter } from '../../src/masking/copy-rewriter.js';
import type { CellMask, Format } from '../../src/masking/kinds/cell.js';
import { cellMask } from '../../src/masking/kinds/table.js';
import { codecs } from '../../src/masking/kinds/value-types.js';
import { RowRewriter } from '../../src/masking/row-rewriter.js';
import { parseConfig } from '../../src/policy/config.js';
import type { MaskKind } from '../../src/policy/mask-kinds.js';
import { copyData, int16, int32, message } from '../helpers/wire-messages.js';
import { type MaskedExample, maskedExamples } from './masked-kinds.js';

const oids = { text: 25, date: 1082, int4: 23, numeric: 1700, jsonb: 3802 } as const;
const rowsMade = 20_000;
const chunkBytes = 64 << 10;

/** Rows of one table in the form of one way to read it, and what rewrites them. */
interface Way {
  readonly name: string;
  row(n: number, example: MaskedExample): Buffer;
  /** Before the first row. */
  readonly head?: Buffer;
  rewriter(mask: CellMask | undefined): (bytes: Buffer) => void;
}

const options = { header: false, quote: '"', escape: '"', encoding: undefined } as const;
const signature = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);

const copied = (rewriter: Pick<CopyRewriter | BinaryCopyRewriter, 'rewrite'>): ((bytes: Buffer) => void) => {
  return (bytes) => rewriter.rewrite(bytes, 0, bytes.length, () => undefined);
};

const rows = (name: string, format: Format): Way => ({
  name,
  row: (n, example) => message('D', int16(3), ...[...numbers(n, format), valueIn(example, n, format)].flatMap(sized)),
  rewriter(mask) {
    const rewriter = new RowRewriter([undefined, undefined, mask]);
    return (bytes) => rewriter.rewrite(bytes, 0, bytes.length, () => undefined);
  },
});

const ways: readonly Way[] = [
  rows('rows, text', 'text'),
  rows('rows, binary', 'binary'),
  {
    name: 'COPY, text',
    row: (n, example) => copyData(`${n}\t${n * 2}\t${example.value(n)}\n`),
    rewriter: (mask) =>
      copied(
        new CopyRewriter([undefined, undefined, mask], { ...options, format: 'text', delimiter: '\t', null: '\\N' }),
      ),
  },
  {
    name: 'COPY, csv',
    row: (n, example) => copyData(`${n},${n * 2},"${example.value(n).replaceAll('"', '""')}"\n`),
    rewriter: (mask) =>
      copied(new CopyRewriter([undefined, undefined, mask], { ...options, format: 'csv', delimiter: ',', null: '' })),
  },
  {
    name: 'COPY, binary',
    row: (n, example) =>
      copyData(Buffer.concat([int16(3), ...[...numbers(n, 'binary'), valueIn(example, n, 'binary')].flatMap(sized)])),
    head: copyData(signature),
    rewriter: (mask) => copied(new BinaryCopyRewriter([undefined, undefined, mask])),
  },
];

/** @param which a part of the kind's name */
export function benchMaskCost(which = '', seconds = 0.4): void {
  console.log('\nnanoseconds of CPU for a row of three columns, one of them masked');
  console.log(['', ...ways.map(({ name }) => name)].map(cell).join(''));
  const kinds = Object.keys(maskedExamples) as MaskKind[];
  for (const kind of [undefined, ...kinds].filter((one) => (one ?? 'none').includes(which))) {
    const costs = ways.map((way) => cost(way, kind, seconds).toFixed(0));
    console.log([kind ?? 'none', ...costs].map(cell).join(''));
  }
}

function cost(way: Way, kind: MaskKind | undefined, seconds: number): number {
  const example = maskedExamples[kind ?? 'null'];
  const rewrite = way.rewriter(kind && maskOf(kind, way.name.includes('binary') ? 'binary' : 'text'));
  const chunks = chunksOf(way, example);
  if (way.head) rewrite(way.head);
  // the rows are the rewriter's, which may write over them
  const pass = (): void => {
    for (const chunk of chunks) rewrite(Buffer.from(chunk));
  };
  for (let n = 0; n < 3; n++) pass();
  const before = process.cpuUsage();
  const end = performance.now() + seconds * 1000;
  let passes = 0;
  for (; performance.now() < end; passes++) pass();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / (passes * rowsMade);
}

function chunksOf(way: Way, example: MaskedExample): Buffer[] {
  const chunks: Buffer[] = [];
  let pending: Buffer[] = [];
  let length = 0;
  for (let n = 0; n < rowsMade; n++) {
    const row = way.row(n, example);
    pending.push(row);
    length += row.length;
    if (length < chunkBytes - row.length && n < rowsMade - 1) continue;
    chunks.push(Buffer.concat(pending));
    pending = [];
    length = 0;
  }
  return chunks;
}

function maskOf(kind: MaskKind, format: Format): CellMask {
  const { mask, type } = maskedExamples[kind];
  const rule = JSON.stringify({ column: 'a.b', with: kind, ...mask });
  const [declared] = parseConfig(`version: 1\nmask: [${rule}]`, 'dbguard.yaml').mask;
  if (declared === undefined) throw new TypeError(`${rule} declares no mask`);
  return cellMask(declared.mask, { oid: oids[type], textual: false }, format, { session: Buffer.alloc(32, 1) });
}

function numbers(n: number, format: Format): Buffer[] {
  return [n, n * 2].map((one) => (format === 'text' ? Buffer.from(String(one)) : int32(one)));
}

function valueIn({ type, value }: MaskedExample, n: number, format: Format): Buffer {
  const { binary } = codecs[type];
  const text = value(n);
  return (format === 'binary' && binary !== 'as-text' ? binary.write(text) : undefined) ?? Buffer.from(text);
}

const sized = (value: Buffer): Buffer[] => [int32(value.length), value];
const cell = (text: string, at: number): string => (at === 0 ? text.padEnd(12) : text.padStart(14));
