/** A person's shell, dbguard, its child: Ctrl-Z, stops and `fg` go through all three, as if dbguard were not there. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, test } from 'tap';
import { findFenceProgram } from '../../../src/io/fence/fence-program.js';
import { repositoryRoot } from '../../helpers/repository.js';
import { keys, Terminal } from '../../helpers/terminal.js';

const found = await findFenceProgram(process.env);
const noFence = 'obstacle' in found ? found.obstacle.why : false;
const program = join(repositoryRoot, 'test/io/terminal/guarded-run.ts');
const suspend = '\x1a';
/** A program that has begun when it says so: keys before that are nobody's. */
const ready = `sh -c "'echo ready; exec cat'"`;

/** Each says in words of its own that a job is stopped. */
interface Shell {
  readonly command: readonly string[];
  readonly stopped: string;
  /** Variables of the shell and what it starts. */
  readonly env?: Readonly<Record<string, string>>;
}

const shells = {
  bash: { command: ['bash', '--norc', '-i'], stopped: 'Stopped' },
  zsh: { command: ['zsh', '-f', '-i'], stopped: 'suspended' },
  dash: { command: ['dash', '-i'], stopped: 'Stopped' },
  'dash, with the child in a fence': { command: ['dash', '-i'], stopped: 'Stopped', env: { FENCE: '1' } },
} as const satisfies Readonly<Record<string, Shell>>;

interface Session {
  readonly screen: Terminal;
  /** The words that start a command under dbguard. */
  run(command: string): void;
  type(line: string): void;
  /** The job is stopped and the shell has asked for the next line: what is typed earlier stands in front of its prompt. */
  stops(): Promise<unknown>;
  /** What the terminal's driver is set to, as the shell's next command sees it. */
  settings(): Promise<string>;
}

async function session(t: Test, { command: [name = '', ...args], stopped, env = {} }: Shell): Promise<Session> {
  const folder = mkdtempSync(join(tmpdir(), 'dbg-'));
  const asks = join(folder, 'asks');
  writeFileSync(asks, '');
  const guarded = [process.execPath, '--no-warnings', '--import=tsx', program, asks, join(folder, 'answers')].join(' ');
  const screen = new Terminal(name, args, {
    cwd: repositoryRoot,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      PS1: '> ',
      LC_ALL: 'C.UTF-8',
      RUN: guarded,
      HISTFILE: '',
      ...env,
    },
  });
  t.teardown(async () => {
    screen.kill();
    await screen.exit;
    rmSync(folder, { recursive: true, force: true });
  });
  await screen.shows('>');
  let asked = 0;
  const type = (line: string): void => screen.type(`${line}${keys.enter}`);
  return {
    screen,
    type,
    stops: () => screen.shows(new RegExp(`${stopped}[^]*\\n>`)),
    run: (command) => type(`eval "$RUN" ${command}`),
    settings: async () => {
      const file = join(folder, `stty-${++asked}`);
      type(`stty -a > ${file}; echo written $((${asked} + 100))`);
      await screen.shows(new RegExp(`^(?:> )?written ${asked + 100}\\n+>`, 'm'));
      return readFileSync(file, 'utf8');
    },
  };
}

