/** Server connections that are opened for clients before their password is known. */
import { Socket } from 'node:net';
import { test } from 'tap';
import { EarlyDials } from '../../../src/io/listener/early-dials.js';
import type { Upstream } from '../../../src/io/upstream/connect.js';

function connection() {
  const socket = new Socket();
  return { upstream: { socket } as unknown as Upstream, socket };
}

test('a client with the right password takes the connection, once', async (t) => {
  const { upstream, socket } = connection();
  const unused: Upstream[] = [];
  const dial = new EarlyDials().start(
    async () => upstream,
    (one) => unused.push(one),
  );
  t.equal(await dial?.take(), upstream);
  t.equal(dial?.take(), undefined, 'nobody else');
  await dial?.drop();
  t.same([socket.destroyed, unused.length], [false, 0], 'it is not dropped any more');
});

test('what nobody takes is recorded and closed', async (t) => {
  const { upstream, socket } = connection();
  const unused: Upstream[] = [];
  const dial = new EarlyDials().start(
    async () => upstream,
    (one) => unused.push(one),
  );
  await dial?.drop();
  await dial?.drop();
  t.same([socket.destroyed, unused], [true, [upstream]]);
  t.equal(dial?.take(), undefined);
});

test('a client that leaves ends the dialling', async (t) => {
  // by a timer that holds no process
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(alive));
  const dial = new EarlyDials().start(
    (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    () => t.fail('nothing was opened'),
  );
  await dial?.drop();
});

test('at most four at a time; a place is free again when one is taken, dropped or fails', async (t) => {
  const dials = new EarlyDials();
  const start = () =>
    dials.start(
      async () => connection().upstream,
      () => undefined,
    );
  const four = [start(), start(), start(), start()];
  t.ok(four.every((dial) => dial !== undefined));
  t.equal(start(), undefined);
  await four[0]?.take();
  const fifth = start();
  t.ok(fifth);
  t.equal(start(), undefined);
  await four[1]?.drop();
  const failing = dials.start(
    async () => Promise.reject(new Error('no server')),
    () => undefined,
  );
  await t.rejects(async () => failing?.take(), { message: 'no server' });
  t.ok(start());
});
