import { test } from 'tap';
import { keys, Terminal } from './terminal.js';

const environment = { cwd: '/', env: { PATH: process.env.PATH ?? '' } };

test('types into a program and sees its screen', async (t) => {
  const terminal = new Terminal(
    '/bin/sh',
    ['-c', 'printf "\\033[2J\\033[5;3Hname? "; read name; echo "hello $name"; read done; exit 3'],
    environment,
  );
  t.teardown(() => terminal.kill());
  t.equal(await terminal.shows('name?'), '\n\n\n\n  name?');
  terminal.type(`guard${keys.enter}`);
  await terminal.shows('hello guard');
  terminal.type(keys.enter);
  t.match(await terminal.exit, { code: 3 });
});

test('a program that ends without showing it is told at once', async (t) => {
  const terminal = new Terminal('/bin/sh', ['-c', 'echo one'], environment);
  await t.rejects(terminal.shows('two'), { message: /the program ended before the screen showed two:\none/ });
});

test('answers what a terminal is asked, and tells its size', async (t) => {
  const ask =
    'stty raw -echo; printf "ab\\033[6n"; dd bs=1 count=6 2>/dev/null | tr "\\033" E; printf "\\r\\n"; stty size; sleep 0.2';
  const terminal = new Terminal('/bin/sh', ['-c', ask], { ...environment, columns: 61, rows: 17 });
  t.teardown(() => terminal.kill());
  await terminal.exit;
  t.match(terminal.text(), /^abE\[1;3R\n17 61$/);
});

test('the alternate screen comes and goes', async (t) => {
  const terminal = new Terminal(
    '/bin/sh',
    ['-c', 'echo before; tput smcup; echo inside; read x; tput rmcup; read x'],
    environment,
  );
  t.teardown(() => terminal.kill());
  await terminal.shows('inside');
  t.ok(terminal.alternate);
  t.notMatch(terminal.text(), 'before');
  terminal.type(keys.enter);
  await terminal.shows('before');
  t.notOk(terminal.alternate);
});
