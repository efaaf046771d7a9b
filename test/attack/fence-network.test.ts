/**
 * An agent in a fence with a network of its own (`--network guarded`) that looks for a way around dbguard. Each way is shown to work
 * with the network shared.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findFenceProgram } from '../../src/io/fence/fence-program.js';
import { developer, sessionOf } from '../e2e/developer.js';
import { dbguardProgram } from '../helpers/repository.js';

const found = await findFenceProgram(process.env);
if ('obstacle' in found) {
  t.plan(0, `no fence on this machine: ${found.obstacle.why}`);
  process.exit(0);
}

const { workspace, postgres, config } = await developer(t);
const { project } = workspace;
await postgres.query('CREATE TABLE orders (id int PRIMARY KEY)');
mkdirSync(join(project, '.git'));

/** Outside: a web server of the person's, which a program with a remote control would be as well. */
const web = createHttp((_request, response) => response.end('SECRET')).listen(0, '0.0.0.0');
const abstractName = `dbguard-test-${process.pid}`;
const abstract = createServer((socket) => socket.end('SECRET')).listen({ path: `\0${abstractName}` });
t.teardown(() => void [web, abstract].map((server) => server.close()));
await new Promise((resolve) => setImmediate(resolve));
const { port } = web.address() as AddressInfo;
const own = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const node = (body: string): string => `node -e ${JSON.stringify(body)}`;
const tcp = (host: string, to: number | string): string =>
  node(
    `const s = require('net').connect(${to}, '${host}', () => s.write('GET / HTTP/1.0\\r\\n\\r\\n')); s.on('data', (d) => process.stdout.write(String(d))); s.on('error', (e) => console.log(e.code)); s.setTimeout(3000, () => s.destroy())`,
  );
/** Says what the proxy in the variable answers to a CONNECT; straight to the target where there is none. */
const connect = (target: string): string =>
  node(
    `const u = process.env.HTTPS_PROXY ? new URL(process.env.HTTPS_PROXY) : undefined; const [h, p] = '${target}'.split(/:(?=[0-9]+$)/); const s = require('net').connect(u ? u.port : p, u ? u.hostname : h); s.on('connect', () => s.write(u ? 'CONNECT ${target} HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n' : 'GET / HTTP/1.0\\r\\n\\r\\n')); let sent = !u; s.on('data', (d) => { process.stdout.write(String(d)); if (!sent && String(d).includes(' 200 ')) { sent = true; s.write('GET / HTTP/1.0\\r\\n\\r\\n'); } }); s.on('error', (e) => console.log(e.code)); s.setTimeout(3000, () => s.destroy())`,
  );
const straight = `psql '${postgres.url()}' -Atc "SELECT 'SECRET'" 2>&1`;

/** What an agent runs, and the sign that it worked. */
const attacks: Readonly<Record<string, string>> = {
  'the database with a password that it found': straight,
  'a program of this machine': tcp('127.0.0.1', port),
  ...(own ? { 'a program of this machine, by another address': tcp(own, port) } : {}),
  'an abstract socket': node(
    `require('net').connect({ path: '\\0${abstractName}' }).on('data', (d) => console.log(String(d))).on('error', (e) => console.log(e.code))`,
  ),
  'the proxy to this machine': connect(`127.0.0.1:${port}`),
  'the proxy to this machine, written otherwise': connect(`[::ffff:127.0.0.1]:${port}`),
  'the proxy to the database': connect(`127.0.0.1:${postgres.port}`).replaceAll('GET / HTTP/1.0', 'SECRET'),
};

async function tryAll(t: Test, flags: readonly string[]): Promise<{ answers: Map<string, string>; stderr: string }> {
  const script = Object.entries(attacks).map(([name, command]) => `echo; echo '<${name}>'; ( ${command} ) 2>&1`);
  writeFileSync(join(project, 'attacks.sh'), script.join('\n'));
  const { stdout, stderr } = await workspace.dbguard(['run', ...flags, '--', 'sh', 'attacks.sh']);
  t.match(stdout, '<a program of this machine>', String(stderr));
  const parts = String(stdout)
    .split(/^<(.*)>$/m)
    .slice(1);
  const answers = parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1] ?? ''] as const] : []));
  return { answers: new Map(answers), stderr: String(stderr) };
}

