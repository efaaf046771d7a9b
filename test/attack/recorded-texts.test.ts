/**
 * What is recorded was chosen by whoever filled the tables. Shown to a lead, in whatever way, none of it acts: not on the
 * terminal, not in a player, not in a browser, not in a spreadsheet.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { developer, script } from '../e2e/developer.js';
import { dbguardProgram } from '../helpers/repository.js';
import { keys, Terminal } from '../helpers/terminal.js';

/** Each begins with a word that is to be seen. */
const hostile = {
  title: 'marked\u001b]0;owned\u0007',
  clipboard: 'marked\u001b]52;c;b3duZWQ=\u0007',
  screen: 'marked\u001b[2J\u001b[1;1H\u001b[?1049l',
  c1: 'marked\u009b31m\u009d0;owned\u009c',
  line: 'marked\r\u001b[1Aallowed by ada',
  bidi: 'marked\u202egnp.exe\u2066\u2069',
  markup: `marked</script><script>owned()</script><img src=x onerror=owned()>`,
  formula: '=HYPERLINK("http://owned","marked")',
} as const;

const dev = await developer(t);
const [main] = Object.values(dev.config.connections as Record<string, object>);
dev.workspace.configure({
  ...dev.config,
  connections: { main: { ...main, record: { results: 'masked', max_rows: 100 } } },
});
const texts = JSON.stringify(Object.values(hostile));
// as values, as names of columns, in a statement's text, and in what the server says of it
const ran = await dev.run(
  script(`
    const texts = ${texts};
    const name = (text) => '"' + text.replaceAll('"', '""').slice(0, 60) + '"';
    await attempt('SELECT ' + texts.map((text, at) => '$' + (at + 1) + '::text AS ' + name(text)).join(', '), texts);
    for (const text of texts) await attempt('SELECT ' + client.escapeLiteral(text) + '::int');
    return 'over';`),
);
t.match(ran.stdout, 'over', ran.stderr);
const sid = /session (\w{26})/.exec(ran.stderr)?.[1] ?? '';
const transcripts = (...args: string[]) => dev.workspace.dbguard(['transcripts', ...args]);

/** What would act on a terminal, or turn the order of reading. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const acts = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

t.test('printed', async (t) => {
  const commands = [
    ['replay', sid],
    ['show', sid],
    ['search', 'marked'],
    ['query', 'SELECT sql, bind FROM statements'],
    ['query', 'SELECT sql, bind FROM statements', '--format', 'json'],
    ['show', sid, '--json'],
    ['search', 'marked', '--json'],
    ['export', '--format', 'json'],
    ['export', '--format', 'ocsf'],
    ['export', '--format', 'syslog'],
    ['verify', sid],
  ];
  for (const command of commands) {
    const { stdout, stderr } = await transcripts(...command);
    const name = command.join(' ');
    const found = acts.exec(stdout + stderr);
    t.equal(found, null, `${name}: ${JSON.stringify(stdout.slice((found?.index ?? 0) - 40).slice(0, 80))}`);
    if (command[0] !== 'verify') t.match(stdout, 'marked', `${name} shows what can be read`);
  }
  const { stdout } = await transcripts('query', `SELECT '${hostile.formula}' AS text`, '--format', 'csv');
  t.match(stdout, `"'=HYPERLINK(`, 'a spreadsheet computes nothing');
});

t.test('played', async (t) => {
  const { exitCode, stderr } = await transcripts('replay', sid, '--to', 'session.cast');
  t.equal(exitCode, 0, stderr);
  const [, ...events] = readFileSync(join(dev.workspace.project, 'session.cast'), 'utf8').trimEnd().split('\n');
  const drawn = events.map((line) => JSON.parse(line)).map(([, , data]) => String(data));
  t.match(drawn.join(''), 'marked');
  for (const sequence of ['\u001b]', '\u009b', '\u009d', '\u001b[2J\u001b[1;1H', '\r\u001b[1A', '\u202e'])
    t.notOk(
      drawn.some((data) => data.includes(sequence)),
      JSON.stringify(sequence),
    );
});

t.test('in a page', async (t) => {
  const { exitCode, stderr } = await transcripts('page', sid, '--recordings', '--to', 'page.html');
  t.equal(exitCode, 0, stderr);
  const html = readFileSync(join(dev.workspace.project, 'page.html'), 'utf8');
  t.notMatch(html, 'owned()</script>', 'no text ends an element');
  t.notMatch(html, '<img src=x');
  t.equal(html.match(/<\/script/g)?.length, 2, 'the data and the program are all there is');
});

t.test('on the screen of a lead', async (t) => {
  const terminal = new Terminal('/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, dbguardProgram, 'review'], {
    ...{ cwd: dev.workspace.project, columns: 120, rows: 40, env: dev.workspace.env },
  });
  t.teardown(() => terminal.kill());
  await terminal.shows(/1 session *$/m);
  terminal.type('g\r');
  await terminal.shows(/PROVEN/);
  terminal.type('ffff');
  await terminal.shows(/8 of \d+ rows/);
  terminal.type(keys.enter);
  await terminal.shows('It contains control characters');
  terminal.type('n'.repeat(5));
  await terminal.shows('⟨U+202E⟩');
  terminal.type('n');
  await terminal.shows('onerror=owned()');
  terminal.type('n');
  await terminal.shows('HYPERLINK');
  terminal.type('qqq');
  t.equal((await terminal.exit).code, 0);
  for (const sequence of ['\u001b]0;owned', '\u001b]52', '\u009b', '\u202e'])
    t.notMatch(terminal.raw, sequence, JSON.stringify(sequence));
});
