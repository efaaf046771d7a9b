/** A role for a time, as a person gives it: `dbguard access` beside a proxy, and what a lead reads of it afterwards. */
import { join } from 'node:path';
import pg from 'pg';
import t from 'tap';
import { chosenVersion, startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';

const server = await startPostgres({ version: chosenVersion });
t.teardown(() => server.stop());
await server.query(`CREATE ROLE shop_agent LOGIN NOINHERIT PASSWORD 'agent'; CREATE ROLE shop_writer;
  GRANT shop_writer TO shop_agent; CREATE TABLE orders (id int PRIMARY KEY, note text);
  INSERT INTO orders VALUES (1, 'x'); GRANT SELECT ON orders TO shop_agent, shop_writer; GRANT UPDATE ON orders TO shop_writer`);
// biome-ignore lint/suspicious/noThenProperty: the rule's own word; nothing awaits it
const entry = () => ({ role: 'shop_writer', tables: ['orders'], effects: ['update'], then: 'ask' });
const guarded = await startProxyProcess(server, {
  config: {
    connections: {
      main: {
        url: server.url('postgres', 'shop_agent', 'agent'),
        environment: 'development',
        access: { for: '20m', at_end: 'finish' },
      },
    },
    access: [
      { name: 'fix-orders', ...entry(), for: '15m', reason: 'required' },
      { name: 'once', ...entry() },
    ],
  },
});
// only one's own file may have `access`
const env = { DBGUARD_CONFIG: join(guarded.workspace.project, 'dbguard.yaml') };
const dbguard = (...args: string[]) => guarded.workspace.dbguard(args, { env });
const change = "UPDATE orders SET note = 'y' WHERE id = 1 RETURNING current_user AS who";

t.test('the connection itself is granted, listed and ended', async (t) => {
  t.match(await dbguard('access', 'list'), { stdout: /connection:main: may be given for up to 20m$/m });
  await t.rejects(new pg.Client(guarded.url()).connect(), {
    code: '28000',
    message: /main is connected to on request/,
  });
  t.match(await dbguard('access', 'grant', 'connection:main'), {
    exitCode: 0,
    stdout: /^connection:main: clients of session \w{8} \(main\) can connect for 20m\.\n/,
  });
  const client = new pg.Client(guarded.url());
  const gone = new Promise<unknown>((resolve) => client.on('error', resolve));
  await client.connect();
  t.match(await dbguard('access', 'list'), { stdout: /connection:main: granted, \S+ left$/m });
  t.match(await dbguard('access', 'end', 'connection:main'), { stdout: 'connection:main: ended.' });
  t.match(await gone, { code: '57P01' });
  t.match(await dbguard('access', 'grant', 'connection:main', '--for', '10m'), { exitCode: 0 });
});

t.test('given, listed, used and ended', async (t) => {
  const client = new pg.Client(guarded.url());
  await client.connect();
  t.teardown(() => client.end());
  await t.rejects(client.query(change), { code: '42501', message: /nobody has said why/ });

  t.match(await dbguard('access', 'list'), {
    exitCode: 0,
    stdout: /fix-orders: may be given for up to 15m, as shop_writer/,
  });
  const refusals: readonly (readonly [string[], RegExp])[] = [
    [['grant', 'fix-order'], /no active run has access fix-order.*\n.*Did you mean "fix-orders"/],
    [['grant', 'once'], /no active run has access once that can be given for a time/],
    [['grant', 'fix-orders'], /is not given: it needs a reason\n.*--reason/],
    [['grant', 'fix-orders', '--for', '2h', '--reason', 'x'], /no more than 15m/],
    [['grant', 'fix-orders', '--for', 'soon'], /--for takes a time/],
    [['end', 'fix-orders', '--session', 'nobody'], /no dbguard run is active/],
  ];
  for (const [args, said] of refusals) {
    const { exitCode, stderr } = await dbguard('access', ...args);
    t.match(stderr, said);
    t.not(exitCode, 0);
  }
  const given = await dbguard('access', 'grant', 'fix-orders', '--for', '10m', '--reason', 'INC-42');
  t.match(given, {
    exitCode: 0,
    stdout: /^fix-orders: statements of session \w{8} \(main\) run as shop_writer for 10m\.\n.*access end/,
  });
  t.same((await client.query(change)).rows, [{ who: 'shop_writer' }]);
  const [run] = JSON.parse((await dbguard('access', 'list', '--json')).stdout);
  t.match(run, { access: [{ access: 'fix-orders', role: 'shop_writer', reason: 'INC-42' }] });
  t.ok(run.access[0].leftMs <= 600_000);
  t.match(await dbguard('access', 'list'), { stdout: /fix-orders: as shop_writer, \S+ left \(INC-42\)/ });
  t.match(await dbguard('access', 'end', 'fix-orders'), { exitCode: 0, stdout: 'fix-orders: ended.' });
  t.match(await dbguard('access', 'end', 'fix-orders'), { stdout: /was not given, or is over already/ });
  await t.rejects(client.query(change), { code: '42501', message: /nobody has said why/ });
});

t.test('a lead reads it in the transcript', async (t) => {
  const show = () => dbguard('transcripts', 'show', guarded.session);
  let shown = await show();
  for (let tries = 0; tries < 100 && !shown.stdout.includes('as a person said'); tries++) shown = await show();
  t.match(
    shown.stdout,
    /statements run as shop_writer for 10m, by access fix-orders, said in dbguard approvals: INC-42/,
  );
  t.match(
    shown.stdout,
    /runs as shop_writer to update public.orders, in the time of #\d+, by access fix-orders: INC-42/,
  );
  await guarded.stop();
});
