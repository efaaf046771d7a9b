/** How connections end, from either side and at any moment: nobody else suffers, nothing stays behind, and the transcript tells. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Test, test } from 'tap';
import { DbguardError } from '../../../src/errors.js';
import type { Answer } from '../../../src/proxy/statement/asker.js';
import { startPostgres, type TestPostgres } from '../../helpers/postgres.js';
import { type ProxyInProcess, startProxyInProcess } from '../../helpers/proxy-in-process.js';
import { Client } from '../../helpers/wire-client.js';
import {
  bind,
  copyData,
  execute,
  message,
  parse,
  query,
  run,
  specialRequest,
  startup,
  sync,
} from '../../helpers/wire-messages.js';
import { everything, named } from '../../proxy/policies.js';

async function world(t: Test, options: Partial<Parameters<typeof startProxyInProcess>[0]> = {}) {
  const postgres = await startPostgres();
  const harness = await startProxyInProcess({ upstreamUrl: postgres.url(), policy: everything, ...options });
  t.teardown(async () => {
    await harness.close();
    await postgres.stop();
  });
  return { postgres, harness };
}

async function loggedIn(harness: ProxyInProcess): Promise<Client> {
  const client = await Client.open(harness.target);
  await client.logIn();
  return client;
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error(`never came true: ${what}`);
}

const clientBackends = `SELECT count(*)::int AS n FROM pg_stat_activity
  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;

/** No socket, no place in any list, no backend. */
async function nothingLeft({ postgres, harness }: { postgres: TestPostgres; harness: ProxyInProcess }): Promise<void> {
  await until('no connection is left', () => harness.proxy.connections === 0);
  await until('no backend is left', async () => {
    const [row] = await postgres.query<{ n: number }>(clientBackends);
    return row?.n === 0;
  });
}

const codes = (client: Client) =>
  client.heard.filter(({ type }) => type === 'E').map(({ body }) => /\0C(\w{5})\0/.exec(body.toString('latin1'))?.[1]);

test('clients that vanish', async (t) => {
  const place = await world(t);
  const { postgres, harness } = place;
  await postgres.query('CREATE TABLE t (a text)');
  const rows = async () => (await postgres.query('SELECT a FROM t ORDER BY a')).map(({ a }) => a);

  await t.test('what was sent before counts, and its outcome is recorded', async (t) => {
    const client = await loggedIn(harness);
    await client.send(query("INSERT INTO t SELECT 'slow' FROM pg_sleep(0.2)"));
    await client.send(query("INSERT INTO t VALUES ('behind')"));
    await client.hangUp();
    await nothingLeft(place);
    t.strictSame(await rows(), ['behind', 'slow']);
    t.match(harness.recorder.of('outcome'), [{ how: 'done', tag: 'INSERT 0 1' }, { how: 'done' }]);
    t.match(harness.recorder.entries.at(-1), { k: 'connection', event: 'close', reason: 'client closed' });
  });

  await t.test('in the middle of a result that nobody reads', async () => {
    const client = await loggedIn(harness);
    client.pause();
    await client.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"));
    await until('the server is held back', async () => {
      const [row] = await postgres.query<{ n: number }>(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event = 'ClientWrite'",
      );
      return row?.n === 1;
    });
    await client.hangUp();
    await nothingLeft(place);
  });

  await t.test('in the middle of COPY IN: nothing of it stays', async (t) => {
    const client = await loggedIn(harness);
    await client.send(query('COPY t FROM STDIN'));
    await client.hears('G', 1);
    await client.send(copyData('half\nof a li'));
    await client.hangUp();
    await nothingLeft(place);
    t.notOk((await rows()).includes('half'));
  });

  await t.test('in the middle of a message', async () => {
    const client = await loggedIn(harness);
    await client.send(query(`SELECT '${'x'.repeat(10_000)}'`).subarray(0, 5_000));
    await client.hangUp();
    await nothingLeft(place);
  });

  await t.test('in a transaction: rolled back', async (t) => {
    const client = await loggedIn(harness);
    await client.send(query("BEGIN; INSERT INTO t VALUES ('open')"));
    await client.hears('Z', 1);
    await client.hangUp();
    await nothingLeft(place);
    t.notOk((await rows()).includes('open'));
  });

  await t.test('half closed: the answers still come', async (t) => {
    const client = await loggedIn(harness);
    await client.send(query("SELECT 'answer' FROM pg_sleep(0.1)"));
    client.endInput();
    t.ok(await client.hears('Z', 1));
    t.ok(await client.hears('closed', 1));
    await nothingLeft(place);
  });
});

