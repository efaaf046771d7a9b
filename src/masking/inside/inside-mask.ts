/**
 * From what a value is made of to a mask that hides parts of it: rows, arrays and JSON inside each other.
 *
 * What lives here: which form goes with which format. What it must not know: columns, how the bytes are taken apart.
 */
import type { Inside, Value } from '../../sql/lineage/structure.js';
import { type CellMask, type Format, nullMask } from '../kinds/cell.js';
import { arrayBinary, arrayText, type ElementMask } from '../kinds/sql-array.js';
import { maskedValue, wholeMask } from '../kinds/whole-value.js';
import { compositeBinary, compositeText } from './composite.js';
import { type JsonRule, maskJson } from './json-text.js';

export interface Leaf {
  readonly mask: CellMask;
  /** pg_type.oid of the column that the value is of, where it is a column's as it is. */
  readonly type: number | undefined;
}

export interface LeafMasks {
  /** Something masked may have a part in it. */
  tainted(flow: Value['flow']): boolean;
  /** Of what stands at a path in JSON. */
  within(inside: Extract<Inside, { is: 'within' }>, oid: number | undefined, format: Format): CellMask;
  /** Of SQL that the server prints. */
  sql(value: Value): CellMask;
  /** Of a value of which no form is known, in text or binary; undefined where it passes. */
  leaf(value: Value, oid: number | undefined, format: Format): Leaf | undefined;
}

/** Of a value that is tainted. @param oid pg_type.oid of the value, where somebody said */
export function insideMask(value: Value, oid: number | undefined, format: Format, masks: LeafMasks): CellMask {
  const { inside } = value;
  if (inside === undefined) return masks.leaf(value, oid, format)?.mask ?? nullMask;
  if (masks.tainted(inside.beside)) return nullMask;
  switch (inside.is) {
    case 'sql':
      return masks.sql(value);
    case 'within':
      return masks.within(inside, oid, format);
    case 'text':
      // the bytes of a text are the same in both formats
      return insideMask({ flow: value.flow, direct: false, inside: inside.of }, undefined, 'text', masks);
    case 'row':
      return wholeMask(format === 'text' ? compositeText(inside.fields.map(part)) : binaryRow(inside, masks));
    case 'array':
      return wholeMask(
        format === 'text'
          ? arrayText(elements(inside, undefined, format, masks))
          : arrayBinary((type) => elements(inside, type, format, masks)),
      );
    default: {
      const rule = jsonRule(value, masks);
      return rule === undefined ? nullMask : wholeMask((bytes) => maskJson(bytes, rule));
    }
  }

  function part(one: Value): CellMask | undefined {
    return masks.tainted(one.flow) ? insideMask(one, undefined, format, masks) : undefined;
  }
}

function binaryRow({ fields }: Extract<Inside, { is: 'row' }>, masks: LeafMasks) {
  const known = new Map<string, CellMask>();
  return compositeBinary(fields.length, (at, oid) => {
    const field = fields[at];
    if (field === undefined || !masks.tainted(field.flow)) return undefined;
    const key = `${at} ${oid}`;
    const mask = known.get(key) ?? insideMask(field, oid, 'binary', masks);
    known.set(key, mask);
    return mask;
  });
}

/** An array of arrays is one array of more dimensions: the forms are followed index by index. */
function elements(
  array: Extract<Inside, { is: 'array' }>,
  oid: number | undefined,
  format: Format,
  masks: LeafMasks,
): ElementMask {
  const known = new Map<Value, CellMask>();
  return (indices) => {
    let value: Value = { flow: new Set(), direct: false, inside: array };
    for (const index of indices) {
      const inside: Inside | undefined = value.inside;
      if (inside?.is !== 'array') break;
      if (masks.tainted(inside.beside)) return nullMask;
      const next: Value | undefined = inside.places[index] ?? inside.rest;
      if (next === undefined) return 'none';
      value = next;
    }
    if (!masks.tainted(value.flow)) return undefined;
    const mask = known.get(value) ?? insideMask(value, oid, format, masks);
    known.set(value, mask);
    return mask;
  };
}

const hidden: JsonRule = { is: 'value', masked: () => 'null' };

function jsonRule(value: Value, masks: LeafMasks): JsonRule | undefined {
  if (!masks.tainted(value.flow)) return undefined;
  const { inside } = value;
  if (inside === undefined || masks.tainted(inside.beside)) return hidden;
  switch (inside.is) {
    case 'object': {
      const entries = new Map([...inside.entries].map(([key, one]) => [key, jsonRule(one, masks)]));
      const others = inside.others && { others: { rule: jsonRule(inside.others, masks) } };
      return { is: 'object', entries, ...others };
    }
    case 'list': {
      const places = inside.places.map((one) => jsonRule(one, masks));
      return { is: 'list', places, ...(inside.rest && { rest: { rule: jsonRule(inside.rest, masks) } }) };
    }
    case 'scalar': {
      const taken = inside.of.inside;
      if (taken !== undefined) {
        if (taken.is !== 'text' || masks.tainted(taken.beside)) return hidden;
        const mask = insideMask(inside.of, undefined, 'text', masks);
        return { is: 'value', masked: (token) => maskedString(token, mask) };
      }
      const leaf = masks.leaf(inside.of, undefined, 'text');
      return leaf === undefined || leaf.mask === nullMask ? hidden : { is: 'value', masked: scalarMask(leaf) };
    }
    case 'within': {
      const mask = masks.within(inside, undefined, 'text');
      return {
        is: 'value',
        masked: (token) => maskedValue(mask, Buffer.from(token, 'utf8'))?.toString('utf8') ?? 'null',
      };
    }
    default:
      return hidden;
  }
}

/** A text that has become a string of JSON. */
function maskedString(token: string, mask: CellMask): string {
  if (!token.startsWith('"')) return 'null';
  const text = String(JSON.parse(token));
  const masked = maskedValue(mask, Buffer.from(text, 'utf8'))?.toString('utf8');
  return masked === undefined ? 'null' : masked === text ? token : JSON.stringify(masked);
}

const jsonTypes: ReadonlySet<number> = new Set([114, 3802]);
/** timestamp and timestamptz: JSON has a T between the day and the time. */
const timeTypes: ReadonlySet<number> = new Set([1114, 1184]);
const number = /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/;

/** The mask of a column's value, where the value has become JSON. */
function scalarMask({ mask, type = 0 }: Leaf): (token: string) => string {
  const time = timeTypes.has(type);
  return (token) => {
    if (jsonTypes.has(type)) return maskedText(token) ?? 'null';
    if (token.startsWith('{') || token.startsWith('[')) return 'null';
    const text = token.startsWith('"') ? String(JSON.parse(token)) : token;
    const masked = maskedText(time ? text.replace('T', ' ') : text);
    if (masked === undefined) return 'null';
    if (!token.startsWith('"') && number.test(masked)) return masked;
    return JSON.stringify(time ? masked.replace(' ', 'T') : masked);
  };

  function maskedText(text: string): string | undefined {
    return maskedValue(mask, Buffer.from(text, 'utf8'))?.toString('utf8');
  }
}
