import t from 'tap';
import { createAnalyser } from '../../src/sql/analyser.js';
import type { CatalogFunction, CatalogFunctions } from '../../src/sql/catalog/catalog-functions.js';
import { summary } from './summary.js';

const analyser = await createAnalyser();

t.test('positions are UTF-16 units, without blanks and semicolons', (t) => {
  for (const sql of [
    "SELECT 'ä'; SELECT '😀' ;\n  DELETE FROM t /* ü */\n ;",
    ' ;; SELECT 1 ; ',
    'SELECT 1',
    "SELECT '𝒳𝒳𝒳';SELECT 2",
  ]) {
    const parts = analyser.analyse(sql).statements.map(({ start, end }) => sql.slice(start, end));
    t.same(
      parts,
      sql
        .split(';')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
      sql,
    );
  }
  t.end();
});

t.test('a statement keeps the comments in and before it', (t) => {
  const sql = '/* why */ SELECT 1';
  t.match(analyser.analyse(sql).statements, [{ start: 0, end: sql.length }]);
  t.end();
});

t.test('command tags, parameters, functions, deferral', (t) => {
  const one = (sql: string) => analyser.analyse(sql).statements[0];
  t.match(one('INSERT INTO t VALUES ($1, $3)'), { command: 'INSERT', parameters: 3, deferred: false });
  t.match(one('SELECT lower(a), app.f(b) FROM t'), { command: 'SELECT', functions: ['lower', 'app.f'] });
  t.match(one('DROP MATERIALIZED VIEW v'), { command: 'DROP MATERIALIZED VIEW' });
  t.match(one('CREATE TABLE t AS SELECT 1'), { command: 'CREATE TABLE AS' });
  t.match(one('WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x'), { command: 'SELECT' });
  t.match(one('EXPLAIN SELECT 1'), { command: 'EXPLAIN', deferred: true });
  t.match(one('EXPLAIN ANALYZE SELECT 1'), { command: 'EXPLAIN', deferred: false });
  t.end();
});

t.test('transactions', (t) => {
  const expected: Record<string, string> = {
    BEGIN: 'begin',
    'START TRANSACTION': 'begin',
    COMMIT: 'commit',
    END: 'commit',
    ABORT: 'rollback',
    'ROLLBACK AND CHAIN': 'rollback',
    'SAVEPOINT a': 'savepoint',
    'RELEASE a': 'release',
    'ROLLBACK TO a': 'rollback-to',
    "PREPARE TRANSACTION 'a'": 'prepare-transaction',
    "COMMIT PREPARED 'a'": 'commit-prepared',
    "ROLLBACK PREPARED 'a'": 'rollback-prepared',
  };
  for (const [sql, effect] of Object.entries(expected)) {
    t.equal(analyser.analyse(sql).statements[0]?.transaction, effect, sql);
  }
  t.end();
});

t.test('handles carry the facts of what they wrap', (t) => {
  const handle = (sql: string) => analyser.analyse(sql).statements[0]?.handle;
  const prepare = handle('PREPARE p (int) AS DELETE FROM t WHERE id = $1');
  t.match(prepare, { op: 'prepare', name: 'p', inner: { command: 'DELETE', parameters: 1 } });
  t.match(handle('EXECUTE p(1)'), { op: 'execute', name: 'p' });
  t.match(handle('EXPLAIN ANALYZE EXECUTE p'), { op: 'execute', name: 'p' });
  t.match(handle('EXPLAIN EXECUTE p'), { op: 'execute', name: 'p' }, 'planning runs immutable functions');
  t.match(handle('CREATE TABLE x AS EXECUTE p'), { op: 'execute', name: 'p' });
  t.same(handle('DEALLOCATE ALL'), { op: 'deallocate' });
  t.same(handle('DISCARD ALL'), { op: 'deallocate' });
  t.match(handle('DECLARE c CURSOR FOR SELECT * FROM t'), { op: 'declare', name: 'c', inner: { command: 'SELECT' } });
  t.match(handle('FETCH 1 FROM c'), { op: 'fetch', name: 'c' });
  t.match(handle('MOVE 1 FROM c'), { op: 'fetch', name: 'c' });
  t.same(handle('CLOSE ALL'), { op: 'close' });
  t.end();
});

t.test('a backslash without standard_conforming_strings is not understood', (t) => {
  // With the setting off the server sees one literal and nothing behind it; the grammar sees a DROP.
  const sql = "SELECT 'a\\'; DROP TABLE t; --'";
  t.equal(summary(analyser.analyse(sql)), ' ; drop t');
  t.equal(summary(analyser.analyse(sql, { standardConformingStrings: false })), 'unparseable: encoding');
  t.equal(summary(analyser.analyse(sql, { standardConformingStrings: true })), ' ; drop t', 'not cached across');
  t.equal(summary(analyser.analyse("SELECT 'a'", { standardConformingStrings: false })), '');
  t.end();
});

t.test('facts are cached by text, within bounds', async (t) => {
  t.equal(analyser.analyse('SELECT answer'), analyser.analyse('SELECT answer'));
  const small = await createAnalyser({ cacheEntries: 2 });
  const first = small.analyse('SELECT a');
  small.analyse('SELECT b');
  t.equal(small.analyse('SELECT a'), first);
  small.analyse('SELECT c');
  t.not(small.analyse('SELECT a'), first, 'the oldest went');

  const short = await createAnalyser({ cacheBytes: 16 * 1024 });
  const long = `SELECT '${'x'.repeat(1000)}'`;
  t.not(short.analyse(long), short.analyse(long), 'one long text is not worth all the others');
  t.equal(short.analyse('SELECT 1'), short.analyse('SELECT 1'));
});

