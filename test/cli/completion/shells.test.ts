/** The scripts in the shells that they are for, those that this machine has. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { dbguardProgram, repositoryRoot } from '../../helpers/repository.js';
import { keys, Terminal } from '../../helpers/terminal.js';

function placeOf(shell: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, shell)).find((path) => existsSync(path));
}

/** A project with two connections, and dbguard on PATH. */
function project(t: Test) {
  const cwd = t.testdir({ bin: {}, home: {}, functions: {} });
  symlinkSync(dbguardProgram, join(cwd, 'bin/dbguard'));
  const connections = 'connections:\n  orders: { url: "postgresql://a/" }\n  payments: { url: "postgresql://b/" }\n';
  writeFileSync(join(cwd, 'dbguard.yaml'), `version: 1\n${connections}`);
  const env = {
    PATH: `${join(cwd, 'bin')}${delimiter}${process.env.PATH ?? ''}`,
    HOME: join(cwd, 'home'),
    DBGUARD_HOME: join(cwd, 'home'),
    LANG: 'C.UTF-8',
  };
  return { cwd, env };
}

const fish = placeOf('fish');
t.test('fish', { skip: fish === undefined && 'no fish here' }, async (t) => {
  const { cwd, env } = project(t);
  const script = join(repositoryRoot, 'completions/dbguard.fish');
  const offers = (line: string): string[] => {
    const command = `source '${script}'; complete -C '${line}'`;
    const text = execFileSync(fish ?? '', ['--no-config', '-c', command], { cwd, env, encoding: 'utf8' });
    return text.split('\n').flatMap((one) => (one === '' ? [] : [one.split('\t')[0] ?? '']));
  };
  t.strictSame(offers('dbguard tran'), ['transcripts']);
  t.ok(offers('dbguard transcripts ').includes('verify'));
  t.strictSame(offers('dbguard explain --profile ').sort(), ['guarded', 'migrations', 'observe', 'read-only']);
  t.strictSame(offers('dbguard explain --connection ').sort(), ['orders', 'payments']);
  t.ok(offers('dbguard init --').includes('--schema'));
});

const zsh = placeOf('zsh');
t.test('zsh', { skip: zsh === undefined && 'no zsh here' }, async (t) => {
  const { cwd, env } = project(t);
  mkdirSync(join(cwd, 'functions'), { recursive: true });
  copyFileSync(join(repositoryRoot, 'completions/_dbguard'), join(cwd, 'functions/_dbguard'));
  // tap's loader cannot read bin/dbguard
  const screen = new Terminal('/usr/bin/env', ['-u', 'NODE_OPTIONS', zsh ?? '', '-f'], { cwd, env });
  t.teardown(() => screen.kill());
  screen.type("PS1='ready> '; fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D; print set up\r");
  await screen.shows(/^set up$/m);
  const completes = async (typed: string, shows: RegExp): Promise<void> => {
    screen.type(`\x15${typed}\t`);
    t.match(await screen.shows(shows), shows, typed);
    screen.type('\x15\x0c');
    await screen.hides(shows);
  };
  await completes('dbguard transcripts ver', /dbguard transcripts verify/);
  await completes('dbguard explain --profile gu', /--profile guarded/);
  await completes('dbguard explain --connection pay', /--connection payments/);
  await completes('dbguard completions po', /completions powershell/);
  screen.type(`exit${keys.enter}`);
  await screen.exit;
});
