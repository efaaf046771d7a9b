/**
 * How often detectors take for somebody's data what is none: random values of forms that databases are full of. The table
 * in src/masking/README.md says what was measured; here it is held to it.
 */
import { createHash } from 'node:crypto';
import t from 'tap';
import { detect } from '../../src/masking/detectors/detectors.js';
import { ColumnEvidence } from '../../src/masking/undeclared/column-evidence.js';
import { type Detectable, detectable } from '../../src/policy/mask-kinds.js';

const tries = 20_000;

/** The same values in each run: bytes by a counter. */
function bytes(n: number): Buffer {
  return createHash('sha256').update(`value ${n}`).digest();
}

function digits(n: number, count: number): string {
  return String(BigInt(`0x${bytes(n).toString('hex', 0, 24)}`)).slice(-count);
}

const letters = (n: number, count: number): string =>
  [...bytes(n).subarray(0, count)].map((byte) => String.fromCharCode(65 + (byte % 26))).join('');

const forms: Readonly<Record<string, (n: number) => string>> = {
  'numbers of 16 digits': (n) => digits(n, 16),
  'numbers of 13 digits': (n) => digits(n, 13),
  'numbers of 11 digits': (n) => digits(n, 11),
  'numbers of 10 digits': (n) => digits(n, 10),
  '8 digits and a letter': (n) => digits(n, 8) + letters(n, 1),
  AB123456C: (n) => letters(n, 2) + digits(n, 6) + letters(n + 1, 1),
  'ddd-dd-dddd': (n) => digits(n, 9).replace(/(...)(..)(....)/, '$1-$2-$3'),
  'ddd-ddd-dddd': (n) => digits(n, 10).replace(/(...)(...)(....)/, '$1-$2-$3'),
  'two letters and 20 digits': (n) => letters(n, 2) + digits(n, 20),
  UUIDs: (n) =>
    bytes(n)
      .toString('hex', 0, 16)
      .replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5'),
  'hashes in hex': (n) => bytes(n).toString('hex'),
  'random base64': (n) => bytes(n).toString('base64'),
  times: (n) => new Date(1_000_000_000_000 + bytes(n).readUInt32BE(0) * 250).toISOString(),
  amounts: (n) => `${bytes(n).readUInt32BE(0) % 1_000_000}.${digits(n, 2)}`,
  'IP addresses': (n) => [...bytes(n).subarray(0, 4)].join('.'),
  words: (n) => `${letters(n, 6).toLowerCase()} ${letters(n + 1, 4).toLowerCase()} ${letters(n + 2, 8)}`,
};

/** Per cent, rounded up from what was measured; whatever is not listed was never taken for anything. */
const most: Readonly<Record<string, Partial<Record<Detectable, number>>>> = {
  'numbers of 16 digits': { card: 2.4 },
  'numbers of 13 digits': { card: 0.05 },
  'numbers of 11 digits': { 'national-id': 2 },
  '8 digits and a letter': { 'national-id': 4.4 },
  AB123456C: { 'national-id': 9 },
  'ddd-dd-dddd': { 'national-id': 90 },
  'ddd-ddd-dddd': { phone: 65 },
  'two letters and 20 digits': { iban: 0.05 },
  UUIDs: { card: 0.05 },
  'hashes in hex': { card: 0.05 },
};

for (const [form, make] of Object.entries(forms)) {
  t.test(form, async (t) => {
    const taken = new Map<Detectable, number>();
    for (let n = 0; n < tries; n++) {
      for (const what of new Set(detect(make(n)).map((one) => one.what))) taken.set(what, (taken.get(what) ?? 0) + 1);
    }
    for (const what of detectable) {
      const share = (100 * (taken.get(what) ?? 0)) / tries;
      const limit = most[form]?.[what] ?? 0;
      if (share > 0) t.comment(`${form}: ${what} ${share} %`);
      t.ok(share <= limit, `${what}: ${share} % of ${form}`);
    }
  });
}

t.test('no column of such values is reported, at whatever row one asks', async (t) => {
  for (const [form, make] of Object.entries(forms)) {
    for (let column = 0; column < 20; column++) {
      const evidence = new ColumnEvidence('public.things.code', 'things', 'code', detectable);
      const reported = new Set<Detectable>();
      for (let n = 0; n < 500; n++) {
        evidence.look(make(column * 500 + n));
        for (const what of evidence.report()) reported.add(what);
      }
      if (reported.size > 0) t.fail(`${form}: ${[...reported].join(', ')}`);
    }
  }
  t.pass();
});

t.test('a column called like what its form is by chance is reported from half of its values on', async (t) => {
  const evidence = new ColumnEvidence('public.people.ssn', 'people', 'ssn', detectable);
  for (let n = 0; n < 10; n++) evidence.look(n % 2 === 0 ? `219-09-${1000 + n}` : 'unknown');
  t.strictSame(evidence.report(), ['national-id']);
  t.strictSame(evidence.report(), [], 'said once');
});
