/**
 * Values of masked columns that stand in the database's own definitions: bounds of partitions, defaults, checks, policies,
 * expressions of indices and statistics; and in statements that other sessions send. Names and clean constants stay.
 */
import fc from 'fast-check';
import t from 'tap';
import { constantsIn, sqlTextMask } from '../../src/masking/inside/sql-text.js';
import { maskedValue } from '../../src/masking/kinds/whole-value.js';
import { startMaskedDatabase } from '../masking/database.js';

const database = await startMaskedDatabase(
  `version: 1
mask:
  - {column: public.*.card, with: 'null'}
  - {column: public.*.salary, with: 'null'}
`,
  `
  CREATE TABLE visits (id int, card text) PARTITION BY LIST (card);
  CREATE TABLE visits_1 PARTITION OF visits FOR VALUES IN ('CANARY-1', 'CANARY''2');
  CREATE TABLE pay (id int, salary int) PARTITION BY RANGE (salary);
  CREATE TABLE pay_1 PARTITION OF pay FOR VALUES FROM (471100) TO (471199);
  CREATE TABLE people (id int, name text DEFAULT 'nobody', card text DEFAULT 'CANARY-3' CHECK (card <> 'CANARY-4'), salary int DEFAULT 471101);
  CREATE POLICY own ON people USING (card <> 'CANARY-5') WITH CHECK (name <> 'root');
  CREATE INDEX by_card ON people ((card = 'CANARY-6')) WHERE card <> 'CANARY-7';
  CREATE STATISTICS of_card ON (card || 'CANARY-8'), name FROM people;
  ALTER TABLE people ADD COLUMN extra text DEFAULT 'shown';
  INSERT INTO people VALUES (1);
  ALTER TABLE people RENAME COLUMN extra TO more;
  CREATE TABLE sales (id int, state text DEFAULT 'new' CHECK (state IN ('new', 'paid')));
  CREATE POLICY own ON sales USING (id IN (SELECT id FROM people WHERE card = 'CANARY-10'));
  CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
  CREATE TRIGGER noted BEFORE INSERT ON people FOR EACH ROW WHEN (NEW.card = 'CANARY-11') EXECUTE FUNCTION noted('card');
  SELECT lo_from_bytea(4711, 'CANARY-9');
  ALTER TABLE people ALTER card SET STORAGE EXTERNAL;
  INSERT INTO people VALUES (2, 'long', repeat('CANARY-12 ', 1000));
`,
);
t.teardown(() => database.stop());
const [{ toast } = {}] = await database.postgres.query<{ toast: string }>(
  `SELECT reltoastrelid::regclass AS toast FROM pg_class WHERE oid = 'people'::regclass`,
);

const shows = (bytes: Buffer): boolean =>
  /canary|yranac|4711\d\d|67 65 78 65 82 89|43414e4152/i.test(bytes.toString('latin1'));

const attacks = [
  'SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition',
  'SELECT relpartbound FROM pg_class WHERE relispartition',
  'SELECT relpartbound::text FROM pg_class WHERE relispartition',
  'SELECT reverse(pg_get_expr(relpartbound, oid)) FROM pg_class WHERE relispartition',
  `SELECT replace(pg_get_expr(relpartbound, oid), '''', '') FROM pg_class WHERE relispartition`,
  'SELECT json_agg(pg_get_expr(relpartbound, oid)) FROM pg_class WHERE relispartition',
  'SELECT c FROM pg_class c WHERE relispartition',
  'SELECT to_jsonb(c) FROM pg_class c WHERE relispartition',
  `SELECT pg_get_partition_constraintdef('visits_1'::regclass)`,
  `SELECT pg_get_partition_constraintdef('pay_1'::regclass)`,
  'SELECT adbin FROM pg_attrdef',
  'SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef',
  `SELECT string_agg(column_default, ',') FROM information_schema.columns WHERE table_name = 'people'`,
  `SELECT column_default FROM information_schema.columns WHERE table_name = 'people'`,
  `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'people'::regclass`,
  'SELECT conbin FROM pg_constraint',
  'SELECT check_clause FROM information_schema.check_constraints',
  'SELECT qual, with_check FROM pg_policies',
  'SELECT pg_get_expr(polqual, polrelid) FROM pg_policy',
  'SELECT polqual FROM pg_policy',
  'SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal',
  'SELECT action_condition FROM information_schema.triggers',
  `SELECT pg_get_indexdef('by_card'::regclass)`,
  `SELECT indexdef FROM pg_indexes WHERE indexname = 'by_card'`,
  'SELECT pg_get_expr(indpred, indrelid), pg_get_expr(indexprs, indrelid) FROM pg_index WHERE indpred IS NOT NULL',
  'SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext',
  'SELECT pg_get_statisticsobjdef_expressions(oid) FROM pg_statistic_ext',
  'CREATE TEMP TABLE t AS SELECT pg_get_expr(adbin, adrelid) AS v FROM pg_attrdef; SELECT v FROM t',
  'COPY (SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition) TO STDOUT',
  'SELECT data FROM pg_largeobject',
  `SELECT chunk_data FROM ${toast}`,
  `SELECT encode(chunk_data, 'escape') FROM ${toast}`,
  `SET search_path = pg_toast; SELECT * FROM ${toast?.replace('pg_toast.', '')}`,
  `COPY (SELECT * FROM ${toast}) TO STDOUT`,
];

