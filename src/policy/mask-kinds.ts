/**
 * Every kind of mask, as a file declares it: its keys, its parameters, what the masked value still tells. A kind
 * without a row here does not compile; what it does to values is the other half (masking/kinds/table.ts).
 */
import { configKeys } from './config-keys.js';
import { type Decimal, parseDecimal } from './decimal.js';
import { type JsonPath, parseJsonPath } from './json-path.js';
import type { Value } from './yaml-source.js';

const datePrecisions = ['decade', 'year', 'quarter', 'month', 'day', 'hour'] as const;
/** From the one that keeps least. */
export type DatePrecision = (typeof datePrecisions)[number];

export const detectable = ['email', 'card', 'iban', 'national-id', 'phone', 'secret'] as const;
/** What the detectors know (masking/detectors). */
export type Detectable = (typeof detectable)[number];

/** For people. */
export const detectedAs: { readonly [D in Detectable]: string } = {
  email: 'e-mail addresses',
  card: 'card numbers',
  iban: 'bank accounts',
  'national-id': 'national ids',
  phone: 'phone numbers',
  secret: 'keys or tokens',
};

export interface MaskByKind {
  null: { readonly kind: 'null' };
  /** `value` stands in every row that is not NULL. */
  fixed: { readonly kind: 'fixed'; readonly value: string };
  /** The first and last characters of a longer value stay, the others become `*`. */
  partial: { readonly kind: 'partial'; readonly first: number; readonly last: number };
  /** As a pattern says for each place: `#` stays, `*` becomes `*`, anything else must stand there. */
  pattern: { readonly kind: 'pattern'; readonly pattern: string };
  /** Keyed and join-preserving, for this session or wherever the organisation's key is used. */
  hash: { readonly kind: 'hash'; readonly joins: 'session' | 'organisation' };
  date: { readonly kind: 'date'; readonly keep: DatePrecision };
  /** To the nearest multiple. */
  round: { readonly kind: 'round'; readonly to: Decimal };
  /** To the lower bound of its bucket; what lies under the first bound is NULL. Ascending. */
  bucket: { readonly kind: 'bucket'; readonly bounds: readonly Decimal[] };
  email: { readonly kind: 'email'; readonly keep: 'nothing' | 'domain' };
  /** Last digits that stay. */
  card: { readonly kind: 'card'; readonly keep: number };
  phone: { readonly kind: 'phone'; readonly keep: number };
  /** What the paths lead to is null, or everything else is. */
  json: { readonly kind: 'json'; readonly paths: readonly JsonPath[]; readonly listed: 'hidden' | 'shown' };
  detected: { readonly kind: 'detected'; readonly what: readonly Detectable[] };
}
export type MaskKind = keyof MaskByKind;
export type Mask = MaskByKind[MaskKind];

/** Keys that only some kinds have. */
export type KindKey = 'value' | 'keep' | 'pattern' | 'joins' | 'to' | 'bounds' | 'hide' | 'show' | 'what';

interface KindFields {
  has(key: KindKey): boolean;
  optional<T>(key: KindKey, read: (value: Value) => T): T | undefined;
  required<T>(key: KindKey, read: (value: Value) => T, example?: string): T;
}

interface KindShape<K extends MaskKind> {
  readonly keys: readonly KindKey[];
  /** @param value the declaration, to report what is wrong with several keys together */
  read(fields: KindFields, value: Value): MaskByKind[K];
  /** What the masked value still tells, for people; completes "It tells ...". */
  reveals(mask: MaskByKind[K]): string;
  /**
   * How much of the value two masks of this kind keep. Negative: `a` keeps less; undefined: neither is known to keep
   * less than the other.
   */
  compare(a: MaskByKind[K], b: MaskByKind[K]): number | undefined;
}

const same = (): number => 0;
const equal = (a: unknown, b: unknown): number | undefined => (JSON.stringify(a) === JSON.stringify(b) ? 0 : undefined);
/** Neither part may be larger where the other is smaller. */
const both = (one: number, other: number): number | undefined => (one * other < 0 ? undefined : one + other);

