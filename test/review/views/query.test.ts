/** Questions over a bucket, as a lead asks them: SQL, ready ones, in every form of output. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import * as query from '../../../src/cli/commands/transcripts-query.js';
import { viewNames } from '../../../src/review/views/duckdb-sql.js';
import { questionNames } from '../../../src/review/views/questions.js';
import { testIssuer } from '../../transcript/people.js';
import { record } from '../../transcript/recorded.js';
import { commandWorld } from '../command-world.js';
import { busySession } from './busy-session.js';

const issuer = await testIssuer();
const withKeys = { keys: 'keys.json' };

async function worldOf(t: Test, ...people: readonly string[]) {
  const world = commandWorld(t, issuer);
  for (const person of people) await world.store(busySession(await issuer.login(person)));
  const ask = (sql: string, options = {}) => world.run(query, [sql], { ...withKeys, ...options });
  const json = async (sql: string, options = {}) => {
    const { out } = await ask(sql, { format: 'json', ...options });
    return out
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  };
  return { ...world, ask, json };
}

test('what happened is in the views, with its types', async (t) => {
  const { json, ask } = await worldOf(t, 'ada', 'bob');
  t.strictSame(await json('SELECT count(*) AS statements FROM statements'), [{ statements: 10 }]);
  const [session] = await json(`SELECT * FROM sessions WHERE person = 'ada@example.test'`);
  t.match(session, {
    ...{ verified: true, verification: 'proven', state: 'complete', findings: [], statements: 5, asked: 2, denied: 1 },
    ...{ agent: 'claude', connection: 'shop', environment: 'production', proven_level: 'nonce', subject: 'ada' },
    ...{ opened_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/ },
  });
  const [update] = await json(`SELECT * FROM statements WHERE list_contains(effects, 'update') LIMIT 1`);
  t.match(update, {
    ...{ sql: /^UPDATE public.orders/, commands: ['UPDATE'], writes: ['public.orders'], decision: 'allow', n: 5 },
    ...{ unbounded: false, redacted: false, sql_length: 47, verified: true, connection: 'shop' },
  });
  t.match(await json(`SELECT * FROM outcomes WHERE tag = 'UPDATE 3'`), [{ row_count: 3, us: 1200 }, { row_count: 3 }]);
  t.match(await json('SELECT * FROM verdicts ORDER BY time LIMIT 1'), [
    { decision: 'deny', decided_by: 'person', waited_ms: 1500, reason: 'not on a Friday' },
  ]);
  t.match(await json(`SELECT role, reason, lacking FROM grants WHERE kind = 'grant' LIMIT 1`), [
    { role: 'fixer', reason: 'INC-42', lacking: ['delete public.orders'] },
  ]);
  t.match(await json(`SELECT login, backend_pid FROM connections WHERE event = 'open' LIMIT 1`), [
    { login: 'app', backend_pid: 4711 },
  ]);
  t.strictSame(await json('SELECT * FROM recordings'), []);
  t.match(await ask('SELECT sql FROM statements WHERE false'), { code: 0, out: 'sql\n', err: 'No rows.\n' });
  t.match(await ask('SELECT 1', { day: '2001-02-03' }), { code: 0 });
  t.match(await json('SELECT count(*) AS n FROM sessions', { day: '2001-02-03' }), [{ n: 0 }]);
});

test('table, CSV and Parquet', async (t) => {
  const { ask, json, root } = await worldOf(t, 'ada');
  const sql = `SELECT '=1+1' AS "=f", -5 AS number, 'a "b", c' AS quoted, ['x', NULL] AS list, NULL AS nothing, e'line\\nbreak' AS lines`;
  const csv = await ask(sql, { format: 'csv' });
  t.equal(csv.out, `'=f,number,quoted,list,nothing,lines\n'=1+1,-5,"a ""b"", c","[""x"",null]",,"line\nbreak"\n`);
  const table = await ask(`SELECT 'x' AS a, 12 AS number UNION ALL SELECT 'yyy', 3 ORDER BY a`);
  t.equal(table.out, 'a    number\nx        12\nyyy       3\n');
  t.match(await json('SELECT 9007199254740993 AS large, 1.5 AS d, true AS yes'), [
    { large: '9007199254740993', d: '1.5', yes: true },
  ]);
  t.equal((await ask('FROM statements -- all', { format: 'parquet', to: 'all.parquet' })).code, 0);
  t.equal(readFileSync(join(root, 'all.parquet')).subarray(0, 4).toString(), 'PAR1');
  t.equal((await ask('FROM sessions;', { format: 'parquet', to: 'sessions.parquet' })).code, 0);
  await t.rejects(ask('FROM statements', { format: 'parquet' }), { code: 'usage' });
  await t.rejects(ask('FROM statements', { to: 'x' }), { code: 'usage' });
  await t.rejects(ask('FROM statements', { format: 'xml' }), { code: 'usage' });
});

test('each ready question has an answer, and says what it wants', async (t) => {
  const { run } = await worldOf(t, 'ada');
  const ask = (...args: string[]) => run(query, args.slice(1), { ...withKeys, ask: args[0] as never, format: 'csv' });
  const answers: Record<(typeof questionNames)[number], RegExp> = {
    'who-touched': /ada@example.test,claude,\w{26},\d+,"update, read",allow,done,3,UPDATE/,
    denied: /deny,person,,,not on a Friday,"DROP TABLE ""public"".""invoices"""/,
    'top-writers': /ada@example.test,claude,public.orders,2,4,/,
    'masked-reads': /not declared,public.notes.note: email,1,[\s\S]*masked,public.orders.email,1,/,
    'unused-grants': /fix-orders,fixer,15,INC-43/,
    agents: /^claude,1,1,5,2,1,/m,
  };
  for (const name of questionNames) {
    const { out } = await ask(name, ...(name === 'who-touched' ? ['orders'] : []));
    t.match(out, answers[name], name);
  }
  for (const table of ['ORDERS', 'public.orders']) t.match((await ask('who-touched', table)).out, /UPDATE/, table);
  t.match((await ask('who-touched', 'public.notes')).out, /SELECT note/, 'a text that names no schema may mean it');
  t.notMatch((await ask('who-touched', 'other.orders')).out, /UPDATE/);
  await t.rejects(ask('who-touched'), { code: 'usage', message: /takes TABLE/ });
  await t.rejects(ask('agents', 'x'), { code: 'usage' });
  await t.rejects(ask('agent'), { code: 'usage', hint: /agents/ });
  await t.rejects(run(query, [], withKeys), { code: 'usage', hint: /who-touched/ });
  const { out } = await run(query, [], { views: true });
  for (const name of [...viewNames, ...questionNames]) t.match(out, name);
});

test('what nothing proves is left out, and said; asked for, it is counted, and said', async (t) => {
  const { json, ask, store } = await worldOf(t, 'ada');
  const running = record(await issuer.login('bob'), { final: false, statements: 3 });
  const tail = running.segments.at(-1)?.splice(-1, 1);
  t.match(tail?.[0], /^\{"size":/, 'its last entries are not signed');
  await store(running);
  await store(busySession(await (await testIssuer()).login('eve')));
  const sql = 'SELECT verification, verified, count(*) AS n FROM statements GROUP BY ALL ORDER BY ALL';
  t.strictSame(await json(sql), [
    { verification: 'proven', verified: true, n: 5 },
    { verification: 'unproven', verified: true, n: 2 },
  ]);
  const told = await ask(sql);
  t.match(told.err, /Of 3 sessions 1 not all proven, 1 changed or forged/);
  t.match(told.err, /LEFT OUT: \d+ rows of 2 sessions that nothing proves/);
  t.match(await json(sql, { unproven: true }), [
    { verification: 'invalid', verified: false, n: 5 },
    { verification: 'proven', verified: true, n: 5 },
    { verification: 'unproven', verified: false, n: 1 },
    { verification: 'unproven', verified: true, n: 2 },
  ]);
  t.match((await ask(sql, { unproven: true })).err, /COUNTED AS WELL/);
  t.match(await json('SELECT person FROM sessions WHERE NOT verified', { unproven: true }), [
    { person: 'eve@example.test' },
  ]);
  const { out, err } = await ask('SELECT count(*) AS n FROM sessions', {
    keys: undefined,
    offline: true,
    format: 'csv',
  });
  t.equal(out, 'n\n0\n', 'without keys nobody is proven');
  t.match(err, /LEFT OUT: \d+ rows of 3 sessions/);
});

test('a session id that two people have means two sessions', async (t) => {
  const { json, store } = await worldOf(t);
  const session = record(await issuer.login('ada'));
  const { createSession } = await import('../../../src/identity/session.js');
  const now = Date.now();
  const eve = await issuer.login('eve');
  const credential = createSession(eve, { now, lifetimeMs: 60_000, sid: session.sid });
  await store(session);
  await store(record(eve, { credential, at: now + 1, statements: 2 }));
  const rows = await json(
    'SELECT s.sid, s.person, count(*) AS n FROM sessions s JOIN statements t USING (sid) WHERE s.person = t.person GROUP BY ALL ORDER BY person',
  );
  t.match(rows, [
    { person: 'ada@example.test', n: 4 },
    { person: 'eve@example.test', n: 2 },
  ]);
  for (const { sid } of rows) t.match(sid, new RegExp(`^[0-9a-f]{32}/${session.sid}$`));
});
