/**
 * The four messages of a SCRAM exchange (RFC 5802 section 7) as text. Everything parsed here comes from the peer.
 */
import { ProtocolViolation } from './messages.js';

export const scramSha256 = 'SCRAM-SHA-256';
export const scramSha256Plus = 'SCRAM-SHA-256-PLUS';

/** Longest message that is looked at; real ones take some 200 bytes. */
const maxMessageLength = 4096;

/** RFC 5802 section 7: any printable ASCII except the comma. */
const nonce = /^[\x21-\x2b\x2d-\x7e]+$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function decodeText(data: Buffer): string {
  if (data.length > maxMessageLength) throw new ProtocolViolation('SCRAM message is too long');
  if (data.includes(0)) throw new ProtocolViolation('SCRAM message holds a NUL');
  return data.toString('utf8');
}

/** Reads `name=value` attributes in the fixed order that the RFC demands. */
export class AttributeReader {
  readonly #attributes: string[];
  #at = 0;

  constructor(text: string) {
    this.#attributes = text.split(',');
  }

  get done(): boolean {
    return this.#at === this.#attributes.length;
  }

  /** The next attribute's value; it must be the one called `name`. */
  take(name: string): string {
    const attribute = this.#attributes[this.#at];
    if (!attribute?.startsWith(`${name}=`)) throw new ProtocolViolation(`SCRAM attribute ${name} is missing`);
    this.#at++;
    return attribute.slice(2);
  }

  /** The next attribute as it stands, whatever it is. */
  takeAny(): string {
    return this.#attributes[this.#at++] ?? '';
  }

  takeNonce(): string {
    const value = this.take('r');
    if (!nonce.test(value)) throw new ProtocolViolation('SCRAM nonce holds characters that are not allowed');
    return value;
  }

  /** `length` in bytes, when it is fixed. */
  takeBase64(name: string, length?: number): Buffer {
    const value = this.take(name);
    if (!base64.test(value)) throw new ProtocolViolation(`SCRAM attribute ${name} is not base64`);
    const bytes = Buffer.from(value, 'base64');
    if (length !== undefined && bytes.length !== length) {
      throw new ProtocolViolation(`SCRAM attribute ${name} has ${bytes.length} bytes instead of ${length}`);
    }
    return bytes;
  }

  /** Extensions may follow; none is known, and mandatory ones (`m=`) cannot be met. */
  skipExtensions(): void {
    while (!this.done) {
      const attribute = this.takeAny();
      if (!/^[A-Za-z]=/.test(attribute) || attribute.startsWith('m=')) {
        throw new ProtocolViolation('SCRAM message has an extension that is not understood');
      }
    }
  }
}