export const kindShapes: { readonly [K in MaskKind]: KindShape<K> } = {
  null: { keys: [], read: () => ({ kind: 'null' }), reveals: () => 'nothing', compare: same },
  fixed: {
    keys: ['value'],
    read: (fields) => ({ kind: 'fixed', value: fields.required('value', (item) => item.string(), '"***"') }),
    reveals: () => 'that there is a value',
    compare: same,
  },
  partial: {
    keys: ['keep'],
    read: (fields) => ({ kind: 'partial', ...fields.required('keep', readKept, '4') }),
    reveals: ({ first, last }) =>
      `the length, ${[ends('first', first), ends('last', last)].filter(Boolean).join(' and ') || 'no character'}`,
    compare: (a, b) => both(a.first - b.first, a.last - b.last),
  },
  pattern: {
    keys: ['pattern'],
    read: (fields) => ({ kind: 'pattern', pattern: fields.required('pattern', readPattern, '"***-**-####"') }),
    reveals: ({ pattern }) => `the characters at # of ${pattern}`,
    compare: (a, b) => equal(a.pattern, b.pattern),
  },
  hash: {
    keys: ['joins'],
    read: (fields) => ({
      kind: 'hash',
      joins: fields.optional('joins', (item) => item.oneOf(['session', 'organisation'])) ?? 'session',
    }),
    reveals: ({ joins }) =>
      `which values are equal, ${joins === 'session' ? 'within the session' : 'between sessions'}`,
    compare: (a, b) => Number(a.joins === 'organisation') - Number(b.joins === 'organisation'),
  },
  date: {
    keys: ['keep'],
    read: (fields) => ({ kind: 'date', keep: fields.required('keep', (item) => item.oneOf(datePrecisions), 'year') }),
    reveals: ({ keep }) => `the ${keep}`,
    compare: (a, b) => datePrecisions.indexOf(a.keep) - datePrecisions.indexOf(b.keep),
  },
  round: {
    keys: ['to'],
    read: (fields) => ({ kind: 'round', to: fields.required('to', readStep, '1000') }),
    reveals: ({ to }) => `the number to the nearest ${to.text}`,
    compare: (a, b) => equal(a.to.text, b.to.text),
  },
  bucket: {
    keys: ['bounds'],
    read: (fields) => ({ kind: 'bucket', bounds: fields.required('bounds', readBounds, '[0, 30000, 60000]') }),
    reveals: ({ bounds }) => `between which of ${bounds.map((one) => one.text).join(', ')} the number lies`,
    compare: (a, b) =>
      equal(
        a.bounds.map(({ text }) => text),
        b.bounds.map(({ text }) => text),
      ),
  },
  email: {
    keys: ['keep'],
    read: (fields) => ({
      kind: 'email',
      keep: fields.optional('keep', (item) => item.oneOf(['nothing', 'domain'])) ?? 'nothing',
    }),
    reveals: ({ keep }) => `which addresses are equal${keep === 'domain' ? ', and the domain' : ''}`,
    compare: (a, b) => Number(a.keep === 'domain') - Number(b.keep === 'domain'),
  },
  card: {
    keys: ['keep'],
    read: (fields) => ({ kind: 'card', keep: fields.optional('keep', (item) => item.integer(0, 4)) ?? 4 }),
    reveals: ({ keep }) => `which numbers are equal, how long they are${keep > 0 ? `, the last ${keep} digits` : ''}`,
    compare: (a, b) => a.keep - b.keep,
  },
  phone: {
    keys: ['keep'],
    read: (fields) => ({ kind: 'phone', keep: fields.optional('keep', (item) => item.integer(0, 4)) ?? 0 }),
    reveals: ({ keep }) =>
      `which numbers are equal, how they are written${keep > 0 ? `, the last ${keep} digits` : ''}`,
    compare: (a, b) => a.keep - b.keep,
  },
  json: {
    keys: ['hide', 'show'],
    read: (fields, value) => {
      const hide = fields.optional('hide', (item) => item.oneOrMore(readPath));
      const show = fields.optional('show', (item) => item.oneOrMore(readPath));
      const paths = hide ?? show;
      if (fields.has('hide') === fields.has('show') || paths === undefined)
        return value.fail('"with: json" needs either "hide" or "show", a list of paths such as $.ssn');
      return { kind: 'json', paths, listed: hide === undefined ? 'shown' : 'hidden' };
    },
    reveals: ({ paths, listed }) => {
      const list = paths.map(({ text }) => text).join(', ');
      return listed === 'hidden' ? `everything but ${list}` : `${list}, and what keys there are`;
    },
    compare: (a, b) => equal(a, b),
  },
  detected: {
    keys: ['what'],
    read: (fields) => ({
      kind: 'detected',
      what: [
        ...new Set(fields.optional('what', (item) => item.oneOrMore((one) => one.oneOf(detectable))) ?? detectable),
      ],
    }),
    reveals: () => 'every text that no detector knows',
    compare: (a, b) => equal([...a.what].sort(), [...b.what].sort()),
  },
};

