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

const database = await startMaskedDatabase(
  `version: 1
mask:
  - { column: docs.doc, with: json, hide: [$.ssn, $.a.b, $..deep] }
`,
  `CREATE TABLE docs (id int, doc jsonb);
  ${docs.map((doc, at) => `INSERT INTO docs VALUES (${at}, '${JSON.stringify(doc)}');`).join('\n')}`,
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
  fc.constant((from: string) => `(${from} || '{"z": 1}')`),
  fc.constant((from: string) => `jsonb_strip_nulls(${from})`),
);
const start = fc.constantFrom('doc', `(to_jsonb(docs) -> 'doc')`, `(jsonb_build_object('d', doc) -> 'd')`);
const last = fc.oneof(
  fc.constant((from: string) => from),
  fc.constant((from: string) => `${from}::text`),
  fc.constant((from: string) => `jsonb_pretty(${from})`),
  fc.constant((from: string) => `jsonb_build_object('k', ${from})`),
  fc.constant((from: string) => `to_jsonb(ARRAY[${from}])`),
  key.map((name) => (from: string) => `(${from} ->> '${name}')`),
);

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
