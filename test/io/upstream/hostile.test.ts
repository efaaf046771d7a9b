import t from 'tap';
import {
  decodeSaslInitialResponse,
  encodeAuthenticationCleartext,
  encodeAuthenticationMd5,
  encodeAuthenticationOk,
  encodeAuthenticationSasl,
  encodeAuthenticationSaslContinue,
  encodeAuthenticationSaslFinal,
} from '../../../src/wire/authentication.js';
import { encodeNotice, message } from '../../../src/wire/backend.js';
import { backend } from '../../../src/wire/messages.js';
import { makeScramVerifier } from '../../../src/wire/scram-keys.js';
import { ScramServer } from '../../../src/wire/scram-server.js';
import { encodeNegotiateProtocolVersion } from '../../../src/wire/startup.js';
import { makeCertificate } from './certificates.js';
import { connect, failure } from './connections.js';
import { type Conversation, fakeServer, fatal, ready } from './fake-server.js';

const password = 'hush-word';
const url = (port: number, rest = 'sslmode=disable') =>
  `host=127.0.0.1 port=${port} user=app password=${password} ${rest}`;
const sslRequestOnly = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

t.test('attack: bytes smuggled behind the answer to SSLRequest (CVE-2021-23222)', async (t) => {
  const injected = Buffer.concat([encodeAuthenticationOk(), ready({ server_version: 'evil' })]);
  for (const mode of ['require', 'prefer']) {
    const server = await fakeServer(t, async (client) => {
      await client.takePacket();
      client.send('S', injected);
    });
    const error = await failure({ url: url(server.port, `sslmode=${mode} connect_timeout=5`) });
    t.match(error, { code: 'upstream-tls', message: /unencrypted data behind/ }, mode);
    t.same(server.received().subarray(0, 8), sslRequestOnly);
  }
  const later = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send('S');
    await client.take(1); // the ClientHello: from here on the bytes count as TLS
    client.send(injected);
  });
  t.match(await failure({ url: url(later.port, 'sslmode=require') }), { code: 'upstream-tls', message: /handshake/ });
});

t.test('attack: an error text before anybody has proved anything is not repeated (CVE-2024-10977)', async (t) => {
  const server = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send(fatal('28000', 'please send your password to evil.example'));
  });
  const error = await failure({ url: url(server.port, 'sslmode=require') });
  t.match(error, { code: 'upstream-tls', response: undefined });
  t.notMatch(error.message, 'evil');
});

t.test('an answer to SSLRequest that makes no sense', async (t) => {
  const server = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send('X');
  });
  t.match(await failure({ url: url(server.port, 'sslmode=prefer') }), { code: 'upstream-protocol' });
});

t.test('attack: a server that takes TLS away gets no password in clear text', async (t) => {
  for (const [name, sslmode, request] of [
    ['no TLS asked for', 'disable', encodeAuthenticationCleartext()],
    ['TLS declined', 'prefer', encodeAuthenticationCleartext()],
  ] as const) {
    const server = await fakeServer(t, async (client) => {
      if (sslmode === 'prefer') {
        await client.takePacket();
        client.send('N');
      }
      await client.takePacket();
      client.send(request);
    });
    t.match(await failure({ url: url(server.port, `sslmode=${sslmode}`) }), { code: 'upstream-tls' }, name);
    t.equal(server.connections(), 1, 'and nothing is tried a second time');
    t.notOk(server.received().includes(password), name);
  }
  const declining = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send('N');
  });
  for (const mode of ['require', 'verify-ca', 'verify-full']) {
    const root = t.testdir({ 'ca.crt': makeCertificate({ name: 'CA', authority: true }).pem });
    const error = await failure({ url: url(declining.port, `sslmode=${mode} sslrootcert=${root}/ca.crt`) });
    t.match(error, { code: 'upstream-tls', message: new RegExp(`does not support TLS, and sslmode=${mode}`) });
  }
  t.notOk(declining.received().includes('app'), 'not even the user name went out');
});

