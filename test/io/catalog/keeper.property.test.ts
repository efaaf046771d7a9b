/** Whatever happens to a schema, and whoever does it: what the keeper believes is what a fresh reading of all of it says. */
import fc from 'fast-check';
import pg from 'pg';
import t from 'tap';
import { ControlConnection } from '../../../src/io/catalog/control-connection.js';
import { FunctionCatalog } from '../../../src/io/catalog/function-catalog.js';
import { type AskCatalog, CatalogKeeper, type KeptClient } from '../../../src/io/catalog/keeper.js';
import { MaskCatalog } from '../../../src/io/catalog/mask-catalog.js';
import { connectUpstream } from '../../../src/io/upstream/connect.js';
import { resolveUpstream } from '../../../src/io/upstream/resolve.js';
import { catalogChange } from '../../../src/proxy/session-state/catalog-change.js';
import { dependsOnCatalog, touchesDoubted } from '../../../src/proxy/session-state/needs-catalog.js';
import type { Effect } from '../../../src/sql/facts.js';
import { loadGrammar } from '../../../src/sql/grammar/grammar.js';
import { startPostgres } from '../../helpers/postgres.js';

const names = ['a', 'b', 'c', 'd'];
const relationNames = [...names, ...names.map((name) => `${name}_new`), 'people', 'part_of'];
const columns = ['id', 'v', 'w', 'x'];

const name = fc.constantFrom(...names);
const column = fc.constantFrom(...columns);
const schema = fc.constantFrom('public', 'app');
const table = fc.tuple(schema, name).map(([of, one]) => `${of}.${one}`);

