import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { completionFiles, completionsFor } from '../../../src/cli/completion/shells.js';
import { allNodes, completionTree } from '../../../src/cli/completion/tree.js';
import { liveLists, shells } from '../../../src/cli/completion-words.js';
import { commandTable, groupSummaries } from '../../../src/cli/table.js';
import { dbguardProgram, repositoryRoot } from '../../helpers/repository.js';
import { runCommand } from '../run-command.js';

const tree = completionTree(commandTable, groupSummaries);
const folder = join(repositoryRoot, 'completions');

t.test('the scripts in completions/ are those of the command table', async (t) => {
  for (const shell of shells) {
    const current = readFileSync(join(folder, completionFiles[shell]), 'utf8');
    t.equal(current, completionsFor(shell, tree), `to renew: dbguard completions --all completions`);
  }
});

t.test('every command and every option is in every script', async (t) => {
  for (const shell of shells) {
    const script = completionsFor(shell, tree);
    for (const node of allNodes(tree).slice(1)) {
      t.match(script, node.name);
      for (const name of node.options.flatMap((option) => option.names)) {
        t.ok(script.includes(shell === 'fish' ? name.replace(/^-+/, '') : name), `${shell}: ${node.path} ${name}`);
      }
    }
  }
});

/** What bash itself offers when Tab is pressed at the end of `line`. */
function bashOffers(script: string, cwd: string, line: string): string[] {
  const words = line.split(' ');
  const program = `source '${script}'
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}
_dbguard; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', program], { cwd, encoding: 'utf8' })
    .split('\n')
    .filter((word) => word !== '');
}

t.test('bash completes commands, subcommands, options, their values and files', async (t) => {
  const cwd = t.testdir({ 'one.sql': '', 'two.yaml': '' });
  const script = join(cwd, 'dbguard.bash');
  writeFileSync(script, completionsFor('bash', tree));
  const offers = (line: string) => bashOffers(script, cwd, line);
  t.ok(offers('dbguard ').includes('explain'));
  t.strictSame(offers('dbguard exp'), ['explain']);
  t.strictSame(offers('dbguard policy '), ['test', 'lint', 'schema']);
  t.ok(offers('dbguard policy test --').includes('--json'));
  t.notOk(offers('dbguard policy --').includes('--json'));
  t.strictSame(offers('dbguard explain --profile r'), ['read-only']);
  t.strictSame(offers('dbguard explain --policy two'), ['two.yaml']);
  t.strictSame(offers('dbguard policy test o'), ['one.sql']);
  t.strictSame(offers('dbguard completions '), ['bash', 'zsh', 'fish', 'powershell']);
});

t.test('the command prints one script, or writes all', async (t) => {
  const cwd = t.testdir();
  const { stdout } = await runCommand('completions', ['fish'], { cwd });
  t.equal(stdout, completionsFor('fish', tree));
  await runCommand('completions', ['--all', 'out'], { cwd });
  t.equal(readFileSync(join(cwd, 'out', '_dbguard'), 'utf8'), completionsFor('zsh', tree));
  await t.rejects(runCommand('completions', [], { cwd }), { code: 'usage' });
  await t.rejects(runCommand('completions', ['tcsh'], { cwd }), { code: 'usage', message: /bash, zsh, fish/ });
});

t.test('what a repository calls its connections runs in no shell', async (t) => {
  const cwd = t.testdir();
  const touch = '$(touch ran)';
  const connections = Object.fromEntries(
    ['shop', touch, '`touch ran`', 'a;touch ran', "q' q", '-x'].map((name) => [name, { url: 'postgresql://h/d' }]),
  );
  writeFileSync(join(cwd, 'dbguard.yaml'), JSON.stringify({ version: 1, connections }));
  const { stdout } = await runCommand('completions', ['--values', 'connections'], { cwd, env: { HOME: cwd } });
  t.equal(stdout, 'shop\n');
  const script = join(cwd, 'dbguard.bash');
  const dbguard = `dbguard() { '${process.execPath}' '${dbguardProgram}' "$@"; }`;
  writeFileSync(script, `${dbguard}\n${completionsFor('bash', tree)}`);
  t.strictSame(bashOffers(script, cwd, 'dbguard run --connection s'), ['shop']);
  t.notOk(existsSync(join(cwd, 'ran')));
});

t.test('a list of now is empty where it cannot be had, and sessions come from this machine', async (t) => {
  const cwd = t.testdir();
  writeFileSync(join(cwd, 'dbguard.yaml'), 'version: [');
  for (const list of liveLists) {
    const ran = await runCommand('completions', ['--values', list], { cwd, env: { HOME: cwd } });
    t.strictSame(ran, { code: 0, stdout: '', stderr: '' }, list);
  }
  const sid = '01kar6aaaaaaaaaaaaaaaaaaaa';
  mkdirSync(join(cwd, 'bucket/v1', '0'.repeat(32), sid), { recursive: true });
  writeFileSync(join(cwd, 'dbguard.yaml'), 'version: 1\nbucket: file:./bucket\n');
  const { stdout } = await runCommand('completions', ['--values', 'sessions'], { cwd, env: { HOME: cwd } });
  t.equal(stdout, `${sid}\n`);
});

t.test('the script for PowerShell is ASCII, and every quote in it is closed', (t) => {
  const script = completionsFor('powershell', tree);
  t.notMatch(script, /[^\n\x20-\x7e]/, 'PowerShell 5.1 reads other signs in the code page of the system');
  for (const line of script.split('\n').filter((one) => !one.trim().startsWith('#'))) {
    const bare = line.replace(/'(?:[^']|'')*'/g, '');
    t.notMatch(bare, /'/, line);
  }
  const bare = script.replace(/'(?:[^']|'')*'/g, '').replace(/^\s*#.*$/gm, '');
  for (const [open = '', close = ''] of ['()', '{}', '[]'])
    t.equal(bare.split(open).length, bare.split(close).length, open);
  t.end();
});
