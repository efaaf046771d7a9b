/**
 * Decodes and encodes the server's messages that dbguard looks into or speaks itself.
 * Source: PostgreSQL manual, "Message Formats" and "Error and Notice Message Fields".
 */
import { type FramerRules, typesOf } from './framer.js';
import { backend, headerBytes, type TransactionStatus } from './messages.js';
import { Reader } from './reader.js';

/** Fields of ErrorResponse and NoticeResponse by their one-letter code: S severity, V severity (never localised), C SQLSTATE, M message, D detail, H hint, R routine ... */
export type ResponseFields = ReadonlyMap<string, string>;

/** Input is one whole message, header included. */
export function decodeFields(bytes: Buffer, start: number, end: number): ResponseFields {
  const reader = new Reader(bytes, start + headerBytes, end);
  const fields = new Map<string, string>();
  while (reader.remaining > 0) {
    const code = reader.byte();
    if (code === 0) break;
    fields.set(String.fromCharCode(code), reader.cstringBytes().toString('utf8'));
  }
  return fields;
}

export interface ErrorText {
  readonly severity: 'ERROR' | 'FATAL' | 'NOTICE' | 'WARNING';
  /** SQLSTATE, five characters. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

/** NUL would end a field early and let text of a statement pose as another field. */
function fieldText(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

function encodeFields(type: number, text: ErrorText): Buffer {
  let body = `S${text.severity}\0V${text.severity}\0C${text.code}\0M${fieldText(text.message)}\0`;
  if (text.detail) body += `D${fieldText(text.detail)}\0`;
  if (text.hint) body += `H${fieldText(text.hint)}\0`;
  body += 'Rdbguard\0\0';
  return message(type, Buffer.from(body, 'utf8'));
}

/** An ErrorResponse with the server's own fields. */
export function encodeServerError(fields: ResponseFields): Buffer {
  const body = [...fields].map(([code, text]) => `${code}${fieldText(text)}\0`).join('');
  return message(backend.errorResponse, Buffer.from(`${body}\0`, 'utf8'));
}

export function encodeError(text: ErrorText): Buffer {
  return encodeFields(backend.errorResponse, text);
}

/** The same ErrorResponse, `bytes[start, end)`, with a hint where it has none. */
export function withHint(bytes: Buffer, start: number, end: number, hint: string): Buffer {
  if (decodeFields(bytes, start, end).has('H')) return bytes.subarray(start, end);
  // behind the last field stands one zero byte
  const fields = bytes.subarray(start + headerBytes, end - 1);
  return message(backend.errorResponse, Buffer.concat([fields, Buffer.from(`H${hint}\0\0`, 'utf8')]));
}

export function encodeNotice(text: ErrorText): Buffer {
  return encodeFields(backend.noticeResponse, text);
}

export function encodeReadyForQuery(status: TransactionStatus): Buffer {
  return message(backend.readyForQuery, Buffer.from(status, 'latin1'));
}

export function encodeParameterStatus(name: string, value: string): Buffer {
  return message(backend.parameterStatus, Buffer.from(`${name}\0${value}\0`, 'utf8'));
}

export function encodeBackendKeyData(pid: number, key: Uint8Array): Buffer {
  const body = Buffer.alloc(4 + key.length);
  body.writeInt32BE(pid, 0);
  body.set(key, 4);
  return message(backend.backendKeyData, body);
}

/** Type byte, length word, body. */
export function message(type: number, body: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(headerBytes + body.length);
  out[0] = type;
  out.writeInt32BE(4 + body.length, 1);
  out.set(body, headerBytes);
  return out;
}

/**
 * What dbguard holds of one server message, bytes: a row that is masked or read by itself, an error text. PostgreSQL's own
 * limit is 1 GiB; what only passes has none here.
 */
export const heldMessageLimit = 128 << 20;

/** Server messages that cost nothing to look at are cut whole; rows and COPY data only pass through. */
export const backendRules: FramerRules = {
  known: typesOf(backend),
  streamed: [backend.dataRow, backend.copyData],
  limitOf: () => heldMessageLimit,
};
