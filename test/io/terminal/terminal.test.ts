import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { repositoryRoot } from '../../helpers/repository.js';
import { keys, Terminal } from '../../helpers/terminal.js';

const program = join(repositoryRoot, 'test/io/terminal/guarded-run.ts');
const environment = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', LC_ALL: 'C.UTF-8', PS1: '$ ' };

interface Guarded {
  readonly terminal: Terminal;
  readonly folder: string;
  ask(sql?: string): void;
  answers(): { decision: string; reason?: string; by: { kind: string } }[];
  answered(): Promise<{ decision: string; reason?: string; by: { kind: string } }>;
}

function start(t: Test, command: readonly string[], size = { columns: 80, rows: 24 }, env = {}): Guarded {
  const folder = mkdtempSync(join(tmpdir(), 'dbg-'));
  const asks = join(folder, 'asks');
  const answers = join(folder, 'answers');
  writeFileSync(asks, '');
  const args = ['--no-warnings', '--import=tsx', program, asks, answers, ...command];
  const terminal = new Terminal(process.execPath, args, {
    cwd: repositoryRoot,
    env: { ...environment, ASKS: asks, ...env },
    ...size,
  });
  t.teardown(async () => {
    terminal.kill();
    await terminal.exit;
    rmSync(folder, { recursive: true, force: true });
  });
  const read = () =>
    existsSync(answers)
      ? readFileSync(answers, 'utf8')
          .trim()
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line))
      : [];
  return {
    terminal,
    folder,
    ask: (sql = 'DELETE FROM orders') => appendFileSync(asks, `${sql}\n`),
    answers: read,
    answered: async () => {
      for (;;) {
        const [first] = read();
        if (first) return first;
        await pause(20);
      }
    },
  };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const prompt = 'Delete ALL rows of orders (about 10,482)?';
const ready = /No answer denies in/;

async function answer(guarded: Guarded, key: string) {
  await guarded.terminal.shows(ready);
  // "Keys count in a moment" stands before it until the prompt has settled
  await guarded.terminal.hides('Keys count in a moment');
  guarded.terminal.type(key);
  return guarded.answered();
}

for (const [name, command, drawn] of [
  ['less', ['less', 'package.json'], /"name": "dbguard"[\s\S]*\n *package\.json/],
  ['vim', ['vim', '-u', 'NONE', '-n', 'package.json'], '"name": "dbguard"'],
  ['a shell', ['sh', '-c', 'seq 100; printf "waits> "; cat'], 'waits>'],
] as const) {
  const skip = onPath(command[0]) ? false : `${command[0]} is not installed`;
  test(`the screen comes back as it was: ${name}`, { skip }, async (t) => {
    const guarded = start(t, command);
    const { terminal } = guarded;
    await terminal.shows(drawn);
    // whatever else it draws at its start
    await pause(300);
    const before = { text: terminal.text(), alternate: terminal.alternate };
    guarded.ask();
    await terminal.shows(prompt);
    t.match(await answer(guarded, 'a'), {
      decision: 'allow',
      scope: 'once',
      by: { kind: 'person', channel: 'terminal' },
    });
    await terminal.hides(prompt);
    t.strictSame({ text: terminal.text(), alternate: terminal.alternate }, before);
  });
}

test('a denial with a reason, at 60x15', async (t) => {
  const guarded = start(t, ['cat'], { columns: 60, rows: 15 });
  guarded.ask();
  const screen = await guarded.terminal.shows(ready);
  for (const word of ['PRODUCTION', prompt, 'DELETE FROM orders', ' a ', ' s ', ' d ', ' r ', ' x ', 'end'])
    t.match(screen, word);
  await guarded.terminal.hides('Keys count in a moment');
  guarded.terminal.type('r');
  await guarded.terminal.shows('Why not?');
  guarded.terminal.type(`only those of 2019${keys.enter}`);
  t.match(await guarded.answered(), { decision: 'deny', reason: 'only those of 2019' });
});

