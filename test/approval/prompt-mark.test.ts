/** The words of a prompt: the person's own, and until they choose some, ones that stay. */
import fc from 'fast-check';
import { test } from 'tap';
import { markProblem, promptMark } from '../../src/approval/prompt-mark.js';

const loginKey = (d: string) => ({ kty: 'OKP', crv: 'Ed25519', x: '', d }) as const;

test('those that the person chose are taken, others are made from the login’s key', (t) => {
  t.match(promptMark({ loginKey: loginKey('a'), mark: 'grüner Elch 7' }), { words: 'grüner Elch 7', chosen: true });
  t.match(promptMark({ loginKey: loginKey('a') }), { words: /^[a-z]+ [a-z]+$/, chosen: false });
  t.same(promptMark({ loginKey: loginKey('a') }), promptMark({ loginKey: loginKey('a') }));
  const many = new Set(Array.from({ length: 500 }, (_, n) => promptMark({ loginKey: loginKey(`${n}`) }).words));
  t.ok(many.size > 400, `${many.size} of 500`);
  t.end();
});

test('words that a person can know again', (t) => {
  for (const good of ['grüner Elch 7', 'blue whale', '青い鯨 くじら', 'Opa-Hugo!', 'x1y2']) {
    t.equal(markProblem(good), undefined, good);
  }
  for (const bad of [
    '',
    'abc',
    'x'.repeat(33),
    '────────',
    '. . . .',
    'a\u202ebcd',
    'ab\u200bcd',
    'ab\u001b[2Jcd',
    'pаypal',
  ]) {
    t.type(markProblem(bad), 'string', JSON.stringify(bad));
  }
  t.end();
});

test('whatever is accepted draws as it is', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (words) => {
      if (markProblem(words) !== undefined) return;
      t.notMatch(words, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u, JSON.stringify(words));
    }),
  );
  t.end();
});
