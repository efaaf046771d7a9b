/**
 * A role for a time: while somebody has said so, what its entry covers runs as the role without a question for each; not a
 * statement more, and not a moment longer, whichever clock is set back or stands still.
 */
import pg from 'pg';
import t from 'tap';
import { chosenVersion, startPostgres } from '../helpers/postgres.js';
import { access, accessPolicy, roles, startAccessProxy } from './access-stage.js';
import { forSession, no } from './attended-proxy.js';

const server = await startPostgres({ version: chosenVersion });
t.teardown(() => server.stop());
await server.query(roles);

const forAWhile = access.replace('    then: ask\n', '    then: ask\n    for: 15m\n');
const opening = { access: 'fix-orders', channel: 'dbguard approvals', reason: 'INC-42' };
const change = "UPDATE orders SET note = 'y' WHERE id = 1";
const whoSql = `SELECT current_user || ' ' || current_setting('role') AS who`;

/** Three clocks that only a test moves. */
function clocks() {
  const times = [0, 0, 0];
  return { times, read: times.map((_, at) => () => times[at] ?? 0) };
}

t.test('what the entry covers runs as the role, unasked, in each protocol and transaction', async (t) => {
  const { person, connect, harness } = await startAccessProxy(t, server, forAWhile);
  harness.journal.windows.open(opening);
  const client = await connect();
  for (const begin of ['', 'BEGIN', 'BEGIN; SAVEPOINT mine']) {
    if (begin) await client.query(begin);
    for (const values of [undefined, [1]]) {
      const sql = `UPDATE orders SET note = 'y' WHERE id = ${values ? '$1' : 1} RETURNING current_user AS who`;
      t.same((await client.query(sql, values)).rows, [{ who: 'shop_writer' }], `${begin} ${sql}`);
      t.same((await client.query(whoSql)).rows, [{ who: 'shop_client none' }]);
    }
    if (begin) await client.query('ROLLBACK');
  }
  t.equal(person.shown.length, 0);
  const [window] = harness.recorder.of('window');
  t.match(window, { event: 'open', access: 'fix-orders', role: 'shop_writer', forMs: 900_000 });
  const grants = harness.recorder.of('grant');
  t.equal(grants.length, 6);
  t.ok(grants.every((grant) => grant.window === window?.n && grant.role === 'shop_writer'));
  t.ok(harness.recorder.of('verdict').every(({ by, decision }) => by === 'rule' && decision === 'allow'));
});

t.test('not a statement more', async (t) => {
  const { person, connect, count, harness } = await startAccessProxy(t, server, forAWhile);
  harness.journal.windows.open(opening);
  const client = await connect();
  await t.rejects(client.query("UPDATE secrets SET word = 'x' WHERE id = 1"), { code: '42501' }, 'another table');
  await t.rejects(client.query('SELECT * FROM secrets'), { code: '42501' }, 'another effect');
  const asOther = client.query("SET ROLE shop_writer; UPDATE orders SET note = 'y' WHERE id = 1");
  await person.sees(1);
  person.says(no);
  await t.rejects(asOther, { code: '42501' }, 'the role itself');
  const shown = person.shown.length;
  const whole = client.query("DELETE FROM orders WHERE note = 'x'");
  const { preview } = await person.sees(shown + 1);
  t.match(preview.why, /5,000 rows.*dbguard undid it/, 'more rows than may pass unasked');
  t.equal(await count('orders'), 5000);
  person.says(no);
  await t.rejects(whole, { code: '42501' });
  const all = client.query('DELETE FROM orders');
  const everything = await person.sees(shown + 2);
  t.match(everything.preview.why, /runs as shop_writer, as somebody said for 1[45]m/);
  person.says(no);
  await t.rejects(all, { code: '42501' });
});