test('a client that vanishes while a person is asked', async (t) => {
  const place = await world(t, { policy: named('asked', 'ask') });
  const { harness, postgres } = place;
  await postgres.query('CREATE TABLE asked (a int)');
  harness.answer = (_request, signal) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => resolve({ decision: 'deny', by: { kind: 'disconnect' } })),
    );
  const client = await loggedIn(harness);
  await client.send(query('INSERT INTO asked VALUES (1)'));
  await until('somebody is asked', () => harness.requests.length === 1);
  await client.hangUp();
  await nothingLeft(place);
  t.strictSame(await postgres.query('TABLE asked'), []);
  t.match(harness.recorder.of('verdict'), [{ decision: 'deny', by: 'disconnect' }]);
});

test('servers that vanish', async (t) => {
  const place = await world(t, { policy: named('asked', 'ask') });
  const { postgres, harness } = place;
  await postgres.query('CREATE TABLE asked (a int)');
  const works = async () => {
    const client = new pg.Client({ connectionString: harness.url() });
    await client.connect();
    const { rows } = await client.query('SELECT 1 AS one');
    await client.end();
    return rows;
  };

  await t.test('stopped fast: the server’s own farewell, in a statement and while idle', async (t) => {
    const [busy, idle] = [await loggedIn(harness), await loggedIn(harness)];
    await busy.send(query('SELECT pg_sleep(60)'));
    await until(
      'it runs',
      async () =>
        (await postgres.query("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'")).length === 1,
    );
    await postgres.restart('fast');
    for (const client of [busy, idle]) {
      t.ok(await client.hears('closed', 1));
      t.strictSame(codes(client), ['57P01']);
    }
    t.strictSame(await works(), [{ one: 1 }]);
    await nothingLeft(place);
    const outcome = harness.recorder.of('outcome').find(({ sqlstate }) => sqlstate === '57P01');
    t.match(outcome, { how: 'failed' });
    const closes = harness.recorder.of('connection').filter(({ reason }) => reason === 'server closed the connection');
    t.equal(closes.length, 2);
  });

  await t.test(
    'crashed: 57P02 as the server says it, or a closed socket, and the outcome is not made up',
    async (t) => {
      const client = await loggedIn(harness);
      const before = harness.recorder.of('outcome').length;
      await client.send(query('SELECT pg_sleep(61)'));
      await until(
        'it runs',
        async () =>
          (await postgres.query("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(61)'")).length === 1,
      );
      await postgres.restart('immediate');
      t.ok(await client.hears('closed', 1));
      t.strictSame(
        codes(client).filter((code) => code !== '57P02'),
        [],
      );
      t.strictSame(await works(), [{ one: 1 }]);
      await nothingLeft(place);
      const [outcome] = harness.recorder.of('outcome').slice(before);
      t.match(outcome?.how, /^(lost|failed)$/);
    },
  );

  await t.test('a backend that is killed takes down its own client alone as far as the server lets it', async (t) => {
    const [client, other] = [await loggedIn(harness), await loggedIn(harness)];
    await client.send(query('SELECT pg_backend_pid()'));
    await client.hears('Z', 1);
    const row = client.heard.find(({ type }) => type === 'D');
    process.kill(Number(row?.body.toString('latin1', 6)), 'SIGKILL');
    t.ok(await client.hears('closed', 1));
    t.ok(await other.hears('closed', 1), 'the server ends everybody, as soon as it has noticed');
    await until('the server has recovered', () =>
      works().then(
        () => true,
        () => false,
      ),
    );
    await nothingLeft(place);
  });

  await t.test('while a person is asked: the question is withdrawn', async (t) => {
    let withdrawn = false;
    harness.answer = (_request, signal) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          withdrawn = true;
          resolve({ decision: 'deny', by: { kind: 'disconnect' } });
        }),
      );
    const client = await loggedIn(harness);
    await client.send(query('INSERT INTO asked VALUES (1)'));
    await until('somebody is asked', () => harness.requests.length === 1);
    await postgres.restart('fast');
    t.ok(await client.hears('closed', 1));
    await nothingLeft(place);
    t.ok(withdrawn);
    t.strictSame(await postgres.query('TABLE asked'), []);
  });

  await t.test('a server that is not there: the client is told in SQL terms', async (t) => {
    await postgres.stop();
    t.teardown(() => undefined);
    const client = await loggedIn(harness);
    t.ok((await client.hears('closed', 1)) || client.closed);
    t.match(codes(client), [/^(08001|08006|57P03)$/]);
  });
});