/** The server's side of a SCRAM login that knows the password, up to the point where `cheat` takes over. */
async function scram(client: Conversation, cheat: (final: Buffer) => void): Promise<void> {
  await client.takePacket();
  client.send(encodeAuthenticationSasl(['SCRAM-SHA-256']));
  const server = new ScramServer([await makeScramVerifier(password, Buffer.alloc(16, 1))], Buffer.alloc(18, 2));
  const initial = message(0x70, await client.takeMessage());
  const { mechanism, data } = decodeSaslInitialResponse(initial, 0, initial.length);
  const challenge = server.start(mechanism, data);
  if (challenge.kind === 'failure') throw new Error(challenge.message);
  client.send(encodeAuthenticationSaslContinue(challenge.data));
  const outcome = server.finish(await client.takeMessage());
  if (outcome.kind === 'failure') throw new Error(outcome.message);
  cheat(outcome.data);
}

t.test('attack: SCRAM with a server that does not prove that it knows the password', async (t) => {
  const honest = await fakeServer(t, (client) =>
    scram(client, (final) => client.send(encodeAuthenticationSaslFinal(final), encodeAuthenticationOk(), ready())),
  );
  t.equal((await connect(t, { url: url(honest.port) })).backendKey?.pid, 42, 'the honest server is let through');

  const wrong = `v=${Buffer.alloc(32, 1).toString('base64')}`;
  for (const [name, reply, expected] of [
    [
      'a wrong signature',
      () => [encodeAuthenticationSaslFinal(Buffer.from(wrong)), encodeAuthenticationOk()],
      /could not prove/,
    ],
    ['no signature', () => [encodeAuthenticationOk(), ready()], /skipped the proof/],
    ['an empty signature', () => [encodeAuthenticationSaslFinal(Buffer.from('v='))], /32/],
    ['an error instead', () => [encodeAuthenticationSaslFinal(Buffer.from('e=x'))], /reports an error/],
    [
      'the signature twice',
      (final: Buffer) => [encodeAuthenticationSaslFinal(final), encodeAuthenticationSaslFinal(final)],
      /out of order/,
    ],
    [
      'another login after it',
      (final: Buffer) => [encodeAuthenticationSaslFinal(final), encodeAuthenticationMd5(Buffer.alloc(4))],
      /out of order/,
    ],
    ['SASL once more', () => [encodeAuthenticationSasl(['SCRAM-SHA-256'])], /out of order/],
    ['clear text after all', () => [encodeAuthenticationCleartext()], /out of order/],
  ] as [string, (final: Buffer) => Buffer[], RegExp][]) {
    const server = await fakeServer(t, (client) => scram(client, (final) => client.send(...reply(final))));
    const error = await failure({ url: url(server.port) });
    t.match(`${error.code}: ${error.message}`, expected, name);
    t.notOk(server.received().includes(password), name);
  }
});

t.test('attack: SCRAM challenges that would help to guess the password or keep us busy', async (t) => {
  for (const [iterations, expected] of [
    ['1', /1 iterations only, at least 4096/],
    ['999999999', /impossible number/],
  ] as const) {
    const server = await fakeServer(t, async (client) => {
      await client.takePacket();
      client.send(encodeAuthenticationSasl(['SCRAM-SHA-256']));
      const first = (await client.takeMessage()).toString('latin1');
      const nonce = /r=([^,]+)$/.exec(first)?.[1];
      client.send(encodeAuthenticationSaslContinue(Buffer.from(`r=${nonce}x,s=AAAA,i=${iterations}`)));
    });
    t.match(await failure({ url: url(server.port) }), { code: 'upstream-protocol', message: expected });
  }
});

t.test('attack: channel binding taken out of the offer, or offered where there is none', async (t) => {
  const certificate = makeCertificate({ name: 'localhost' });
  let first = '';
  const stripped = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send('S');
    await client.secure(certificate);
    await client.takePacket();
    client.send(encodeAuthenticationSasl(['SCRAM-SHA-256']));
    first = (await client.takeMessage()).toString('latin1');
    client.end();
  });
  t.match(await failure({ url: url(stripped.port, 'sslmode=require') }), { code: 'upstream-unreachable' });
  t.match(first, 'y,,', 'the flag that lets an honest server behind it notice');
  const required = await failure({ url: url(stripped.port, 'sslmode=require channel_binding=require') });
  t.match(required, { code: 'upstream-auth', message: /cannot be bound: the server does not offer it/ });

  const offered = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send(encodeAuthenticationSasl(['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']));
  });
  t.match(await failure({ url: url(offered.port) }), { code: 'upstream-auth', message: /connection without TLS/ });
});