/** One statement, of all that a catalog can be changed by. Many fail: then nothing changes, and nothing may be believed to have. */
const statement = fc.oneof(
  table.map((on) => `CREATE TABLE ${on} (id int PRIMARY KEY, v text DEFAULT 'x', w int)`),
  fc.tuple(table, table).map(([on, parent]) => `CREATE TABLE ${on} (x int) INHERITS (${parent})`),
  fc
    .tuple(table, fc.constantFrom('now()::text', "upper('x')", 'public.h()', 'current_user'))
    .map(([on, by]) => `CREATE TABLE ${on} (id int UNIQUE, v text DEFAULT ${by}, w int CHECK (w > 0))`),
  fc
    .tuple(
      table,
      fc.constantFrom(
        'PRIMARY KEY (w)',
        'UNIQUE (id, w)',
        'CHECK (public.f(w) > 0)',
        'FOREIGN KEY (id) REFERENCES people',
      ),
    )
    .map(([on, more]) => `CREATE TABLE ${on} (id int, v text, w int, ${more})`),
  fc.tuple(table, table).map(([on, from]) => `CREATE VIEW ${on} AS SELECT id, v FROM ${from}`),
  table.map((on) => `CREATE VIEW ${on} AS SELECT id, public.h() AS v FROM people`),
  fc.tuple(table, table).map(([on, from]) => `DROP TABLE ${on}; CREATE VIEW ${on} AS SELECT id, v FROM ${from}`),
  table.map((on) => `DROP VIEW ${on}; CREATE TABLE ${on} (id int PRIMARY KEY, v text, w int)`),
  table.map((on) => `DROP TABLE ${on}; CREATE TABLE ${on} (id int, v text, w int PRIMARY KEY)`),
  fc
    .tuple(schema, fc.constantFrom('DELETE FROM people', 'TRUNCATE people', 'SELECT 1', 'SELECT public.q()'))
    .map(([of, body]) => `CREATE FUNCTION ${of}.h() RETURNS text LANGUAGE sql AS '${body}; SELECT 1::text'`),
  fc
    .tuple(schema, table)
    .map(
      ([of, on]) =>
        `CREATE FUNCTION ${of}.q() RETURNS text LANGUAGE plpgsql AS 'BEGIN DELETE FROM ${on}; RETURN 1; END'`,
    ),
  schema.map((of) => `CREATE OR REPLACE FUNCTION ${of}.h() RETURNS text LANGUAGE sql AS 'SELECT 1::text'`),
  schema.map((of) => `DROP FUNCTION ${of}.h()`),
  table.map((on) => `CREATE TABLE ${on} PARTITION OF part_of FOR VALUES FROM (1) TO (5)`),
  table.map((on) => `ALTER TABLE part_of DETACH PARTITION ${on}`),
  fc.tuple(table, table).map(([on, parent]) => `ALTER TABLE ${on} NO INHERIT ${parent}`),
  fc.tuple(table, table).map(([on, parent]) => `ALTER TABLE ${on} INHERIT ${parent}`),
  fc
    .tuple(table, table, column)
    .map(([on, from, c]) => `CREATE OR REPLACE VIEW ${on} AS SELECT ${c}, upper(v) AS v FROM ${from}`),
  fc.tuple(table, table).map(([on, from]) => `CREATE MATERIALIZED VIEW ${on} AS SELECT id, v FROM ${from}`),
  fc.tuple(table, fc.constantFrom('', ' CASCADE')).map(([on, how]) => `DROP TABLE ${on}${how}`),
  fc.tuple(table, fc.constantFrom('', ' CASCADE')).map(([on, how]) => `DROP VIEW ${on}${how}`),
  fc.tuple(table, name).map(([on, to]) => `ALTER TABLE ${on} RENAME TO ${to}_new`),
  fc.tuple(table, name).map(([on, to]) => `ALTER TABLE ${on}_new RENAME TO ${to}`),
  fc.tuple(table, column, column).map(([on, c, to]) => `ALTER TABLE ${on} RENAME COLUMN ${c} TO ${to}`),
  fc.tuple(table, schema).map(([on, to]) => `ALTER TABLE ${on} SET SCHEMA ${to}`),
  fc.tuple(table, column).map(([on, c]) => `ALTER TABLE ${on} ADD COLUMN ${c} text`),
  fc
    .tuple(table, column)
    .map(([on, c]) => `ALTER TABLE ${on} ADD COLUMN ${c} text GENERATED ALWAYS AS (v || 'y') STORED`),
  fc
    .tuple(table, column, fc.constantFrom('', ' CASCADE'))
    .map(([on, c, how]) => `ALTER TABLE ${on} DROP COLUMN ${c}${how}`),
  fc.tuple(table, column).map(([on, c]) => `ALTER TABLE ${on} ALTER COLUMN ${c} TYPE varchar(20)`),
  fc.tuple(table, column).map(([on, c]) => `ALTER TABLE ${on} ALTER COLUMN ${c} SET DEFAULT public.f(1)`),
  fc.tuple(table, column).map(([on, c]) => `ALTER TABLE ${on} ALTER COLUMN ${c} DROP DEFAULT`),
  fc.tuple(table, column).map(([on, c]) => `ALTER TABLE ${on} ADD CONSTRAINT k UNIQUE (${c})`),
  fc.tuple(table, column).map(([on, c]) => `ALTER TABLE ${on} ADD CONSTRAINT k CHECK (public.f(${c}::text::int) > 0)`),
  table.map((on) => `ALTER TABLE ${on} DROP CONSTRAINT k`),
  fc.tuple(table, column).map(([on, c]) => `CREATE UNIQUE INDEX i ON ${on} (${c}, id)`),
  schema.map((of) => `DROP INDEX ${of}.i`),
  fc.constantFrom('public', 'app').map((of) => `ALTER INDEX ${of}.i RENAME TO people`),
  table.map((on) => `CREATE TRIGGER g BEFORE INSERT ON ${on} FOR EACH ROW EXECUTE FUNCTION public.tf()`),
  table.map((on) => `DROP TRIGGER g ON ${on}`),
  table.map((on) => `ALTER TABLE ${on} DISABLE TRIGGER g`),
  fc
    .tuple(table, table)
    .map(([on, to]) => `CREATE OR REPLACE RULE r AS ON DELETE TO ${on} DO ALSO DELETE FROM ${to} WHERE id = 1`),
  table.map((on) => `DROP RULE r ON ${on}`),
  fc
    .tuple(table, fc.constantFrom('app.one', 'app.two'))
    .map(([on, s]) => `CREATE POLICY y ON ${on} USING (v = current_setting('${s}', true))`),
  table.map((on) => `DROP POLICY y ON ${on}`),
  fc
    .constantFrom(1, 2, 3)
    .map((n) => `CREATE OR REPLACE FUNCTION public.f(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT ${n}'`),
  fc
    .tuple(schema, table)
    .map(
      ([of, on]) =>
        `CREATE OR REPLACE FUNCTION ${of}.q() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT v FROM ${on}; END`,
    ),
  fc
    .tuple(schema, table)
    .map(
      ([of, on]) =>
        `CREATE OR REPLACE FUNCTION ${of}.r(x ${on}) RETURNS text LANGUAGE sql AS $$ SELECT current_setting('app.three') $$`,
    ),
  schema.map((of) => `DROP FUNCTION ${of}.q()`),
  fc.constantFrom('q', 'f').map((one) => `ALTER FUNCTION public.${one} SET SCHEMA app`),
  fc.constantFrom('q', 'f').map((one) => `ALTER FUNCTION app.${one} RENAME TO q2`),
  fc.constant(`CREATE OPERATOR public.=== (function = public.same, leftarg = int, rightarg = int)`),
  fc.constant(`DROP OPERATOR public.=== (int, int)`),
  fc.constant(`CREATE CAST (int AS public.mood) WITH FUNCTION public.mood_of(int)`),
  fc.constant(`DROP CAST (int AS public.mood)`),
  fc.constantFrom(1, 2).map((n) => `CREATE DOMAIN public.small AS int CHECK (public.f(VALUE) > ${n})`),
  fc.constant(`DROP DOMAIN public.small CASCADE`),
  fc.constant(`ALTER TYPE public.mood RENAME TO mood2`),
  fc.constant(`ALTER TYPE public.mood2 RENAME TO mood`),
  fc.tuple(table).map(([on]) => `ALTER TABLE ${on} ADD COLUMN x public.mood DEFAULT 'fine'`),
  name.map((one) => `CREATE TEMP TABLE ${one} (id int, v text)`),
  name.map((one) => `DROP TABLE pg_temp.${one}`),
  name.map((one) => `CREATE SEQUENCE app.${one}`),
  fc.constantFrom('app', 'app2').map((of) => `ALTER SCHEMA ${of} RENAME TO ${of === 'app' ? 'app2' : 'app'}`),
  fc
    .tuple(table, column, column)
    .map(([on, c, to]) => `DO $$ BEGIN ALTER TABLE ${on} RENAME COLUMN ${c} TO ${to}; END $$`),
  table.map((on) => `DO $$ BEGIN DROP TABLE ${on} CASCADE; END $$`),
  fc.tuple(table, column).map(([on, c]) => `SELECT public.renames('${on}', '${c}')`),
  table.map((on) => `COMMENT ON TABLE ${on} IS 'x'`),
  fc
    .tuple(table, column, fc.constantFrom("'dbguard:mask=null'", "'plain'", 'NULL'))
    .map(([on, c, text]) => `COMMENT ON COLUMN ${on}.${c} IS ${text}`),
  fc
    .tuple(table, fc.constantFrom('ENABLE', 'DISABLE'))
    .map(([on, how]) => `ALTER TABLE ${on} ${how} ROW LEVEL SECURITY`),
  table.map((on) => `CREATE TABLE ${on} (id serial, v text, w int GENERATED ALWAYS AS IDENTITY)`),
  table.map((on) => `CREATE TABLE ${on} AS SELECT 1 AS id, 'x'::text AS v`),
  table.map((on) => `CREATE TABLE ${on} (LIKE people INCLUDING ALL)`),
  table.map((on) => `ALTER TABLE part_of ATTACH PARTITION ${on} FOR VALUES FROM (1) TO (5)`),
  table.map((on) => `ALTER TABLE ${on} ADD COLUMN x text DEFAULT public.does('${on}')`),
  table.map((on) => `CREATE INDEX i ON ${on} (public.does(v))`),
  fc
    .tuple(table, table, fc.constantFrom('DELETE CASCADE', 'UPDATE CASCADE', 'DELETE RESTRICT'))
    .map(([on, to, how]) => `ALTER TABLE ${on} ADD CONSTRAINT ref FOREIGN KEY (id) REFERENCES ${to} (id) ON ${how}`),
  table.map((on) => `ALTER TABLE ${on} DROP CONSTRAINT ref`),
  fc
    .tuple(table, table)
    .map(([on, to]) => `CREATE TABLE ${on} (id int PRIMARY KEY REFERENCES ${to} (id) ON DELETE SET NULL, v text)`),
  table.map((on) => `CREATE STATISTICS app.st ON (lower(v)), id FROM ${on}`),
  fc.constant('DROP STATISTICS app.st'),
  fc.constant('ALTER TABLE part_of ADD PRIMARY KEY (id)'),
  fc.constant('DROP TABLE part_of'),
  fc.constant('CREATE TABLE part_of (id int, v text) PARTITION BY RANGE (id)'),
  fc.constant('CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.on_ddl()'),
  fc.constant('DROP EVENT TRIGGER e'),
  table.map((on) => `VACUUM FULL ${on}`),
  fc.constantFrom('BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT s', 'ROLLBACK TO s'),
  fc.constantFrom("PREPARE TRANSACTION 'p'", "COMMIT PREPARED 'p'", "ROLLBACK PREPARED 'p'"),
);
const step = fc.record({ sql: statement, by: fc.constantFrom('client', 'client', 'other client', 'elsewhere') });

