/** `dbguard run` as a developer meets it: what the child gets, what comes back, and what is left in the bucket. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dbguardProgram } from '../helpers/repository.js';
import { keys, Terminal } from '../helpers/terminal.js';
import { developer, script, sessionOf } from './developer.js';

const { run, workspace, postgres, terminal } = await developer(t);
await postgres.query('create table orders (id int primary key, total int); insert into orders values (1, 10), (2, 20)');

t.test('the child sees the proxy and nothing else', async (t) => {
  const { stdout, stderr, exitCode } = await run([
    process.execPath,
    '-e',
    'console.log(JSON.stringify(process.env)); process.exit(3)',
  ]);
  t.equal(exitCode, 3);
  const env = JSON.parse(String(stdout));
  t.match(env, { PGHOST: /^\//, PGUSER: 'postgres', PGDATABASE: 'postgres', PGSSLMODE: 'disable' });
  t.not(Number(env.PGPORT), postgres.port);
  t.not(env.PGPASSWORD, postgres.password);
  t.equal(env.DATABASE_URL, `postgresql://postgres:${env.PGPASSWORD}@127.0.0.1:${env.PGPORT}/postgres?sslmode=disable`);
  const [who, where, ...rest] = stderr.split('\n');
  t.equal(
    who,
    'dbguard: dev-1@example.test on main (postgres@postgres), policy guarded + dbguard.yaml',
    'who, where, policy',
  );
  t.match(where, /^dbguard: session [0-9a-z]{26}, signed and recorded to file:/);
  t.equal(rest.length, 2, 'two lines at the start and two at the end');
});

t.test('stdin and stdout are the child’s own', async (t) => {
  const input = `line one\nline two \u00e9\n${'x'.repeat(100_000)}\n`;
  const { stdout, exitCode } = await run(['cat'], { input });
  t.equal(exitCode, 0);
  t.equal(`${stdout}\n`, input);
});

t.test('exit codes as a shell gives them', async (t) => {
  const [signalled, missing, folder] = await Promise.all([
    run(['sh', '-c', 'kill -TERM $$']),
    run(['no-such-program-here']),
    run([workspace.project]),
  ]);
  t.equal(signalled.exitCode, 128 + 15);
  t.equal(missing.exitCode, 127);
  t.match(missing.stderr, /no-such-program-here/);
  t.notMatch(missing.stderr, /session/, 'nothing was opened for it');
  t.equal(folder.exitCode, 126);
});

t.test('a signal to dbguard reaches the child, whose answer is the exit code', async (t) => {
  const running = run(['sh', '-c', 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done']);
  const lines = running.iterable()[Symbol.asyncIterator]();
  t.equal((await lines.next()).value, 'ready');
  // tap's loader needs `env` in between, which becomes dbguard itself
  running.kill('SIGTERM');
  t.equal((await running).exitCode, 9);
});

t.test('the whole transcript is in the bucket when the run has ended, and verifies', async (t) => {
  const body = `
    await client.query('begin');
    await client.query('update orders set total = total + $1 where id = $2', [5, 1]);
    await client.query('commit');
    return attempt('select total from orders where id = 1');`;
  const { stdout, stderr, exitCode } = await run(script(body));
  t.equal(exitCode, 0, stderr);
  t.strictSame(JSON.parse(String(stdout)), [{ total: 15 }]);
  t.match(stderr, /4 statements, 1 row changed\ndbguard: transcript complete in the bucket/);
  const sid = sessionOf(stderr);
  const verified = await workspace.dbguard(['transcripts', 'verify', sid]);
  t.equal(verified.exitCode, 0, verified.stderr);
  const shown = await workspace.dbguard(['transcripts', 'show', sid]);
  t.match(shown.stdout, 'update orders set total = total + $1 where id = $2');
  t.match(shown.stdout, 'dev-1@example.test');
  const listed = await workspace.dbguard(['transcripts', 'list']);
  t.match(listed.stdout, sid);
});

t.test('without a terminal the last line counts what nobody could be asked about', async (t) => {
  const agent = script(`
    const all = ['SELECT 1', 'DELETE FROM orders', 'TRUNCATE orders', "UPDATE orders SET total = 5 WHERE id = 2"];
    for (const sql of all) await client.query(sql).catch(() => {});`);
  const { stderr } = await run(agent);
  const sum = '4 statements, 2 denied because nobody could be asked, 1 row changed';
  t.match(stderr, sum);
});

t.test('two runs side by side know nothing of each other', async (t) => {
  const wait = (mine: number) =>
    script(`
      const before = await attempt('select current_setting($1) as session, ${mine} as mine', ['dbguard.session']);
      await attempt('select pg_sleep(0.4)');
      return { env: process.env.DBGUARD_SESSION, port: process.env.PGPORT, password: process.env.PGPASSWORD, before };`);
  const [one, two] = await Promise.all([run(wait(1)), run(wait(2))]);
  const [first, second] = [JSON.parse(String(one.stdout)), JSON.parse(String(two.stdout))];
  t.strictSame(first.before, [{ session: sessionOf(one.stderr), mine: 1 }]);
  t.strictSame(second.before, [{ session: sessionOf(two.stderr), mine: 2 }]);
  for (const field of ['env', 'port', 'password']) t.not(first[field], second[field], field);
  const both = [sessionOf(one.stderr), sessionOf(two.stderr)];
  const codes = await Promise.all(both.map((sid) => workspace.dbguard(['transcripts', 'verify', sid])));
  t.strictSame(
    codes.map(({ exitCode }) => exitCode),
    [0, 0],
  );
});

t.test('claude-code starts claude where no program has that name', async (t) => {
  const bin = join(workspace.home, 'agent-bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'claude'), '#!/bin/sh\necho "claude got $*"\n');
  chmodSync(join(bin, 'claude'), 0o755);
  const env = { PATH: `${bin}:${process.env.PATH}` };
  const { stdout, exitCode } = await run(['claude-code', '--resume', 'a b'], { env });
  t.equal(exitCode, 0);
  t.match(stdout, /^claude got [\s\S]* --resume a b$/, 'behind what it is told for this run');
});

t.test('with a terminal the child has one too, of the same size, and its exit code comes back', async (t) => {
  const child = 'test -t 0 && test -t 1 && stty size; read answer; echo "got $answer"; exit 7';
  const screen = terminal(['run', '--', 'sh', '-c', child]);
  t.teardown(() => screen.kill());
  await screen.shows(/^30 160$/m);
  t.match(screen.text(), /dbguard: dev-1@example.test on main/);
  screen.type(`hello${keys.enter}`);
  await screen.shows('got hello');
  t.match(await screen.exit, { code: 7 });
  t.match(screen.history().join('\n'), /transcript complete in the bucket/);
});

t.test('what a pager behind it has set on the terminal stays set', async (t) => {
  // Node keeps the settings that it finds at its start, so the pager sets its own after the child's first word
  const child = `sh -c 'echo started; until [ -e go ]; do sleep 0.05; done'`;
  const pager = `sh -c 'read word; stty -echo -icanon </dev/tty; touch go; cat >/dev/null'`;
  const line = `"$0" "$1" run -- ${child} | ${pager}; stty -a; echo over`;
  const screen = new Terminal(
    '/usr/bin/env',
    ['-u', 'NODE_OPTIONS', 'sh', '-c', line, process.execPath, dbguardProgram],
    {
      cwd: workspace.project,
      env: workspace.env,
    },
  );
  t.teardown(() => screen.kill());
  await screen.exit;
  t.match(screen.text(), /-icanon[\s\S]* -echo [\s\S]*over/);
});

t.test('Ctrl-C in the terminal is the child’s', async (t) => {
  const screen = terminal(['run', '--', 'sh', '-c', 'trap "echo caught; exit 5" INT; echo ready; sleep 20 & wait']);
  t.teardown(() => screen.kill());
  await screen.shows('ready');
  screen.type(keys.interrupt);
  await screen.shows('caught');
  t.match(await screen.exit, { code: 5 });
});

t.test('x ends an agent that ignores SIGTERM, as interactive shells do', async (t) => {
  const body =
    "process.on('SIGTERM', () => {}); console.log(await attempt('drop table orders')); console.log('then', await attempt('select 1')); setInterval(() => {}, 1000); await new Promise(() => {});";
  const screen = terminal(['run', '--', ...script(body)]);
  t.teardown(() => screen.kill());
  await screen.shows('Drop table orders?');
  await screen.shows(/^ No answer denies in/m);
  await screen.press('x', 'Press x again');
  screen.type('x');
  t.match(await screen.exit, { code: 128 + 1 }, 'SIGHUP');
  const said = screen.history().join('\n');
  t.match(said, 'ended this session instead of approving this statement');
  // the goodbye may be there before the next statement is sent
  t.match(said, /then[\s\S]*(57P01|not queryable)/, 'nothing more runs');
});

t.test('a run whose words nobody reads ends as any other', async (t) => {
  const line = '"$0" "$1" run -- sh -c "exit 4" 2>&1 >/dev/null | true; "$0" "$1" upload';
  const program = ['-u', 'NODE_OPTIONS', 'sh', '-c', line, process.execPath, dbguardProgram];
  const { stderr } = await execa('env', program, { cwd: workspace.project, env: workspace.env, extendEnv: false });
  t.match(stderr, /Nothing waits/, 'its transcript is complete in the bucket');
});
