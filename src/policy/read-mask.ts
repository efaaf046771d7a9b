/** A masked column, as a file declares it: which column, what becomes of its values, for whom. */
import { configKeys } from './config-keys.js';
import type { Level } from './levels.js';
import { type AggregatePolicy, readAggregates } from './mask-aggregates.js';
import { type ForWhom, readAudience } from './mask-audience.js';
import { type KindKey, kindShapes, type Mask, maskKinds } from './mask-kinds.js';
import { type NamePattern, parseNamePattern } from './name-pattern.js';
import type { Place, Value } from './yaml-source.js';

/** One masked column, or every column that the pattern matches. */
export interface MaskDeclaration extends ForWhom {
  readonly place: Place;
  /** `schema.table.column`, `table.column` or `column`; `*` and `?` in any part. */
  readonly column: NamePattern;
  readonly mask: Mask;
  /** Absent: `hide`. */
  readonly aggregates?: AggregatePolicy;
  /** Whose file it stands in, once several are combined. */
  readonly level?: Level;
}

export function readMask(value: Value): MaskDeclaration {
  const fields = value.fields(configKeys.mask);
  const column = fields.required('column', readColumn, 'public.customers.ssn');
  const aggregates = fields.optional('aggregates', readAggregates);
  const when = fields.optional('when', readAudience);
  const unless = fields.optional('unless', readAudience);
  const mask = fields.cases(
    'with',
    maskKinds,
    (kind) => {
      const { keys, read } = kindShapes[kind];
      const others = kindKeys.filter((key) => !keys.includes(key));
      fields.without(others, (key) => `"${key}" goes with ${kindsWith(key)} only`);
      return read(fields, value);
    },
    'null',
  );
  return {
    place: value.place,
    column,
    mask,
    ...(aggregates === undefined ? {} : { aggregates }),
    ...(when === undefined ? {} : { when }),
    ...(unless === undefined ? {} : { unless }),
  };
}

const kindKeys: readonly KindKey[] = [...new Set(Object.values(kindShapes).flatMap(({ keys }) => keys))];

function kindsWith(key: KindKey): string {
  const kinds = maskKinds.filter((kind) => kindShapes[kind].keys.includes(key));
  return kinds.map((kind) => `"with: ${kind}"`).join(' and ');
}

export function readColumn(value: Value): NamePattern {
  const pattern = parseNamePattern(value.string('schema.table.column'), 3);
  return pattern ?? value.fail('expected schema.table.column, table.column or column; "*" may stand in any part');
}

const keyBytes = 32;

export function readMaskKey(value: Value): Buffer {
  const form = 'a key of 32 bytes in base64, as "openssl rand -base64 32" prints one';
  const key = Buffer.from(value.string(form), 'base64');
  return key.length === keyBytes ? key : value.expected(form);
}
