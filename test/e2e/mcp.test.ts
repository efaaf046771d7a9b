/** `dbguard mcp` as an agent meets it: the SDK's own client, the real command, a real database, login and bucket. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startMcp, startMcpAgent, ticketIn } from '../helpers/mcp.js';
import { developer, sessionOf } from './developer.js';

const { workspace, postgres, run } = await developer(t, {
  config: {
    mask: [{ column: 'public.customers.email', with: 'partial', keep: 4 }],
    policy: {
      rules: [
        // biome-ignore lint/suspicious/noThenProperty: the keyword of a rule
        { name: 'no-truncate', when: { effect: 'truncate' }, then: 'deny', reason: 'Delete by key instead.' },
      ],
    },
  },
});
await postgres.query(`
  CREATE TABLE customers (id int PRIMARY KEY, email text, big int8, exact numeric, ok bool);
  INSERT INTO customers VALUES (1, 'ada@example.test', 9007199254740993, 1.50, true), (2, 'bob@example.test', 7, NULL, false)`);

async function running(part: string, count: number): Promise<void> {
  const asked = 'SELECT 1 FROM pg_stat_activity WHERE query LIKE $1 AND state = $2 AND pid <> pg_backend_pid()';
  for (const until = Date.now() + 60_000; Date.now() < until; await sleep(20)) {
    if ((await postgres.query(asked, [`${part}%`, 'active'])).length === count) return;
  }
  throw new Error(`not ${count} of ${part}`);
}

t.test('three tools, and what they answer', async (t) => {
  const mcp = await startMcp(workspace);
  const { tools } = await mcp.client.listTools();
  t.strictSame(
    tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint]),
    [
      ['query', false],
      ['explain', true],
      ['status', true],
    ],
  );
  const rows = await mcp.query('SELECT * FROM customers WHERE id = $1', { values: [1] });
  t.strictSame(JSON.parse(rows.text), {
    columns: ['id int4', 'email text', 'big int8', 'exact numeric', 'ok bool'],
    rows: [[1, '************test', '9007199254740993', '1.50', true]],
    done: 'SELECT 1',
    masked: ['public.customers.email; what is left: the length, the last 4'],
  });
  t.match(JSON.parse((await mcp.query('UPDATE customers SET big = 8 WHERE id = 2 RETURNING id')).text), {
    rows: [[2]],
    done: 'UPDATE 1',
  });
  const some = JSON.parse((await mcp.query('SELECT g FROM generate_series(1, 500) g', { max_rows: 2 })).text);
  t.match(some, { rows: [[1], [2]], more: /more rows than these 2/ });
  const long = JSON.parse((await mcp.query("SELECT repeat('x', 5000000) FROM generate_series(1, 3)")).text);
  t.match([long.rows[0][0].length, long.shortened], [4001, /1 long value|long values/]);

  const refused: Readonly<Record<string, RegExp>> = {
    'SELECT 1; DELETE FROM customers': /Nothing ran: there are several statements/,
    BEGIN: /Undone: a transaction does not outlast a call/,
    'SELEC 1': /PostgreSQL refused it \(SQLSTATE 42601\): syntax error .* \(at character 1\)/,
    'SELECT 1 / 0': /SQLSTATE 22012/,
    'COPY customers FROM STDIN': /COPY .* cannot be used here/,
    'COPY (SELECT 1) TO STDOUT': /COPY .* cannot be used here/,
    'TRUNCATE customers':
      /^dbguard denied this statement: Empties customers\. Delete by key instead\.\nDecided by rule no-truncate\. The statement was not run\.\n/,
    ' ': /sql is a text/,
  };
  for (const [sql, words] of Object.entries(refused)) t.match(await mcp.query(sql), { failed: true, text: words }, sql);
  t.match(await mcp.query('SELECT $1::int8', { values: [2 ** 60] }), { failed: true, text: /give it as a string/ });
  t.match(await mcp.call('query', { statement: 'SELECT 1' }), { failed: true, text: /no argument statement/ });
  t.match(await mcp.query('SELECT pg_sleep(60)', { timeout_seconds: 1 }), { failed: true, text: /Stopped after 1 s/ });

  const explained = JSON.parse((await mcp.call('explain', { sql: 'DELETE FROM customers' })).text);
  t.match(explained, {
    decision: /A person would be asked first: /,
    effects: ['delete customers'],
    plan: [/^Delete on/],
  });
  const denied = JSON.parse((await mcp.call('explain', { sql: 'TRUNCATE customers' })).text);
  t.match(denied, { decision: 'It would be denied: Empties customers. Delete by key instead.', plan: /^none/ });

  const leave = new AbortController();
  const cancelled = mcp.call('query', { sql: 'SELECT pg_sleep(601)' }, leave.signal).catch(() => 'cancelled');
  await running('SELECT pg_sleep(601)', 1);
  leave.abort();
  t.equal(await cancelled, 'cancelled');
  await running('SELECT pg_sleep(601)', 0);

  const { session } = await mcp.status();
  const left = mcp.query('SELECT pg_sleep(602)').catch(() => 'left');
  await running('SELECT pg_sleep(602)', 1);
  await mcp.leave();
  t.equal(await left, 'left');
  await running('SELECT pg_sleep(602)', 0);
  t.match(mcp.stderr(), /transcript complete in the bucket/);
  t.throws(() => process.kill(mcp.pid, 0), 'nothing is left behind');
  t.match(await workspace.dbguard(['transcripts', 'verify', session]), { exitCode: 0 });
});

t.test('a statement that waits: a ticket, the same question, approved elsewhere, and its outcome once', async (t) => {
  const mcp = await startMcpAgent(t, workspace, ['--hold', '1']);
  const sql = 'DELETE FROM customers WHERE id > $1 OR true';
  const given = { values: [100] };
  const first = await mcp.query(sql, given);
  t.match(first, { failed: false, text: /^Not run yet: it waits for a person to approve this statement: / });
  t.notMatch(first.text, /dbguard approv|yaml|profile|--/, 'no word of what would let it run');
  const ticket = ticketIn(first);
  const again = await mcp.query(sql, { ...given, ticket });
  t.equal(ticketIn(again), ticket);
  t.equal(ticketIn(await mcp.query(sql, given)), ticket, 'without it, too, nobody is asked twice');
  t.match(JSON.parse((await mcp.query('SELECT 1')).text), { rows: [[1]] }, 'others go on');

  const waiting = JSON.parse((await workspace.dbguard(['approvals', '--json'])).stdout);
  t.match(waiting, [{ preview: { statement: sql }, run: { agent: 'dbguard mcp' } }]);
  t.equal(waiting.length, 1);
  const approved = await workspace.dbguard(['approve', waiting[0].id]);
  t.equal(approved.exitCode, 0, approved.stderr);
  const outcome = await mcp.query(sql, { ...given, ticket });
  t.match(outcome, {
    failed: false,
    text: /^This is the outcome of the statement that you sent before.*\n.*"done":"DELETE 2"/,
  });
  t.match(await mcp.query(sql, { ...given, ticket }), { failed: true, text: /its outcome has been given already/ });

  const dropped = await mcp.query('DROP TABLE customers');
  const [{ id }] = JSON.parse((await workspace.dbguard(['approvals', '--json'])).stdout);
  t.match(await workspace.dbguard(['deny', id, '--reason', 'not today']), { exitCode: 0 });
  const denied = await mcp.query('DROP TABLE customers', { ticket: ticketIn(dropped) });
  t.match(denied, {
    failed: true,
    text: /a person denied this statement: not today\n.*rule \S+: .*\nAct on the reason given/,
  });
  const { session } = await mcp.status();
  await mcp.leave();
  t.match(await workspace.dbguard(['transcripts', 'verify', session]), { exitCode: 0 });
  const { stdout } = await workspace.dbguard(['transcripts', 'show', session]);
  t.match(stdout, /DELETE FROM customers WHERE id > \$1 OR true/);
});

t.test('below dbguard run it is a client of that run: one session, one person', async (t) => {
  const program = `
    const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
    const { StdioClientTransport } = require('@modelcontextprotocol/sdk/client/stdio.js');
    (async () => {
      const client = new Client({ name: 'inside', version: '1' });
      const [command, ...args] = process.argv.slice(1);
      await client.connect(new StdioClientTransport({ command, args, env: process.env }));
      for (const [name, given] of [['status', {}], ['query', { sql: 'SELECT 41 + 1' }], ['query', { sql: 'DROP TABLE customers' }]]) {
        console.log((await client.callTool({ name, arguments: given })).content[0].text.split('\\n')[0]);
      }
      await client.close();
    })();`;
  const { dbguardProgram } = await import('../helpers/repository.js');
  const { stdout, stderr } = await run([process.execPath, '-e', program, process.execPath, dbguardProgram, 'mcp']);
  const [status = '', rows = '', denied = ''] = String(stdout).split('\n');
  t.equal(JSON.parse(status).session, sessionOf(String(stderr)));
  t.match(JSON.parse(rows), { rows: [[42]] });
  t.match(denied, /it needs approval and nobody can be asked/);
  t.match(stderr, /2 statements|3 statements/);
});

t.test('without a login it says what to do, and goes on when that is done', async (t) => {
  const other = await developer(t, { loggedIn: false });
  const mcp = await startMcp(other.workspace);
  t.match(await mcp.query('SELECT 1'), {
    failed: true,
    text: /Nothing ran\. dbguard: .*\nTell the person you work for\..*dbguard login/,
  });
  await other.workspace.login(other.idp);
  t.match(JSON.parse((await mcp.query('SELECT 1')).text), { rows: [[1]] });
  await mcp.leave();
});
