import fc from 'fast-check';
import t from 'tap';
import { foreignTo } from '../../../src/cli/judge/foreign-sql.js';
import { psqlEffect } from '../../../src/cli/judge/psql-commands.js';
import { behindComments, readSqlFile } from '../../../src/cli/judge/sql-file.js';

const read = (text: string) => readSqlFile(text, (name, rest) => psqlEffect(name, rest).kind === 'ends');
const pieces = (text: string) => {
  const { sql, statements } = read(text);
  return statements.map(({ start, end }) => sql.slice(start, end).trim()).filter((piece) => piece !== '');
};

t.test('positions stay when psql’s own lines are blanked', async (t) => {
  const file = "\\set x 1\nCOPY a (b,\n c) FROM stdin;\nDROP\n\\.\nCOPY a TO stdout;\nSELECT '\n\\\\x';\n";
  const plain = read(file).sql;
  t.equal(plain.length, file.length);
  t.equal(plain, "        \nCOPY a (b,\n c) FROM stdin;\n    \n  \nCOPY a TO stdout;\nSELECT '\n\\\\x';\n");
});

t.test('only the rows of a COPY are taken for rows', async (t) => {
  for (const before of [
    "SELECT '\ncopy a from stdin;\n';",
    '-- copy a from stdin;',
    '/* copy a from stdin; */',
    'DO $$\ncopy a from stdin;\n$$;',
    'COPY (SELECT * FROM stdin) TO stdout;',
    "COPY a FROM '/f' WHERE b IS DISTINCT FROM stdin;",
    'COPY a TO stdout; -- from stdin;',
  ]) {
    t.ok(read(`${before}\nDROP TABLE b;\n\\.\n`).sql.includes('DROP TABLE b;'), before);
  }
  t.ok(read('COPY a FROM stdin;\nDROP TABLE b;\n').sql.includes('DROP TABLE b;'), 'nothing ends the rows');
  for (const copy of [
    'COPY a FROM stdin;',
    'copy "from" (a,\nb) FROM STDIN WITH (FORMAT csv);',
    'COPY a FROM stdin \\g',
  ]) {
    t.notOk(read(`${copy}\n1\tDROP TABLE b;\n\\.\n`).sql.includes('DROP TABLE'), copy);
  }
});

t.test('statements end where psql ends them', async (t) => {
  t.strictSame(pieces("SELECT ';'; SELECT $a$;$a$;SELECT E'\\';' ; SELECT \";\" -- ;\n/* ; /* ; */ */"), [
    "SELECT ';';",
    'SELECT $a$;$a$;',
    "SELECT E'\\';' ;",
    'SELECT ";" -- ;\n/* ; /* ; */ */',
  ]);
  t.strictSame(pieces('SELECT 1 \\; SELECT 2 \\g\nSELECT 3\\gx (format=csv) f\nSELECT 4'), [
    'SELECT 1  ;',
    'SELECT 2 ;',
    'SELECT 3;',
    'SELECT 4',
  ]);
  const body = 'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;';
  t.strictSame(pieces(`${body} SELECT 1;`), [body, 'SELECT 1;']);
  t.strictSame(pieces('BEGIN; SELECT 1; END;'), ['BEGIN;', 'SELECT 1;', 'END;']);
});

t.test('what follows the arguments of a command is SQL again', async (t) => {
  t.strictSame(pieces('\\set x 1 \\\\ DROP TABLE a;'), ['DROP TABLE a;']);
  t.strictSame(pieces("\\echo '\\\\ DROP' \\\\ SELECT 1;"), ['SELECT 1;']);
  const { commands } = read("\\echo a \\i b.sql\nSELECT 1 \\gexec\nSELECT '\\! x';\n\\!rm x");
  t.strictSame(
    commands.map(({ name, rest }) => [name, rest]),
    [
      ['echo', ' a '],
      ['i', ' b.sql'],
      ['gexec', ''],
      ['!rm', ' x'],
    ],
  );
});