const start = `
  DROP EVENT TRIGGER IF EXISTS e;
  DROP SCHEMA IF EXISTS app, app2, public CASCADE; CREATE SCHEMA public; CREATE SCHEMA app;
  CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
  CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE internal IMMUTABLE AS 'int4eq';
  CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TYPE mood AS ENUM ('fine', 'bad');
  CREATE FUNCTION mood_of(int) RETURNS mood LANGUAGE sql AS $$ SELECT 'fine'::mood $$;
  CREATE FUNCTION renames(t text, c text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO later', t, c); END $$;
  CREATE FUNCTION does(c text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW public.c AS SELECT id, v FROM people WHERE id = ' || (random() * 100)::int; RETURN c; END $$;
  CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF pg_trigger_depth() < 1 AND tg_tag <> 'COMMENT' THEN EXECUTE 'COMMENT ON COLUMN public.people.v IS ''dbguard:mask=' || tg_tag || ''''; END IF; END $$;
  CREATE TABLE people (id int PRIMARY KEY, v text, w int);
  CREATE TABLE part_of (id int, v text) PARTITION BY RANGE (id);
  CREATE VIEW c AS SELECT id, v FROM people;
  CREATE TABLE a (id int PRIMARY KEY, v text, w int);
  CREATE VIEW b AS SELECT id, lower(v) AS v FROM a;`;

