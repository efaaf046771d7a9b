/** What others wrote is made fit to look at in one place: a filter of its own forgets what that one knows. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { printable } from '../../src/untrusted-text.js';
import { repositoryRoot } from '../helpers/repository.js';

/** A replacement of control characters, or of everything that is not ASCII. */
const filter = /\.replace(?:All)?\(\s*\/[^/\n]*(?:\\p\{C|\\x20-\\x7e|\\x00-|\\0-|\\u0000-|\\x1[bf]|\\x7f)/;

t.test('nobody else filters control characters', (t) => {
  t.match('.replace(/[^\\x20-\\x7e]/g, "?")', filter);
  t.match('.replace(/\\p{C}+/gu, "")', filter);
  const root = join(repositoryRoot, 'src');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => /\.tsx?$/.test(path));
  t.ok(files.length > 300);
  const others = files.filter((file) => filter.test(readFileSync(join(root, file), 'utf8')));
  t.strictSame(others, []);
  t.end();
});

t.test('a foreign word is one line without anything hidden, and no longer than it may be', (t) => {
  const hidden = /[\p{C}\p{Zl}\p{Zp}\n\u2800\u3164]|\p{Default_Ignorable_Code_Point}/u;
  const unit = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\u001b[2J', '\u202e', '\u3164', '\n', 'é'));
  fc.assert(
    fc.property(fc.array(unit), fc.integer({ min: 1, max: 60 }), (parts, limit) => {
      const shown = printable(parts.join(''), limit);
      return !hidden.test(shown) && shown.length <= limit + 1;
    }),
  );
  t.end();
});
