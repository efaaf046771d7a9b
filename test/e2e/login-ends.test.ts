/** A login that ends while an agent works, with the provider's short-lived tokens and a person in another terminal. */
import t from 'tap';
import { keys } from '../helpers/terminal.js';
import { developer, sessionOf } from './developer.js';

/** Runs each line that is typed as a statement, on the connection it has or on a new one. */
const agent = `
  const { Client } = require('pg');
  const { createInterface } = require('node:readline');
  let client;
  const connect = async () => {
    const fresh = new Client({ connectionString: process.env.DATABASE_URL });
    fresh.on('error', () => {});
    await fresh.connect();
    return fresh;
  };
  const tell = (n, { code, message, hint }) => console.log([n, code, message, hint].join(' | '));
  connect().then((first) => { client = first; console.log('connected'); });
  let n = 0;
  createInterface({ input: process.stdin }).on('line', async (line) => {
    n++;
    if (line === 'exit') return process.exit(0);
    try {
      if (line === 'again') await (await connect()).end();
      else await client.query(line);
      console.log(n + ' done');
    } catch (error) { tell(n, error); }
  });`;

t.test('statements stop with an error that says so, and dbguard login elsewhere lets the run go on', async (t) => {
  const lifetime = { seconds: 3600 };
  const { workspace, idp, terminal, postgres } = await developer(t, {
    loggedIn: false,
    idp: { idTokenTtl: () => lifetime.seconds },
    scopes: ['openid', 'email'], // no refresh token: when it is over, it is over
  });
  await postgres.query('create table done (id int)');
  lifetime.seconds = 15;
  await workspace.login(idp);
  const screen = terminal(['run', '--', process.execPath, '-e', agent]);
  t.teardown(() => screen.kill());
  await screen.shows('connected');
  const session = sessionOf(screen.history().join('\n'));
  let typed = 0;
  const type = async (line: string): Promise<string> => {
    screen.type(`${line}${keys.enter}`);
    typed++;
    await screen.shows(new RegExp(`^${typed} (done|\\|)`, 'm'));
    return screen.history().find((one) => one.startsWith(`${typed} `)) ?? '';
  };
  t.equal(await type('insert into done values (1)'), '1 done');

  let answer = '';
  while (!answer.includes('|')) answer = await type('insert into done values (2)');
  t.match(answer, '| 42501 | dbguard denied this statement: the login of dev-1@example.test has ended');
  t.match(answer, /\| Run: dbguard login \(in another terminal.*Then the same statement may run\.$/);
  t.match(await type('again'), /\| 28000 \| dbguard: .*login/, 'new connections neither');
  const before = await postgres.query('select * from done where id = 2');

  lifetime.seconds = 3600;
  await workspace.login(idp);
  while (answer.includes('|')) answer = await type('insert into done values (3)');
  t.match(await type('again'), /done$/);
  screen.type(`exit${keys.enter}`);
  t.match(await screen.exit, { code: 0 });
  t.equal((await postgres.query('select * from done where id = 3')).length, 1, 'the connection of before goes on');
  t.strictSame(await postgres.query('select * from done where id = 2'), before);

  const shown = await workspace.dbguard(['transcripts', 'show', session]);
  t.match(shown.stdout, /deny builtin:login/);
  t.match(await workspace.dbguard(['transcripts', 'verify', session]), { exitCode: 0, stdout: /PROVEN/ });
});
