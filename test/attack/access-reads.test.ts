/**
 * What a login may not read: the server says so of a query in the extended protocol when it is bound. It is asked about
 * all the same, as it would be as a simple query, and the client hears what a login hears that may read it.
 */
import t, { type Test } from 'tap';
import { chosenVersion, startPostgres } from '../helpers/postgres.js';
import { Client, type Heard } from '../helpers/wire-client.js';
import {
  bind,
  closePortal,
  describePortal,
  describeStatement,
  execute,
  flush,
  parse,
  query,
  run,
  sync,
} from '../helpers/wire-messages.js';
import { access, roles, startAccessProxy } from './access-stage.js';
import { no, once } from './attended-proxy.js';

const server = await startPostgres({ version: chosenVersion });
t.teardown(() => server.stop());
await server.query(roles);

const yaml = access.replace('[orders, public.later, walled]', '[secrets]').replace('[insert, ', '[read, insert, ');
const word = 'SELECT id, word FROM secrets WHERE id > $1';
const whoSql = `SELECT 'i am ' || current_user || ' ' || current_setting('role')`;

/** What of it comes before the server is to answer, and how often it is ready. `asked`: it is bound and run in one breath. */
interface Sent {
  readonly parts: readonly Buffer[];
  readonly asked: boolean;
}

const drivers = (value: string): Readonly<Record<string, Sent>> => ({
  'libpq, node-postgres, JDBC': { parts: [Buffer.concat([run(word, [value]), sync()])], asked: true },
  'a statement that was described before': {
    parts: [
      Buffer.concat([parse(word, { name: 's' }), describeStatement('s'), sync()]),
      Buffer.concat([bind([value], { statement: 's' }), execute(), sync()]),
    ],
    asked: true,
  },
  'a named portal, some rows first': {
    parts: [
      Buffer.concat([
        parse(word, { name: 'n' }),
        bind([value], { statement: 'n', portal: 'p', resultFormats: [1] }),
        describePortal('p'),
        execute('p', 1),
        sync(),
      ]),
    ],
    asked: true,
  },
  'one behind the other, a Sync each': {
    parts: [Buffer.concat([run(word, [value]), sync(), run(whoSql), sync()])],
    asked: true,
  },
  'one behind the other': { parts: [Buffer.concat([run(word, [value]), run(whoSql), sync()])], asked: true },
  'row by row over the wire': {
    parts: [Buffer.concat([parse(word), bind([value]), describePortal(), execute(), flush(), sync()])],
    asked: true,
  },
  'described, and not run yet': {
    parts: [Buffer.concat([parse(word), bind([value]), describePortal(), flush(), sync()])],
    asked: false,
  },
  'bound, and closed': {
    parts: [
      Buffer.concat([
        parse(word, { name: 'c' }),
        bind([value], { statement: 'c', portal: 'p' }),
        closePortal('p'),
        sync(),
      ]),
    ],
    asked: false,
  },
});

const texts = (heard: readonly Heard[]): string =>
  heard.map(({ type, body }) => `${type}${body.toString('latin1')}`).join('\n');
const ready = (bytes: Buffer): number => bytes.toString('hex').split(sync().toString('hex')).length - 1;

async function dialogue(client: Client, bytes: Buffer, meanwhile?: () => Promise<void>): Promise<Heard[]> {
  const from = client.heard.length;
  await client.send(bytes);
  await meanwhile?.();
  await client.hears('Z', Math.max(1, ready(bytes)));
  return client.heard.slice(from).filter(({ type, body }) => type !== 'N' || !body.includes('dbguard: waiting'));
}

async function direct(t: Test): Promise<Client> {
  const client = await Client.open({
    host: '127.0.0.1',
    ...{ port: server.port, user: 'shop_direct', password: 'direct', database: 'postgres' },
  });
  await client.logIn();
  t.teardown(() => client.hangUp());
  return client;
}

const alike = (text: string): string => text.replaceAll('shop_direct', 'shop_client');

