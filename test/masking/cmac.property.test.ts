/** AES-CMAC of many messages at once: RFC 4493's and NIST's examples, and node:crypto's CBC one by one. */
import fc from 'fast-check';
import t from 'tap';
import { CmacBatch, CmacKey } from '../../src/masking/keyed/cmac.js';
import { cmac } from './slow-masks.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const message = hex(
  '6bc1bee2 2e409f96 e93d7e11 7393172a ae2d8a57 1e03ac9c 9eb76fac 45af8e51 30c81c46 a35ce411 e5fbc119 1a0a52ef f69f2445 df4f9b17 ad2b417b e66c3710',
);

/** RFC 4493, section 4; NIST SP 800-38B, appendix D.3. */
const examples = [
  {
    key: hex('2b7e1516 28aed2a6 abf71588 09cf4f3c'),
    tags: {
      0: 'bb1d6929 e9593728 7fa37d12 9b756746',
      16: '070a16b4 6b4d4144 f79bdd9d d04a287c',
      40: 'dfa66747 de9ae630 30ca3261 1497c827',
      64: '51f0bebf 7e3b9d92 fc497417 79363cfe',
    },
  },
  {
    key: hex('603deb10 15ca71be 2b73aef0 857d7781 1f352c07 3b6108d7 2d9810a3 0914dff4'),
    tags: {
      0: '028962f6 1b7bf89e fc6b551f 4667d983',
      16: '28a7023f 452e8f82 bd4bf28d 8c37c35c',
      40: 'aaf3d8f1 de5640c2 32f5b169 b9c911e6',
      64: 'e1992190 549f6ed5 696a2c05 6c315410',
    },
  },
] as const;

function tagsOf(key: Buffer, messages: readonly Uint8Array[], batch = new CmacBatch(() => new CmacKey(key))): string[] {
  for (const one of messages) batch.add(one, 0, one.length);
  const tags = Buffer.from(batch.finish());
  return messages.map((_, at) => tags.toString('hex', at * 16, at * 16 + 16));
}

t.test('the examples of RFC 4493 and SP 800-38B, alone and together', async (t) => {
  for (const { key, tags } of examples) {
    const wanted = Object.values(tags).map((tag) => hex(tag).toString('hex'));
    const messages = Object.keys(tags).map((length) => message.subarray(0, Number(length)));
    t.strictSame(tagsOf(key, messages), wanted);
    t.strictSame(
      messages.flatMap((one) => tagsOf(key, [one])),
      wanted,
    );
  }
});

const lengths = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 70 }) },
  { weight: 2, arbitrary: fc.constantFrom(16, 32, 48, 255, 256, 1000, 4096) },
  { weight: 1, arbitrary: fc.constantFrom(65_535, 65_536, 65_537, 70_000, 131_072, 200_001) },
);
const keys = fc.constantFrom(16, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));

t.test('any messages, in any order, wherever in their buffer they stand', async () => {
  const batches = fc.array(fc.array(lengths, { maxLength: 40 }), { minLength: 1, maxLength: 3 });
  const law = fc.property(keys, batches, fc.nat(5), fc.nat(), (bytes, rounds, offset, seed) => {
    const key = Buffer.from(bytes);
    const batch = new CmacBatch(() => new CmacKey(key));
    for (const round of rounds) {
      const source = Buffer.alloc(offset + round.reduce((sum, one) => sum + one, 0));
      for (let at = 0; at < source.length; at++) source[at] = Math.imul(at + seed, 0x9e3779b1) >>> 24;
      let from = offset;
      const messages: Buffer[] = [];
      for (const length of round) {
        const one = source.subarray(from, from + length);
        messages.push(one);
        const isAscii = one.every((byte) => byte < 0x80);
        if (batch.add(source, from, from + one.length) !== isAscii) return false;
        from += one.length;
      }
      const tags = Buffer.from(batch.finish());
      // what was added is not looked at any more
      const wanted = messages.map((one) => cmac(key, one).toString('hex')).join('');
      if (tags.toString('hex') !== wanted || batch.length !== 0) return false;
    }
    return true;
  });
  fc.assert(law, { numRuns: 200 });
});
