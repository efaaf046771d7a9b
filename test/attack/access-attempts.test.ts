/** Every way that we know of keeping a role, of having more run as it, and of being asked for nothing. */
import t from 'tap';
import { chosenVersion, startPostgres } from '../helpers/postgres.js';
import { denyingMany } from '../proxy/policies.js';
import { access, accessPolicy, roles, startAccessProxy } from './access-stage.js';
import { no, once } from './attended-proxy.js';

const server = await startPostgres({ version: chosenVersion });
t.teardown(() => server.stop());
await server.query(roles);

type Stage = Awaited<ReturnType<typeof startAccessProxy>>;

/** Whatever is asked about is approved; every question that named a role is counted. */
async function approvingAll(stage: Stage, work: () => Promise<unknown>): Promise<number> {
  const { person } = stage;
  const from = person.shown.length;
  let working = true;
  const answering = (async () => {
    for (let next = from + 1; working; ) {
      if (person.shown.length < next) await new Promise((resolve) => setTimeout(resolve, 5));
      else {
        person.says(once);
        next++;
      }
    }
  })();
  await work().catch(() => undefined);
  working = false;
  await answering;
  return person.shown.slice(from).filter(({ request }) => request.ruling.as !== undefined).length;
}

const whoSql = `SELECT current_user AS who, current_setting('role') AS role, session_user AS session`;
const itself = [{ who: 'shop_client', role: 'none', session: 'shop_client' }];

/** None of these may run as a role, whatever the person says to the questions that come. */
const more = [
  "UPDATE orders SET note = 'm' WHERE id = 1; RESET ROLE",
  "UPDATE orders SET note = 'm' WHERE id = 1; SELECT 1",
  "BEGIN; UPDATE orders SET note = 'm' WHERE id = 1; COMMIT",
  "UPDATE orders SET note = set_config('role', 'shop_writer', false) WHERE id = 1",
  "UPDATE orders SET note = (SELECT set_config('role', 'shop_writer', true)) WHERE id = 1",
  "WITH u AS (UPDATE orders SET note = 'm' WHERE id = 1 RETURNING id) SELECT set_config('role', 'shop_writer', false) FROM u",
  "DO $$ BEGIN UPDATE orders SET note = 'm' WHERE id = 1; PERFORM set_config('role', 'shop_writer', false); END $$",
  "PREPARE p AS UPDATE orders SET note = 'm' WHERE id = 1",
  'EXECUTE p',
  'DECLARE held CURSOR WITH HOLD FOR SELECT * FROM orders FOR UPDATE',
  "COPY (UPDATE orders SET note = 'm' WHERE id = 1 RETURNING id) TO PROGRAM 'true'",
  "EXPLAIN ANALYZE UPDATE orders SET note = set_config('role', 'shop_writer', false) WHERE id = 1",
  'TRUNCATE later CASCADE',
  'GRANT ALL ON orders TO shop_client',
  'CREATE VIEW orders_too AS SELECT * FROM secrets',
  'CREATE TEMP TABLE kept AS WITH u AS (SELECT * FROM secrets) SELECT * FROM u',
  "UPDATE orders SET note = query_to_xml('DELETE FROM secrets', true, true, '')::text WHERE id = 1",
  'UPDATE orders SET note = word FROM secrets WHERE orders.id = secrets.id',
  'DELETE FROM secrets WHERE id = 1',
  "UPDATE orders SET note = pg_catalog.current_setting('role') WHERE id = (SELECT pg_advisory_lock(1)::text::int)",
  'LOCK TABLE orders IN ACCESS EXCLUSIVE MODE',
  'ALTER TABLE orders ADD COLUMN extra int',
  "SELECT lo_from_bytea(0, 'x') FROM orders FOR UPDATE",
];

for (const block of [false, true]) {
  t.test(
    `what is more than one statement about rows never runs as a role, ${block ? 'in' : 'without'} a block`,
    async (t) => {
      const stage = await startAccessProxy(t, server);
      for (const sql of more) {
        const client = await stage.connect();
        if (block) await client.query('BEGIN');
        const asked = await approvingAll(stage, () => client.query(sql));
        t.equal(asked, 0, sql);
        await client.query('ROLLBACK');
        t.strictSame((await client.query(whoSql)).rows, itself, sql);
        await t.rejects(client.query('SELECT * FROM secrets'), { code: '42501' }, sql);
        await client.end();
      }
      t.equal(await stage.count("orders WHERE note = 'm'"), 0);
      t.equal(await stage.count('secrets'), 1);
      t.equal(stage.harness.recorder.of('grant').length, 0);
    },
  );
}

