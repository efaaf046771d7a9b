/**
 * Code that does one thing when it is measured or tried and another when it counts, and a planner that errs: the real run
 * is undone, and asked about again.
 */
import t, { type Test } from 'tap';
import { compilePolicy } from '../../src/policy/engine.js';
import { startPostgres } from '../helpers/postgres.js';
import { denyingMany, policyOf } from '../proxy/policies.js';
import { no, once, startAttendedProxy } from './attended-proxy.js';

const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());

/** `hit` hits one row as long as the mood is good, and all of them later; `sly` as long as nothing can be written. */
const shop = [
  `
  CREATE TABLE orders (id int PRIMARY KEY, note text);
  INSERT INTO orders SELECT n, 'x' FROM generate_series(1, 5000) n;
  CREATE TABLE items (id int PRIMARY KEY, order_id int);
  INSERT INTO items SELECT n, n FROM generate_series(1, 5000) n;
  CREATE TABLE scratch (id int);
  INSERT INTO scratch SELECT generate_series(1, 5000);
  CREATE TABLE mood (good boolean);
  INSERT INTO mood VALUES (true);
  CREATE FUNCTION good() RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT good FROM mood $$;
  CREATE FUNCTION hit(id int) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT id = 1 OR NOT good() $$;
  CREATE FUNCTION sly(id int) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT id = 1 OR current_setting('transaction_read_only') = 'off' $$;
  CREATE FUNCTION purge() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    IF good() THEN DELETE FROM scratch WHERE scratch.id = 1; ELSE DELETE FROM items; END IF; RETURN 1; END $$;
  CREATE TABLE one (id int PRIMARY KEY);
  INSERT INTO one VALUES (1), (2);
  CREATE FUNCTION fall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NOT good() THEN DELETE FROM items; END IF; RETURN OLD; END $$;
  CREATE TRIGGER fall AFTER DELETE ON one FOR EACH ROW EXECUTE FUNCTION fall();
  CREATE TABLE parent (id int PRIMARY KEY);
  INSERT INTO parent SELECT generate_series(1, 300);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
  INSERT INTO child SELECT n, n FROM generate_series(1, 300) n;
  CREATE TABLE tied (a int, b int);
  INSERT INTO tied SELECT n % 100, n % 100 FROM generate_series(1, 200000) n;`,
  'ANALYZE',
];

/** Whatever changes or deletes is asked about, however little it be. */
const careful = policyOf((facts) => (/"kind":"(update|delete)"/.test(JSON.stringify(facts)) ? 'ask' : 'allow'));
const carefully = (t: Test) => startAttendedProxy(t, server, shop, { catalogPollMs: 60_000, policy: careful });
const guarded = (t: Test) => startAttendedProxy(t, server, shop, { catalogPollMs: 60_000 });

const tried: readonly [sql: string, table: string, values?: unknown[]][] = [
  ['DELETE FROM orders WHERE hit(id)', 'orders'],
  ['DELETE FROM orders WHERE hit(id) AND note = $1', 'orders', ['x']],
  ['UPDATE orders SET note = note WHERE hit(id) RETURNING id', 'orders'],
  ['UPDATE orders SET note = note WHERE hit(id) AND note = $1 RETURNING id', 'orders', ['x']],
  ['SELECT purge()', 'items'],
  ['DELETE FROM one WHERE id > 0', 'items'],
  ['MERGE INTO orders USING scratch s ON s.id = orders.id WHEN MATCHED AND hit(orders.id) THEN DELETE', 'orders'],
  ['DELETE FROM orders WHERE hit(id); SELECT 1', 'orders'],
  ['WITH gone AS (DELETE FROM orders WHERE hit(id) RETURNING id) SELECT count(*) FROM gone', 'orders'],
];

