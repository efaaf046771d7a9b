/** Numbers and dates, masked as bytes: what they mean is said with strings and exact arithmetic. */
import fc from 'fast-check';
import t from 'tap';
import type { Format } from '../../src/masking/kinds/cell.js';
import { cellMask } from '../../src/masking/kinds/table.js';
import { codecs } from '../../src/masking/kinds/value-types.js';
import { maskedValue } from '../../src/masking/kinds/whole-value.js';
import { type Decimal, parseDecimal } from '../../src/policy/decimal.js';
import type { Mask } from '../../src/policy/mask-kinds.js';
import { slowDate, slowNumber } from './slow-masks.js';

const masked = (mask: Mask, oid: number, value: Buffer, format: Format): Buffer | undefined => {
  const cell = cellMask(mask, { oid, textual: false }, format, { session: Buffer.alloc(32) });
  // as it is rewritten where it stands, where that is done
  const room = Buffer.alloc(value.length + 1 + cell.growth);
  value.copy(room, 1);
  const length = cell.growth === 0 ? cell.write(room, 1, 1 + value.length, room, 0) : undefined;
  const elsewhere = maskedValue(cell, value);
  if (length === undefined) return elsewhere;
  const here = length < 0 ? undefined : room.subarray(0, length);
  if (here?.toString('hex') !== elsewhere?.toString('hex')) throw new Error('another value where it stands');
  return here;
};

const decimal = (text: string): Decimal => {
  const value = parseDecimal(text);
  if (value === undefined) throw new TypeError(text);
  return value;
};
const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`));
const number = (whole: number, fraction: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom('', '-'), digits(whole), fc.option(digits(Math.max(1, fraction))))
    .map(([sign, one, other]) => {
      const leading = one.replace(/^0+(?=.)/, '');
      return `${sign}${leading}${other === null || fraction === 0 ? '' : `.${other}`}`;
    });
const edges = ['0', '-0', '499', '500', '999', '1000', '-500', '-501', '32767', '-32768', '2147483647', '-2147483648'];
const integers = ['9223372036854775807', '-9223372036854775808', '999999999999999', '1000000000000000', ...edges];

const steps = fc
  .tuple(digits(10), fc.option(digits(7)))
  .map(([one, other]) => decimal(other === null ? one : `${one}.${other}`))
  .filter((step) => step.digits > 0n);
const numeric: fc.Arbitrary<Mask> = fc.oneof(
  steps.map((to) => ({ kind: 'round', to }) as const),
  fc.uniqueArray(number(10, 3), { minLength: 1, maxLength: 4 }).map((bounds) => {
    const sorted = [...new Map(bounds.map((one) => [Number(one), decimal(one)])).entries()].sort(([a], [b]) => a - b);
    return { kind: 'bucket', bounds: sorted.map(([, one]) => one) } as const;
  }),
);
const whole: fc.Arbitrary<Mask> = fc.oneof(
  digits(9)
    .map((one) => decimal(one))
    .filter((step) => step.digits > 0n)
    .map((to) => ({ kind: 'round', to }) as const),
  fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 4 }).map((bounds) => {
    return { kind: 'bucket', bounds: bounds.sort((a, b) => a - b).map((one) => decimal(String(one))) } as const;
  }),
);

const integerTypes = [
  { type: 'int2', oid: 21, bits: 16 },
  { type: 'int4', oid: 23, bits: 32 },
  { type: 'int8', oid: 20, bits: 64 },
] as const;

t.test('integers, in both formats', async () => {
  for (const { type, oid, bits } of integerTypes) {
    const value = fc
      .oneof(number(19, 0), fc.constantFrom(...integers))
      .filter((text) => BigInt.asIntN(bits, BigInt(text)) === BigInt(text));
    const law = fc.property(whole, value, (mask, text) => {
      const wanted = slowNumber(mask, text, bits);
      const fits = wanted === undefined || codecs[type].isValid(wanted);
      const inText = masked(mask, oid, Buffer.from(text), 'text')?.toString();
      const { binary } = codecs[type];
      const sent = binary === 'as-text' ? undefined : binary.write(text);
      const back = sent && masked(mask, oid, sent, 'binary');
      const inBinary = back && binary !== 'as-text' ? binary.read(back) : undefined;
      return inText === (fits ? wanted : undefined) && inBinary === inText;
    });
    fc.assert(law, { numRuns: 1000 });
  }
});

t.test('numerics, in both formats', async () => {
  const value = fc.oneof(
    number(17, 9),
    number(5, 2),
    fc.constantFrom(...edges, 'NaN', 'Infinity', '1e', '.5', '5.', ''),
  );
  const law = fc.property(numeric, value, (mask, text) => {
    const wanted = slowNumber(mask, text);
    if (masked(mask, 1700, Buffer.from(text), 'text')?.toString() !== wanted) return false;
    const { binary } = codecs.numeric;
    const sent = binary === 'as-text' ? undefined : binary.write(text);
    if (sent === undefined) return true;
    const back = masked(mask, 1700, sent, 'binary');
    const inBinary = back && binary !== 'as-text' ? binary.read(back) : undefined;
    return inBinary === wanted;
  });
  fc.assert(law, { numRuns: 2000 });
});

t.test('dates and timestamps', async () => {
  const two = fc.integer({ min: 0, max: 99 }).map((n) => String(n).padStart(2, '0'));
  const month = fc.integer({ min: 0, max: 13 }).map((n) => String(n).padStart(2, '0'));
  const date = fc.tuple(fc.stringMatching(/^[0-9]{3,7}$/), month, two).map((parts) => parts.join('-'));
  const plain = fc.tuple(fc.integer({ min: 1000, max: 2999 }), month, two).map((parts) => parts.join('-'));
  const zone = fc.stringMatching(/^(\.[0-9]{0,6})?([+-][0-9]{2}(:[0-9]{2}){0,3})?$/);
  const time = fc
    .tuple(two, two, two, zone)
    .map(([hour, minute, second, rest]) => ` ${hour}:${minute}:${second}${rest}`);
  const value = fc.tuple(
    fc.oneof(date, plain),
    fc.oneof(fc.constant(''), time),
    fc.constantFrom('', '', '', ' BC', '5'),
  );
  const keep = fc.constantFrom('decade', 'year', 'quarter', 'month', 'day', 'hour');
  const law = fc.property(keep, value, fc.constantFrom(1082, 1114, 1184), (keep, parts, oid) => {
    const mask = { kind: 'date', keep } as const;
    if (oid === 1082 && (keep === 'day' || keep === 'hour')) return true;
    const text = parts.join('');
    return masked(mask, oid, Buffer.from(text), 'text')?.toString() === slowDate(mask, text, oid === 1082);
  });
  fc.assert(law, { numRuns: 5000 });
});
