import fc from 'fast-check';
import { serialize } from 'pg-protocol';
import t from 'tap';
import { backendRules, heldMessageLimit, message } from '../../src/wire/backend.js';
import { Framer, type FramerRules } from '../../src/wire/framer.js';
import {
  decodeBind,
  decodeExecute,
  decodeNamed,
  decodeParse,
  decodeQuery,
  frontendRules,
} from '../../src/wire/frontend.js';
import { backend, frontend, ProtocolViolation } from '../../src/wire/messages.js';

interface Piece {
  kind: string;
  type: number;
  bytes: Buffer;
  messages: number;
  last: boolean;
}

function cut(rules: FramerRules, chunks: readonly Buffer[]): Piece[] {
  const framer = new Framer(rules);
  const pieces: Piece[] = [];
  for (const chunk of chunks) {
    framer.push(Buffer.from(chunk));
    while (framer.next()) {
      const { kind, type, buffer, start, end, messages, last } = framer;
      pieces.push({ kind, type, bytes: Buffer.from(buffer.subarray(start, end)), messages, last });
    }
  }
  return pieces;
}

const rules = frontendRules(1 << 20);
const dialogue = Buffer.concat([
  serialize.parse({ name: 's1', text: 'select $1::int', types: [23] }),
  serialize.bind({ portal: 'p', statement: 's1', values: ['1'] }),
  serialize.describe({ type: 'P', name: 'p' }),
  serialize.execute({ portal: 'p', rows: 10 }),
  serialize.close({ type: 'S', name: 's1' }),
  serialize.sync(),
  serialize.query('select 2'),
  serialize.copyData(Buffer.from('row\n')),
  serialize.copyDone(),
  serialize.end(),
]);

t.test('every message, split at every byte, comes out whole and in order', async (t) => {
  const whole = cut(rules, [dialogue]);
  const types = whole.map((piece) => String.fromCharCode(piece.type)).join('');
  t.equal(types, 'PBDECSQdcX');
  for (let at = 1; at < dialogue.length; at++) {
    const parts = cut(rules, [dialogue.subarray(0, at), dialogue.subarray(at)]);
    t.same(Buffer.concat(parts.map((piece) => piece.bytes)), dialogue, `bytes survive a split at ${at}`);
    t.same(
      parts.filter((piece) => piece.kind === 'message'),
      whole.filter((piece) => piece.kind === 'message'),
      `messages survive a split at ${at}`,
    );
  }
});

t.test('any split of any stream loses no byte and counts every streamed message once', async (t) => {
  const messageArb = fc.oneof(
    fc.record({ type: fc.constantFrom(backend.dataRow, backend.copyData), size: fc.nat(300) }),
    fc.record({ type: fc.constantFrom(backend.commandComplete, backend.noticeResponse), size: fc.nat(300) }),
  );
  fc.assert(
    fc.property(fc.array(messageArb, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 20 }), (specs, cuts) => {
      const stream = Buffer.concat(specs.map((spec) => message(spec.type, Buffer.alloc(spec.size, spec.type))));
      const offsets = [...new Set([0, ...cuts.map((at) => at % (stream.length + 1)), stream.length])].sort(
        (a, b) => a - b,
      );
      const chunks = offsets.slice(1).map((end, index) => stream.subarray(offsets[index], end));
      const pieces = cut(backendRules, chunks);
      const streamed = specs.filter((spec) => spec.type === backend.dataRow || spec.type === backend.copyData).length;
      const counted = pieces.filter((piece) => piece.kind === 'run').reduce((sum, piece) => sum + piece.messages, 0);
      return Buffer.concat(pieces.map((piece) => piece.bytes)).equals(stream) && counted === streamed;
    }),
    { numRuns: 500 },
  );
  t.pass('500 random streams');
});

t.test('hostile bytes end in a violation or wait for more, and never hold more than was sent', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(199), (bytes, at) => {
      const framer = new Framer(rules);
      const input = Buffer.from(bytes);
      try {
        for (const chunk of [input.subarray(0, at), input.subarray(at)]) {
          framer.push(chunk);
          while (framer.next()) if (framer.end - framer.start > input.length) return false;
        }
      } catch (error) {
        return error instanceof ProtocolViolation;
      }
      return framer.buffered <= input.length;
    }),
    { numRuns: 2000 },
  );
  t.pass('2000 random inputs');
});

t.test('in whole runs no message is cut, wherever the stream is', async () => {
  const rows = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
  fc.assert(
    fc.property(rows, fc.array(fc.nat(1000), { maxLength: 6 }), (bodies, cuts) => {
      const stream = Buffer.concat([
        ...bodies.map((body) => message(backend.dataRow, Buffer.from(body))),
        message(backend.readyForQuery, Buffer.from('I')),
      ]);
      const places = [0, ...cuts.map((at) => at % stream.length).sort((a, b) => a - b), stream.length];
      const framer = new Framer(backendRules);
      framer.setCut(backend.dataRow, 'whole-runs');
      const seen: Buffer[] = [];
      let counted = 0;
      for (const [n, at] of places.slice(1).entries()) {
        framer.push(Buffer.from(stream.subarray(places[n], at)));
        while (framer.next()) {
          const bytes = Buffer.from(framer.buffer.subarray(framer.start, framer.end));
          const alone = new Framer(backendRules);
          alone.push(bytes);
          while (alone.next());
          if (!alone.atBoundary || alone.buffered > 0) return false;
          counted += framer.messages;
          seen.push(bytes);
        }
      }
      return counted === bodies.length + 1 && Buffer.concat(seen).equals(stream);
    }),
  );
});

