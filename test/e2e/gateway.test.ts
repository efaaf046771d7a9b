/** `dbguard serve` as a team meets it: people and a service by their own tokens, each with a transcript that proves them. */
import { get } from 'node:http';
import t from 'tap';
import { stageGateway } from '../helpers/gateway.js';

const stage = await stageGateway();
t.teardown(() => stage.close());
await stage.postgres.query('CREATE TABLE orders (id int)');
const gateway = await stage.start();

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

t.test('SIGTERM: all of it is in the bucket, and both the gateway and the people are proven', async (t) => {
  t.equal(await gateway.stop(), 0);
  const { stdout, stderr, exitCode } = await stage.workspace.dbguard([
    ...['transcripts', 'verify', '--all', '--config', `${stage.workspace.project}/dbguard.yaml`],
  ]);
  t.equal(exitCode, 0, stdout + stderr);
  t.match(stdout, /3 proven, 0 not all proven, 0 changed or forged/, 'hers, his, and the gateway’s own');
});
