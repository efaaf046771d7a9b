/** A small or harmless write whose triggers and rules change many rows elsewhere, and those that every application has. */
import t, { type Test } from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { no, startAttendedProxy } from './attended-proxy.js';

const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());

const tables = `
  CREATE TABLE few (id int PRIMARY KEY, name text);
  INSERT INTO few SELECT n, 'x' FROM generate_series(1, 50) n;
  CREATE TABLE middle (id int PRIMARY KEY, few int UNIQUE);
  INSERT INTO middle SELECT n, n FROM generate_series(1, 50) n;
  CREATE TABLE big (id int PRIMARY KEY, few int, middle int);
  INSERT INTO big SELECT n, n % 5 + 1, n % 5 + 1 FROM generate_series(1, 9000) n;
  CREATE TABLE requests (few int);
  CREATE VIEW seen AS SELECT * FROM few;
  CREATE FUNCTION purge(low int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM few WHERE id >= low; END $$;`;

const body = (statements: string): string =>
  `CREATE FUNCTION behind() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${statements}; RETURN COALESCE(NEW, OLD); END $$;`;
const trigger = (when: string, statements: string): string =>
  `${body(statements)} CREATE TRIGGER behind ${when} EXECUTE FUNCTION behind();`;

const behind: Readonly<Record<string, string>> = {
  'a row trigger': trigger('BEFORE DELETE OR UPDATE ON few FOR EACH ROW', 'DELETE FROM big WHERE few = OLD.id'),
  'a statement trigger': trigger(
    'AFTER DELETE OR UPDATE ON few FOR EACH STATEMENT',
    'UPDATE big SET middle = 0 WHERE few > 1',
  ),
  'a loop': trigger(
    'AFTER DELETE OR UPDATE ON few FOR EACH ROW',
    'FOR n IN 1..9000 LOOP DELETE FROM big WHERE id = n AND few = OLD.id; END LOOP',
  ),
  'the trigger of a trigger': `
    ${trigger('AFTER DELETE OR UPDATE ON middle FOR EACH ROW', 'DELETE FROM big WHERE middle = OLD.id')}
    CREATE FUNCTION first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE middle SET few = NULL WHERE few = OLD.id; RETURN NULL; END $$;
    CREATE TRIGGER first AFTER DELETE OR UPDATE ON few FOR EACH ROW EXECUTE FUNCTION first();`,
  'a called function': `
    CREATE FUNCTION clear(which int) RETURNS void LANGUAGE sql AS $$ DELETE FROM big WHERE few = which $$;
    ${trigger('AFTER DELETE OR UPDATE ON few FOR EACH ROW', 'PERFORM clear(OLD.id)')}`,
  'a rule': `
    CREATE RULE behind AS ON DELETE TO few DO ALSO DELETE FROM big WHERE few = OLD.id;
    CREATE RULE behind2 AS ON UPDATE TO few DO ALSO UPDATE big SET middle = 0 WHERE few = OLD.id;`,
};

const small: readonly (readonly [sql: string, values?: readonly unknown[]])[] = [
  ['DELETE FROM few WHERE id = 3'],
  ['DELETE FROM few WHERE id = $1', [3]],
  ['DELETE FROM few WHERE id > 2'],
  ["UPDATE few SET name = 'y' WHERE id = 3"],
  ["UPDATE few SET name = 'y' WHERE id > 2"],
  ["UPDATE few SET name = 'y' WHERE CASE WHEN $1 = '*' THEN true ELSE name = $1 END", ['*']],
  ['DELETE FROM seen WHERE id = 3'],
  ['WITH gone AS (DELETE FROM few WHERE id = 3 RETURNING *) SELECT * FROM gone'],
  ["INSERT INTO few VALUES (3, 'y') ON CONFLICT (id) DO UPDATE SET name = 'y'"],
  ['MERGE INTO few USING (VALUES (3)) v (id) ON v.id = few.id WHEN MATCHED THEN DELETE'],
  ['SELECT purge(2)'],
];

