/** Laws of a session, whatever bytes come in whatever pieces: it never throws, never holds more than it was given, never invents or loses a byte. */
import fc from 'fast-check';
import t from 'tap';
import type { Policy } from '../../../src/policy/decision.js';
import { ClientSession } from '../../../src/proxy/client/client-session.js';
import { withoutCatalog } from '../../../src/proxy/session-state/client-catalog.js';
import { StatementJournal } from '../../../src/proxy/statement/statement-journal.js';
import { createAnalyser } from '../../../src/sql/analyser.js';
import { encodeError } from '../../../src/wire/backend.js';
import { MemoryRecorder } from '../../helpers/proxy-in-process.js';
import {
  bind,
  closePortal,
  closeStatement,
  copyData,
  copyDone,
  copyFail,
  describePortal,
  describeStatement,
  execute,
  flush,
  functionCall,
  message,
  parse,
  query,
  sync,
} from '../../helpers/wire-messages.js';
import { everything, named } from '../policies.js';

const analyser = await createAnalyser();

class World {
  readonly recorder = new MemoryRecorder();
  readonly toServer: Buffer[] = [];
  readonly toClient: Buffer[] = [];
  closed: string | undefined;
  readonly session: ClientSession;

  constructor(policy: Policy, maxMessage = 1 << 20) {
    // a journal that is as fast as memory: what it lets through, it lets through at once
    this.recorder.commit = (_sync, done) => done();
    const journal = new StatementJournal({
      policy,
      recorder: this.recorder,
      clock: { now: () => 0, monotonic: () => 0 },
      asker: { ask: () => new Promise(() => undefined) },
    });
    this.session = new ClientSession({
      context: {
        ...{ number: 1, sid: 's', agent: 'a', subject: 'p', connection: 'c', database: 'd', login: 'app', user: 'u' },
      },
      journal,
      catalog: withoutCatalog(analyser),
      assessor: {
        impact: async () => ({ lines: [] }),
        extents: async () => new Map(),
        sizes: async () => new Map(),
        waitsForLock: async () => false,
        dryRun: async () => ({ refused: 'not here' }),
        endSession: () => undefined,
      },
      masks: undefined,
      databases: { leave: async () => undefined },
      port: {
        writeServer: (slices) => void this.toServer.push(...slices),
        writeClient: (slices) => void this.toClient.push(...slices),
        balance: () => undefined,
        cancel: async () => undefined,
        close: (reason) => {
          this.closed = reason;
        },
      },
      parameters: new Map([['client_encoding', 'UTF8']]),
      maxMessage,
      missingPortalName: 'missingPortalName',
    });
  }
}

const text = fc.constantFrom(
  '',
  's',
  'p',
  'SELECT 1',
  'BEGIN',
  'INSERT INTO t VALUES (1)',
  'SELEC',
  'DELETE FROM denied',
);
/** Messages as frontends send them, in an order that no frontend would choose. */
const anyMessage = fc.oneof(
  text.map(query),
  fc.tuple(text, text).map(([name, sql]) => parse(sql, { name })),
  fc
    .tuple(text, text, fc.array(fc.oneof(text, fc.constant(null))))
    .map(([portal, statement, values]) => bind(values, { portal, statement })),
  fc.tuple(text, fc.nat()).map(([portal, limit]) => execute(portal, limit)),
  text.map(describeStatement),
  text.map(describePortal),
  text.map(closeStatement),
  text.map(closePortal),
  fc.constantFrom(sync(), flush(), copyDone(), copyFail('no'), functionCall(1, ['x'])),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => copyData(Buffer.from(bytes))),
);
const anyMessages = fc.array(anyMessage, { maxLength: 30 }).map((messages) => Buffer.concat(messages));

const serverMessage = fc.oneof(
  fc.constantFrom('1', '2', '3', 'n', 's', 'I', 'c').map((type) => message(type)),
  fc.constantFrom('I', 'T', 'E').map((status) => message('Z', Buffer.from(status))),
  fc.constantFrom('SELECT 1', 'INSERT 0 5', 'COPY 2').map((tag) => message('C', Buffer.from(`${tag}\0`))),
  fc.constant(encodeError({ severity: 'ERROR', code: '22012', message: 'division by zero' })),
  fc.constantFrom('G', 'H').map((type) => message(type, Buffer.alloc(3))),
  fc.constant(message('S', Buffer.from('TimeZone\0UTC\0'))),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => message('D', Buffer.from(bytes))),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => message('d', Buffer.from(bytes))),
);

