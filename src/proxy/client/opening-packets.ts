/**
 * What a client may say before it shows who it is: requests for encryption, each once, then a startup packet or a cancel request.
 * Both handshakes read it here. Sans-IO: bytes in, packets out.
 */
import {
  decodeStartup,
  encodeNegotiateProtocolVersion,
  newestProtocolMinor,
  type StartupPacket,
} from '../../wire/startup.js';

export type OpeningPacket =
  | { readonly kind: 'wait' }
  | { readonly kind: 'ssl' | 'gss' }
  /** TLS at once: its hello is not taken out of what came. */
  | { readonly kind: 'tls' }
  | { readonly kind: 'cancel'; readonly pid: number; readonly key: Buffer }
  | StartupPacket
  /** `silent`: the server says nothing to it, either. */
  | { readonly kind: 'broken'; readonly code: string; readonly message: string; readonly silent: boolean };

const names = { ssl: 'SSL', gss: 'GSSAPI encryption' } as const;

export class OpeningPackets {
  readonly #asked = new Set<'ssl' | 'gss'>();
  #pending: Buffer = Buffer.alloc(0);

  get askedForEncryption(): boolean {
    return this.#asked.size > 0;
  }

  /** What came in clear text is no part of what is encrypted. */
  encrypted(): void {
    this.#pending = Buffer.alloc(0);
  }

  next(chunk: Buffer | undefined): OpeningPacket {
    if (chunk) this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const packet = decodeStartup(this.#pending);
    if (packet.kind === 'incomplete') return { kind: 'wait' };
    if (packet.kind === 'tls') return packet;
    if (packet.kind === 'violation') return broken(packet.message, packet.code, packet.silent === true);
    // Nothing may follow before the server has answered. Bytes buffered behind SSLRequest were how CVE-2021-23214 and
    // CVE-2021-23222 put clear text into an encrypted session.
    if (this.#pending.length > packet.length) return broken(`received unencrypted data after ${packet.kind} request`);
    this.#pending = Buffer.alloc(0);
    if (packet.kind === 'ssl' || packet.kind === 'gss') {
      if (this.#asked.has(packet.kind)) return broken(`${names[packet.kind]} was requested twice`);
      this.#asked.add(packet.kind);
      return { kind: packet.kind };
    }
    return packet;
  }
}

/** What comes before the question who it is, where the client knows more of the protocol than we do. */
export function negotiation({ minor, unknownOptions }: StartupPacket): Buffer {
  if (minor <= newestProtocolMinor && unknownOptions.length === 0) return Buffer.alloc(0);
  return encodeNegotiateProtocolVersion({ minor: Math.min(minor, newestProtocolMinor), unknownOptions });
}

function broken(message: string, code = '08P01', silent = false): OpeningPacket {
  return { kind: 'broken', code, message, silent };
}
