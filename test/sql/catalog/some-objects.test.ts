/** What is read again of a few relations is found by indexes: it costs the same however many others there are. */
import pg from 'pg';
import t from 'tap';
import { relationQuestions } from '../../../src/sql/catalog/relation-questions.js';
import { postgresAvailable, startPostgres } from '../../helpers/postgres.js';

const others = 300;

for (const version of [15, 18] as const)
  t.test(`PostgreSQL ${version}`, { skip: !postgresAvailable(version) && 'it is not installed' }, async (t) => {
    const server = await startPostgres({ version });
    const client = new pg.Client({ connectionString: server.url() });
    await client.connect();
    t.teardown(async () => {
      await client.end();
      await server.stop();
    });
    await client.query(`DO $$ BEGIN
      FOR n IN 1..${others} LOOP
        EXECUTE format('CREATE TABLE t%s AS SELECT g AS id, g %% 7 AS seventh, md5(g::text) AS text FROM generate_series(1, 20) g', n);
        EXECUTE format('ALTER TABLE t%s ADD PRIMARY KEY (id)', n);
      END LOOP; END $$`);
    await client.query('ANALYZE');
    const { rows } = await client.query<{ oid: string }>(`SELECT oid FROM pg_class WHERE relname IN ('t7', 't8')`);
    const relations = new Set(rows.map(({ oid }) => Number(oid)));
    // as dbguard's own connection asks
    await client.query(`SET jit = off; SET plan_cache_mode = force_generic_plan; SET search_path = ''`);
    const whole = relationQuestions();
    const some = relationQuestions({ relations, functions: new Set(), callers: true });
    for (const [at, { sql, values }] of some.entries()) {
      const all = await client.query({ text: whole[at]?.sql ?? '', values: [...(whole[at]?.values ?? [])] });
      const ours = all.rows.filter(({ oid }) => relations.has(Number(oid)));
      const found = await client.query({ name: `some_${at}`, text: sql, values: [...values] });
      const sorted = (list: readonly object[]): string[] => list.map((row) => JSON.stringify(row)).sort();
      const same = found.rows.filter(({ oid }) => relations.has(Number(oid)));
      t.strictSame(sorted(same), sorted(ours), `question ${at}: what the question about everything says of them`);
      const literals = values.map((value) => (value === null ? 'NULL' : client.escapeLiteral(value)));
      const plan = await client.query(
        `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON) EXECUTE some_${at}${literals.length > 0 ? `(${literals.join(', ')})` : ''}`,
      );
      const most = Math.max(0, ...scanned(plan.rows[0]['QUERY PLAN'][0].Plan));
      t.ok(most < others, `question ${at}: no part of its plan looks at as many rows of a large catalog: ${most}`);
    }
  });

interface Plan {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

/** With several rows for each table; of smaller ones the planner reads all sooner than it takes an index. */
const large: ReadonlySet<string | undefined> = new Set([
  'pg_statistic',
  'pg_attribute',
  'pg_depend',
  'pg_class',
  'pg_proc',
]);

/** Rows that each part of the plan looked at, each time that it ran. */
function scanned(plan: Plan): number[] {
  const rows = plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0);
  return [...(large.has(plan['Relation Name']) ? [rows] : []), ...(plan.Plans ?? []).flatMap(scanned)];
}
