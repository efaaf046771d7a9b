/**
 * A connection on request: no client reaches the server before somebody has granted that, and none stays a statement longer,
 * whichever clock is set back or stands still.
 */
import pg from 'pg';
import t, { type Test } from 'tap';
import type { ConnectionAccess } from '../../src/policy/read-connection-access.js';
import { startPostgres } from '../helpers/postgres.js';
import type { InProcessOptions } from '../helpers/proxy-in-process.js';
import { query } from '../helpers/wire-messages.js';
import { no, once, startAttendedProxy } from './attended-proxy.js';

const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());

const usual: ConnectionAccess = { decision: 'ask', forMs: 60_000, atEnd: 'cancel', reasonRequired: false };
const setup = 'CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders VALUES (1, NULL)';
const byHand = { access: 'connection:test', channel: 'dbguard approvals' };

/** Three clocks that only a test moves. */
function clocks() {
  const times = [0, 0, 0];
  return { times, read: times.map((_, at) => () => times[at] ?? 0) };
}

async function stage(t: Test, access: Partial<ConnectionAccess> = {}, options: Partial<InProcessOptions> = {}) {
  const proxy = await startAttendedProxy(t, server, setup, { access: { ...usual, ...access }, ...options });
  /** What its server's error was, once it is gone. */
  const client = () => {
    let resolve: (code: string | undefined) => void = () => undefined;
    const gone = new Promise<string | undefined>((settle) => {
      resolve = settle;
    });
    const one = new pg.Client({ connectionString: proxy.harness.url(), application_name: 'the agent' });
    one.on('error', (error) => {
      if ('code' in error) resolve(String(error.code));
    });
    one.on('end', () => resolve(undefined));
    t.teardown(() => one.end().catch(() => undefined));
    return { one, gone };
  };
  const granted = async () => {
    proxy.harness.journal.windows.open(byHand);
    const { one, gone } = client();
    await one.connect();
    return { one, gone };
  };
  return { ...proxy, client, granted, windows: proxy.harness.journal.windows };
}

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 30));
}

const atServer = async (): Promise<number> =>
  (await server.query("SELECT FROM pg_stat_activity WHERE application_name = 'the agent'")).length;

