/** What a person approved is what runs, once, there and then: through the whole proxy, against a real server. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import t, { type Test } from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { bind, execute, flush, parse, query, sync } from '../helpers/wire-messages.js';
import { forSession, no, once, startAttendedProxy } from './attended-proxy.js';

// reports search_path, as servers do since 18
const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());

const world = (t: Test, setup: string) => startAttendedProxy(t, server, setup);

const three = 'AS SELECT generate_series(1, 3) AS id;';

t.test('the same name, parsed again while the first one waits', async (t) => {
  const { person, raw, count } = await world(t, `CREATE TABLE a ${three} CREATE TABLE b ${three}`);
  const client = await raw();
  const approvedThenOther = [
    parse('DELETE FROM a', { name: 's' }),
    bind([], { statement: 's' }),
    execute(),
    sync(),
    Buffer.from('C\0\0\0\x07Ss\0', 'latin1'),
    parse('DELETE FROM b', { name: 's' }),
    bind([], { statement: 's' }),
    execute(),
    sync(),
  ];
  await client.send(Buffer.concat(approvedThenOther));
  t.equal((await person.sees(1)).request.sql, 'DELETE FROM a');
  t.equal(await count('a'), 3, 'nothing ran while it waits');
  person.says(once);
  // until the server has answered the Close, it could be either
  t.match((await person.sees(2)).request.sql, /DELETE FROM b$/, 'asked about by its own text');
  t.equal(await count('a'), 0);
  person.says(no);
  await client.hears('Z', 2);
  t.equal(await count('b'), 3);
});

t.test('what comes behind a held statement in one write waits with it, and falls with it', async (t) => {
  const { person, raw, count } = await world(t, `CREATE TABLE a ${three} CREATE TABLE log (what text)`);
  const client = await raw();
  const later = [parse("INSERT INTO log VALUES ('later')"), bind(), execute(), sync()];
  await client.send(Buffer.concat([parse('DELETE FROM a'), bind(), execute(), ...later, query('COMMIT')]));
  await person.sees(1);
  await sleep(100);
  t.equal(await count('log'), 0, 'nothing passes it');
  person.says(no);
  await client.hears('Z', 2);
  t.strictSame([await count('a'), await count('log')], [3, 0], 'as with an error of the server, up to Sync');
});

t.test('one approval, one run', async (t) => {
  const { person, raw, count } = await world(t, `CREATE TABLE a ${three}`);
  const client = await raw();
  const again = Buffer.concat([bind([], { statement: 's' }), execute(), sync()]);
  await client.send(Buffer.concat([parse('DELETE FROM a', { name: 's' }), again]));
  await person.sees(1);
  person.says(once);
  await client.hears('Z', 1);
  await server.query('INSERT INTO a VALUES (4)');
  await client.send(Buffer.concat([bind([], { statement: 's' }), execute(), execute(), sync()]));
  await person.sees(2);
  person.says(once);
  await client.hears('Z', 1);
  t.equal(client.heard.filter(({ type }) => type === 'E').length, 1, 'a portal that is done cannot run again');
  await server.query('INSERT INTO a VALUES (5)');
  await client.send(again);
  await person.sees(3);
  person.says(no);
  await client.hears('Z', 1);
  t.equal(await count('a'), 2, 'each time it is bound it is asked about');
});

t.test('the next rows of a portal are no new question, with and without a Sync between', async (t) => {
  const { person, raw } = await world(t, `CREATE TABLE a ${three}`);
  const client = await raw();
  await client.send(Buffer.concat([parse('SELECT id FROM a'), bind(), execute('', 1), flush()]));
  await client.hears('s', 1);
  await client.send(Buffer.concat([execute('', 1), flush()]));
  await client.hears('s', 1);
  await client.send(Buffer.concat([execute('', 9), sync()]));
  await client.hears('Z', 1);
  t.equal(client.heard.filter(({ type }) => type === 'D').length, 3);
  t.equal(person.shown.length, 0);
});

t.test('an approved portal that is fetched in pieces was approved as a whole', async (t) => {
  const { person, raw, harness, count } = await world(t, `CREATE TABLE a ${three}`);
  const client = await raw();
  await client.send(Buffer.concat([parse('DELETE FROM a RETURNING id'), bind(), execute('', 1), flush()]));
  await person.sees(1);
  person.says(once);
  await client.hears('s', 1);
  await client.send(Buffer.concat([execute('', 1), execute('', 9), sync()]));
  await client.hears('Z', 1);
  t.equal(client.heard.filter(({ type }) => type === 'D').length, 3);
  t.equal(person.shown.length, 1);
  t.equal(await count('a'), 0);
  const [first, ...more] = harness.recorder.of('statement');
  t.strictSame(
    more.map(({ continues }) => continues),
    [first?.n, first?.n],
    'the transcript says what they go on with',
  );
});

t.test('an approval for the session is for exactly that', async (t) => {
  const setup = `CREATE TABLE a ${three} CREATE TABLE other.a ${three}
    CREATE FUNCTION clear(int) RETURNS int LANGUAGE sql AS 'SELECT 1'`;
  const { person, connect, count } = await world(t, setup);
  await server.query('DROP DATABASE IF EXISTS second');
  await server.query('CREATE DATABASE second');
  const client = await connect();
  const values = (id: number): pg.QueryConfig => ({ text: 'DELETE FROM a WHERE $1 = $1', values: [id] });
  const run = (what: string | pg.QueryConfig, by = client) =>
    by.query(what).then(
      () => 'ran',
      ({ code }) => code,
    );

  const first = run(values(1));
  await person.sees(1);
  person.says(forSession);
  t.equal(await first, 'ran');
  t.equal(await run(values(1)), 'ran', 'the same again: not asked');
  t.equal(person.shown.length, 1);

  let asked = 1;
  const asks = async (why: string, what: string | pg.QueryConfig, by = client): Promise<void> => {
    const running = run(what, by);
    await person.sees(++asked);
    person.says(no);
    t.equal(await running, '42501', why);
  };
  await asks('another value', values(2));
  await asks('another text', 'DELETE FROM a WHERE 1 = 1');
  t.equal(await run('SET search_path = other, public'), 'ran');
  await asks('another search_path', values(1));
  t.equal(await count('other.a'), 3);
  const second = await connect('second');
  const there = new pg.Client(server.url('second'));
  await there.connect();
  await there.query('CREATE TABLE a (id int)');
  await there.end();
  await asks('another database', values(1), second);
});

t.test('the same statement elsewhere is another question', async (t) => {
  const { person, connect, count } = await world(t, `CREATE TABLE a ${three}`);
  const [one, two] = [await connect(), await connect()];
  const first = one.query('DELETE FROM a');
  await person.sees(1);
  const second = two.query('DELETE FROM a').catch((error) => error);
  await sleep(50);
  person.says(once);
  t.equal((await first).rowCount, 3);
  await server.query('INSERT INTO a VALUES (9)');
  await person.sees(2);
  person.says(no);
  t.equal((await second).code, '42501');
  t.equal(await count('a'), 1);
});

t.test('a denied statement is refused at once for a while, however it is spelled', async (t) => {
  const { person, connect, count } = await world(t, `CREATE TABLE a ${three}`);
  const client = await connect();
  const first = client.query('DELETE FROM a').catch((error) => error);
  await person.sees(1);
  person.says({ decision: 'deny', reason: 'use a WHERE' });
  t.match((await first).message, /use a WHERE/);
  for (const again of ['DELETE FROM a', 'delete  from a ;', ' DELETE\nFROM a']) {
    await t.rejects(client.query(again), { code: '42501' }, again);
  }
  t.equal(person.shown.length, 1, 'nobody is bothered again');
  t.equal(await count('a'), 3);
});

t.test('a cancel or a hang-up that races the approval: the verdict and the table agree', async (t) => {
  const { person, connect, harness, count } = await world(t, `CREATE TABLE a ${three}`);
  const ways = ['cancel', 'disconnect'] as const;
  for (let round = 0; round < 40; round++) {
    const way = ways[round % 2];
    await server.query('TRUNCATE a; INSERT INTO a VALUES (1)');
    const client = await connect();
    const verdictsBefore = harness.recorder.of('verdict').length;
    const running = client.query(`DELETE FROM a /* ${round} */`).then(
      () => 'ran',
      ({ code }) => code ?? 'lost',
    );
    await person.sees(round + 1);
    const answer = async () => {
      await sleep(Math.random() * (way === 'cancel' ? 12 : 3)); // a CancelRequest has to connect first
      person.says(once);
    };
    const interrupt = async () => {
      await sleep(Math.random() * 3);
      if (way === 'disconnect')
        (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
      else await cancelOf(client, harness.url());
    };
    await Promise.all([answer(), interrupt()]);
    const outcome = await running;
    await settled(harness.recorder, verdictsBefore);
    const verdict = harness.recorder.of('verdict').at(-1);
    const left = await finalCount(count, verdict?.decision === 'allow');
    // an approved statement may still be cancelled on the server; one that was not approved never ran
    if (verdict?.decision === 'allow')
      t.ok(left === 0 || outcome === '57014', `${way}: approved, ${outcome}, ${left} left`);
    else t.equal(left, 1, `${way}: ${verdict?.decision} by ${verdict?.by}, ${outcome}`);
    await client.end().catch(() => undefined);
  }
});

/** A CancelRequest as libpq sends it. */
async function cancelOf(client: pg.Client, url: string): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const canceller = new pg.Client(url) as unknown as {
    connection: {
      connect(port: number, host: string): void;
      cancel(pid: number, key: number): void;
      on: pg.Client['on'];
    };
  };
  const { port, hostname } = new URL(url);
  const { connection } = canceller;
  await new Promise<void>((resolve) => {
    connection.on('connect', () => connection.cancel(processID, secretKey));
    connection.on('error', () => resolve());
    connection.on('end', () => resolve());
    connection.connect(Number(port), hostname);
  });
}

async function settled(recorder: { of(kind: string): readonly unknown[] }, before: number): Promise<void> {
  for (let tries = 0; recorder.of('verdict').length === before && tries < 500; tries++) await sleep(5);
}

/** An approved statement of a client that has gone still runs, a moment later. */
async function finalCount(count: (table: string) => Promise<number>, approved: boolean): Promise<number> {
  let left = await count('a');
  for (let tries = 0; approved && left > 0 && tries < 40; tries++) {
    await sleep(10);
    left = await count('a');
  }
  if (!approved) await sleep(20);
  return count('a');
}

t.test('the verdict binds what was on the screen', async (t) => {
  const { person, connect, harness } = await world(t, `CREATE TABLE a ${three}`);
  const client = await connect();
  const running = client.query({ text: 'DELETE FROM a WHERE $1 = $1', values: ['x'] });
  const { digest } = await person.sees(1);
  person.says(once);
  await running;
  const [verdict] = harness.recorder.of('verdict');
  const statement = harness.recorder.entries.find(({ n }) => n === verdict?.of);
  t.match(verdict, { decision: 'allow', by: 'person', channel: 'terminal', scope: 'once', shown: digest });
  t.match(statement?.disclosures, { sql: 'DELETE FROM a WHERE $1 = $1', bind: ['x'] });
});

t.test('EXECUTE shows what it runs, however that was prepared', async (t) => {
  const { person, raw } = await world(t, `CREATE TABLE a ${three}`);
  const client = await raw();
  const prepared = [parse('DELETE FROM a WHERE true OR $1 = 1', { name: 'by_message' }), sync()];
  await client.send(Buffer.concat([...prepared, query("PREPARE by_text AS DELETE FROM a WHERE 'text' = 'text'")]));
  await client.hears('Z', 2);
  const asked: [string, RegExp][] = [
    ['EXECUTE by_text', /DELETE FROM a WHERE 'text' = 'text'/],
    ['EXECUTE by_message(1)', /DELETE FROM a WHERE true OR \$1 = 1/],
  ];
  for (const [index, [sql, text]] of asked.entries()) {
    await client.send(query(sql));
    const { preview, sessionObstacle } = await person.sees(index + 1);
    t.match(preview.impact[0], { label: 'runs', text });
    t.match(sessionObstacle, /by name/);
    person.says(no);
    await client.hears('Z', 1);
  }
});

t.test('a thousand asks: some wait in order, the rest are refused, and nothing runs', async (t) => {
  const options = { maxConnections: 120 };
  const { person, raw, harness, count } = await startAttendedProxy(t, server, `CREATE TABLE a ${three}`, options);
  const clients = await Promise.all(Array.from({ length: 80 }, raw));
  const asks = (connection: number) =>
    Buffer.concat(Array.from({ length: 13 }, (_, n) => query(`DELETE FROM a /* ${connection}, ${n} */`)));
  await Promise.all(clients.map((client, connection) => client.send(asks(connection))));
  const answered = Promise.all(clients.map((client) => client.hears('Z', 13)));
  const verdictsOf = () => harness.recorder.of('verdict');
  while (verdictsOf().length < 30 * 13) await sleep(10);
  t.equal(person.shown.length, 1, 'one at a time');
  t.equal(new Set(verdictsOf().map(({ by }) => by)).size, 1, 'whoever finds fifty waiting is refused at once');
  for (let seen = 1; verdictsOf().length < 1040; seen++) {
    await Promise.race([person.sees(seen), answered]);
    person.says(no);
  }
  await answered;
  const verdicts = verdictsOf();
  t.equal(verdicts.length, 1040, 'each has a verdict of its own');
  t.strictSame([...new Set(verdicts.map(({ decision }) => decision))], ['deny']);
  const nobody = verdicts.filter(({ by }) => by === 'nobody').length;
  t.ok(nobody >= 390 && person.shown.length === 1040 - nobody, `${person.shown.length} shown, ${nobody} refused`);
  t.equal(await count('a'), 3);
});
