import { join } from 'node:path';
import t from 'tap';
import { runCommand } from './run-command.js';

const migration = `-- adds a column /* to orders
ALTER TABLE orders ADD COLUMN note text;

UPDATE orders SET note = ''
 WHERE id = 7;
DELETE FROM orders;
`;

t.test('what would prompt, where it stands, and why; exit code 1', async (t) => {
  const cwd = t.testdir({ migrations: { '001.sql': migration, '002.sql': 'SELECT 1;', 'notes.txt': 'DROP' } });
  const { code, stdout } = await runCommand('policy test', ['migrations'], { cwd, env: { DBGUARD_HOME: cwd } });
  t.equal(code, 1);
  t.equal(
    stdout,
    `migrations/001.sql:2  ask  builtin:alter, built-in guarded profile
  ALTER TABLE orders ADD COLUMN note text
  Changes table orders (add column).

migrations/001.sql:6  ask  builtin:delete-unbounded, built-in guarded profile
  DELETE FROM orders
  Deletes every row of orders: no condition restricts it.

4 statements in 2 files: 2 allow, 2 ask (guarded)
`,
  );
});

t.test('nothing would prompt: exit code 0', async (t) => {
  const cwd = t.testdir({ 'a.sql': 'SELECT 1; INSERT INTO a VALUES (1);' });
  const ran = await runCommand('policy test', ['a.sql'], { cwd, env: { DBGUARD_HOME: cwd } });
  t.equal(ran.code, 0);
  t.equal(ran.stdout, '2 statements in 1 file: 2 allow (guarded)\n');
});

t.test('a session that nobody knows is one that may write', async (t) => {
  const texts = ['START TRANSACTION READ WRITE', 'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE', 'COMMIT'];
  const cwd = t.testdir({ 'a.sql': texts.join(';') });
  const ran = await runCommand('policy test', ['a.sql'], { cwd, env: { DBGUARD_HOME: cwd } });
  t.equal(ran.stdout, '3 statements in 1 file: 3 allow (guarded)\n');
});

t.test('--json has every statement', async (t) => {
  const cwd = t.testdir({ 'a.sql': migration });
  const { stdout } = await runCommand('policy test', ['--json', 'a.sql'], { cwd, env: { DBGUARD_HOME: cwd } });
  t.match(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      { file: 'a.sql', line: 2, decision: 'ask', rule: 'builtin:alter' },
      { file: 'a.sql', line: 4, decision: 'allow', sql: /^UPDATE orders/ },
      { file: 'a.sql', line: 6, decision: 'ask', rule: 'builtin:delete-unbounded' },
    ],
  );
});

t.test('a dump with rows and psql commands', async (t) => {
  const dump = `\\restrict abc
SET statement_timeout = 0;
COPY public.orders (id, note) FROM stdin;
1\tDROP TABLE x;
2\t\\N
\\.
SELECT pg_catalog.setval('public.s', 2, true);
\\unrestrict abc
`;
  const cwd = t.testdir({ 'dump.sql': dump });
  const { stdout } = await runCommand('policy test', ['--json', 'dump.sql'], { cwd, env: { DBGUARD_HOME: cwd } });
  t.match(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      { line: 2, decision: 'allow' },
      { line: 3, decision: 'allow', sql: /^COPY/ },
      { line: 7, decision: 'ask' },
    ],
  );
});

t.test('a file that is not SQL names the place', async (t) => {
  const cwd = t.testdir({ 'a.sql': 'SELECT 1;\nALTER TABEL x;\n' });
  const { code, stdout } = await runCommand('policy test', ['a.sql'], { cwd, env: { DBGUARD_HOME: cwd } });
  t.equal(code, 1);
  t.match(stdout, /^a\.sql:2 {2}ask {2}builtin:unparseable/m);
  t.match(stdout, /syntax error at or near "TABEL"/);
});

t.test('a migrations profile says that one approval covers the rest', async (t) => {
  const cwd = t.testdir({ 'a.sql': 'BEGIN; ALTER TABLE a ADD b int; ALTER TABLE a ADD c int; COMMIT;' });
  const args = ['--json', '--profile', 'migrations', 'a.sql'];
  const { stdout } = await runCommand('policy test', args, { cwd, env: { DBGUARD_HOME: cwd } });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.strictSame(
    lines.map((line) => line.covers),
    [undefined, 'transaction', 'transaction', undefined],
  );
});

