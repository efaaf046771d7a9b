/** `required`: where the bucket takes no recording, nothing goes on unrecorded; where it is not, that is said, and work goes on. */
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';
import { repositoryRoot } from '../helpers/repository.js';
import { startS3, testKey } from '../helpers/s3.js';
import { Client } from '../helpers/wire-client.js';
import { query } from '../helpers/wire-messages.js';

const server = await startPostgres();
t.teardown(() => server.stop());
const s3 = await startS3('evidence');
t.teardown(() => s3.close());
const refuse = (): void => {
  s3.allows = ({ method, key }) => method !== 'PUT' || !key.includes('/recordings/');
};
const env = { AWS_ACCESS_KEY_ID: testKey.id, AWS_SECRET_ACCESS_KEY: testKey.secret, AWS_REGION: 'eu-central-1' };
const config = { bucket: { url: 's3://evidence/team', endpoint: s3.endpoint } };
/** Larger than a chunk, so that none waits for its time. */
const rows = query("SELECT repeat('x', 1000) FROM generate_series(1, 400)");

t.test('required', async (t) => {
  refuse();
  const proxy = await startProxyProcess(server, {
    config,
    env,
    connection: { record: { results: 'masked', required: true } },
  });
  const client = await Client.open({ ...proxy });
  await client.logIn();
  await client.send(rows);
  t.ok(await client.hears('closed', 1), 'the session ends');
  // a child that would end well, and only once nothing answers it any more
  const child = `
    const { Client } = require(${JSON.stringify(join(repositoryRoot, 'node_modules/pg'))});
    const client = new Client();
    client.on('error', () => process.exit(0));
    const ask = () => client.query("SELECT repeat('x', 1000) FROM generate_series(1, 400)").then(() => setTimeout(ask, 50));
    client.connect().then(ask).catch(() => process.exit(0));`;
  const ran = await proxy.workspace.dbguard(['run', '--config', 'dbguard.yaml', '--', process.execPath, '-e', child], {
    env,
  });
  t.equal(ran.exitCode, 74, ran.stderr);
  t.match(ran.stderr, 'the bucket takes no recording');
  await t.rejects(proxy.stop(), /ended with 74: .*the bucket takes no recording/s, 'and why is said, as by run');
});

t.test('not required', async (t) => {
  refuse();
  const proxy = await startProxyProcess(server, { config, env, connection: { record: { results: 'masked' } } });
  const client = await Client.open({ ...proxy });
  await client.logIn();
  for (let n = 0; n < 3; n++) {
    await client.send(rows);
    t.ok(await client.hears('Z', 1));
  }
  await client.hangUp();
  // the rights are put right: what waited arrives
  s3.allows = () => true;
  await proxy.stop();
  const chunks = s3.buckets
    .get('evidence')
    ?.keys()
    .filter((key) => key.includes(`/${proxy.session}/results-`));
  t.ok((chunks?.length ?? 0) >= 3, String(chunks));
});

t.test(
  'killed while it records: what was in a chunk is brought, and after what it may be missing is said',
  async (t) => {
    const proxy = await startProxyProcess(server, { connection: { record: { results: 'masked' } } });
    const { workspace, session } = proxy;
    const client = await Client.open({ ...proxy });
    await client.logIn();
    await client.send(rows);
    t.ok(await client.hears('Z', 1));
    const arrived = (): boolean =>
      readdirSync(workspace.bucket, { recursive: true, encoding: 'utf8' }).some((name) => name.includes('results-'));
    for (const end = Date.now() + 60_000; !arrived() && Date.now() < end; ) await sleep(20);
    process.kill(proxy.pid, 'SIGKILL');
    t.ok(await client.hears('closed', 1));
    const uploaded = await workspace.dbguard(['upload']);
    t.equal(uploaded.exitCode, 0, uploaded.stderr);
    const { stdout, exitCode } = await workspace.dbguard(['transcripts', 'verify', session]);
    t.equal(exitCode, 2, 'it has no seal');
    t.match(stdout, /recorded +the results, not encrypted: [12] of [12] chunks? there as recorded; it has no end/);
    t.match(stdout.replace(/\s+/g, ' '), /what came back after #\d+ may be missing/);
    const all = await workspace.dbguard(['transcripts', 'verify', '--all']);
    t.notMatch(all.stdout, 'unknown-object', 'a chunk is no stranger');
    t.match(all.stdout, /recordings: 0 as recorded, 1 not all there or without an end/);
    const chunk = readdirSync(workspace.bucket, { recursive: true, encoding: 'utf8' }).find((name) =>
      name.includes('results-'),
    );
    const path = join(workspace.bucket, chunk ?? '');
    chmodSync(path, 0o600);
    writeFileSync(path, 'something else');
    const changed = await workspace.dbguard(['transcripts', 'verify', '--all']);
    t.equal(changed.exitCode, 1, 'one that lies in its place is found by the look at all sessions, too');
    t.match(changed.stdout, /RECORDING CHANGED.*in the place of 1 lies\s+something else/s);
    t.match(changed.stdout, /recordings: [^\n]*1 changed/);
    await t.rejects(proxy.stop());
  },
);
