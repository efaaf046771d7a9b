import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import t from 'tap';
import { MaskedDatabase } from '../../../src/io/catalog/mask-catalog-keeper.js';
import { Masker } from '../../../src/masking/masker.js';
import { parseConfig } from '../../../src/policy/config.js';
import { loadGrammar } from '../../../src/sql/grammar/grammar.js';
import { startPostgres } from '../../helpers/postgres.js';

/** What another connection does, and a query that shows the value from then on. */
const changes: readonly (readonly [change: string, query: string])[] = [
  ['CREATE OR REPLACE VIEW shown AS SELECT card AS v FROM people', 'SELECT v || $$$$ FROM shown'],
  [
    'ALTER TABLE people RENAME COLUMN name TO spare; ALTER TABLE people RENAME card TO name',
    'SELECT upper(name) FROM people',
  ],
  [
    'ALTER TABLE people ADD COLUMN twice text GENERATED ALWAYS AS (card || card) STORED',
    'SELECT upper(twice) FROM people',
  ],
  [
    'CREATE OR REPLACE FUNCTION harmless() RETURNS text LANGUAGE sql AS $$ SELECT card FROM people $$',
    'SELECT harmless()',
  ],
];

for (const [change, query] of changes) {
  t.test(`noticed from elsewhere: ${change}`, async (t) => {
    const postgres = await startPostgres({ auth: 'trust' });
    t.teardown(() => postgres.stop());
    await postgres.query(`
      CREATE TABLE people (id int PRIMARY KEY, name text, card text);
      CREATE VIEW shown AS SELECT name AS v FROM people;
      CREATE FUNCTION harmless() RETURNS text LANGUAGE sql AS $$ SELECT name FROM people $$;`);
    const control = new pg.Client({
      connectionString: postgres.url(),
      types: { getTypeParser: () => (text: string) => text },
    });
    await control.connect();
    t.teardown(() => control.end());
    const { mask } = parseConfig("version: 1\nmask:\n  - {column: public.people.card, with: 'null'}\n", 'dbguard.yaml');
    const grammar = await loadGrammar();
    const database = await MaskedDatabase.open(
      async (sql, values) => {
        await control.query('BEGIN READ ONLY');
        try {
          return (await control.query(sql, [...values])).rows;
        } finally {
          await control.query('ROLLBACK');
        }
      },
      (catalog) => new Masker(mask, grammar, catalog, { session: Buffer.alloc(32) }),
      { pollMs: 50 },
    );
    t.teardown(() => database.stop());
    const { plans } = database.client(new Map());
    const hides = (): boolean => {
      const plan = plans.planFor(query, ['public']);
      return plan.kind === 'mask' && plan.forRow(undefined) !== undefined;
    };
    if (!change.includes('ADD COLUMN')) t.notOk(hides(), 'before: it shows what is not masked');
    await postgres.query(change);
    for (const end = Date.now() + 60_000; !hides() && Date.now() < end; ) await wait(20);
    t.ok(hides(), 'then it is hidden');
  });
}
