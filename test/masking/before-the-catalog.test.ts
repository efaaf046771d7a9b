/** What is hidden because the catalog is not known yet shows once it is, and what is derived for sure stays hidden. */
import t from 'tap';
import { Masker } from '../../src/masking/masker.js';
import { SessionMasks } from '../../src/masking/session-masks.js';
import { parseConfig } from '../../src/policy/config.js';
import { loadGrammar } from '../../src/sql/grammar/grammar.js';
import { startMaskedDatabase } from './database.js';

const yaml = `version: 1
mask: [{ column: people.card, with: 'null' }]
`;
const database = await startMaskedDatabase(
  yaml,
  `CREATE TABLE people (id int, name text, card text);
  CREATE TABLE audit (name text, card text);
  CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO audit VALUES (NEW.name, NEW.card); RETURN NEW; END $$;
  CREATE TRIGGER audited BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION audited();`,
);
t.teardown(() => database.stop());

t.test('a statement that comes before the catalog has been read', async (t) => {
  const { catalog, postgres, reread } = database;
  const mask = parseConfig(yaml, 'dbguard.yaml').mask;
  const session = new SessionMasks(new Masker(mask, await loadGrammar(), catalog, { session: Buffer.alloc(32, 7) }));
  const isShown = (sql: string): boolean => {
    const plan = session.planFor(sql, ['public']);
    return plan.kind === 'none' || (plan.kind === 'mask' && plan.forRow(undefined) === undefined);
  };
  catalog.doubt(undefined);
  t.notOk(isShown('SELECT name FROM people'), 'triggers are not known');
  await reread();
  t.ok(isShown('SELECT id, name FROM people'));
  t.ok(isShown('SELECT name FROM audit'));
  t.notOk(isShown('SELECT card FROM audit'));
  await postgres.query('DROP TRIGGER audited ON people');
  await reread();
  t.notOk(isShown('SELECT card FROM audit'), 'what the trigger has written is still there');
  t.ok(isShown('SELECT name FROM audit'));
});
