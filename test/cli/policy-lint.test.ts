import t from 'tap';
import { runCommand } from './run-command.js';

t.test('every problem of a broken file, and exit code 1', async (t) => {
  const cwd = t.testdir({ 'dbguard.yaml': 'version: 1\npolcy: {}\nmask: [{ column: a, with: blur }]\n' });
  const { code, stdout } = await runCommand('policy lint', [], { cwd, env: { DBGUARD_HOME: `${cwd}/h` } });
  t.equal(code, 1);
  t.match(stdout, 'dbguard.yaml:2:1: polcy: unknown key. Did you mean "policy"?');
  t.match(stdout, /^dbguard\.yaml:3:\d+: mask\[0\]\.with: expected one of null, fixed/m);
  t.match(stdout, /1 file: 2 to look at\n$/);
});

t.test('a file that dbguard init wrote has nothing to complain about', async (t) => {
  const given = { cwd: t.testdir(), env: { DBGUARD_HOME: `${t.testdirName}/h` } };
  await runCommand('init', [], given);
  t.strictSame(await runCommand('policy lint', [], given), {
    code: 0,
    stdout: '1 file: nothing to complain about\n',
    stderr: '',
  });
});

t.test('dead rules; a repository’s file is judged as one, a named file as the user’s own', async (t) => {
  const rule = '{ name: a, when: { effect: drop, table: scratch.* }, then: allow }';
  const cwd = t.testdir({ 'dbguard.yaml': `version: 1\npolicy: { rules: [ ${rule} ] }\n` });
  const given = { cwd, env: { DBGUARD_HOME: `${cwd}/h` } };
  const found = await runCommand('policy lint', ['--json'], given);
  t.equal(found.code, 1);
  t.match(JSON.parse(found.stdout), { file: 'dbguard.yaml', line: 2, about: 'a', message: /only tighten/ });
  t.equal((await runCommand('policy lint', ['dbguard.yaml'], given)).code, 0);
});

t.test('a repository that would start a program', async (t) => {
  const file = 'version: 1\nconnections:\n  a: { url: "host=x", password_command: [rm, -rf, /] }\n';
  const cwd = t.testdir({ 'dbguard.yaml': file });
  const given = { cwd, env: { DBGUARD_HOME: `${cwd}/h` } };
  const { code, stdout } = await runCommand('policy lint', [], given);
  t.equal(code, 1);
  t.match(
    stdout,
    /dbguard\.yaml:3:\d+: connections\.a\.password_command: a repository’?'?s file may not start programs/,
  );
  await t.rejects(runCommand('explain', ['SELECT 1'], given), { code: 'config-invalid', hint: /init --user/ });
  t.equal((await runCommand('explain', ['--config', 'dbguard.yaml', 'SELECT 1'], given)).code, 0);
});

t.test('a connection string that libpq would not take', async (t) => {
  const cwd = t.testdir({ 'a.yaml': 'version: 1\nconnections:\n  a: { url: "host=x sslmod=require" }\n' });
  const { code, stdout } = await runCommand('policy lint', ['a.yaml'], { cwd, env: { DBGUARD_HOME: cwd } });
  t.equal(code, 1);
  t.match(stdout, /^a\.yaml:3:\d+: connections\.a\.url: unknown connection parameter "sslmod"/m);
});

t.test('no file', async (t) => {
  const given = { cwd: '/', env: { DBGUARD_HOME: t.testdir() } };
  await t.rejects(runCommand('policy lint', [], given), { code: 'config-missing', hint: /dbguard init/ });
  await t.rejects(runCommand('policy lint', ['/nope.yaml'], given), { code: 'config-missing' });
});
