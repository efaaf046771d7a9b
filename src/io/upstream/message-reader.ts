/**
 * Reads the server's messages one by one while a connection starts.
 *
 * What lives here: bytes received and not yet taken, and how the stream ended. What it must not know: what messages mean.
 */
import type { Socket } from 'node:net';
import { backend, headerBytes } from '../../wire/messages.js';
import { closedEarly, protocolFailure, refusedInPlainText, UpstreamError, unreachable } from './failure.js';

/** libpq caps ErrorResponse at 30000 bytes (MAX_ERRLEN) and authentication requests at less before it has logged in. */
const maxMessageLength = 65_536;

/** All of a startup together takes some 1000 bytes. More than this is a server that wants our memory. */
const maxStartupLength = 1 << 20;

export class MessageReader {
  readonly #socket: Socket;
  readonly #label: string;
  #bytes: Buffer = Buffer.alloc(0);
  #taken = 0;
  #failure: UpstreamError | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket, label: string) {
    this.#socket = socket;
    this.#label = label;
    socket.on('data', this.#onData).on('error', this.#onError).on('end', this.#onEnd).on('close', this.#onEnd);
    socket.resume();
  }

  /** The first byte that comes, and every byte that came with it. For the answer to SSLRequest. */
  async takeAll(): Promise<Buffer> {
    while (this.#bytes.length === 0) await this.#more();
    const bytes = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    return bytes;
  }

  /** One whole message, header included; the bytes are the caller's. */
  async next(): Promise<Buffer> {
    while (this.#bytes.length < headerBytes) await this.#more();
    const type = this.#bytes[0] ?? 0;
    const length = this.#bytes.readUInt32BE(1);
    if (type === backend.errorResponse && (length < 8 || length > maxMessageLength)) {
      // Text without fields, as in protocol 2: from a server that could not even start a process for us.
      throw refusedInPlainText(this.#label, this.#bytes.subarray(1));
    }
    if (length < 4 || length > maxMessageLength)
      throw protocolFailure(this.#label, 'it sent an invalid message length');
    const total = length + 1;
    while (this.#bytes.length < total) await this.#more();
    this.#taken += total;
    if (this.#taken > maxStartupLength) throw protocolFailure(this.#label, 'its startup does not come to an end');
    const message = this.#bytes.subarray(0, total);
    this.#bytes = this.#bytes.subarray(total);
    if (this.#bytes.length <= maxMessageLength) this.#socket.resume();
    return message;
  }

  /** Stops reading and hands out what was read too much. The socket is paused. */
  detach(): Buffer {
    this.#socket.pause();
    this.#socket
      .off('data', this.#onData)
      .off('error', this.#onError)
      .off('end', this.#onEnd)
      .off('close', this.#onEnd);
    return this.#bytes;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    // What is read too much is bounded: nobody applies back-pressure before the startup is over.
    if (this.#bytes.length > maxMessageLength) this.#socket.pause();
    this.#wake?.();
  };

  readonly #onError = (error: Error): void => {
    this.#fail(error instanceof UpstreamError ? error : unreachable(this.#label, error));
  };

  readonly #onEnd = (): void => {
    this.#fail(closedEarly(this.#label));
  };

  #fail(error: UpstreamError): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  async #more(): Promise<void> {
    if (this.#failure) throw this.#failure;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
