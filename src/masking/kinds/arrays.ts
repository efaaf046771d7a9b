/**
 * Arrays, element by element: their number, order and nesting stay.
 * Formats: array_out and array_send (arrayfuncs.c). What is not well-formed is NULL as a whole.
 */
import { type CellMask, type Format, growthFor } from './cell.js';

export function arrayMask(element: CellMask, format: Format): CellMask {
  const rewrite = format === 'text' ? rewriteText : rewriteBinary;
  return {
    growth: 0,
    // room for what an element of JSON may get longer by, and for a backslash before every byte
    growthOf: (from, start, end) =>
      (end - start + 1) * 8 + elements(from, start, end, format) * (element.growth * 2 + 24),
    write(from, start, end, to, at) {
      const masked = rewrite(from.subarray(start, end), element);
      return masked === undefined ? -1 : masked.copy(to, at);
    },
  };
}

/** At least as many as there are. */
function elements(from: Buffer, start: number, end: number, format: Format): number {
  // each has a length of four bytes
  if (format === 'binary') return (end - start) >> 2;
  let count = 1;
  for (let at = start; at < end; at++) if (from[at] === comma) count++;
  return count;
}

const comma = 0x2c;
const open = 0x7b;
const close = 0x7d;
const quote = 0x22;
const backslash = 0x5c;

/** `{a,"b c",NULL}`, `[0:1]={a,b}`; `{}` inside each other for more dimensions. */
function rewriteText(array: Buffer, element: CellMask): Buffer | undefined {
  const out: Buffer[] = [];
  let at = 0;
  if (array[0] === 0x5b) at = array.indexOf('={', 0, 'latin1') + 1;
  if (array[at] !== open) return undefined;
  out.push(array.subarray(0, at));
  for (; at < array.length; ) {
    const byte = array[at] as number;
    if (byte === open || byte === close || byte === comma) {
      out.push(array.subarray(at, ++at));
      continue;
    }
    const quoted = byte === quote;
    const value: number[] = [];
    if (quoted) at++;
    for (; at < array.length; at++) {
      const one = array[at] as number;
      if (quoted ? one === quote : one === comma || one === close) break;
      if (one === backslash) at++;
      value.push(array[at] ?? 0);
    }
    if (at === array.length) return undefined;
    if (quoted) at++;
    const bytes = Buffer.from(value);
    const isNull = !quoted && bytes.toString('latin1') === 'NULL';
    out.push(isNull ? bytes : quotedText(masked(bytes, element)));
  }
  return Buffer.concat(out);
}

function masked(bytes: Buffer, element: CellMask): Buffer | undefined {
  const room = Buffer.allocUnsafe(bytes.length + growthFor(element, bytes, 0, bytes.length));
  const length = element.write(bytes, 0, bytes.length, room, 0);
  return length < 0 ? undefined : room.subarray(0, length);
}

function quotedText(value: Buffer | undefined): Buffer {
  if (value === undefined) return Buffer.from('NULL');
  const out = [quote];
  for (const byte of value) {
    if (byte === quote || byte === backslash) out.push(backslash);
    out.push(byte);
  }
  out.push(quote);
  return Buffer.from(out);
}

const maxDimensions = 6;

/** Dimensions, whether there are NULLs, the elements' type, each dimension's size and lower bound, the elements. */
function rewriteBinary(array: Buffer, element: CellMask): Buffer | undefined {
  if (array.length < 12) return undefined;
  const dimensions = array.readInt32BE(0);
  if (dimensions < 0 || dimensions > maxDimensions || array.length < 12 + dimensions * 8) return undefined;
  const head = Buffer.from(array.subarray(0, 12 + dimensions * 8));
  const out: Buffer[] = [head];
  let at = head.length;
  let nulls = false;
  while (at < array.length) {
    if (at + 4 > array.length) return undefined;
    const length = array.readInt32BE(at);
    at += 4;
    if (length > array.length - at) return undefined;
    const value = length < 0 ? undefined : masked(array.subarray(at, at + length), element);
    nulls ||= value === undefined;
    const size = Buffer.alloc(4);
    size.writeInt32BE(value?.length ?? -1);
    out.push(size, value ?? Buffer.alloc(0));
    at += Math.max(length, 0);
  }
  head.writeInt32BE(nulls ? 1 : 0, 4);
  return Buffer.concat(out);
}
