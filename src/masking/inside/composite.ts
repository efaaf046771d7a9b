/**
 * Composite values with masked fields; the others stay as they are.
 * Formats: record_out and record_send (rowtypes.c). What is not well-formed, or has another number of fields, is NULL.
 */
import type { CellMask } from '../kinds/cell.js';
import { maskedValue, type Rewrite } from '../kinds/whole-value.js';

const open = 0x28;
const close = 0x29;
const comma = 0x2c;
const quote = 0x22;
const backslash = 0x5c;

/** `(1,"two words",)`; a field that is empty is NULL. */
export function compositeText(masks: readonly (CellMask | undefined)[]): Rewrite {
  return (row) => {
    if (row[0] !== open || row.at(-1) !== close) return undefined;
    const out: Buffer[] = [row.subarray(0, 1)];
    let field = 0;
    let at = 1;
    for (;;) {
      const start = at;
      let quoted = false;
      for (; at < row.length - 1 && (quoted || row[at] !== comma); at++) {
        if (row[at] === backslash) at++;
        else if (row[at] === quote) quoted = !quoted;
      }
      if (quoted || at > row.length - 1 || field >= masks.length) return undefined;
      const mask = masks[field++];
      const text = row.subarray(start, at);
      out.push(mask === undefined || text.length === 0 ? text : quotedText(maskedValue(mask, unquoted(text))));
      if (at === row.length - 1) break;
      out.push(row.subarray(at, ++at));
    }
    return field === masks.length ? Buffer.concat([...out, row.subarray(-1)]) : undefined;
  };
}

function unquoted(text: Buffer): Buffer {
  const out: number[] = [];
  for (let at = 0; at < text.length; at++) {
    // inside quotes a quote is doubled; the first of two ends them, the second begins them again
    if (text[at] === quote) {
      if (text[at + 1] !== quote || at === 0) continue;
      out.push(quote);
      at++;
    } else {
      if (text[at] === backslash) at++;
      out.push(text[at] ?? 0);
    }
  }
  return Buffer.from(out);
}

const needsQuotes = /^$|["\\(),\s]/;

function quotedText(value: Buffer | undefined): Buffer {
  if (value === undefined) return Buffer.alloc(0);
  if (!needsQuotes.test(value.toString('latin1'))) return value;
  const out = [quote];
  for (const byte of value) {
    if (byte === quote || byte === backslash) out.push(byte);
    out.push(byte);
  }
  out.push(quote);
  return Buffer.from(out);
}

/**
 * The number of fields, then of each its type's OID, its length, its bytes.
 *
 * @param maskOf the mask of a field that has this type
 */
export function compositeBinary(count: number, maskOf: (field: number, oid: number) => CellMask | undefined): Rewrite {
  return (row) => {
    if (row.length < 4 || row.readInt32BE(0) !== count) return undefined;
    const out: Buffer[] = [row.subarray(0, 4)];
    let at = 4;
    for (let field = 0; field < count; field++) {
      if (at + 8 > row.length) return undefined;
      const length = row.readInt32BE(at + 4);
      const end = at + 8 + Math.max(0, length);
      if (end > row.length) return undefined;
      const mask = length < 0 ? undefined : maskOf(field, row.readInt32BE(at));
      if (mask === undefined) out.push(row.subarray(at, end));
      else {
        const masked = maskedValue(mask, row.subarray(at + 8, end));
        const size = Buffer.alloc(4);
        size.writeInt32BE(masked?.length ?? -1);
        out.push(row.subarray(at, at + 4), size, masked ?? Buffer.alloc(0));
      }
      at = end;
    }
    return at === row.length ? Buffer.concat(out) : undefined;
  };
}
