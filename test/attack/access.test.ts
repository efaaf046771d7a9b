/**
 * A role for one statement: wherever the session stands when it runs, and however it ends, nothing behind it runs as the
 * role, and the client hears what a login hears that may do it itself.
 */
import t, { type Test } from 'tap';
import { chosenVersion, startPostgres } from '../helpers/postgres.js';
import { Client, type Heard } from '../helpers/wire-client.js';
import {
  bind,
  closePortal,
  describePortal,
  execute,
  flush,
  parse,
  query,
  run,
  sync,
} from '../helpers/wire-messages.js';
import { roles, startAccessProxy } from './access-stage.js';
import { no, once } from './attended-proxy.js';

const server = await startPostgres({ version: chosenVersion });
t.teardown(() => server.stop());
await server.query(roles);

const transactions = { idle: [], block: ['BEGIN'], savepoint: ['BEGIN', 'SAVEPOINT mine'] } as const;
type Transaction = keyof typeof transactions;

/** A statement as each protocol sends it; where `rest` comes behind it before any answer, the server runs that too. */
const protocols: Readonly<Record<string, (sql: string) => { readonly bytes: Buffer; readonly readies: number }>> = {
  simple: (sql) => ({ bytes: query(sql), readies: 1 }),
  extended: (sql) => ({ bytes: Buffer.concat([run(sql), sync()]), readies: 1 }),
  'a named portal': (sql) => ({
    bytes: Buffer.concat([parse(sql, { name: 's' }), bind([], { portal: 'p', statement: 's' }), execute('p'), sync()]),
    readies: 1,
  }),
  'a pipeline': (sql) => ({ bytes: Buffer.concat([run(sql), run(whoSql), sync()]), readies: 1 }),
  'a pipeline with syncs': (sql) => ({ bytes: Buffer.concat([run(sql), sync(), run(whoSql), sync()]), readies: 2 }),
  'two queries at once': (sql) => ({ bytes: Buffer.concat([query(sql), query(whoSql)]), readies: 2 }),
};

const whoSql = `SELECT 'i am ' || current_user || ' ' || current_setting('role')`;
const ends: Readonly<Record<string, string>> = {
  success: "UPDATE orders SET note = 'y' WHERE id = 1 RETURNING current_user",
  'no rows': "UPDATE orders SET note = 'y' WHERE id = -1",
  'an error': "UPDATE orders SET note = 'bad' WHERE id = 1",
  'an error of the role': 'UPDATE orders SET note = (SELECT word FROM secrets WHERE id / 0 = 1) WHERE id = 1',
};

const texts = (heard: readonly Heard[]): string =>
  heard.map(({ type, body }) => `${type}${body.toString('latin1')}`).join('\n');
const statuses = (heard: readonly Heard[]): string =>
  heard
    .filter(({ type }) => type === 'Z')
    .map(({ body }) => body.toString('latin1'))
    .join('');

/** Everything that the answer holds, but for what dbguard says of its own. */
async function dialogue(
  client: Client,
  bytes: Buffer,
  readies: number,
  meanwhile?: () => Promise<void>,
): Promise<Heard[]> {
  const from = client.heard.length;
  await client.send(bytes);
  await meanwhile?.();
  await client.hears('Z', readies);
  return client.heard.slice(from).filter(({ type, body }) => type !== 'N' || !body.includes('dbguard: waiting'));
}

async function direct(t: Test): Promise<Client> {
  const client = await Client.open({
    host: '127.0.0.1',
    port: server.port,
    user: 'shop_direct',
    password: 'direct',
    database: 'postgres',
  });
  await client.logIn();
  t.teardown(() => client.hangUp());
  return client;
}

/** The login is another one, and the server's source lines are nobody's business. */
const alike = (text: string): string =>
  text.replaceAll('shop_direct', 'shop_client').replaceAll('shop_writer', 'shop_client');

