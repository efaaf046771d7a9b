import t from 'tap';
import { saslPrep } from '../../src/wire/scram-saslprep.js';

t.test('the examples of RFC 4013 section 3', async (t) => {
  t.equal(await saslPrep('I\u00adX'), 'IX', 'soft hyphen mapped to nothing');
  t.equal(await saslPrep('user'), 'user');
  t.equal(await saslPrep('USER'), 'USER', 'case is kept');
  t.equal(await saslPrep('\u00aa'), 'a', 'output is NFKC');
  t.equal(await saslPrep('\u2168'), 'IX', 'output is NFKC, a Roman numeral');
});

t.test('where the RFC says error, PostgreSQL takes the password as it is', async (t) => {
  for (const [password, why] of [
    ['\u0007', 'prohibited, but plain ASCII: never looked at'],
    ['\u00aa\u0007', 'prohibited character'],
    ['\u0627\u0031', 'right-to-left text that ends in a digit'],
    ['\u0627a\u0627', 'both directions in one password'],
    ['\u00aa\u{1f980}', 'a crab: unassigned in Unicode 3.2'],
    ['\u00aa\ud800', 'half a surrogate pair'],
    ['\u00ad', 'nothing left'],
  ] as const) {
    t.equal(await saslPrep(password), password, why);
  }
});

t.test('right-to-left passwords that are fine are normalised', async (t) => {
  t.equal(await saslPrep('\ufe8d\u0627'), '\u0627\u0627', 'presentation form of alef');
});

t.test('spaces that are not ASCII become one', async (t) => {
  t.equal(await saslPrep('a\u00a0b\u3000c'), 'a b c');
  t.equal(
    await saslPrep('a\u200bb'),
    'a b',
    'the zero-width space is in two tables: PostgreSQL looks into this one first',
  );
});
