/**
 * The recorded screen: what was drawn is there, what was typed is not; a password that is typed without an echo, and the words by
 * which a person knows true prompts, are nowhere in it. Played again, or by somebody else's player, it acts on no terminal.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { developer, sessionOf } from '../e2e/developer.js';
import { readBack } from '../helpers/recordings.js';
import { keys } from '../helpers/terminal.js';

const password = 'tr0ub4dor-and-3';
const hostile = '\\033]0;owned\\007\\033]52;c;b3duZWQ=\\007\\033[6n\\033[21t\\033P+q544e\\033\\\\';

const { postgres, terminal, workspace, config } = await developer(t);
await postgres.query('CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 900); ANALYZE');

t.test('a run at a terminal', async (t) => {
  const record = { results: 'masked', terminal: 'on', keep: '30d' };
  workspace.configure({
    ...config,
    connections: { main: { url: postgres.url(), environment: 'development', record } },
  });
  const program = `
    const { Client } = require('pg');
    const ask = (words, hidden) => new Promise((done) => {
      process.stdout.write(words);
      if (hidden) process.stdin.setRawMode(true);
      let text = '';
      const take = (bytes) => {
        text += bytes;
        if (!/[\\r\\n]/.test(text)) return;
        process.stdin.off('data', take).pause();
        if (hidden) process.stdin.setRawMode(false);
        done(text.trim());
      };
      process.stdin.on('data', take).resume();
    });
    (async () => {
      const password = await ask('secret please: ', true);
      process.stdout.write('\\nof length ' + password.length + '\\n${hostile}drawn in full\\n');
      const client = new Client({ connectionString: process.env.DATABASE_URL });
      await client.connect();
      await client.query('SELECT id FROM orders WHERE id < 3');
      await client.query('DELETE FROM orders').catch((error) => console.log(error.message));
      await client.end();
      console.log('the end');
    })();`;
  const screen = terminal(['run', '--', process.execPath, '-e', program]);
  t.teardown(() => screen.kill());
  await screen.shows('secret please');
  screen.type(password);
  screen.type(keys.enter);
  await screen.shows('of length');
  const shown = await screen.shows(/No answer denies in/);
  const [, mark = ''] = /prompts (?:carry the words|say) “([^”]+)”/.exec(screen.raw) ?? [];
  t.ok(mark !== '' && shown.includes(mark), 'the person knows it by these words');
  await sleep(700);
  screen.type('d');
  await screen.exit;
  const sid = sessionOf(screen.raw.replaceAll('\r', ''));

  const read = await readBack(workspace.bucket, sid);
  const chunks = await read.chunks('terminal');
  const lines = chunks.flatMap((chunk) => (chunk.state === 'read' ? (chunk.lines as [number, string, string][]) : []));
  const text = lines.map(([, , drawn]) => drawn).join('');
  t.match(text, 'secret please');
  t.match(text, `of length ${password.length}`);
  t.match(text, /Delete ALL rows of orders/, 'the question is there as it was drawn');
  const all = JSON.stringify(lines);
  t.notMatch(all, password, 'what was typed is not');
  for (const word of mark.split(' ')) t.notMatch(all, word, `nor ${word}`);
  t.strictSame([...new Set(lines.map(([, what]) => what))].sort(), ['a', 'i', 'o', 'q', 's']);
  const typed = lines.filter(([, what]) => what === 'i');
  t.ok(
    typed.every(([at, , data]) => at % 1_000_000 === 0 && data === ''),
    'that somebody typed, to the second',
  );
  t.ok(typed.length < password.length, 'and not how often');
  t.same(read.answers.all[0]?.results[0]?.rows, [['1'], ['2']]);

  const cast = join(workspace.project, 'session.cast');
  const written = await workspace.dbguard(['transcripts', 'replay', sid, '--to', cast]);
  t.equal(written.exitCode, 0, written.stderr);
  const [head, ...events] = readFileSync(cast, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(head, { version: 3, term: { cols: 160, rows: 30 } });
  t.ok(events.every(([interval, code]) => interval >= 0 && 'oirmx'.includes(code)));
  const markers = events.filter(([, code]) => code === 'm').map(([, , label]) => label);
  t.match(markers, [/SELECT id FROM orders/, /DELETE FROM orders/, /denied/]);
  const out = events
    .filter(([, code]) => code === 'o')
    .map(([, , data]) => data)
    .join('');
  t.match(out, 'drawn in full');
  for (const [what, sequence] of Object.entries({
    title: '\x1b]',
    device: '\x1bP',
    report: '\x1b[6n',
    window: '\x1b[21t',
  }))
    t.notOk(out.includes(sequence), `${what} sequences are in no cast`);

  const player = terminal(['transcripts', 'replay', sid], { columns: 200, rows: 40 });
  t.teardown(() => player.kill());
  await player.shows('secret please');
  player.type('d');
  await player.shows(/▶.*denied/);
  await player.shows('DELETE FROM orders');
  player.type('q');
  const { code } = await player.exit;
  t.equal(code, 0);
  for (const sequence of ['\x1b]', '\x1bP', '\x1b[6n', '\x1b[21t'])
    t.notOk(player.raw.includes(sequence), `${JSON.stringify(sequence)} reaches no reader`);
});
