/** A person at the prompt of `dbguard run`, on a real terminal: what is on the screen, and what comes of each answer. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, t } from 'tap';
import { keys, type Terminal } from '../helpers/terminal.js';
import { developer, type PtyOptions, script } from './developer.js';

const mask = [{ column: 'public.people.email', with: 'partial', keep: 4 }];
const { postgres, terminal, workspace } = await developer(t, { config: { mask } });
await postgres.query(`
  CREATE TABLE people (id int PRIMARY KEY, email text, city text);
  INSERT INTO people SELECT i, 'person' || i || '@secret.test', 'Rome' FROM generate_series(1, 1200) i;
  CREATE TABLE visits (id serial PRIMARY KEY, person int REFERENCES people ON DELETE CASCADE);
  INSERT INTO visits (person) SELECT 1 + i % 1200 FROM generate_series(1, 3000) i;
  CREATE TABLE log (at timestamptz, what text);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO log VALUES (now(), TG_OP); RETURN NULL; END $$;
  CREATE TRIGGER noted AFTER DELETE ON people EXECUTE FUNCTION note();
  CREATE TABLE numbered (id serial, note text);
  ANALYZE`);

const count = async (table: string) => Number((await postgres.query(`SELECT count(*) AS n FROM ${table}`))[0]?.n);

/** The agent runs `body`; what it returns is printed after "agent says". */
function agent(t: Test, body: string, options?: PtyOptions): Terminal {
  const said = `const said = await (async () => { ${body} })(); console.log('agent says ' + JSON.stringify(said));`;
  const screen = terminal(['run', '--', ...script(said)], options);
  t.teardown(() => screen.kill());
  return screen;
}

/** The banner is in the program's output, whatever is on the screen now. */
function sidOf(screen: Terminal): string {
  return /session ([0-9a-z]{26}),/.exec(screen.raw)?.[1] ?? '';
}

/** Presses a key as a person does, after the keys count. */
/** A machine that stands still for a second has the prompt take no key for a while: a denial is said again, as a person would. */
async function answer(screen: Terminal, key: string): Promise<void> {
  const asked = await screen.shows(/No answer denies in/);
  await sleep(700);
  screen.type(key);
  if (key !== 'd') return;
  const title = asked.split('\n')[0];
  const again = setInterval(() => {
    if (screen.text().split('\n')[0] === title) screen.type(key);
    else clearInterval(again);
  }, 3000);
  void screen.exit.finally(() => clearInterval(again));
}

t.test('what would be hit, a dry run, and a denial with a reason', async (t) => {
  const screen = agent(t, "return attempt('DELETE FROM people');");
  const shown = await screen.shows('Delete ALL rows of people');
  for (const line of [
    /about 1,200/,
    /and visits +about 3,000 rows; those that refer to it are deleted too \(ON DELETE CASCADE\)/,
    /trigger.*noted/,
    /locks +.*people/,
    /way back +none: no transaction is open/,
    /rule +builtin:delete-unbounded/,
  ])
    t.match(shown, line);
  await answer(screen, 't');
  const tried = await screen.shows('deletes exactly 1,200 rows of people');
  t.match(tried, /and visits +3,000 rows deleted/);
  t.match(tried, /and log +1 row inserted/, 'what the trigger adds');
  t.match(tried, /- id \d+, email \*+test, city Rome/, 'a sample');
  t.notMatch(tried, /@secret/, 'in which masked columns are masked');
  t.equal(await count('people'), 1200, 'undone');
  await answer(screen, 'r');
  await screen.shows('Why not?');
  screen.type(`only those of Oslo${keys.enter}`);
  await screen.shows(/agent says .*only those of Oslo/);
  await screen.exit;
  t.equal(await count('people'), 1200);
});

t.test('next to DDL that is not committed every result is masked; a dry run still counts', async (t) => {
  const screen = agent(
    t,
    `await client.query('BEGIN');
     await client.query('ALTER TABLE people ADD COLUMN seen boolean');
     const denied = await attempt('UPDATE people SET seen = true');
     return [denied.code, (await attempt('DELETE FROM people')).code];`,
  );
  await screen.shows('Alter table people');
  await answer(screen, 'a');
  await screen.shows('Change ALL rows of people');
  await answer(screen, 't');
  t.notMatch(await screen.shows('changes exactly 1,200 rows of people'), /and people/, 'counted once');
  await answer(screen, 'd');
  await screen.shows('agent says ["42501","25P02"]');
  await screen.exit;
  t.match(screen.history().join('\n'), '2 asked (1 approved, 1 denied)', 'nobody is asked in a failed transaction');
});

t.test('approved after the dry run, it runs once', async (t) => {
  const screen = agent(
    t,
    "await client.query('DELETE FROM visits'); return attempt('SELECT count(*)::int AS n FROM visits');",
  );
  await screen.shows('Delete ALL rows of visits');
  await answer(screen, 't');
  await screen.shows('deletes exactly 3,000 rows of visits');
  t.equal(await count('visits'), 3000);
  await answer(screen, 'a');
  await screen.shows('agent says [{"n":0}]');
  await screen.exit;
  t.equal(await count('visits'), 0);
  t.match(screen.history().join('\n'), '3,000 rows changed');
});

