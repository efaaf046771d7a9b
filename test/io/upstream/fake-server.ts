/** A server that says what a test wants, for what no real server would say. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Test } from 'tap';
import { message } from '../../../src/wire/backend.js';
import { backend } from '../../../src/wire/messages.js';
import type { Certificate } from './certificates.js';

/** The two ends of one conversation: what the client sent next, and what to answer. */
export class Conversation {
  #bytes: Buffer = Buffer.alloc(0);
  #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  /** All the time: what comes between two `take` must not be lost. */
  #listen(): void {
    this.#socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
    });
  }

  /** The next `length` bytes. Never settles when the client has gone: the test ends by itself then. */
  async take(length: number): Promise<Buffer> {
    while (this.#bytes.length < length) await once(this.#socket, 'data');
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  /** A packet without a type byte: startup or SSLRequest. */
  async takePacket(): Promise<Buffer> {
    const length = await this.take(4);
    return this.take(length.readInt32BE(0) - 4);
  }

  /** The body of a message, whatever its type. */
  async takeMessage(): Promise<Buffer> {
    const head = await this.take(5);
    return this.take(head.readInt32BE(1) - 4);
  }

  send(...bytes: (Buffer | string)[]): void {
    this.#socket.write(Buffer.concat(bytes.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))));
  }

  /** The other side listens still. */
  get open(): boolean {
    return this.#socket.writable;
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Goes on over TLS, after an SSLRequest was answered with S. */
  async secure({ pem, keyPem }: Certificate): Promise<void> {
    const context = createSecureContext({ cert: pem, key: keyPem });
    const secured = new TLSSocket(this.#socket, {
      isServer: true,
      secureContext: context,
      ALPNProtocols: ['postgresql'],
    });
    secured.on('error', () => {});
    this.#socket = secured;
    this.#listen();
    await once(secured, 'secure');
  }
}

export interface FakeServer {
  readonly port: number;
  /** Connections so far. */
  readonly connections: () => number;
  /** Every byte that clients sent, before any decryption. */
  readonly received: () => Buffer;
}

/** Listens on 127.0.0.1 until the test ends. */
export async function fakeServer(
  t: Test,
  talk: (conversation: Conversation) => Promise<void> | void,
): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const chunks: Buffer[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => chunks.push(chunk));
    void talk(new Conversation(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, connections: () => sockets.size, received: () => Buffer.concat(chunks) };
}

/** ErrorResponse with the server's usual fields. */
export function fatal(code: string, text: string): Buffer {
  return message(backend.errorResponse, Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${text}\0\0`));
}

/** What follows AuthenticationOk, up to ReadyForQuery. */
export function ready(parameters: Readonly<Record<string, string>> = {}): Buffer {
  const key = Buffer.from([0, 0, 0, 42, 1, 2, 3, 4]);
  const statuses = Object.entries(parameters).map(([name, value]) =>
    message(backend.parameterStatus, Buffer.from(`${name}\0${value}\0`)),
  );
  return Buffer.concat([
    ...statuses,
    message(backend.backendKeyData, key),
    message(backend.readyForQuery, Buffer.from('I')),
  ]);
}
