/**
 * From an open channel to the server's first ReadyForQuery: StartupMessage, login, the parameters it reports.
 */
import type { Socket } from 'node:net';
import { decodeAuthentication } from '../../wire/authentication.js';
import { decodeFields } from '../../wire/backend.js';
import { backend, ProtocolViolation } from '../../wire/messages.js';
import { decodeBackendKeyData, decodeParameterStatus } from '../../wire/server-messages.js';
import { decodeNegotiateProtocolVersion, encodeStartup } from '../../wire/startup.js';
import { type LoginContext, UpstreamLogin } from './authenticate.js';
import type { UpstreamConfig } from './config.js';
import type { Channel } from './encrypt.js';
import { protocolFailure, refusedByServer, unusable } from './failure.js';
import { MessageReader } from './message-reader.js';

export interface BackendKey {
  readonly pid: number;
  /** 4 bytes, up to 256 with protocol 3.2. */
  readonly key: Buffer;
}

export interface StartedSession {
  /** Paused. */
  readonly socket: Socket;
  readonly parameters: Map<string, string>;
  readonly backendKey: BackendKey | undefined;
  /** Raw NoticeResponse messages, in order. */
  readonly notices: readonly Buffer[];
  readonly protocolMinor: number;
  readonly unknownOptions: readonly string[];
  readonly rest: Buffer;
}

export interface SessionRequest {
  readonly channel: Channel;
  readonly config: UpstreamConfig;
  readonly login: Omit<LoginContext, 'socket' | 'tls'>;
  /** `user` and `database` included. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly protocolMinor: number;
}

/** Rejects with UpstreamError; the caller destroys the socket. */
export async function startSession(request: SessionRequest): Promise<StartedSession> {
  const { channel, login } = request;
  const reader = new MessageReader(channel.socket, login.label);
  try {
    return await new Startup(request, reader).run();
  } catch (error) {
    reader.detach();
    throw error instanceof ProtocolViolation ? protocolFailure(login.label, error.message) : error;
  }
}

class Startup {
  readonly #request: SessionRequest;
  readonly #reader: MessageReader;
  readonly #login: UpstreamLogin;
  readonly #parameters = new Map<string, string>();
  readonly #notices: Buffer[] = [];
  #backendKey: BackendKey | undefined;
  #minor: number;
  #unknownOptions: readonly string[] = [];

  constructor(request: SessionRequest, reader: MessageReader) {
    this.#request = request;
    this.#reader = reader;
    this.#minor = request.protocolMinor;
    const { channel, login } = request;
    this.#login = new UpstreamLogin({ ...login, socket: channel.socket, tls: channel.tls });
  }

  async run(): Promise<StartedSession> {
    const { socket } = this.#request.channel;
    socket.write(this.#startupPacket());
    await this.#logIn();
    await this.#becomeReady();
    const rest = this.#reader.detach();
    return {
      socket,
      parameters: this.#parameters,
      backendKey: this.#backendKey,
      notices: this.#notices,
      protocolMinor: this.#minor,
      unknownOptions: this.#unknownOptions,
      rest,
    };
  }

  #startupPacket(): Buffer {
    try {
      return encodeStartup(this.#request.protocolMinor, this.#request.parameters);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      throw unusable(`the startup parameters cannot be sent: ${error.message}`, 'Shorten options in the connection.');
    }
  }

  async #logIn(): Promise<void> {
    for (;;) {
      const message = await this.#reader.next();
      switch (message[0]) {
        case backend.authentication:
          if (await this.#login.answer(decodeAuthentication(message, 0, message.length))) return;
          break;
        case backend.negotiateProtocolVersion:
          this.#negotiate(message);
          break;
        default:
          this.#common(message);
      }
    }
  }

  async #becomeReady(): Promise<void> {
    for (;;) {
      const message = await this.#reader.next();
      switch (message[0]) {
        case backend.parameterStatus:
          this.#setParameter(decodeParameterStatus(message, 0, message.length));
          break;
        case backend.backendKeyData:
          this.#backendKey = decodeBackendKeyData(message, 0, message.length);
          break;
        case backend.readyForQuery:
          return;
        default:
          this.#common(message);
      }
    }
  }

  #setParameter({ name, value }: { readonly name: string; readonly value: string }): void {
    this.#parameters.set(name, value);
  }

  #negotiate(message: Buffer): void {
    const { config, protocolMinor, login } = this.#request;
    const answer = decodeNegotiateProtocolVersion(message, 0, message.length);
    if (answer.minor > protocolMinor) throw new ProtocolViolation('it negotiates a newer protocol than was asked for');
    if (answer.minor < config.minProtocolMinor) {
      throw protocolFailure(login.label, `it speaks protocol 3.${answer.minor}, min_protocol_version asks for more`);
    }
    this.#minor = answer.minor;
    this.#unknownOptions = answer.unknownOptions;
  }

  #common(message: Buffer): void {
    const { login } = this.#request;
    switch (message[0]) {
      case backend.noticeResponse:
        this.#notices.push(Buffer.from(message));
        return;
      case backend.errorResponse: {
        const response = { fields: decodeFields(message, 0, message.length), raw: Buffer.from(message) };
        throw refusedByServer(response, login, this.#login.passwordNote);
      }
      default:
        throw new ProtocolViolation(`unexpected message 0x${(message[0] ?? 0).toString(16)} during startup`);
    }
  }
}