t.test('each way works with the network shared, and leads nowhere with its own', async (t) => {
  const { answers: shared } = await tryAll(t, ['--sandbox']);
  const { answers, stderr } = await tryAll(t, ['--network', 'guarded']);
  for (const name of Object.keys(attacks)) {
    if (!name.startsWith('the proxy')) t.match(shared.get(name), 'SECRET', `${name}: it would work`);
    t.notMatch(answers.get(name) ?? '', 'SECRET', `${name}: it does not`);
  }
  t.match(stderr, 'in a fence');
  const shown = await workspace.dbguard(['transcripts', 'show', sessionOf(stderr)]);
  t.match(shown.stdout, /127\.0\.0\.1:\d+ may not be reached|ffff.*may not be reached/, 'it is in the transcript');
});

t.test('the database is where the variables say', async (t) => {
  const asks = [
    'psql -Atc "SELECT 40 + 2"',
    'psql -Atc "SELECT 40 + 3" "$DATABASE_URL"',
    node(
      "const { Client } = require('pg'); const c = new Client(process.env.DATABASE_URL); c.connect().then(() => c.query('SELECT 44 AS n')).then((r) => { console.log(r.rows[0].n); return c.end(); })",
    ),
    'ip -o link 2>/dev/null | grep -vc " lo:"; true',
  ];
  const { stdout, stderr, exitCode } = await workspace.dbguard(
    ['run', '--network', 'guarded', '--', 'sh', '-c', `${asks.join('\n')}\nexit 5`],
    { env: { NODE_PATH: join(import.meta.dirname, '../../node_modules') } },
  );
  t.match(stdout, /^42\n43\n44\n0?$/, String(stderr));
  t.equal(exitCode, 5);
});

t.test('what it was asked for, and which of its processes asks, is known through the wall', async (t) => {
  const hook = `env -u NODE_OPTIONS ${process.execPath} ${dbguardProgram} hook claude-code`;
  const claim = { hook_event_name: 'UserPromptSubmit', session_id: 's1', prompt: 'count the orders' };
  const script = [
    // connected for as long as the hook takes
    'mkfifo open; psql "$DATABASE_URL" -At < open & exec 3> open',
    "echo 'SELECT 45 AS tcp;' >&3",
    `echo '${JSON.stringify(claim)}' | ${hook}`,
    "echo 'SELECT 46 AS after;' >&3",
    'exec 3>&-; wait; rm open',
  ];
  writeFileSync(join(project, 'asked.sh'), script.join('\n'));
  const { stderr } = await workspace.dbguard(['run', '--network', 'guarded', '--', 'sh', 'asked.sh']);
  const shown = await workspace.dbguard(['transcripts', 'show', sessionOf(stderr), '--json']);
  const entries = String(shown.stdout)
    .split('\n')
    .map((line) => JSON.parse(line));
  const [process_] = entries.filter(({ kind, fields }) => kind === 'connection' && fields.program === 'psql');
  t.match(process_?.fields, { conn: 1, ancestors: [/sh/, 'bwrap', 'bwrap'] }, String(stderr));
  t.match(
    entries.find(({ kind, text }) => kind === 'statement' && text?.startsWith('SELECT 46')),
    { intent: { agent: 'claude-code', asked: 'count the orders' } },
  );
});

t.test('hosts: on the list, of this machine, on no list', async (t) => {
  workspace.configure({ ...config, sandbox: { use: 'required', network: 'guarded' } });
  const user = join(workspace.home, 'config');
  mkdirSync(user, { recursive: true, mode: 0o700 });
  writeFileSync(join(user, 'dbguard.yaml'), `version: 1\nsandbox:\n  hosts: ["localhost:${port}"]\n`);
  const asks = [
    tcp('127.0.0.1', port),
    'echo; getent hosts files.example.com',
    connect('files.example.com:443'),
    node(
      "fetch('https://files.example.com/').then((r) => console.log(r.status), (e) => console.log('fetch', e.cause.code))",
    ),
  ];
  const { stdout, stderr } = await workspace.dbguard(['run', '--', 'sh', '-c', asks.join('\n')]);
  t.match(stdout, /SECRET/, String(stderr));
  t.match(stdout, /127\.64\.0\.\d+\s+files\.example\.com/, 'a name is answered, and nobody outside is asked');
  t.match(stdout, /403 Forbidden[\s\S]*files.example.com:443 cannot be reached from here: nobody could be asked/);
  t.match(stdout, /^fetch \w+/m);
  const flags = await workspace.dbguard(['run', '--network', 'shared', '--', 'true']);
  t.match(flags.stderr, 'wants the fence’s network guarded');
  writeFileSync(join(user, 'dbguard.yaml'), `version: 1\nsandbox:\n  hosts: ["localhost:${postgres.port}"]\n`);
  const around = await workspace.dbguard(['run', '--', 'true']);
  t.match(around.stderr, 'leads to the guarded database itself');
});
