import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import t, { type Test } from 'tap';
import { runCommand, type Surroundings } from '../run-command.js';

/** A folder without any configuration, and no user's own. */
function bare(t: Test): Surroundings {
  return { cwd: t.testdir(), env: { DBGUARD_HOME: join(t.testdirName, 'home') } };
}

t.test('for people: the statement, the decision, the rule and why', async (t) => {
  const { code, stdout } = await runCommand('explain', ['DELETE FROM app.orders'], bare(t));
  t.equal(code, 0);
  t.equal(
    stdout,
    `  DELETE FROM app.orders

ask  Deletes every row of app.orders: no condition restricts it.
     rule builtin:delete-unbounded, built-in guarded profile

  ask  delete  app.orders; every row

policy: guarded
`,
  );
});

t.test('for programs', async (t) => {
  const { stdout } = await runCommand(
    'explain',
    ['--json', "UPDATE a SET x = 1 WHERE id = 2; COPY a TO PROGRAM 'sh'"],
    bare(t),
  );
  const answer = JSON.parse(stdout);
  t.match(answer, {
    decision: 'ask',
    rule: 'builtin:copy-program',
    origin: 'built-in guarded profile',
    policy: 'guarded',
    statements: [{ command: 'UPDATE', start: 0, end: 31 }, { command: 'COPY' }],
  });
  const kinds = answer.effects.map((one: { kind: string }) => one.kind);
  t.ok(kinds.includes('update') && kinds.includes('copy-program'), kinds.join());
});

t.test('colours only on a terminal that wants them; no line longer than it is wide', async (t) => {
  const sql = ['SELECT f(); DROP TABLE a; TRUNCATE b; DELETE FROM a_table_with_quite_a_name'];
  const colour = '\u001b[';
  const given = bare(t);
  t.notMatch((await runCommand('explain', sql, given)).stdout, colour);
  const terminal = { ...given, terminal: 60 };
  const { stdout } = await runCommand('explain', sql, terminal);
  t.match(stdout, colour);
  const lines = stripVTControlCharacters(stdout).split('\n').slice(1);
  t.strictSame(
    lines.filter((line) => line.length > 60),
    [],
  );
  t.notMatch((await runCommand('explain', sql, { ...terminal, env: { ...given.env, NO_COLOR: '1' } })).stdout, colour);
});

t.test('nothing in the SQL reaches the terminal as a command to it', async (t) => {
  const sql = 'SELECT 1 AS "\u001b]0;x\u0007\u202etxt"; \u001b[2J';
  const { stdout } = await runCommand('explain', [sql], { ...bare(t), env: { NO_COLOR: '1' } });
  for (const character of ['\u001b', '\u0007', '\u202e']) t.notOk(stdout.includes(character));
});

t.test('--stdin takes a whole script', async (t) => {
  const { stdout } = await runCommand('explain', ['--stdin'], { ...bare(t), stdin: 'SELECT 1;\nDROP TABLE a;\n' });
  t.match(stdout, /^ask {2}Drops table a\.$/m);
});

t.test('--stdin --json: a line in, a line out, in order', async (t) => {
  const lines = [
    '{"id":"a","sql":"SELECT 1"}',
    '',
    '{"id":7,"sql":"DROP TABLE x"}',
    '{"sql":"selct"}',
    '{"id":"long","sql":"SELECT \'é\\u2028\\n\'"}',
  ];
  const { code, stdout } = await runCommand('explain', ['--stdin', '--json'], { ...bare(t), stdin: lines.join('\n') });
  t.equal(code, 0);
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(answers, [
    { id: 'a', decision: 'allow' },
    { id: 7, decision: 'ask', rule: 'builtin:drop', effects: [{ kind: 'drop', targets: [{ name: 'x' }] }] },
    { id: 4, decision: 'ask', rule: 'builtin:unparseable', unparseable: { reason: 'syntax', position: 1 } },
    { id: 'long', decision: 'allow' },
  ]);
  t.equal(answers.length, 4);
});

t.test('a line that is not one is answered with an error, and the rest goes on', async (t) => {
  const stdin = 'nonsense\n{"id":1}\nnull\n{"id":2,"sql":"SELECT 1"}\n';
  const { code, stdout } = await runCommand('explain', ['--stdin', '--json'], { ...bare(t), stdin });
  t.equal(code, 64);
  t.match(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      { line: 1, error: /not JSON/ },
      { line: 2, error: /expected/ },
      { line: 3, error: /expected/ },
      { id: 2, decision: 'allow' },
    ],
  );
});

t.test('ten thousand lines', async (t) => {
  const stdin = Array.from({ length: 10_000 }, (_, id) =>
    JSON.stringify({ id, sql: `UPDATE a SET b = 1 WHERE id = ${id}` }),
  );
  const given = { ...bare(t), stdin: stdin.join('\n') };
  const { stdout } = await runCommand('explain', ['--stdin', '--json'], given);
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.equal(answers.length, 10_000);
  t.ok(answers.every((answer, index) => answer.id === index && answer.decision === 'allow'));
});

t.test('whose policy', async (t) => {
  const rule = (decision: string) =>
    `version: 1\npolicy:\n  rules:\n    - { name: r, when: { effect: insert, subject: "eve*" }, then: ${decision} }\n`;
  const cwd = t.testdir({ 'dbguard.yaml': rule('deny'), 'other.yaml': rule('second-person') });
  const env = { DBGUARD_HOME: join(cwd, 'home') };
  const decide = async (...options: string[]) => {
    const sql = 'INSERT INTO a VALUES (1)';
    const { stdout } = await runCommand('explain', ['--json', '--subject', 'eve@x', ...options, sql], { cwd, env });
    return JSON.parse(stdout);
  };
  t.match(await decide(), { decision: 'deny', rule: 'r', origin: 'dbguard.yaml:4' });
  t.match(await decide('--subject', 'ada'), { decision: 'allow' });
  t.match(await decide('--policy', 'other.yaml'), { decision: 'second-person', origin: 'other.yaml:4' });
  t.match(await decide('--config', 'other.yaml'), { decision: 'second-person', policy: 'guarded + other.yaml' });
  t.match(await decide('--policy', 'other.yaml', '--profile', 'read-only'), {
    decision: 'deny',
    rule: 'builtin:insert',
  });
  await t.rejects(decide('--policy', 'nope.yaml'), { code: 'config-missing' });
  await t.rejects(decide('--profile', 'redonly'), { code: 'usage', hint: 'Did you mean "read-only"?' });
});

t.test('EXECUTE counts as what it runs', async (t) => {
  const explain = async (sql: string) => JSON.parse((await runCommand('explain', ['--json', sql], bare(t))).stdout);
  t.match(await explain('PREPARE p AS DELETE FROM a; EXECUTE p'), {
    decision: 'ask',
    rule: 'builtin:delete-unbounded',
  });
  t.match(await explain('PREPARE p AS SELECT 1; EXECUTE p'), { decision: 'allow' });
  t.match(await explain('EXECUTE never_seen'), { decision: 'ask' });
  t.match(await explain('DECLARE c CURSOR FOR SELECT f()'), { decision: 'ask', rule: 'builtin:function-call' });
});

t.test('neither SQL nor --stdin, or both', async (t) => {
  await t.rejects(runCommand('explain', [], bare(t)), { code: 'usage' });
  await t.rejects(runCommand('explain', ['--stdin', 'SELECT 1'], bare(t)), { code: 'usage' });
});