t.test('what cannot be read', async (t) => {
  const cwd = t.testdir({ empty: {} });
  const run = (path: string) => runCommand('policy test', [path], { cwd, env: { DBGUARD_HOME: join(cwd, 'h') } });
  await t.rejects(run('nope.sql'), { code: 'usage', message: /cannot read nope\.sql/ });
  await t.rejects(run('empty'), { code: 'usage', message: /no \.sql file/ });
});

t.test('a folder or a broken link named like a file stops nobody', async (t) => {
  const cwd = t.testdir({
    m: {
      'a.sql': 'SELECT 1;',
      '2_backfill.sql': { 'migration.sql': 'DROP TABLE a;' },
      'gone.sql': t.fixture('symlink', 'nowhere.sql'),
      'zero.SQL': 'SELECT 1;\0DROP TABLE b;',
    },
  });
  const { code, stdout } = await runCommand('policy test', ['m'], { cwd, env: { DBGUARD_HOME: cwd } });
  t.equal(code, 1);
  t.match(stdout, /^m\/2_backfill\.sql\/migration\.sql:1 {2}ask/m);
  t.match(stdout, /^m\/gone\.sql:1 {2}not read\n {2}The file was not read/m);
  t.match(stdout, /^m\/zero\.SQL:1 {2}not read/m);
  t.match(stdout, /^2 statements in 4 files: 1 allow, 1 ask; 2 could not be read/m);
});

t.test('a command of psql that runs what is not in the file is named, whatever the profile', async (t) => {
  const lines = [
    '\\gexec',
    '\\copy a from b.csv',
    '\\! rm -rf data',
    '\\i gone.sql',
    '\\ir ../gone.sql',
    '\\ghost',
    '\\o |sh',
    '\\c otherdb',
    '\\connect - postgres',
    '\\c "dbname=other host=elsewhere"',
    '\\c :other',
  ];
  for (const line of lines) {
    const cwd = t.testdir({ 'a.sql': `SELECT 1\n${line}\n` });
    const run = (...args: string[]) =>
      runCommand('policy test', [...args, 'a.sql'], { cwd, env: { DBGUARD_HOME: cwd } });
    const { code, stdout } = await run('--profile', 'observe');
    t.equal(code, 1, line);
    t.ok(stdout.includes(`a.sql:2  not read\n  ${line}\n`), line);
    t.match((await run('--json')).stdout, /"line":2,.*"decision":"unread"/, line);
  }
});