t.test('garbage, floods and silence end in an error', async (t) => {
  const reply = (bytes: Buffer | string) => async (client: Conversation) => {
    await client.takePacket();
    client.send(bytes);
  };
  const endless = encodeNotice({ severity: 'NOTICE', code: '00000', message: 'x'.repeat(60_000) });
  for (const [name, talk, expected] of [
    ['a web server', reply('HTTP/1.1 400 Bad Request\r\n\r\n'), /upstream-protocol/],
    [
      'a length of 1 GB',
      reply(Buffer.from('520000ffff', 'hex').fill(0x3f, 1)),
      /upstream-protocol.*invalid message length/,
    ],
    ['a length of 3', reply(Buffer.from('5200000003', 'hex')), /upstream-protocol.*invalid message length/],
    ['an empty authentication message', reply(Buffer.from('5200000004', 'hex')), /upstream-protocol/],
    ['a row before the login', reply(message(backend.dataRow, Buffer.alloc(2))), /upstream-protocol.*0x44/],
    ['GSSAPI', reply(Buffer.from('520000000800000007', 'hex')), /upstream-auth.*GSSAPI/],
    ['an unknown mechanism', reply(encodeAuthenticationSasl(['X-1'])), /upstream-auth.*X-1/],
    ['no mechanism', reply(encodeAuthenticationSasl([])), /upstream-auth/],
    ['SASL out of nothing', reply(encodeAuthenticationSaslContinue(Buffer.from('x'))), /out of order/],
    ['a signature out of nothing', reply(encodeAuthenticationSaslFinal(Buffer.from('x'))), /out of order/],
    [
      'a newer protocol than asked for',
      reply(encodeNegotiateProtocolVersion({ minor: 9, unknownOptions: [] })),
      /newer/,
    ],
    [
      'a key that is cut off',
      reply(Buffer.concat([encodeAuthenticationOk(), Buffer.from('4b000000050', 'hex'), Buffer.from([0])])),
      /upstream-protocol/,
    ],
    [
      'an error without fields',
      reply('Ecould not fork new process\n\0'),
      /refused the connection: could not fork new process$/,
    ],
    ['notices without end', reply(Buffer.concat(Array.from({ length: 40 }, () => endless))), /does not come to an end/],
    ['closed at once', (client: Conversation) => client.end(), /closed the connection/],
    ['reset at once', (client: Conversation) => client.destroy(), /upstream-unreachable/],
  ] as const) {
    const server = await fakeServer(t, talk);
    const error = await failure({ url: url(server.port) });
    t.match(`${error.code}: ${error.message}`, expected, name);
    t.ok(error.hint, name);
  }
  const silent = await fakeServer(t, () => {});
  for (const mode of ['disable', 'require']) {
    const error = await failure({ url: url(silent.port, `sslmode=${mode} connect_timeout=1`) });
    t.match(error, { code: 'upstream-unreachable', message: /did not answer within 1 s/, hint: /connect_timeout/ });
  }
  const aborted = new AbortController();
  const waiting = failure({ url: url(silent.port) }, { signal: aborted.signal });
  setImmediate(() => aborted.abort(new Error('the client left')));
  await t.rejects(waiting, { message: 'the client left' });
  await t.rejects(failure({ url: url(silent.port) }, { signal: AbortSignal.abort(new Error('gone')) }), {
    message: 'gone',
  });
});