t.test('a message over its limit comes in pieces and is never held', async (t) => {
  const small = frontendRules(1000);
  const big = message(frontend.query, Buffer.alloc(5000, 0x20));
  const after = message(frontend.sync, Buffer.alloc(0));
  const stream = Buffer.concat([big, after]);
  for (const size of [1, 7, 4096]) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size));
    const pieces = cut(small, chunks);
    const oversize = pieces.filter((piece) => piece.kind === 'oversize');
    t.equal(
      oversize.reduce((sum, piece) => sum + piece.bytes.length, 0),
      big.length,
      `chunks of ${size}`,
    );
    t.same(oversize.map((piece) => piece.last).filter(Boolean).length, 1, 'exactly one piece is the last');
    t.equal(pieces.at(-1)?.type, frontend.sync, 'the next message is found');
  }
});

t.test('a message that comes byte by byte is held in about its own size', async (t) => {
  const framer = new Framer(frontendRules(64 << 20));
  const text = Buffer.alloc(2_000_000, 0x78);
  const whole = message(frontend.query, text);
  const before = process.memoryUsage();
  for (let at = 0; at < whole.length - 1; at++) {
    framer.push(whole.subarray(at, at + 1));
    if (framer.next()) t.fail('too early');
  }
  const after = process.memoryUsage();
  const held = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  t.ok(held < 60_000_000, `${Math.round(held / 1e6)} MB for 2 MB, what can be collected included`);
  framer.push(whole.subarray(-1));
  t.ok(framer.next());
  t.ok(framer.buffer.subarray(framer.start, framer.end).equals(whole));
});

t.test('an announced length is not believed before its bytes are there', async (t) => {
  const framer = new Framer(backendRules);
  framer.push(Buffer.from([backend.errorResponse, 0x07, 0xff, 0xff, 0x00, 1, 2, 3]));
  t.notOk(framer.next());
  t.equal(framer.buffered, 8);
});

t.test('what is longer than may be held comes out in pieces, and is not held', async (t) => {
  const framer = new Framer(backendRules);
  const header = Buffer.from([backend.errorResponse, 0, 0, 0, 0]);
  header.writeInt32BE(heldMessageLimit + 1, 1);
  framer.push(Buffer.concat([header, Buffer.from('abc')]));
  t.ok(framer.next());
  t.match(framer, { kind: 'oversize', last: false, buffered: 0 });
});

t.test('a negative or too short length and an unknown type are violations', async (t) => {
  for (const bytes of [
    [frontend.query, 0xff, 0xff, 0xff, 0xff],
    [frontend.sync, 0, 0, 0, 3],
    [0x00, 0, 0, 0, 4],
  ]) {
    t.throws(() => cut(rules, [Buffer.from(bytes)]), { name: 'ProtocolViolation' });
  }
});

t.test('fields are read as node-postgres writes them', async (t) => {
  const query = serialize.query("select 'ä'");
  t.equal(decodeQuery(query, 0, query.length).toString(), "select 'ä'");
  const parse = serialize.parse({ name: 'n', text: 'select $1', types: [25] });
  t.same(decodeParse(parse, 0, parse.length), { statement: 'n', sql: Buffer.from('select $1'), parameterTypes: [25] });
  const bind = serialize.bind({ portal: 'p', statement: 'n', values: ['x', null, Buffer.from([1, 2])], binary: true });
  const decoded = decodeBind(bind, 0, bind.length);
  t.same(decoded.values, [Buffer.from('x'), undefined, Buffer.from([1, 2])]);
  t.same(decoded.parameterFormats, [0, 0, 1]);
  t.same(decoded.resultFormats, [1]);
  const execute = serialize.execute({ portal: 'p', rows: 5 });
  t.same(decodeExecute(execute, 0, execute.length), { portal: 'p', maxRows: 5 });
  const close = serialize.close({ type: 'S', name: 'n' });
  t.same(decodeNamed(close, 0, close.length), { kind: 'S', name: 'n' });
});

t.test('a message cut short or padded is a violation, whatever byte is missing', async (t) => {
  const bind = serialize.bind({ portal: 'p', statement: 'n', values: ['abc', null] });
  for (let end = 5; end < bind.length; end++) {
    t.throws(() => decodeBind(bind, 0, end), { name: 'ProtocolViolation' }, `cut at ${end}`);
  }
  const padded = Buffer.concat([bind, Buffer.from([0])]);
  t.throws(() => decodeBind(padded, 0, padded.length), { name: 'ProtocolViolation' });
});
