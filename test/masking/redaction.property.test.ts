/** Redacted values are valid values of their type, no longer than before, and of what holds nothing every byte stays. */
import fc from 'fast-check';
import t from 'tap';
import { detect, hideDetected } from '../../src/masking/detectors/detectors.js';
import type { Format } from '../../src/masking/kinds/cell.js';
import { maskedValue } from '../../src/masking/kinds/whole-value.js';
import { redaction } from '../../src/masking/undeclared/redaction.js';
import { detectable } from '../../src/policy/mask-kinds.js';

const personal = fc.constantFrom(
  'ada@example.org',
  '4111 1111 1111 1111',
  'DE89 3704 0044 0532 0130 00',
  '219-09-9999',
  '+44 20 7946 0123',
  'AKIAIOSFODNN7EXAMPLE',
  'postgres://u:pa","{}ss@db',
);
const piece = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  personal,
  fc.constantFrom('"', '\\', '\n', ' ', ','),
);
const text = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('').replaceAll('\0', ''));
const hide = hideDetected(detectable);
const textOid = 25;
const textArray = 1009;
const jsonb = 3802;
const json = 114;

function redacted(oid: number, value: Buffer, format: Format = 'text'): Buffer {
  const mask = redaction(detectable, { oid, textual: false }, format);
  const result = mask && maskedValue(mask, value);
  if (result === undefined) throw new Error('nothing is left');
  return result;
}

t.test('text', async (t) => {
  fc.assert(
    fc.property(text, (value) => {
      const before = Buffer.from(value);
      const after = redacted(textOid, before);
      if (detect(value).length === 0) return after.equals(before);
      return after.length <= before.length && [...after.toString()].length <= [...value].length;
    }),
  );
  t.pass();
});

t.test('JSON: valid, no longer, each string as if it stood alone, however it is escaped', async (t) => {
  const tree = fc
    .jsonValue({ maxDepth: 3 })
    .chain((value) => text.map((held) => ({ value, held, list: [held, value] })));
  const escapes = fc.constantFrom(
    (written: string) => written,
    (written: string) => written.replace(/@/g, '\\u0040'),
    (written: string) =>
      written.replace(/[^\x20-\x7e]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
  fc.assert(
    fc.property(tree, escapes, fc.constantFrom(json, jsonb), (value, written, oid) => {
      const before = Buffer.from(written(JSON.stringify(value)));
      const after = redacted(oid, before);
      const held: unknown = JSON.parse(after.toString()).held;
      const binary = Buffer.concat([Buffer.from([1]), before]);
      const sameInBinary = oid === json || redacted(jsonb, binary, 'binary').subarray(1).equals(after);
      return sameInBinary && after.length <= before.length && held === hide(value.held);
    }),
  );
  t.pass();
});

t.test('arrays: each element as if it stood alone', async (t) => {
  const quoted = (one: string): string => `"${one.replace(/["\\]/g, '\\$&')}"`;
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (elements) => {
      const after = redacted(textArray, Buffer.from(`{${elements.map(quoted).join(',')}}`)).toString();
      const read = [...after.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|[^,"]+/gs)].map(([whole, inner]) =>
        (inner ?? whole).replace(/\\(.)/gs, '$1'),
      );
      return read.length === elements.length && read.every((one, at) => one === hide(elements[at] ?? ''));
    }),
  );
  t.pass();
});

t.test('types without text are left alone; so is text of an unknown encoding that holds nothing', async (t) => {
  for (const oid of [23, 20, 1700, 17, 1082, 2950])
    t.equal(redaction(detectable, { oid, textual: false }, 'text'), undefined);
  const latin1 = Buffer.from('caf\xe9', 'latin1');
  t.ok(redacted(textOid, latin1).equals(latin1));
  t.equal(
    redacted(textOid, Buffer.from('caf\xe9 ada@b.example', 'latin1')).toString('latin1'),
    'caf\xe9 *************',
  );
});

t.test('texts of repeated baits come to an end', async (t) => {
  for (const bait of ['a@', '1 ', '+1-', 'eyJa.', 'postgres://a:', '"\\', '\u200b', '{"']) {
    const long = Buffer.from(bait.repeat(200_000));
    for (const oid of [textOid, jsonb]) t.ok(redacted(oid, long).length <= long.length, bait);
  }
});
