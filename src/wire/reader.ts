import { ProtocolViolation } from './messages.js';

/**
 * Reads the fields of one message. Every read is bounds-checked: the bytes are attacker-controlled.
 * Returned Buffers are views into the message; they live as long as the message's buffer.
 */
export class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  /** `start` is the first byte after the header. */
  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++] as number;
  }

  int16(): number {
    this.#need(2);
    const value = this.#bytes.readInt16BE(this.#at);
    this.#at += 2;
    return value;
  }

  /** Counts of parameters and columns are unsigned on the wire since PostgreSQL 14. */
  uint16(): number {
    this.#need(2);
    const value = this.#bytes.readUInt16BE(this.#at);
    this.#at += 2;
    return value;
  }

  int32(): number {
    this.#need(4);
    const value = this.#bytes.readInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  bytes(length: number): Buffer {
    if (length < 0) throw new ProtocolViolation(`negative field length ${length}`);
    this.#need(length);
    const view = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return view;
  }

  /** Bytes of a NUL-terminated string, without the NUL. */
  cstringBytes(): Buffer {
    const nul = this.#bytes.indexOf(0, this.#at);
    if (nul < 0 || nul >= this.#end) throw new ProtocolViolation('string without a terminating NUL');
    const view = this.#bytes.subarray(this.#at, nul);
    this.#at = nul + 1;
    return view;
  }

  /**
   * A name, decoded one byte to one character: names are compared byte by byte on the server, and two different
   * byte strings must stay different here whatever the client's encoding is.
   */
  name(): string {
    const start = this.#at;
    let nul = start;
    while (nul < this.#end && this.#bytes[nul] !== 0) nul++;
    if (nul === this.#end) throw new ProtocolViolation('string without a terminating NUL');
    this.#at = nul + 1;
    // names are short, many and often empty: no view of the bytes is made for them
    return nul === start ? '' : this.#bytes.toString('latin1', start, nul);
  }

  expectEnd(): void {
    if (this.#at !== this.#end) throw new ProtocolViolation(`${this.#end - this.#at} bytes left over in a message`);
  }

  #need(bytes: number): void {
    if (this.#at + bytes > this.#end) throw new ProtocolViolation('message is shorter than its fields');
  }
}
