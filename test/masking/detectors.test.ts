/** What the detectors find, what they must not take for somebody's data, and texts made to slow them down. */
import t from 'tap';
import { detect, hideDetected } from '../../src/masking/detectors/detectors.js';
import { type Detectable, detectable } from '../../src/policy/mask-kinds.js';

const hits: Readonly<Record<Detectable, readonly string[]>> = {
  email: ['ada.l+x@mail.example.com'],
  card: ['4111 1111 1111 1111', '378282246310005', '5555-5555-5555-4444'],
  iban: ['DE89370400440532013000', 'GB29 NWBK 6016 1331 9268 19'],
  'national-id': ['536-90-4399', '12345678Z', '44051401359', 'RSSMRA85T10A562S'],
  phone: ['+49 30 1234567', '(415) 555-2671', '415-555-2671'],
  secret: ['AKIAIOSFODNN7EXAMPLE', 'postgres://app:hunter22@'],
};

t.test('each is found in the middle of a text, and hidden to its last character', async (t) => {
  for (const what of detectable) {
    for (const value of hits[what]) {
      const text = `see ${value} there`;
      t.match(detect(text, [what]), [{ what, start: 4, end: 4 + value.length }], value);
      t.equal(hideDetected(detectable)(text), `see ${'*'.repeat(value.length)} there`, value);
    }
  }
});

t.test('ordinary values are left alone', async (t) => {
  const ordinary = [
    '2026-11-29 12:44:54',
    '192.168.178.201',
    '1.25e10',
    'order 4111111111111112',
    'DE00370400440532013000',
  ];
  for (const text of [...ordinary, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '@everyone', 'v1.2.3'])
    t.strictSame(detect(text), [], text);
});

t.test('long texts of what nearly matches come to an end', async (t) => {
  for (const unit of ['a', '1', '1 ', 'a@', '+1', 'DE89', 'eyJ', '-----BEGIN ', 'a://b:']) {
    t.type(hideDetected(detectable)(unit.repeat(100_000)), 'string', unit);
  }
});
