/**
 * Decodes the client's messages that dbguard looks into. Input is one whole message, header included, as the
 * framer hands it out; views in the result live as long as that buffer.
 * Source: PostgreSQL manual, "Message Formats".
 */
import { type FramerRules, typesOf } from './framer.js';
import { frontend, headerBytes, smallMessageLimit } from './messages.js';
import { Reader } from './reader.js';

export interface Parse {
  readonly statement: string;
  readonly sql: Buffer;
  readonly parameterTypes: readonly number[];
}

export interface Bind {
  readonly portal: string;
  readonly statement: string;
  /** 0 text, 1 binary; one for all, one each, or none (all text). */
  readonly parameterFormats: readonly number[];
  /** undefined is SQL NULL. */
  readonly values: readonly (Buffer | undefined)[];
  readonly resultFormats: readonly number[];
}

export interface Execute {
  readonly portal: string;
  /** 0 means no limit. */
  readonly maxRows: number;
}

/** Describe and Close name a prepared statement ('S') or a portal ('P'). */
export interface Named {
  readonly kind: 'S' | 'P';
  readonly name: string;
}

export interface FunctionCall {
  readonly functionOid: number;
  readonly values: readonly (Buffer | undefined)[];
}

function open(bytes: Buffer, start: number, end: number): Reader {
  return new Reader(bytes, start + headerBytes, end);
}

const none: readonly never[] = [];

function readFormats(reader: Reader): readonly number[] {
  let left = reader.uint16();
  if (left === 0) return none;
  const formats: number[] = [];
  for (; left > 0; left--) formats.push(reader.int16());
  return formats;
}

function readValues(reader: Reader): (Buffer | undefined)[] {
  const values: (Buffer | undefined)[] = [];
  for (let left = reader.uint16(); left > 0; left--) {
    const length = reader.int32();
    values.push(length === -1 ? undefined : reader.bytes(length));
  }
  return values;
}

/** The SQL bytes of a Query message. */
export function decodeQuery(bytes: Buffer, start: number, end: number): Buffer {
  const reader = open(bytes, start, end);
  const sql = reader.cstringBytes();
  reader.expectEnd();
  return sql;
}

export function decodeParse(bytes: Buffer, start: number, end: number): Parse {
  const reader = open(bytes, start, end);
  const statement = reader.name();
  const sql = reader.cstringBytes();
  const parameterTypes: number[] = [];
  for (let left = reader.uint16(); left > 0; left--) parameterTypes.push(reader.uint32());
  reader.expectEnd();
  return { statement, sql, parameterTypes };
}

export function decodeBind(bytes: Buffer, start: number, end: number): Bind {
  const reader = open(bytes, start, end);
  const portal = reader.name();
  const statement = reader.name();
  const parameterFormats = readFormats(reader);
  const values = readValues(reader);
  const resultFormats = readFormats(reader);
  reader.expectEnd();
  return { portal, statement, parameterFormats, values, resultFormats };
}

export function decodeExecute(bytes: Buffer, start: number, end: number): Execute {
  const reader = open(bytes, start, end);
  const portal = reader.name();
  const maxRows = reader.int32();
  reader.expectEnd();
  return { portal, maxRows };
}

export function decodeNamed(bytes: Buffer, start: number, end: number): Named {
  const reader = open(bytes, start, end);
  const kind = reader.byte() === 0x53 ? 'S' : 'P';
  const name = reader.name();
  reader.expectEnd();
  return { kind, name };
}

export function decodeFunctionCall(bytes: Buffer, start: number, end: number): FunctionCall {
  const reader = open(bytes, start, end);
  const functionOid = reader.uint32();
  readFormats(reader);
  const values = readValues(reader);
  reader.int16();
  reader.expectEnd();
  return { functionOid, values };
}

/** The message types that carry statements or values and may be long. */
const longTypes: readonly number[] = [
  frontend.query,
  frontend.parse,
  frontend.bind,
  frontend.functionCall,
  frontend.copyFail,
];

/**
 * How a client's stream is cut. `maxMessage` bounds what one message may make dbguard hold in memory; the server
 * itself takes up to 1 GB (PQ_LARGE_MESSAGE_LIMIT).
 */
export function frontendRules(maxMessage: number): FramerRules {
  return {
    known: typesOf(frontend),
    streamed: [frontend.copyData],
    limitOf: (type) => (longTypes.includes(type) ? maxMessage : smallMessageLimit),
  };
}