/** Cuts into pieces of the given sizes, again and again. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, next = 0; at < bytes.length; next++) {
    const size = sizes[next % sizes.length] ?? 1;
    cut.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return cut;
}

const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 });
const total = (buffers: readonly Buffer[]) => buffers.reduce((sum, { length }) => sum + length, 0);

t.test(
  'what is allowed goes through byte by byte as it came, however it was cut, each statement with its entry',
  async (t) => {
    fc.assert(
      fc.property(anyMessages, sizes, (bytes, cut) => {
        const { session, toServer, recorder, closed } = run(everything, bytes, cut);
        session.dispose();
        if (closed !== undefined) return false;
        const statements = recorder.of('statement').length;
        return (
          Buffer.concat(toServer).equals(bytes) &&
          statements >= countOf(bytes, 'QEF') &&
          statements <= countOf(bytes, 'QEFB') &&
          settledOnce(recorder)
        );
      }),
      { numRuns: 500 },
    );
    t.pass();
  },
);

t.test('how the bytes were cut changes nothing: same bytes onward, same answers, same entries', async (t) => {
  fc.assert(
    fc.property(anyMessages, sizes, (bytes, cut) => {
      const whole = run(named('denied', 'deny'), bytes, [bytes.length + 1]);
      const cutUp = run(named('denied', 'deny'), bytes, cut);
      const kinds = ({ recorder }: World) =>
        recorder.entries.filter(({ k }) => k !== 'parse').map(({ k, decision }) => [k, decision]);
      return (
        Buffer.concat(whole.toServer).equals(Buffer.concat(cutUp.toServer)) &&
        JSON.stringify(kinds(whole)) === JSON.stringify(kinds(cutUp))
      );
    }),
    { numRuns: 300 },
  );
  t.pass('300 conversations');
});

t.test('any bytes from either side: no throw, and either progress or the end', async (t) => {
  const garbage = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  const event = fc.oneof(
    fc.tuple(fc.constant('client'), fc.oneof(anyMessage, anyMessage, garbage)),
    fc.tuple(fc.constant('server'), fc.oneof(serverMessage, serverMessage, garbage)),
    fc.tuple(fc.constantFrom('cancel', 'gone', 'drain', 'shutDown'), fc.constant(Buffer.alloc(0))),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), sizes, (events, cut) => {
      const world = new World(named('denied', 'ask'), 1000);
      let given = 0;
      for (const [who, bytes] of events) {
        given += bytes.length;
        if (who === 'client') for (const piece of pieces(bytes, cut)) world.session.fromClient(piece);
        else if (who === 'server') for (const piece of pieces(bytes, cut)) world.session.fromServer(piece);
        else if (who === 'cancel') world.session.cancel();
        else if (who === 'gone') world.session.clientGone();
        else if (who === 'drain') world.session.drain();
        else world.session.shutDown();
      }
      const before = world.toServer.length;
      if (world.closed !== undefined) world.session.fromClient(query('SELECT 1'));
      world.session.dispose();
      // what dbguard says by itself is at most a denial for each statement
      const own = 2_000 + 2_000 * events.length;
      return (
        (world.closed === undefined || world.toServer.length === before) &&
        total(world.toServer) <= given + own &&
        total(world.toClient) <= given + own &&
        settledOnce(world.recorder)
      );
    }),
    { numRuns: 1500 },
  );
  t.pass('1500 conversations');
});

function run(policy: Policy, bytes: Buffer, cut: readonly number[]): World {
  const world = new World(policy);
  for (const piece of pieces(bytes, cut)) world.session.fromClient(piece);
  return world;
}

/** Messages of these types in a stream of whole messages. */
function countOf(bytes: Buffer, types: string): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1 + bytes.readUInt32BE(at + 1)) {
    if (types.includes(String.fromCharCode(bytes[at] ?? 0))) count++;
  }
  return count;
}

/** No statement has two outcomes. */
function settledOnce(recorder: MemoryRecorder): boolean {
  const of = recorder.of('outcome').map((entry) => entry.of);
  return new Set(of).size === of.length;
}
