import { configKeys } from './config-keys.js';
import { type NamePattern, parseNamePattern } from './name-pattern.js';
import type { Place, Value } from './yaml-source.js';

const maskKinds = ['null', 'fixed', 'partial', 'hash', 'date'] as const;
export type MaskKind = (typeof maskKinds)[number];
const datePrecisions = ['day', 'month', 'year'] as const;
export type DatePrecision = (typeof datePrecisions)[number];

/** One masked column, or every column that the pattern matches. */
export interface MaskDeclaration {
  readonly place: Place;
  /** `schema.table.column`, `table.column` or `column`; `*` and `?` in any part. */
  readonly column: NamePattern;
  readonly mask: Mask;
}

export type Mask =
  | { readonly kind: 'null' }
  /** `value` stands in every row that is not NULL. */
  | { readonly kind: 'fixed'; readonly value: string }
  /** The last `keep` characters stay, the others become `*`. */
  | { readonly kind: 'partial'; readonly keep: number }
  /** Keyed and join-preserving. */
  | { readonly kind: 'hash' }
  | { readonly kind: 'date'; readonly keep: DatePrecision };

export function readMask(value: Value): MaskDeclaration {
  const fields = value.fields(configKeys.mask);
  const column = fields.required('column', readColumn, 'public.customers.ssn');
  const kind = fields.required('with', (item) => (item.isNull ? 'null' : item.oneOf(maskKinds)), 'null');
  if (fields.has('value') && kind !== 'fixed') value.fail('"value" goes with "with: fixed" only');
  if (fields.has('keep') && kind !== 'partial' && kind !== 'date') {
    value.fail('"keep" goes with "with: partial" and "with: date" only');
  }
  return { place: value.place, column, mask: maskOf(kind) };

  function maskOf(which: MaskKind): Mask {
    switch (which) {
      case 'fixed':
        return { kind: which, value: fields.required('value', (item) => item.string(), '"***"') };
      case 'partial':
        return { kind: which, keep: fields.required('keep', (item) => item.integer(0, 1000), '4') };
      case 'date':
        return { kind: which, keep: fields.required('keep', (item) => item.oneOf(datePrecisions), 'year') };
      default:
        return { kind: which };
    }
  }
}

function readColumn(value: Value): NamePattern {
  const pattern = parseNamePattern(value.string('schema.table.column'), 3);
  return pattern ?? value.fail('expected schema.table.column, table.column or column; "*" may stand in any part');
}
