/**
 * What a login lacks in the middle of a statement: in triggers, in functions, in schemas that it may not look into. The
 * server says so when it runs it, or parses it; it is undone, asked about, and the client hears what a login hears that may. DO,
 * CALL, cursors and EXPLAIN run as the role, too, and leave nothing of it behind.
 */
import t from 'tap';
import { chosenVersion, startPostgres } from '../helpers/postgres.js';
import { bind, describeStatement, execute, flush, parse, query, run, sync } from '../helpers/wire-messages.js';
import { alike, dialogue, direct, itself, protocols, transactions, whoSql } from './access-dialogue.js';
import { roles, startAccessProxy } from './access-stage.js';
import { no, once } from './attended-proxy.js';

const server = await startPostgres({ version: chosenVersion });
t.teardown(() => server.stop());
await server.query(roles);

const yaml = `version: 1
access:
  - { name: fix, role: shop_writer, tables: [orders, secrets, audit, shut.things], effects: [read, insert, update, delete], then: ask }
`;

const more = [
  'DROP SCHEMA IF EXISTS shut CASCADE; CREATE SCHEMA shut; CREATE TABLE shut.things (id int, what text); INSERT INTO shut.things VALUES (1, $$a$$)',
  'GRANT USAGE ON SCHEMA shut TO shop_writer; GRANT SELECT, UPDATE, INSERT ON shut.things TO shop_client, shop_writer',
  'REVOKE CREATE ON SCHEMA other FROM shop_client; GRANT UPDATE ON walled TO shop_client',
  'ALTER TABLE walled DISABLE ROW LEVEL SECURITY',
  'DROP TRIGGER IF EXISTS told_audit ON walled; CREATE TRIGGER told_audit AFTER UPDATE ON walled FOR EACH ROW EXECUTE FUNCTION audited()',
  `CREATE FUNCTION fix(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
     UPDATE orders SET note = 'f' WHERE id = n; RETURN n; END $$`,
  'CREATE FUNCTION hushed() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM secrets $$',
  `CREATE PROCEDURE fix_one() LANGUAGE plpgsql AS $$ BEGIN UPDATE orders SET note = 'c' WHERE id = 2; END $$`,
  `CREATE PROCEDURE fix_for_good() LANGUAGE plpgsql AS $$ BEGIN UPDATE orders SET note = 'c' WHERE id = 2; COMMIT; END $$`,
  `CREATE FUNCTION opened() RETURNS refcursor LANGUAGE plpgsql AS $$
     DECLARE c refcursor := 'theirs'; BEGIN OPEN c FOR SELECT word FROM secrets; RETURN c; END $$`,
  'CREATE TRIGGER of_things AFTER UPDATE ON shut.things FOR EACH ROW EXECUTE FUNCTION audited()',
];

/** Each lacks something that only its run, or its Parse, shows; or is code. */
const covered = {
  'a trigger': 'UPDATE walled SET id = id WHERE id = 1 RETURNING id',
  'a function': 'SELECT fix(1)',
  'a function in SQL': 'SELECT hushed()',
  'a schema that is shut': "UPDATE shut.things SET what = 'b' WHERE id = 1 RETURNING what",
  'rows of one': 'SELECT what FROM shut.things',
  DO: "DO $$ BEGIN UPDATE orders SET note = 'd' WHERE id = 1; END $$",
  'DO that fails': "DO $$ BEGIN UPDATE orders SET note = 'bad' WHERE id = 1; END $$",
  CALL: 'CALL fix_one()',
  'EXPLAIN of a change': "EXPLAIN (COSTS OFF) UPDATE orders SET note = 'e' WHERE id = 1",
  'EXPLAIN of rows': 'EXPLAIN (COSTS OFF) SELECT * FROM secrets',
};

/** So many of them are tried in each protocol. */
const everywhere = 4;

const shut = (t: Parameters<typeof startAccessProxy>[0]) => startAccessProxy(t, server, yaml, {}, more);