t.test('not a moment longer, by whichever clock', async (t) => {
  for (const at of [0, 1, 2]) {
    const { times, read } = clocks();
    const { person, connect, harness } = await startAccessProxy(t, server, forAWhile, { windowClocks: read });
    harness.journal.windows.open({ ...opening, forMs: 60_000 });
    const client = await connect();
    times[(at + 1) % 3] = -3_600_000;
    times[at] = 59_999;
    await client.query(change);
    t.equal(person.shown.length, 0, `clock ${at}`);
    times[at] = 60_000;
    const late = client.query(change);
    await person.sees(1);
    person.says(no);
    await t.rejects(late, { code: '42501' });
    t.match(harness.recorder.of('window').at(-1), { event: 'end', why: 'time' });
  }
});

t.test('over before its time, and what runs then is cancelled and nothing else', async (t) => {
  const { person, connect, harness } = await startAccessProxy(t, server, forAWhile);
  const { windows } = harness.journal;
  windows.open(opening);
  const [client, other] = [await connect(), await connect()];
  const [lock, unlock] = ["BEGIN; UPDATE orders SET note = 'z' WHERE id = 1", 'ROLLBACK'];
  const holder = new pg.Client(server.url());
  await holder.connect();
  t.teardown(() => holder.end());
  await holder.query(lock);
  const waiting = client.query(change);
  const own = other.query('SELECT pg_sleep(2), 1 AS one');
  await waits(1);
  t.ok(windows.end('fix-orders'));
  await t.rejects(waiting, { code: '57014' });
  t.match((await own).rows, [{ one: 1 }], 'what runs as nobody but the login goes on');
  await holder.query(unlock);
  t.match((await client.query(whoSql)).rows, [{ who: 'shop_client none' }]);
  t.notOk(windows.end('fix-orders'));
  const late = client.query(change);
  await person.sees(1);
  person.says(no);
  await t.rejects(late, { code: '42501' });
});

t.test('opened at a prompt, for all that the entry covers', async (t) => {
  const { person, connect, harness } = await startAccessProxy(t, server, forAWhile);
  const client = await connect();
  const first = client.query(change);
  const asked = await person.sees(1);
  t.equal(asked.sessionObstacle, undefined);
  t.equal(asked.preview.window, '15m');
  person.says(forSession);
  await first;
  await client.query("UPDATE orders SET note = 'y' WHERE id = $1", [2]);
  t.equal(person.shown.length, 1);
  t.match(harness.recorder.of('verdict')[0], { by: 'person', scope: 'once' });
  const [statement] = harness.recorder.of('statement');
  t.match(harness.recorder.of('window'), [{ event: 'open', of: statement?.n, channel: 'terminal' }]);
});

t.test('only as the policy says', async (t) => {
  const strict = `${forAWhile.replace('then: ask', 'reason: required\n    then: ask')}
  - { name: later, role: shop_writer, tables: [later], effects: [insert], then: ask }
  - { name: both, role: shop_writer, tables: [later], effects: [insert], then: second-person, for: 1h }
`;
  const { person, connect, harness } = await startAccessProxy(t, server, strict, { policy: accessPolicy(strict) });
  const { windows } = harness.journal;
  const refusals: readonly (readonly [object, RegExp])[] = [
    [{ access: 'fix' }, /no entry of access by that name/],
    [{ access: 'later' }, /has no "for"/],
    [{ access: 'both' }, /second person/],
    [{ forMs: 900_001 }, /no more than 15m/],
    [{ reason: '' }, /needs a reason/],
    [{ reason: undefined }, /needs a reason/],
  ];
  for (const [more, obstacle] of refusals) t.match(windows.open({ ...opening, ...more }), { obstacle });
  t.same(windows.list(), []);
  t.equal(harness.recorder.of('window').length, 0);
  const client = await connect();
  await t.rejects(client.query(change), { code: '42501', message: /nobody has said why/ });
  windows.open(opening);
  await client.query(change);
  t.equal(person.shown.length, 0);
  t.match(harness.recorder.of('grant'), [{ disclosures: { reason: 'INC-42' } }]);
});

async function waits(count: number): Promise<void> {
  const sql = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
  while ((await server.query(sql)).length < count) await new Promise((resolve) => setTimeout(resolve, 50));
}