t.test('a dry run that could not be undone is refused with the reason', async (t) => {
  const screen = agent(
    t,
    "return attempt('INSERT INTO numbered (note) SELECT city FROM people; DELETE FROM numbered');",
  );
  await screen.shows('Delete ALL rows of numbered');
  await answer(screen, 't');
  await screen.shows(/sequence|default/);
  t.equal((await postgres.query('SELECT is_called FROM numbered_id_seq'))[0]?.is_called, false, 'no number was drawn');
  await answer(screen, 'd');
  await screen.shows('agent says');
  await screen.exit;
});

t.test('a dry run waits for no lock for long, and harms nothing', async (t) => {
  const screen = agent(
    t,
    `await client.query('BEGIN');
     await client.query("UPDATE people SET city = 'Oslo' WHERE id = 1");
     await client.query('SAVEPOINT s');
     await client.query("UPDATE people SET city = 'Bonn' WHERE id < 4");
     await client.query('ROLLBACK TO s');
     await client.query('UPDATE people SET city = NULL');
     return (await client.query('COMMIT')).command;`,
  );
  const shown = await screen.shows('Change ALL rows of people');
  t.match(shown, /so far +1 statement in this transaction: UPDATE people \(1 row\)/, 'without what was taken back');
  t.match(shown, /way back +ROLLBACK, until the transaction commits/);
  const locked = postgres.query(
    "BEGIN; LOCK TABLE log; UPDATE people SET city = 'Kiel' WHERE id = 9; SELECT pg_sleep(4); ROLLBACK",
  );
  await answer(screen, 't');
  await screen.shows('another session holds a lock that it needs');
  await locked;
  await answer(screen, 'a');
  await screen.shows('agent says "COMMIT"');
  await screen.exit;
  t.equal((await postgres.query('SELECT count(*) AS n FROM people WHERE city IS NULL'))[0]?.n, '1200');
});

t.test('several wait in order, and the screen says how many', async (t) => {
  const screen = agent(
    t,
    `const more = new Client({ connectionString: process.env.DATABASE_URL });
     await more.connect();
     const all = await Promise.all([attempt('DROP TABLE log'), more.query('DROP TABLE visits').then(() => 'dropped', (e) => e.code)]);
     await more.end();
     return all;`,
  );
  await screen.shows(/1 more|2 wait|1 of 2/);
  const first = /Drop table (\w+)\?/.exec(screen.text())?.[1] ?? '';
  await answer(screen, 'd');
  await screen.shows(`Drop table ${first === 'log' ? 'visits' : 'log'}?`);
  await answer(screen, 'd');
  await screen.shows(/agent says .*42501/);
  await screen.exit;
  t.equal(await count('log'), 0);
});

t.test('narrow, wide, and another size while it is up', async (t) => {
  const screen = agent(t, "return attempt('DELETE FROM people');", {
    columns: 60,
    rows: 15,
    // what others read from it is not how a prompt is laid out
    env: { INK_SCREEN_READER: 'true', CI: 'true', DEV: 'true' },
  });
  for (const [columns, rows] of [
    [60, 15],
    [200, 50],
    [80, 24],
    [100, 30],
  ] as const) {
    screen.resize(columns, rows);
    const shown = await screen.shows(/Delete ALL rows of people[\s\S]*No answer denies in/);
    t.match(shown, / a .* s? ?/);
    t.ok(
      shown.split('\n').every((line) => line.length <= columns),
      `${columns}x${rows}`,
    );
  }
  await answer(screen, 'd');
  await screen.shows('agent says');
  await screen.exit;
});

t.test('a person who looks elsewhere is told by the desktop', async (t) => {
  const folder = join(workspace.home, 'desktop');
  const said = join(folder, 'said');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'notify-send'), `#!/bin/sh\nfor word; do printf '%s\\n' "$word"; done >> '${said}'\n`);
  chmodSync(join(folder, 'notify-send'), 0o755);
  const env = { DBGUARD_NOTIFY: 'desktop', DISPLAY: ':0', PATH: `${folder}:${process.env.PATH}` };
  await postgres.query('CREATE TABLE "<b>\u001b[31m\u202e" (id int)');
  const screen = agent(t, 'return attempt(\'DROP TABLE "<b>\\u001b[31m\u202e"\');', { env });
  await answer(screen, 'd');
  await screen.shows('agent says');
  await screen.exit;
  t.ok(existsSync(said));
  const words = readFileSync(said, 'utf8');
  t.match(words, /--app-name=dbguard[\s\S]*&lt;b&gt;/);
  for (const hidden of ['\x1b', '\u202e']) t.notOk(words.includes(hidden));
});

t.test('dbguard is killed while it asks: nothing has run', async (t) => {
  const screen = agent(t, "return attempt('DROP TABLE log');");
  await screen.shows(/No answer denies in/);
  const sid = sidOf(screen);
  process.kill(screen.pid, 'SIGKILL');
  await screen.exit;
  await sleep(300);
  t.equal(await count('log'), 0, 'it is still there');
  const uploaded = await workspace.dbguard(['upload']);
  t.equal(uploaded.exitCode, 0, uploaded.stderr);
  const verified = await workspace.dbguard(['transcripts', 'verify', sid, '--json']);
  t.match(JSON.parse(verified.stdout), { state: /open|unsealed/, sid });
  const shown = await workspace.dbguard(['transcripts', 'show', sid]);
  t.match(shown.stdout, 'DROP TABLE log', 'what was asked about is on record');
});
