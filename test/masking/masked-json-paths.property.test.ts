/** JSON of which some paths are masked, taken apart in any order: no canary ever, and what holds none is the same. */
import fc from 'fast-check';
import t from 'tap';
import { startMaskedDatabase } from './database.js';

/** What is hidden is a canary, or a list of some: no operator leaves a part of it that is none. */
const docs = [
  { ssn: 'CANARY', theme: 'dark', a: { b: 'CANARY', c: 1 }, x: [{ deep: 'CANARY' }, { c: 2 }] },
  [{ ssn: 'CANARY', theme: 'light' }, { a: [{ b: ['CANARY'], c: 'é"' }] }],
  { theme: { ssn: 'fine', deep: 'CANARY' }, a: 'text', x: { 1: { b: 'fine' } }, ssn: ['CANARY', 'CANARY'] },
  { ssn: ['CANARY'], a: { b: 'CANARY' }, c: '{"b": 1}', x: null },
  { ssn: { CANARY: 1 }, a: { b: { CANARY: 'CANARY' } }, theme: { c: 1 } },
  'only text',
  7,
];

const written = (doc: unknown): string => JSON.stringify(doc);

const database = await startMaskedDatabase(
  `version: 1
mask:
  - { column: docs.doc, with: json, hide: [$.ssn, $.a.b, $..deep] }
  - { column: docs.other, with: json, hide: [$.ssn, $.a.b] }
  - { column: docs.shown, with: json, show: [$.theme, '$.x[*].c'] }
`,
  `CREATE TABLE docs (id int, doc jsonb, other jsonb, shown jsonb);
  ${docs.map((doc, at) => `INSERT INTO docs VALUES (${at}, '${written(doc)}', '${written(doc).replaceAll(/"deep":("CANARY")/g, '"deep":"fine"')}');`).join('\n')}
  INSERT INTO docs VALUES (7, NULL, NULL, '{"theme": "dark", "ssn": "CANARY", "x": [{"c": 4, "b": "CANARY"}, {"c": "é"}]}');`,
);
t.teardown(() => database.stop());
const client = await database.connect();
t.teardown(() => client.close());

const key = fc.constantFrom('ssn', 'a', 'b', 'c', 'x', 'deep', 'theme', '1');
const step = fc.oneof(
  key.map((name) => (from: string) => `(${from} -> '${name}')`),
  key.map((name) => (from: string) => `(${from} - '${name}')`),
  key.map((name) => (from: string) => `(${from})['${name}']`),
  key.map((name) => (from: string) => `(${from} #- '{${name}}')`),
  fc.tuple(key, key).map(
    ([one, two]) =>
      (from: string) =>
        `(${from} #> '{${one},${two}}')`,
  ),
  key.filter((name) => name !== '1').map((name) => (from: string) => `jsonb_path_query_first(${from}, '$.${name}')`),
  fc.constantFrom('0', '-1', '1').map((at) => (from: string) => `(${from} -> ${at})`),
  key
    .filter((name) => name !== '1')
    .map((name) => (from: string) => `jsonb_path_query_first(${from}, 'lax $."${name}"[*].b')`),
  fc.constant((from: string) => `(${from} || '{"z": 1}')`),
  fc.constant((from: string) => `jsonb_strip_nulls(${from})`),
);
const start = fc.constantFrom('doc', 'other', `(to_jsonb(docs) -> 'doc')`, `(jsonb_build_object('d', doc) -> 'd')`);
const last = fc.oneof(
  fc.constant((from: string) => from),
  fc.constant((from: string) => `${from}::text`),
  fc.constant((from: string) => `jsonb_pretty(${from})`),
  fc.constant((from: string) => `jsonb_build_object('k', ${from})`),
  fc.constant((from: string) => `to_jsonb(ARRAY[${from}])`),
  key.map((name) => (from: string) => `(${from} ->> '${name}')`),
);
/** What is computed of a value is hidden where something hidden may have a part in it, in whatever row. */
const computed = fc.constantFrom<(from: string) => string>(
  (from) => `upper(${from} ->> 'c')`,
  (from) => `left(${from} #>> '{a,c}', 10)`,
  (from) => `concat(${from} -> 'b', ${from} -> 'c')`,
  (from) => `(SELECT string_agg(k || v, '' ORDER BY k) FROM jsonb_each_text(jsonb_build_object('k', ${from})) e(k, v))`,
);

const anyStart = fc.oneof(start, fc.constant('shown'));
const anyEnd = fc.oneof(last, computed);

