import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { CatalogKeeper } from '../../../src/io/catalog/keeper.js';
import { MaskCatalog } from '../../../src/io/catalog/mask-catalog.js';
import { Masker } from '../../../src/masking/masker.js';
import { SessionMasks } from '../../../src/masking/session-masks.js';
import { parseConfig } from '../../../src/policy/config.js';
import { loadGrammar } from '../../../src/sql/grammar/grammar.js';
import { askCatalogOf } from '../../helpers/ask-catalog.js';
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
    const asking = await askCatalogOf(postgres.url());
    t.teardown(() => asking.end());
    const { mask } = parseConfig("version: 1\nmask:\n  - {column: public.people.card, with: 'null'}\n", 'dbguard.yaml');
    const grammar = await loadGrammar();
    const catalog = new MaskCatalog();
    const keeper = new CatalogKeeper(asking.ask, [catalog], { pollMs: 50 });
    await keeper.open();
    t.teardown(() => keeper.stop());
    keeper.client().opened();
    const plans = new SessionMasks(new Masker(mask, grammar, catalog, { session: Buffer.alloc(32) }));
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