t.test('undone, asked about, and heard as by a login that may', async (t) => {
  const { person, raw, harness } = await shut(t);
  for (const [transaction, opening] of Object.entries(transactions)) {
    const [client, reference] = [await raw(), await direct(t, server)];
    for (const [nth, [protocol, send]] of Object.entries(protocols).entries()) {
      for (const [index, [what, sql]] of Object.entries(covered).entries()) {
        // the first in each protocol, the others in two of them
        if (index >= everywhere && (index + nth) % 3 !== 0) continue;
        const name = `${transaction}, ${protocol}, ${what}`;
        for (const sql of opening) for (const one of [client, reference]) await dialogue(one, query(sql));
        const { bytes, readies } = send(sql);
        const asked = person.shown.length;
        const answer = await dialogue(client, bytes, readies, async () => {
          await person.sees(asked + 1);
          person.says(once);
        });
        t.equal(person.shown.length, asked + 1, name);
        t.equal(person.shown.at(-1)?.request.ruling.as?.role, 'shop_writer', name);
        t.notMatch(answer, /shop_writer none|shop_client shop_writer/, name);
        if (transaction === 'savepoint') await dialogue(client, query('ROLLBACK TO mine'));
        else if (transaction === 'block') await dialogue(client, query('ROLLBACK'));
        t.match(
          await dialogue(client, query(`${whoSql}; SELECT word FROM secrets`)),
          /shop_client none[\s\S]*C42501/,
          name,
        );
        await dialogue(client, query('ROLLBACK'));
        t.equal(alike(answer), alike(await dialogue(reference, bytes, readies)), name);
        await dialogue(reference, query('ROLLBACK'));
      }
    }
  }
  const ran = harness.recorder.of('outcome').filter(({ role }) => role !== undefined);
  t.equal(ran.length, harness.recorder.of('grant').length);
  t.equal(ran.length, 3 * (6 * everywhere + 2 * (Object.keys(covered).length - everywhere)));
});

t.test('denied, nothing of it remains, and the transaction goes on', async (t) => {
  let id = 100;
  for (const [transaction, opening] of Object.entries(transactions)) {
    // whoever denies again and again is left in peace for a while
    const { person, raw, count } = await shut(t);
    const client = await raw();
    for (const [protocol, send] of Object.entries(protocols).filter((_, index) => index % 2 !== 0)) {
      for (const one of opening) await dialogue(client, query(one));
      const asked = person.shown.length;
      // what was denied a moment ago is denied unasked
      const { bytes, readies } = send(`UPDATE walled SET id = ${++id} WHERE id = 1`);
      const answer = await dialogue(client, bytes, readies, async () => {
        await person.sees(asked + 1);
        person.says(no);
      });
      t.match(answer, /C42501[\s\S]*denied this statement/, protocol);
      if (transaction === 'savepoint') await dialogue(client, query('ROLLBACK TO mine'));
      await dialogue(client, query(transaction === 'savepoint' ? 'COMMIT' : 'ROLLBACK'));
      t.equal(await count('walled WHERE id > 100'), 0, protocol);
    }
  }
});

t.test('a transaction that was begun before is not lost by it', async (t) => {
  const { person, connect, count } = await shut(t);
  await server.query('GRANT INSERT ON later TO shop_client');
  const client = await connect();
  for (const values of [undefined, [1]]) {
    await client.query('BEGIN');
    await client.query(`INSERT INTO later VALUES (${values ? 2 : 1}, 1)`);
    const asked = person.shown.length;
    const running = client.query(`UPDATE walled SET id = id WHERE id = ${values ? '$1' : 1}`, values);
    await person.sees(asked + 1);
    person.says(once);
    t.equal((await running).rowCount, 1);
    await client.query('COMMIT');
  }
  t.equal(await count('later'), 2);
  t.equal(await count("audit WHERE who = 'shop_writer'"), 2);
});

t.test('it is asked about once; what the login may do is forgotten by nobody', async (t) => {
  const { person, connect } = await shut(t);
  await server.query('GRANT INSERT ON audit TO shop_client');
  const client = await connect();
  for (let turn = 0; turn < 3; turn++) {
    await client.query('BEGIN');
    for (const values of [undefined, [1]])
      t.equal((await client.query(`UPDATE walled SET id = id WHERE id = ${values ? '$1' : 1}`, values)).rowCount, 1);
    await client.query('COMMIT');
  }
  t.equal(person.shown.length, 0);
});

t.test('where something may have happened, or no entry covers it, the server’s error stays', async (t) => {
  const uncovered = yaml.replace('audit, ', 'other.audit, ');
  const { person, connect, count } = await startAccessProxy(t, server, uncovered, {}, more);
  const client = await connect();
  const cases: [string, RegExp | undefined][] = [
    ['UPDATE walled SET id = id WHERE id = 1', undefined],
    ['CALL fix_for_good()', /its code ends or begins transactions/],
    [
      "DO $$ DECLARE a text := 'UPDATE orders SET note = ''m'''; BEGIN EXECUTE a; UPDATE orders SET note = 'm'; END $$",
      /cannot look into/,
    ],
    ['DECLARE c CURSOR WITH HOLD FOR SELECT * FROM secrets', /without HOLD/],
    ["PREPARE p AS UPDATE orders SET note = 'm' WHERE id = 1; EXECUTE p", /send it alone/],
  ];
  for (const [sql, hint] of cases) {
    if (/^DECLARE/.test(sql)) await client.query('BEGIN');
    const running = client.query(sql).catch((error) => error);
    const first = await Promise.race([running, person.sees(person.shown.length + 1).then(() => 'asked')]);
    // the guarded profile asks about code that cannot be seen through
    if (first === 'asked') {
      t.equal(person.shown.at(-1)?.request.ruling.as, undefined, sql);
      person.says(once);
    }
    const error = await running;
    t.match(error, { code: '42501', message: /permission denied/ }, sql);
    if (hint) t.match(error.hint, hint, sql);
    else t.equal(error.hint, undefined, sql);
    await client.query('ROLLBACK');
  }
  t.equal(await count('orders WHERE note = $$m$$'), 0);
});

