/**
 * Laws of every kind of mask over every type, on values that PostgreSQL wrote and reads back:
 * never the value itself, always valid for its type, the same in text and binary, the same for the same value.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import t from 'tap';
import { type Format, growthFor } from '../../src/masking/kinds/cell.js';
import { cellMask, isValidFor, kinds, type MaskKeys } from '../../src/masking/kinds/table.js';
import { codecs, type ValueType } from '../../src/masking/kinds/value-types.js';
import { parseConfig } from '../../src/policy/config.js';
import {
  kindShapes,
  type Mask,
  type MaskKind,
  maskKinds,
  revealedBy,
  stricterMask,
} from '../../src/policy/mask-kinds.js';
import { startPostgres } from '../helpers/postgres.js';
import { repositoryRoot } from '../helpers/repository.js';

const keys: MaskKeys = { session: Buffer.alloc(32, 3), organisation: Buffer.alloc(32, 4) };

/** As files declare them; a kind without a line fails below. */
const declared: Readonly<Record<MaskKind, readonly string[]>> = {
  null: ['with: null'],
  fixed: [
    'with: fixed, value: "***"',
    'with: fixed, value: "7"',
    'with: fixed, value: "2001-02-03"',
    `with: fixed, value: '{"a": 1}'`,
  ],
  partial: ['with: partial, keep: 3', 'with: partial, keep: { first: 1, last: 2 }', 'with: partial, keep: 0'],
  pattern: ['with: pattern, pattern: "##*"'],
  hash: ['with: hash', 'with: hash, joins: organisation'],
  date: ['decade', 'year', 'quarter', 'month', 'day', 'hour'].map((keep) => `with: date, keep: ${keep}`),
  round: ['with: round, to: 1000', 'with: round, to: 0.5'],
  bucket: ['with: bucket, bounds: [-1000, 0, 20.5, 4000]', 'with: bucket, bounds: [0, 100]'],
  email: ['with: email', 'with: email, keep: domain'],
  card: ['with: card', 'with: card, keep: 0'],
  phone: ['with: phone', 'with: phone, keep: 2'],
  json: ['with: json, hide: $..secret', 'with: json, show: ["$.a", "$.list[*].b"]'],
  detected: ['with: detected', 'with: detected, what: email'],
};

const masks: readonly Mask[] = Object.values(declared).flatMap((lines) =>
  lines.map((line) => {
    const [one] = parseConfig(`version: 1\nmask: [{ column: a.b, ${line} }]`, 'dbguard.yaml').mask;
    return one?.mask ?? { kind: 'null' };
  }),
);

const iso = (date: Date): string => date.toISOString();
/** Without a first of January, a full hour, a multiple of a step: those are their own truncated form. */
const instants = fc
  .date({ min: new Date('1900-02-02T01:02:03Z'), max: new Date('2090-11-28T01:02:03Z'), noInvalidDate: true })
  .map((date) => new Date(Math.floor(date.getTime() / 3_600_000) * 3_600_000 + 754_321))
  .filter((date) => date.getUTCDate() > 1);
const oddInteger = (max: number) => fc.integer({ min: -max, max }).map((n) => n - (n % 1000) + 7);
const json = fc
  .record({
    secret: fc.string({ minLength: 1 }),
    a: fc.json(),
    list: fc.array(fc.record({ b: fc.integer(), c: fc.string() })),
  })
  .map((value) => JSON.stringify(value).replaceAll('\\u0000', ''));
const texts = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.emailAddress(),
    fc.constantFrom('4111 1111 1111 1111', '+49 30 1234567', 'ab*'),
  )
  .map((text) => text.replaceAll('\0', ''));

