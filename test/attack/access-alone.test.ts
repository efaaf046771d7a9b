/**
 * A role for what the server takes in no transaction: there is none whose end would bring the role back. Every way that we
 * know of having it stay, or of having more run as it.
 */
import { connect, createServer } from 'node:net';
import t from 'tap';
import { chosenVersion, startPostgres } from '../helpers/postgres.js';
import { Client, type Heard } from '../helpers/wire-client.js';
import { bind, execute, parse, query, run, sync } from '../helpers/wire-messages.js';
import { agent, roles, startAccessProxy } from './access-stage.js';
import { no, once } from './attended-proxy.js';

const server = await startPostgres({ version: chosenVersion });
t.teardown(() => server.stop());
await server.query(roles);
await server.query('CREATE ROLE shop_owner NOLOGIN; GRANT shop_owner TO shop_client');

const yaml = `version: 1
access:
  - { name: keep-house, role: shop_owner, tables: [orders], effects: [create, maintenance], then: ask, for: 15m }
`;
const whoSql = `SELECT 'i am ' || current_user || ' ' || current_setting('role')`;
const itself = /i am shop_client none/;
const runs = 'REINDEX TABLE orders';
const fails = 'CREATE UNIQUE INDEX CONCURRENTLY made ON orders (note)';

const protocols: Readonly<Record<string, (sql: string) => { readonly bytes: Buffer; readonly readies: number }>> = {
  simple: (sql) => ({ bytes: query(sql), readies: 1 }),
  extended: (sql) => ({ bytes: Buffer.concat([run(sql), sync()]), readies: 1 }),
  'two queries at once': (sql) => ({ bytes: Buffer.concat([query(sql), query(whoSql)]), readies: 2 }),
  'a pipeline': (sql) => ({ bytes: Buffer.concat([run(sql), run(whoSql), sync()]), readies: 1 }),
  'a pipeline with syncs': (sql) => ({ bytes: Buffer.concat([run(sql), sync(), run(whoSql), sync()]), readies: 2 }),
  'a named portal': (sql) => ({
    bytes: Buffer.concat([parse(sql, { name: 's' }), bind([], { portal: 'p', statement: 's' }), execute('p'), sync()]),
    readies: 1,
  }),
};

const texts = (heard: readonly Heard[]): string =>
  heard.map(({ type, body }) => `${type}${body.toString('latin1')}`).join('\n');

async function dialogue(client: Client, bytes: Buffer, readies = 1, meanwhile?: () => Promise<void>): Promise<string> {
  const from = client.heard.length;
  await client.send(bytes);
  await meanwhile?.();
  await client.hears('Z', readies);
  return texts(client.heard.slice(from));
}

const owned = (upstreamUrl?: string) => async (t: Parameters<typeof startAccessProxy>[0]) => {
  const stage = await startAccessProxy(t, server, yaml, upstreamUrl === undefined ? {} : { upstreamUrl });
  await server.query(
    'DROP TRIGGER audited ON orders; DROP TRIGGER told ON orders; ALTER TABLE orders OWNER TO shop_owner',
  );
  await server.query(
    'GRANT USAGE, CREATE ON SCHEMA public TO shop_owner; REVOKE CREATE ON SCHEMA other FROM shop_client',
  );
  return stage;
};
const stage = owned();

