/** What `dbguard` alone says in every state of a machine: always something, from files alone, and which commands matter then. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startIdp } from '../helpers/idp.js';
import { startPostgres } from '../helpers/postgres.js';
import { repositoryRoot } from '../helpers/repository.js';
import { makeWorkspace, type Workspace } from '../helpers/workspace.js';

const [postgres, idp] = await Promise.all([startPostgres(), startIdp()]);
t.teardown(async () => {
  await idp.close();
  await postgres.stop();
});

interface Said {
  readonly next: readonly { readonly command: string }[];
  readonly [part: string]: unknown;
}

async function said(workspace: Workspace, env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = await workspace.dbguard(['status', '--json'], { env });
  const text = await workspace.dbguard([], { env });
  t.equal(exitCode, 0, stderr);
  t.match(text, { exitCode: 0, stderr: '' });
  const status = JSON.parse(stdout) as Said;
  t.equal(status.next.length, 3);
  for (const { command } of status.next) t.ok(text.stdout.includes(command), command);
  return { status, text: text.stdout, commands: status.next.map(({ command }) => command) };
}

function place(t: Test, more: Readonly<Record<string, string>> = {}): Workspace {
  const workspace = makeWorkspace(more);
  t.teardown(() => workspace.remove());
  return workspace;
}

t.test('nothing is set up, and nothing is made by looking', async (t) => {
  const workspace = place(t);
  const { status, commands } = await said(workspace);
  t.match(status, { who: { state: 'new' }, where: { state: 'none' }, policy: { profiles: ['guarded'] }, last: null });
  t.equal(commands[0], 'dbguard init');
  t.strictSame(readdirSync(workspace.home), []);
});

t.test('a found connection is shown, without its password, and not asked about', async (t) => {
  const workspace = place(t, { DATABASE_URL: 'postgresql://app:hidden-secret@db.example.com/shop' });
  const { status, text, commands } = await said(workspace);
  t.match(status, { where: { state: 'found', found: [{ to: 'app@db.example.com:5432/shop', says: /DATABASE_URL/ }] } });
  t.match(commands[0], /^dbguard run -- /);
  t.notMatch(text, 'hidden-secret');
});

t.test('nobody is called: no database, no provider, no bucket', async (t) => {
  let calls = 0;
  const server = createServer((socket) => {
    calls++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const workspace = place(t, { PGPASSWORD: 'x' });
  workspace.configure({
    connections: { main: { url: `postgresql://app@127.0.0.1:${port}/shop` } },
    identity: { issuer: `http://127.0.0.1:${port}`, client_id: 'dbguard' },
    bucket: { url: 's3://audit/dbguard', endpoint: `http://127.0.0.1:${port}` },
  });
  const { status, commands } = await said(workspace);
  t.match(status, { who: { state: 'nobody' }, where: { untrusted: ['identity', 'connections.main', 'bucket'] } });
  t.strictSame(commands.slice(0, 2), ['dbguard trust', 'dbguard login']);
  t.equal(calls, 0);
});

t.test('what is broken is told in its place, with its cure, and the rest still speaks', async (t) => {
  const connections = { main: { url: 'postgresql://app@127.0.0.1:1/shop' } };
  const situations: Readonly<Record<string, readonly [(workspace: Workspace) => void, string, RegExp]>> = {
    'a file that is none': [
      ({ project }) => writeFileSync(join(project, 'dbguard.yaml'), 'version: ['),
      'policy',
      /dbguard\.yaml:1:\d+: not valid YAML/,
    ],
    'a file that cannot be read': [
      ({ project }) => mkdirSync(join(project, 'dbguard.yaml')),
      'policy',
      /dbguard\.yaml is not a file/,
    ],
    'half a provider': [
      (workspace) => workspace.configure({ connections, identity: 'required' }),
      'who',
      /an identity provider is demanded/,
    ],
    'a service that is not there': [
      (workspace) => workspace.configure({ connections: { main: { service: 'nope' } } }),
      'where',
      /nope/,
    ],
    'a login that is damaged': [
      (workspace) => {
        workspace.configure({ connections, identity: { issuer: 'https://login.example.com', client_id: 'x' } });
        mkdirSync(join(workspace.home, 'state'), { mode: 0o700 });
        writeFileSync(join(workspace.home, 'state/logins'), 'no folder');
      },
      'who',
      /logins/,
    ],
  };
  for (const [name, [make, part, words]] of Object.entries(situations)) {
    const workspace = place(t);
    make(workspace);
    const { status, text } = await said(workspace);
    t.match(status[part], { problem: words, fix: /\S/ }, name);
    t.match(status, { questions: { open: [] } }, name);
    t.notMatch(text, /undefined|\[object|internal|^ +at /m, name);
  }
});

t.test('garbage where the last session stood is no session; a folder that cannot be written is read', async (t) => {
  const workspace = place(t);
  const folder = join(workspace.home, 'state/spool/previousSession');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'a.json'), '{"sid": "\\u001b[31mred"}');
  writeFileSync(join(folder, 'b.json'), 'nothing');
  chmodSync(join(workspace.home, 'state'), 0o500);
  t.match((await said(workspace)).status, { last: null, bucket: { waiting: 0 } });
  chmodSync(join(workspace.home, 'state'), 0o700);
});

t.test('after a login and a run: who, until when, what happened last', async (t) => {
  const workspace = place(t);
  workspace.configure({
    connections: { main: { url: postgres.url(), environment: 'development' } },
    identity: { issuer: idp.issuer, client_id: idp.clientId },
  });
  await workspace.dbguard(['trust', '--yes']);
  await workspace.login(idp);
  const ran = await workspace.dbguard(['run', '--', 'psql', '-XAtc', 'SELECT 1']);
  t.equal(ran.exitCode, 0, ran.stderr);
  const { status, text, commands } = await said(workspace);
  t.match(status, { who: { state: 'logged-in', level: 'nonce' }, where: { state: 'configured', untrusted: [] } });
  t.match(text, /last +(just now|\d+ minutes?) ?(ago)?: \w{10}, \d+ entries/);
  t.match(text, /questions +none open; no run is active/);
  t.match(commands[1], /^dbguard transcripts show \w{10}$/);
  const shown = await workspace.dbguard((commands[1] ?? '').split(' ').slice(1));
  t.equal(shown.exitCode, 0, 'the command that it names works as it stands');
});

t.test('a run that waits comes first; one that hangs holds nothing up', async (t) => {
  const workspace = place(t);
  const runtime = join(workspace.home, 'run');
  mkdirSync(runtime, { mode: 0o700 });
  const program = join(repositoryRoot, 'test/io/approvals/guard.ts');
  const guard = spawn(process.execPath, ['--import=tsx', program, runtime], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => guard.kill('SIGKILL'));
  await new Promise((resolve) => guard.stdout.once('data', resolve));
  const mute = createServer(() => undefined).listen(join(runtime, 'ask-mute.sock'));
  t.teardown(() => mute.close());
  const { exitCode, stdout } = await workspace.dbguard([]);
  t.equal(exitCode, 0);
  // a machine that is busy may leave no time for either to answer
  t.match(
    stdout,
    /questions +(1 open; 1 run: .*1 run does not answer[\s\S]*1-1 +PRODUCTION|none open; no run is active; 2 runs do not)/,
  );
});
