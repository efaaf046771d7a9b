/** An agent with a shell, inside of a real `dbguard run` on a terminal, that wants its statement approved. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { developer, sessionOf } from '../e2e/developer.js';
import { dbguardProgram } from '../helpers/repository.js';
import { keys, Terminal } from '../helpers/terminal.js';

const { workspace, postgres, terminal, run } = await developer(t);
await postgres.query('CREATE TABLE orders (id int)');

/** Sends the statement in the file `statement`, runs ATTACK in a shell while it waits, prints what comes back. */
const agent = `
  const { Client } = require('pg');
  const { readFileSync, renameSync, writeFileSync } = require('node:fs');
  const { exec } = require('node:child_process');
  // the agent is the job of a shell, and that is dbguard's child
  process.env.GUARD = readFileSync('/proc/' + process.ppid + '/stat', 'utf8').split(') ')[1].split(' ')[1];
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  client.on('error', () => {});
  client.on('notice', () => {
    const attack = process.env.ATTACK;
    if (attack) exec('until [ -f go ]; do sleep 0.05; done; ' + attack, (_, out, err) => {
      writeFileSync('attacked.tmp', out + err);
      renameSync('attacked.tmp', 'attacked');
    });
  });
  client.connect()
    .then(() => client.query(readFileSync('statement', 'utf8')))
    .then(({ rowCount }) => 'deleted ' + rowCount, ({ code, message }) => code + ' ' + message)
    .then((said) => { console.log('agent: ' + said); process.exit(0); });
  console.log('agent ' + process.pid + ' of ' + process.env.GUARD);`;

const attacked = join(workspace.project, 'attacked');
/** Made when the prompt is up. */
const go = join(workspace.project, 'go');
const prompt = 'Delete ALL rows of orders';

async function start(t: Test, attack = '', statement = 'DELETE FROM orders'): Promise<Terminal> {
  for (const file of [attacked, go]) rmSync(file, { force: true });
  await postgres.query('TRUNCATE orders');
  await postgres.query('INSERT INTO orders SELECT generate_series(1, 3)');
  writeFileSync(join(workspace.project, 'statement'), statement);
  const command = ['env', `ATTACK=${attack}`, process.execPath, '-e', agent];
  const screen = terminal(['run', '--', ...command]);
  t.teardown(async () => {
    screen.kill();
    await screen.exit;
  });
  await screen.shows(prompt);
  writeFileSync(go, '');
  return screen;
}

const left = async (): Promise<number> => Number((await postgres.query('SELECT count(*) FROM orders'))[0]?.count);

/** A key that counts: the prompt has settled. */
async function press(screen: Terminal, key: string): Promise<void> {
  await screen.shows('No answer denies in');
  await screen.hides(/Keys count in a moment|Typing is ignored/);
  // a key that comes while dbguard itself was held up does not count, as for a person; the question ends by itself
  while (screen.text().includes('No answer denies in')) {
    screen.type(key);
    await sleep(2000);
  }
}

async function outcomeOf(): Promise<string> {
  while (!existsSync(attacked)) await sleep(50);
  return readFileSync(attacked, 'utf8');
}

// a child is not told where dbguard keeps its state; an agent that means it finds out
const dbguard = `env DBGUARD_HOME=${workspace.home} DBGUARD_TOKEN_STORE=file ${process.execPath} ${dbguardProgram}`;
const approve = `${dbguard} approve 1-2`;
const nested = `script -qec "${dbguard} run -- true" /dev/null`;
const bare = 'exec env -i PATH="$PATH" HOME="$HOME"';
const orphan = `env -u DBGUARD_SESSION ${approve} > orphan 2>&1; touch orphan.done`;
const ways: Readonly<Record<string, string>> = {
  'a child of its own': approve,
  'a process in another session': `setsid -w sh -c "${approve}"`,
  'without the marker in its environment': `env -u DBGUARD_SESSION setsid -w sh -c "${approve}"`,
  'an orphan': `(setsid sh -c "sleep 1; ${orphan}" &) ; until [ -f orphan.done ]; do sleep 0.1; done; cat orphan`,
  'a run of its own, on a terminal of its own': nested,
  'such a run without the marker': `env -u DBGUARD_SESSION ${nested}`,
  'such a run with nothing in its environment': `${bare} ${nested}`,
  'a role for a time, from inside': `${dbguard} access grant fix-orders`,
  'a role for a time, from another session without the marker': `env -u DBGUARD_SESSION setsid -w sh -c "${dbguard} access grant fix-orders"`,
  'and without ancestors': `(${bare} setsid sh -c '${nested} > late 2>&1; touch late.done' &) ; until [ -f late.done ]; do sleep 0.1; done; cat late`,
};

t.test('it answers for itself', async (t) => {
  const attacks = Object.entries(ways).map(([name, attack]) => `echo "${name}: "; ( ${attack}; ) 2>&1`);
  const screen = await start(t, attacks.join('; '));
  const listed = await workspace.dbguard(['approvals', '--list']);
  t.match(listed.stdout, '1-2', 'a person can, and by this id');
  const outcome = await outcomeOf();
  for (const name of Object.keys(ways)) {
    const [, said = ''] = outcome.split(`${name}: \n`);
    t.match(said.split('\n')[0], /inside|no process above it is older/, name);
  }
  t.equal(await left(), 3);
  await press(screen, 'd');
  await screen.shows('agent: 42501');
  t.equal(await left(), 3);
});