const values: { readonly [T in ValueType]: fc.Arbitrary<string> } = {
  text: texts,
  int2: oddInteger(30_000).map(String),
  int4: oddInteger(2_000_000_000).map(String),
  int8: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }).map((n) => String(n - (n % 1000n) + 7n)),
  numeric: fc.tuple(oddInteger(1_000_000), fc.integer({ min: 1, max: 99 })).map(([n, f]) => `${n}.${f}7`),
  float4: oddInteger(90_000).map((n) => `${n}.25`),
  float8: oddInteger(90_000_000).map((n) => `${n}.375`),
  bool: fc.constantFrom('t', 'f'),
  uuid: fc.uuid(),
  bytea: fc.uint8Array({ minLength: 1 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  date: instants.map((date) => iso(date).slice(0, 10)),
  timestamp: instants.map((date) => iso(date).slice(0, 23)),
  timestamptz: instants.map(iso),
  json,
  jsonb: json,
};

function masked(mask: Mask, oid: number, value: Buffer, format: Format): Buffer | null {
  const cell = cellMask(mask, { oid, textual: false }, format, keys);
  const room = Buffer.alloc(value.length + growthFor(cell, value, 0, value.length));
  const length = cell.write(value, 0, value.length, room, 0);
  t.ok(length <= room.length, 'no more room than was asked for');
  return length < 0 ? null : room.subarray(0, length);
}

/** array_send: one dimension. */
function binaryArray(oid: number, elements: readonly (Buffer | null)[]): Buffer {
  const head = Buffer.alloc(20);
  for (const [at, word] of [1, elements.includes(null) ? 1 : 0, oid, elements.length, 1].entries())
    head.writeInt32BE(word, at * 4);
  return Buffer.concat([
    head,
    ...elements.flatMap((element) => {
      const size = Buffer.alloc(4);
      size.writeInt32BE(element?.length ?? -1);
      return [size, element ?? Buffer.alloc(0)];
    }),
  ]);
}

t.test('every kind has its examples, its types and its words', async (t) => {
  t.strictSame(Object.keys(kinds).sort(), [...maskKinds].sort());
  for (const kind of maskKinds) {
    t.ok(
      masks.some((mask) => mask.kind === kind),
      kind,
    );
    t.ok(kinds[kind].types.length > 0, kind);
  }
  for (const mask of masks) t.ok(revealedBy(mask).length > 5, JSON.stringify(declared[mask.kind]));
});

t.test('the chapter has every kind with its keys and types', async (t) => {
  const chapter = readFileSync(join(repositoryRoot, 'src/masking/README.md'), 'utf8');
  for (const kind of maskKinds) {
    const [, keys = '', types = ''] =
      new RegExp(`^\\| \\x60${kind}\\x60 \\|([^|]*)\\|([^|]*)\\|`, 'm').exec(chapter) ?? [];
    for (const key of kindShapes[kind].keys) t.match(keys, `\x60${key}`, `${kind}.${key}`);
    t.equal(types.trim(), typeWords(kinds[kind].types), kind);
  }
});

/** As the chapter says it. */
function typeWords(types: readonly ValueType[]): string {
  if (types.length === Object.keys(codecs).length) return 'all';
  const numbers = ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'];
  const others = types.filter((type) => !numbers.includes(type));
  const timestamps = others.includes('timestamp') && others.includes('timestamptz');
  const words = others.flatMap((type) =>
    type === 'timestamptz' && timestamps ? [] : [timestamps && type === 'timestamp' ? 'timestamps' : type],
  );
  if (types.includes('int2')) words.splice(words[0] === 'text' ? 1 : 0, 0, 'numbers');
  return words.join(', ');
}

t.test('values of every type under every kind', async (t) => {
  const postgres = await startPostgres({ auth: 'trust' });
  t.teardown(() => postgres.stop());
  const raw = { getTypeParser: () => (value: unknown) => value };
  const client = new pg.Client({ connectionString: postgres.url(), types: raw as never });
  await client.connect();
  t.teardown(() => client.end());
  await client.query("SET timezone = 'UTC'; SET extra_float_digits = 1");
  const column = async (text: string, given: unknown): Promise<unknown[]> =>
    (await client.query({ text, values: [given], rowMode: 'array' })).rows.flat();

  for (const type of Object.keys(codecs) as ValueType[]) {
    await t.test(type, async (t) => {
      const [oid] = (await column('SELECT $1::regtype::oid::text', type)).map(Number) as [number];
      const law = fc.asyncProperty(fc.array(values[type], { minLength: 1, maxLength: 30 }), async (given) => {
        const list = `SELECT v::${type} FROM unnest($1::text[]) WITH ORDINALITY u(v, n) ORDER BY n`;
        const written = (await column(list, given)) as string[];
        const hex = list.replace(`v::${type}`, `encode(${send(type)}(v::${type}), 'hex')`);
        const sent = ((await column(hex, given)) as string[]).map((one) => Buffer.from(one, 'hex'));
        for (const mask of masks) {
          const of = (from: readonly (string | Buffer)[], format: Format) =>
            from.map((value) => masked(mask, oid, Buffer.from(value as string), format));
          const inText = of(written, 'text').map((value) => value?.toString() ?? null);
          const inBinary = of(sent, 'binary');
          const what = `${mask.kind} of ${type}: ${JSON.stringify(written).slice(0, 200)}`;
          if (!isValidFor(mask, { oid, textual: false })) {
            if (inText.some((one) => one !== null) || inBinary.some((one) => one !== null))
              throw new Error(`${what} is shown`);
            continue;
          }
          const back = (await column(`SELECT v::text FROM unnest($1::${type}[]) v`, inText)) as (string | null)[];
          const backToo = (await column(`SELECT v::text FROM unnest($1::${type}[]) v`, binaryArray(oid, inBinary))) as (
            | string
            | null
          )[];
          for (const [at, value] of written.entries()) {
            if (back[at] !== backToo[at]) throw new Error(`${what}: ${back[at]} in text, ${backToo[at]} in binary`);
            // a constant is no value; what no detector knows and what no path names stays
            const mayStay = mask.kind === 'fixed' || mask.kind === 'detected' || mask.kind === 'json';
            if (!mayStay && value !== '' && back[at] === value) throw new Error(`${what}: the value itself`);
          }
          if (JSON.stringify(of(written, 'text').map(String)) !== JSON.stringify(inText.map(String)))
            throw new Error(`${what}: not the same twice`);
          if (type === 'json' || type === 'jsonb') for (const one of back) leaks(mask, one, what);
          const array = await column(`SELECT $1::${type}[]`, inText.length > 0 ? written : []);
          const elements = masked(mask, arrayOid(type), Buffer.from(String(array[0])), 'text');
          if (elements !== null) {
            const same = (await column(`SELECT v::text FROM unnest($1::${type}[]) v`, elements.toString())) as (
              | string
              | null
            )[];
            if (JSON.stringify(same) !== JSON.stringify(back))
              throw new Error(`${what}: other elements in an array: ${elements}`);
            const bytes = masked(mask, arrayOid(type), binaryArray(oid, sent), 'binary');
            const sameToo = (await column(`SELECT v::text FROM unnest($1::${type}[]) v`, bytes)) as (string | null)[];
            if (JSON.stringify(sameToo) !== JSON.stringify(back))
              throw new Error(`${what}: other elements in a binary array`);
          }
        }
        return true;
      });
      await fc.assert(law, { numRuns: Number(process.env.KIND_RUNS ?? 4) });
      t.pass(type);
    });
  }
});

function leaks(mask: Mask, json: string | null, what: string): void {
  if (mask.kind !== 'json' || json === null) return;
  const value = JSON.parse(json) as { secret?: unknown; a?: unknown; list?: { b: unknown; c: unknown }[] };
  const hidden = mask.listed === 'hidden' ? value.secret : [value.secret, ...(value.list ?? []).map((one) => one.c)];
  const kept = mask.listed === 'hidden' || typeof value.list?.[0]?.b !== 'object';
  if ([hidden].flat().some((one) => one !== null && one !== undefined) || !kept) throw new Error(`${what}: ${json}`);
}

const arrayOids = {
  text: 1009,
  int2: 1005,
  int4: 1007,
  int8: 1016,
  numeric: 1231,
  float4: 1021,
  float8: 1022,
  bool: 1000,
  uuid: 2951,
  bytea: 1001,
  date: 1182,
  timestamp: 1115,
  timestamptz: 1185,
  json: 199,
  jsonb: 3807,
};
const arrayOid = (type: ValueType): number => arrayOids[type];

t.test('of two masks for one column the one holds that is known to keep less, NULL where neither is', async (t) => {
  const same = (a: Mask, b: Mask): boolean => JSON.stringify(a, big) === JSON.stringify(b, big);
  const shows = (mask: Mask, text: string): string => masked(mask, 25, Buffer.from(text), 'text')?.toString() ?? '';
  const letters = fc.stringMatching(/^[a-z]{3,12}$/);
  fc.assert(
    fc.property(fc.constantFrom(...masks), fc.constantFrom(...masks), letters, (a, b, text) => {
      const both = stricterMask(a, b);
      if (both.kind !== stricterMask(b, a).kind) return false;
      if (both.kind === 'null') return true;
      if (!same(both, a) && !same(both, b)) return false;
      // no letter is shown at a place where the other one hides it
      if (both.kind !== 'partial') return ['fixed', 'hash'].includes(both.kind) || both.kind === a.kind;
      return [a, b].every((one) => [...shows(both, text)].every((c, at) => c === '*' || shows(one, text)[at] === c));
    }),
    { numRuns: 500 },
  );
  t.strictSame(
    stricterMask({ kind: 'partial', first: 4, last: 0 }, { kind: 'partial', first: 0, last: 4 }),
    { kind: 'null' },
    'each shows what the other hides',
  );
});

/** The type's own binary form; names with a digit have no underscore. */
const send = (type: ValueType): string => (/\d|text|bool|bytea/.test(type) ? `${type}send` : `${type}_send`);

const big = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
