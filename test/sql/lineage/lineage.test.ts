import t from 'tap';
import { loadGrammar } from '../../../src/sql/grammar/grammar.js';
import { LineageAnalyser } from '../../../src/sql/lineage/analyser.js';
import type { CatalogRelation, LineageCatalog } from '../../../src/sql/lineage/catalog.js';

function relation(oid: number, name: string, columns: string, more: Partial<CatalogRelation> = {}): CatalogRelation {
  const list = columns.split(' ').map((column, at) => ({ name: column, number: at + 1, type: 25, textual: true }));
  return { oid, schema: 'public', name, columns: list, children: [], triggers: false, rules: false, ...more };
}

const relations = [
  relation(1, 'a', 'id x'),
  relation(2, 'b', 'id y'),
  relation(3, 'v', 'left_x n', { definition: 'SELECT "left"(a.x, 2) AS left_x, a.id FROM public.a' }),
  relation(4, 'a', 'id x', { schema: 'other' }),
  relation(5, 'parent', 'id p', { children: [6] }),
  relation(6, 'child', 'p id'),
];

const catalog: LineageCatalog = {
  generation: 1,
  current: true,
  isKnown: () => true,
  find: (schema, name, path) =>
    (schema === undefined ? (path ?? []) : [schema])
      .map((one) => relations.find((known) => known.schema === one && known.name === name))
      .find((one) => one !== undefined),
  knowsNames: true,
  isFree: (name) => !relations.some((one) => one.name === name),
  isLasting: (name) => relations.some((one) => one.name === name),
  functions: () => [],
  codeBefore: () => [],
  isBuiltIn: (name) => name !== 'mine',
  codeByOid: () => undefined,
  behind: () => [],
  byOid: (oid) => relations.find((one) => one.oid === oid),
  relations: () => relations,
};

const analyser = new LineageAnalyser(await loadGrammar());
const handles = { get: () => undefined, add: () => {} };

/** `name=flow!` for each column, `!` for a value that is a column's as it is; `#` where only something is said of one. */
function columns(sql: string, path: readonly string[] = ['public']): string {
  const [lineage] = analyser.analyse(sql, path, catalog, handles) ?? [];
  const { columns: list, all } = lineage?.output ?? { columns: undefined, all: new Set(['unreadable']) };
  const flow = (set: ReadonlySet<string>): string => [...set].sort().join('+');
  if (list === undefined) return `?${flow(all)}`;
  return list.map((one) => `${one.name ?? ''}=${flow(one.flow)}${one.direct ? '!' : ''}`).join(' ');
}

for (const [sql, expected] of [
  ['SELECT x, id FROM a', 'x=1.2! id=1.1!'],
  ['SELECT * FROM a, b', 'id=1.1! x=1.2! id=2.1! y=2.2!'],
  ['SELECT b.* FROM a, b', 'id=2.1! y=2.2!'],
  ['SELECT * FROM a JOIN b USING (id)', 'id=1.1+2.1! x=1.2! y=2.2!'],
  ['SELECT * FROM a NATURAL JOIN b', 'id=1.1+2.1! x=1.2! y=2.2!'],
  ['SELECT q FROM a AS t(p, q)', 'q=1.2!'],
  ['SELECT other.a.x FROM other.a', 'x=4.2!'],
  ['SELECT (SELECT x FROM b) FROM a', 'x=1.2!'],
  ['SELECT (SELECT max(y) FROM b WHERE b.id = a.id) m FROM a', 'm=2.2!'],
  ['WITH a AS (SELECT y AS x FROM b) SELECT x FROM a', 'x=2.2!'],
  ['WITH a AS (SELECT * FROM a) SELECT x FROM a', 'x=1.2!'],
  ['SELECT s.x FROM (WITH a AS (SELECT 1 AS x) SELECT x FROM a) s, a', 'x='],
  ['SELECT x FROM a UNION SELECT y FROM b', 'x=1.2+2.2!'],
  ["SELECT x FROM a UNION SELECT 'k'", 'x=1.2!'],
  ['SELECT count(x), x IS NULL, EXISTS (SELECT x FROM a) FROM a', 'count= = exists='],
  ['SELECT x = y FROM a, b', '?column?=1.2#+2.2#'],
  ['SELECT sum(x), max(x) + 1, x LIKE $1, mod(x, 2) FROM a', 'sum=1.2# ?column?=1.2 ?column?=1.2# mod=1.2'],
  ['SELECT t FROM a t', 't=1.1+1.2'],
  ['SELECT (t).x, (t).* FROM a t', 'x=1.2! id=1.1! x=1.2!'],
  ['SELECT * FROM v', 'left_x=1.2+3.1 n=1.1+3.2!'],
  ['SELECT p FROM parent', 'p=5.2+6.1!'],
  ['SELECT l.z FROM a, LATERAL (SELECT a.x || b.y AS z FROM b) l', 'z=1.2+2.2'],
  ['SELECT s.z FROM a, (SELECT x AS z FROM other.a) s', 'z=4.2!'],
  ['SELECT nobody FROM a', 'nobody=?'],
  ['SELECT x FROM nowhere', 'x=?'],
  ['SELECT mine(id) FROM a', 'mine=1.1+?missing'],
  ['INSERT INTO a SELECT y, y FROM b RETURNING x, id', 'x=1.2! id=1.1!'],
  ['UPDATE a SET x = y FROM b RETURNING *', 'id=1.1! x=1.2! id=2.1! y=2.2!'],
  ['DELETE FROM a USING b RETURNING y', 'y=2.2!'],
  ['VALUES (1, (SELECT x FROM a)), (2, NULL)', 'column1=! column2=1.2!'],
  ['EXPLAIN SELECT x FROM a', '?'],
] as const) {
  t.test(sql, async (t) => t.equal(columns(sql), expected));
}

t.test('the search path decides', async (t) => {
  t.equal(columns('SELECT x FROM a', ['other', 'public']), 'x=4.2!');
  t.equal(columns('SELECT x FROM a', []), 'x=?');
});

t.test('conditions and orderings are inference, not output', async (t) => {
  const [lineage] = analyser.analyse('SELECT id FROM a WHERE x > $1 ORDER BY x', ['public'], catalog, handles) ?? [];
  t.same([...(lineage?.inferred ?? [])], ['1.2']);
});

t.test('hostile text ends in bounded time, not understood', async (t) => {
  let sql = 'SELECT 1 AS n';
  for (let depth = 0; depth < 14; depth++) {
    sql = `WITH RECURSIVE r AS (${sql} UNION ALL SELECT n FROM r) SELECT n FROM r UNION ALL (${sql})`;
    if (sql.length > 1 << 15) break;
  }
  const found = analyser.analyse(sql, ['public'], catalog, handles);
  t.ok(found === undefined || found.length === 1);
  t.equal(
    analyser.analyse(`SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`, ['public'], catalog, handles),
    undefined,
  );
});