for (const [name, shell] of Object.entries(shells)) {
  const skip = missing(shell);

  test(`${name}: a child that stops itself stops the job, and fg brings both back`, { skip }, async (t) => {
    const { screen, run, type, stops, settings } = await session(t, shell);
    const before = await settings();
    for (const signal of ['STOP', 'TSTP']) {
      run(`sh -c "'echo one ${signal}; kill -${signal} \\$\\$; echo two ${signal}'"`);
      await screen.shows(`one ${signal}`);
      await stops();
      t.equal(await settings(), before, 'the shell has its terminal');
      type('fg; echo in the shell');
      await screen.shows(new RegExp(`^two ${signal}\\n+in the shell`, 'm'));
      t.equal(await settings(), before);
      type('clear');
      await screen.hides(shell.stopped);
    }
  });

  test(`${name}: Ctrl-Z stops a program that leaves it to the terminal`, { skip }, async (t) => {
    const { screen, run, type, stops, settings } = await session(t, shell);
    const before = await settings();
    run(ready);
    await screen.shows(/^ready/m);
    screen.type(suspend);
    await stops();
    t.equal(await settings(), before);
    type('fg; echo in the shell');
    await screen.shows(/cat['"]?\n|continued/);
    type('second');
    await screen.shows(/second\n+second/);
    screen.type(keys.endOfFile);
    await screen.shows(/^in the shell/m);
    t.equal(await settings(), before);
  });

  test(`${name}: a grandchild that stands still does not freeze the run`, { skip }, async (t) => {
    const { screen, run, type, stops } = await session(t, shell);
    run(`sh -c "'sh -c \\"echo still; kill -STOP \\\\\\$\\\\\\$; echo alive\\"; echo over'"`);
    await screen.shows(/^still/m);
    // between its word and its stop a slow machine may do much else
    while (!/^T\S* .*; echo alive$/m.test(execFileSync('ps', ['-eo', 'stat,args'], { encoding: 'utf8' })))
      await sleep(50);
    screen.type(suspend);
    await stops();
    type('fg');
    await screen.shows(/^alive\n+over/m);
    t.pass('the whole job went on');
  });

  test(`${name}: a stopped run can be killed`, { skip }, async (t) => {
    const { screen, run, type, stops, settings } = await session(t, shell);
    const before = await settings();
    run(ready);
    await screen.shows(/^ready/m);
    screen.type(suspend);
    await stops();
    type('kill %1; wait %1; echo ended $?');
    await screen.shows(/^ended \d+/m);
    t.equal(await settings(), before);
  });
}

test('a full screen is put away for the shell, and is there again', { skip: !onPath('vim') }, async (t) => {
  const { screen, run, type, stops } = await session(t, shells.dash);
  run('vim -u NONE -n package.json');
  await screen.shows('"name": "dbguard"');
  t.ok(screen.alternate);
  screen.type(suspend);
  await stops();
  t.notOk(screen.alternate);
  type('fg');
  await screen.shows('"name": "dbguard"');
  t.ok(screen.alternate);
  type(':q');
  await screen.hides('"name": "dbguard"');
});

test('a screen that a stopped program left in pieces is put away all the same', async (t) => {
  const { screen, run, type, stops } = await session(t, shells.dash);
  run(`sh -c "'printf \\"\\\\033[?1049h\\\\033[?1000h\\\\033[Hfull screen\\"; kill -STOP \\$\\$; cat'"`);
  await stops();
  t.notOk(screen.alternate);
  t.match(screen.raw.slice(screen.raw.indexOf('full screen')), '\x1b[?1000l', 'the mouse is the shell’s again');
  type('fg');
  await screen.shows(/^full screen/);
  t.ok(screen.alternate, 'it is drawn again, though the program does not');
});

for (const [where, env] of Object.entries({ 'without a fence': {}, 'in one': { FENCE: '1' } }))
  test(`where no shell would bring it back, a child that stops itself goes on at once, ${where}`, {
    skip: 'FENCE' in env && noFence,
  }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dbg-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'asks'), '');
    const command = ['sh', '-c', 'echo one; kill -STOP $$; echo two; kill -TSTP $$; echo three; exit 4'];
    const args = ['--no-warnings', '--import=tsx', program, join(folder, 'asks'), join(folder, 'answers'), ...command];
    const screen = new Terminal(process.execPath, args, {
      cwd: repositoryRoot,
      env: { PATH: process.env.PATH ?? '', ...env },
    });
    t.teardown(() => screen.kill());
    t.match(await screen.exit, { code: 4 });
    t.match(screen.text(), /one\n+two\n+three/);
  });

function missing({ command: [name = ''], env }: Shell): string | false {
  if (!onPath(name)) return `${name} is not installed`;
  return env?.FENCE === undefined ? false : noFence;
}

function onPath(name: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
