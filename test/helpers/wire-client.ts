/**
 * One frontend on a raw socket.
 *
 * What must live here: the socket, the bytes that have not become messages yet, and what was heard, in order.
 * What it must not know: which answer is right.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { scram } from '../conformance/scram.js';
import { int32, message, specialRequest, startup, text } from './wire-messages.js';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** PEM file: whoever can do TLS verifies the other side with it. */
  readonly rootcert?: string;
}

/** A backend message: its type byte and its body without the length word. */
export interface Heard {
  readonly type: string;
  readonly body: Buffer;
}

export class Client {
  readonly heard: Heard[] = [];
  /** How long it waits for a message that never comes, milliseconds. */
  patience = 60_000;
  /** One byte in each write, as the slowest network would. */
  trickle = false;
  readonly #target: Target;
  readonly #socket: Socket;
  /** Bytes that are no whole message yet, how many, and how many the next message needs. */
  #pieces: Buffer[] = [];
  #buffered = 0;
  #wanted = 5;
  #seen = 0;
  #closed = false;
  #wake: () => void = () => undefined;

  private constructor(target: Target, socket: Socket) {
    this.#target = target;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#close());
  }

  static async open(target: Target): Promise<Client> {
    const socket = connect(target.port, target.host);
    await once(socket, 'connect');
    return new Client(target, socket);
  }

  get closed(): boolean {
    return this.#closed;
  }

  async send(bytes: Buffer): Promise<void> {
    if (this.#closed) return;
    const pieces = this.trickle && bytes.length < 2000 ? [...bytes].map((byte) => Buffer.from([byte])) : [bytes];
    for (const piece of pieces) {
      this.#socket.write(piece);
      if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Says hello and answers the password question; waits until the server is ready, or has had enough. */
  async logIn(
    parameters: Readonly<Record<string, string>> = {},
    protocol: readonly [number, number] = [3, 0],
  ): Promise<void> {
    const { user, database, password } = this.#target;
    const exchange = scram(password);
    await this.send(startup({ user, database, ...parameters }, protocol));
    for (;;) {
      const heard = await this.#next();
      if (heard === undefined || heard.type === 'Z' || heard.type === 'E') return;
      if (heard.type !== 'R') continue;
      const kind = heard.body.readInt32BE();
      const first = Buffer.from(exchange.first);
      if (kind === 10) await this.send(message('p', text('SCRAM-SHA-256'), int32(first.length), first));
      if (kind === 11) await this.send(message('p', Buffer.from(exchange.final(heard.body.toString('utf8', 4)))));
    }
  }

  /** False when it did not come: the connection was closed, or patience ended. */
  async hears(type: string, times: number): Promise<boolean> {
    let left = times;
    while (left > 0) {
      const heard = await this.#next();
      if (heard === undefined) return type === 'closed' && this.#closed;
      if (heard.type === type) left--;
    }
    return true;
  }

  /** With the key that this client was given, or with a secret that nobody was given. */
  async cancel(wrongKey: boolean): Promise<void> {
    const key = Buffer.from(this.heard.find(({ type }) => type === 'K')?.body ?? Buffer.alloc(8));
    const last = key.length - 1;
    if (wrongKey) key[last] = (key[last] ?? 0) ^ 1;
    const socket = connect(this.#target.port, this.#target.host);
    socket.on('error', () => undefined).resume();
    socket.write(specialRequest(5678, key));
    await once(socket, 'close');
  }

  /** Reads nothing any more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Sends nothing any more. */
  endInput(): void {
    this.#socket.end();
  }

  async hangUp(): Promise<void> {
    this.#socket.destroy();
    if (!this.#closed) await once(this.#socket, 'close');
  }

  async #next(): Promise<Heard | undefined> {
    const deadline = Date.now() + this.patience;
    while (this.#seen === this.heard.length && !this.#closed && Date.now() < deadline) {
      const limit = setTimeout(() => this.#wake(), deadline - Date.now());
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      clearTimeout(limit);
    }
    return this.#seen < this.heard.length ? this.heard[this.#seen++] : undefined;
  }

  #take(chunk: Buffer): void {
    // the one answer that is no message: a byte that accepts or refuses encryption
    if (this.heard.length === 0 && chunk.length === 1 && 'NSG'.includes(chunk.toString('latin1'))) {
      this.heard.push({ type: `byte ${chunk.toString('latin1')}`, body: Buffer.alloc(0) });
    } else {
      this.#pieces.push(chunk);
      this.#buffered += chunk.length;
      if (this.#buffered >= this.#wanted) this.#cut();
    }
    this.#wake();
  }

  #cut(): void {
    let bytes = Buffer.concat(this.#pieces);
    this.#wanted = 5;
    while (bytes.length >= 5) {
      this.#wanted = 1 + bytes.readUInt32BE(1);
      if (bytes.length < this.#wanted) break;
      this.heard.push({ type: bytes.toString('latin1', 0, 1), body: bytes.subarray(5, this.#wanted) });
      bytes = bytes.subarray(this.#wanted);
      this.#wanted = 5;
    }
    this.#pieces = [bytes];
    this.#buffered = bytes.length;
  }

  /** What a server of another century says, or one that dies in the middle of a message. */
  #close(): void {
    if (this.#buffered > 0) this.heard.push({ type: 'bytes', body: Buffer.concat(this.#pieces) });
    this.#closed = true;
    this.#wake();
  }
}
