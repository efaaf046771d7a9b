/** `dbguard review` as a lead meets it, on a real terminal; what strangers have written acts on no terminal. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { dbguardProgram } from '../helpers/repository.js';
import { keys, Terminal } from '../helpers/terminal.js';
import { clientId, issuerUrl, testIssuer } from '../transcript/people.js';
import { objectsOf, type Recorded, record } from '../transcript/recorded.js';

const issuer = await testIssuer();
const hostile = '\x1b]0;owned\x07\x1b[2Jclaude\u202e';

const root = t.testdir({
  'keys.json': JSON.stringify(issuer.keys),
  'dbguard.yaml': `version: 1\nidentity:\n  issuer: ${issuerUrl}\n  client_id: ${clientId}\nbucket: file:./bucket\n`,
});
const store = (session: Recorded, spoiled = false): void => {
  for (const [place, { key, bytes }] of objectsOf(session, 0).entries()) {
    const path = join(root, 'bucket', key);
    mkdirSync(dirname(path), { recursive: true });
    const at = bytes.length >> 1;
    if (spoiled && place === 1) bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }
};
const now = Date.now();
for (let n = 0; n < 60; n++) store(record(await issuer.login(`dev-${n % 3}`), { at: now - 60_000 + n, statements: 2 }));
store(record(await issuer.login('mallory'), { at: now - 50_000, open: { agent: 'codex' } }), true);
store(
  record(await issuer.login('ada'), {
    at: now - 40_000,
    open: { agent: hostile, connection: { name: 'shop', environment: 'production' } },
    extra: [
      [{ k: 'statement', conn: 1, decision: 'allow', rule: 'r' }, { sql: `DELETE FROM orders -- ${hostile}` }],
      [{ k: 'outcome', of: 10, how: 'done', tag: 'DELETE 3', masked: ['email'] }],
    ],
  }),
);

function review(t: Test, columns: number, rows: number, env: Record<string, string> = {}): Terminal {
  const args = ['-u', 'NODE_OPTIONS', process.execPath, dbguardProgram, 'review', '--keys', 'keys.json', '--offline'];
  const terminal = new Terminal('/usr/bin/env', args, {
    ...{ cwd: root, columns, rows },
    env: { PATH: process.env.PATH ?? '', DBGUARD_HOME: join(root, 'home'), LANG: 'C.UTF-8', ...env },
  });
  t.teardown(() => terminal.kill());
  return terminal;
}

for (const [columns, rows] of [
  [80, 24],
  [160, 50],
] as const) {
  t.test(`list, session, statement, proof, page, replay at ${columns}x${rows}`, async (t) => {
    const terminal = review(t, columns, rows);
    const list = await terminal.shows(/62 sessions *$/m);
    t.match(list.split('\n')[2], /^ · .*ada@example\.test +shop/, 'the newest stands first');
    t.match(list, 'production');
    t.equal(list.split('\n').length, rows, 'it takes the whole screen');
    terminal.type('/MALLORY\r');
    await terminal.shows('1 of 62 sessions');
    terminal.type('v');
    await terminal.shows(/^ ✗ .*mallory/m);
    await terminal.shows('CHANGED OR FORGED');
    terminal.type(keys.escape);
    await terminal.hides('1 of 62');
    terminal.type('g\r');
    await terminal.shows(/^ PROVEN|│ PROVEN/m);
    terminal.type('/delete\r');
    await terminal.shows(/1 of \d+ rows/);
    terminal.type(keys.enter);
    const statement = await terminal.shows('It contains control characters');
    t.match(statement, '⟨U+001B⟩]0;owned⟨U+0007⟩', 'what would act is seen');
    t.match(statement, 'DELETE FROM orders');
    terminal.type('q');
    await terminal.shows(/1 of \d+ rows/);
    terminal.type('i');
    if (columns < 130) await terminal.shows('What is proven');
    await terminal.shows('✓ what');
    terminal.type('i');
    await terminal.shows(/1 of \d+ rows/);
    terminal.type('p');
    await terminal.shows(/Written to .*\.html|Written to \//);
    const page = readdirSync(root).find((name) => name.endsWith('.html'));
    t.match(readFileSync(join(root, page ?? ''), 'utf8'), /^<!DOCTYPE html>/);
    terminal.type('r');
    await terminal.shows(/[▶⏸] \d+:\d\d\//);
    terminal.type('q');
    await terminal.shows(/1 of \d+ rows/);
    terminal.type('?');
    await terminal.shows('Everywhere');
    terminal.resize(100, 30);
    await terminal.shows(/in a session by text *$/m);
    terminal.type('q');
    await terminal.shows(/1 of \d+ rows/);
    terminal.type('q');
    await terminal.shows(/62 sessions *$/m);
    terminal.type('q');
    t.equal((await terminal.exit).code, 0);
    t.notOk(terminal.alternate, 'the screen of before is back');
    t.notMatch(terminal.raw, '\x1b]0;owned', 'and nothing of it has acted');
    t.notMatch(terminal.raw, '\u202e');
  });
}

t.test('without colours it is the same', async (t) => {
  const terminal = review(t, 80, 24, { NO_COLOR: '1' });
  await terminal.shows(/62 sessions *$/m);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  t.notMatch(terminal.raw, /\x1b\[(?:[0-9;]*;)?(?:3[0-79]|4[0-7]|9[0-7])m/);
  terminal.type(keys.interrupt);
  t.equal((await terminal.exit).code, 0);
});

t.test('where it cannot draw it says what can be used', async (t) => {
  for (const [env, why] of [
    [{ TERM: 'dumb' }, 'TERM=dumb'],
    [{ LANG: 'C' }, 'UTF-8'],
    [{ LC_ALL: 'de_DE.ISO-8859-1' }, 'UTF-8'],
  ] as const) {
    const terminal = review(t, 80, 24, env);
    t.equal((await terminal.exit).code, 64);
    t.match(terminal.text(), why);
    t.match(terminal.text().replaceAll('\n', ' '), 'transcripts list, show, search');
  }
});
