/** A mask that a person lifts at the prompt of `dbguard run`, on a real terminal: asked, approved, read, recorded. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { developer, script } from './developer.js';

const mask = [{ column: 'people.email', with: 'email' }];
const unmask = [{ column: 'people.email', for: '1m' }];
const lift = "SET dbguard.unmask = 'public.people.email'";
const seed = `CREATE TABLE people (id int, email text); INSERT INTO people VALUES (1, 'ada@secret.example')`;

t.test('a person says yes', async (t) => {
  const { postgres, terminal, workspace, config } = await developer(t);
  workspace.configure({ ...config, mask, unmask });
  await postgres.query(seed);
  const body = `
    const hints = [];
    client.on('notice', ({ hint }) => hint && hints.push(hint));
    const email = async () => (await attempt('SELECT email FROM people'))[0].email;
    const seen = [await email()];
    await attempt(hints[0].slice(0, hints[0].indexOf(' asks')));
    seen.push(await email());
    console.log('agent says ' + JSON.stringify(seen.map((one) => one.endsWith('@masked.invalid') ? 'masked' : one)));`;
  // a file that is named is the person's own
  const screen = terminal(['run', '--config', join(workspace.project, 'dbguard.yaml'), '--', ...script(body)]);
  t.teardown(() => screen.kill());
  t.match(await screen.shows(/No answer denies in/), 'the real values of public.people.email for');
  // keys count a moment later
  await sleep(700);
  screen.type('a');
  await screen.shows('agent says ["masked","ada@secret.example"]');
  await screen.exit;
  const sid = /session ([0-9a-z]{26}),/.exec(screen.raw)?.[1] ?? '';
  // found in a folder, that file is a repository's
  workspace.configure(config);
  const { stdout } = await workspace.dbguard(['transcripts', 'show', sid]);
  const shown = String(stdout);
  t.match(shown, lift);
  t.match(shown, /allowed by a person at the terminal/);
  t.notMatch(shown, 'ada@secret.example');
});

t.test('not by the file of a repository', async (t) => {
  const { postgres, run, workspace, config } = await developer(t);
  workspace.configure({ ...config, mask, unmask });
  await postgres.query(seed);
  const { stderr, exitCode } = await run(script(`await attempt(${JSON.stringify(lift)});`));
  t.not(exitCode, 0);
  t.match(stderr, /unmask: only your own file or the organisation’s/);
});