t.test('files that \\i and \\ir name are read, each once', async (t) => {
  const cwd = t.testdir({
    'other.sql': 'DROP TABLE a;',
    m: { 'a.sql': '\\i other.sql\n\\ir b.sql\n', 'b.sql': "\\ir 'a.sql'\n\\ir b.sql\nDELETE FROM b;\n" },
  });
  const { stdout } = await runCommand('policy test', ['m/a.sql'], { cwd, env: { DBGUARD_HOME: cwd } });
  t.match(stdout, /^other\.sql:1 {2}ask/m);
  t.match(stdout, /^m\/b\.sql:3 {2}ask/m);
  t.match(stdout, /^2 statements in 3 files: 2 ask \(/m);
});

t.test('one statement that nobody can read hides no other, nor passes by a loose profile', async (t) => {
  for (const broken of [
    'ALTER TABEL x;',
    'SELECT (1;',
    'DROP TABLE {{ x }};',
    'SELECT * FROM a WHERE b = :id;',
    'SELECT `a`;',
  ]) {
    const cwd = t.testdir({ 'a.sql': `DROP TABLE a;\n${broken}\nDROP TABLE b;\nSELECT 1;` });
    const run = (profile: string) =>
      runCommand('policy test', ['--profile', profile, 'a.sql'], { cwd, env: { DBGUARD_HOME: cwd } });
    const { stdout } = await run('guarded');
    t.match(stdout, /^a\.sql:1 {2}ask {2}builtin:drop/m, broken);
    t.match(stdout, /^a\.sql:2 {2}ask {2}builtin:unparseable/m, broken);
    t.match(stdout, /^a\.sql:3 {2}ask {2}builtin:drop/m, broken);
    t.match(stdout, /^4 statements in 1 file: 1 allow, 3 ask; 1 could not be read/m, broken);
    t.equal((await run('observe')).code, 1, broken);
  }
});

t.test('a template within a string is a note, which stops nobody; what only looks like one is none', async (t) => {
  const placeholder = '$' + '{a}';
  const told = [
    "SELECT '{{ x }}';",
    `SELECT 1,\n  '${placeholder}';`,
    "SELECT E'<%= a %>';",
    "SELECT '{% if x %}a{% endif %}';",
    "SELECT 'a' || '#{b}' -- it's\n;",
    "SELECT '{{ x | upper }}';",
  ];
  const plain = [
    "SELECT '{{1,2},{3,4}}'::int[];",
    "SELECT '{{a,b}}'::text[];",
    'SELECT \'{"a":{"b":{}}}\'::jsonb;',
    "SELECT 1; -- '{{ x }}'",
    `/* '${placeholder}' */ SELECT 1;`,
    `SELECT $$ ${placeholder} $$;`,
    "SELECT format('%s %(a)s $1 {0}');",
    'SELECT 1 AS "a b";',
  ];
  for (const sql of [...told, ...plain]) {
    const cwd = t.testdir({ 'a.sql': `SELECT 0;\n${sql}\nSELECT 2;\n` });
    const run = (...args: string[]) =>
      runCommand('policy test', [...args, 'a.sql'], { cwd, env: { DBGUARD_HOME: cwd } });
    const { code, stdout } = await run();
    t.equal(code, 0, sql);
    const line = sql.includes(',\n') ? 3 : 2;
    t.equal(stdout.includes(`a.sql:${line}  note\n`), told.includes(sql), sql);
    t.match(stdout, /^3 statements in 1 file: 3 allow/m, sql);
    t.equal((await run('--json')).stdout.includes('"decision":"note"'), told.includes(sql), sql);
  }
});

t.test('a variable that the file sets decides what runs, even where the text can be read', async (t) => {
  const cwd = t.testdir({ 'a.sql': "\\set x '1] FROM a; DROP TABLE a; --'\nSELECT a[1:x] FROM a;\n" });
  const { code, stdout } = await runCommand('policy test', ['a.sql'], { cwd, env: { DBGUARD_HOME: cwd } });
  t.equal(code, 1);
  t.match(stdout, /^a\.sql:2 {2}not read\n.*\n {2}The variable x of psql/m);
});

t.test('a file of any length is judged to its last statement', async (t) => {
  const long = 'x'.repeat(8000);
  const many = `INSERT INTO t (a) VALUES ('${long}');
`.repeat(1100);
  const cwd = t.testdir({
    'inserts.sql': `${many}DRUP TABLE a;\nDROP TABLE behind;\n`,
    'rows.sql': `COPY t FROM stdin;\n${`1\t${long}\n`.repeat(1100)}\\.\nDROP TABLE behind;\n`,
    'one.sql': `SELECT '${'x'.repeat(9 * 1024 * 1024)}';\nDROP TABLE behind;\n`,
    'variables.sql': `\\set t a\n${'INSERT INTO :t (a) VALUES (1);\n'.repeat(2000)}DROP TABLE behind;\n`,
  });
  const stops = async (file: string) => {
    const { stdout } = await runCommand('policy test', ['--json', file], { cwd, env: { DBGUARD_HOME: cwd } });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .flatMap((line) => (line.includes('"allow"') ? [] : [JSON.parse(line)]));
    return lines.map(({ line, decision, unread }) => [line, unread ? 'unread' : decision]);
  };
  t.strictSame(await stops('inserts.sql'), [
    [1101, 'unread'],
    [1102, 'ask'],
  ]);
  t.strictSame(await stops('rows.sql'), [[1103, 'ask']]);
  t.strictSame(await stops('one.sql'), [
    [1, 'unread'],
    [2, 'ask'],
  ]);
  const variables = await stops('variables.sql');
  t.equal(variables.length, 2001);
  t.strictSame(variables.at(-1), [2002, 'ask']);
});
