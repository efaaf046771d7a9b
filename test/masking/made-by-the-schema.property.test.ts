/**
 * Random objects of the schema over canaries: functions, generated columns, partitions, triggers and views. No canary ever
 * reaches the client, and what is made of clean columns alone is the same as without masks.
 */
import fc from 'fast-check';
import t from 'tap';
import { startMaskedDatabase } from './database.js';

/** A column or an expression, and whether nothing of it comes from a masked column. */
interface Made {
  readonly sql: string;
  readonly clean: boolean;
}

/** SQL that makes something of a table `t<n>`, and what can be read of it. */
interface Thing {
  readonly setup: string;
  /** With `id` among its columns, and the row as `x`. */
  readonly from: string;
  readonly columns: readonly Made[];
}

const atom = fc.constantFrom<Made>(
  { sql: 'r.name', clean: true },
  { sql: 'r.age::text', clean: true },
  { sql: '(r.age + 1)::text', clean: true },
  { sql: 'r.ssn', clean: false },
  { sql: 'r.email', clean: false },
);

/** A text, immutable, in which a canary stays one. `r` is the row. */
const { text } = fc.letrec<{ text: Made }>((tie) => {
  const both = (make: (a: string, b: string) => string) =>
    fc.tuple(tie('text'), tie('text')).map(([a, b]): Made => ({ sql: make(a.sql, b.sql), clean: a.clean && b.clean }));
  const one = (make: (a: string) => string) => tie('text').map((a): Made => ({ sql: make(a.sql), clean: a.clean }));
  return {
    text: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      atom,
      both((a, b) => `(${a} || ${b})`),
      both((a, b) => `coalesce(${a}, ${b})`),
      both((a, b) => `CASE WHEN r.age > 30 THEN ${a} ELSE ${b} END`),
      one((a) => `upper(${a})`),
      one((a) => `replace(${a}, 'zz', '')`),
      one((a) => `(ARRAY[${a}])[1]`),
      one((a) => `left(${a}, 60)`),
    ),
  };
});

const columns = 'id int, name text, ssn text, email text, age int';
const rows = `VALUES (1, 'Ada', 'CANARY-1', 'CANARYa@x', 36), (2, 'Bob', NULL, 'CANARYb@x', 20), (3, NULL, 'CANARY-3', NULL, 50)`;
const own: readonly Made[] = [
  { sql: 'x.id', clean: true },
  { sql: 'x.name', clean: true },
  { sql: 'x.ssn', clean: false },
  { sql: 'x.age', clean: true },
];
const as = (name: string, { clean }: Made): Made => ({ sql: `x.${name}`, clean });
/** The expression with the row under another name. */
const of = ({ sql }: Made, row: string): string => sql.replaceAll(/\br\./g, `${row}.`);

type Build = (n: number) => Thing;

const generated = text.map(
  (made): Build =>
    (n) => ({
      setup: `CREATE TABLE t${n} (${columns}, made text GENERATED ALWAYS AS (${made.sql.replaceAll('r.', '')}) STORED);
    INSERT INTO t${n} ${rows};`,
      from: `t${n} x`,
      columns: [...own, as('made', made)],
    }),
);

const partitioned = fc.tuple(text, fc.constantFrom('RANGE (id)', 'LIST (id)', 'HASH (id)'), fc.boolean()).map(
  ([made, by, first]): Build =>
    (n) => {
      const bounds = {
        'RANGE (id)': ['FROM (0) TO (2)', 'FROM (2) TO (9)'],
        'LIST (id)': ['IN (1)', 'IN (2, 3)'],
        'HASH (id)': ['WITH (MODULUS 2, REMAINDER 0)', 'WITH (MODULUS 2, REMAINDER 1)'],
      }[by];
      const column = `made text GENERATED ALWAYS AS (${made.sql.replaceAll('r.', '')}) STORED`;
      return {
        // a partition that was a table has its columns in an order of its own
        setup: `CREATE TABLE t${n} (${columns}, ${column}) PARTITION BY ${by};
          CREATE TABLE t${n}_a (age int, email text, ${column}, ssn text, name text, id int);
          ALTER TABLE t${n} ATTACH PARTITION t${n}_a FOR VALUES ${bounds?.[0]};
          CREATE TABLE t${n}_b PARTITION OF t${n} FOR VALUES ${bounds?.[1]};
          INSERT INTO t${n} (id, name, ssn, email, age) ${rows};`,
        from: first ? `t${n}_a x` : `t${n} x`,
        columns: [...own, as('made', made)],
      };
    },
);

const viewed = fc.tuple(text, text, fc.boolean()).map(
  ([a, b, stored]): Build =>
    (n) => ({
      setup: `CREATE TABLE t${n} (${columns}); INSERT INTO t${n} ${rows};
    CREATE ${stored ? 'MATERIALIZED' : ''} VIEW v${n} AS SELECT r.id, ${a.sql} AS a, ${b.sql} AS b FROM t${n} r;`,
      from: `v${n} x`,
      columns: [as('id', { sql: '', clean: true }), as('a', a), as('b', b)],
    }),
);

