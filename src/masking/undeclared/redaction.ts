/**
 * What detectors find in one value becomes `*`, in every type that holds text. What holds nothing keeps every byte, and no
 * value gets longer, so that what a client expects of its type and length still holds.
 *
 * Must not know columns, rows, or who asked for it.
 */
import { isUtf8 } from 'node:buffer';
import type { Detectable } from '../../policy/mask-kinds.js';
import { detect, hideDetected } from '../detectors/detectors.js';
import type { CellMask, Format } from '../kinds/cell.js';
import { arrayMask } from '../kinds/sql-array.js';
import type { CellType } from '../kinds/table.js';
import { elementTypeOf, typeOf } from '../kinds/value-types.js';

/** Where text stands in a value. `other`: of a type that is not PostgreSQL's own, or that nobody said. */
type TextIn = 'text' | 'json' | 'array' | 'other';

/** Undefined for types that hold no text: numbers, dates, bytea. */
export function textIn({ oid, textual }: CellType): TextIn | undefined {
  if (oid === undefined) return 'other';
  const element = elementTypeOf(oid);
  if (element !== undefined)
    return element === 'text' || element === 'json' || element === 'jsonb' ? 'array' : undefined;
  const type = typeOf(oid);
  if (type === 'text' || textual) return 'text';
  if (type === 'json' || type === 'jsonb') return 'json';
  return type === undefined && (oid >= firstOfApplications || oid === record) ? 'other' : undefined;
}

/** FirstNormalObjectId: citext, composites and enums of applications. */
const firstOfApplications = 16384;
const record = 2249;

/** The bytes as text, one character for each byte where they are not UTF-8. JSON's escapes are read. */
export function readText(bytes: Buffer, where: TextIn): string {
  const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
  if (where !== 'json' && where !== 'array') return text;
  return text.includes('\\u')
    ? text.replace(/\\u([0-9a-f]{4})/gi, (_escape, code) => String.fromCharCode(Number.parseInt(code, 16)))
    : text;
}

/** Undefined where there is nothing to look at. */
export function redaction(what: readonly Detectable[], type: CellType, format: Format): CellMask | undefined {
  const where = textIn(type);
  if (where === undefined) return undefined;
  if (where === 'array') return arrayRedaction(what, elementTypeOf(type.oid ?? 0) === 'text' ? 'text' : 'json', format);
  return inPlace(hiding(what, where));
}

function arrayRedaction(what: readonly Detectable[], element: 'text' | 'json', format: Format): CellMask {
  const each = arrayMask(inPlace(hiding(what, element)), format);
  const holds = (bytes: Buffer): boolean => detect(readText(bytes, 'array'), what).length > 0 || bytes.includes('\\');
  return {
    growth: 0,
    growthOf: (from, start, end) =>
      holds(from.subarray(start, end)) ? (each.growthOf?.(from, start, end) ?? each.growth) : 0,
    write: (from, start, end, to, at) =>
      holds(from.subarray(start, end)) ? each.write(from, start, end, to, at) : from.copy(to, at, start, end),
  };
}

function hiding(what: readonly Detectable[], where: Exclude<TextIn, 'array'>): (text: string) => string {
  const hide = hideDetected(what);
  if (where === 'text') return hide;
  return where === 'json' ? (text) => jsonWithout(text, hide) : (text) => keepStructure(text, hide(text));
}

/** A redacted row or set is still one. */
function keepStructure(before: string, after: string): string {
  if (before === after) return before;
  return [...after]
    .map((one, at) => (one === '*' && '(){}",\\'.includes(before[at] ?? '') ? before[at] : one))
    .join('');
}

/** In front of jsonb's text in its binary form (jsonb_send): never the first byte of a text. */
const jsonbVersion = 1;

function inPlace(hide: (text: string) => string): CellMask {
  return {
    growth: 0,
    write(from, start, end, to, at) {
      const first = from[start] === jsonbVersion ? start + 1 : start;
      const bytes = from.subarray(first, end);
      const coding = isUtf8(bytes) ? 'utf8' : 'latin1';
      const text = bytes.toString(coding);
      const hidden = hide(text);
      if (hidden === text) return from.copy(to, at, start, end);
      const written = Buffer.from(hidden, coding);
      if (written.length > bytes.length) return -1;
      from.copy(to, at, start, first);
      return first - start + written.copy(to, at + first - start);
    },
  };
}

/** Strings keep their place, with `*` in them; of numbers `null` is left. Keys are looked at like values. One pass. */
function jsonWithout(text: string, hide: (text: string) => string): string {
  let shown = '';
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('"', at);
    shown += text
      .slice(at, open < 0 ? text.length : open)
      .replace(jsonNumber, (one) => (hide(one) === one ? one : 'null'));
    if (open < 0) break;
    const end = stringEnd(text, open);
    shown += stringWithout(text.slice(open, end), hide);
    at = end;
  }
  return shown;
}

const jsonNumber = /-?\d[\d.eE+-]{3,400}/g;

function stringEnd(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/** @param literal with its quotes; written anew, it is no longer than PostgreSQL or a client wrote it */
function stringWithout(literal: string, hide: (text: string) => string): string {
  if (!literal.includes('\\')) return hide(literal);
  try {
    const value: unknown = JSON.parse(literal);
    const hidden = typeof value === 'string' ? hide(value) : undefined;
    return hidden === undefined || hidden === value ? literal : JSON.stringify(hidden);
  } catch {
    return hide(literal);
  }
}
