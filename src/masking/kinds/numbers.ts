/** Numbers that lose their last digits, exactly and without noise: the same value is always the same masked value. */
import { aligned, type Decimal, decimalText, parseDecimal } from '../../policy/decimal.js';
import { copyBytes } from '../copy-bytes.js';
import { type CellMask, type Format, type MaskText, nullMask, textMask } from './cell.js';
import { aligned as alignedNumber, mostDigits, SmallDecimal, writeDecimal } from './small-decimal.js';
import { codecs, type ValueType } from './value-types.js';

const numbers: ReadonlySet<ValueType> = new Set(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8']);
/** PostgreSQL reads and writes it as it stands, whatever the value was. */
const maxGrowth = 420;

export function rounded(to: Decimal, type: ValueType, format: Format): CellMask {
  if (!numbers.has(type) || (isInteger(type) && !isWhole(to))) return nullMask;
  const any = textMask(
    type,
    format,
    maxGrowth,
    fitted(type, (value) => nearest(value, to)),
  );
  // what a float looks like is for others to say, and binary numerics are few
  const isFast = isInteger(type) || (type === 'numeric' && format === 'text');
  return isFast && isSmall(to) ? roundedFast(to, type, format, any) : any;
}

/** By doubles where they are exact; `any` for the others. */
function roundedFast(to: Decimal, type: ValueType, format: Format, any: CellMask): CellMask {
  const value = new SmallDecimal();
  const limit = integerLimits[type] ?? Infinity;
  const isInteger = type !== 'numeric';
  const strides = Array.from({ length: mostDigits + 1 }, (_, scale) => strideFor(to, scale));
  return {
    growth: any.growth,
    write(from, start, end, out, at) {
      const stride = value.read(type, format, from, start, end) ? strides[value.scale] : undefined;
      const size = stride === undefined ? Infinity : value.digits * stride.factor;
      if (stride === undefined || size + stride.size >= tooLarge) return any.write(from, start, end, out, at);
      if (stride.hidesNothing) return -1;
      // exact: a quotient of numbers of so few digits that is no whole one is further from it than doubles are apart
      const down = Math.floor(size / stride.size) * stride.size;
      const near = (size - down) * 2 >= stride.size ? down + stride.size : down;
      if (!isInteger) return writeDecimal(value.isNegative, near, stride.scale, out, at) - at;
      const whole = near / stride.unit;
      const fits = whole <= (value.isNegative ? limit + 1 : limit) ? whole : down / stride.unit;
      if (format === 'text') return writeDecimal(value.isNegative, fits, 0, out, at) - at;
      return writeInteger(value.isNegative ? -fits : fits, end - start, out, at);
    },
  };
}

const tooLarge = 10 ** mostDigits;

interface Stride {
  /** What is added to a value's decimals so that it can be compared. */
  readonly factor: number;
  /** What is rounded to, with `scale` decimals. */
  readonly size: number;
  readonly scale: number;
  /** One, with `scale` decimals. */
  readonly unit: number;
  readonly hidesNothing: boolean;
}

/** For values with so many decimals; undefined where doubles do not do. */
function strideFor(to: Decimal, decimals: number): Stride | undefined {
  const scale = Math.max(decimals, to.scale);
  const factor = 10 ** (scale - decimals);
  const size = alignedNumber(Number(to.digits), scale - to.scale);
  const hidesNothing = factor % size === 0;
  return size === Infinity ? undefined : { factor, size, scale, unit: 10 ** scale, hidesNothing };
}

/** The largest of each type that fifteen digits can pass. */
const integerLimits: { readonly [T in ValueType]?: number } = { int2: 2 ** 15 - 1, int4: 2 ** 31 - 1 };

function writeInteger(value: number, size: number, to: Buffer, at: number): number {
  if (size === 8) {
    to.writeInt32BE(Math.floor(value / 2 ** 32), at);
    to.writeUInt32BE(((value % 2 ** 32) + 2 ** 32) % 2 ** 32, at + 4);
  } else to.writeIntBE(value, at, size);
  return size;
}

export function bucketed(bounds: readonly Decimal[], type: ValueType, format: Format): CellMask {
  if (!numbers.has(type) || (isInteger(type) && !bounds.every(isWhole))) return nullMask;
  const masked = fitted(type, (value) => [lowerBound(value, bounds)]);
  const any = textMask(type, format, maxGrowth, masked);
  const scale = Math.max(...bounds.map((one) => one.scale));
  const isFast = bounds.every(isSmall) && (format === 'text' || !type.startsWith('float'));
  if (!isFast) return any;
  const sizes = bounds.map((one) => Number(one.digits * 10n ** BigInt(scale - one.scale)));
  // what stands for each bucket, as `any` would write it
  const forms = bounds.map((bound) => {
    const { binary } = codecs[type];
    const text = masked(bound.text);
    if (text === undefined) return undefined;
    return format === 'text' || binary === 'as-text' ? Buffer.from(text, 'latin1') : binary.write(text);
  });
  const value = new SmallDecimal();
  return {
    growth: any.growth,
    write(from, start, end, out, at) {
      if (!value.read(type, format, from, start, end) || value.scale > mostScale)
        return any.write(from, start, end, out, at);
      const common = Math.max(scale, value.scale);
      const size = value.at(common);
      if (size === Infinity) return any.write(from, start, end, out, at);
      const signed = value.isNegative ? -size : size;
      const unit = 10 ** (common - scale);
      let bucket = sizes.length - 1;
      while (bucket >= 0 && (sizes[bucket] as number) * unit > signed) bucket--;
      const form = forms[bucket];
      return form === undefined ? -1 : copyBytes(form, 0, form.length, out, at) - at;
    },
  };
}

/** So that a bound of up to nine digits stays exact beside a value of this scale. */
const mostScale = 6;
const isSmall = ({ digits, scale }: Decimal): boolean =>
  digits < 10n ** 9n && digits > -(10n ** 9n) && scale <= mostScale;

const isInteger = (type: ValueType): boolean => type.startsWith('int');
const isWhole = ({ digits, scale }: Decimal): boolean => digits % 10n ** BigInt(scale) === 0n;

/** The first of several candidates that is one of the type. */
function fitted(type: ValueType, mask: (value: Decimal) => readonly (string | undefined)[]): MaskText {
  return (text) => {
    const value = parseDecimal(text);
    if (value === undefined) return undefined;
    const candidates = mask(value).flatMap((one) => (one === undefined ? [] : plainIn(type, one)));
    return candidates.find((one) => codecs[type].isValid(one));
  };
}

/** Integers have no decimals, floats no zeros behind them. */
function plainIn(type: ValueType, text: string): string {
  if (isInteger(type)) return text.replace(/\.0+$/, '');
  return type === 'numeric' ? text : String(Number(text));
}

/** Half away from zero, as PostgreSQL's round(numeric); then, where that is out of range, towards zero. */
function nearest(value: Decimal, to: Decimal): string[] {
  const [digits, step, scale] = aligned(value, to);
  // every value of this many decimals is a multiple: nothing would be hidden
  if (10n ** BigInt(scale - value.scale) % step === 0n) return [];
  const size = digits < 0n ? -digits : digits;
  const sign = digits < 0n ? -1n : 1n;
  const down = (size / step) * step;
  const near = (size - down) * 2n >= step ? down + step : down;
  return [near, down].map((one) => decimalText(sign * one, scale));
}

function lowerBound(value: Decimal, bounds: readonly Decimal[]): string | undefined {
  const found = bounds.filter((bound) => {
    const [a, b] = aligned(value, bound);
    return b <= a;
  });
  const bound = found.at(-1);
  return bound && decimalText(bound.digits, bound.scale);
}