test('a shutdown', async (t) => {
  const { postgres, harness } = await world(t, { policy: named('asked', 'ask') });
  await postgres.query('CREATE TABLE t (a text); CREATE TABLE asked (a int)');
  harness.answer = (_request, signal) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => resolve({ decision: 'deny', by: { kind: 'nobody' } })),
    );
  const [idle, busy, inTransaction, waiting, copying, pipelining] = await Promise.all(
    Array.from({ length: 6 }, () => loggedIn(harness)),
  );
  if (!idle || !busy || !inTransaction || !waiting || !copying || !pipelining) throw new Error('unreachable');
  await inTransaction.send(query("BEGIN; INSERT INTO t VALUES ('open')"));
  await inTransaction.hears('Z', 1);
  await copying.send(query('COPY t FROM STDIN'));
  await copying.hears('G', 1);
  await copying.send(copyData('first\n'));
  await pipelining.send(
    Buffer.concat([parse("INSERT INTO t SELECT 'pipelined' FROM pg_sleep(0.3)"), bind(), execute()]),
  );
  await busy.send(query("INSERT INTO t SELECT 'under way' FROM pg_sleep(0.3)"));
  await waiting.send(query('INSERT INTO asked VALUES (1)'));
  await until('somebody is asked', () => harness.requests.length === 1);
  const closed = harness.proxy.close(20_000);
  await busy.send(query("INSERT INTO t VALUES ('too late')"));
  await pipelining.send(Buffer.concat([sync(), run("INSERT INTO t VALUES ('too late')"), sync()]));
  await copying.send(copyData('last\n'));
  await copying.send(Buffer.concat([message('c'), query("INSERT INTO t VALUES ('too late')")]));
  await closed;
  const answers = (client: Client) =>
    client.heard
      .map(({ type }) => type)
      .filter((type) => 'CEZ'.includes(type))
      .slice(1);
  t.strictSame(answers(idle), ['E']);
  t.strictSame(answers(busy), ['C', 'Z', 'E']);
  t.strictSame(answers(pipelining), ['C', 'Z', 'E']);
  t.strictSame(answers(copying), ['C', 'Z', 'E']);
  t.strictSame(answers(inTransaction).slice(-2), ['Z', 'E']);
  t.strictSame(answers(waiting), ['E'], 'nobody has to answer for it any more');
  for (const client of [idle, busy, inTransaction, waiting, copying, pipelining])
    t.strictSame(codes(client), ['57P01']);
  const rows = (await postgres.query('SELECT a FROM t ORDER BY a')).map(({ a }) => a);
  t.strictSame(rows, ['first', 'last', 'pipelined', 'under way']);
  t.strictSame(await postgres.query('TABLE asked'), []);
});

test('a statement that outlives the shutdown is cancelled, and the transcript says so', async (t) => {
  const { postgres, harness } = await world(t);
  const client = await loggedIn(harness);
  await client.send(query('SELECT pg_sleep(62)'));
  await until(
    'it runs',
    async () =>
      (await postgres.query("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(62)'")).length === 1,
  );
  await harness.proxy.close(0);
  t.match(harness.recorder.of('outcome'), [{ how: 'failed', sqlstate: '57014' }]);
  t.equal((await postgres.query("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(62)'")).length, 0);
});