t.test('the agent hears why it was not even asked about', async (t) => {
  const { connect } = await startAccessProxy(t, server);
  const client = await connect();
  await t.rejects(client.query("UPDATE orders SET note = 'm' WHERE id = 1; SELECT 1"), {
    code: '42501',
    message: 'permission denied for table orders',
    hint: /run as shop_writer, but not this one, because it came in one text with others; send it alone/,
  });
  await t.rejects(client.query('SELECT * FROM secrets'), { code: '42501', hint: undefined });
});

/** What the client makes with its own rights, and that would run as the role without being named. */
const plants = {
  'a view in the place of a table that a trigger writes':
    'CREATE TEMP VIEW audit AS SELECT current_user::text AS who, 1 AS id',
  'a table with a default':
    "CREATE TEMP TABLE audit (who text, id int, spare text DEFAULT set_config('role', 'shop_writer', false))",
  'a table with a check':
    "CREATE TEMP TABLE audit (who text, id int, CHECK (set_config('role', 'shop_writer', false) <> ''))",
  'a function in the session':
    "CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql AS $$ SELECT set_config('role', 'shop_writer', false) $$",
  'a function of its own':
    "CREATE FUNCTION other.f() RETURNS text LANGUAGE sql AS $$ SELECT set_config('role', 'shop_writer', false) $$",
  'an operator of its own': 'CREATE OPERATOR other.+ (leftarg = text, rightarg = text, function = pg_catalog.textcat)',
  'a domain of its own': "CREATE DOMAIN other.d AS text CHECK (set_config('role', 'shop_writer', false) <> '')",
  'an index on an expression': 'CREATE TEMP TABLE mine (id int); CREATE INDEX ON mine ((id + 1))',
};

for (const [name, plant] of Object.entries(plants)) {
  t.test(`code of the client's own: ${name}`, async (t) => {
    const stage = await startAccessProxy(t, server);
    const client = await stage.connect();
    await approvingAll(stage, () => client.query(plant));
    const refused = {
      code: '42501',
      message: /would have to run as shop_writer, and cannot, because the login has code of its own/,
    };
    for (const values of [undefined, ['y']]) {
      let error: unknown;
      const asked = await approvingAll(stage, () =>
        client
          .query(`UPDATE orders SET note = ${values ? '$1' : "'y'"} WHERE id = 1`, values)
          .catch((thrown: unknown) => {
            error = thrown;
          }),
      );
      t.equal(asked, 0);
      t.match(error, refused);
    }
    t.strictSame((await client.query(whoSql)).rows, itself);
    t.equal(await stage.count("orders WHERE note = 'y'"), 0);
  });
}

t.test('code that comes while the person thinks is found before the role is taken', async (t) => {
  const { person, connect, count, harness } = await startAccessProxy(t, server);
  const [client, other] = [await connect(), await connect()];
  for (const block of [false, true]) {
    for (const values of [undefined, ['y']]) {
      if (block) await client.query('BEGIN');
      const seen = person.shown.length;
      const running = client
        .query(`UPDATE orders SET note = ${values ? '$1' : "'y'"} WHERE id = 1`, values)
        .catch((error) => error);
      await person.sees(seen + 1);
      await server.query(
        "CREATE FUNCTION other.late() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION other.late() OWNER TO shop_client",
      );
      person.says(once);
      t.match(await running, { code: '42501', message: /did not run this statement as shop_writer: .*function late/ });
      await server.query('DROP FUNCTION other.late()');
      if (block) {
        await t.rejects(client.query('SELECT 1'), { code: '25P02' });
        await client.query('ROLLBACK');
      }
      t.strictSame((await client.query(whoSql)).rows, itself);
    }
  }
  await other.end();
  t.equal(await count("orders WHERE note = 'y'"), 0);
  t.equal(harness.recorder.of('outcome').filter(({ role }) => role !== undefined).length, 0);
});

