/** Decimal numbers exactly: what a double would round is another value. */

export interface Decimal {
  /** As it was written. */
  readonly text: string;
  /** The value times ten to the power of `scale`. */
  readonly digits: bigint;
  readonly scale: number;
}

/** PostgreSQL's numeric may have 131,072 digits; arithmetic with more than this many is not worth its time. */
const maxDigits = 400;

/** Undefined for what is not a finite number in plain or scientific notation. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (match === null || text.length > maxDigits) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = BigInt(`${sign}${whole}${fraction}`);
  const scale = fraction.length - Number(exponent);
  return scale >= 0 ? { text, digits, scale } : { text, digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

/** As PostgreSQL writes a numeric of this scale. */
export function decimalText(digits: bigint, scale: number): string {
  const sign = digits < 0n ? '-' : '';
  const all = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  return scale === 0 ? `${sign}${all}` : `${sign}${all.slice(0, -scale)}.${all.slice(-scale)}`;
}

/** At one scale: `a` and `b` as whole numbers that can be compared. */
export function aligned(a: Decimal, b: Decimal): readonly [a: bigint, b: bigint, scale: number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.digits * 10n ** BigInt(scale - a.scale), b.digits * 10n ** BigInt(scale - b.scale), scale];
}