const withItsOwn = (one: string) => [one, ...['pkey', 'id_seq', 'w_seq', 'pkey1'].map((own) => `${one}_${own}`)];

/** Everything that either reader answers, for all names that occur. */
function saidBy(functions: FunctionCatalog, masks: MaskCatalog): unknown {
  const codeNames = ['f', 'q', 'q2', 'r', 'same', 'tf', 'mood_of', 'renames'];
  const targets = [undefined, 'public', 'app', 'app2'].flatMap((of) =>
    relationNames.map((one) => ({ type: 'table' as const, name: one, ...(of && { schema: of }) })),
  );
  const sorted = (all: Iterable<unknown> | undefined) => all && [...all].map((one) => JSON.stringify(one)).sort();
  return {
    functions: codeNames.map((one) => [
      one,
      sorted(functions.functions.find(undefined, one)),
      functions.functions.takesRow(one),
    ]),
    behind: [
      sorted(functions.functions.behind('operator', undefined, '===')),
      sorted(functions.functions.behind('cast', undefined, 'mood')),
      sorted(functions.functions.behind('cast', undefined, 'small')),
    ],
    hidden: targets.map((one) => [
      `${one.schema}.${one.name}`,
      (['read', 'insert', 'delete'] as const).map((event) => sorted(functions.relations.hidden(one, event))),
      sorted(functions.relations.keys(one)),
      (['update', 'delete'] as const).map((event) => functions.relations.passesOn(one, event)),
      columns.map((c) => sorted(functions.relations.columns(one, c))),
    ]),
    permanent: [...relationNames.flatMap(withItsOwn), 'i', 'k'].filter((one) => functions.relations.isPermanent(one)),
    decisive: ['app.one', 'app.two', 'app.three'].filter((one) => functions.relations.isDecisive(one)),
    relations: sorted([...masks.relations()]),
    found: relationNames.map((one) => [
      one,
      masks.find(undefined, one, undefined)?.oid,
      masks.find(undefined, one, ['app', 'public'])?.oid,
    ]),
    code: codeNames.map((one) => sorted(masks.functions(undefined, one, undefined))),
    masksBehind: [
      sorted(masks.behind('operator', '===')),
      sorted(masks.behind('cast', '')),
      sorted(masks.behind('cast', 'small')),
    ],
    builtIn: masks.isBuiltIn('lower'),
  };
}

