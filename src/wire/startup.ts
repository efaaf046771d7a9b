/**
 * The first packet of a connection, which alone has no type byte: startup, encryption requests and cancel.
 * Source: PostgreSQL manual, "Message Formats" (StartupMessage, SSLRequest, GSSENCRequest, CancelRequest,
 * NegotiateProtocolVersion); limits from src/include/libpq/pqcomm.h.
 */
import { isUtf8 } from 'node:buffer';
import { message } from './backend.js';
import { backend, headerBytes, ProtocolViolation } from './messages.js';
import { Reader } from './reader.js';

/** MAX_STARTUP_PACKET_LENGTH: bytes that may follow the length word. */
export const maxStartupPacketLength = 10_000;

/** Newest minor version of protocol 3 that dbguard speaks (PostgreSQL 18). */
export const newestProtocolMinor = 2;

const lengthWord = 4;
const protocolMajor = 3;
const cancelRequestCode = 80877102;
const sslRequestCode = 80877103;
const gssEncRequestCode = 80877104;
/** Since protocol 3.2; before it a key was always 4 bytes. */
const minCancelKeyLength = 4;
const maxCancelKeyLength = 256;
/** TLS ContentType "handshake": a client that negotiates TLS directly (sslnegotiation=direct, PostgreSQL 17). */
const tlsHandshakeByte = 0x16;
/** Names under this prefix are protocol options, not server parameters. */
const protocolOptionPrefix = '_pq_.';

export type FirstPacket =
  | { readonly kind: 'incomplete' }
  | StartupPacket
  | { readonly kind: 'ssl' | 'gss'; readonly length: number }
  /** `key` is a copy: the caller may keep it. */
  | { readonly kind: 'cancel'; readonly pid: number; readonly key: Buffer; readonly length: number }
  /** The first byte of a TLS ClientHello instead of a packet. */
  | { readonly kind: 'tls' }
  /** `code` is the SQLSTATE that the server would have answered with. */
  | {
      readonly kind: 'violation';
      readonly message: string;
      readonly code: '08P01' | '0A000' | '28000';
      /** A server only logs it: nothing says that the other side speaks this protocol (COMMERROR in backend_startup.c). */
      readonly silent?: true;
    };

export interface StartupPacket {
  readonly kind: 'startup';
  readonly major: number;
  readonly minor: number;
  /** Without protocol options. `user` is always there. */
  readonly parameters: Map<string, string>;
  /** Names of `_pq_.` options: dbguard knows none, NegotiateProtocolVersion lists them. */
  readonly unknownOptions: string[];
  /** Bytes of the packet. Whatever follows came before the server had anything to answer. */
  readonly length: number;
}

function violation(text: string, code: '08P01' | '0A000' | '28000' = '08P01'): FirstPacket {
  return { kind: 'violation', message: text, code };
}

/**
 * Looks at the bytes received so far on a new connection. Never wants more than `maxStartupPacketLength + 4` bytes:
 * an announced length above that is a violation as soon as its four bytes are there.
 */
export function decodeStartup(buffer: Buffer): FirstPacket {
  if (buffer[0] === tlsHandshakeByte) return { kind: 'tls' };
  if (buffer.length < lengthWord) return { kind: 'incomplete' };
  const length = buffer.readUInt32BE(0);
  if (length < lengthWord + 4 || length > maxStartupPacketLength + lengthWord) {
    return { kind: 'violation', code: '08P01', message: 'invalid length of startup packet', silent: true };
  }
  if (buffer.length < length) return { kind: 'incomplete' };
  const code = buffer.readUInt32BE(4);
  const body = buffer.subarray(8, length);
  if (code === sslRequestCode || code === gssEncRequestCode) {
    if (body.length > 0) return violation('invalid length of encryption request');
    return { kind: code === sslRequestCode ? 'ssl' : 'gss', length };
  }
  if (code === cancelRequestCode) return decodeCancel(body, length);
  const major = code >>> 16;
  if (major !== protocolMajor) {
    return violation(
      `unsupported frontend protocol ${major}.${code & 0xffff}: server supports 3.0 to 3.${newestProtocolMinor}`,
      '0A000',
    );
  }
  return decodeParameters(body, code & 0xffff, length);
}

