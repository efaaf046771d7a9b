import fc from 'fast-check';
import t from 'tap';
import { Lines, partsOf } from '../../../src/cli/judge/parts.js';

const statement = (kilobytes: number) => `SELECT '${'x'.repeat(kilobytes * 1024)}';`;

t.test('lines are counted from 1, as by cutting the text at every newline', async () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '\u{1f600}') }), fc.nat(20), (text, at) => {
      const position = Math.min(at, text.length);
      return new Lines(text).at(position) === text.slice(0, position).split('\n').length;
    }),
  );
});

t.test('parts hold every statement once, in order, and fit unless one statement alone is longer', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(sizes, (kilobytes) => {
      const texts = kilobytes.map(statement);
      const startOf = (index: number) => texts.slice(0, index).join('').length;
      const statements = texts.map((_, index) => ({ start: startOf(index), end: startOf(index + 1) }));
      const parts = partsOf(texts.join(''), statements);
      const fits = parts.every(
        (part) => part.length === 1 || (part.at(-1)?.end ?? 0) - (part[0]?.start ?? 0) <= 2 * 1024 * 1024,
      );
      return fits && JSON.stringify(parts.flat()) === JSON.stringify(statements);
    }),
    { numRuns: 20 },
  );
});
