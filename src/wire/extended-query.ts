/**
 * Encodes the extended-protocol messages that dbguard itself sends ("Message Formats" in the PostgreSQL manual).
 * Names are one character to one byte, as `Reader.name` decodes them.
 */
import { message } from './backend.js';
import { frontend } from './messages.js';

export interface BindValues {
  readonly formats: readonly number[];
  /** Undefined is NULL. */
  readonly values: readonly (Buffer | undefined)[];
  readonly resultFormats: readonly number[];
}

export function encodeParse(name: string, sql: Buffer, parameterTypes: readonly number[] = []): Buffer {
  const types = Buffer.concat([uint16(parameterTypes.length), ...parameterTypes.map(int32)]);
  return message(frontend.parse, Buffer.concat([cstring(name), sql, nul, types]));
}

export function encodeBind(portal: string, statement: string, bound: BindValues): Buffer {
  const { formats, values, resultFormats } = bound;
  return message(
    frontend.bind,
    Buffer.concat([
      cstring(portal),
      cstring(statement),
      uint16(formats.length),
      ...formats.map(uint16),
      uint16(values.length),
      ...values.flatMap((value) => (value === undefined ? [int32(-1)] : [int32(value.length), value])),
      uint16(resultFormats.length),
      ...resultFormats.map(uint16),
    ]),
  );
}

export function encodeDescribePortal(portal: string): Buffer {
  return message(frontend.describe, Buffer.concat([Buffer.from('P'), cstring(portal)]));
}

export function encodeDescribeStatement(statement: string): Buffer {
  return message(frontend.describe, Buffer.concat([Buffer.from('S'), cstring(statement)]));
}

/** All rows. */
export function encodeExecute(portal: string): Buffer {
  return message(frontend.execute, Buffer.concat([cstring(portal), int32(0)]));
}

export function encodeClose(kind: 'S' | 'P', name: string): Buffer {
  return message(frontend.close, Buffer.concat([Buffer.from(kind), cstring(name)]));
}

export const syncMessage = message(frontend.sync, Buffer.alloc(0));
export const flushMessage = message(frontend.flush, Buffer.alloc(0));

const nul = Buffer.alloc(1);

function cstring(name: string): Buffer {
  return Buffer.concat([Buffer.from(name, 'latin1'), nul]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}