function decodeCancel(body: Buffer, length: number): FirstPacket {
  const keyLength = body.length - 4;
  if (keyLength < minCancelKeyLength || keyLength > maxCancelKeyLength) {
    return violation('invalid length of cancel request');
  }
  return { kind: 'cancel', pid: body.readInt32BE(0), key: Buffer.from(body.subarray(4)), length };
}

/**
 * Stricter than the server in two points: a name given twice would leave it to the reader which value counts, and bytes
 * that are not UTF-8 could not be shown, compared or forwarded unchanged.
 */
function decodeParameters(body: Buffer, minor: number, length: number): FirstPacket {
  const parameters = new Map<string, string>();
  const options = new Set<string>();
  const reader = new Reader(body, 0, body.length);
  try {
    for (;;) {
      const name = text(reader.cstringBytes());
      if (name === '') break;
      const value = text(reader.cstringBytes());
      if (parameters.has(name) || options.has(name)) return violation('startup packet repeats a parameter');
      if (name.startsWith(protocolOptionPrefix)) options.add(name);
      else parameters.set(name, value);
    }
    reader.expectEnd();
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
    return violation('invalid startup packet layout: expected terminator as last byte');
  }
  if (!parameters.get('user')) return violation('no PostgreSQL user name specified in startup packet', '28000');
  return { kind: 'startup', major: protocolMajor, minor, parameters, unknownOptions: [...options], length };
}

function text(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new ProtocolViolation('not UTF-8');
  return bytes.toString('utf8');
}

/** A NUL inside a name or value would end it early and smuggle in another parameter. */
function cstring(value: string): Buffer {
  if (value.includes('\0')) throw new ProtocolViolation('a startup parameter holds a NUL');
  return Buffer.from(`${value}\0`, 'utf8');
}

function packet(code: number, body: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(8 + body.length);
  out.writeUInt32BE(8 + body.length, 0);
  out.writeUInt32BE(code, 4);
  out.set(body, 8);
  return out;
}

/** Throws ProtocolViolation where a name or value cannot be sent or the packet is longer than a server takes. */
export function encodeStartup(minor: number, parameters: Iterable<readonly [string, string]>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of parameters) {
    if (name === '') throw new ProtocolViolation('a startup parameter without a name');
    parts.push(cstring(name), cstring(value));
  }
  const body = Buffer.concat([...parts, Buffer.alloc(1)]);
  if (4 + body.length > maxStartupPacketLength) {
    throw new ProtocolViolation(`startup parameters take ${body.length} bytes, the limit is ${maxStartupPacketLength}`);
  }
  return packet((protocolMajor << 16) | minor, body);
}

export function encodeSslRequest(): Buffer {
  return packet(sslRequestCode, Buffer.alloc(0));
}

export function encodeCancelRequest(pid: number, key: Uint8Array): Buffer {
  const body = Buffer.alloc(4 + key.length);
  body.writeInt32BE(pid, 0);
  body.set(key, 4);
  return packet(cancelRequestCode, body);
}

export interface ProtocolNegotiation {
  /** Newest minor version that the server takes for this connection. */
  readonly minor: number;
  /** `_pq_.` options that the server did not understand. */
  readonly unknownOptions: readonly string[];
}

export function encodeNegotiateProtocolVersion(negotiation: ProtocolNegotiation): Buffer {
  const head = Buffer.alloc(8);
  // The manual says "minor version"; every server sends the whole version word, and clients read it as such.
  head.writeUInt32BE((protocolMajor << 16) | negotiation.minor, 0);
  head.writeInt32BE(negotiation.unknownOptions.length, 4);
  return message(backend.negotiateProtocolVersion, Buffer.concat([head, ...negotiation.unknownOptions.map(cstring)]));
}

/** Input is one whole message, header included. Throws ProtocolViolation. */
export function decodeNegotiateProtocolVersion(bytes: Buffer, start: number, end: number): ProtocolNegotiation {
  const reader = new Reader(bytes, start + headerBytes, end);
  const version = reader.uint32();
  const major = version >>> 16;
  // Servers that follow the manual's letter send the minor version alone.
  if (major !== protocolMajor && major !== 0) {
    throw new ProtocolViolation(`server negotiates protocol version ${major}.${version & 0xffff}`);
  }
  const unknownOptions: string[] = [];
  for (let left = reader.int32(); left > 0; left--) unknownOptions.push(reader.cstringBytes().toString('utf8'));
  reader.expectEnd();
  return { minor: version & 0xffff, unknownOptions };
}
