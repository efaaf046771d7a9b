/** What reaches a person's terminal from outside is text: nothing in it is obeyed. */
import fc from 'fast-check';
import { test } from 'tap';
import { drawsSigns, plainSigns, printOnlyText, terminalText } from '../../src/cli/print/printable-output.js';
import { DbguardError } from '../../src/errors.js';
import { UpstreamError } from '../../src/io/upstream/failure.js';

const acts = /[\p{Cc}\p{Bidi_Control}\u200b]/u;
const hostile = fc.string({
  unit: fc.constantFrom('a', ' ', '\u001b[2J', '\u001b]0;t\u0007', '\u009b5i', '\u202e', '\u200b', '\0', '\u001b[8m'),
});

test('an error says nothing that a terminal obeys', (t) => {
  fc.assert(
    fc.property(hostile, (text) => {
      const error = new DbguardError('upstream-auth', `the server says: ${text}`, { hint: text });
      return !acts.test(error.message) && !acts.test(error.hint ?? '');
    }),
  );
  t.ok(new UpstreamError('upstream-auth', '\u001b[2J') instanceof DbguardError, 'the server’s refusal too');
  t.notMatch(new UpstreamError('upstream-auth', '\u001b[2J').message, '\u001b');
  t.equal(new DbguardError('usage', 'one\ntwo “três”').message, 'one\ntwo “três”');
  t.end();
});

test('a terminal gets text and dbguard’s own styles', (t) => {
  const esc = '\u001b';
  const styles = new RegExp(`${esc}\\[(?:[012]|22|3[125]|97;40)m|${esc}\\[K|\r|\n`, 'g');
  fc.assert(fc.property(hostile, (text) => !acts.test(terminalText(text).replace(styles, ''))));
  const own = '\r\u001b[K\u001b[1mbold\u001b[0m \u001b[2mdim\u001b[22m\n';
  t.equal(terminalText(own), own);
  t.end();
});

test('every way of writing a string goes through it; bytes and pipes do not', (t) => {
  for (const isTTY of [true, false]) {
    const got: unknown[] = [];
    const stream = { isTTY, write: (chunk: unknown) => got.push(chunk) > 0 } as unknown as NodeJS.WriteStream;
    printOnlyText(stream, {});
    stream.write('a\u001b[2Jb');
    stream.write(Buffer.from('\u001b[2J'));
    t.strictSame(got, [isTTY ? 'a⟨U+001B⟩[2Jb' : 'a\u001b[2Jb', Buffer.from('\u001b[2J')]);
  }
  t.end();
});

test('a terminal of the locale C gets signs that it has; data stays', async (t) => {
  t.equal(plainSigns('✓ dbguard’s “né” … →'), '+ dbguard\'s "né" ... ->');
  t.notOk(drawsSigns({ LC_ALL: 'C', LANG: 'de_DE.UTF-8' }));
  t.notOk(drawsSigns({ LANG: 'POSIX' }));
  t.ok(drawsSigns({ LC_ALL: '', LANG: 'C.utf8' }));
  t.ok(drawsSigns({}));
});
