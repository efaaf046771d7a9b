/**
 * `npm run demo`: everything that dbguard is, on this machine alone. A real PostgreSQL server, a real OpenID provider, a
 * folder as the bucket, and an agent that goes too far. Nothing stays behind.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { startIdp } from '../helpers/idp.js';
import { startPostgres } from '../helpers/postgres.js';
import { dbguardProgram, repositoryRoot } from '../helpers/repository.js';
import { makeWorkspace } from '../helpers/workspace.js';
import { playPerson } from './person.js';
import { shop } from './shop.js';

const atTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
const agent = pathToFileURL(join(repositoryRoot, 'dist/test/demo/agent.js')).href;
const endings: (() => unknown)[] = [];
for (const signal of ['SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void tidyUp().then(() => process.exit(1)));
process.on('SIGINT', () => undefined); // Ctrl-C is for dbguard, which shares this terminal

try {
  await demo();
} finally {
  await tidyUp();
}

async function demo(): Promise<void> {
  step('A PostgreSQL server with a small shop, an identity provider, a folder as the bucket');
  const server = await startPostgres({ cache: false });
  endings.push(() => server.stop());
  await server.query('CREATE DATABASE shop');
  await server.query(shop, undefined, 'shop');
  const idp = await startIdp();
  endings.push(() => idp.close());
  const workspace = makeWorkspace();
  endings.push(() => workspace.remove());
  workspace.configure({
    identity: { issuer: idp.issuer, client_id: idp.clientId },
    connections: { shop: { url: server.url('shop'), environment: 'production' } },
    default_connection: 'shop',
  });

  step('$ dbguard login', 'the device page confirms itself in this demo');
  await workspace.login(idp);
  console.log((await workspace.dbguard(['whoami'])).stdout);

  writeFileSync(join(workspace.project, 'agent.mjs'), `import '${agent}';\n`);
  const words = ['run', '--', 'node', 'agent.mjs'];
  step(
    `$ dbguard ${words.join(' ')}`,
    atTerminal ? 'you decide: the prompts are for you' : 'without a terminal the demo answers',
  );
  const { TERM = 'xterm-256color', PATH = '' } = process.env;
  const path = `${dirname(process.execPath)}:${PATH}`; // the same Node for the agent
  const args = [dbguardProgram, ...words];
  const how = { cwd: workspace.project, env: { ...workspace.env, PATH: path, TERM } };
  if (atTerminal) await execa(process.execPath, args, { ...how, extendEnv: false, stdio: 'inherit', reject: false });
  else await playPerson(process.execPath, args, how, (text) => console.log(text));

  step('$ dbguard transcripts list');
  const { stdout: sessions } = await workspace.dbguard(['transcripts', 'list', '--json']);
  const id: string = JSON.parse(sessions.split('\n')[0] ?? '{}').sid;
  console.log((await workspace.dbguard(['transcripts', 'list'])).stdout);
  step(`$ dbguard transcripts show ${id}`);
  console.log((await workspace.dbguard(['transcripts', 'show', id])).stdout);
  step(`$ dbguard transcripts verify ${id}`);
  const verified = await workspace.dbguard(['transcripts', 'verify', id]);
  console.log(verified.stdout || verified.stderr);
  process.exitCode = verified.exitCode ?? 1;
}

function step(what: string, note?: string): void {
  console.log(`\n\u2500\u2500 ${what}${note === undefined ? '' : `   (${note})`}`);
}

async function tidyUp(): Promise<void> {
  for (const end of endings.splice(0).reverse()) await end();
}
