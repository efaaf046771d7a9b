/** `dbguard serve` as a team meets it: people and a service by their own tokens, each with a transcript that proves them. */
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import t from 'tap';
import { stateDirs } from '../../src/io/files/state-dirs.js';
import { listSpool } from '../../src/io/spool/recovery.js';
import { audience, gatewaySubject, stageGateway } from '../helpers/gateway.js';
import { ready, speakOauth } from '../helpers/oauth-bearer.js';

const stage = await stageGateway();
t.teardown(() => stage.close());
await stage.postgres.query('CREATE TABLE orders (id int)');
const gateway = await stage.start();

async function until(look: () => unknown): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) if (await look()) return;
  throw new Error('it did not come');
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    ({ code, message, hint }) => ({ code, message, hint }),
  );

const page = (path: string) =>
  new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    get({ port: gateway.http, path }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      resolve({ status: answer.statusCode, text });
    }).once('error', reject);
  });

t.test('a person works, is denied what nobody can be asked about, and stands in the transcript', async (t) => {
  const token = await stage.tokenOf('ada');
  const client = await gateway.connect(token);
  t.strictSame((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  const [subject] = (await client.query("SELECT current_setting('dbguard.subject') AS s")).rows;
  t.strictSame(subject, { s: 'ada@example.test' });
  t.match(await failure(client.query('DELETE FROM orders')), { code: '42501' });
  const again = await gateway.connect(token);
  const { rows } = await again.query("SELECT current_setting('dbguard.session') AS sid");
  const sid: string = rows[0].sid;
  t.match(
    await client.query("SELECT current_setting('dbguard.session') AS sid"),
    { rows: [{ sid }] },
    'one session for a token',
  );
  const bob = await gateway.connect(await stage.tokenOf('bob'), { user: 'bob@example.test' });
  t.notMatch(await bob.query("SELECT current_setting('dbguard.session') AS sid"), { rows: [{ sid }] });
  t.match(await page('/readyz'), { status: 200 });
  t.match((await page('/metrics')).text, /dbguard_clients 3\n/);
  await Promise.all([client.end(), again.end(), bob.end()]);
});

t.test('OAUTHBEARER: where to get a token, then in with it', async (t) => {
  const speak = (auth: string) => speakOauth(gateway.oauth, stage.ca, 'ada@example.test', auth);
  const asked = await speak('');
  t.match(asked, `${stage.people.issuer}/.well-known/openid-configuration`);
  t.match(asked, /FATAL.*28000/s);
  t.match(await speak(`Bearer ${await stage.tokenOf('ada')}`), ready);
  t.match(await speak(`Bearer ${await stage.tokenOf('ada', { aud: 'wiki' })}`), /FATAL.*28P01/s);
});

t.test('dbguard token in a job: its platform’s, for the gateway', async (t) => {
  const { stdout, exitCode, stderr } = await stage.workspace.dbguard([
    ...['token', '--config', `${stage.workspace.project}/dbguard.yaml`],
  ]);
  t.equal(exitCode, 0, stderr);
  t.match(decodeJwt(stdout.trim()), { aud: audience, sub: gatewaySubject });
});

t.test('SIGTERM: all of it is in the bucket, and both the gateway and the people are proven', async (t) => {
  t.equal(await gateway.stop(), 0);
  const { stdout, stderr, exitCode } = await stage.workspace.dbguard([
    ...['transcripts', 'verify', '--all', '--config', `${stage.workspace.project}/dbguard.yaml`],
  ]);
  t.equal(exitCode, 0, stdout + stderr);
  t.match(stdout, /4 proven, 0 not all proven, 0 changed or forged/, 'hers by two tokens, his, and the gateway’s own');
});

t.test('kill -9: what was answered is in the bucket after the next start', async (t) => {
  const second = await stage.start();
  const client = await second.connect(await stage.tokenOf('ada'));
  const { rows } = await client.query("SELECT current_setting('dbguard.session') AS sid, 'before the kill' AS what");
  second.process.kill('SIGKILL');
  await second.process;
  const third = await stage.start();
  const config = ['--config', `${stage.workspace.project}/dbguard.yaml`];
  await until(async () => {
    const { stdout } = await stage.workspace.dbguard(['transcripts', 'show', rows[0].sid, ...config]);
    return stdout.includes('before the kill');
  });
  const { exitCode, stdout } = await stage.workspace.dbguard(['transcripts', 'verify', rows[0].sid, ...config]);
  t.equal(exitCode, 2, 'nothing is wrong with it, but that it has no end');
  t.match(stdout, /showed their token to a gateway/);
  t.equal(await third.stop(), 0);
});

t.test(
  'what a killed one left is uploaded by a peer on another host that has its volume, once it has been silent',
  async (t) => {
    const volume = join(stage.workspace.home, 'volume');
    mkdirSync(volume, { mode: 0o700 });
    const env = { DBGUARD_HOME: volume };
    const killed = await stage.start({ env });
    const client = await killed.connect(await stage.tokenOf('ada'));
    const { rows } = await client.query(
      "SELECT current_setting('dbguard.session') AS sid, 'before the peer came' AS what",
    );
    killed.process.kill('SIGKILL');
    await killed.process;
    const spools = listSpool(stateDirs(env).state);
    t.ok(spools.some(({ sid }) => sid === rows[0].sid));
    for (const { folder } of spools) {
      const lock = join(folder, 'lock');
      const owner = JSON.parse(readFileSync(lock, 'utf8'));
      // its process id is another one's here: that this host has none, or has one, says nothing
      writeFileSync(lock, JSON.stringify({ ...owner, host: 'the-killed-one', pid: process.pid }));
      const silent = new Date(Date.now() - 16 * 60_000);
      utimesSync(folder, silent, silent);
    }
    const peer = await stage.start({ env });
    const config = ['--config', `${stage.workspace.project}/dbguard.yaml`];
    await until(async () => {
      const { stdout } = await stage.workspace.dbguard(['transcripts', 'show', rows[0].sid, ...config]);
      return stdout.includes('before the peer came');
    });
    t.equal((await stage.workspace.dbguard(['transcripts', 'verify', rows[0].sid, ...config])).exitCode, 2);
    t.equal(await peer.stop(), 0);
  },
);