t.test('a role that is taken away while the person thinks is not taken', async (t) => {
  const { person, connect } = await startAccessProxy(t, server);
  const client = await connect();
  for (const values of [undefined, ['y']]) {
    const seen = person.shown.length;
    const running = client
      .query(`UPDATE orders SET note = ${values ? '$1' : "'y'"} WHERE id = 1`, values)
      .catch((error) => error);
    await person.sees(seen + 1);
    await server.query('REVOKE shop_writer FROM shop_client');
    person.says(once);
    t.match(await running, {
      code: '42501',
      message: /did not run this statement as shop_writer: permission denied to set role/,
    });
    await server.query('GRANT shop_writer TO shop_client');
    t.strictSame((await client.query(whoSql)).rows, itself);
  }
});

t.test('a session that is another role already is that one again', async (t) => {
  const stage = await startAccessProxy(t, server);
  const client = await stage.connect();
  for (const [opening, during, after] of [
    ['BEGIN; SET LOCAL ROLE shop_other', 'shop_other', 'none'],
    ['BEGIN; SET ROLE shop_other', 'shop_other', 'shop_other'],
    ['SET ROLE shop_other; BEGIN; SAVEPOINT a', 'shop_other', 'shop_other'],
  ] as const) {
    await approvingAll(stage, () => client.query(opening));
    await server.query('GRANT USAGE ON SCHEMA public TO shop_other; GRANT SELECT ON orders TO shop_other');
    const role = async () => (await client.query(`SELECT current_setting('role') AS role`)).rows[0].role;
    t.equal(await role(), during);
    for (const values of [undefined, ['z']]) {
      const asked = await approvingAll(stage, () =>
        client.query(`UPDATE orders SET note = ${values ? '$1' : "'z'"} WHERE id = 1`, values),
      );
      t.equal(asked, 1, opening);
      t.equal(await role(), during);
    }
    await client.query('COMMIT');
    t.equal(await role(), after);
    await approvingAll(stage, () => client.query('RESET ROLE'));
  }
});

t.test('more rows than a few are undone and asked about with their number', async (t) => {
  const { person, connect, count, harness } = await startAccessProxy(t, server);
  const client = await connect();
  for (const [index, values] of [undefined, ['x']].entries()) {
    const running = client.query(`DELETE FROM orders WHERE note = ${values ? '$1' : "'x'"}`, values);
    await person.sees(3 * index + 1);
    person.says(once);
    const { preview } = await person.sees(3 * index + 2);
    t.match(preview.why, /really changed or deleted .*5,000 rows.*dbguard undid it\..*runs as shop_writer/);
    const told = preview.impact.map(({ label, text }) => `${label}: ${text}`).join('\n');
    t.match(told, /^real run: /m);
    t.notMatch(told, /counted as it runs/, 'it has run, and was counted');
    t.equal(await count('orders'), 5000);
    person.says(no);
    await t.rejects(running, { code: '42501' });
    const second = client.query(`DELETE FROM orders WHERE id = ${index + 1}`);
    await person.sees(3 * index + 3);
    person.says(once);
    t.equal((await second).rowCount, 1);
    await server.query(`INSERT INTO orders VALUES (${index + 1}, 'x')`);
  }
  t.match(
    harness.recorder
      .of('outcome')
      .filter(({ role }) => role !== undefined)
      .map(({ how }) => how),
    ['undone', 'done', 'undone', 'done'],
  );
});

t.test('more rows than may be hit at all are undone and denied, as whoever they were hit', async (t) => {
  const options = { policy: denyingMany(accessPolicy()) };
  const { person, connect, count, harness } = await startAccessProxy(t, server, access, options);
  const client = await connect();
  for (const [index, values] of [undefined, ['x']].entries()) {
    const running = client.query(`DELETE FROM orders WHERE note = ${values ? '$1' : "'x'"}`, values);
    running.catch(() => undefined);
    await person.sees(index + 1);
    person.says(once);
    await t.rejects(running, { code: '42501', message: /denied this statement: It really changed or deleted .*5,000/ });
    t.equal(await count('orders'), 5000);
  }
  t.match((await client.query(whoSql)).rows, itself);
  t.equal(person.shown.length, 2, 'nobody is asked again');
  t.match(
    harness.recorder.of('verdict').map(({ by, decision, rule }) => `${decision} by ${by}: ${rule}`),
    [0, 1].flatMap(() => ['allow by person: access:fix-orders', 'deny by rule: builtin:delete-mass']),
  );
});