for (const [transaction, opening] of Object.entries({ idle: '', block: 'BEGIN', savepoint: 'BEGIN; SAVEPOINT mine' })) {
  t.test(`bound as nobody, and asked about when it is run, ${transaction}`, async (t) => {
    const { person, raw, harness } = await startAccessProxy(t, server, yaml);
    let asked = 0;
    let value = 0;
    // what was denied a moment ago is denied unasked
    const all = () => Object.entries(drivers(String(--value)));
    for (const index of all().keys()) {
      for (const verdict of [once, no]) {
        const [driver, { parts, asked: asks }] = all()[index] as [string, Sent];
        const [client, reference] = [await raw(), await direct(t)];
        for (const one of [client, reference]) if (opening) await dialogue(one, query(opening));
        for (const part of parts) {
          const last = part === parts.at(-1);
          const heard = await dialogue(client, part, async () => {
            if (!last || !asks) return;
            await person.sees(asked + 1);
            person.says(verdict);
          });
          if (last && asks) asked++;
          t.equal(person.shown.length, asked, driver);
          t.notMatch(texts(heard), /i am shop_writer/, driver);
          if (last && (verdict === no || !asks)) {
            t.match(texts(heard), asks ? /C42501[\s\S]*denied/ : /C42501|^1[\s\S]*3[\s\S]*ZI|^1/, driver);
            t.notMatch(texts(heard), /hush/, driver);
          } else {
            t.equal(alike(texts(heard)), alike(texts(await dialogue(reference, part))), driver);
          }
        }
        await dialogue(client, query('ROLLBACK'));
        t.match(texts(await dialogue(client, query(whoSql))), /i am shop_client none/, driver);
        t.match(texts(await dialogue(client, query('SELECT 1'))), /SELECT 1/, driver);
        await client.hangUp();
      }
    }
    const ran = harness.recorder.of('outcome').filter(({ role }) => role !== undefined);
    t.equal(ran.length, harness.recorder.of('grant').length);
    t.equal(ran.length, 6);
  });
}

t.test('what a policy of rows leaves to the role, in a plan made anew for it', async (t) => {
  const walled = access.replace('[insert, ', '[read, insert, ');
  const { person, raw } = await startAccessProxy(t, server, walled);
  await server.query('REVOKE SELECT ON walled FROM shop_client');
  const client = await raw();
  const heard = await dialogue(client, Buffer.concat([run('SELECT owner FROM walled'), sync()]), async () => {
    await person.sees(1);
    person.says(once);
  });
  t.match(texts(heard), /shop_writer[\s\S]*SELECT 1/);
});

t.test('locks on rows are asked about as well', async (t) => {
  const { person, raw } = await startAccessProxy(t, server);
  const [client, reference] = [await raw(), await direct(t)];
  for (const one of [client, reference]) await dialogue(one, query('BEGIN'));
  const bytes = Buffer.concat([run('SELECT id FROM orders WHERE id = 1 FOR UPDATE'), sync()]);
  const heard = await dialogue(client, bytes, async () => {
    await person.sees(1);
    person.says(once);
  });
  await dialogue(client, query('ROLLBACK'));
  t.equal(texts(heard), texts(await dialogue(reference, bytes)));
});

t.test('what the login may read is asked about never, and read as ever', async (t) => {
  const { person, connect } = await startAccessProxy(t, server, access.replace('[insert, ', '[read, insert, '));
  const client = await connect();
  for (let turn = 0; turn < 3; turn++) {
    t.same((await client.query('SELECT id FROM orders WHERE id = $1', [1])).rows, [{ id: 1 }]);
    const named = { name: 'again', text: 'SELECT note FROM orders WHERE id = $1', values: [2] };
    t.same((await client.query(named)).rows, [{ note: 'x' }]);
  }
  await t.rejects(client.query('SELECT nothing FROM orders WHERE id = $1', [1]), { code: '42703' });
  await t.rejects(client.query('SELECT id FROM orders WHERE id = $1', ['x']), { code: '22P02' });
  t.same((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  t.equal(person.shown.length, 0);
});