test('a window too small for anything still answers', async (t) => {
  const guarded = start(t, ['cat'], { columns: 20, rows: 4 });
  guarded.ask();
  await guarded.terminal.shows('PRODUCTION');
  await pause(600);
  guarded.terminal.type('d');
  t.match(await guarded.answered(), { decision: 'deny' });
});

test('a resize while the prompt is up reaches prompt and child', async (t) => {
  const guarded = start(t, ['sh', '-c', 'trap "stty size" WINCH; printf ready; while :; do sleep 0.05; done']);
  await guarded.terminal.shows('ready');
  guarded.ask();
  await guarded.terminal.shows(prompt);
  guarded.terminal.resize(70, 20);
  await answer(guarded, 'd');
  await guarded.terminal.shows('20 70');
  t.pass('the child was told its new size');
});

test('what the child writes during the prompt comes afterwards, all of it', async (t) => {
  const flood = 'while [ ! -f "$ASKS.go" ]; do sleep 0.02; done; seq 300000; echo the end';
  const guarded = start(t, ['sh', '-c', flood]);
  guarded.ask();
  await guarded.terminal.shows(prompt);
  writeFileSync(join(guarded.folder, 'asks.go'), '');
  await pause(300);
  t.notMatch(guarded.terminal.text(), 'the end');
  await answer(guarded, 'd');
  await guarded.terminal.exit;
  const numbers = guarded.terminal.raw.match(/\d+\r\n/g) ?? [];
  t.equal(numbers.length, 300_000);
  t.match(guarded.terminal.text(), 'the end');
});

test('a child that ends during the prompt loses no output', async (t) => {
  const guarded = start(t, ['sh', '-c', 'while [ ! -f "$ASKS.go" ]; do sleep 0.02; done; seq 2000; exit 7']);
  guarded.ask();
  await guarded.terminal.shows(prompt);
  writeFileSync(join(guarded.folder, 'asks.go'), '');
  await pause(500);
  await answer(guarded, 'd');
  t.match(await guarded.terminal.exit, { code: 7 });
  t.equal((guarded.terminal.raw.match(/\d+\r\n/g) ?? []).length, 2000);
});

test('a line feed alone goes straight down', async (t) => {
  const guarded = start(t, ['sh', '-c', 'stty raw; printf "abc\\ndef\\r\\nover"; stty sane; cat']);
  t.match(await guarded.terminal.shows('over'), 'abc\n   def\nover');
});

test('exit codes and signals are the child’s', async (t) => {
  t.match(await start(t, ['sh', '-c', 'exit 3']).terminal.exit, { code: 3 });
  t.match(await start(t, ['sh', '-c', 'kill -9 $$']).terminal.exit, { code: 137 });
  const missing = start(t, ['no-such-program']);
  t.match(await missing.terminal.exit, { code: 127 });
  t.match(missing.terminal.text(), 'no-such-program: command not found');
  t.match(await start(t, [join(repositoryRoot, 'package.json')]).terminal.exit, { code: 126 });
  t.match(await start(t, [repositoryRoot]).terminal.exit, { code: 126 });

  const told = start(t, ['sh', '-c', 'trap "echo told; exit 9" TERM; printf ready; while :; do sleep 0.05; done']);
  await told.terminal.shows('ready');
  told.terminal.kill('SIGTERM');
  t.match(await told.terminal.exit, { code: 9 });
  t.match(told.terminal.text(), 'told');
});

test('Ctrl-C, Ctrl-Z and end of file belong to the child', async (t) => {
  const guarded = start(t, [
    'sh',
    '-c',
    'trap "echo interrupted" INT; printf ready; until read -r line; do :; done; cat; echo over',
  ]);
  await guarded.terminal.shows('ready');
  guarded.terminal.type(keys.interrupt);
  await guarded.terminal.shows('interrupted');
  guarded.terminal.type(`a line${keys.enter}${keys.endOfFile}`);
  await guarded.terminal.shows('over');
  t.match(await guarded.terminal.exit, { code: 0 });
});