const uses = [
  ...relationNames.flatMap((name) => [
    `SELECT * FROM ${name}`,
    `SELECT * FROM public.${name}`,
    `INSERT INTO ${name} VALUES (1, 'x')`,
    ...['id', 'w'].flatMap((key) => [
      `UPDATE ${name} SET v = 'y' WHERE ${key} = 1`,
      `DELETE FROM app.${name} WHERE ${key} > 0`,
    ]),
    `TRUNCATE ${name}`,
    `SELECT ${name}.r, ${name}.q FROM ${name}`,
  ]),
  ...['f(1)', 'h()', 'app.h()', 'q()', 'public.q()', 'q2()', 'lower(1)'].map((call) => `SELECT ${call}`),
  'SELECT 1 === 1, 1::mood, 1::small',
  ...['app.one', 'app.two', 'app.three'].map((setting) => `SET ${setting} = 'x'`),
];

/** What would be judged more mildly than after a reading, although it does not wait for one, and would not fail. */
function mildly(before: FunctionCatalog, after: FunctionCatalog): string[] {
  const isCovered = (one: Effect, by: readonly Effect[]): boolean =>
    by.some(
      (other) =>
        other.kind === one.kind &&
        one.targets.every(({ name }) => other.targets.some((its) => its.name === name)) &&
        (other.opaque || !one.opaque) &&
        (!other.bounded || one.bounded) &&
        (other.mostRows === undefined || one.mostRows !== undefined) &&
        (other.passedOn === true || one.passedOn === undefined) &&
        (other.decides === true || one.decides === undefined),
    );
  const doubts = (name: string): boolean => before.relations.doubts(name);
  const isGone = ({ targets }: Effect): boolean =>
    targets.some(({ type, name }) => type === 'table' && !after.relations.isPermanent(name));
  return uses.flatMap((sql) => {
    const now = before.analyser.analyse(sql);
    if (dependsOnCatalog(now, undefined, before.relations) || touchesDoubted(now, { doubts })) return [];
    const effects = now.statements.flatMap((one) => one.effects);
    const then = after.analyser.analyse(sql).statements.flatMap((one) => one.effects);
    if (then.some(isGone)) return [];
    return then.filter((one) => !isCovered(one, effects)).map((one) => `${sql}: ${JSON.stringify([one, effects])}`);
  });
}

