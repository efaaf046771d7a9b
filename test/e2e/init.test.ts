/** `dbguard init` on a real terminal: each answer tried where it is given, back and forth, and nothing half written. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseConfig } from '../../src/policy/config.js';
import { textWidth } from '../../src/ui/character-width.js';
import { startIdp } from '../helpers/idp.js';
import { startPostgres } from '../helpers/postgres.js';
import { dbguardProgram } from '../helpers/repository.js';
import { keys, Terminal } from '../helpers/terminal.js';
import { makeWorkspace, type Workspace } from '../helpers/workspace.js';

const esc = '\u001b';
const colour = new RegExp(`${esc}\\[(?:3[0-7]|9[0-7]|4[0-7])m`);

const [postgres, idp] = await Promise.all([startPostgres(), startIdp()]);
t.teardown(() => Promise.all([postgres.stop(), idp.close()]));
t.jobs = 3; // a login waits for its issuer

function opened(t: Test, columns = 80, env: Record<string, string> = {}): { workspace: Workspace; screen: Terminal } {
  const workspace = makeWorkspace();
  const how = { cwd: workspace.project, env: { ...workspace.env, ...env }, columns, rows: 30 };
  const args = ['-u', 'NODE_OPTIONS', process.execPath, dbguardProgram, 'init'];
  const screen = new Terminal('/usr/bin/env', args, how);
  t.teardown(() => {
    screen.kill();
    workspace.remove();
  });
  return { workspace, screen };
}

t.test('from a wrong password to a file that runs', async (t) => {
  const { workspace, screen } = opened(t);
  await screen.shows('1 of 6');
  screen.type(`${postgres.url('postgres', 'postgres', 'hunter2')}\r`);
  await screen.shows(/✗ .*password authentication\s+failed/);
  screen.type(keys.enter);
  await screen.shows(/Password\n[\s\S]*written nowhere/);
  t.notMatch(screen.text(), 'hunter2', 'what was answered shows no password');
  screen.type(`${postgres.password}\r`);
  const looked = await screen.shows(/✓ main: PostgreSQL \d+/);
  t.notMatch(looked, postgres.password);
  screen.type(keys.enter);
  await screen.shows('> production');
  screen.type(keys.down + keys.down);
  await screen.shows('> development');
  screen.type(keys.enter);
  await screen.shows('4 of 7');
  screen.type(`${idp.issuer}\r`);
  await screen.shows('✓ device flow');
  screen.type(keys.enter);
  await screen.shows('> dbguard');
  screen.type(keys.enter);
  await screen.shows('> log in now, with a code');
  screen.type(keys.enter);
  const page = await screen.shows(/\(or open \S+ \)/);
  await idp.approve(/\(or open (\S+) \)/.exec(page)?.[1] ?? '');
  await screen.shows(`✓ ${idp.email}`);
  screen.type(keys.enter);
  await screen.shows('file:./folder');
  screen.type('file:./transcripts\r');
  await screen.shows(/✓ \S*\/transcripts\s+can be written to/);
  t.strictSame(readdirSync(workspace.project), [], 'nothing so far');
  screen.type(keys.enter);
  await screen.shows('show me one');
  screen.type(keys.enter);
  await screen.shows(/Delete ALL rows of orders\?[\s\S]*practice \(nothing runs\)/);
  await screen.press('d', /✓ denied: nothing would run/);
  screen.type(keys.enter);
  await screen.shows('> write dbguard.yaml');
  screen.type(keys.enter);
  t.match(await screen.exit, { code: 0 });
  t.match(screen.history().join('\n'), /Wrote dbguard\.yaml\.\nThe password [\s\S]*\nNext:\n {2}dbguard doctor/);
  const text = readFileSync(join(workspace.project, 'dbguard.yaml'), 'utf8');
  t.notMatch(text, new RegExp(`hunter2|${postgres.password}`));
  t.match(parseConfig(text, 'f'), { identity: { issuer: idp.issuer }, bucket: { kind: 'file' } });
  const ran = await workspace.dbguard(['run', '--', 'true'], { env: { PGPASSWORD: postgres.password } });
  t.match(ran, { exitCode: 0, stderr: new RegExp(idp.email) }, 'nothing is asked again');
});

t.test('Escape goes back to what was typed, Ctrl-C leaves nothing behind, in any width and any locale', async (t) => {
  for (const [columns, env] of [
    [60, { NO_COLOR: '1' }],
    [200, { LANG: 'C', LC_ALL: 'C' }],
  ] as const) {
    const { workspace, screen } = opened(t, columns, env);
    writeFileSync(join(workspace.project, '.env'), 'DATABASE_URL=postgresql://ada:s3cret@127.0.0.1:1/shop\n');
    await screen.shows('1 of 6');
    screen.type('\x15postgresql://ada@127.0.0.1:1/shop\r');
    await screen.shows(/cannot reach 127\.0\.0\.1:1/);
    screen.type(keys.enter);
    await screen.shows('> production');
    screen.type(keys.down + keys.enter);
    await screen.shows('Identity\n');
    screen.type(keys.escape);
    await screen.shows('> staging');
    screen.type(keys.escape);
    const back = await screen.shows('> postgresql://ada@127.0.0.1:1/shop');
    t.strictSame(
      back.split('\n').filter((line) => textWidth(line) > columns),
      [],
    );
    if ('NO_COLOR' in env) t.notMatch(screen.raw, colour);
    else t.notMatch(screen.raw, /[\u0080-\uffff]/);
    screen.type(keys.interrupt);
    t.match(await screen.exit, { code: 130 });
    t.match(screen.history().join('\n'), /dbguard: nothing was written/);
    t.notOk(screen.alternate);
    t.strictSame(readdirSync(workspace.project), ['.env']);
  }
});

t.test('a terminal that cannot move its cursor is asked line by line', async (t) => {
  const { workspace, screen } = opened(t, 80, { TERM: 'dumb' });
  for (const question of ['Database:', 'Environment:', 'Identity:', 'Transcripts:', 'Write it:']) {
    await screen.shows(question);
    screen.type(keys.enter);
  }
  t.match(await screen.exit, { code: 0 });
  t.notMatch(screen.raw, '\x1b');
  t.strictSame(readdirSync(workspace.project), ['dbguard.yaml']);
});
