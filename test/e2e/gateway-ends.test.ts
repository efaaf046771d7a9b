/** What ends a guest's connection to a gateway: times, numbers, a changed policy. And a changed certificate, which ends none. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tls } from 'node:tls';
import type pg from 'pg';
import t from 'tap';
import { stageGateway } from '../helpers/gateway.js';
import { makeCertificate } from '../io/upstream/certificates.js';

const stage = await stageGateway();
t.teardown(() => stage.close());
const most = 4;
stage.configure({ limits: { connections: most } });
const gateway = await stage.start();

/** The code that it ends with. */
const end = (client: pg.Client): Promise<string | undefined> =>
  new Promise((resolve) => client.once('error', ({ code }: Error & { code?: string }) => resolve(code)));
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    ({ code }) => code,
  );

async function until(look: () => Promise<boolean>): Promise<void> {
  for (const over = Date.now() + 60_000; Date.now() < over; await sleep(50)) if (await look()) return;
  throw new Error('it did not come');
}

t.test('as many as may come in, and one who goes makes room', async (t) => {
  const token = await stage.tokenOf('ada');
  const clients = await Promise.all(Array.from({ length: most }, () => gateway.connect(token)));
  const bob = { user: 'bob@example.test' };
  t.equal(await failure(gateway.connect(await stage.tokenOf('bob'), bob)), '53300');
  await clients[0]?.end();
  await until(async () => (await failure(gateway.connect(await stage.tokenOf('bob'), bob))) === undefined);
  await Promise.all(clients.slice(1).map((one) => one.end()));
});

t.test('a changed policy: what runs may run to its end, then whoever is there comes again', async (t) => {
  const [idle, busy] = await Promise.all([1, 2].map(async () => gateway.connect(await stage.tokenOf('ada'))));
  if (!idle || !busy) throw new Error('nobody');
  const running = busy.query('SELECT pg_sleep(4), 1 AS done');
  const ends = [end(idle), end(busy)];
  stage.configure({ limits: { connections: most } }, { policy: { profile: 'read-only' } });
  t.match((await running).rows, [{ done: 1 }]);
  t.strictSame(await Promise.all(ends), ['57P01', '57P01']);
  const again = await gateway.connect(await stage.tokenOf('ada'));
  t.equal(await failure(again.query('CREATE TABLE made (id int)')), '42501', 'and is judged by the new one');
  await again.end();
});

t.test('time: idle, idle in a transaction, a statement', async (t) => {
  stage.configure({ limits: { idle: '1s', idle_in_transaction: '1s', statement: '1s' } });
  await until(async () => gateway.log.filter(({ event }) => event === 'settings-changed').length > 1);
  const token = await stage.tokenOf('ada');
  const [idle, open, busy] = await Promise.all([1, 2, 3].map(() => gateway.connect(token)));
  if (!idle || !open || !busy) throw new Error('nobody');
  await open.query('BEGIN');
  t.strictSame(await Promise.all([end(idle), end(open), failure(busy.query('SELECT pg_sleep(60)'))]), [
    '57P05',
    '25P03',
    '57014',
  ]);
});

t.test('a policy of a later version: refused, and nobody is let in by the one before', async (t) => {
  const readyz = () =>
    fetch(`http://127.0.0.1:${gateway.http}/readyz`).then(async (answer) => `${answer.status} ${await answer.text()}`);
  const client = await gateway.connect(await stage.tokenOf('ada'));
  const over = end(client);
  stage.configure({}, { requires: '>=99.0', quorum: { of: 'everybody' } });
  t.equal(await over, '57P01');
  t.match(await readyz(), /^503 .*this file needs dbguard 99.0 or later/s);
  t.equal(await failure(gateway.connect(await stage.tokenOf('ada'))), '57P03');
  stage.configure({}, { requires: '>=0.1' });
  await until(async () => (await readyz()).startsWith('200'));
  await (await gateway.connect(await stage.tokenOf('ada'))).end();
});

t.test('another certificate is there for whoever comes next, and a broken one is not taken', async (t) => {
  const shown = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = tls({
        ...{ host: '127.0.0.1', port: gateway.port, rejectUnauthorized: false, ALPNProtocols: ['postgresql'] },
      });
      socket.once('secureConnect', () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.once('error', reject);
    });
  const before = await shown();
  const [certificate = '', key = ''] = ['tls.crt', 'tls.key'].map((name) => join(stage.workspace.home, name));
  writeFileSync(certificate, 'half of i');
  await until(async () =>
    gateway.log.some(({ event, message }) => event === 'trouble' || /certificate/.test(`${message}`)),
  );
  t.equal(await shown(), before);
  const authority = makeCertificate({ name: 'another authority', authority: true });
  const next = makeCertificate({ name: 'gateway', issuer: authority, hosts: ['127.0.0.1'] });
  writeFileSync(certificate, next.pem);
  writeFileSync(key, next.keyPem);
  await until(async () => (await shown()) !== before);
  t.equal(await gateway.stop(), 0);
});
