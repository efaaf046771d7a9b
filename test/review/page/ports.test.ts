/** What the page has in place of Node's parts gives Node's answers, for whatever it is given. */
import assert from 'node:assert/strict';
import { createHash, webcrypto } from 'node:crypto';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'tap';
import * as native from '../../../src/gzip.js';
import { isOneMember, wholeObject } from '../../../src/transcript/one-member.js';
import { pageBundle } from './bundle.js';

const page = pageBundle();
const odd = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'AZaz09+/-_= \n\u0141\u013d\u2044é𝒳'),
    fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
  ),
});

test('Buffer: texts to bytes and back', (t) => {
  const { WebBuffer } = page;
  fc.assert(
    fc.property(odd, fc.uint8Array(), (text, bytes) => {
      for (const encoding of ['utf8', 'base64', 'base64url'] as const)
        assert.equal(WebBuffer.from(text, encoding).toString('hex'), Buffer.from(text, encoding).toString('hex'));
      for (const encoding of ['utf8', 'base64', 'base64url', 'hex', 'latin1'] as const)
        assert.equal(WebBuffer.from(bytes).toString(encoding), Buffer.from(bytes).toString(encoding));
      assert.equal(WebBuffer.byteLength(text), Buffer.byteLength(text));
    }),
    { numRuns: 500 },
  );
  t.end();
});

test('Buffer: parts', (t) => {
  const { WebBuffer } = page;
  fc.assert(
    fc.property(
      fc.uint8Array(),
      fc.uint8Array(),
      fc.integer({ min: -40, max: 40 }),
      fc.integer({ min: -40, max: 40 }),
      (a, b, from, to) => {
        assert.equal(
          WebBuffer.concat([a, b]).subarray(from, to).toString('hex'),
          Buffer.concat([a, b]).subarray(from, to).toString('hex'),
        );
        assert.equal(WebBuffer.from(a).reverse().toString('hex'), Buffer.from(a).reverse().toString('hex'));
        assert.equal(WebBuffer.from(a).indexOf(10), Buffer.from(a).indexOf(10));
        assert.equal(WebBuffer.from(a.buffer, 0, a.length).lastIndexOf(10), Buffer.from(a).lastIndexOf(10));
      },
    ),
  );
  t.end();
});

test('SHA-256, at once and in pieces', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 200 })),
      fc.string({ unit: 'binary', maxLength: 300 }),
      (pieces, text) => {
        const [ours, theirs] = [page.newSha256(), createHash('sha256')];
        for (const piece of [...pieces, text]) {
          ours.update(piece);
          theirs.update(piece);
        }
        assert.equal(ours.digest('hex'), theirs.digest('hex'));
        assert.equal(page.sha256(text, 'base64url'), createHash('sha256').update(text).digest('base64url'));
      },
    ),
  );
  t.end();
});

const levels = [0, 1, 6, 9];
const strategies = [constants.Z_DEFAULT_STRATEGY, constants.Z_HUFFMAN_ONLY, constants.Z_RLE, constants.Z_FIXED];
const content = fc.oneof(
  fc.uint8Array({ maxLength: 5000 }),
  fc
    .array(fc.constantFrom('SELECT ', 'orders', '{"n":', 'aaaaaaaa', '\n'), { maxLength: 3000 })
    .map((words) => new TextEncoder().encode(words.join(''))),
);

test('gzip: what is whole', (t) => {
  fc.assert(
    fc.property(content, fc.constantFrom(...levels), fc.constantFrom(...strategies), (bytes, level, strategy) => {
      const packed = gzipSync(bytes, { level, strategy });
      const found = page.gunzipAtOnce(packed, 1 << 20);
      if (found === 'too-much') return assert.fail('too much');
      assert.ok(Buffer.from(found.bytes).equals(bytes));
      assert.equal(found.taken, packed.length);
      if (bytes.length > 0) assert.equal(page.gunzipAtOnce(packed, bytes.length - 1), 'too-much');
    }),
  );
  t.end();
});

test('gzip: what is damaged, cut off, or followed by more', (t) => {
  fc.assert(
    fc.property(
      content,
      fc.nat(),
      fc.nat({ max: 255 }),
      fc.uint8Array({ maxLength: 30 }),
      (bytes, at, change, more) => {
        const packed = gzipSync(bytes);
        const changed = Buffer.from(packed);
        changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ change;
        for (const given of [changed, packed.subarray(0, at % packed.length), Buffer.concat([packed, more])]) {
          const ours = usable(given, page.gunzipAtOnce);
          assert.equal(ours, usable(given, native.gunzipAtOnce), Buffer.from(given).toString('hex').slice(0, 200));
        }
      },
    ),
    { numRuns: 400 },
  );
  t.end();
});

/** What a reader of transcripts makes of it. */
function usable(given: Uint8Array, unpack: typeof native.gunzipAtOnce): string {
  try {
    const found = unpack(given, 1 << 20);
    if (found === 'too-much') return found;
    if (given.length < 4 || !isOneMember(wholeObject(given), found.taken, found.bytes.length)) return 'damaged';
    return Buffer.from(found.bytes).toString('hex');
  } catch {
    return 'damaged';
  }
}

test('gzip: many small blocks', (t) => {
  const text = Array.from({ length: 2000 }, (_, n) => `statement ${n * 7919} of ${n % 13}`).join('\n');
  for (const memLevel of [1, 5, 9]) {
    const packed = gzipSync(text, { memLevel });
    const found = page.gunzipAtOnce(packed, 1 << 22);
    t.equal(found === 'too-much' ? found : Buffer.from(found.bytes).toString(), gunzipSync(packed).toString());
  }
  t.end();
});

test('attack: a browser that says yes to everything, or knows no Ed25519, is not believed', async (t) => {
  const { subtle } = webcrypto;
  const yes = { ...methodsOf(subtle), verify: async () => true };
  t.equal(await pageBundle(yes).knowsEd25519(), false);
  const old = {
    ...methodsOf(subtle),
    importKey: async () => Promise.reject(new DOMException('no', 'NotSupportedError')),
  };
  t.equal(await pageBundle(old).knowsEd25519(), false);
  const odd = { ...methodsOf(subtle), verify: async () => 1 };
  t.equal(await pageBundle(odd).knowsEd25519(), false);
});

function methodsOf(subtle: webcrypto.SubtleCrypto): Record<string, unknown> {
  return {
    importKey: subtle.importKey.bind(subtle),
    verify: subtle.verify.bind(subtle),
    digest: subtle.digest.bind(subtle),
  };
}
