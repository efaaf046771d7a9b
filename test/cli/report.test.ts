/** From an error to what a person reads: nobody is left without a way on, and each way that is named exists. */
import { CommanderError } from 'commander';
import t from 'tap';
import { failureOf } from '../../src/cli/report.js';
import { commandEntries } from '../../src/cli/table.js';
import { DbguardError, type ErrorCode, exitCodes } from '../../src/errors.js';

const pipe = {};
const codes = Object.keys(exitCodes) as ErrorCode[];
const paths = new Set(commandEntries.flatMap(({ path }) => [path, path.split(' ')[0]]));

t.test('every code has an exit code and a next step, and commands in it are some', async (t) => {
  for (const code of codes) {
    const { exitCode, text } = failureOf(new DbguardError(code, 'it went wrong'), 'transcripts verify', pipe, {});
    t.equal(exitCode, exitCodes[code]);
    t.match(text, /^dbguard: it went wrong\n {2}\S.*\n$/, code);
    for (const [, first = '', second = ''] of text.matchAll(/dbguard ([a-z]+)(?: ([a-z-]+))?/g))
      t.ok(paths.has(first) && (paths.has(`${first} ${second}`) || paths.has(first)), `${code}: ${first}`);
  }
  t.match(
    failureOf(new DbguardError('usage', 'x'), 'transcripts verify', pipe, {}).text,
    'See dbguard transcripts verify --help.',
  );
  t.match(failureOf(new DbguardError('usage', 'x', { hint: 'Do this.' }), '', pipe, {}).text, '\n  Do this.\n');
});

t.test('a fault of ours says so, and shows its stack to whoever asks', async (t) => {
  const fault = new RangeError('no such thing');
  const quiet = failureOf(fault, 'run', pipe, {});
  t.match(quiet, {
    exitCode: 70,
    text: /^dbguard: internal error: no such thing\n {2}This is a bug in dbguard\. .*\n$/,
  });
  t.match(failureOf(fault, 'run', pipe, { DBGUARD_DEBUG: '1' }).text, /\n {4}at /);
  t.match(failureOf('thrown', 'run', pipe, {}).text, 'internal error: thrown');
});

t.test('what the disk refuses is no fault of ours, wherever it comes up', async (t) => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, open '/home/ada/x'"), {
    ...{ code: 'ENOSPC', syscall: 'open', path: '/home/ada/x' },
  });
  t.strictSame(failureOf(full, 'run', pipe, {}), {
    exitCode: 74,
    text: 'dbguard: /home/ada/x: no space left on device\n  Make room on that disk, or set DBGUARD_HOME to a folder on another one.\n',
  });
  const unnamed = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
    syscall: 'write',
  });
  t.match(failureOf(unnamed, 'run', pipe, {}).text, /^dbguard: no space left on device\n/);
  t.match(failureOf(Object.assign(new Error('x'), { code: 'ENOSPC' }), 'run', pipe, {}).text, /internal error/);
});

t.test('what commander has said is not said again; a terminal gets no longer lines than it is wide', async (t) => {
  t.strictSame(failureOf(new CommanderError(0, 'commander.help', ''), '', pipe, {}), { exitCode: 0, text: '' });
  t.strictSame(failureOf(new CommanderError(1, 'x', ''), '', pipe, {}), { exitCode: 64, text: '' });
  const long = new DbguardError('usage', 'word '.repeat(60).trim(), { hint: 'more '.repeat(60).trim() });
  const lines = failureOf(long, '', { isTTY: true, columns: 60 }, {}).text.split('\n');
  t.strictSame(
    lines.filter((line) => line.length > 60),
    [],
  );
});