t.test('the first client asks, the others wait for the same answer, and nothing is dialled before it', async (t) => {
  const { person, client, harness } = await stage(t);
  const [first, second] = [client().one, client().one];
  const connected = Promise.all([first.connect(), second.connect()]);
  const { preview, request } = await person.sees(1);
  t.equal(preview.headline, 'Let clients connect for 1m');
  t.equal(preview.statement, 'connect to test for 1m');
  t.match(preview.impact[0]?.text, /what still runs is cancelled/);
  t.equal(await atServer(), 0);
  const opened = () => harness.recorder.of('connection').filter(({ event }) => event === 'open');
  t.same(opened(), []);
  person.says(once);
  await connected;
  t.same((await second.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  const third = client().one;
  await third.connect();
  t.equal(person.shown.length, 1);
  const [asked] = harness.recorder.of('statement');
  t.match(asked, {
    n: request.entry,
    protocol: 'connection',
    decision: 'ask',
    disclosures: { sql: preview.statement },
  });
  t.match(harness.recorder.of('verdict'), [{ of: asked?.n, decision: 'allow', by: 'person', channel: 'terminal' }]);
  const [window] = harness.recorder.of('window');
  t.match(window, { event: 'open', connection: 'test', forMs: 60_000, of: asked?.n });
  t.notOk(window && 'role' in window && window.role !== undefined);
  // which process is behind a client stands in an entry of its own, when that has been found out
  t.same(
    opened().map((one) => one.window),
    [window?.n, window?.n, window?.n],
  );
});

t.test('who is denied is told how to ask, and is not asked about again at once', async (t) => {
  const { person, client } = await stage(t);
  const refused = client().one.connect();
  await person.sees(1);
  person.says({ ...no, reason: 'not today' } as typeof no);
  const said = { code: '28000', message: /on request only.*denied: not today/, hint: /tell the person you work for/ };
  await t.rejects(refused, said);
  await t.rejects(client().one.connect(), { code: '28000', message: /a person denied the same one/ });
  t.equal(person.shown.length, 1);
  t.equal(await atServer(), 0);
});

t.test('a client that does not wait leaves its question behind', async (t) => {
  const { person, client, harness } = await stage(t);
  const impatient = client();
  const attempt = impatient.one.connect();
  await person.sees(1);
  // as a driver does whose time to connect is over
  Reflect.get(impatient.one, 'connection').stream.destroy();
  await t.rejects(attempt);
  person.says(once);
  await until(() => harness.recorder.of('window').length === 1);
  await client().one.connect();
  t.equal(person.shown.length, 1);
});

t.test('granted from elsewhere while somebody is asked, and ended there', async (t) => {
  const { person, desk, client, windows, harness } = await stage(t);
  const { one, gone } = client();
  const connected = one.connect();
  await person.sees(1);
  t.notMatch(windows.open({ ...byHand, reason: 'INC-42' }), { obstacle: String });
  await connected;
  t.equal(desk.pending.length, 0);
  t.match(harness.recorder.of('verdict'), [{ decision: 'deny', by: 'cancel' }]);
  t.match(harness.recorder.of('window'), [{ connection: 'test', disclosures: { reason: 'INC-42' } }]);
  t.ok(windows.end(byHand.access));
  t.equal(await gone, '57P01');
  await until(async () => (await atServer()) === 0);
});

t.test('over by whichever clock, before the next statement', async (t) => {
  for (const at of [0, 1, 2]) {
    const { times, read } = clocks();
    const { granted, harness } = await stage(t, {}, { windowClocks: read });
    const { one, gone } = await granted();
    times[(at + 1) % 3] = -3_600_000;
    times[at] = 59_999;
    await one.query('UPDATE orders SET note = NULL WHERE id = 1');
    const before = harness.recorder.of('statement').length;
    times[at] = 60_000;
    const said = await one.query("UPDATE orders SET note = 'late' WHERE id = 1").then(
      () => 'it ran',
      (error) => error.code,
    );
    // the clocks are looked at once a second as well
    t.ok([said, await gone].includes('57P01'), `clock ${at}: ${said}`);
    t.equal(harness.recorder.of('statement').length, before);
    t.match(harness.recorder.of('window').at(-1), { event: 'end', why: 'time' });
    t.same(await server.query('SELECT note FROM orders'), [{ note: null }]);
  }
});

/** What a client is at when the time is over, and what it hears of its statement: undefined where it gets its answer. */
const underWay: Readonly<
  Record<string, { begin?: string; sql?: string; cancelled: string | undefined; finished: string | undefined }>
> = {
  'at rest': { cancelled: undefined, finished: undefined },
  'in a transaction': {
    begin: "BEGIN; UPDATE orders SET note = 'open' WHERE id = 1",
    cancelled: undefined,
    finished: undefined,
  },
  'with a statement that runs': { sql: 'SELECT pg_sleep(3)', cancelled: '57014', finished: undefined },
  'with one in a transaction': {
    begin: "BEGIN; UPDATE orders SET note = 'open' WHERE id = 1",
    sql: 'SELECT pg_sleep(3)',
    cancelled: '57014',
    finished: undefined,
  },
  'with one that a person is asked about': { sql: 'DELETE FROM orders', cancelled: '57P01', finished: '57P01' },
};

for (const atEnd of ['cancel', 'finish'] as const) {
  t.test(`${atEnd}: the time is over for a client`, async (t) => {
    const { person, granted, windows } = await stage(t, { atEnd });
    for (const [name, { begin, sql, cancelled, finished }] of Object.entries(underWay)) {
      const { one, gone } = await granted();
      if (begin) await one.query(begin);
      const asked = person.shown.length;
      const code = sql
        ? one.query(sql).then(
            () => undefined,
            (error) => error.code,
          )
        : Promise.resolve(undefined);
      if (sql?.includes('pg_sleep')) await until(async () => (await sleeping()) === 1);
      else if (sql) await person.sees(asked + 1);
      windows.end(byHand.access);
      t.equal(await code, atEnd === 'cancel' ? cancelled : finished, name);
      const end = await gone;
      if (!sql?.startsWith('DELETE')) t.equal(end, '57P01', name);
      await until(async () => (await atServer()) === 0);
      t.same(await server.query('SELECT note FROM orders'), [{ note: null }], `${name}: nothing of it stays`);
    }
  });
}

const sleeping = async (): Promise<number> =>
  (await server.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length;

t.test('a client that never ends its COPY does not stay', async (t) => {
  const { raw, windows, count } = await stage(t);
  windows.open(byHand);
  const client = await raw();
  await client.send(query('COPY orders FROM STDIN'));
  await client.hears('G', 1);
  windows.end(byHand.access);
  await until(async () => (await server.query("SELECT FROM pg_stat_activity WHERE query LIKE 'COPY%'")).length === 0);
  t.equal(await count('orders'), 1);
});

t.test('only as the policy says', async (t) => {
  const { person, client, windows } = await stage(t, { reasonRequired: true });
  await t.rejects(client().one.connect(), { code: '28000', message: /nobody has said why/, hint: /--reason/ });
  t.match(windows.open(byHand), { obstacle: /needs a reason/ });
  t.match(windows.open({ ...byHand, reason: 'x', forMs: 61_000 }), { obstacle: /no more than 1m/ });
  t.equal(person.shown.length, 0);
  const second = await stage(t, { decision: 'second-person' }, { reason: 'INC-42' });
  t.match(second.windows.open(byHand), { obstacle: /a second person grants it/ });
});