/** Bodies that give back `id`, `a` and `b` of the rows of a table. */
const bodies: Readonly<Record<string, (n: number, a: Made, b: Made) => string>> = {
  sql: (n, a, b) => `LANGUAGE sql STABLE AS $$SELECT r.id, ${a.sql}, ${b.sql} FROM public.t${n} r$$`,
  query: (n, a, b) =>
    `LANGUAGE plpgsql STABLE AS $$BEGIN RETURN QUERY SELECT r.id, ${a.sql}, ${b.sql} FROM public.t${n} r; END$$`,
  loop: (n, a, b) => `LANGUAGE plpgsql STABLE AS $$DECLARE r record; BEGIN FOR r IN SELECT * FROM public.t${n} LOOP
    id := r.id; a := ${a.sql}; b := ${b.sql}; RETURN NEXT; END LOOP; END$$`,
  variable: (n, a, b) => `LANGUAGE plpgsql STABLE AS $$DECLARE one text; i int; BEGIN FOR i IN 1..3 LOOP
    SELECT ${a.sql}, ${b.sql} INTO one, b FROM public.t${n} r WHERE r.id = i; id := i; a := one; RETURN NEXT; END LOOP; END$$`,
  constant: (n, a, b) =>
    `LANGUAGE plpgsql STABLE AS $$BEGIN RETURN QUERY EXECUTE '${`SELECT r.id, ${a.sql}, ${b.sql} FROM public.t${n} r`.replaceAll("'", "''")}'; END$$`,
};

const called = fc.tuple(text, text, fc.constantFrom(...Object.keys(bodies))).map(
  ([a, b, body]): Build =>
    (n) => ({
      setup: `CREATE TABLE t${n} (${columns}); INSERT INTO t${n} ${rows};
    CREATE FUNCTION f${n}() RETURNS TABLE (id int, a text, b text) ${bodies[body]?.(n, a, b)};`,
      from: `f${n}() x`,
      columns: [as('id', { sql: '', clean: true }), as('a', a), as('b', b)],
    }),
);

const computing = fc.tuple(text, fc.boolean()).map(
  ([made, plpgsql]): Build =>
    (n) => ({
      setup: `CREATE TABLE t${n} (${columns}); INSERT INTO t${n} ${rows};
    CREATE FUNCTION g${n}(r t${n}) RETURNS text STABLE ${
      plpgsql ? `LANGUAGE plpgsql AS $$BEGIN RETURN ${made.sql}; END$$` : `LANGUAGE sql AS $$SELECT ${made.sql}$$`
    };`,
      from: `(SELECT id, g${n}(s) AS made FROM t${n} s) x`,
      columns: [as('id', { sql: '', clean: true }), as('made', made)],
    }),
);

const triggered = fc.tuple(text, text, fc.constantFrom('INSERT', 'INSERT OR UPDATE')).map(
  ([a, b, on]): Build =>
    (n) => ({
      setup: `CREATE TABLE t${n} (${columns}, made text); CREATE TABLE l${n} (id int, a text, doc jsonb);
    CREATE FUNCTION before${n}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.made := ${of(a, 'NEW')}; RETURN NEW; END$$;
    CREATE FUNCTION after${n}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
      INSERT INTO l${n} VALUES (NEW.id, ${of(b, 'NEW')}, to_jsonb(NEW)); RETURN NULL; END$$;
    CREATE TRIGGER b BEFORE ${on} ON t${n} FOR EACH ROW EXECUTE FUNCTION before${n}();
    CREATE TRIGGER a AFTER ${on} ON t${n} FOR EACH ROW EXECUTE FUNCTION after${n}();
    INSERT INTO t${n} ${rows};`,
      from: `(SELECT s.*, l.a, l.doc FROM t${n} s JOIN l${n} l USING (id)) x`,
      columns: [
        ...own,
        as('made', a),
        as('a', b),
        { sql: `x.doc ->> 'name'`, clean: true },
        as('doc', { sql: '', clean: false }),
      ],
    }),
);

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const builds = fc.sample(fc.oneof(generated, partitioned, viewed, called, computing, triggered), { numRuns: 60, seed });
const things = builds.map((build, n) => build(n));

const database = await startMaskedDatabase(
  `version: 1
mask:
  - { column: '*.ssn', with: fixed, value: '***' }
  - { column: '*.email', with: fixed, value: '***' }
`,
  things.map(({ setup }) => setup).join('\n'),
);
t.teardown(() => database.stop());
const client = await database.connect();
t.teardown(() => client.close());

const wrapped = fc.constantFrom<(sql: string) => string>(
  (sql) => sql,
  (sql) => sql,
  (sql) => `to_jsonb(${sql})`,
  (sql) => `ARRAY[${sql}]`,
  (sql) => `min(${sql}) OVER (PARTITION BY x.id)`,
);

t.test(`values that the schema makes (SEED=${seed})`, async (t) => {
  const column = fc.tuple(fc.nat(), wrapped);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...things),
      fc.array(column, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(undefined, 0, 1),
      fc.boolean(),
      async ({ from, columns }, picks, format, whole) => {
        const chosen = picks.map(([at, wrap]) => {
          const { sql, clean } = columns[at % columns.length] ?? { sql: 'x.id', clean: true };
          return { sql: sql.endsWith('doc') ? sql : wrap(sql), clean };
        });
        const list = [...chosen, ...(whole ? [{ sql: 'x', clean: false }] : [])];
        const query = `SELECT x.id, ${list.map(({ sql }) => sql).join(', ')} FROM ${from} ORDER BY 1`;
        const options = format === undefined ? {} : { formats: [format as 0 | 1] };
        const raw = await client.query(query, { ...options, raw: true });
        const masked = await client.query(query, options);
        if (raw.errors.length > 0) throw new Error(`${query}: ${raw.errors[0]}`);
        if (/canary/i.test(masked.bytes.toString('latin1'))) throw new Error(`a canary: ${query}`);
        const clean = ({ rows }: typeof raw) =>
          rows.map((row) => row.map((cell, at) => (at === 0 || list[at - 1]?.clean ? cell?.toString('latin1') : '')));
        const [after, before] = [clean(masked), clean(raw)];
        if (JSON.stringify(after) !== JSON.stringify(before)) {
          throw new Error(`${query}\n${JSON.stringify(after)}\n${JSON.stringify(before)}`);
        }
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 150), seed },
  );
  t.pass('no canary, and what is clean is the same');
});
