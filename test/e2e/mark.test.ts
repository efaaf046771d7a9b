/** The words by which a person knows a true prompt: chosen at a terminal, on every prompt, and nowhere that the child looks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { t } from 'tap';
import { keys } from '../helpers/terminal.js';
import { developer, script } from './developer.js';

const { postgres, terminal, workspace, idp } = await developer(t);
await postgres.query('CREATE TABLE people (id int PRIMARY KEY); INSERT INTO people SELECT generate_series(1, 1200)');
const words = 'Opas grüner Elch';

t.test('before any were chosen, the run says those that it made', async (t) => {
  const screen = terminal(['run', '--', 'true']);
  await screen.exit;
  t.match(
    screen.history().join('\n'),
    /its prompts carry the words “[a-z]+ [a-z]+”; choose your own with: dbguard mark/,
  );
});

t.test('chosen at a terminal: what was typed does not stay on it', async (t) => {
  const screen = terminal(['mark'], { columns: 80 });
  await screen.shows('Your words:');
  screen.type(`ab${keys.enter}`);
  await screen.shows('Not these: fewer than 4 characters');
  screen.type(`Opas gxx\b\brüner Elch${keys.enter}`);
  await screen.shows('from the next run on');
  t.match(await screen.exit, { code: 0 });
  t.notMatch(screen.history().join('\n'), /Elch|U\+001B/);
  t.match(screen.raw, 'Elch', 'though it was there to be read while it was typed');
});

t.test('on every prompt, also on a low screen, and on nothing else', async (t) => {
  for (const rows of [30, 9]) {
    const body = `const fs = require('fs'); const seen = [JSON.stringify(process.env), fs.readFileSync('/proc/self/cmdline', 'utf8')];
      return [seen.join().includes('El' + 'ch'), (await attempt('DELETE FROM people')).code];`;
    const agent = script(
      `const said = await (async () => { ${body} })(); console.log('agent says ' + JSON.stringify(said));`,
    );
    const screen = terminal(['run', '--', ...agent], { rows, columns: 80 });
    t.teardown(() => screen.kill());
    const shown = await screen.shows(/No answer denies in/);
    t.match(shown, new RegExp(`^── ${words} ─+$`, 'm'));
    t.notMatch(screen.history().join('\n'), /Elch/, 'what the run says at its start is without them');
    t.match(screen.history().join(''), 'a prompt without the words that you chose is not dbguard’s');
    await sleep(700);
    await screen.press('d', 'agent says');
    await screen.exit;
    t.match(screen.history().join('\n'), 'agent says [false,"42501"]');
  }
});

t.test('a second terminal shows them too, and says those that were made', async (t) => {
  const agent = script("const said = await attempt('DELETE FROM people'); console.log('agent says ' + said.code);");
  const screen = terminal(['run', '--', ...agent], { columns: 80 });
  t.teardown(() => screen.kill());
  await screen.shows('No answer denies in');
  const second = terminal(['approvals'], { columns: 80 });
  t.teardown(() => second.kill());
  t.match(await second.shows('No answer denies in'), new RegExp(`^── ${words} ─+$`, 'm'));
  t.notMatch(second.history().join('\n'), /Elch/, 'what was chosen is said nowhere else');
  await second.hides('Keys count in a moment');
  await second.press('d', 'denied by');
  await screen.shows('agent says 42501');
});

t.test('a new login keeps them; nobody chooses them without a terminal, or in a run', async (t) => {
  await workspace.login(idp);
  const screen = terminal(['run', '--', 'true']);
  await screen.exit;
  t.match(screen.history().join('\n'), 'the words that you chose');
  const piped = await workspace.dbguard(['mark'], { input: 'other words\n' });
  t.match(piped, { exitCode: 64, stderr: /there is no terminal to ask at/ });
  const inside = terminal([
    'run',
    '--',
    process.execPath,
    '-e',
    `require('child_process').spawnSync(process.execPath, ['${process.cwd()}/bin/dbguard', 'mark'], { stdio: 'inherit' })`,
  ]);
  await inside.exit;
  t.match(inside.history().join('\n'), 'this is inside of a dbguard run');
});

t.test('whoever logs in at a terminal is asked once', async (t) => {
  await workspace.dbguard(['trust', '--yes']);
  await workspace.dbguard(['logout']);
  const login = async () => {
    const screen = terminal(['login', '--no-open'], { columns: 200 });
    const shown = await screen.shows(/\(or open {2}(\S+) \)/);
    await idp.approve(/\(or open {2}(\S+) \)/.exec(shown)?.[1] ?? '');
    return screen;
  };
  const first = await login();
  await first.shows('Your words:');
  first.type(`${words}${keys.enter}`);
  t.match(await first.exit, { code: 0 });
  t.notMatch(first.history().join('\n'), 'Elch');
  const second = await login();
  t.match(await second.exit, { code: 0 });
  t.notMatch(second.history().join('\n'), 'Your words');
});
