/** Rows of many columns, cut anywhere by the network: what leaves is each value masked by itself, as plainly as it can be said. */
import fc from 'fast-check';
import t from 'tap';
import { cellMask } from '../../src/masking/kinds/table.js';
import { RowRewriter } from '../../src/masking/row-rewriter.js';
import type { Mask } from '../../src/policy/mask-kinds.js';
import { backendRules } from '../../src/wire/backend.js';
import { Framer } from '../../src/wire/framer.js';
import { backend } from '../../src/wire/messages.js';
import { int16, int32, message } from '../helpers/wire-messages.js';
import { slowMask } from './slow-masks.js';

const secret = Buffer.alloc(32, 9);

export const plainMasks: readonly Mask[] = [
  { kind: 'null' },
  { kind: 'fixed', value: '' },
  { kind: 'fixed', value: 'hidden as it should be' },
  { kind: 'partial', first: 0, last: 4 },
  { kind: 'partial', first: 3, last: 1 },
  { kind: 'pattern', pattern: '***-##' },
  { kind: 'pattern', pattern: '*a#' },
  { kind: 'hash', joins: 'session' },
  { kind: 'email', keep: 'nothing' },
  { kind: 'email', keep: 'domain' },
  { kind: 'card', keep: 4 },
  { kind: 'card', keep: 0 },
  { kind: 'phone', keep: 0 },
  { kind: 'phone', keep: 4 },
];

const digits = (min: number, max: number) => fc.stringMatching(new RegExp(`^[0-9]{${min},${max}}$`));
export const plainValue: fc.Arbitrary<Buffer | null> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('', '*', '****', '@', 'a@', '@a', 'a@b', '***-12', 'xaz', '+', '123-45')
      .map(Buffer.from),
  },
  { weight: 6, arbitrary: fc.emailAddress().map((text) => Buffer.from(text)) },
  { weight: 4, arbitrary: digits(10, 21).map((text) => Buffer.from(text.replace(/(....)/g, '$1 '))) },
  { weight: 4, arbitrary: digits(4, 22).map((text) => Buffer.from(`+${text.replace(/(...)/g, '$1-')}`)) },
  { weight: 4, arbitrary: digits(4, 22).map((text) => Buffer.from(text)) },
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 90 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(300, 1000, 65_536, 70_001), fc.string({ minLength: 1, maxLength: 9 }))
      .map(([length, text]) => Buffer.from(text.repeat(length).slice(0, length))),
  },
);

/** Columns with what masks them, undefined where nothing does, and rows of values. */
export const plainRows = fc
  .array(fc.option(fc.constantFrom(...plainMasks), { nil: undefined }), { minLength: 1, maxLength: 6 })
  .chain((masks) =>
    fc.record({
      masks: fc.constant(masks),
      rows: fc.array(fc.array(plainValue, { minLength: masks.length, maxLength: masks.length }), { maxLength: 40 }),
    }),
  );

function row(cells: readonly (Buffer | null)[]): Buffer {
  const fields = cells.flatMap((value) => (value === null ? [int32(-1)] : [int32(value.length), value]));
  return message('D', int16(cells.length), ...fields);
}

t.test('whole runs, rows that span chunks, columns of every kind', async () => {
  const law = fc.property(
    plainRows,
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
    ({ masks, rows }, cuts) => {
      const stream = Buffer.concat(rows.map(row));
      const wanted = Buffer.concat(
        rows.map((cells) =>
          row(
            cells.map((value, at) => {
              const mask = masks[at];
              return value === null || mask === undefined ? value : (slowMask(mask, value, secret) ?? null);
            }),
          ),
        ),
      );
      const framer = new Framer(backendRules);
      framer.setCut(backend.dataRow, 'whole-runs');
      const rewriter = new RowRewriter(
        masks.map((mask) => mask && cellMask(mask, { oid: 25, textual: false }, 'text', { session: secret })),
      );
      const out: Buffer[] = [];
      const places = [0, ...cuts.map((cut) => Math.floor(cut * stream.length)).sort((a, b) => a - b), stream.length];
      for (const [at, place] of places.entries()) {
        framer.push(Buffer.from(stream.subarray(places[at - 1] ?? 0, place)));
        while (framer.next())
          rewriter.rewrite(framer.buffer, framer.start, framer.end, (from, start, end) =>
            out.push(from.subarray(start, end)),
          );
      }
      return Buffer.concat(out).equals(wanted);
    },
  );
  fc.assert(law, { numRuns: 300 });
});