export const maskKinds = Object.keys(kindShapes) as MaskKind[];

/** Kinds of which no part of the value is left, strictest first: stricter than every other kind. */
const opaqueKinds: readonly MaskKind[] = ['null', 'fixed', 'hash'];

/** What two masks for one column come to: the one that is known to keep less, NULL where neither is. */
export function stricterMask(a: Mask, b: Mask): Mask {
  if (a.kind === b.kind) {
    const order = (kindShapes[a.kind] as KindShape<MaskKind>).compare(a, b);
    return order === undefined ? { kind: 'null' } : order <= 0 ? a : b;
  }
  const [ofA, ofB] = [opaqueKinds.indexOf(a.kind), opaqueKinds.indexOf(b.kind)];
  if (ofA < 0 && ofB < 0) return { kind: 'null' };
  return ofB < 0 || (ofA >= 0 && ofA < ofB) ? a : b;
}

export function revealedBy(mask: Mask): string {
  return (kindShapes[mask.kind] as KindShape<MaskKind>).reveals(mask);
}

const ends = (which: string, count: number): string => (count === 0 ? '' : `the ${which} ${count}`);

function readKept(value: Value): { readonly first: number; readonly last: number } {
  if (!value.isMapping) return { first: 0, last: value.integer(0, 1000) };
  const fields = value.fields(configKeys.mask_keep);
  const read = (item: Value): number => item.integer(0, 1000);
  fields.notEmpty('expected first, last or both');
  return { first: fields.optional('first', read) ?? 0, last: fields.optional('last', read) ?? 0 };
}

function readPattern(value: Value): string {
  const pattern = value.string('a pattern such as "***-**-####"');
  if (!/^[\x20-\x7e]{1,200}$/.test(pattern)) value.fail('expected up to 200 characters of ASCII');
  return pattern.includes('*') ? pattern : value.fail('a pattern without "*" hides nothing');
}

function readStep(value: Value): Decimal {
  const step = readDecimal(value);
  return step.digits > 0n ? step : value.fail('expected a number above 0');
}

function readBounds(value: Value): Decimal[] {
  const bounds = value.list(readDecimal, 'the list is empty');
  const ascending = bounds.every((one, at) => {
    const before = bounds[at - 1];
    return before === undefined || before.digits * 10n ** BigInt(one.scale) < one.digits * 10n ** BigInt(before.scale);
  });
  return ascending ? bounds : value.fail('expected bounds in ascending order');
}

function readDecimal(value: Value): Decimal {
  return parseDecimal(value.numberText()) ?? value.expected('a number such as 1000 or 0.5');
}

function readPath(value: Value): JsonPath {
  const path = parseJsonPath(value.string('a path such as $.contact.email'));
  return path ?? value.fail('expected a path such as $.contact.email, $.items[*].price or $..ssn');
}