t.test('any input gives facts, never a throw', (t) => {
  const pieces = [
    'SELECT',
    '(',
    ')',
    "'",
    '"',
    '$$',
    ';',
    '--',
    '/*',
    '*/',
    'FROM',
    'a',
    '1',
    '\\',
    '\n',
    'é',
    'DO',
    'WITH',
    ',',
  ];
  let seed = 7;
  const next = (bound: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % bound;
  };
  for (let round = 0; round < 3000; round++) {
    const sql = Array.from({ length: next(12) }, () => pieces[next(pieces.length)]).join(' ');
    const facts = analyser.analyse(sql);
    if (facts.unparseable && facts.unparseable.reason !== 'syntax') t.fail(`${sql}: ${facts.unparseable.message}`);
  }
  t.pass('3000 texts');
  t.end();
});

t.test('hostile statements cost little', (t) => {
  const list = (count: number, make: (n: number) => string, separator: string) =>
    Array.from({ length: count }, (_, n) => make(n)).join(separator);
  const bounded = (sql: string) =>
    analyser.analyse(sql).statements[0]?.effects.find((one) => one.kind === 'delete')?.bounded;

  // Each pair of disjuncts, each path through the joins, each level inside the level above: none may be tried.
  t.equal(bounded(`DELETE FROM t WHERE ${list(5_000, (n) => `a = ${n}`, ' OR ')}`), true, '5,000 disjuncts');
  t.equal(
    bounded(`DELETE FROM t WHERE ${list(5_000, (n) => `a = ${n}`, ' OR ')} OR a <> 4999`),
    false,
    'and one too many',
  );
  const clique = list(30, (n) => list(n, (m) => `t${n}.id = t${m}.id`, ' AND ') || 'true', ' AND ');
  t.equal(
    bounded(`DELETE FROM t t0 USING ${list(29, (n) => `t t${n + 1}`, ', ')} WHERE ${clique}`),
    false,
    'a clique of joins',
  );
  const nested = `${'id IN (SELECT id FROM t WHERE '.repeat(300)}id > 0${')'.repeat(300)}`;
  t.equal(bounded(`DELETE FROM t WHERE ${nested}`), false, '300 levels');
  t.equal(
    bounded(`WITH ${list(2_000, (n) => `c${n} AS (SELECT 1)`, ', ')} DELETE FROM t`),
    false,
    '2,000 WITH queries',
  );
  t.equal(analyser.analyse(list(20_000, () => 'SELECT 1', ';')).statements.length, 20_000);
  t.end();
});

function catalog(functions: Record<string, Partial<CatalogFunction>>): CatalogFunctions & { generation: number } {
  return {
    generation: 1,
    find(schema, name) {
      const found = functions[name];
      if (found === undefined) return [];
      const one: CatalogFunction = {
        schema: schema ?? 'public',
        volatility: 'volatile',
        language: 'sql',
        body: '',
        definition: '',
        parameters: [],
        inputs: [],
        defaults: '',
        settings: [],
        ...found,
      };
      return [one];
    },
    hasOwn: (_schema, name) => functions[name] !== undefined,
    behind: () => [],
    takesRow: () => false,
  };
}

t.test('the catalog tells what functions do', async (t) => {
  const plpgsql = (body: string) =>
    `CREATE OR REPLACE FUNCTION public.f() RETURNS void LANGUAGE plpgsql AS $function$${body}$function$`;
  const known = catalog({
    pure: { volatility: 'immutable', body: 'SELECT 1' },
    reader: { volatility: 'stable', body: 'SELECT count(*) FROM t' },
    writer: { body: 'DELETE FROM t' },
    caller: { body: 'SELECT writer()' },
    loop: { body: 'SELECT loop()' },
    block: { language: 'plpgsql', definition: plpgsql('BEGIN TRUNCATE t; END') },
    dynamic: { language: 'plpgsql', definition: plpgsql('BEGIN EXECUTE x; END') },
    native: { language: 'c', volatility: 'immutable' },
    postgis: { language: 'c', volatility: 'immutable', extension: 'postgis' },
  });
  const analyser = await createAnalyser({ catalog: known });
  const does = (call: string) => summary(analyser.analyse(`SELECT ${call}`));
  t.equal(does('pure()'), '');
  t.equal(does('reader()'), 'read! t()');
  t.equal(does('writer()'), 'delete! t');
  t.equal(does('caller()'), 'delete! t');
  t.equal(does('loop()'), '', 'recursion ends');
  t.equal(does('block()'), 'truncate! t');
  t.equal(does('dynamic()'), 'function-call? dynamic');
  t.equal(does('native()'), 'function-call? native', 'only its owner says that it is immutable');
  t.equal(does('postgis()'), '');
  t.equal(does('nobody()'), 'function-call? nobody');
  t.equal(summary(analyser.analyse('CALL block()')), 'truncate! t');
  t.equal(summary(analyser.analyse('EXPLAIN SELECT writer()')), '', 'the planner runs nothing volatile');
});

t.test('what the catalog said is forgotten when the catalog changes', async (t) => {
  const functions: Record<string, Partial<CatalogFunction>> = { f: { body: 'SELECT 1', volatility: 'stable' } };
  const known = catalog(functions);
  const analyser = await createAnalyser({ catalog: known });
  t.equal(summary(analyser.analyse('SELECT f()')), '');
  functions.f = { body: 'DELETE FROM t' };
  known.generation += 1;
  t.equal(summary(analyser.analyse('SELECT f()')), 'delete! t');
});
