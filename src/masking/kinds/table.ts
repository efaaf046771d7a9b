/**
 * What each kind of mask does to a value: the types it is valid for and its bytes in both formats. A kind without a row
 * does not compile; how it is declared and what it tells is the other half (policy/mask-kinds.ts).
 *
 * The result is a value that a client can read as one of the column's type; where there is none, NULL.
 */
import type { Mask, MaskByKind, MaskKind } from '../../policy/mask-kinds.js';
import { copyBytes } from '../copy-bytes.js';
import { type CellMask, type Format, nullMask } from './cell.js';
import { truncated } from './dates.js';
import { detectedMask } from './detected.js';
import { cardMask, emailMask, phoneMask } from './forms.js';
import { hashMask } from './hash.js';
import { jsonMask } from './json.js';
import { bucketed, rounded } from './numbers.js';
import { arrayMask } from './sql-array.js';
import { byPattern, partial } from './text-parts.js';
import { codecs, elementTypeOf, typeOf, type ValueType } from './value-types.js';

export interface CellType {
  /** pg_type.oid; undefined when nobody said. */
  readonly oid: number | undefined;
  /** Known to be a string type, though its OID is not one of PostgreSQL's own (citext, domains). */
  readonly textual: boolean;
}

/** Secrets of keyed masks, 32 bytes each; the same key makes the same value out of the same. */
export interface MaskKeys {
  readonly session: Buffer;
  readonly organisation?: Buffer | undefined;
}

interface Kind<K extends MaskKind> {
  /** All others are NULL under this kind. */
  readonly types: readonly ValueType[];
  mask(mask: MaskByKind[K], type: ValueType, format: Format, keys: MaskKeys): CellMask;
}

const text: readonly ValueType[] = ['text'];
const integers: readonly ValueType[] = ['int2', 'int4', 'int8'];
const numbers: readonly ValueType[] = [...integers, 'numeric', 'float4', 'float8'];

export const kinds: { readonly [K in MaskKind]: Kind<K> } = {
  null: { types: Object.keys(codecs) as ValueType[], mask: () => nullMask },
  fixed: {
    types: Object.keys(codecs) as ValueType[],
    mask: ({ value }, type, format) => fixed(value, type, format),
  },
  partial: { types: text, mask: ({ first, last }) => partial(first, last) },
  pattern: { types: text, mask: ({ pattern }) => byPattern(pattern) },
  hash: {
    types: ['text', ...numbers, 'uuid', 'bytea'],
    mask({ joins }, type, format, keys) {
      const key = joins === 'organisation' ? keys.organisation : keys.session;
      return key === undefined ? nullMask : hashMask(type, format, key);
    },
  },
  date: {
    types: ['date', 'timestamp', 'timestamptz'],
    mask: ({ keep }, type, format) => truncated(keep, type, format),
  },
  round: { types: numbers, mask: ({ to }, type, format) => rounded(to, type, format) },
  bucket: { types: numbers, mask: ({ bounds }, type, format) => bucketed(bounds, type, format) },
  email: { types: text, mask: ({ keep }, _type, _format, { session }) => emailMask(keep, session) },
  card: { types: text, mask: ({ keep }, _type, _format, { session }) => cardMask(keep, session) },
  phone: { types: text, mask: ({ keep }, _type, _format, { session }) => phoneMask(keep, session) },
  json: {
    types: ['json', 'jsonb'],
    mask: ({ paths, listed }, type, format) =>
      jsonMask(paths, listed, type === 'jsonb' && format === 'binary' ? 'needed' : 'none'),
  },
  detected: { types: text, mask: ({ what }) => detectedMask(what) },
};

/** Of arrays: each element is masked. */
export function cellMask(mask: Mask, type: CellType, format: Format, keys: MaskKeys): CellMask {
  if (mask.kind === 'null') return nullMask;
  const element = type.oid === undefined ? undefined : elementTypeOf(type.oid);
  if (element !== undefined) {
    const cell = maskFor(mask, element, format, keys);
    return cell === nullMask ? nullMask : arrayMask(cell, format);
  }
  const known = type.oid === undefined ? undefined : typeOf(type.oid);
  return maskFor(mask, known ?? (type.textual ? 'text' : undefined), format, keys);
}

function maskFor(mask: Mask, type: ValueType | undefined, format: Format, keys: MaskKeys): CellMask {
  const kind = kinds[mask.kind] as Kind<MaskKind>;
  if (type === undefined || !kind.types.includes(type)) return nullMask;
  return kind.mask(mask, type, format, keys);
}

/** Whether a column of this type shows anything but NULL under the mask. */
export function isValidFor(mask: Mask, type: CellType): boolean {
  const keys = { session: Buffer.alloc(32), organisation: Buffer.alloc(32) };
  return mask.kind === 'null' || cellMask(mask, type, 'text', keys) !== nullMask;
}

function fixed(value: string, type: ValueType, format: Format): CellMask {
  const codec = codecs[type];
  if (!codec.isValid(value)) return nullMask;
  const binary = format === 'binary' && codec.binary !== 'as-text';
  const bytes = binary ? codec.binary.write(value) : Buffer.from(value, 'utf8');
  if (bytes === undefined) return nullMask;
  return {
    write: (_from, _start, _end, to, at) => copyBytes(bytes, 0, bytes.length, to, at) - at,
    growth: bytes.length,
  };
}
