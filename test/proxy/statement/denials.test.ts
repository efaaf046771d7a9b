/**
 * A denial looks like an error of the server's own at the same place, in every state of the protocol. The reference is a
 * server on which `denied` really fails: a function that raises an error, a table that is not there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, test } from 'tap';
import { differences } from '../../conformance/differences.js';
import { type AdminConnection, openAdminConnection } from '../../helpers/admin-connection.js';
import { type Dialogue, observe, ready, speak, until } from '../../helpers/dialogue.js';
import { play } from '../../helpers/play.js';
import { type PostgresVersion, postgresAvailable, startPostgres } from '../../helpers/postgres.js';
import { type ProxyInProcess, startProxyInProcess } from '../../helpers/proxy-in-process.js';
import { Client } from '../../helpers/wire-client.js';
import {
  bind,
  closePortal,
  copyData,
  copyDone,
  copyFail,
  describeStatement,
  execute,
  flush,
  functionCall,
  parse,
  query,
  run,
  sync,
} from '../../helpers/wire-messages.js';
import { everything, named, policyOf } from '../policies.js';

const setup = 'CREATE TABLE t (a int)';
/** Made once, apart from what each dialogue makes anew: when Bind is held depends on whether the catalog knows the function. */
const lasting = `CREATE SCHEMA lasting; ALTER ROLE ALL SET search_path = public, lasting; CREATE FUNCTION lasting.denied() RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN RAISE insufficient_privilege USING MESSAGE = 'denied'; END $$`;
/** No result columns: the first thing the server says of it is the error. */
const denied = 'INSERT INTO t SELECT denied()';
const insert = 'INSERT INTO t VALUES (1)';
const left = [query('TABLE t'), ready()];

const states: readonly Omit<Dialogue, 'setup'>[] = [
  { name: 'idle', steps: [query(denied), ready(), query('SELECT 1'), ready()] },
  {
    name: 'in a transaction',
    steps: [
      ...[query('BEGIN'), ready(), query(insert), ready(), query(denied), ready()],
      ...[query('SELECT 1'), ready(), query('COMMIT'), ready(), ...left],
    ],
  },
  {
    name: 'behind a savepoint',
    steps: [
      ...[query(`BEGIN; ${insert}; SAVEPOINT s`), ready(), query(denied), ready()],
      ...[query('ROLLBACK TO s'), ready(), query('COMMIT'), ready(), ...left],
    ],
  },
  {
    name: 'several strings in one packet',
    steps: [query(insert), query(denied), query(insert), query(denied), ready(4), ...left],
  },
  {
    name: 'in a pipeline: the rest is skipped, the implicit transaction undone',
    steps: [run(insert), run(denied), run(insert), run(denied), sync(), run('SELECT 1'), sync(), ready(2), ...left],
  },
  {
    name: 'in a pipeline, in a transaction of its own, with Syncs inside',
    steps: [
      ...[run('BEGIN'), sync(), run(insert), run(denied), sync(), run(insert), sync(), run('COMMIT'), sync()],
      ...[ready(4), ...left],
    ],
  },
  {
    name: 'Flush instead of Sync',
    steps: [run('SELECT 1'), run(denied), flush(), until('E'), run('SELECT 2'), flush(), sync(), ready()],
  },
  { name: 'a simple query behind a pipeline without Sync', steps: [run(insert), query(denied), ready(), ...left] },
  {
    name: 'a pipeline behind a simple query',
    steps: [query(denied), run('SELECT 1'), sync(), ready(2)],
  },
  {
    name: 'a named statement and portal live on as far as the transaction lets them',
    steps: [
      ...[parse(denied, { name: 's' }), sync(), ready(), query('BEGIN'), ready()],
      ...[bind([], { statement: 's', portal: 'p' }), execute('p'), sync(), ready(), query('ROLLBACK'), ready()],
      ...[describeStatement('s'), sync(), ready(), closePortal('p'), sync(), ready()],
      ...[bind([], { statement: 's' }), execute('', 1), sync(), ready()],
    ],
  },
  {
    name: 'with a suspended portal, in a transaction',
    steps: [
      ...[query('BEGIN'), ready(), parse('SELECT generate_series(1, 9)'), bind([], { portal: 'p' }), execute('p', 2)],
      ...[
        flush(),
        until('s'),
        run(denied),
        sync(),
        ready(),
        execute('p', 2),
        sync(),
        ready(),
        query('ROLLBACK'),
        ready(),
      ],
    ],
  },
  {
    name: 'with a suspended portal, in an implicit transaction',
    steps: [
      ...[parse('SELECT generate_series(1, 9)'), bind([], { portal: 'p' }), execute('p', 2), run(denied)],
      ...[execute('p', 2), sync(), execute('p', 2), sync(), ready(2)],
    ],
  },
  {
    name: 'between two portions of a suspended portal, healed by a savepoint',
    steps: [
      ...[query('BEGIN; DECLARE c CURSOR FOR SELECT generate_series(1, 9); FETCH 2 FROM c; SAVEPOINT s'), ready()],
      ...[query(denied), ready(), query('ROLLBACK TO s; FETCH 2 FROM c; COMMIT'), ready()],
    ],
  },
  {
    name: 'COPY IN that is denied, its data on the way',
    steps: [
      query('COPY denied FROM STDIN'),
      copyData('1\n'),
      copyData('2\n'),
      copyDone(),
      ready(),
      query('SELECT 1'),
      ready(),
    ],
  },
  {
    name: 'COPY IN that is denied, in a pipeline',
    steps: [
      ...[run(insert), parse('COPY denied FROM STDIN'), bind(), execute(), copyData('1\n'), copyDone(), sync()],
      ...[run('SELECT 1'), sync(), ready(2), ...left],
    ],
  },
  { name: 'COPY OUT that is denied', steps: [query('COPY denied TO STDOUT'), run('SELECT 1'), sync(), ready(2)] },
  {
    name: 'behind COPY IN',
    steps: [query('COPY t FROM STDIN'), copyData('1\n'), copyDone(), query(denied), ready(2), ...left],
  },
  {
    name: 'behind COPY IN, in a pipeline',
    steps: [
      ...[run('COPY t FROM STDIN'), copyData('1\n'), copyDone(), run(denied), sync(), ready(), ...left],
      ...[run('COPY t FROM STDIN'), flush(), until('G'), copyFail('no'), sync(), run(denied), sync(), ready(2)],
    ],
  },
  {
    name: 'in the middle of COPY IN: the server ends the connection, as for any statement there',
    steps: [query('COPY t FROM STDIN'), until('G'), copyData('1\n'), query(denied), until('closed')],
  },
  {
    name: 'in the middle of COPY IN that the server has not even begun',
    steps: [query('COPY t FROM STDIN'), copyData('1\n'), query(denied), until('closed')],
  },
  {
    name: 'in the middle of COPY IN, in a pipeline',
    steps: [run('COPY t FROM STDIN'), copyData('1\n'), run(denied), sync(), until('closed')],
  },
  {
    name: 'notifications go on',
    steps: [
      ...[query('LISTEN n'), ready(), query(denied), ready(), speak('other'), query('NOTIFY n'), ready()],
      ...[speak('first'), until('A'), query(denied), ready()],
    ],
  },
  {
    name: 'locks of a transaction that a denial has failed are gone',
    steps: [
      ...[query('BEGIN; LOCK TABLE t'), ready(), query(denied), ready()],
      observe("SELECT count(*) = 0 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 't'::regclass"),
      ...[query('ROLLBACK'), ready()],
    ],
  },
];