t.test('the role is back before anything else, and the answer is that of a login that may', async (t) => {
  const { person, raw, harness } = await startAccessProxy(t, server);
  for (const [transaction, opening] of Object.entries(transactions)) {
    for (const [protocol, send] of Object.entries(protocols)) {
      for (const [end, sql] of Object.entries(ends)) {
        const name = `${transaction}, ${protocol}, ${end}`;
        const client = await raw();
        for (const one of opening) await dialogue(client, query(one), 1);
        const { bytes, readies } = send(sql);
        const asked = person.shown.length;
        // of secrets it may read nothing itself, and the role may: that is not what the entry is for
        const covered = end !== 'an error of the role';
        const answer = await dialogue(client, bytes, readies, async () => {
          if (!covered) return;
          await person.sees(asked + 1);
          person.says(once);
        });
        t.equal(person.shown.length, asked + (covered ? 1 : 0), `${name}: asked`);
        t.notMatch(texts(answer), /i am shop_writer/, name);
        if (statuses(answer).endsWith('E')) {
          if (transaction === 'savepoint') await dialogue(client, query('ROLLBACK TO mine'), 1);
          else await dialogue(client, query('ROLLBACK'), 1);
        }
        t.match(texts(await dialogue(client, query(whoSql), 1)), /i am shop_client none/, name);
        t.match(texts(await dialogue(client, query('SELECT word FROM secrets'), 1)), /C42501/, name);
        await dialogue(client, query('ROLLBACK'), 1);
        await client.hangUp();
        if (!covered) continue;
        const reference = await direct(t);
        for (const one of opening) await dialogue(reference, query(one), 1);
        t.equal(alike(texts(answer)), alike(texts(await dialogue(reference, bytes, readies))), name);
        await dialogue(reference, query('ROLLBACK'), 1);
        await reference.hangUp();
      }
    }
  }
  const ran = harness.recorder.of('outcome').filter(({ role }) => role !== undefined);
  t.equal(ran.length, 3 * 6 * 3);
  t.equal(harness.recorder.of('grant').length, ran.length);
  t.match(
    ran,
    ran.map(() => ({ role: 'shop_writer' })),
  );
});

t.test('a failed transaction asks nobody', async (t) => {
  const { person, raw } = await startAccessProxy(t, server);
  const client = await raw();
  await dialogue(client, query('BEGIN'), 1);
  await dialogue(client, query('SELECT 1/0'), 1);
  for (const send of Object.values(protocols)) {
    const { bytes, readies } = send(ends.success ?? '');
    t.match(texts(await dialogue(client, bytes, readies)), /C25P02/);
  }
  t.equal(person.shown.length, 0);
});

for (const transaction of Object.keys(transactions) as Transaction[]) {
  t.test(`cancelled while it runs as the role, ${transaction}`, async (t) => {
    const { person, raw } = await startAccessProxy(t, server);
    const holder = await direct(t);
    for (const [protocol, send] of Object.entries(protocols)) {
      await dialogue(holder, query('BEGIN; SELECT FROM orders WHERE id = 1 FOR UPDATE'), 1);
      const client = await raw();
      for (const one of transactions[transaction]) await dialogue(client, query(one), 1);
      const { bytes, readies } = send(ends.success ?? '');
      const asked = person.shown.length;
      const answer = await dialogue(client, bytes, readies, async () => {
        await person.sees(asked + 1);
        person.says(once);
        await waits();
        await client.cancel(false);
      });
      t.match(texts(answer), /C57014/, protocol);
      t.notMatch(texts(answer), /i am shop_writer/, protocol);
      await dialogue(holder, query('ROLLBACK'), 1);
      if (transaction !== 'idle')
        await dialogue(client, query(transaction === 'block' ? 'ROLLBACK' : 'ROLLBACK TO mine'), 1);
      t.match(texts(await dialogue(client, query(whoSql), 1)), /i am shop_client none/, protocol);
      await client.hangUp();
    }
  });

  t.test(`the client goes while it runs as the role, ${transaction}`, async (t) => {
    const { person, raw, count, harness } = await startAccessProxy(t, server);
    const holder = await direct(t);
    for (const [protocol, send] of Object.entries(protocols)) {
      await dialogue(holder, query('BEGIN; SELECT FROM orders WHERE id = 1 FOR UPDATE'), 1);
      const client = await raw();
      for (const one of transactions[transaction]) await dialogue(client, query(one), 1);
      const { bytes } = send("UPDATE orders SET note = 'gone' WHERE id = 1");
      const asked = person.shown.length;
      await client.send(bytes);
      await person.sees(asked + 1);
      person.says(once);
      const pid = await waits();
      await client.hangUp();
      await dialogue(holder, query('ROLLBACK'), 1);
      await ended(pid);
      // a server finishes what it has begun as well; a block that nobody commits is undone
      const committed = await count("orders WHERE note = 'gone'");
      const done = harness.recorder.of('outcome').filter(({ role, how }) => role !== undefined && how === 'done');
      if (transaction !== 'idle' || done.length === 0) t.equal(committed, 0, protocol);
      await server.query("UPDATE orders SET note = 'x' WHERE id = 1");
    }
    t.equal(
      harness.recorder.of('outcome').filter(({ role }) => role === 'shop_writer').length,
      Object.keys(protocols).length,
    );
  });

  t.test(`denied, or cancelled before anybody has answered, it runs as nobody, ${transaction}`, async (t) => {
    const { person, raw, count } = await startAccessProxy(t, server);
    for (const [protocol, send] of Object.entries(protocols)) {
      for (const how of ['denied', 'cancelled'] as const) {
        const client = await raw();
        for (const one of transactions[transaction]) await dialogue(client, query(one), 1);
        const { bytes, readies } = send(`UPDATE orders SET note = '${how} ${protocol}' WHERE id = 2`);
        const asked = person.shown.length;
        const answer = await dialogue(client, bytes, readies, async () => {
          await person.sees(asked + 1);
          if (how === 'denied') person.says(no);
          else await client.cancel(false);
        });
        t.match(texts(answer), how === 'denied' ? /C42501/ : /C57014/, protocol);
        t.equal(await count(`orders WHERE note = '${how} ${protocol}'`), 0, protocol);
        await client.hangUp();
      }
    }
  });
}

