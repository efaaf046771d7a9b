/** What chats are told of a request to a second person, at real HTTP servers: well, slow, broken, away and behind a proxy. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { SecondPersonEvent } from '../../src/approval/second-person/asker.js';
import { openWebhooks } from '../../src/cli/guard/webhooks.js';
import type { DbguardError } from '../../src/errors.js';
import { outwardFetch } from '../../src/io/http/outward-fetch.js';
import { postWebhook } from '../../src/io/http/webhook-post.js';
import type { WebhookFormat } from '../../src/policy/read-second-person.js';
import { request } from '../approval/requests.js';
import { startConnectProxy } from '../helpers/connect-proxy.js';
import { makeCertificate } from '../io/upstream/certificates.js';

const never = new AbortController().signal;
const quick = { tryMs: 30_000, pausesMs: [1, 1] };
const path = '/services/T0/B0/pa55word';

type Answering = (response: ServerResponse, nth: number) => void;

async function receiver(t: Test, answering: Answering = (response) => response.end('ok')) {
  const got: { readonly body: string; readonly type: string | undefined; readonly url: string | undefined }[] = [];
  let wake: () => void = () => undefined;
  const take = (incoming: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      got.push({ body: `${Buffer.concat(parts)}`, type: incoming.headers['content-type'], url: incoming.url });
      answering(response, got.length);
      wake();
    });
  };
  const server = createServer(take).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    got,
    take,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    async until(count: number) {
      while (got.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

const hostile = {
  table: 'orders',
  connection: 'shop <!channel> [x](https://evil.example)',
  subject: '<@U1>*ada*@example.test',
};

function event(kind: SecondPersonEvent['kind'], by?: string): SecondPersonEvent {
  const { connection, subject } = hostile;
  const sql = "DELETE FROM orders WHERE note = 'canary' AND id = $1";
  const about = request({ sql, bindValues: ['canary'], connection, subject, environment: 'production' });
  return { kind, id: '01m8mzcsy6zc910mm22w2515g3', request: about, ...(by === undefined ? {} : { by }) };
}

for (const format of ['json', 'slack', 'teams'] as const satisfies readonly WebhookFormat[]) {
  t.test(`${format}: told of the question, then of the answer; never of a value`, async (t) => {
    const chat = await receiver(t);
    const troubles: DbguardError[] = [];
    const webhooks = openWebhooks([{ url: chat.url, format }], {}, (error) => troubles.push(error));
    for (const one of [event('asked'), event('unanswered'), event('approved', 'lead@example.test')]) webhooks.tell(one);
    await webhooks.close();
    t.same(troubles, []);
    t.equal(chat.got.length, 2, 'nobody is told that nobody has answered');
    for (const { body, type, url } of chat.got) {
      t.match({ type, url }, { type: 'application/json', url: path });
      t.notMatch(body, /canary|note|WHERE/i);
      t.match(body, /orders/);
      const told = JSON.parse(body);
      if (format === 'json') t.match(told, { id: /^01m8/, production: true, headline: /orders/ });
      if (format === 'slack') t.notMatch(told.text, /[<>]/, 'nobody is called, nothing links');
      if (format === 'teams') t.notMatch(told.attachments[0].content.body[0].text, /(?<!\\)[[\]<*]/);
    }
    const [first = '', second = ''] = chat.got.map(({ body }) => body);
    t.match(first, /asked|needs a second person/);
    t.match(second, /approved/);
    t.match(second, /lead@example\.test/);
  });
}

t.test('the answer does not come before the question, however slow the receiver is', async (t) => {
  const waiting: ServerResponse[] = [];
  const chat = await receiver(t, (response, nth) => (nth === 1 ? waiting.push(response) : response.end()));
  const webhooks = openWebhooks([{ url: chat.url, format: 'json' }], {}, () => t.fail());
  webhooks.tell(event('asked'));
  webhooks.tell(event('denied', 'lead@example.test'));
  await chat.until(1);
  t.equal(chat.got.length, 1);
  waiting[0]?.end();
  await chat.until(2);
  t.same(
    chat.got.map(({ body }) => JSON.parse(body).event),
    ['asked', 'denied'],
  );
  await webhooks.close();
});

t.test(
  'one that never answers holds up neither the question nor the end of the run, and its password is not told',
  async (t) => {
    const chat = await receiver(t, () => undefined);
    const troubles: DbguardError[] = [];
    const webhooks = openWebhooks([{ url: chat.url, format: 'json' }], {}, (error) => troubles.push(error));
    webhooks.tell(event('asked'));
    webhooks.tell(event('approved', 'lead@example.test'));
    await webhooks.close();
    t.equal(troubles.length, 2);
    for (const { message, hint } of troubles) {
      t.match(message, /webhook 1 at 127\.0\.0\.1:\d+ was not told/);
      t.notMatch(`${message} ${hint}`, /pa55word/);
    }
  },
);

t.test('which answers are tried again, and how often', async (t) => {
  const fetch = outwardFetch({});
  const answers: Readonly<Record<string, readonly [statuses: readonly number[], tries: number, error?: RegExp]>> = {
    'well at once': [[200], 1],
    'broken, then well': [[500, 503, 204], 3],
    'overloaded, then well': [[429, 200], 2],
    'broken for good': [[502, 502, 502, 200], 3, /answered 502/],
    'a webhook that is gone': [[404, 200], 1, /answered 404/],
    'one that leads elsewhere': [[302, 200], 1, /answered 302/],
    'no right': [[403, 200], 1, /answered 403/],
  };
  for (const [name, [statuses, tries, error]] of Object.entries(answers)) {
    const chat = await receiver(t, (response, nth) =>
      response.writeHead(statuses[nth - 1] ?? 200, { location: '/' }).end(),
    );
    const posted = postWebhook(fetch, chat.url, '{}', never, quick);
    if (error) await t.rejects(posted, { message: error }, name);
    else await posted;
    t.equal(chat.got.length, tries, name);
  }
  const patient = await receiver(t, (response) => response.writeHead(503, { 'retry-after': '3600' }).end());
  await t.rejects(postWebhook(fetch, patient.url, '{}', never, quick), { message: /503/ });
  t.equal(patient.got.length, 1, 'an hour is not waited');
  const silent = await receiver(t, (response, nth) => (nth < 3 ? undefined : response.end()));
  await postWebhook(fetch, silent.url, '{}', never, { ...quick, tryMs: 100 });
  t.equal(silent.got.length, 3, 'one that does not answer in time');
  const cut = await receiver(t, (response, nth) => (nth < 2 ? response.destroy() : response.end()));
  await postWebhook(fetch, cut.url, '{}', never, quick);
  t.equal(cut.got.length, 2, 'a connection that ends');
  const nobody = 'http://127.0.0.1:1/';
  await t.rejects(postWebhook(fetch, nobody, '{}', never, quick), { message: /ECONNREFUSED/ });
});

t.test('behind a proxy, and beside it', async (t) => {
  const authority = makeCertificate({ name: 'Company CA', authority: true });
  const { pem: cert, keyPem: key } = makeCertificate({ name: 'chat', hosts: ['hooks.example'], issuer: authority });
  const chat = await receiver(t);
  const site = createTlsServer({ cert, key }, chat.take).listen(0, '127.0.0.1');
  await once(site, 'listening');
  t.teardown(() => site.close());
  const proxy = await startConnectProxy({ route: () => (site.address() as AddressInfo).port });
  t.teardown(() => proxy.close());
  const root = t.testdir({ 'company.pem': authority.pem });
  const env = { HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1', NODE_EXTRA_CA_CERTS: join(root, 'company.pem') };
  const outside = { url: `https://hooks.example${path}`, format: 'slack' } as const;
  const webhooks = openWebhooks([outside, { url: chat.url, format: 'json' }], env, (error) => t.fail(error.message));
  webhooks.tell(event('asked'));
  await webhooks.close();
  t.equal(chat.got.length, 2);
  t.same(proxy.asked, ['hooks.example:443'], 'the one on this machine goes by itself');
});
