/**
 * Two people, their own logins, and a gateway between one of them and the database: what the policy asks about is put to the
 * other one, through the bucket, while the client waits.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { audience, gatewaySubject, stageGateway } from '../helpers/gateway.js';
import { startIdp } from '../helpers/idp.js';
import { makeWorkspace, type Workspace } from '../helpers/workspace.js';
import { noPython, python } from '../transcript/verifiers.js';

let person = 'ada';
const idp = await startIdp({ alg: 'RS256', clients: [audience], person: () => person });
const stage = await stageGateway({ idp });
const told: Record<string, unknown>[] = [];
const chat = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  told.push(JSON.parse(text));
  response.end();
});
await new Promise<void>((resolve) => chat.listen(0, '127.0.0.1', resolve));
const [ada, lead] = [makeWorkspace(), makeWorkspace()];
t.teardown(async () => {
  chat.closeAllConnections();
  chat.close();
  for (const one of [ada, lead]) one.remove();
  await Promise.all([stage.close(), idp.close()]);
});

const approvers = {
  approvers: ['lead@example.test', 'ada@example.test'],
  notify: [{ webhook: `http://127.0.0.1:${(chat.address() as AddressInfo).port}/`, format: 'json' }],
};
// biome-ignore lint/suspicious/noThenProperty: the word of the configuration; nothing awaits it
const second = { name: 'two-people', when: { effect: 'truncate' }, then: 'second-person' };
const configure = (secondPerson: object, shop: object = {}): void => {
  const said = { policy: { rules: [second] }, second_person: { ...approvers, ...secondPerson } };
  const connections = { shop: { url: stage.postgres.url(), environment: 'development', ...shop } };
  stage.configure({ people: { '*@example.test': { connections: ['shop'] } } }, { ...said, connections });
  for (const one of [ada, lead]) {
    const gateway = { audience, subjects: [gatewaySubject] };
    const identity = {
      issuer: idp.issuer,
      client_id: idp.clientId,
      workload_issuers: [stage.platform.issuer],
      gateway,
    };
    one.configure({
      ...said,
      identity,
      connections,
      default_connection: 'shop',
      bucket: `file:${stage.workspace.bucket}`,
    });
  }
};
const as = (one: Workspace, ...args: string[]) =>
  one.dbguard(args, { env: { DBGUARD_CONFIG: join(one.project, 'dbguard.yaml') } });
const tokens: Record<string, string[]> = {};
for (const [name, one] of [
  ['ada', ada],
  ['lead', lead],
] as const) {
  person = name;
  await one.login(idp);
  tokens[name] = [];
  for (let each = 0; each < (name === 'ada' ? 2 : 1); each++) {
    await one.login(idp, audience);
    const named = ['--issuer', idp.issuer, '--client-id', idp.clientId];
    tokens[name].push((await one.dbguard(['token', '--audience', audience, ...named])).stdout);
  }
}
configure({});
const connect = (name: string, which = 0) =>
  gateway.connect(tokens[name]?.[which] ?? '', { user: `${name}@example.test` });
await stage.postgres.query('CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 50) i');
const gateway = await stage.start();

interface Waiting {
  readonly id: string;
  readonly answered: boolean;
  readonly subject: { readonly email: string };
  readonly preview: { readonly headline: string; readonly statement: string };
}

async function waiting(): Promise<Waiting> {
  for (const end = Date.now() + 90_000; Date.now() < end; await sleep(100)) {
    const { stdout, stderr, exitCode } = await as(lead, 'approvals', '--team', '--json');
    if (exitCode !== 0) throw new Error(stderr);
    const open = (JSON.parse(stdout) as Waiting[]).filter(({ answered }) => !answered);
    if (open[0]) return open[0];
  }
  throw new Error('nobody asks for a second person');
}

const attempt = (work: Promise<{ rowCount: number | null }>) =>
  work.then(
    ({ rowCount }) => ({ rowCount }),
    ({ code, message, hint }) => ({ code, message, hint }),
  );

t.test('what a rule asks about, and what a rule sends to a second person, waits for one', async (t) => {
  const client = await connect('ada');
  const notices: (string | undefined)[] = [];
  client.on('notice', ({ message }) => notices.push(message));
  const asked = attempt(client.query('DELETE FROM orders'));
  const one = await waiting();
  t.match(one, { subject: { email: 'ada@example.test' }, preview: { statement: 'DELETE FROM orders' } });
  t.match(notices, [/waiting for a second person/]);
  const own = await as(ada, 'approve', one.id);
  t.match(own, { exitCode: 1, stderr: /nobody approves what they ask for themselves/ });
  t.match(await stage.postgres.query('SELECT count(*)::int AS n FROM orders'), [{ n: 50 }], 'nothing ran meanwhile');
  const yes = await as(lead, 'approve', one.id);
  t.equal(yes.exitCode, 0, yes.stderr);
  t.strictSame(await asked, { rowCount: 50 });
  const ruled = attempt(client.query('TRUNCATE orders'));
  const another = await waiting();
  t.match(await as(lead, 'deny', another.id, '--reason', 'not on a Friday'), { exitCode: 0 });
  t.match(await ruled, { code: '42501', message: /lead@example.test \(a second person\) denied.*not on a Friday/ });
  while (told.length < 4) await sleep(50);
  t.match(told, [
    { event: 'asked', subject: 'ada@example.test' },
    { event: 'approved', by: 'lead@example.test' },
    { event: 'asked' },
    { event: 'denied' },
  ]);
  await client.end();
});

t.test('whoever shows a token is the one who asks: their own answer counts nowhere', async (t) => {
  const client = await connect('lead');
  const asked = attempt(client.query('DROP TABLE orders'));
  let own = await as(lead, 'approvals', '--team', '--json');
  while (JSON.parse(own.stdout).length === 0) own = await as(lead, 'approvals', '--team', '--json');
  const [{ id }] = JSON.parse(own.stdout);
  t.match(await as(lead, 'approve', id), { exitCode: 1, stderr: /nobody approves what they ask for themselves/ });
  t.match(await as(ada, 'approve', id), { exitCode: 0 });
  t.match(await asked, { rowCount: null });
  await client.end();
});

t.test(
  'nobody answers in the policy’s time: refused, and approved later it runs by another session of theirs',
  async (t) => {
    configure({ wait: '1s' });
    const seen = gateway.log.length;
    while (!gateway.log.slice(seen).some(({ event }) => event === 'settings-changed')) await sleep(50);
    const first = await connect('ada');
    t.match(await attempt(first.query('CREATE ROLE later')), {
      code: '42501',
      hint: /exactly the same statement again/,
    });
    await first.end();
    t.match(await as(lead, 'approve', (await waiting()).id), { exitCode: 0 });
    const again = await connect('ada', 1);
    t.match(await attempt(again.query('CREATE ROLE later')), { rowCount: null });
    await again.end();
  },
);

t.test('all of it is proven, by either verifier', async (t) => {
  t.equal(await gateway.stop(), 0);
  const verified = await as(lead, 'transcripts', 'verify', '--all');
  t.equal(verified.exitCode, 0, verified.stdout + verified.stderr);
  t.match(verified.stdout, /0 not all proven, 0 changed or forged/);
  if (noPython) return t.comment(noPython);
  const keysOf = async (iss: string): Promise<object[]> => {
    const jwks = await (await fetch(`${iss}/jwks`)).json();
    return (jwks as { keys: object[] }).keys.map((key) => ({ ...key, iss }));
  };
  const { bucket } = stage.workspace;
  const sessions = readdirSync(join(bucket, 'v1')).flatMap((subject) =>
    readdirSync(join(bucket, 'v1', subject)).map((sid) => [subject, sid] as const),
  );
  const issuerKeys = { keys: [...(await keysOf(idp.issuer)), ...(await keysOf(stage.platform.issuer))] };
  const gatewayIs = { audience, clients: [audience], subjects: [gatewaySubject] };
  const reader = { issuer: idp.issuer, workloadIssuers: [stage.platform.issuer], gateway: gatewayIs };
  const cases = sessions.map(([subject, sid]) => {
    const folder = join(bucket, 'v1', subject, sid);
    const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl.gz'));
    const lines = files.sort().map((name) =>
      gunzipSync(readFileSync(join(folder, name)))
        .toString()
        .trimEnd()
        .split('\n'),
    );
    return JSON.stringify({
      name: sid,
      sid,
      subject,
      segments: lines,
      issuerKeys,
      reader: { ...reader, clientId: idp.clientId },
    });
  });
  const file = join(stage.workspace.home, 'sessions.jsonl');
  writeFileSync(file, cases.join('\n'));
  const { lines, stderr } = python(file);
  t.equal(lines.length, sessions.length, stderr);
  for (const { name, verdict, why } of lines) t.equal(verdict, 'proven', `${name}: ${why}`);
});
