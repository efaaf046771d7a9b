/**
 * Numbers of up to fifteen digits, read and written as bytes: a double holds them exactly, and nearly all numbers are of
 * them. State: the number read last. Of others, and of what is no number, it says so; they are for policy/decimal.ts.
 */
import type { Format } from './cell.js';
import type { ValueType } from './value-types.js';

export const mostDigits = 15;
const powers = Array.from({ length: mostDigits + 1 }, (_, power) => 10 ** power);
const [minus, point, zero] = [0x2d, 0x2e, 0x30];

export class SmallDecimal {
  isNegative = false;
  /** The size of the number times ten to the power of `scale`. */
  digits = 0;
  scale = 0;

  /** Whether `from[start, end)` is such a number, of this type in this format. */
  read(type: ValueType, format: Format, from: Buffer, start: number, end: number): boolean {
    if (format === 'text') return this.#readText(from, start, end);
    if (type === 'int2' && end - start === 2) return this.#take(from.readInt16BE(start));
    if (type === 'int4' && end - start === 4) return this.#take(from.readInt32BE(start));
    if (type === 'int8' && end - start === 8)
      return this.#readInt8(from.readInt32BE(start), from.readUInt32BE(start + 4));
    return type === 'numeric' && this.#readNumeric(from, start, end);
  }

  /** The size at a larger scale; Infinity where that is too large. */
  at(scale: number): number {
    return aligned(this.digits, scale - this.scale);
  }

  #take(value: number): boolean {
    this.isNegative = value < 0;
    this.digits = Math.abs(value);
    this.scale = 0;
    return true;
  }

  #readText(from: Buffer, start: number, end: number): boolean {
    let at = start;
    this.isNegative = from[at] === minus;
    if (this.isNegative) at++;
    if (end - at > mostDigits || at === end) return false;
    let digits = 0;
    let dot = end;
    for (const first = at; at < end; at++) {
      const byte = from[at] as number;
      if (byte >= zero && byte <= zero + 9) digits = digits * 10 + byte - zero;
      else if (byte === point && dot === end && at > first && at < end - 1) dot = at;
      else return false;
    }
    this.digits = digits;
    this.scale = dot === end ? 0 : end - dot - 1;
    return true;
  }

  #readInt8(high: number, low: number): boolean {
    const value = high * 2 ** 32 + low;
    return Math.abs(value) < (powers[mostDigits] as number) && this.#take(value);
  }

  /** numeric_send: digits in base 10000, of which the last stands for 10000 to the power of (weight - count + 1). */
  #readNumeric(from: Buffer, start: number, end: number): boolean {
    if (end - start < 8) return false;
    const count = from.readUInt16BE(start);
    const sign = from.readUInt16BE(start + 4);
    const scale = from.readUInt16BE(start + 6);
    if (count > 3 || end - start !== 8 + count * 2 || (sign !== 0 && sign !== 0x4000) || scale > mostDigits)
      return false;
    let digits = 0;
    for (let at = start + 8; at < end; at += 2) digits = digits * 10_000 + from.readUInt16BE(at);
    const power = count === 0 ? 0 : (from.readInt16BE(start + 2) - count + 1) * 4 + scale;
    const exact = power >= 0 ? aligned(digits, power) : digits / (powers[-power] ?? Number.NaN);
    if (!Number.isSafeInteger(exact) || exact >= (powers[mostDigits] as number)) return false;
    this.isNegative = sign !== 0;
    this.digits = exact;
    this.scale = scale;
    return true;
  }
}

/** Infinity where that is too large. */
export function aligned(digits: number, power: number): number {
  const value = digits * (powers[power] ?? Infinity);
  return value < (powers[mostDigits] as number) ? value : Infinity;
}

/** In text, with `scale` decimals; returns the offset behind it. */
export function writeDecimal(isNegative: boolean, digits: number, scale: number, to: Buffer, at: number): number {
  let write = at;
  if (isNegative && digits > 0) to[write++] = minus;
  let places = scale + 1;
  while (places <= mostDigits && digits >= (powers[places] as number)) places++;
  const end = write + places + (scale > 0 ? 1 : 0);
  let rest = digits;
  let last = end;
  if (scale > 0) {
    last -= scale;
    rest = writeDigits(rest, last, end, to);
    to[--last] = point;
  }
  writeDigits(rest, write, last, to);
  return end;
}

/** Below it, divisions of integers are multiplications. */
const small = 2 ** 30;

/** As many last digits as fit; returns the number without them. */
function writeDigits(digits: number, start: number, end: number, to: Buffer): number {
  let rest = digits;
  let place = end - 1;
  for (; place >= start && rest >= small; place--) {
    const next = Math.floor(rest / 10);
    to[place] = zero + rest - next * 10;
    rest = next;
  }
  if (place < start) return rest;
  let few = rest | 0;
  for (; place >= start; place--) {
    const next = (few / 10) | 0;
    to[place] = zero + few - next * 10;
    few = next;
  }
  return few;
}