test('claude-code starts claude where no program has that name', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dbg-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'claude'), '#!/bin/sh\necho I am claude\n', { mode: 0o755 });
  const guarded = start(t, ['claude-code'], undefined, { PATH: `${folder}:${environment.PATH}` });
  await guarded.terminal.exit;
  t.match(guarded.terminal.text(), 'I am claude');
});

test('attack: with dbguard killed the child loses its terminal', async (t) => {
  const guarded = start(t, ['sh', '-c', 'printf "pid=%s." $$; cat']);
  const pid = Number(/pid=(\d+)\./.exec(await guarded.terminal.shows(/pid=\d+\./))?.[1]);
  guarded.terminal.kill('SIGKILL');
  await guarded.terminal.exit;
  while (alive(pid)) await pause(20);
  t.notOk(alive(pid));
});

test('attack: keys typed before the prompt, and while it comes up, answer nothing', async (t) => {
  const guarded = start(t, ['cat']);
  await pause(300);
  let typing = true;
  const typist = (async () => {
    while (typing) {
      guarded.terminal.type('a');
      await pause(60);
    }
  })();
  guarded.ask();
  await guarded.terminal.shows(prompt);
  await guarded.terminal.shows('Typing is ignored here');
  await pause(1000);
  typing = false;
  await typist;
  await pause(600);
  t.strictSame(guarded.answers(), []);
  t.match(await answer(guarded, 'd'), { decision: 'deny' });
});

// root may push keys into any terminal; without CAP_SYS_ADMIN it is as an ordinary user is
const root = process.getuid?.() === 0;
const missingForAttack = ['python3', ...(root ? ['setpriv'] : [])].filter((name) => !onPath(name));
const noAttack =
  missingForAttack.length > 0 ? `${missingForAttack.join(', ')} not installed; TIOCSTI needs ioctl(2)` : false;

test('attack: the child writes to every terminal it can reach', { skip: noAttack }, async (t) => {
  const script = join(repositoryRoot, 'test/io/terminal/attack.py');
  const attack = root ? ['setpriv', '--bounding-set=-sys_admin', 'python3', script] : ['python3', script];
  const guarded = start(t, attack);
  await guarded.terminal.shows('armed');
  guarded.ask();
  await guarded.terminal.shows(prompt);
  await guarded.terminal.hides('Keys count in a moment');
  const done = join(guarded.folder, 'asks.done');
  writeFileSync(join(guarded.folder, 'asks.go'), '');
  while (!existsSync(done)) await pause(20);
  await pause(1000);
  t.strictSame(guarded.answers(), [], readFileSync(done, 'utf8'));
  t.match(readFileSync(done, 'utf8'), /own terminal: pushed/, 'the attack did run');
  guarded.terminal.type('d');
  t.match(await guarded.answered(), { decision: 'deny' });
});

test('without a terminal: transparent pipes and the child’s exit code', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dbg-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'asks'), '');
  const run = (command: readonly string[], input: string) =>
    new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
      const args = [
        '--no-warnings',
        '--import=tsx',
        program,
        join(folder, 'asks'),
        join(folder, 'answers'),
        ...command,
      ];
      const child = spawn(process.execPath, args, { stdio: 'pipe', env: environment });
      let out = '';
      let err = '';
      child.stdout.on('data', (bytes: Buffer) => {
        out += bytes.toString('latin1');
      });
      child.stderr.on('data', (bytes: Buffer) => {
        err += bytes.toString('latin1');
      });
      child.on('close', (code) => resolve({ code, out, err }));
      child.stdin.end(input, 'latin1');
    });
  t.strictSame(await run(['sh', '-c', 'cat; echo oops >&2; exit 5'], 'a\0\xff\n'), {
    code: 5,
    out: 'a\0\xff\n',
    err: 'oops\n',
  });
  t.match(await run(['sh', '-c', 'kill -TERM $$'], ''), { code: 143 });
  t.match(await run(['no-such-program'], ''), { code: 127, err: /command not found/ });
});

function onPath(name: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
