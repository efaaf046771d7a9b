/** A frontend that does next to nothing, so that what is measured is the way and not the driver. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { scram } from '../conformance/scram.js';
import { int32, message, startup, text } from '../helpers/wire-messages.js';
import type { BenchTarget } from './targets.js';

/** ReadyForQuery but for the transaction's status: how every answer here ends, and never a chunk of row data. */
const readyForQuery = Buffer.from('5a00000005', 'hex');

export class RawClient {
  readonly #socket: Socket;
  #tail: Buffer = Buffer.alloc(0);
  #waiting: { enough(tail: Buffer): boolean; resolve(): void; reject(error: Error): void } | undefined;
  /** Bytes received since the last request. */
  received = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#waiting?.reject(new Error(`the connection was closed after ${this.#tail}`)));
  }

  static async open(target: BenchTarget): Promise<RawClient> {
    const socket = connect(target.port, target.host);
    await once(socket, 'connect');
    const client = new RawClient(socket);
    const exchange = scram(target.password);
    const hello = startup({ user: target.user, database: target.database }, [3, 0]);
    await client.#exchange(hello, (tail) => tail.length >= 9);
    const first = Buffer.from(exchange.first);
    const initial = message('p', text('SCRAM-SHA-256'), int32(first.length), first);
    await client.#exchange(initial, (tail) => tail.length >= 9);
    const challenge = client.#tail.toString('latin1', 9);
    await client.request(message('p', Buffer.from(exchange.final(challenge))));
    return client;
  }

  /** Sends it; resolves when the server is ready again. */
  request(bytes: Buffer): Promise<void> {
    return this.#exchange(bytes, endsReady);
  }

  /** COPY FROM STDIN: the statement, then these chunks of CopyData, then CopyDone. */
  async copyIn(statement: Buffer, chunks: Iterable<Buffer>): Promise<void> {
    await this.#exchange(statement, (tail) => tail[0] === 0x47);
    for (const chunk of chunks) if (!this.#socket.write(chunk)) await once(this.#socket, 'drain');
    await this.request(message('c'));
  }

  close(): void {
    this.#socket.end(message('X'));
  }

  #exchange(bytes: Buffer, enough: (tail: Buffer) => boolean): Promise<void> {
    this.#tail = Buffer.alloc(0);
    this.received = 0;
    return new Promise((resolve, reject) => {
      this.#waiting = { enough, resolve, reject };
      this.#socket.write(bytes);
    });
  }

  #take(chunk: Buffer): void {
    this.received += chunk.length;
    this.#tail = chunk.length >= 6 ? chunk : Buffer.concat([this.#tail, chunk]);
    if (!this.#waiting?.enough(this.#tail)) return;
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve();
  }
}

function endsReady(tail: Buffer): boolean {
  return tail.length >= 6 && tail.compare(readyForQuery, 0, 5, tail.length - 6, tail.length - 1) === 0;
}
