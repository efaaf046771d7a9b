/**
 * The server's messages that the session itself has to understand ("Message Formats" in the PostgreSQL manual). Input is
 * one whole message, header included; each function throws ProtocolViolation when it ends too early.
 */
import { message } from './backend.js';
import { backend, headerBytes, ProtocolViolation, type TransactionStatus } from './messages.js';
import { Reader } from './reader.js';

const body = (bytes: Buffer, start: number, end: number): Reader => new Reader(bytes, start + headerBytes, end);

export function decodeReadyForQuery(bytes: Buffer, start: number, end: number): TransactionStatus {
  const status = String.fromCharCode(body(bytes, start, end).byte());
  if (status === 'I' || status === 'T' || status === 'E') return status;
  throw new ProtocolViolation('ReadyForQuery with an unknown transaction status');
}

export function decodeParameterStatus(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly name: string; readonly value: string } {
  const reader = body(bytes, start, end);
  return { name: reader.cstringBytes().toString('utf8'), value: reader.cstringBytes().toString('utf8') };
}

/** Since protocol 3.2 the key may be up to 256 bytes long. */
export function decodeBackendKeyData(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly pid: number; readonly key: Buffer } {
  const reader = body(bytes, start, end);
  return { pid: reader.int32(), key: Buffer.from(reader.bytes(reader.remaining)) };
}

/** The tag of CommandComplete: `INSERT 0 5`. */
export function decodeCommandTag(bytes: Buffer, start: number, end: number): string {
  return body(bytes, start, end).name();
}

/** Whether the tag is this one: the same statement is answered with the same tag again and again. */
export function hasCommandTag(bytes: Buffer, start: number, end: number, tag: string): boolean {
  const from = start + headerBytes;
  if (end - from !== tag.length + 1 || bytes[end - 1] !== 0) return false;
  for (let at = 0; at < tag.length; at++) if (bytes[from + at] !== tag.charCodeAt(at)) return false;
  return true;
}

/** The types of a statement's parameters, as OIDs. */
export function decodeParameterDescription(bytes: Buffer, start: number, end: number): number[] {
  const reader = body(bytes, start, end);
  return Array.from({ length: reader.uint16() }, () => reader.uint32());
}

/** The values of one DataRow, as views into the message; null for NULL. */
export function decodeDataRow(bytes: Buffer, start: number, end: number): (Buffer | null)[] {
  const reader = body(bytes, start, end);
  return Array.from({ length: reader.uint16() }, () => {
    const length = reader.int32();
    return length < 0 ? null : reader.bytes(length);
  });
}

export interface RawField {
  /** "Error and Notice Message Fields" in the PostgreSQL manual. */
  readonly code: string;
  readonly text: Buffer;
}

/** ErrorResponse and NoticeResponse as they stand: in their order, in whatever encoding. */
export function decodeRawFields(bytes: Buffer, start: number, end: number): RawField[] {
  const reader = body(bytes, start, end);
  const fields: RawField[] = [];
  while (reader.remaining > 0) {
    const code = reader.byte();
    if (code === 0) break;
    fields.push({ code: String.fromCharCode(code), text: reader.cstringBytes() });
  }
  return fields;
}

/** NotificationResponse with process and channel, and an empty payload. */
export function withoutPayload(bytes: Buffer, start: number, end: number): Buffer {
  const reader = body(bytes, start, end);
  const process = reader.bytes(4);
  const channel = reader.cstringBytes();
  return message(backend.notificationResponse, Buffer.concat([process, channel, Buffer.alloc(2)]));
}
