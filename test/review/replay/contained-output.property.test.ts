/** Whatever a program sent to a terminal: what a player gets moves its cursor and colours its cells, and does nothing else. */
import fc from 'fast-check';
import t from 'tap';
import { ContainedOutput } from '../../../src/review/replay/contained-output.js';

/** All that may be in it, as a grammar: anything else acts on a terminal. */
const esc = '\\x1b';
const allowed = [
  '[^\\x00-\\x1f\\x7f-\\x9f]|[\\b\\t\\n\\v\\f\\r\\x0e\\x0f]',
  `${esc}[78DEMH]|${esc}[()*+][AB0]`,
  `${esc}\\[[\\d;:]*[@A-MPSTXZ\`abdefgmrsu]|${esc}\\[4[hl]`,
  `${esc}\\[\\?(?:(?:6|7|25|47|69|1047|1048|1049|2026);?)+[hl]`,
];
const harmless = new RegExp(`^(?:${allowed.join('|')})*$`, 'u');

const pieces = fc.oneof(
  fc.constantFrom(
    ...[
      '\x1b',
      '\x1b[',
      '\x1b]',
      '\x1bP',
      '\x1b^',
      '\x1b_',
      '\x1bX',
      '\x9b',
      '\x9d',
      '\x90',
      '\x07',
      '\x1b\\',
      '\x18',
      '\x1a',
      '?',
      '>',
      '=',
      ';',
    ],
    ...[
      '\x1b]52;c;b3duZWQ=\x07',
      '\x1b]0;title\x1b\\',
      '\x1b[6n',
      '\x1b[c',
      '\x1b[>c',
      '\x1b[21t',
      '\x1b[?1049h',
      '\x1b[?1000;25h',
      '\x1b[?2004h',
    ],
    ...[
      '\x1b[>1u',
      '\x1b[5i',
      '\x1b[31m',
      '\x1b[2J',
      '\x1bc',
      '\x1b#8',
      '\x1b(0',
      '\x1b=',
      '\x1bZ',
      '\x1b[!p',
      '\x1b[ q',
      '\x1bP+q544e\x1b\\',
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('6', '25', '1049', 'h', 'l', 'n', 't', 'm', 'H'),
);

t.test('nothing but drawing gets through, wherever the pieces are cut', (t) => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), fc.array(fc.nat(200), { maxLength: 8 }), (parts, cuts) => {
      const characters = [...parts.join('')];
      const whole = new ContainedOutput().push(characters.join(''));
      if (!harmless.test(whole)) return false;
      const places = [0, ...cuts.map((cut) => cut % (characters.length + 1)).sort((a, b) => a - b), characters.length];
      const output = new ContainedOutput();
      const pieced = places.slice(1).map((end, at) => output.push(characters.slice(places[at], end).join('')));
      return pieced.join('') === whole;
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('what draws stays as it is', (t) => {
  const drawing = 'text \x1b[1;31mred\x1b[0m\r\n\x1b[?1049h\x1b[2J\x1b[H\x1b[?25l\x1b(0lqk\x1b(B漢😀\x1b[10;20Hx\x1b[K';
  t.equal(new ContainedOutput().push(drawing), drawing);
  t.end();
});