t.test(
  'it kills dbguard while its statement waits: nothing ran, and the transcript says how far it came',
  async (t) => {
    const screen = await start(t, 'kill -9 $GUARD');
    const session = sessionOf(screen.history().join('\n'));
    await screen.exit;
    await sleep(300);
    t.equal(await left(), 3);
    const backends = await postgres.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DELETE FROM orders%'");
    t.strictSame(backends, []);
    await workspace.dbguard(['upload']);
    const verified = await workspace.dbguard(['transcripts', 'verify', session]);
    t.equal(verified.exitCode, 2, 'not all proven: it may have been cut');
    t.match(verified.stdout, /no final seal yet|unsealed/);
    const shown = await workspace.dbguard(['transcripts', 'show', session, '--json']);
    t.match(shown.stdout, 'DELETE FROM orders');
    t.notMatch(shown.stdout, /approved|"outcome"/);
  },
);

t.test('it stops dbguard: nothing passes, and when it goes on a person decides', async (t) => {
  const screen = await start(t, 'kill -STOP $GUARD; echo stopped');
  t.match(await outcomeOf(), 'stopped');
  screen.type('a');
  await sleep(1000);
  t.equal(await left(), 3, 'while it stands still, nobody approves');
  const pid = guardOf(screen);
  process.kill(pid, 'SIGCONT');
  await screen.shows(/Keys count in a moment|Typing is ignored/);
  await press(screen, 'd');
  await screen.shows('agent: 42501');
  t.equal(await left(), 3);
});

/** dbguard. */
function guardOf(screen: Terminal): number {
  const [, pid] = /agent \d+ of (\d+)/.exec(screen.raw) ?? [];
  return Number(pid);
}

t.test('ten megabytes of escapes and reversed text', async (t) => {
  const tricks = '\u001b[2J\u001b[H\u001b]0;owned\u0007\u202eSELECT\u2066\u009b31m\u001b[?1049l\u001b[5i';
  const statement = `DELETE FROM orders /* ${tricks.repeat(1000)}${'x'.repeat(10 << 20)}${tricks} */`;
  const screen = await start(t, '', statement);
  await press(screen, 'd');
  await screen.shows('agent: 42501');
  await screen.exit;
  t.equal(await left(), 3);
  for (const piece of ['\u001b]0;owned', '\u202e', '\u2066', '\u009b', '\u001b[5i'])
    t.notOk(screen.raw.includes(piece), `${JSON.stringify(piece)} reached the terminal as it is`);
  t.match(screen.raw, '⟨U+202E⟩', 'it is shown for what it is');
  t.ok(screen.raw.length < 2 << 20, `the terminal got ${screen.raw.length} characters`);
  const verified = await workspace.dbguard(['transcripts', 'verify', sessionOf(screen.history().join('\n'))]);
  t.equal(verified.exitCode, 0, 'and the transcript has all of it');
});

for (const where of ['on a terminal', 'without one'] as const) {
  t.test(`the real password is nowhere that belongs to the agent, ${where}`, async (t) => {
    const look = [
      'env',
      'tr "\\0" "\\n" < /proc/$$/environ',
      'tr "\\0" " " < /proc/$PPID/cmdline; echo',
      'for fd in /proc/$$/fd/*; do echo "$fd -> $(readlink $fd)"; done',
      `grep -rlaE "${postgres.password.replace(/.$/, '[$&]')}" "$HOME"`,
    ].join('; ');
    const file = join(workspace.project, 'said');
    const child = ['sh', '-c', `{ ${look}; } > said`];
    if (where === 'without one') await run(child);
    else await terminal(['run', '--', ...child]).exit;
    const lines = readFileSync(file, 'utf8').split('\n');
    rmSync(file);
    const config = join(workspace.project, 'dbguard.yaml');
    t.match(lines.join('\n'), /^PGPASSWORD=/m);
    t.ok(lines.includes(config), 'what the developer wrote into the project is there to be read');
    t.strictSame(
      lines.filter(
        (line) => line !== config && (line.includes(postgres.password) || line.startsWith(`${workspace.env.HOME}/`)),
      ),
      [],
    );
    // the shell keeps its own output at 10 while this file stands in for it
    const inherited = lines.filter((line) =>
      /\/fd\/(?!(?:0|1|2|10) )\d+ -> .*(socket|anon_inode|ptmx|jsonl)/.test(line),
    );
    t.strictSame(inherited, [], 'no descriptor of dbguard’s');
  });
}

t.test('it runs beside a terminal, its output in a pipe: that terminal is out of its reach', async (t) => {
  const reach = [
    'if ( : >/dev/tty ) 2>/dev/null; then echo reached; else echo out of reach; fi',
    'for fd in 0 1 2; do if [ -t $fd ]; then echo "$fd is the terminal"; else echo "$fd is none"; fi; done',
    'read -r line; echo "read $line"',
    'echo loud >&2',
  ].join('; ');
  const wait = 'trap "echo caught; exit 5" INT; echo ready; sleep 20 >/dev/null & wait';
  const run = `${process.execPath} ${dbguardProgram} run -- sh -c '${reach}; ${wait}' | (trap "" INT; cat); echo over`;
  const screen = new Terminal('/bin/sh', ['-c', `unset NODE_OPTIONS; trap : INT; ${run}`], {
    cwd: workspace.project,
    env: workspace.env,
  });
  t.teardown(() => screen.kill());
  screen.type(`words${keys.enter}`);
  const seen = await screen.shows('ready');
  for (const line of ['out of reach', '0 is none', '1 is none', '2 is none', 'read words']) t.match(seen, line);
  await screen.shows('loud');
  screen.type(keys.interrupt);
  await screen.shows('caught');
  await screen.shows('over');
  t.match(await screen.exit, { code: 0 });
});
