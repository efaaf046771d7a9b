import * as fc from 'fast-check';
import t from 'tap';
import { encodeBackendKeyData, encodeParameterStatus, encodeReadyForQuery, message } from '../../src/wire/backend.js';
import { backend, ProtocolViolation } from '../../src/wire/messages.js';
import {
  decodeBackendKeyData,
  decodeCommandTag,
  decodeDataRow,
  decodeParameterDescription,
  decodeParameterStatus,
  decodeRawFields,
  decodeReadyForQuery,
  withoutPayload,
} from '../../src/wire/server-messages.js';

const decoders = {
  decodeBackendKeyData,
  decodeCommandTag,
  decodeDataRow,
  decodeParameterDescription,
  decodeParameterStatus,
  decodeRawFields,
  decodeReadyForQuery,
  withoutPayload,
};
const whole = <T>(decode: (bytes: Buffer, start: number, end: number) => T, bytes: Buffer): T =>
  decode(Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(3)]), 3, 3 + bytes.length);
const text = fc.string({ unit: 'grapheme' }).filter((one) => !one.includes('\0'));

t.test('what is written is read', (t) => {
  fc.assert(
    fc.property(
      text,
      text,
      fc.integer({ min: 0, max: 0x7fffffff }),
      fc.uint8Array({ minLength: 4, maxLength: 256 }),
      (name, value, pid, key) => {
        t.same(whole(decodeParameterStatus, encodeParameterStatus(name, value)), { name, value });
        const data = whole(decodeBackendKeyData, encodeBackendKeyData(pid, key));
        t.same([data.pid, [...data.key]], [pid, [...key]]);
      },
    ),
  );
  for (const status of ['I', 'T', 'E'] as const)
    t.equal(whole(decodeReadyForQuery, encodeReadyForQuery(status)), status);
  const row = message(backend.dataRow, Buffer.from('\0\x02\xff\xff\xff\xff\0\0\0\x02ab', 'latin1'));
  t.same(whole(decodeDataRow, row), [null, Buffer.from('ab')]);
  t.equal(whole(decodeCommandTag, message(backend.commandComplete, Buffer.from('INSERT 0 5\0'))), 'INSERT 0 5');
  t.end();
});

t.test('a status that PostgreSQL does not have is no status', (t) => {
  const bytes = encodeReadyForQuery('I');
  for (const other of 'XiZ\0') {
    bytes[5] = other.charCodeAt(0);
    t.throws(() => whole(decodeReadyForQuery, bytes), ProtocolViolation);
  }
  t.end();
});

t.test('a notification keeps who and where, and no payload', (t) => {
  const body = Buffer.from('\0\0\0\x07orders\0secret\0', 'latin1');
  const bytes = whole(withoutPayload, message(backend.notificationResponse, body));
  t.same(bytes.subarray(5), Buffer.from('\0\0\0\x07orders\0\0', 'latin1'));
  t.equal(bytes.readInt32BE(1), bytes.length - 1);
  t.end();
});

t.test('any bytes are read or refused, never more of them than there are', (t) => {
  for (const [name, decode] of Object.entries(decoders)) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          whole<unknown>(decode, message(backend.dataRow, bytes));
        } catch (error) {
          if (!(error instanceof ProtocolViolation)) throw error;
        }
      }),
      { numRuns: 500 },
    );
    t.pass(name);
  }
  t.end();
});
