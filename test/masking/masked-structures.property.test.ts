/** Random queries over canaries, compared with the run without masks: no canary ever, and what is clean is the same. */
import fc from 'fast-check';
import t from 'tap';
import { startMaskedDatabase } from './database.js';
import { usableSchema, usableYaml } from './usable-queries.js';

const database = await startMaskedDatabase(
  `${usableYaml}
  - { column: parts.email, with: fixed, value: '***' }
  - { column: parts.ssn, with: fixed, value: '***' }`.replace(/\n\n/g, '\n'),
  `${usableSchema}
  CREATE TABLE parts (id int, name text, ssn text, email text, made text GENERATED ALWAYS AS (upper(ssn)) STORED) PARTITION BY RANGE (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
  INSERT INTO parts VALUES (1, 'Ada', 'CANARY-p', 'CANARY@p');`,
);
t.teardown(() => database.stop());
const client = await database.connect();
t.teardown(() => client.close());

interface Made {
  readonly sql: string;
  /** Nothing of it comes from a masked column. */
  readonly clean: boolean;
}

const column = fc.constantFrom<Made>(
  { sql: 'u.id', clean: true },
  { sql: 'u.name', clean: true },
  { sql: 'u.ssn', clean: false },
  { sql: 'u.email', clean: false },
);

/** A jsonb made of the row, at any depth. */
const { json } = fc.letrec<{ json: Made }>((tie) => {
  const both = (make: (a: string, b: string) => string) =>
    fc.tuple(tie('json'), tie('json')).map(([a, b]): Made => ({ sql: make(a.sql, b.sql), clean: a.clean && b.clean }));
  const one = (make: (a: string) => string) => tie('json').map((a): Made => ({ sql: make(a.sql), clean: a.clean }));
  return {
    json: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      column.map(({ sql, clean }): Made => ({ sql: `to_jsonb(${sql})`, clean })),
      fc.constant<Made>({ sql: 'to_jsonb(u)', clean: false }),
      fc.constant<Made>({ sql: 'to_jsonb((SELECT v FROM (SELECT u.ssn AS name, u.name AS ssn) v))', clean: false }),
      both((a, b) => `jsonb_build_object('name', ${a}, 'ssn', ${b})`),
      both((a, b) => `jsonb_build_array(${a}, ${b})`),
      both((a, b) => `(${a} || ${b})`),
      both((a, b) => `coalesce(${a}, ${b})`),
      both((a, b) => `CASE WHEN u.id = 1 THEN ${a} ELSE ${b} END`),
      both((a, b) => `to_jsonb(ARRAY[${a}, ${b}])`),
      both((a, b) => `to_jsonb(ROW(${a}, ${b}))`),
      both((a, b) => `(SELECT jsonb_agg(x) FROM (SELECT ${a} AS a UNION ALL SELECT ${b}) x)`),
      both((a, b) => `(SELECT jsonb_object_agg(k, v) FROM (VALUES ('name', ${a}), ('id', ${b})) o(k, v))`),
      one((a) => `(${a} - 'name')`),
      one((a) => `(${a} - 0)`),
      one((a) => `(${a} -> 'ssn')`),
      one((a) => `(${a} -> 'name')`),
      one((a) => `(${a} -> 1)`),
      one((a) => `(${a} #> '{name,ssn}')`),
      one((a) => `to_jsonb(${a} ->> 'name')`),
      one((a) => `(${a}::text)::jsonb`),
      one((a) => `jsonb_strip_nulls(${a})`),
      one((a) => `jsonb_set(${a}, '{name}', ${a} -> 'ssn')`),
    ),
  };
});

const source = fc.constantFrom(
  'users u',
  'parts u',
  '(SELECT id, name, ssn, email FROM users UNION ALL SELECT id, name, email, ssn FROM parts) u',
  '(WITH RECURSIVE r AS (SELECT id, name, ssn, email FROM users UNION SELECT id, name, ssn, email FROM r) SELECT * FROM r) u',
);

t.test('values of JSON', async (t) => {
  await fc.assert(
    fc.asyncProperty(source, json, fc.boolean(), async (from, { sql, clean }, binary) => {
      const query = `SELECT u.id, ${sql} AS v FROM ${from} ORDER BY u.id`;
      const options = binary ? { formats: [1] as const } : {};
      const raw = await client.query(query, { ...options, raw: true });
      const masked = await client.query(query, options);
      const text = masked.bytes.toString('latin1');
      if (/canary/i.test(text)) throw new Error(`a canary: ${query}`);
      const [before, after] = [raw, masked].map(({ rows }) =>
        rows.map((row) => row.map((cell) => cell?.toString('latin1'))),
      );
      if (clean && raw.errors.length === 0) t.same(after, before, query);
      else
        t.same(
          after?.map(([id]) => id),
          before?.map(([id]) => id),
          query,
        );
    }),
    { numRuns: Number(process.env.RUNS ?? 100) },
  );
});
