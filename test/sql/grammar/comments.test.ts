/** Comments change nothing, wherever they stand: held against the server, and against the same text without them. */
import pg from 'pg';
import t from 'tap';
import { loadGrammar } from '../../../src/sql/grammar/grammar.js';
import { startSecondParser } from '../../../src/sql/grammar/second-parser.js';
import { startPostgres } from '../../helpers/postgres.js';
import { readCorpus } from '../corpus.js';

const grammar = await loadGrammar();
const lexer = await startSecondParser();

/** Wherever the lexer makes one token of two, or looks ahead (base_yylex, quotecontinue): `~` is the joint. */
const joints = [
  ...['BETWEEN 1 AND 2', 'IN (1, 2)', "LIKE 'x'", "ILIKE 'x'", "SIMILAR TO 'x'"].map(
    (o) => `SELECT * FROM t WHERE a NOT~${o}`,
  ),
  ...['IN (1)', "LIKE ('a', 'b')"].map((o) => `SELECT NOT~${o}`),
  ...['FIRST', 'LAST'].map((word) => `SELECT * FROM t ORDER BY a NULLS~${word}`),
  'SELECT a NULLS~FROM t',
  "SELECT '2000-01-01'::timestamp WITH~TIME ZONE",
  "SELECT '2000-01-01'::timestamp WITHOUT~TIME ZONE",
  'SELECT * FROM unnest(ARRAY[1]) WITH~ORDINALITY',
  'WITH~time AS (SELECT 1) SELECT * FROM time',
  'WITH~ordinality AS (SELECT 1) SELECT * FROM ordinality',
  "SELECT json_array('1' FORMAT~JSON)",
  'SELECT 1 AS format~, 2 AS json',
  'EXPLAIN (FORMAT~JSON) SELECT 1',
  "SELECT U&'d!0061' ~UESCAPE '!'",
  "SELECT U&'d!0061' UESCAPE~'!'",
  'SELECT 1 AS U&"d!0061" ~UESCAPE \'!\'',
  'SELECT 1 AS U&"d!0061" UESCAPE~\'!\'',
  'SELECT 1 AS U&"d!0061"~UESCAPE',
  ...["'", "E'", "B'", "X'", "N'", "U&'"].map((open) => `SELECT ${open}0'~'1'`),
  "SELECT 'a'~'b'~'c'",
  "SELECT E'a\\''~'b'",
  "SELECT 'a'~E'b'",
  "SELECT $$a$$~'b'",
  "SELECT 'a'~$$b$$",
  'SELECT "a"~"b" FROM (SELECT 1 AS a) AS t',
  "DO 'BEGIN '~'END'",
  "SELECT date~'2000-01-01'",
];

const between = [
  ' ',
  '\n',
  '/* c */',
  ' /* c\n */ ',
  '\n/* c */\n',
  ' -- c\n',
  '\n-- c\n',
  '-- c\n -- d\r\n\t',
  ' -- c\n/* d */\n',
  '/* c */\n-- d\n',
  '/* /* n */ -- x */',
  " -- it's\n",
  '/* ü😀 */\n',
];

t.test('the server and we accept the same comments at every joint', async (t) => {
  const server = await startPostgres();
  t.teardown(() => server.stop());
  const client = new pg.Client({ connectionString: server.url() });
  await client.connect();
  t.teardown(() => client.end());
  await client.query('CREATE TABLE t (a text)');
  for (const joint of joints) {
    for (const filling of between) {
      const sql = joint.replaceAll('~', filling);
      const accepted = await client.query(sql).then(
        () => true,
        ({ code, message }) => code !== '42601' || /conflicting or redundant/.test(message),
      );
      t.equal('tree' in grammar.parse(sql), accepted, JSON.stringify(sql));
    }
  }
});

t.test('comments in every gap leave the tree as it is', (t) => {
  const texts = new Set([
    ...readCorpus().map(({ sql }) => sql),
    ...joints.filter((joint) => !/'~'/.test(joint)).map((joint) => joint.replaceAll('~', ' ')),
  ]);
  let compared = 0;
  for (const sql of texts) {
    const plain = grammar.parse(sql);
    if (!('tree' in plain) || sql.length > 4000) continue;
    compared++;
    for (const comment of [' /* c */ ', ' -- c\n', '\n/* c */ -- d\n']) {
      t.same(treeOf(commented(sql, comment)), treeOf(sql), sql);
    }
  }
  t.ok(compared > 1500, `${compared} texts`);
  t.end();
});

t.test('comments within PL/pgSQL, in whatever quotes', (t) => {
  const create = (body: string) => `CREATE FUNCTION f(d text DEFAULT 'as') RETURNS void LANGUAGE plpgsql AS ${body}`;
  const body = (comment: string) =>
    `DECLARE x text := 'a'${comment}\n'b'; BEGIN IF x NOT${comment}\n IN ('c') THEN EXECUTE 'DELETE '${comment}\n'FROM t'; END IF; END`;
  const read = (sql: string): unknown => {
    const parsed = grammar.parsePlpgsql(sql);
    return 'tree' in parsed ? parsed.tree : parsed.rejection;
  };
  const expected = queries(read(create(`$$${body('')}$$`)));
  t.match(expected.join(';'), /EXECUTE|DELETE/);
  for (const comment of [' -- c', " -- it's $$ c"]) {
    for (const quoted of [`$x$${body(comment)}$x$`, `'${body(comment).replaceAll("'", "''")}'`]) {
      t.same(queries(read(create(quoted))), expected, quoted);
    }
  }
  t.end();
});

/** The statements and expressions of a body, without their blanks. */
function queries(tree: unknown): string[] {
  const found = JSON.stringify(tree).matchAll(/"query":"((?:[^"\\]|\\.)*)"/g);
  return [...found].map(([, query = '']) => query.replace(/(?:\s|\\n)+/g, ' '));
}

function commented(sql: string, comment: string): string {
  const bytes = Buffer.from(sql);
  let from = 0;
  let result = '';
  for (const { start, end } of lexer.scan(sql) ?? []) {
    // N'x' is one thing for the reader and two for the lexer
    const gap = from > 0 && !(from === start && bytes[start] === 0x27);
    result += `${bytes.toString('utf8', from, start)}${gap ? comment : ''}${bytes.toString('utf8', start, end)}`;
    from = end;
  }
  return result + bytes.toString('utf8', from);
}

function treeOf(sql: string): unknown {
  const parsed = grammar.parse(sql);
  if (!('tree' in parsed)) return parsed.rejection;
  const { stmts } = parsed.tree;
  return JSON.parse(JSON.stringify(stmts), (key, value) =>
    key === 'location' || key.startsWith('stmt_') || /_location$|^(?:list|rexpr_list)_(?:start|end)$/.test(key)
      ? undefined
      : value,
  );
}
