/**
 * The Authentication* messages of the server and the client's answers to them.
 * Source: PostgreSQL manual, "Message Formats" and "SASL Authentication".
 */
import { message } from './backend.js';
import { backend, frontend, headerBytes, ProtocolViolation } from './messages.js';
import { Reader } from './reader.js';

const codes = {
  ok: 0,
  kerberosV5: 2,
  cleartextPassword: 3,
  md5Password: 5,
  gss: 7,
  gssContinue: 8,
  sspi: 9,
  sasl: 10,
  saslContinue: 11,
  saslFinal: 12,
} as const;

/** `data` and `salt` are copies: the caller may keep them. */
export type AuthenticationRequest =
  | { readonly kind: 'ok' }
  | { readonly kind: 'cleartext' }
  | { readonly kind: 'md5'; readonly salt: Buffer }
  | { readonly kind: 'sasl'; readonly mechanisms: readonly string[] }
  | { readonly kind: 'sasl-continue' | 'sasl-final'; readonly data: Buffer }
  /** GSSAPI, SSPI, Kerberos and whatever comes later; `name` for messages. */
  | { readonly kind: 'unsupported'; readonly name: string };

/** Input is one whole message, header included. Throws ProtocolViolation. */
export function decodeAuthentication(bytes: Buffer, start: number, end: number): AuthenticationRequest {
  const reader = new Reader(bytes, start + headerBytes, end);
  const code = reader.int32();
  switch (code) {
    case codes.saslContinue:
      return { kind: 'sasl-continue', data: Buffer.from(reader.bytes(reader.remaining)) };
    case codes.saslFinal:
      return { kind: 'sasl-final', data: Buffer.from(reader.bytes(reader.remaining)) };
    case codes.sasl:
      return { kind: 'sasl', mechanisms: readMechanisms(reader) };
    case codes.md5Password: {
      const salt = Buffer.from(reader.bytes(4));
      reader.expectEnd();
      return { kind: 'md5', salt };
    }
    case codes.ok:
      reader.expectEnd();
      return { kind: 'ok' };
    case codes.cleartextPassword:
      reader.expectEnd();
      return { kind: 'cleartext' };
    case codes.gss:
    case codes.gssContinue:
      return { kind: 'unsupported', name: 'GSSAPI' };
    case codes.sspi:
      return { kind: 'unsupported', name: 'SSPI' };
    case codes.kerberosV5:
      return { kind: 'unsupported', name: 'Kerberos V5' };
    default:
      return { kind: 'unsupported', name: `method ${code}` };
  }
}

function readMechanisms(reader: Reader): string[] {
  const mechanisms: string[] = [];
  for (;;) {
    const name = reader.name();
    if (name === '') break;
    mechanisms.push(name);
  }
  reader.expectEnd();
  return mechanisms;
}

function authentication(code: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const out = Buffer.alloc(4 + body.length);
  out.writeInt32BE(code, 0);
  out.set(body, 4);
  return message(backend.authentication, out);
}

export function encodeAuthenticationOk(): Buffer {
  return authentication(codes.ok);
}

export function encodeAuthenticationCleartext(): Buffer {
  return authentication(codes.cleartextPassword);
}

export function encodeAuthenticationMd5(salt: Uint8Array): Buffer {
  return authentication(codes.md5Password, salt);
}

export function encodeAuthenticationSasl(mechanisms: readonly string[]): Buffer {
  return authentication(codes.sasl, Buffer.from(`${mechanisms.map((name) => `${name}\0`).join('')}\0`, 'latin1'));
}

export function encodeAuthenticationSaslContinue(data: Uint8Array): Buffer {
  return authentication(codes.saslContinue, data);
}

export function encodeAuthenticationSaslFinal(data: Uint8Array): Buffer {
  return authentication(codes.saslFinal, data);
}

/** PasswordMessage: a cleartext password or an md5 response. */
export function encodePassword(password: string): Buffer {
  // A NUL would end the password early: another password than the user's would be sent.
  if (password.includes('\0')) throw new ProtocolViolation('a password cannot hold a NUL');
  return message(frontend.password, Buffer.from(`${password}\0`, 'utf8'));
}

export function decodePassword(bytes: Buffer, start: number, end: number): string {
  const reader = new Reader(bytes, start + headerBytes, end);
  const password = reader.cstringBytes().toString('utf8');
  reader.expectEnd();
  return password;
}

export interface SaslInitialResponse {
  readonly mechanism: string;
  /** undefined: the client sends its first data only when asked. */
  readonly data: Buffer | undefined;
}

export function encodeSaslInitialResponse(mechanism: string, data: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(data.length, 0);
  return message(frontend.password, Buffer.concat([Buffer.from(`${mechanism}\0`, 'latin1'), length, data]));
}

/** `data` is a copy. Throws ProtocolViolation. */
export function decodeSaslInitialResponse(bytes: Buffer, start: number, end: number): SaslInitialResponse {
  const reader = new Reader(bytes, start + headerBytes, end);
  const mechanism = reader.name();
  const length = reader.int32();
  const data = length === -1 ? undefined : Buffer.from(reader.bytes(length));
  reader.expectEnd();
  return { mechanism, data };
}

export function encodeSaslResponse(data: Uint8Array): Buffer {
  return message(frontend.password, data);
}

/** A copy of the message's body. */
export function decodeSaslResponse(bytes: Buffer, start: number, end: number): Buffer {
  return Buffer.from(bytes.subarray(start + headerBytes, end));
}
