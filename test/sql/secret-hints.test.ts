/** Texts without a hint are not looked at: none may hold a secret, and the table of beginnings finds what the expressions find. */
import fc from 'fast-check';
import t from 'tap';
import { wordHints, worthLooking } from '../../src/sql/secrets/credentials.js';
import { Finder } from '../../src/sql/secrets/finder.js';
import { Hints } from '../../src/sql/secrets/hints.js';
import { keyHints } from '../../src/sql/secrets/key-formats.js';
import { bindStatements, harmless, keys, unreadable, withSecret } from './secret-statements.js';

const expressions = [new RegExp(wordHints.join('|'), 'i'), new RegExp(keyHints.join('|'))];
const hinted = (text: string): boolean => expressions.some((one) => one.test(text));

/** What an expression matches. */
const matchOf = (hint: string): fc.Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^(?:${hint.replaceAll('\\b', '')})$`));
const sample = fc.constantFrom(...wordHints, ...keyHints).chain(matchOf);
const letters = fc.string({ maxLength: 6, unit: fc.constantFrom(...'aAeEkKsS019 _-:/\\$?&=.(+\'"\néſK\u{1f511}') });
/** Whole ones, in any case, and what is left when characters are missing or others stand between them. */
const piece = fc
  .tuple(sample, fc.constantFrom('as it is', 'upper', 'mixed', 'cut', 'split'), fc.nat(30), letters)
  .map(([text, how, at, between]) => {
    if (how === 'upper') return text.toUpperCase();
    if (how === 'mixed') return text.replace(/[a-z]/gi, (one, place) => (place % 2 ? one.toUpperCase() : one));
    if (how === 'cut') return text.slice(0, at % (text.length + 1));
    return how === 'split' ? text.slice(0, at % text.length) + between + text.slice(at % text.length) : text;
  });
const pieces = fc.array(fc.oneof(letters, piece), { maxLength: 6 }).map((some) => some.join(''));

t.test('the table finds what the expressions find', async (t) => {
  fc.assert(
    fc.property(pieces, (text) => worthLooking(text) === hinted(text)),
    { numRuns: 20_000 },
  );
  t.pass();
});

t.test('every hint is found at each end of a text, and alone', async (t) => {
  const all = [...wordHints.map((hint) => ({ hint, flags: 'i' })), ...keyHints.map((hint) => ({ hint, flags: '' }))];
  for (const { hint, flags } of all) {
    const table = flags === 'i' ? new Hints([hint], []) : new Hints([], [hint]);
    const texts = fc
      .sample(matchOf(hint), 20)
      .flatMap((one) => [one, `${one} `, ` ${one}`, `${' '.repeat(99)}${one}${' '.repeat(99)}`]);
    const missed = texts.filter((text) => table.areIn(text) !== new RegExp(hint, flags).test(text));
    t.strictSame(missed, [], hint);
  }
});

t.test('a hint that begins with anything is refused', async (t) => {
  for (const hint of ['[ab]c', 'a?b', '(?:x)', '.', 'ñu']) t.throws(() => new Hints([hint], []), TypeError, hint);
});

t.test('where the finder finds something there is a hint', async (t) => {
  const finds = (text: string): boolean => {
    const { ranges, parameters } = new Finder(text, 0).find().secrets();
    return ranges.length > 0 || parameters === 'all' || parameters.size > 0;
  };
  const law = (text: string): boolean => !finds(text) || worthLooking(text);
  for (const [sql] of bindStatements) t.ok(law(sql), sql);
  const makes = [...Object.values(withSecret), ...unreadable];
  const statement = fc.oneof(
    fc.tuple(fc.constantFrom(...makes), fc.string({ minLength: 1, maxLength: 20 })).map(([make, value]) => make(value)),
    fc.constantFrom(...harmless, ...keys),
  );
  // a secret anywhere, also where a statement was cut in two
  const anywhere = fc
    .tuple(pieces, statement, fc.nat(300), fc.nat(300), pieces)
    .map(
      ([before, sql, from, to, behind]) => before + sql.slice(from % 60, Math.max(sql.length - (to % 60), 0)) + behind,
    );
  fc.assert(fc.property(fc.oneof(statement, anywhere), law), { numRuns: 3000 });
  t.pass();
});
