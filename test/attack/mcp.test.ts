/** An agent that has started `dbguard mcp` and wants its statement to run: by tickets, by other methods, by processes of its own. */
import { ErrorCode, ListPromptsResultSchema, ListResourcesResultSchema } from '@modelcontextprotocol/sdk/types.js';
import t from 'tap';
import { developer } from '../e2e/developer.js';
import { startMcpAgent, ticketIn } from '../helpers/mcp.js';

const { workspace, postgres } = await developer(t);
await postgres.query('CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 5000)');
const count = async () => (await postgres.query('SELECT count(*)::int AS count FROM orders'))[0]?.count;
const waiting = async (): Promise<readonly { readonly id: string }[]> =>
  JSON.parse((await workspace.dbguard(['approvals', '--json'])).stdout);

const agent = await startMcpAgent(t, workspace, ['--hold', '1']);
const sql = 'DELETE FROM orders WHERE id >= $1';
const first = await agent.query(sql, { values: [10] });
const ticket = ticketIn(first);
const [question] = await waiting();
const id = question?.id ?? '';

t.test('a ticket lets nothing run, and asks nothing', async (t) => {
  t.match(ticket, /^[\w-]{22}$/);
  const misuses: Readonly<Record<string, readonly [string, Readonly<Record<string, unknown>>]>> = {
    'made up': [sql, { values: [10], ticket: 'A'.repeat(22) }],
    'of another statement': ['DELETE FROM orders', { ticket }],
    'with other values': [sql, { values: [0], ticket }],
    'with the same value of another kind': [sql, { values: ['010'], ticket }],
    'with a blank more': [`${sql} `, { values: [10], ticket }],
    'with a comment more': [`${sql} -- 10`, { values: [10], ticket }],
    'for a second statement behind it': [`${sql}; DROP TABLE orders`, { values: [10], ticket }],
    'that is no text': [sql, { values: [10], ticket: [ticket] }],
  };
  for (const [name, [text, given]] of Object.entries(misuses)) {
    t.match(await agent.query(text, given), { failed: true, text: /^Nothing ran: / }, name);
  }
  t.equal(ticketIn(await agent.query(sql, { values: [10], ticket })), ticket, 'and it is good all the time');
  t.strictSame(
    (await waiting()).map((one) => one.id),
    [id],
    'one question',
  );
  t.equal(await count(), 5000);
});

t.test('there is no other way in: no tool that answers, no resource, no prompt', async (t) => {
  for (const name of ['approve', 'approvals', 'deny', 'settle', 'constructor', '__proto__', 'toString']) {
    await t.rejects(agent.call(name, { id, decision: 'allow' }), { code: ErrorCode.InvalidParams }, name);
  }
  const request = (method: string) => agent.client.request({ method } as never, ListResourcesResultSchema);
  for (const method of ['resources/list', 'resources/templates/list', 'logging/setLevel', 'tasks/list']) {
    await t.rejects(request(method), { code: ErrorCode.MethodNotFound }, method);
  }
  const prompts = agent.client.request({ method: 'prompts/list' }, ListPromptsResultSchema);
  await t.rejects(prompts, { code: ErrorCode.MethodNotFound });
  t.strictSame(Object.keys(agent.client.getServerCapabilities() ?? {}), ['tools']);
});

t.test('explain runs nothing', async (t) => {
  for (const text of [
    'DELETE FROM orders',
    'ANALYZE DELETE FROM orders',
    'SELECT 1; DELETE FROM orders',
    '(ANALYZE) DELETE FROM orders',
    '/* */ ANALYZE DELETE FROM orders',
    'WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone',
  ]) {
    t.match(await agent.call('explain', { sql: text }), { failed: false }, text);
  }
  t.equal(await count(), 5000);
  t.strictSame(
    (await waiting()).map((one) => one.id),
    [id],
    'and nobody is asked for it',
  );
});

t.test('no process of the agent answers its question', async (t) => {
  const answers: Readonly<Record<string, string>> = {
    'its child': `dbguard approve ${id}`,
    'in a session of its own': `setsid -w sh -c '$0 "$@"' env -u NODE_OPTIONS ${process.execPath} ${process.cwd()}/bin/dbguard approve ${id}`,
    'without a trace in its environment': `env -i PATH="$PATH" HOME="$HOME" DBGUARD_HOME="$DBGUARD_HOME" ${process.execPath} ${process.cwd()}/bin/dbguard approve ${id}`,
    'that nobody is the parent of': `(setsid sh -c "exec 3>&1; env -u NODE_OPTIONS ${process.execPath} ${process.cwd()}/bin/dbguard approve ${id} >&3 2>&1; touch $HOME/orphan-done" & ); while [ ! -e $HOME/orphan-done ]; do sleep 0.05; done`,
    'on a terminal of its own': `script -qec "env -u NODE_OPTIONS ${process.execPath} ${process.cwd()}/bin/dbguard approve ${id}" /dev/null`,
  };
  for (const [name, command] of Object.entries(answers)) {
    const said = await agent.runs(command);
    t.match(said, /no statement \S+ waits|refuse|below the agent|nothing proves/, name);
    t.notMatch(said, /^approved/m, name);
  }
  t.strictSame(
    (await waiting()).map((one) => one.id),
    [id],
  );
  t.equal(await count(), 5000);
});

t.test('a guard of its own making is none', async (t) => {
  const env = `DBGUARD_SESSION=mine DATABASE_URL=${postgres.url('postgres').replace('127.0.0.1', 'db.example.test')}`;
  t.match(await agent.runs(`${env} dbguard mcp`), /DATABASE_URL is not that of the dbguard run/);
});

t.test('somebody else can answer, and the transcript says who', async (t) => {
  t.match(await workspace.dbguard(['approve', id]), { exitCode: 0 });
  t.match(await agent.query(sql, { values: [10], ticket }), { failed: false, text: /"done":"DELETE 4991"/ });
  const { session } = await agent.status();
  await agent.leave();
  t.match(await workspace.dbguard(['transcripts', 'verify', session]), { exitCode: 0 });
  const { stdout } = await workspace.dbguard(['transcripts', 'show', session, '--json']);
  t.match(stdout, /dbguard approvals/);
});