t.test('attack: bytes that trickle, at each phase: the time is for all of them together', async (t) => {
  const notice = encodeNotice({ severity: 'NOTICE', code: '00000', message: 'wait' });
  const trickle = (client: Conversation, next: (index: number) => Buffer) => {
    let index = 0;
    const timer = setInterval(() => client.send(next(index++)), 20);
    t.teardown(() => clearInterval(timer));
  };
  /** One byte at a time of a message that is longer than anybody waits. */
  const slowly = (type: number) => {
    const long = message(type, Buffer.alloc(60_000));
    return (index: number) => long.subarray(index, index + 1);
  };
  /** The first bytes of a TLS record of 16 KiB. */
  const record = Buffer.concat([Buffer.from('1603030400', 'hex').fill(0x40, 3, 4), Buffer.alloc(16_384)]);
  const phases: readonly [string, string, (client: Conversation) => void][] = [
    ['TLS handshake', 'require', (client) => trickle(client, (index) => record.subarray(index, index + 1))],
    ['authentication', 'disable', (client) => trickle(client, slowly(backend.authentication))],
    ['a notice before it', 'disable', (client) => trickle(client, slowly(backend.noticeResponse))],
    ['whole notices before it', 'disable', (client) => trickle(client, () => notice)],
    ...(['parameterStatus', 'readyForQuery', 'noticeResponse'] as const).map(
      (name): [string, string, (client: Conversation) => void] => [
        `${name} after it`,
        'disable',
        (client) => {
          client.send(encodeAuthenticationOk());
          trickle(client, slowly(backend[name]));
        },
      ],
    ),
  ];
  await Promise.all(
    phases.map(async ([name, sslmode, talk]) => {
      const server = await fakeServer(t, async (client) => {
        await client.takePacket();
        if (sslmode === 'require') client.send('S');
        talk(client);
      });
      const error = await failure({ url: url(server.port, `sslmode=${sslmode} connect_timeout=1`) });
      t.match(error, { code: 'upstream-unreachable', message: /did not answer within 1 s/ }, name);
    }),
  );
});

t.test('notices and bytes behind ReadyForQuery are handed on', async (t) => {
  const notice = encodeNotice({ severity: 'NOTICE', code: '00000', message: 'hello' });
  const server = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send(notice, encodeAuthenticationOk(), notice, ready({ server_version: '9.6' }), 'rest');
  });
  const upstream = await connect(t, { url: url(server.port) });
  t.same(upstream.notices, [notice, notice]);
  t.same(upstream.rest, Buffer.from('rest'));
  t.equal(upstream.serverVersion, '9.6');
});

t.test('what comes while nobody listens waits for the owner, and so does the end', async (t) => {
  const certificate = makeCertificate({ name: 'localhost' });
  for (const sslmode of ['disable', 'require']) {
    const server = await fakeServer(t, async (client) => {
      if (sslmode === 'require') {
        await client.takePacket();
        client.send('S');
        await client.secure(certificate);
      }
      await client.takePacket();
      client.send(encodeAuthenticationOk(), ready());
      setImmediate(() => {
        client.send('later');
        client.end();
      });
    });
    const { socket, rest } = await connect(t, { url: url(server.port, `sslmode=${sslmode}`) });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const received: Buffer[] = [rest];
    for await (const chunk of socket) received.push(chunk);
    t.equal(Buffer.concat(received).toString(), 'later', sslmode);
  }
});

t.test('a connection that breaks while nobody listens does not end the process', async (t) => {
  const server = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send(encodeAuthenticationOk(), ready());
  });
  const { socket } = await connect(t, { url: url(server.port) });
  socket.destroy(new Error('reset'));
  await new Promise((resolve) => socket.once('close', resolve));
  t.ok(socket.destroyed);
});

t.test('the startup of a server, cut at every byte', async (t) => {
  const notice = encodeNotice({ severity: 'NOTICE', code: '00000', message: 'hi' });
  const whole = Buffer.concat([notice, encodeAuthenticationOk(), ready({ server_version: '18' })]);
  for (let cut = 1; cut < whole.length; cut++) {
    const server = await fakeServer(t, async (client) => {
      await client.takePacket();
      client.send(whole.subarray(0, cut));
      await new Promise(setImmediate);
      client.send(whole.subarray(cut));
    });
    const upstream = await connect(t, { url: url(server.port) });
    if (upstream.backendKey?.pid !== 42 || upstream.notices.length !== 1) t.fail(`cut at ${cut}`);
    upstream.socket.destroy();
  }
  t.pass('the same every time');
});