t.test('what is believed is what is there', async (t) => {
  const settings = { max_prepared_transactions: '5', autovacuum: 'off', fsync: 'off' };
  const postgres = await startPostgres({ auth: 'trust', settings });
  t.teardown(() => postgres.stop());
  const upstream = resolveUpstream({ url: postgres.url() }, {});
  const control = new ControlConnection(() => connectUpstream(upstream, new Map()));
  t.teardown(() => control.close());
  const asked = { byName: 0, whole: 0 };
  const ask: AskCatalog = (questions, timeoutMs) => {
    if (questions.some(({ sql }) => sql.includes('near(oid)'))) asked.byName++;
    if (questions.some(({ sql }) => sql.includes("'built-in'") || sql.includes('DISTINCT proname'))) asked.whole++;
    return control.askAll(questions, timeoutMs);
  };
  const grammar = await loadGrammar();
  const sessions = new Map<string, pg.Client>();
  for (const by of ['client', 'other client', 'elsewhere']) {
    const session = new pg.Client({ connectionString: postgres.url() });
    session.on('error', () => undefined);
    await session.connect();
    await session.query("SET lock_timeout = '20ms'");
    sessions.set(by, session);
    t.teardown(() => session.end());
  }
  const readers = async (): Promise<[FunctionCatalog, MaskCatalog]> => [
    await FunctionCatalog.create(grammar),
    new MaskCatalog(),
  ];
  const fresh = async (): Promise<[FunctionCatalog, MaskCatalog]> => {
    const read = await readers();
    const keeper = new CatalogKeeper(ask, read);
    await keeper.open();
    keeper.stop();
    return read;
  };
  const runs = Number(process.env.DBGUARD_PROPERTY_RUNS ?? 15);
  let [compared, told] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      await sessions.get('client')?.query(start);
      const [functions, masks] = await readers();
      const keeper = new CatalogKeeper(ask, [functions, masks], { pollMs: 3_600_000 });
      await keeper.open();
      const watching = keeper.client();
      const clients = new Map<string, KeptClient>();
      for (const by of ['client', 'other client']) clients.set(by, keeper.client());
      // which each of them began
      await keeper.look();
      const open = new Set<string>();
      try {
        for (const { sql, by } of steps) {
          const change = catalogChange(functions.analyser.analyse(sql));
          if (change) clients.get(by)?.changing(change);
          const done = await sessions
            .get(by)
            ?.query(sql)
            .catch(() => undefined);
          if (change && done) clients.get(by)?.changed(change);
          const [{ under_way }] = (
            await sessions
              .get(by)
              ?.query('SELECT now() <> statement_timestamp() AS under_way')
              .catch(() => ({ rows: [{ under_way: true }] }))
          )?.rows ?? [{}];
          if (under_way) open.add(by);
          else open.delete(by);
          if (under_way) continue;
          clients.get(by)?.settled();
          if (by === 'elsewhere') {
            // the server counts what was written when a session is idle
            await sessions.get(by)?.query('SELECT pg_stat_force_next_flush()');
            await keeper.look();
          }
          const quiet = !open.has('client') && !open.has('other client');
          const read = quiet ? await fresh() : undefined;
          if (read) {
            if (!functions.relations.doubtsKeys && change) told++;
            const milder = mildly(functions, read[0]);
            if (milder.length > 0) t.same(milder, [], sql);
            if (milder.length > 0) return false;
          }
          if (watching.behind) await watching.ready();
          if (read === undefined) continue;
          t.ok(keeper.believes(functions) && keeper.believes(masks), sql);
          const [now, then] = [saidBy(functions, masks), saidBy(...read)];
          compared++;
          if (JSON.stringify(now) !== JSON.stringify(then)) t.same(now, then, sql);
          if (JSON.stringify(now) !== JSON.stringify(then)) return false;
        }
        return true;
      } finally {
        keeper.stop();
        for (const session of sessions.values()) await session.query('ROLLBACK; DISCARD TEMP').catch(() => undefined);
        await sessions
          .get('client')
          ?.query("ROLLBACK PREPARED 'p'")
          .catch(() => undefined);
      }
    }),
    { numRuns: runs },
  );
  t.ok(compared > runs, `${compared} readings were compared`);
  t.ok(told > runs, `${told} definitions said all themselves`);
});