/** The process that waits for a lock, once there is one. */
async function waits(): Promise<unknown> {
  for (;;) {
    const [row] = await server.query("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    if (row) return row.pid;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function ended(pid: unknown): Promise<void> {
  while ((await server.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

const merge = `MERGE INTO orders USING later ON later.of = orders.id AND orders.id = 7 WHEN MATCHED THEN UPDATE SET note = 'm'`;

t.test('what is said while it runs and at its COMMIT is said', async (t) => {
  const { person, raw } = await startAccessProxy(t, server);
  for (const [protocol, send] of Object.entries(protocols)) {
    for (const sql of [
      "UPDATE orders SET note = 'tell' WHERE id < 4",
      'INSERT INTO later VALUES (1, 99999)',
      "INSERT INTO orders VALUES (1, 'x') RETURNING id",
      'TRUNCATE later',
      ...(chosenVersion < 15 ? [] : [merge]),
      "WITH u AS (UPDATE orders SET note = 'w' WHERE id = 3 RETURNING id) SELECT id FROM u",
    ]) {
      const [client, reference] = [await raw(), await direct(t)];
      const { bytes, readies } = send(sql);
      const asked = person.shown.length;
      const answer = await dialogue(client, bytes, readies, async () => {
        await person.sees(asked + 1);
        person.says(once);
      });
      const theirs = await dialogue(reference, bytes, readies);
      t.equal(alike(texts(answer)), alike(texts(theirs)), `${protocol}: ${sql}`);
      await client.hangUp();
      await reference.hangUp();
    }
  }
});

t.test('policies of rows are those of the role, in a plan that was bound before', async (t) => {
  const { person, raw } = await startAccessProxy(t, server);
  for (const send of Object.values(protocols)) {
    const client = await raw();
    const { bytes, readies } = send('UPDATE walled SET id = id + 1 WHERE id > 0 RETURNING owner');
    const asked = person.shown.length;
    const answer = await dialogue(client, bytes, readies, async () => {
      await person.sees(asked + 1);
      person.says(once);
    });
    t.match(texts(answer), /shop_writer[\s\S]*UPDATE 1/);
    t.match(texts(await dialogue(client, query('SELECT owner FROM walled'), 1)), /shop_client[\s\S]*SELECT 1/);
    await client.hangUp();
  }
});

t.test('a portal that ran as the role runs nothing more', async (t) => {
  const { person, raw, count } = await startAccessProxy(t, server);
  const client = await raw();
  await dialogue(client, query('BEGIN'), 1);
  const sql = "UPDATE orders SET note = note || '!' WHERE id < 4 RETURNING current_user";
  const bound = Buffer.concat([
    parse(sql, { name: 's' }),
    bind([], { portal: 'p', statement: 's' }),
    describePortal('p'),
  ]);
  await dialogue(client, Buffer.concat([bound, execute('p', 1), sync()]), 1, async () => {
    await person.sees(1);
    person.says(once);
  });
  const more = texts(
    await dialogue(client, Buffer.concat([execute('p', 1), execute('p', 9), execute('p'), sync()]), 1),
  );
  t.match(more, /shop_writer/, 'rows of the run that was approved');
  t.match(texts(await dialogue(client, query(whoSql), 1)), /i am shop_client none/);
  await dialogue(client, Buffer.concat([closePortal('p'), flush(), sync()]), 1);
  const again = await dialogue(
    client,
    Buffer.concat([bind([], { portal: 'p', statement: 's' }), execute('p'), sync()]),
    1,
    async () => {
      await person.sees(2);
      person.says(no);
    },
  );
  t.match(texts(again), /C42501/, 'the prepared statement is asked about anew');
  await dialogue(client, query('ROLLBACK'), 1);
  t.equal(await count("orders WHERE note LIKE '%!'"), 0);
});