t.test('a cursor reads what was approved, and is nobody’s role', async (t) => {
  const { person, connect } = await shut(t);
  const client = await connect();
  t.match(await client.query('DECLARE c CURSOR FOR SELECT 1 FROM secrets').catch((error) => error), { code: '25P01' });
  t.equal(person.shown.length, 0, 'the server takes none outside of a transaction');
  for (const sql of [
    'DECLARE theirs SCROLL CURSOR FOR SELECT word, current_user AS who FROM secrets',
    'DECLARE theirs CURSOR FOR SELECT word, current_user AS who FROM secrets FOR UPDATE',
    'SELECT opened()',
  ]) {
    await client.query('BEGIN');
    const asked = person.shown.length;
    const running = client.query(sql);
    await person.sees(asked + 1);
    person.says(once);
    await running;
    const [row] = (await client.query('FETCH 1 FROM theirs')).rows;
    t.match(row, { word: 'hush', ...(row.who && { who: 'shop_client' }) }, sql);
    t.match((await client.query(whoSql)).rows, [{ '?column?': itself }]);
    const more = person.shown.length;
    const write = client.query('DELETE FROM secrets WHERE CURRENT OF theirs').catch((error) => error);
    const how = await Promise.race([write, person.sees(more + 1)]);
    if (person.shown.length > more) {
      person.says(no);
      t.match(await write, { code: '42501' });
    } else t.match(how, { code: /42501|34000|55000/ });
    await client.query('ROLLBACK');
    await t.rejects(client.query('FETCH 1 FROM theirs'), { code: '34000' });
  }
  t.equal(person.shown.filter(({ request }) => request.ruling.as).length, person.shown.length);
});

t.test('a prepared statement is asked about when it runs', async (t) => {
  const { person, connect } = await shut(t);
  const client = await connect();
  await client.query("PREPARE p (int) AS UPDATE orders SET note = 'p' WHERE id = $1");
  t.equal(person.shown.length, 0);
  for (const begin of [false, true]) {
    if (begin) await client.query('BEGIN');
    const asked = person.shown.length;
    const running = client.query('EXECUTE p(3)');
    const { request } = await person.sees(asked + 1);
    t.match(request.ruling.as, { role: 'shop_writer' });
    t.match(request.runs, [/UPDATE orders SET note = 'p'/]);
    person.says(once);
    t.equal((await running).rowCount, 1);
    t.match((await client.query(whoSql)).rows, [{ '?column?': itself }]);
    if (begin) await client.query('ROLLBACK');
  }
});

t.test('what is parsed in a shut schema runs as nobody before it is asked about', async (t) => {
  const { person, raw } = await shut(t);
  const client = await raw();
  const sql = 'SELECT what FROM shut.things WHERE id = $1';
  const described = await dialogue(client, Buffer.concat([parse(sql, { name: 'd' }), describeStatement('d'), sync()]));
  t.match(described, /^1[\s\S]*what/, 'drivers prepare first');
  t.match(await dialogue(client, query(whoSql)), itself);
  t.equal(person.shown.length, 0);
  const denied = await dialogue(
    client,
    Buffer.concat([bind(['1'], { statement: 'd' }), execute(), sync()]),
    1,
    async () => {
      await person.sees(1);
      person.says(no);
    },
  );
  t.match(denied, /C42501/);
  t.notMatch(denied, /^D/m);
  const [reference] = [await direct(t, server)];
  await server.query('GRANT USAGE ON SCHEMA shut TO shop_direct');
  for (const wrong of ['SELECT nothing FROM shut.things', "UPDATE shut.things SET id = 'x'"]) {
    for (const begin of ['SELECT 1', 'BEGIN']) {
      const bytes = Buffer.concat([run(wrong), flush(), run(whoSql), sync()]);
      for (const one of [client, reference]) await dialogue(one, query(begin));
      t.equal(alike(await dialogue(client, bytes)), alike(await dialogue(reference, bytes)), `${begin}: ${wrong}`);
      for (const one of [client, reference]) await dialogue(one, query('ROLLBACK'));
    }
  }
  await server.query('REVOKE USAGE ON SCHEMA shut FROM shop_writer');
  t.match(
    await dialogue(client, Buffer.concat([run('SELECT what FROM shut.things'), sync()])),
    /C42501[\s\S]*may not read shut.things either/,
  );
});
