import t from 'tap';
import { behindComments, lineAt, plainSql } from '../../../src/cli/judge/sql-file.js';

t.test('positions stay when psql’s own lines are blanked', async (t) => {
  const file = "\\set x 1\nCOPY a (b,\n c) FROM stdin;\nDROP\n\\.\nCOPY a TO stdout;\nSELECT '\n\\\\x';\n";
  const plain = plainSql(file);
  t.equal(plain.length, file.length);
  t.equal(plain, "        \nCOPY a (b,\n c) FROM stdin;\n    \n  \nCOPY a TO stdout;\nSELECT '\n\\\\x';\n");
});

t.test('a statement begins behind its comments', async (t) => {
  const begins = (text: string) => text.slice(behindComments(text, 0));
  t.equal(begins('  -- a\n/* b /* c */ ; */ SELECT /* d */ 1'), 'SELECT /* d */ 1');
  t.equal(begins('SELECT 1'), 'SELECT 1');
  t.equal(begins('/* open'), '');
  t.equal(begins('-- only'), '');
});

t.test('lines are counted from 1', async (t) => {
  const text = 'a\nb\n\nc';
  t.strictSame(
    [0, 1, 2, 4, 5].map((at) => lineAt(text, at)),
    [1, 1, 2, 3, 4],
  );
});