interface Servers {
  readonly reference: ProxyInProcess;
  readonly byRule: ProxyInProcess;
  readonly byPerson: ProxyInProcess;
  /** Of the reference's server, and of the other two's. */
  readonly admin: readonly [AdminConnection['query'], AdminConnection['query']];
}

async function servers(t: Test, version: PostgresVersion): Promise<Servers> {
  const [one, two] = await Promise.all([startPostgres({ version }), startPostgres({ version })]);
  const [first, second] = await Promise.all([openAdminConnection(one.url()), openAdminConnection(two.url())]);
  await Promise.all([first.query(lasting), second.query(lasting)]);
  const [reference, byRule, byPerson] = await Promise.all([
    startProxyInProcess({ upstreamUrl: one.url(), policy: everything }),
    startProxyInProcess({ upstreamUrl: two.url(), policy: named('denied', 'deny'), catalogPollMs: 60_000 }),
    startProxyInProcess({ upstreamUrl: two.url(), policy: named('denied', 'ask'), catalogPollMs: 60_000 }),
  ]);
  byPerson.answer = async () => {
    await sleep(5);
    return { decision: 'deny', by: { kind: 'person' }, reason: 'No.' };
  };
  t.teardown(async () => {
    await Promise.all([reference, byRule, byPerson].map((harness) => harness.close()));
    await Promise.all([first.end(), second.end()]);
    await Promise.all([one.stop(), two.stop()]);
  });
  return { reference, byRule, byPerson, admin: [first.query, second.query] };
}

/** An error is an error; what a person is told while they wait is dbguard's own. */
function comparable(lines: readonly string[]): string[] {
  return lines
    .filter((line) => !line.includes('waiting for a person'))
    .map((line) => line.replace(/ E S(\w+)\\00.*/, ' E $1'));
}

for (const version of [15, 18] as const) {
  test(`PostgreSQL ${version}`, { skip: !postgresAvailable(version) && 'it is not installed' }, async (t) => {
    const { reference, byRule, byPerson, admin } = await servers(t, version);
    for (const state of states) {
      const dialogue: Dialogue = { ...state, setup };
      await t.test(state.name, async (t) => {
        const expected = await play(dialogue, { target: reference.target, admin: admin[0] });
        for (const [who, harness] of Object.entries({ byRule, byPerson })) {
          const heard = await play(dialogue, { target: harness.target, admin: admin[1] });
          t.strictSame(differences(comparable(expected), comparable(heard)), [], who);
          if (!state.name.startsWith('in the middle'))
            t.ok(
              heard.some((line) => / E SERROR.*\\00C42501/.test(line)),
              who,
            );
        }
      });
    }
  });
}

