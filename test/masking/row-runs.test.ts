import fc from 'fast-check';
import t from 'tap';
import type { CellMask } from '../../src/masking/kinds/cell.js';
import { type CellType, cellMask } from '../../src/masking/kinds/table.js';
import { maskedValue } from '../../src/masking/kinds/whole-value.js';
import { RowRewriter } from '../../src/masking/row-rewriter.js';
import { parseDecimal } from '../../src/policy/decimal.js';
import { parseJsonPath } from '../../src/policy/json-path.js';
import type { MaskByKind, MaskKind } from '../../src/policy/mask-kinds.js';
import { int16, int32, message } from '../helpers/wire-messages.js';

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('it can be read');
  return value;
}

const thousand = known(parseDecimal('1000'));

/** One of each kind: a kind without an example does not compile. */
const examples: { readonly [K in MaskKind]: readonly MaskByKind[K][] } = {
  null: [{ kind: 'null' }],
  fixed: [
    { kind: 'fixed', value: '***' },
    { kind: 'fixed', value: '0' },
  ],
  partial: [
    { kind: 'partial', first: 0, last: 4 },
    { kind: 'partial', first: 2, last: 1 },
    { kind: 'partial', first: 0, last: 0 },
  ],
  pattern: [{ kind: 'pattern', pattern: '***-##' }],
  hash: [{ kind: 'hash', joins: 'session' }],
  date: [{ kind: 'date', keep: 'year' }],
  round: [{ kind: 'round', to: thousand }],
  bucket: [{ kind: 'bucket', bounds: [thousand] }],
  email: [
    { kind: 'email', keep: 'domain' },
    { kind: 'email', keep: 'nothing' },
  ],
  card: [{ kind: 'card', keep: 4 }],
  phone: [{ kind: 'phone', keep: 2 }],
  json: [{ kind: 'json', paths: [known(parseJsonPath('$.a'))], listed: 'hidden' }],
  detected: [{ kind: 'detected', what: ['email', 'card'] }],
};

/** pg_type.oid of text, varchar, int4, int8, numeric, date, timestamp, timestamptz, uuid, bytea, bool, json, jsonb, text[]. */
const oids = [25, 1043, 23, 20, 1700, 1082, 1114, 1184, 2950, 17, 16, 114, 3802, 1009];

const mask: fc.Arbitrary<CellMask | undefined> = fc.option(
  fc
    .record({
      mask: fc.constantFrom(...Object.values(examples).flat()),
      oid: fc.constantFrom(...oids),
      format: fc.constantFrom('text' as const, 'binary' as const),
    })
    .map(({ mask, oid, format }) => {
      const type: CellType = { oid, textual: false };
      return cellMask(mask, type, format, { session: Buffer.alloc(32, 7) });
    }),
  { nil: undefined },
);

const cell: fc.Arbitrary<Buffer | null> = fc.oneof(
  fc.constant(null),
  fc
    .constantFrom(
      ...[
        '',
        '****',
        'ada@example.com',
        '4111 1111 1111 1111',
        '2024-05-17',
        '2024-05-17 10:11:12+02',
        '-1234.5',
        'žluťoučký',
      ],
      ...['{"a": "secret", "b": [1, {"a": 2}]}', '{x,"ada@example.com"}', '+43 660 1234567', 'x'.repeat(300), '*x*'],
    )
    .map((text) => Buffer.from(text)),
  fc.string({ maxLength: 80 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
);

function row(cells: readonly (Buffer | null)[]): Buffer {
  const fields = cells.flatMap((value) => (value === null ? [int32(-1)] : [int32(value.length), value]));
  return message('D', int16(cells.length), ...fields);
}

function rewritten(rewriter: RowRewriter, bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  // as it would leave: looked at when everything has been rewritten
  rewriter.rewrite(bytes, 0, bytes.length, (from, start, end) => pieces.push(from.subarray(start, end)));
  return Buffer.concat(pieces);
}

t.test('a run of rows, rewritten where it stands or elsewhere, is every cell masked by itself', async () => {
  fc.assert(
    fc.property(
      fc.array(mask, { minLength: 1, maxLength: 4 }).chain((masks) =>
        fc.record({
          masks: fc.constant(masks),
          rows: fc.array(fc.array(cell, { minLength: masks.length, maxLength: masks.length }), { maxLength: 12 }),
        }),
      ),
      ({ masks, rows }) => {
        const expected = rows.map((cells) =>
          row(
            cells.map((value, at) => {
              const its = masks[at];
              if (value === null || its === undefined) return value;
              return maskedValue(its, value) ?? null;
            }),
          ),
        );
        const actual = rewritten(new RowRewriter(masks), Buffer.concat(rows.map(row)));
        return actual.equals(Buffer.concat(expected));
      },
    ),
    { numRuns: 300 },
  );
});

t.test('a run longer than the memory it is rewritten in', async (t) => {
  const longer = cellMask({ kind: 'fixed', value: '[hidden]' }, { oid: 25, textual: false }, 'text', {
    session: Buffer.alloc(32),
  });
  const one = row([Buffer.from('1'), Buffer.from('x')]);
  const rows = rewritten(new RowRewriter([undefined, longer]), Buffer.concat(new Array(10_000).fill(one)));
  t.ok(rows.equals(Buffer.concat(new Array(10_000).fill(row([Buffer.from('1'), Buffer.from('[hidden]')])))));
});

t.test('rows of another width are hidden, broken ones refused, wherever in the run they stand', async (t) => {
  const last4 = cellMask({ kind: 'partial', first: 0, last: 4 }, { oid: 25, textual: false }, 'text', {
    session: Buffer.alloc(32),
  });
  const good = row([Buffer.from('secret'), Buffer.from('shown')]);
  const wide = row([Buffer.from('secret'), Buffer.from('secret'), Buffer.from('secret')]);
  const rows = rewritten(new RowRewriter([last4, undefined]), Buffer.concat([good, wide, good]));
  t.ok(
    rows.equals(
      Buffer.concat([
        row([Buffer.from('**cret'), Buffer.from('shown')]),
        row([null, null, null]),
        row([Buffer.from('**cret'), Buffer.from('shown')]),
      ]),
    ),
  );
  for (let cut = 1; cut < good.length; cut++) {
    const bytes = Buffer.concat([good, good.subarray(0, cut)]);
    t.throws(() => rewritten(new RowRewriter([last4, undefined]), bytes), /row/, `cut at ${cut}`);
  }
});
