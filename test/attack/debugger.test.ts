/** Node's own ways into a Node program: its debugger, and the variables that name code to load. None leads into dbguard. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { dbguardProgram, repositoryRoot } from '../helpers/repository.js';
import { Terminal } from '../helpers/terminal.js';
import { makeWorkspace } from '../helpers/workspace.js';

const workspace = makeWorkspace();
t.teardown(() => workspace.remove());
const env = { ...workspace.env };

/**
 * The program itself, as an installed `dbguard` is started, under a hail of SIGUSR1 from its first moment. A signal that
 * comes before its first line, or while Node takes itself down, ends it (`died`) as it ends any program: nothing is open.
 */
function hailed(
  command: readonly [string, ...string[]],
  everyMs: number,
): Promise<{ said: string; sent: number; died: boolean }> {
  const [program, ...args] = command;
  const child = spawn(program, args, { cwd: workspace.project, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [said, sent] = ['', 0];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      said += bytes.toString();
    });
  }
  const hail = setInterval(() => sent++ < 5000 && child.kill('SIGUSR1'), everyMs);
  return new Promise((resolve) => {
    child.once('close', (_code, signal) => {
      clearInterval(hail);
      resolve({ said, sent, died: signal === 'SIGUSR1' });
    });
  });
}

t.test('SIGUSR1 opens no debugger, from the first moment on', async (t) => {
  for (const everyMs of [1, 2, 5]) {
    for (let round = 0; round < 5; round++) {
      const { said, sent, died } = await hailed([dbguardProgram, 'approvals', '--list'], everyMs);
      t.notMatch(said, 'Debugger listening', `${sent} signals`);
      if (!died || said !== '') t.match(said, 'No dbguard run is active', 'and it does its work');
    }
  }
});

t.test('not in a dbguard that has been running for a while', async (t) => {
  const screen = new Terminal(dbguardProgram, ['approvals'], { cwd: workspace.project, env });
  t.teardown(() => screen.kill());
  await screen.shows('No dbguard run is active yet');
  for (let sent = 0; sent < 20; sent++) process.kill(screen.pid, 'SIGUSR1');
  const open = await new Promise<boolean>((resolve) => {
    const socket = connect(9229, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
  });
  t.notOk(open && screen.raw.includes('Debugger'));
  screen.type('q');
  t.match(await screen.exit, { code: 0 });
  t.notMatch(screen.raw, 'Debugger');
});

t.test('with a debugger open it does not run', async (t) => {
  const { said } = await hailed([process.execPath, '--inspect=0', dbguardProgram, '--version'], 1000);
  t.match(said, 'dbguard does not run with a debugger open');
  t.notMatch(said, /^\d+\.\d+\.\d+$/m);
});

t.test('variables and files of the folder bring no code in', async (t) => {
  const loaded = join(workspace.project, 'loaded');
  const evil = join(workspace.project, 'evil.cjs');
  writeFileSync(evil, `require('node:fs').writeFileSync(${JSON.stringify(loaded)}, process.argv.join(' '));`);
  writeFileSync(join(workspace.project, '.env'), `NODE_OPTIONS=--require=${evil}\n`);
  writeFileSync(join(workspace.project, 'package.json'), '{"type":"module","imports":{"#x":"./evil.cjs"}}');
  writeFileSync(join(workspace.project, 'node.config.json'), `{"nodeOptions":{"import":["${evil}"]}}`);
  const variables: Readonly<Record<string, string>> = {
    NODE_OPTIONS: `--use-openssl-ca --require=${evil}`,
    NODE_V8_COVERAGE: loaded,
    NODE_COMPILE_CACHE: loaded,
    NODE_REDIRECT_WARNINGS: loaded,
    NODE_REPL_EXTERNAL_MODULE: evil,
    NODE_PATH: workspace.project,
    NODE_CHANNEL_FD: '0',
    // no random numbers without a provider: Node does not even start
    OPENSSL_CONF: join(workspace.project, 'openssl.cnf'),
  };
  const library = '[load]\nproviders = all\n[all]\nevil = evil\n[evil]\nmodule = ./evil.so\nactivate = 1\n';
  writeFileSync(join(workspace.project, 'openssl.cnf'), `nodejs_conf = load\nopenssl_conf = load\n${library}`);
  for (const [name, value] of Object.entries({ none: '', ...variables })) {
    const child = spawn(dbguardProgram, ['--version'], { cwd: workspace.project, env: { ...env, [name]: value } });
    const code = await new Promise((resolve) => child.once('close', resolve));
    t.equal(code, 0, name);
    t.notOk(existsSync(loaded), name);
  }
});

t.test(
  'of Node’s and OpenSSL’s own variables it gets those that only say whom to trust, also of versions to come',
  async (t) => {
    const folder = join(workspace.home, 'no-node');
    mkdirSync(folder);
    writeFileSync(join(folder, 'node'), '#!/bin/sh\nenv\n');
    chmodSync(join(folder, 'node'), 0o755);
    const given: Readonly<Record<string, string>> = {
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      NODE_DEBUG: 'http',
      NODE_OF_THE_YEAR_2040: "it's two words",
      OPENSSL_MODULES: './modules',
      NODE_EXTRA_CA_CERTS: 'company.crt',
      NODE_UNIQUE_ID: '1',
      LINES: 'export NODE_$(touch loaded)=1\nexport NODE_IN_A_VALUE=1',
    };
    const path = `${folder}:${env.PATH}`;
    const child = spawn(dbguardProgram, [], { cwd: workspace.project, env: { ...env, ...given, PATH: path } });
    let said = '';
    for await (const bytes of child.stdout) said += bytes;
    const has = (name: string, value?: string) => said.split('\n').includes(`${name}=${value ?? given[name]}`);
    for (const name of ['NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_DEBUG', 'NODE_OF_THE_YEAR_2040', 'OPENSSL_MODULES']) {
      t.notOk(has(name), name);
      t.ok(has(`DBGUARD_CHILD_${name}`, given[name]), `${name} is kept for the child`);
    }
    t.ok(has('NODE_EXTRA_CA_CERTS'));
    t.notMatch(said, 'NODE_UNIQUE_ID');
    t.notOk(existsSync(join(workspace.project, 'loaded')), 'names are no code');
  },
);

t.test('no developer tools of React’s look at the prompt', async (t) => {
  const script = "import('./src/ui/prompt-screen.ts').then((screen) => screen.loadPromptTools())";
  const child = spawn(process.execPath, ['--no-warnings', '--import=tsx', '-e', script], {
    cwd: repositoryRoot,
    env: { ...env, DEV: 'true', NODE_ENV: 'development' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += bytes));
  t.equal(await new Promise((resolve) => child.once('close', resolve)), 0, said);
  t.equal(said, '', 'they were not even looked for');
});