t.test('nobody is asked where the login may do it itself, or where no role could', async (t) => {
  const { person, connect } = await startAccessProxy(t, server);
  const client = await connect();
  await server.query('GRANT UPDATE (note), INSERT ON orders TO shop_client; GRANT INSERT ON audit TO shop_client');
  for (const values of [undefined, ['own']]) {
    const value = values ? '$1' : "'own'";
    t.equal((await client.query(`UPDATE orders SET note = ${value} WHERE id = 1`, values)).rowCount, 1);
    t.equal((await client.query(`UPDATE orders SET note = ${value} WHERE id = 1`, values)).rowCount, 1, 'and again');
    t.equal((await client.query(`INSERT INTO orders VALUES (${values ? 9001 : 9002}, ${value})`, values)).rowCount, 1);
  }
  await server.query('REVOKE DELETE ON orders FROM shop_writer');
  await t.rejects(client.query('DELETE FROM orders WHERE id = 1'), {
    code: '42501',
    message: /shop_writer may not delete public.orders either/,
  });
  await t.rejects(client.query('DELETE FROM secrets WHERE id = 1'), {
    code: '42501',
    message: 'permission denied for table secrets',
  });
  await t.rejects(client.query('UPDATE orders SET nothing = 1 WHERE id = 1'), { code: '42703' });
  await t.rejects(client.query('UPDATE nowhere SET id = 1 WHERE id = 1'), { code: '42P01' });
  t.equal((await client.query('SELECT 1 FROM orders LIMIT 1')).rowCount, 1);
  t.equal(person.shown.length, 0);
});

t.test('what an entry of access demands', async (t) => {
  const cases = [
    [access.replace('then: ask', 'then: second-person'), /it needs a second person/],
    [access.replace('then: ask', 'then: ask\n    reason: required'), /because nobody has said why it is needed/],
    [access.replace('role: shop_writer', 'role: nobody_at_all'), /the database has no role nobody_at_all/],
    [access.replace('role: shop_writer', 'role: postgres'), /because postgres is a superuser/],
    [access.replace('role: shop_writer', 'role: shop_direct'), /shop_client may not SET ROLE to shop_direct/],
    [access.replace('then: ask', 'then: ask\n    connection: elsewhere'), /^permission denied for table orders$/],
    [access.replace('[insert, update, delete, truncate]', 'insert'), /^permission denied for table orders$/],
    [access.replace('[orders, public.later, walled]', 'other.orders'), /^permission denied for table orders$/],
  ] as const;
  for (const [yaml, message] of cases) {
    const { person, connect, harness } = await startAccessProxy(t, server, yaml);
    const client = await connect();
    await t.rejects(
      client.query("UPDATE orders SET note = 'y' WHERE id = 1"),
      { code: '42501', message },
      String(message),
    );
    t.equal(person.shown.length, 0, String(message));
    t.equal(harness.recorder.of('grant').length, 0);
    await client.end();
    await harness.close();
  }
});

t.test('a reason that is required and given is before the person, and in the grant', async (t) => {
  const yaml = access.replace('then: ask', 'then: ask\n    reason: required');
  const { person, connect, count, harness } = await startAccessProxy(t, server, yaml, { reason: 'ticket 4711' });
  const running = (await connect()).query("UPDATE orders SET note = 'why' WHERE id = 1");
  const { preview } = await person.sees(1);
  t.match(
    preview.impact.filter(({ label }) => label === 'reason'),
    [{ text: 'ticket 4711' }],
  );
  person.says(once);
  t.equal((await running).rowCount, 1);
  t.equal(await count("orders WHERE note = 'why'"), 1);
  t.match(harness.recorder.of('grant'), [
    { role: 'shop_writer', access: 'fix-orders', disclosures: { reason: 'ticket 4711' } },
  ]);
});

t.test('a table that the login may not read is read as the role, for one statement', async (t) => {
  const yaml = access.replace('[orders, public.later, walled]', '[secrets]').replace('[insert, ', '[read, insert, ');
  const { person, connect, harness } = await startAccessProxy(t, server, yaml);
  const client = await connect();
  const running = client.query('SELECT word, current_user AS who FROM secrets WHERE id = 1');
  await person.sees(1);
  person.says(once);
  t.match((await running).rows, [{ word: 'hush', who: 'shop_writer' }]);
  t.match((await client.query(whoSql)).rows, itself);
  t.match(harness.recorder.of('grant'), [{ role: 'shop_writer', lacking: ['read public.secrets'] }]);
  const again = client.query('SELECT word FROM secrets');
  again.catch(() => undefined);
  await person.sees(2);
  person.says(no);
  await t.rejects(again, { code: '42501' });
});