test('one denied statement denies the whole string, before anything of it runs', async (t) => {
  const { byRule, admin } = await servers(t, 18);
  const heard = await play(
    { name: '', setup, steps: [query(`${insert}; ${denied}; ${insert}`), ready(), ...left] },
    { target: byRule.target, admin: admin[1] },
  );
  const types = heard.filter((line) => !line.startsWith('first: S ')).map((line) => line.slice('first: '.length)[0]);
  t.equal(types.join(''), 'KZEZTCZZ');
});

test('a function called by its number', async (t) => {
  const postgres = await startPostgres();
  const policy = policyOf((facts) => (JSON.stringify(facts).includes('1619') ? 'deny' : 'allow'));
  const [reference, harness] = await Promise.all([
    startProxyInProcess({ upstreamUrl: postgres.url(), policy: everything }),
    startProxyInProcess({ upstreamUrl: postgres.url(), policy, catalogPollMs: 60_000 }),
  ]);
  t.teardown(async () => {
    await Promise.all([reference.close(), harness.close()]);
    await postgres.stop();
  });
  const admin = async () => [];
  const call = (oid: number) => [functionCall(oid, ['1', 'x']), ready()];
  const steps = (oid: number) => [...call(oid), query('BEGIN'), ready(), ...call(oid), query('COMMIT'), ready()];
  // function 1 exists nowhere
  const expected = await play({ name: '', steps: steps(1) }, { target: reference.target, admin });
  const heard = await play({ name: '', steps: steps(1619) }, { target: harness.target, admin });
  t.strictSame(comparable(heard), comparable(expected));
});

test('while a person is asked', async (t) => {
  const { byPerson: harness, admin } = await servers(t, 18);
  await admin[1](setup);
  const opened = async () => {
    const client = await Client.open(harness.target);
    await client.logIn();
    return client;
  };
  const shown = (client: Client) =>
    client.heard
      .filter(({ type }) => !'RSK'.includes(type))
      .map(({ type, body }) => (type === 'E' ? `E ${/\0C(\w{5})/.exec(body.toString('latin1'))?.[1]}` : type))
      .slice(1);
  const askedFor = async (n: number) => {
    for (let tries = 0; harness.requests.length < n && tries < 500; tries++) await sleep(10);
  };
  harness.answer = (_request, signal) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => resolve({ decision: 'deny', by: { kind: 'cancel' } })),
    );

  await t.test('a cancel ends the wait, as it ends a statement; a wrong key does nothing', async (t) => {
    const [client, other] = [await opened(), await opened()];
    await client.send(Buffer.concat([query('BEGIN'), run(insert), run(denied), run(insert), sync()]));
    await askedFor(1);
    await client.cancel(true);
    await other.cancel(false);
    await other.send(query('SELECT 1'));
    await other.hears('Z', 1);
    t.notOk(shown(client).includes('E 57014'));
    await client.cancel(false);
    await client.hears('Z', 2);
    t.equal(client.heard.at(-1)?.body.toString(), 'E', 'the transaction has failed');
    t.strictSame(shown(client).slice(-3), ['N', 'E 57014', 'Z']);
    t.strictSame(shown(other), ['T', 'D', 'C', 'Z'], 'a cancel of an idle connection reaches nobody');
    await client.send(Buffer.concat([query('ROLLBACK'), query('TABLE t')]));
    await client.hears('Z', 2);
    t.strictSame(shown(client).slice(-5), ['C', 'Z', 'T', 'C', 'Z']);
    await client.hangUp();
    await other.hangUp();
  });

  await t.test('notifications, notices and settings of the server come through', async (t) => {
    const [client, other] = [await opened(), await opened()];
    await client.send(query('LISTEN n'));
    await client.hears('Z', 1);
    await client.send(query(denied));
    await client.hears('N', 1);
    await other.send(query("NOTIFY n, 'x'"));
    t.ok(await client.hears('A', 1));
    await client.cancel(false);
    t.ok(await client.hears('E', 1));
    await client.hangUp();
    await other.hangUp();
  });

  await t.test('what was sent behind waits, in bounded memory, and then runs', async (t) => {
    const client = await opened();
    const before = harness.requests.length;
    const work = Buffer.concat(Array.from({ length: 300 }, () => query(`SELECT length('${'x'.repeat(20_000)}')`)));
    await client.send(Buffer.concat([query(denied), work]));
    await askedFor(before + 1);
    await client.cancel(false);
    t.ok(await client.hears('Z', 301));
    await client.hangUp();
  });

  await t.test('an approval lets exactly the bytes through that were asked about', async (t) => {
    harness.answer = async () => ({ decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' });
    const client = await opened();
    await client.send(Buffer.concat([run(insert), run(denied), sync()]));
    await client.hears('Z', 1);
    t.strictSame(shown(client).slice(-3), ['N', 'E 42501', 'Z']);
    t.match(client.heard.at(-2)?.body.toString('latin1'), /Mdenied\0/, "the server's own error");
    await client.hangUp();
  });
});
