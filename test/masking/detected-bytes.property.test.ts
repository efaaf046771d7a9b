/** What one pass over the bytes says of a text, against the detectors themselves. */
import fc from 'fast-check';
import t from 'tap';
import { detect, hideDetected } from '../../src/masking/detectors/detectors.js';
import { lookAt, newLook, possible } from '../../src/masking/detectors/quick-look.js';
import { detectedMask } from '../../src/masking/kinds/detected.js';
import { detectable } from '../../src/policy/mask-kinds.js';

const whole = fc.constantFrom(
  ...['ada.l+x@mail.example.com', 'a@b.co', "o'neil%_-@x-1.info", 'a@b.c', 'a@b..co', 'a@.co', '@b.co', 'a@b.co1'],
  ...['4111 1111 1111 1111', '378282246310005', '5555-5555-5555-4444', 'DE89370400440532013000'],
  ...['GB29 NWBK 6016 1331 9268 19', '536-90-4399', 'AB 12 34 56 C', '12345678Z', 'X1234567L', '44051401359'],
  ...['RSSMRA85T10A562S', '2 69 05 49 588 157 80', '269052A58815780', '+49 30 1234567', '(415) 555-2671'],
  ...[
    '415.555.2671',
    'AKIAIOSFODNN7EXAMPLE',
    'postgres://app:hunter22@',
    `ghp_${'a1'.repeat(18)}`,
    'sk-abcdefghij0123456789',
  ],
  ...[`AIza${'b'.repeat(35)}`, 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkw.SflKxwRJSMeKKF2QT4', 'xoxb-1234567890ab'],
);
const invisible = fc.constantFrom('', '', '', '\u00ad', '\u200b', '\ufeff', 'é', '日');
const piece = fc.oneof(
  { weight: 4, arbitrary: whole },
  { weight: 3, arbitrary: fc.constantFrom(' ', '-', '.', ',', 'see ', 'X', 'ab', '@', '7', '\n', '/', ':') },
  { weight: 2, arbitrary: fc.stringMatching(/^[0-9A-Za-z@. +()-]{0,12}$/) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }) },
  // one that is cut or parted
  {
    weight: 2,
    arbitrary: fc.tuple(whole, fc.nat(30), invisible).map(([one, at, put]) => one.slice(0, at) + put + one.slice(at)),
  },
);
const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
const what = fc.subarray([...detectable], { minLength: 1 });

t.test('what is found was possible', async (t) => {
  const seen = new Set<string>();
  const law = fc.property(text, (text) => {
    const bytes = Buffer.from(text);
    const look = newLook();
    lookAt(bytes, 0, bytes.length, look);
    return detectable.every((one) => {
      const found = detect(text, [one]).length > 0;
      if (found) seen.add(one);
      return !found || possible[one](look);
    });
  });
  fc.assert(law, { numRuns: 5000 });
  t.strictSame([...seen].sort(), [...detectable].sort(), 'each has been found');
});

t.test('what is hidden is what the detectors hide, where it stands and elsewhere', async () => {
  const law = fc.property(what, text, fc.nat(3), (what, text, offset) => {
    const bytes = Buffer.from(text);
    if (bytes.toString() !== text) return true;
    const room = Buffer.concat([Buffer.alloc(offset), bytes]);
    const mask = detectedMask(what);
    const to = Buffer.alloc(bytes.length);
    const elsewhere = mask.write(room, offset, room.length, to, 0);
    const here = mask.write(room, offset, room.length, room, 0);
    const wanted = hideDetected(what)(text);
    return to.toString('utf8', 0, elsewhere) === wanted && room.toString('utf8', 0, here) === wanted;
  });
  fc.assert(law, { numRuns: 5000 });
});

t.test('what is not UTF-8 is NULL', async (t) => {
  const bytes = Buffer.from('caf\xe9 ada@example.com', 'latin1');
  t.equal(detectedMask(['email']).write(bytes, 0, bytes.length, bytes, 0), -1);
});