for (const sql of attacks) {
  t.test(sql, async (t) => {
    const client = await database.connect();
    t.teardown(() => client.close());
    for (const options of sql.includes(';') || sql.startsWith('COPY')
      ? [{}]
      : ([{}, { formats: [0] }, { formats: [1] }] as const)) {
      await client.query('BEGIN', { raw: true });
      if (!('formats' in options))
        t.ok(shows((await client.query(sql, { raw: true })).bytes), 'without masks it shows');
      await client.query('ROLLBACK; BEGIN', { raw: true });
      t.notOk(shows((await client.query(sql, options)).bytes), 'with masks it does not');
      await client.query('ROLLBACK', { raw: true });
    }
  });
}

const ordinary: readonly (readonly [sql: string, expected: string])[] = [
  [`SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'visits_1'`, `FOR VALUES IN ('***', '***')`],
  [`SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'pay_1'`, `FOR VALUES FROM ('***') TO ('***')`],
  [
    `SELECT column_default FROM information_schema.columns WHERE table_name = 'sales' AND column_name = 'state'`,
    `'new'::text`,
  ],
  [
    `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'sales'::regclass`,
    `CHECK ((state = ANY (ARRAY['new'::text, 'paid'::text])))`,
  ],
  [
    `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'people'::regclass`,
    `CHECK ((card <> '***'::text))`,
  ],
  [
    `SELECT indexdef FROM pg_indexes WHERE indexname = 'by_card'`,
    `CREATE INDEX by_card ON public.people USING btree (((card = '***'::text))) WHERE (card <> '***'::text)`,
  ],
  [
    `SELECT a.attname, (SELECT pg_get_expr(d.adbin, d.adrelid, true) FROM pg_attrdef d WHERE d.adrelid = a.attrelid
       AND d.adnum = a.attnum) FROM pg_attribute a WHERE a.attrelid = 'people'::regclass AND a.attnum > 0 ORDER BY attnum`,
    `id null,name 'nobody'::text,card '***'::text,salary '***',more 'shown'::text`,
  ],
  [
    `SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid() AND 471100 > 1`,
    `SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid() AND '***' > '***'`,
  ],
];

for (const [sql, expected] of ordinary) {
  t.test(`comes through: ${sql}`, async (t) => {
    const client = await database.connect();
    t.teardown(() => client.close());
    const { rows, denied, errors } = await client.query(sql);
    t.same([denied, ...errors], [undefined]);
    t.equal(rows.map((row) => row.map((cell) => cell?.toString() ?? 'null').join(' ')).join(), expected);
  });
}

t.test('constants in SQL', async (t) => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/);
  const constant = fc.stringMatching(/^[a-z'\\" $-]{0,8}$/);
  const literal = constant.chain((value) =>
    fc.constantFrom(
      `'${value.replaceAll('\\', '').replaceAll("'", "''")}'`,
      `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
      `$q$${value.replaceAll('$', '')}$q$`,
    ),
  );
  const name = word.map((text) => `"${text} ""${text}"""`);
  const pieces = fc.array(fc.oneof(word, name, fc.constantFrom(' = ', '(', ') ', ', ', '::')), { minLength: 1 });
  const mask = (text: string, secret: ReadonlySet<string> | 'all'): string | undefined =>
    maskedValue(sqlTextMask(secret), Buffer.from(text))?.toString();
  fc.assert(
    fc.property(pieces, literal, pieces, fc.boolean(), (before, secret, after, cut) => {
      const text = `${before.join(' ')} ${secret} ${after.join(' ')}`;
      const whole = cut ? text.slice(0, before.join(' ').length + 1 + Math.ceil(secret.length / 2) + 1) : text;
      const rest = cut ? '' : ` ${after.join(' ')}`;
      t.equal(mask(whole, 'all'), `${before.join(' ')} '***'${rest}`);
      if (cut) return;
      t.equal(mask(text, new Set(constantsIn(text, false))), `${before.join(' ')} '***'${rest}`);
      t.equal(mask(text, new Set()), text);
    }),
  );
});