/** Where it leads is not known, or what it gives has a form of its own. */
const vague = fc.oneof(
  fc.constantFrom('id::text', '(id % 2)').map((at) => (from: string) => `(${from} -> ${at})`),
  key
    .filter((name) => name !== '1')
    .map((name) => (from: string) => `jsonb_path_query_array(${from}, '$[*].${name}[0]')`),
  fc.constant(
    (from: string) => `(SELECT jsonb_agg(e) FROM jsonb_array_elements(jsonb_build_array(${from}) -> 0 -> 'x') e)`,
  ),
  fc.constant((from: string) => `jsonb_set(${from}, '{c}', ${from} -> 'x')`),
);

t.test('values computed of what stands at paths', async () => {
  await fc.assert(
    fc.asyncProperty(anyStart, fc.array(fc.oneof(step, vague), { maxLength: 3 }), anyEnd, async (first, steps, end) => {
      const sql = `SELECT ${end(steps.reduce<string>((from, make) => make(from), first))} AS v FROM docs ORDER BY id`;
      const masked = await client.query(sql);
      if (/canary/i.test(masked.bytes.toString('latin1'))) throw new Error(`a canary: ${sql}`);
    }),
    { numRuns: Number(process.env.RUNS ?? 100) },
  );
});

for (const sql of [
  `SELECT upper(other ->> 'theme'), length(other -> 'x' -> 0 ->> 'c') FROM docs WHERE id = 0`,
  `SELECT (other -> 'a' ->> 'c')::text || '!', other ? 'ssn', other -> 'x' @> '[{"c": 2}]' FROM docs WHERE id = 0`,
  `SELECT count(*), other ->> 'theme' FROM docs GROUP BY 2 ORDER BY 2`,
  `SELECT (e ->> 'c')::int + 1 FROM docs, jsonb_array_elements(other -> 'x') e WHERE id = 0`,
  `SELECT r.c FROM docs, jsonb_to_recordset(other -> 'x') r(c int) WHERE id = 0`,
  `SELECT sum((other #>> '{x,1,c}')::numeric) FROM docs`,
  `SELECT jsonb_path_query_array(other, '$.x[*].c'), jsonb_path_query(other, 'strict $.a.c') FROM docs WHERE id = 0`,
  `SELECT upper(shown ->> 'theme'), jsonb_path_query_array(shown, '$.x[*].c') FROM docs WHERE id = 7`,
]) {
  t.test(`what no path leads to: ${sql}`, async (t) => {
    for (const formats of [[0], [1]] as const) {
      const raw = await client.query(sql, { formats, raw: true });
      const masked = await client.query(sql, { formats });
      t.same(raw.errors, []);
      t.same(masked.rows, raw.rows);
    }
  });
}

t.test('values at paths', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      start,
      fc.array(step, { maxLength: 4 }),
      last,
      fc.constantFrom(undefined, 0, 1),
      async (first, steps, end, how) => {
        const sql = `SELECT ${end(steps.reduce<string>((from, make) => make(from), first))} AS v FROM docs ORDER BY id`;
        const options = how === undefined ? {} : { formats: [how as 0 | 1] };
        const raw = await client.query(sql, { ...options, raw: true });
        const masked = await client.query(sql, options);
        const silent = await client.query(sql, { ...options, ...(how === undefined ? {} : { describe: false }) });
        for (const { bytes } of [masked, silent]) {
          if (/canary/i.test(bytes.toString('latin1'))) throw new Error(`a canary: ${sql}`);
        }
        for (const [at, row] of raw.rows.entries()) {
          const cell = row[0]?.toString('utf8');
          if (!cell?.includes('CANARY')) t.equal(masked.rows[at]?.[0]?.toString('utf8'), cell, `row ${at}: ${sql}`);
        }
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 100) },
  );
});

t.test('names of fields', async (t) => {
  await fc.assert(
    fc.asyncProperty(start, fc.array(step, { maxLength: 3 }), fc.boolean(), async (first, steps, each) => {
      const value = steps.reduce<string>((from, make) => make(from), first);
      const keys = each ? `(jsonb_each(${value})).key` : `jsonb_object_keys(${value})`;
      const sql = `SELECT ${keys} AS k FROM docs WHERE jsonb_typeof(${value}) = 'object' ORDER BY id`;
      const raw = await client.query(sql, { raw: true });
      const masked = await client.query(sql);
      if (/canary/i.test(masked.bytes.toString('latin1'))) throw new Error(`a canary: ${sql}`);
      // a step that takes apart what has the form of nothing hides it
      if (steps.length > 1) return;
      for (const [at, row] of raw.rows.entries()) {
        const cell = row[0]?.toString('utf8');
        if (!cell?.includes('CANARY')) t.equal(masked.rows[at]?.[0]?.toString('utf8'), cell, `row ${at}: ${sql}`);
      }
    }),
    { numRuns: Number(process.env.RUNS ?? 100) },
  );
});
