/** The dialogues with bytes changed, lost and doubled, through the real proxy to a real server: one client's nonsense is its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import pg from 'pg';
import { test } from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyInProcess } from '../helpers/proxy-in-process.js';
import { Client } from '../helpers/wire-client.js';
import { named } from '../proxy/policies.js';
import { allDialogues } from './dialogues/all.js';

/** What the first client of each dialogue says, without the waits between. */
const conversations = Object.entries(allDialogues)
  .filter(([group]) => group !== 'connecting' && group !== 'sizes')
  .flatMap(([, dialogues]) => dialogues)
  .map(({ steps }) => Buffer.concat(steps.filter((step) => Buffer.isBuffer(step))))
  // what sleeps or is long takes time, and teaches nothing here
  .filter((bytes) => bytes.length < 20_000 && !bytes.includes('pg_sleep'));

type Change = { readonly at: number; readonly how: 'set' | 'drop' | 'double' | 'cut'; readonly byte: number };
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  how: fc.constantFrom(
    'set' as const,
    'set' as const,
    'set' as const,
    'drop' as const,
    'double' as const,
    'cut' as const,
  ),
  byte: fc.integer({ min: 0, max: 255 }),
});

function mutated(bytes: Buffer, changes: readonly Change[]): Buffer {
  let result = bytes;
  for (const { at, how, byte } of changes) {
    const place = Math.floor(at * result.length);
    const [head, tail] = [result.subarray(0, place), result.subarray(place)];
    if (how === 'set') result = Buffer.concat([head, Buffer.from([byte]), tail.subarray(1)]);
    else if (how === 'drop') result = Buffer.concat([head, tail.subarray(1 + (byte % 8))]);
    else if (how === 'double') result = Buffer.concat([head, tail.subarray(0, byte), tail]);
    else result = head;
  }
  return result;
}

test('conversations gone wrong', async (t) => {
  const postgres = await startPostgres();
  const harness = await startProxyInProcess({
    upstreamUrl: postgres.url(),
    policy: named('denied', 'deny'),
    timeouts: { handshakeMs: 2_000, lingerMs: 500 },
  });
  t.teardown(async () => {
    await harness.close();
    await postgres.stop();
  });
  const bystander = new pg.Client({ connectionString: harness.url() });
  await bystander.connect();
  t.teardown(() => bystander.end());
  await bystander.query('CREATE TABLE t (a int, b text)');

  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(conversations.length - 1), fc.array(change, { minLength: 1, maxLength: 3 })), {
        minLength: 5,
        maxLength: 5,
      }),
      async (batch) => {
        await Promise.all(
          batch.map(async ([which, changes]) => {
            const client = await Client.open(harness.target);
            await client.logIn();
            await client.send(mutated(conversations[which] ?? Buffer.alloc(0), changes));
            // what was sent counts to its last byte, then the server hangs up
            client.endInput();
            await client.hears('closed', 1);
            await client.hangUp();
          }),
        );
        return (await bystander.query('SELECT 1 AS one')).rows[0].one === 1;
      },
    ),
    { numRuns: 60, endOnFailure: true },
  );
  for (let tries = 0; harness.proxy.connections > 1 && tries < 500; tries++) await sleep(20);
  t.equal(harness.proxy.connections, 1, 'only the bystander is left');
  t.equal(harness.proxy.cancelKeys, 1);
  const settled = new Set(
    harness.recorder.entries.filter(({ k }) => k === 'outcome' || k === 'verdict').map(({ of }) => of),
  );
  const open = harness.recorder.of('statement').filter(({ n }) => !settled.has(n));
  t.strictSame(open, [], 'every statement has its outcome');
  t.ok(
    harness.recorder.of('statement').length > 50,
    `${harness.recorder.of('statement').length} were still statements`,
  );
});
