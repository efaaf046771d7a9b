/**
 * The one way out of a fence with a network of its own: an HTTP proxy for CONNECT (RFC 9110 section 9.3.6), and for programs that
 * know no proxy the ports 443 and 80 of every name. Both ask `admit` first, and carry bytes unread.
 *
 * What lives here: listeners, connections, bytes. What it must not know: who decides, and by what.
 */
import type { Socket as DatagramSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { DbguardError, reasonOf } from '../../errors.js';
import { type HostPort, plainHost } from '../../policy/hosts.js';
import { answerName, NameAddresses } from '../../run/fence/names.js';

export interface GatewayParts {
  /** Why not; undefined where the host may be reached. Waits for whoever is asked. */
  admit(target: HostPort): Promise<string | undefined>;
  /** A connection to the host itself. Rejects with an error for people. */
  dial(target: HostPort): Promise<Socket>;
}

/** Enough for a build that fetches hundreds of packages, too few to bother the machine. */
const connectionsMax = 1000;

export class Gateway {
  readonly #parts: GatewayParts;
  readonly #names = new NameAddresses();
  readonly #open = new Set<Duplex>();
  readonly #servers: { close(): unknown }[] = [];

  constructor(parts: GatewayParts) {
    this.#parts = parts;
  }

  /** Answers every name. */
  serveNames(socket: DatagramSocket): void {
    this.#servers.push(socket);
    socket.on('error', () => undefined);
    socket.on('message', (query, from) => {
      const answer = answerName(query, this.#names);
      if (answer) socket.send(answer, from.port, from.address);
    });
  }

  /** Takes the connections to `port` of whatever name. */
  serveNamed(server: Server, port: number): void {
    this.#accept(server, (socket) => {
      const host = this.#names.nameOf(socket.localAddress ?? '');
      if (host === undefined) socket.destroy();
      else void this.#carry(socket, { host, port }, Buffer.alloc(0), () => undefined);
    });
  }

  /** Takes the connections to `port` of the loopback address, for a program of this machine that listens there. */
  serveLocal(server: Server, port: number): void {
    this.#accept(server, (socket) => {
      // what was asked for by a name is no program of this machine
      if (this.#names.nameOf(socket.localAddress ?? '') !== undefined) socket.destroy();
      else void this.#connect(socket, { host: 'localhost', port }, Buffer.alloc(0), () => undefined);
    });
  }

  serveConnect(server: Server): void {
    const http = createServer({ connectionsCheckingInterval: 60_000 }, refusePlain);
    http.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const named = targetOf(request.url ?? '');
      if (!named || !this.#room(socket)) return void socket.end(response(400, 'dbguard: CONNECT wants host:port'));
      // a program that looks a name up by itself
      const target = { ...named, host: this.#names.nameOf(named.host) ?? named.host };
      void this.#carry(socket, target, head, (status, why = '') =>
        socket.write(status === 200 ? 'HTTP/1.1 200 Connection established\r\n\r\n' : response(status, why)),
      );
    });
    this.#accept(server, (socket) => http.emit('connection', socket));
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #accept(server: Server, take: (socket: Socket) => void): void {
    this.#servers.push(server);
    server.on('error', () => undefined);
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      if (this.#room(socket)) take(socket);
      else socket.destroy();
    });
  }

  #room(socket: Duplex): boolean {
    if (this.#open.has(socket)) return true;
    if (this.#open.size >= connectionsMax) return false;
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return true;
  }

  async #carry(client: Duplex, target: HostPort, head: Buffer, say: Say): Promise<void> {
    const why = await this.#parts.admit({ ...target, host: plainHost(target.host) });
    if (client.destroyed) return;
    if (why !== undefined) {
      say(403, why);
      client.end();
    } else await this.#connect(client, target, head, say);
  }

  async #connect(client: Duplex, target: HostPort, head: Buffer, say: Say): Promise<void> {
    try {
      const server = await this.#parts.dial(target);
      server.on('error', () => client.destroy());
      if (client.destroyed) return void server.destroy();
      say(200);
      server.write(head);
      client.on('error', () => server.destroy());
      client.once('close', () => server.destroy());
      server.once('close', () => client.destroy());
      client.pipe(server);
      server.pipe(client);
    } catch (error) {
      if (client.destroyed) return;
      const status = error instanceof DbguardError ? 403 : 502;
      say(status, `dbguard: ${target.host}:${target.port} cannot be reached: ${reasonOf(error)}`);
      client.end();
    }
  }
}

/** Requests for http: addresses are not carried here: the programs reach those by their names, port 80. */
function refusePlain(_request: IncomingMessage, answer: ServerResponse): void {
  const words = 'dbguard: this proxy takes CONNECT alone. Leave HTTP_PROXY unset: http addresses work without it.\n';
  answer.writeHead(405, { 'content-type': 'text/plain', connection: 'close' }).end(words);
}

function targetOf(authority: string): HostPort | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:/\s]+):(\d{1,5})$/.exec(authority);
  const port = Number(match?.[2]);
  return match && port > 0 && port < 65536 ? { host: plainHost(match[1] ?? ''), port } : undefined;
}

/** What a program that asked for the connection is told, and why not. */
type Say = (status: 200 | keyof typeof reasons, why?: string) => void;

/** RFC 9110, section 15. */
const reasons = { 400: 'Bad Request', 403: 'Forbidden', 502: 'Bad Gateway' } as const;

function response(status: keyof typeof reasons, why: string): string {
  const text = `${why}\n`;
  return `HTTP/1.1 ${status} ${reasons[status]}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`;
}
