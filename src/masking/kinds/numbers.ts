/** Numbers that lose their last digits, exactly and without noise: the same value is always the same masked value. */
import { aligned, type Decimal, decimalText, parseDecimal } from '../../policy/decimal.js';
import { type CellMask, type Format, type MaskText, nullMask, textMask } from './cell.js';
import { codecs, type ValueType } from './value-types.js';

const numbers: ReadonlySet<ValueType> = new Set(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8']);
/** PostgreSQL reads and writes it as it stands, whatever the value was. */
const maxGrowth = 420;

export function rounded(to: Decimal, type: ValueType, format: Format): CellMask {
  if (!numbers.has(type) || (isInteger(type) && !isWhole(to))) return nullMask;
  return textMask(
    type,
    format,
    maxGrowth,
    fitted(type, (value) => nearest(value, to)),
  );
}

export function bucketed(bounds: readonly Decimal[], type: ValueType, format: Format): CellMask {
  if (!numbers.has(type) || (isInteger(type) && !bounds.every(isWhole))) return nullMask;
  return textMask(
    type,
    format,
    maxGrowth,
    fitted(type, (value) => [lowerBound(value, bounds)]),
  );
}

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