async function asksAbout(
  t: Test,
  setup: string,
  statements: readonly (readonly [sql: string, values?: readonly unknown[]])[],
): Promise<void> {
  const { person, connect } = await startAttendedProxy(t, server, [tables + setup, 'ANALYZE'], {
    catalogPollMs: 60_000,
  });
  const client = await connect();
  const left = 'SELECT count(*)::int AS rows, sum(middle)::int AS sum FROM big';
  const [before] = (await client.query(left)).rows;
  let asked = 0;
  for (const [sql, values] of statements) {
    const running = client.query(sql, values as unknown[]).then(
      () => 'passed',
      ({ code }) => code,
    );
    const seen = await Promise.race([person.sees(asked + 1), running]);
    if (typeof seen === 'string') {
      t.fail(`${sql} has ${seen}`);
      continue;
    }
    asked++;
    person.says(no);
    t.equal(await running, '42501', sql);
  }
  t.same((await client.query(left)).rows[0], before, 'all rows are as they were');
}

for (const [name, setup] of Object.entries(behind))
  t.test(`${name} changes many rows`, (t) =>
    asksAbout(
      t,
      setup,
      small.filter(([sql]) => name !== 'a rule' || !refusedWithRules.test(sql)),
    ),
  );

/** PostgreSQL itself has none of them on a table that has rules. */
const refusedWithRules = /^(?:WITH|MERGE)|ON CONFLICT/;

t.test('what INSERT sets off', (t) =>
  asksAbout(t, trigger('AFTER INSERT ON requests FOR EACH ROW', 'DELETE FROM big WHERE few >= NEW.few'), [
    ['INSERT INTO requests VALUES (2)'],
    ['INSERT INTO requests VALUES ($1)', [2]],
    ['WITH new AS (INSERT INTO requests VALUES (2) RETURNING few) SELECT * FROM new'],
    ['INSERT INTO requests SELECT 1'],
  ]),
);

t.test('a view whose trigger deletes instead', (t) =>
  asksAbout(t, trigger('INSTEAD OF DELETE OR UPDATE OR INSERT ON seen FOR EACH ROW', 'DELETE FROM big WHERE few > 1'), [
    ['DELETE FROM seen WHERE id = 3'],
    ["UPDATE seen SET name = 'y' WHERE id = 3"],
    ["INSERT INTO seen VALUES (77, 'y')"],
  ]),
);

t.test('what applications have behind their writes asks nothing', async (t) => {
  const setup = `${tables}
    CREATE TABLE audit (at timestamptz, what text, old jsonb);
    CREATE TABLE posts (id int PRIMARY KEY, few int REFERENCES few, kind text, touched timestamptz);
    CREATE TABLE sums (kind text, posts int);
    INSERT INTO sums VALUES ('a', 0), ('b', 0);
    CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN EXECUTE format('INSERT INTO audit SELECT now(), %L, $1', TG_TABLE_NAME) USING to_jsonb(OLD); RETURN NULL; END $$;
    CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON posts FOR EACH ROW EXECUTE FUNCTION audited();
    CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := now(); RETURN NEW; END $$;
    CREATE TRIGGER touched BEFORE INSERT OR UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION touched();
    CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE sums SET posts = posts + 1 WHERE kind = COALESCE(NEW.kind, OLD.kind);
      UPDATE few SET name = 'busy' WHERE id IN (OLD.few, NEW.few);
      DELETE FROM audit WHERE at < now() - interval '30 days';
      RETURN NULL; END $$;
    CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON posts FOR EACH ROW EXECUTE FUNCTION counted();`;
  const { person, connect } = await startAttendedProxy(t, server, [setup, 'ANALYZE'], { catalogPollMs: 60_000 });
  const client = await connect();
  const row = 'INSERT INTO posts VALUES ($1, $2, $3)';
  for (let n = 1; n <= 1200; n++) await client.query(row, [n, (n % 50) + 1, n % 2 === 0 ? 'a' : 'b']);
  for (let n = 1; n <= 1200; n++) await client.query("UPDATE posts SET kind = 'b' WHERE id = $1", [1 + (n % 3)]);
  await client.query('BEGIN');
  await client.query("INSERT INTO posts SELECT n, 1, 'a' FROM generate_series(2001, 2300) n");
  await client.query('DELETE FROM posts WHERE id = 2001');
  await client.query('COMMIT');
  t.equal(person.shown.length, 0, `asked about: ${person.shown[0]?.preview.why}`);
});
