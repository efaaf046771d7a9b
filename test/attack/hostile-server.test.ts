/** A server that has logged us in and then wants our memory or our time: each bound is said, and ends it. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import t, { type Test } from 'tap';
import { ControlConnection } from '../../src/io/catalog/control-connection.js';
import { connectUpstream } from '../../src/io/upstream/connect.js';
import { resolveUpstream } from '../../src/io/upstream/resolve.js';
import { Outgoing } from '../../src/proxy/outgoing.js';
import { ServerSide } from '../../src/proxy/server/server-side.js';
import { encodeAuthenticationOk } from '../../src/wire/authentication.js';
import { encodeNotice } from '../../src/wire/backend.js';
import { backend } from '../../src/wire/messages.js';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyInProcess } from '../helpers/proxy-in-process.js';
import { type Conversation, fakeServer, ready } from '../io/upstream/fake-server.js';
import { policyOf } from '../proxy/policies.js';

/** Says it a thousand times, or until nobody listens. */
async function repeat(client: Conversation, bytes: Buffer, everyMs: number): Promise<void> {
  for (let times = 0; times < 1000 && client.open; times++) {
    client.send(bytes);
    await sleep(everyMs);
  }
}

function rowOf(length: number): Buffer {
  const header = Buffer.alloc(11);
  header.writeUInt8(backend.dataRow, 0);
  header.writeUInt32BE(length + 10, 1);
  header.writeUInt16BE(1, 5);
  header.writeUInt32BE(length, 7);
  return header;
}

async function control(t: Test, answer: (client: Conversation) => Promise<void>): Promise<ControlConnection> {
  const server = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send(encodeAuthenticationOk(), ready());
    await client.takeMessage();
    await answer(client);
  });
  const upstream = resolveUpstream({ url: `host=127.0.0.1 port=${server.port} user=app sslmode=disable` }, {});
  return new ControlConnection(() => connectUpstream(upstream, new Map()));
}

const notice = encodeNotice({ severity: 'NOTICE', code: '00000', message: 'x'.repeat(8000) });

for (const [name, timeoutMs, says, answer] of [
  ['a row of 1 GB', 60_000, /more than 128 MiB/, (client) => repeat(client, Buffer.alloc(1 << 20), 1)],
  ['notices without end', 500, /in time/, (client) => repeat(client, notice, 10)],
  ['a byte now and then', 500, /in time/, (client) => repeat(client, Buffer.from('N'), 50)],
  ['silence', 500, /in time/, () => Promise.resolve()],
] as const satisfies readonly (readonly [string, number, RegExp, (client: Conversation) => Promise<void>])[]) {
  t.test(`dbguard's own connection: ${name}`, async (t) => {
    const connection = await control(t, async (client) => {
      if (name.startsWith('a row')) client.send(rowOf(0x3fff0000));
      await answer(client);
    });
    await t.rejects(connection.ask('SELECT 1', [], timeoutMs), { message: says });
    await connection.close();
  });
}

t.test('a message that would have to be held ends the connection by its announced length alone', async (t) => {
  for (const type of [backend.dataRow, backend.errorResponse, backend.noticeResponse, backend.parameterStatus]) {
    const server = new ServerSide(new Outgoing(), new Map());
    server.cutRows();
    server.responses.expect({ kind: 'query' });
    const header = rowOf(0x3fff0000);
    header.writeUInt8(type, 0);
    t.throws(() => server.receive(header), { message: /more than 128 MiB/ }, String.fromCharCode(type));
  }
});

t.test(
  'an answer to a question in the client’s session that is too long is refused, and the session goes on',
  async (t) => {
    const server = await startPostgres({ version: 18 });
    const told: string[] = [];
    const harness = await startProxyInProcess({
      upstreamUrl: server.url(),
      policy: policyOf((facts) => (facts.statements.some(({ command }) => command === 'DELETE') ? 'ask' : 'allow')),
      impact: async (_candidate, _held, session) => {
        await session?.ask('SET LOCAL statement_timeout = 0');
        for (const sql of [
          `SELECT repeat('x', 150000000)`,
          `SELECT repeat('x', 1000000) FROM generate_series(1, 100)`,
          `SELECT 1 AS fine`,
        ]) {
          const said = await session?.ask(sql).then(
            (rows) => JSON.stringify(rows),
            ({ message }) => message,
          );
          told.push(String(said));
        }
        return { lines: [] };
      },
    });
    t.teardown(async () => {
      await harness.close();
      await server.stop();
    });
    const client = new pg.Client(harness.url());
    await client.connect();
    await client.query('CREATE TABLE orders (id int)');
    await t.rejects(client.query('DELETE FROM orders'), { code: '42501' });
    t.match(told, [/longer than 64 MiB/, /longer than 64 MiB/, /"fine":"1"/]);
    t.match((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
    await client.end();
  },
);