test('a journal that fails', async (t) => {
  const place = await world(t, { policy: named('asked', 'ask') });
  const { postgres, harness } = place;
  await postgres.query('CREATE TABLE t (a text); CREATE TABLE asked (a int)');
  let settle: (answer: Answer) => void = () => undefined;
  harness.answer = () =>
    new Promise((resolve) => {
      settle = resolve;
    });
  const [busy, asking, idle, next, parsing] = await Promise.all(Array.from({ length: 5 }, () => loggedIn(harness)));
  if (!busy || !asking || !idle || !next || !parsing) throw new Error('unreachable');
  await busy.send(query("INSERT INTO t SELECT 'before' FROM pg_sleep(0.3)"));
  await asking.send(query('INSERT INTO asked VALUES (1)'));
  await until('somebody is asked', () => harness.requests.length === 1);
  harness.recorder.broken = new DbguardError('journal-unwritable', 'the disk is full', { hint: 'Make room.' });
  await next.send(query("INSERT INTO t VALUES ('unrecorded')"));
  await next.hears('closed', 1);
  t.strictSame(codes(next), ['58030'], 'whose statement met it is told');
  settle({ decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' });
  await Promise.all([busy.hears('closed', 1), asking.hears('E', 1)]);
  const late = await loggedIn(harness);
  await late.hears('closed', 1);
  t.strictSame(codes(late), ['58030'], 'who comes later is turned away in the same words');
  await parsing.send(Buffer.concat([parse('SELECT 1'), sync()]));
  await parsing.hears('closed', 1);
  t.strictSame(codes(parsing), ['58030'], 'a text that is only parsed must be recorded, too');
  await Promise.all([idle, asking].map((client) => client.hangUp()));
  await nothingLeft(place);
  t.strictSame(await postgres.query('SELECT a FROM t'), [{ a: 'before' }], 'nothing ran unrecorded');
  t.strictSame(await postgres.query('TABLE asked'), []);
  await harness.proxy.close(0);
});

test('strangers at the door', async (t) => {
  const place = await world(t, { maxConnections: 2, timeouts: { handshakeMs: 600, lingerMs: 600 } });
  const { harness, postgres } = place;
  const knock = async (...pieces: readonly (Buffer | string)[]): Promise<{ socket: Socket; heard: () => string }> => {
    const socket = connect(harness.target.port, harness.target.host);
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    for (const piece of pieces) socket.write(piece);
    return { socket, heard: () => heard };
  };
  const answer = async (...pieces: readonly (Buffer | string)[]): Promise<string> => {
    const { socket, heard } = await knock(...pieces);
    await once(socket, 'close');
    return heard();
  };
  const fatal = (code: string) => new RegExp(`^N?ESFATAL\0VFATAL\0C${code}\0`.replace('E', 'E[^]{4}'));

  await t.test('bytes behind SSLRequest and GSSENCRequest', async (t) => {
    for (const code of [5679, 5680] as const) {
      t.match(await answer(Buffer.concat([specialRequest(code), Buffer.from('x')])), fatal('08P01'));
    }
  });

  await t.test('a TLS handshake that nobody asked for is cut off', async (t) => {
    const hello = Buffer.from('16030100050100000100', 'hex');
    t.match(await answer(hello), fatal('08P01'));
    const { socket, heard } = await knock(specialRequest(5679));
    await until('an answer', () => heard() === 'N');
    socket.write(hello);
    await once(socket, 'close');
    t.match(heard(), fatal('08P01'));
  });

  await t.test('encryption is offered once each, and no more', async (t) => {
    const { socket, heard } = await knock(specialRequest(5680));
    await until('an answer', () => heard().length === 1);
    socket.write(specialRequest(5679));
    await until('an answer', () => heard().length === 2);
    t.equal(heard(), 'NN');
    socket.write(specialRequest(5679));
    await once(socket, 'close');
    t.match(heard().slice(1), fatal('08P01'));
  });

  await t.test('replication', async (t) => {
    for (const replication of ['true', 'database', 'on', '1', 'yes']) {
      const client = await Client.open(harness.target);
      await client.logIn({ replication });
      t.strictSame(codes(client), ['42501'], replication);
      await client.hangUp();
    }
  });

  await t.test('a wrong password: the same words and the same mechanism for a user that nobody knows', async (t) => {
    const heard = [];
    for (const wrong of [{ password: 'wrong' }, { password: 'wrong', user: 'stranger' }]) {
      const client = await Client.open({ ...harness.target, ...wrong });
      await client.logIn();
      heard.push(client.heard.map(({ type, body }) => `${type} ${body.length}`));
      t.strictSame(codes(client), ['28P01']);
      await client.hangUp();
    }
    t.equal(heard[0]?.length, heard[1]?.length);
    const client = await Client.open({ ...harness.target, user: 'stranger' });
    await client.logIn();
    t.strictSame(codes(client), ['28000'], 'with the password, what is wrong is said');
    await client.hangUp();
  });

  await t.test('whoever says nothing, too little, or one byte at a time, is cut off', async (t) => {
    const slow = await knock();
    const drip = await knock();
    const dripping = setInterval(() => drip.socket.write('\0'), 50);
    const half = await knock(specialRequest(5679).subarray(0, 5));
    const deaf = await knock(specialRequest(5679, Buffer.alloc(4)));
    const neverHangsUp = await knock(specialRequest(5678, Buffer.alloc(8)));
    await Promise.all([slow, drip, half, deaf, neverHangsUp].map(({ socket }) => once(socket, 'close')));
    clearInterval(dripping);
    await nothingLeft(place);
    t.match(slow.heard(), fatal('08P01'));
    t.equal(neverHangsUp.heard(), '', 'a cancel request is never answered');
  });

  await t.test('one client too many: 53300 after the password, and strangers take no place', async (t) => {
    const strangers = await Promise.all(Array.from({ length: 10 }, () => knock()));
    const guests = [await loggedIn(harness), await loggedIn(harness)];
    const third = await loggedIn(harness);
    t.strictSame(codes(third), ['53300']);
    t.strictSame(guests.flatMap(codes), []);
    await guests[0]?.hangUp();
    await until('a place is free', () => harness.proxy.connections < 13);
    await third.hangUp();
    await until('a place is free', async () => {
      const fourth = await loggedIn(harness);
      const taken = codes(fourth).length === 0;
      await fourth.hangUp();
      return taken;
    });
    for (const { socket } of strangers) socket.destroy();
    for (const guest of guests) await guest.hangUp();
    await nothingLeft(place);
  });

  await t.test('far too many: cut off at once', async () => {
    const all = await Promise.all(Array.from({ length: 200 }, () => knock().catch(() => undefined)));
    await until('the rest is cut off', () => harness.proxy.connections <= 34);
    for (const one of all) one?.socket.destroy();
    await nothingLeft(place);
    await postgres.query('SELECT 1');
  });
});

test('the server is dialled before the password is known, and only for the right user', async (t) => {
  const place = await world(t);
  const { postgres, harness } = place;
  const backends = async (): Promise<number> => (await postgres.query<{ n: number }>(clientBackends))[0]?.n ?? 0;
  const { user, database } = harness.target;
  const silent = await Client.open(harness.target);
  await silent.send(startup({ user, database }, [3, 0]));
  await until('a backend waits', async () => (await backends()) === 1);
  t.same(harness.recorder.entries, [], 'no client has come yet');
  await silent.hangUp();
  await nothingLeft(place);
  await until('the log has it, too', () => harness.recorder.size > 0);
  t.match(harness.recorder.entries.at(-1), { k: 'connection', event: 'own', database, user });

  const stranger = await Client.open(harness.target);
  await stranger.send(startup({ user: 'somebody', database }, [3, 0]));
  await until('asked for a password', () => stranger.heard.some(({ type }) => type === 'R'));
  t.equal(await backends(), 0);
  await stranger.hangUp();

  const before = harness.recorder.size;
  const client = await loggedIn(harness);
  t.match(harness.recorder.entries.slice(before), [{ k: 'connection', event: 'open' }], 'one entry, one connection');
  t.equal(await backends(), 1);
  await client.hangUp();
  await nothingLeft(place);
});

test('who leaves while the server lets dbguard in: what the server has logged, the transcript has', async (t) => {
  const postgres = await startPostgres({ settings: { log_connections: 'on', log_line_prefix: '%p %r ' } });
  const ports = new Set<number>();
  // the server's words arrive late, one after the other
  const relay = createServer((near) => {
    const far = connect(Number(new URL(postgres.url()).port), '127.0.0.1', () => ports.add(far.localPort ?? 0));
    near.on('error', () => far.destroy()).pipe(far);
    far.on('data', (chunk: Buffer) => setTimeout(() => near.write(chunk), 60)).on('error', () => near.destroy());
    far.on('close', () => near.end());
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const url = new URL(postgres.url());
  url.port = String((relay.address() as AddressInfo).port);
  const harness = await startProxyInProcess({ upstreamUrl: url.href, policy: everything });
  t.teardown(async () => {
    await harness.close();
    relay.close();
    await postgres.stop();
  });
  const logged = (): number[] =>
    [...postgres.log().matchAll(/^(\d+) 127\.0\.0\.1\((\d+)\) .*connection authorized/gm)].flatMap(([, pid, port]) =>
      ports.has(Number(port)) ? [Number(pid)] : [],
    );
  const told = () => new Set(harness.recorder.of('connection').map(({ backendPid }) => backendPid));
  const { user, database } = harness.target;
  for (const leaves of ['before its password', 'right after it'] as const) {
    for (const after of [0, 60, 120, 180, 240, 300, 360]) {
      const client = await Client.open(harness.target);
      if (leaves === 'right after it') client.logIn().catch(() => {});
      else await client.send(startup({ user, database }, [3, 0]));
      await sleep(after);
      await client.hangUp();
    }
  }
  await until(
    'nobody is there any more',
    async () => (await postgres.query<{ n: number }>(clientBackends))[0]?.n === 0,
  );
  t.ok(logged().length > 0, 'the server has let some in');
  await until('all of them are told', () => logged().every((pid) => told().has(pid)));
});