for (const block of [false, true]) {
  const where = block ? 'in a block' : 'without a block';
  t.test(`what goes beyond its trial is undone and asked about again, ${where}`, async (t) => {
    const { person, desk, connect, count, harness } = await carefully(t);
    const client = await connect();
    let asked = 0;
    for (const [sql, table, values] of tried) {
      await server.query('UPDATE mood SET good = true');
      if (block) await client.query('BEGIN');
      const running = client.query(sql, values).then(
        () => 'ran',
        ({ code }) => code,
      );
      const { request } = await person.sees(++asked);
      await tryOut(desk, request.id);
      await server.query('UPDATE mood SET good = false');
      person.says(once);
      const { preview } = await person.sees(++asked);
      t.match(preview.why, /really changed or deleted .*5,000 rows of .*, where \d rows? (was|were) shown/, sql);
      t.match(preview.impact[0], { label: 'real run' }, sql);
      t.equal(await count(table), 5000, 'undone while it is asked about');
      person.says(no);
      t.equal(await running, '42501', sql);
      if (block) await client.query('ROLLBACK');
      t.equal(await count(table), 5000, sql);
    }
    t.equal(harness.recorder.of('outcome').filter(({ how }) => how === 'undone').length, tried.length);
  });

  t.test(`approved again it runs as often as once, ${where}`, async (t) => {
    const { person, desk, connect, count } = await carefully(t);
    const client = await connect();
    let asked = 0;
    for (const values of [undefined, ['x']]) {
      await server.query(
        "UPDATE mood SET good = true; INSERT INTO orders SELECT n, 'x' FROM generate_series(1, 5000) n ON CONFLICT DO NOTHING",
      );
      if (block) await client.query('BEGIN');
      const and = values ? 'AND note = $1' : '';
      const running = client.query(`DELETE FROM orders WHERE hit(id) ${and} RETURNING id`, values);
      const { request } = await person.sees(++asked);
      await tryOut(desk, request.id);
      await server.query('UPDATE mood SET good = false');
      person.says(once);
      await person.sees(++asked);
      person.says(once);
      const { rows, rowCount } = await running;
      t.match([rows.length, rowCount], [5000, 5000]);
      if (block) await client.query('COMMIT');
      t.equal(await count('orders'), 0);
      t.match((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
    }
  });
}

const lies: readonly [sql: string, table: string, values?: unknown[]][] = [
  ['DELETE FROM orders WHERE sly(id)', 'orders'],
  ['DELETE FROM orders WHERE sly(id) AND note = $1', 'orders', ['x']],
  ['UPDATE orders SET note = note WHERE sly(id) RETURNING id', 'orders'],
  ['MERGE INTO orders USING scratch s ON s.id = orders.id WHEN MATCHED AND sly(orders.id) THEN DELETE', 'orders'],
  ['WITH gone AS (DELETE FROM orders WHERE sly(id) RETURNING id) SELECT count(*) FROM gone', 'orders'],
];

for (const block of [false, true]) {
  t.test(
    `what lies to whoever measures it passes with few rows only, ${block ? 'in' : 'without'} a block`,
    async (t) => {
      const { person, connect, count } = await guarded(t);
      const client = await connect();
      let asked = 0;
      for (const [sql, table, values] of lies) {
        if (block) await client.query('BEGIN');
        const running = client.query(sql, values).then(
          () => 'ran',
          ({ code }) => code,
        );
        const seen = await Promise.race([person.sees(++asked), running]);
        if (seen === 'ran') throw new Error(`not asked: ${sql}`);
        t.equal(await count(table), 5000, 'undone, or not begun');
        person.says(no);
        t.equal(await running, '42501', sql);
        if (block) await client.query('ROLLBACK');
        t.equal(await count(table), 5000, sql);
      }
    },
  );
}

async function tryOut(desk: Awaited<ReturnType<typeof startAttendedProxy>>['desk'], id: string): Promise<void> {
  const done = new Promise<void>((resolve) => {
    const stop = desk.onChange((event) => {
      if (event.kind !== 'changed' || event.pending.dryRun !== 'done') return;
      stop();
      resolve();
    });
  });
  desk.tryOut(id);
  await done;
}

t.test('code that no dry run has shown runs as it is, and the prompt says so', async (t) => {
  const { person, connect, count } = await guarded(t);
  const client = await connect();
  const cases: readonly (readonly [sql: string, says: boolean])[] = [
    ['DO $$ BEGIN DELETE FROM items; END $$', true],
    ['BEGIN; DELETE FROM items WHERE id > 5; COMMIT', true],
    ['DELETE FROM items WHERE id > 5', false],
    ['DROP TABLE items', false],
  ];
  for (const [index, [sql, says]] of cases.entries()) {
    const running = client.query(sql).catch(({ code }) => code);
    const { preview } = await person.sees(index + 1);
    const said = preview.impact.some(
      ({ label, text }) => label === 'real run' && /not undone if it does more/.test(text),
    );
    t.equal(said, says, sql);
    person.says(no);
    t.equal(await running, '42501', sql);
  }
  t.equal(await count('items'), 5000);
});
t.test('what really hits more rows than the policy lets anybody hit is denied, and nobody is asked', async (t) => {
  const policy = denyingMany(compilePolicy([]));
  const { person, connect, count, harness } = await startAttendedProxy(t, server, shop, { policy });
  const client = await connect();
  for (const block of [false, true]) {
    for (const values of [undefined, ['5']]) {
      if (block) await client.query('BEGIN');
      await t.rejects(client.query(`DELETE FROM tied WHERE a = 5 AND b = ${values ? '$1' : '5'}`, values), {
        code: '42501',
        message: /^dbguard denied this statement: It really changed or deleted .*2,000 rows.*dbguard undid it\. /,
        detail: /Nothing of it remains/,
      });
      if (block) await client.query('ROLLBACK');
      t.equal(await count('tied'), 200_000);
    }
  }
  t.equal(person.shown.length, 0);
  const undone = harness.recorder.of('outcome').filter(({ how }) => how === 'undone');
  const denied = harness.recorder.of('verdict').filter(({ decision }) => decision === 'deny');
  t.match(denied, Array(4).fill({ by: 'rule', rule: 'builtin:delete-mass' }));
  t.same([undone.length, denied.length, harness.journal.totals.deniedByRule], [4, 4, 4]);
  t.match((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
});