/** The process that waits for a lock, once there is one. */
async function waits(): Promise<unknown> {
  for (;;) {
    const [row] = await server.query("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    if (row) return row.pid;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function holder(t: Parameters<typeof startAccessProxy>[0]): Promise<Client> {
  const client = await Client.open({ host: '127.0.0.1', ...{ port: server.port, ...superuser } });
  await client.logIn();
  t.teardown(() => client.hangUp());
  return client;
}
const { username: user, password, pathname } = new URL(server.url());
const superuser = { user, password, database: pathname.slice(1) };

t.test('what comes behind it in the same breath is nobody’s but the login’s, run or failed', async (t) => {
  const { person, raw, harness } = await stage(t);
  for (const [protocol, send] of Object.entries(protocols)) {
    for (const sql of [runs, fails]) {
      const client = await raw();
      const { bytes, readies } = send(sql);
      const asked = person.shown.length;
      const heard = await dialogue(client, bytes, readies, async () => {
        await person.sees(asked + 1);
        person.says(once);
      });
      t.match(heard, sql === runs ? /CREINDEX/ : /C23505/, `${protocol}: ${sql}`);
      t.notMatch(heard, /i am shop_owner/, `${protocol}: ${sql}`);
      if (protocol === 'a pipeline') t.equal(/i am shop_client/.test(heard), sql === runs, 'skipped behind an error');
      if (readies === 2) t.match(heard, itself, protocol);
      t.match(await dialogue(client, query(whoSql)), itself, `${protocol}: ${sql}`);
      await client.hangUp();
      await server.query('DROP INDEX IF EXISTS made');
    }
  }
  const ran = harness.recorder.of('outcome').filter(({ role }) => role === 'shop_owner');
  t.equal(ran.length, harness.recorder.of('grant').length);
});

t.test('cancelled by its client, or by the end of its time, while it runs', async (t) => {
  const { person, raw, harness } = await stage(t);
  const lock = await holder(t);
  for (const by of ['client', 'window'] as const) {
    for (const [protocol, send] of Object.entries(protocols)) {
      const client = await raw();
      const { windows } = harness.journal;
      if (by === 'window') windows.open({ access: 'keep-house', channel: 'dbguard approvals' });
      await dialogue(lock, query('BEGIN; LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE'));
      const { bytes, readies } = send('VACUUM orders');
      const asked = person.shown.length;
      const heard = await dialogue(client, bytes, readies, async () => {
        if (by === 'client') {
          await person.sees(asked + 1);
          person.says(once);
        }
        await waits();
        if (by === 'client') await client.cancel(false);
        else windows.end('keep-house');
      });
      t.match(heard, /C57014/, `${by}, ${protocol}`);
      t.notMatch(heard, /i am shop_owner/, `${by}, ${protocol}`);
      await dialogue(lock, query('ROLLBACK'));
      t.match(await dialogue(client, query(whoSql)), itself, `${by}, ${protocol}`);
      await client.hangUp();
    }
  }
});

t.test('a client that goes leaves no session that is the role', async (t) => {
  const { person, raw } = await stage(t);
  const lock = await holder(t);
  await dialogue(lock, query('BEGIN; LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE'));
  const client = await raw();
  await client.send(query('VACUUM orders'));
  await person.sees(1);
  person.says(once);
  const pid = await waits();
  await client.hangUp();
  await dialogue(lock, query('ROLLBACK'));
  while ((await server.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 20));
  t.pass('it has ended');
});

t.test('a limit of time that cuts the way back short ends the connection', async (t) => {
  const { person, raw } = await stage(t);
  const client = await raw();
  await dialogue(client, query("SET statement_timeout = '1us'"));
  for (const attempt of [1, 2]) {
    const from = client.heard.length;
    await client.send(query(runs));
    const denied = () => /dbguard did not run|C57014|CREINDEX|FATAL/.test(texts(client.heard.slice(from)));
    while (!denied()) {
      if (person.shown.length >= attempt) person.says(once);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  t.notMatch(texts(client.heard), /i am shop_owner/);
});

t.test('behind a connection pooler, where others would get the session, it does not run', async (t) => {
  const relay = createServer((socket) => {
    const upstream = connect(server.port, '127.0.0.1');
    socket.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      const at = chunk.indexOf(Buffer.from('K\0\0\0', 'latin1'));
      if (at >= 0) chunk.writeUInt32BE(4242, at + 5);
      socket.write(chunk);
    });
    for (const one of [socket, upstream])
      one.on('error', () => undefined).on('close', () => [socket, upstream].map((each) => each.destroy()));
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  t.teardown(() => relay.close());
  const { port } = relay.address() as { port: number };
  const url = new URL(server.url('postgres', agent.user, agent.password));
  url.port = String(port);
  const { person, raw } = await owned(url.href)(t);
  const client = await raw();
  const heard = await dialogue(client, query(runs), 1, async () => {
    await person.sees(1);
    person.says(once);
  });
  t.match(heard, /C42501[\s\S]*did not run this statement as shop_owner: between dbguard and the server/);
  t.match(await dialogue(client, query(whoSql)), itself);
});

t.test('in a transaction the server says itself that it cannot be, and nobody is asked', async (t) => {
  const { person, raw } = await stage(t);
  const client = await raw();
  await dialogue(client, query('BEGIN'));
  t.match(await dialogue(client, query('VACUUM orders')), /C25001/);
  t.equal(person.shown.length, 0);
  await dialogue(client, query('ROLLBACK'));
  const denied = dialogue(client, query('VACUUM orders'));
  await person.sees(1);
  person.says(no);
  t.match(await denied, /C42501/);
});
