/** JSON masked in one pass over its bytes, against the same said on strings: of any form, broken ones among them. */
import fc from 'fast-check';
import t from 'tap';
import { jsonMask } from '../../src/masking/kinds/json.js';
import { maskedValue } from '../../src/masking/kinds/whole-value.js';
import { type JsonPath, parseJsonPath } from '../../src/policy/json-path.js';
import { slowJson } from './slow-json.js';

const names = ['a', 'b', 'ssn', 'é', 'long name', '1'];
const name = fc.constantFrom(...names);
const path: fc.Arbitrary<JsonPath> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: name.map((one) => `["${one}"]`) },
      fc.constant('.*'),
      fc.constant('[*]'),
      fc.constantFrom('..a', '..ssn', '..*'),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((steps) => parseJsonPath(`$${steps.join('')}`))
  .filter((one) => one !== undefined);

const blank = fc.constantFrom('', '', '', ' ', '\n\t', '\r ');
const scalar = fc.oneof(
  fc.constantFrom('null', 'true', '0', '-1.50e+300', '""', '"\\""', '"\\\\"', '"{[,:"', '"žluť"', '"\\u00e9"'),
  fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => JSON.stringify(text)),
);
const key = fc.oneof(
  name.map((one) => JSON.stringify(one)),
  fc.constantFrom('"\\u0061"', '"\\u0073sn"', '"other"', '"a\\n"', '""'),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof({ maxDepth: 5, depthSize: 'small' }, scalar, tie('list'), tie('object')),
  list: fc.tuple(fc.array(fc.tuple(blank, tie('json'), blank), { maxLength: 4 }), blank).map(([items, inner]) => {
    return `[${items.length === 0 ? inner : items.map((one) => one.join('')).join(',')}]`;
  }),
  object: fc
    .tuple(fc.array(fc.tuple(blank, key, blank, blank, tie('json'), blank), { maxLength: 4 }), blank)
    .map(([items, inner]) => {
      const fields = items.map(([a, name, b, c, value, d]) => `${a}${name}${b}:${c}${value}${d}`);
      return `{${fields.length === 0 ? inner : fields.join(',')}}`;
    }),
}));

/** As it is, or with one place changed. */
const text = fc
  .tuple(
    blank,
    json as fc.Arbitrary<string>,
    blank,
    fc.option(
      fc.tuple(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('', '"', '\\', ',', '}', ']', '{', ':', 'x'),
      ),
    ),
  )
  .map(([before, value, behind, change]) => {
    const whole = before + value + behind;
    if (change === null) return whole;
    const at = Math.floor(change[0] * whole.length);
    return whole.slice(0, at) + change[1] + whole.slice(at + 1);
  });
const steps = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  fc.array(fc.oneof(name, fc.constant(null), fc.constant(0 as const), fc.constant('7')), {
    minLength: 1,
    maxLength: 3,
  }),
);

t.test('every path, in every format', async (t) => {
  const paths = fc.array(path, { minLength: 1, maxLength: 3 });
  let shown = 0;
  const law = fc.property(
    paths,
    fc.constantFrom('hidden' as const, 'shown' as const),
    steps,
    text,
    (paths, listed, from, json) => {
      const wanted = slowJson(paths, listed, from)(json);
      if (wanted !== undefined) shown++;
      const bytes = Buffer.from(json);
      // a lone half of a character is none
      if (bytes.toString() !== json) return true;
      const withVersion = Buffer.concat([Buffer.from([1]), bytes]);
      const masked = (version: 'none' | 'needed' | 'perhaps', value: Buffer) =>
        maskedValue(jsonMask(paths, listed, version, from), value)?.toString();
      return (
        masked('none', bytes) === wanted &&
        masked('perhaps', bytes) === wanted &&
        masked('perhaps', withVersion) === (wanted === undefined ? undefined : `\x01${wanted}`) &&
        masked('needed', withVersion) === masked('perhaps', withVersion) &&
        masked('needed', bytes) === undefined
      );
    },
  );
  fc.assert(law, { numRuns: 3000 });
  t.ok(shown > 500, `${shown} of them are shown`);
});

t.test('what is not UTF-8 is NULL, wherever that stands', async (t) => {
  const paths = [parseJsonPath('$.a')].filter((one) => one !== undefined);
  const mask = jsonMask(paths, 'hidden', 'none');
  for (const place of ['{"a": "X"}', '{"X": 1}', '{"b": {"c": ["X"]}}', '{"b": X}', '{"b": "\\X"}']) {
    const bytes = Buffer.from(place);
    bytes[place.indexOf('X')] = 0xe9;
    t.equal(maskedValue(mask, bytes), undefined, place);
  }
});

t.test('too deep is NULL', async (t) => {
  const paths = [parseJsonPath('$.a')].filter((one) => one !== undefined);
  const deep = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
  t.ok(maskedValue(jsonMask(paths, 'hidden', 'none'), deep(500)));
  t.equal(maskedValue(jsonMask(paths, 'hidden', 'none'), deep(501)), undefined);
});
