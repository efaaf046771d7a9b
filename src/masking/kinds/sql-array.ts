/**
 * Arrays with masked elements, by their place; their number, order and nesting stay.
 * Formats: array_out and array_send (arrayfuncs.c). What is not well-formed is NULL as a whole.
 */
import type { CellMask, Format } from './cell.js';
import { maskedValue, type Rewrite, wholeMask } from './whole-value.js';

/** @param indices from 0, one for each dimension; `undefined` passes, `none` is a place that nobody knows of */
export type ElementMask = (indices: readonly number[]) => CellMask | undefined | 'none';

/** Every element masked alike. */
export function arrayMask(element: CellMask, format: Format): CellMask {
  return wholeMask(format === 'text' ? arrayText(() => element) : arrayBinary(() => () => element));
}

const comma = 0x2c;
const open = 0x7b;
const close = 0x7d;
const quote = 0x22;
const backslash = 0x5c;

/** `{a,"b c",NULL}`, `[0:1]={a,b}`; `{}` inside each other for more dimensions. */
export function arrayText(maskOf: ElementMask): Rewrite {
  return (array) => {
    let at = array[0] === 0x5b ? array.indexOf('={', 0, 'latin1') + 1 : 0;
    if (array[at] !== open) return undefined;
    const out: Buffer[] = [array.subarray(0, at)];
    const indices: number[] = [];
    while (at < array.length) {
      const byte = array[at] as number;
      if (byte === open || byte === close || byte === comma) {
        if (byte === open) indices.push(0);
        else if (byte === close) indices.pop();
        else indices.push((indices.pop() ?? 0) + 1);
        out.push(array.subarray(at, ++at));
        continue;
      }
      const end = elementEnd(array, at);
      const mask = maskOf(indices);
      if (end === undefined || mask === 'none') return undefined;
      const text = array.subarray(at, end);
      const passes = mask === undefined || text.toString('latin1') === 'NULL';
      out.push(passes ? text : quotedText(maskedValue(mask, unquoted(text))));
      at = end;
    }
    return indices.length === 0 ? Buffer.concat(out) : undefined;
  };
}

function elementEnd(array: Buffer, start: number): number | undefined {
  const quoted = array[start] === quote;
  for (let at = quoted ? start + 1 : start; at < array.length; at++) {
    const byte = array[at];
    if (byte === backslash) at++;
    else if (quoted ? byte === quote : byte === comma || byte === close) return quoted ? at + 1 : at;
  }
  return undefined;
}

function unquoted(text: Buffer): Buffer {
  const inner = text[0] === quote ? text.subarray(1, -1) : text;
  const out: number[] = [];
  for (let at = 0; at < inner.length; at++) {
    if (inner[at] === backslash) at++;
    out.push(inner[at] ?? 0);
  }
  return Buffer.from(out);
}

const needsQuotes = /^$|^null$|["\\{},;\s]/i;

function quotedText(value: Buffer | undefined): Buffer {
  if (value === undefined) return Buffer.from('NULL');
  if (!needsQuotes.test(value.toString('latin1'))) return value;
  const out = [quote];
  for (const byte of value) {
    if (byte === quote || byte === backslash) out.push(backslash);
    out.push(byte);
  }
  out.push(quote);
  return Buffer.from(out);
}

/** MAXDIM in array.h. */
const maxDimensions = 6;

/**
 * Dimensions, whether there are NULLs, the elements' type, each dimension's size and lower bound, the elements.
 *
 * @param maskOf what masks elements of this type
 */
export function arrayBinary(maskOf: (oid: number) => ElementMask): Rewrite {
  return (array) => {
    const dimensions = array.length < 12 ? -1 : array.readInt32BE(0);
    if (dimensions < 0 || dimensions > maxDimensions || array.length < 12 + dimensions * 8) return undefined;
    const head = Buffer.from(array.subarray(0, 12 + dimensions * 8));
    const sizes = Array.from({ length: dimensions }, (_, at) => head.readInt32BE(12 + at * 8));
    const element = maskOf(head.readInt32BE(8));
    const out: Buffer[] = [head];
    let nulls = false;
    let at = head.length;
    for (let place = 0; at < array.length; place++) {
      if (at + 4 > array.length) return undefined;
      const length = array.readInt32BE(at);
      at += 4;
      if (length > array.length - at) return undefined;
      const mask = element(indicesOf(place, sizes));
      if (mask === 'none') return undefined;
      const value = length < 0 ? undefined : array.subarray(at, at + length);
      const masked = value === undefined || mask === undefined ? value : maskedValue(mask, value);
      nulls ||= masked === undefined;
      const size = Buffer.alloc(4);
      size.writeInt32BE(masked?.length ?? -1);
      out.push(size, masked ?? Buffer.alloc(0));
      at += Math.max(length, 0);
    }
    head.writeInt32BE(nulls ? 1 : 0, 4);
    return Buffer.concat(out);
  };
}

/** Elements come row by row: the last dimension is the one that counts first. */
function indicesOf(place: number, sizes: readonly number[]): number[] {
  const indices: number[] = [];
  let left = place;
  for (const size of [...sizes].reverse()) {
    indices.unshift(size > 0 ? left % size : 0);
    left = size > 0 ? Math.floor(left / size) : left;
  }
  return indices;
}