t.test('what is cut, blanked or kept is as long as the file and ends with it', async (t) => {
  const part = fc.constantFrom(
    ...[
      "'",
      '"',
      '$$',
      '$a$',
      '--',
      '/*',
      '*/',
      '\\',
      '\\\\',
      ';',
      '\n',
      ' ',
      '(',
      ')',
      'E',
      'copy a from stdin',
      '\\.',
    ],
    ...['begin', 'end', 'create function f', 'é', '`', ':x', '1', '|'],
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const text = parts.join('');
      const { sql, bare, statements } = read(text);
      t.equal(sql.length, text.length);
      t.equal(bare.length, text.length);
      t.equal(statements.map(({ start, end }) => sql.slice(start, end)).join(''), sql);
    }),
  );
});

t.test('a command that nobody has listed is never taken for harmless', async (t) => {
  for (const name of [
    '!',
    'copy',
    'gexec',
    'cd',
    'e',
    'ef',
    'ev',
    'edit',
    'password',
    'lo_import',
    'lo_export',
    'lo_unlink',
  ])
    t.equal(psqlEffect(name, '').kind, 'unread', name);
  for (const name of ['i', 'include', 'ir', 'include_relative']) t.equal(psqlEffect(name, ' a').kind, 'include', name);
  const harmless =
    'set unset echo if elif else endif pset timing restrict unrestrict connect encoding dt dt+ d+ drds q';
  for (const name of harmless.split(' ')) t.equal(psqlEffect(name, '').kind, 'nothing', name);
  for (const rest of ['', ' ', ' -', ' - -']) t.equal(psqlEffect('c', rest).kind, 'nothing', `c${rest}`);
  for (const rest of [' a', ' - b', ' -reuse-previous=on "dbname=\'a\'"', ' :x'])
    for (const name of ['c', 'connect']) t.equal(psqlEffect(name, rest).kind, 'unread', `${name}${rest}`);
  for (const name of 'g gx gset gdesc watch r crosstabview'.split(' '))
    t.equal(psqlEffect(name, '').kind, 'ends', name);
  fc.assert(
    fc.property(fc.stringMatching(/^[!-~]{1,12}$/), (name) => {
      t.equal(psqlEffect(`${name}_x`, '').kind, 'unread', name);
    }),
  );
  for (const rest of [' `ls`', ' x `ls`', ' | sh', '|sh', ' (format=csv) |sh'])
    for (const name of ['o', 'g', 'w', 'set']) t.equal(psqlEffect(name, rest).kind, 'unread', `${name}${rest}`);
});

t.test('variables, templates and other databases are told as such', async (t) => {
  const told: readonly (readonly [string, RegExp | undefined])[] = [
    ['SELECT * FROM a WHERE b = :id', /variable id of psql/],
    ["SELECT :'id'", /variable id of psql/],
    ['DROP TABLE :"what"', /variable what of psql/],
    ['SELECT :{?x}', /variable x of psql/],
    ['DROP TABLE {{ name }}', /template/],
    ['DROP TABLE ${' + 'name}', /template/],
    ['DROP TABLE <%= name %>', /template/],
    ['{% if x %} SELECT 1', /template/],
    ['DROP TABLE `a`', /MySQL/],
    ['CREATE TABLE a (id int AUTO_INCREMENT) ENGINE=InnoDB', /MySQL/],
    ['SELECT 1\nGO\nDROP TABLE a\nGO', /SQL Server/],
    ['SELECT [a] FROM [dbo].[b]', /SQL Server/],
    ['SELECT a::int, b[1] :: text', undefined],
    ["SELECT ':a {{ }} `b`' -- :c", undefined],
    ['SELECT a[1] FROM', undefined],
  ];
  for (const [sql, words] of told) {
    const said = foreignTo(sql, read(sql).bare);
    if (words === undefined) t.equal(said, undefined, sql);
    else t.match(said, words, sql);
  }
});

t.test('a statement begins behind its comments', async (t) => {
  const begins = (text: string) => text.slice(behindComments(text, 0));
  t.equal(begins('  -- a\n/* b /* c */ ; */ SELECT /* d */ 1'), 'SELECT /* d */ 1');
  t.equal(begins('SELECT 1'), 'SELECT 1');
  t.equal(begins('/* open'), '');
  t.equal(begins('-- only'), '');
});
