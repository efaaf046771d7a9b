/**
 * The login towards the server: answers its authentication requests until it says AuthenticationOk.
 *
 * What lives here: how far one login has come, and the rules about what may be answered on which kind of connection.
 * What it must not know: how the connection was made, what follows the login.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { DbguardError } from '../../errors.js';
import {
  type AuthenticationRequest,
  encodePassword,
  encodeSaslInitialResponse,
  encodeSaslResponse,
} from '../../wire/authentication.js';
import { md5Response } from '../../wire/md5.js';
import { type ChannelBinding, ScramClient } from '../../wire/scram-client.js';
import { deriveScramKeys, recommendedIterations, type ScramKeys } from '../../wire/scram-keys.js';
import { scramSha256, scramSha256Plus } from '../../wire/scram-messages.js';
import type { AuthMethod } from './auth-method.js';
import { chooseBinding } from './choose-binding.js';
import type { PasswordMint, UpstreamAuth } from './config.js';
import { authFailure, tlsFailure, type UpstreamError } from './failure.js';
import type { ConnectionMemory } from './memory.js';
import { explainOauthError, type OauthTokenSource, oauthInitialResponse } from './oauth.js';
import type { Login } from './passfile.js';
import { findPassword } from './password.js';
import type { Secret } from './secret.js';
import { demandAgain, howToForget, newProof, type Proof, type ServerProofs } from './server-proofs.js';
import type { TlsSession } from './tls-session.js';

const oauthBearer = 'OAUTHBEARER';

export interface LoginContext extends Login {
  readonly socket: Socket;
  readonly label: string;
  readonly auth: UpstreamAuth;
  readonly memory: ConnectionMemory;
  readonly proofs: ServerProofs | undefined;
  readonly tls: TlsSession | undefined;
  /** A unix socket: nobody is in between. */
  readonly unix: boolean;
  readonly oauthToken: OauthTokenSource | undefined;
  readonly signal: AbortSignal;
}

type Exchange =
  | { readonly kind: 'scram'; readonly client: ScramClient; verified: boolean }
  | { readonly kind: 'oauth'; failure: string | undefined };

export class UpstreamLogin {
  readonly #context: LoginContext;
  #exchange: Exchange | undefined;
  #method: AuthMethod = 'none';
  /** What this server proved before; undefined where the connection says itself what it requires. */
  readonly #before: Proof | undefined;
  #bound = false;
  /** What was wrong with the password sources, for the hint of the server's refusal. */
  passwordNote: string | undefined;

  constructor(context: LoginContext) {
    this.#context = context;
    const { auth, proofs, label, user } = context;
    this.#before = auth.requireAuth ? undefined : proofs?.of(label, user);
  }

  /** True when the login is over: the request was AuthenticationOk. Rejects with UpstreamError or ProtocolViolation. */
  async answer(request: AuthenticationRequest): Promise<boolean> {
    switch (request.kind) {
      case 'ok':
        this.#checkComplete();
        this.#remember();
        return true;
      case 'cleartext':
        this.#begin('password');
        await this.#answerCleartext();
        return false;
      case 'md5': {
        this.#begin('md5');
        const password = await this.#password();
        this.#send(encodePassword(md5Response(this.#context.user, password.reveal(), request.salt)));
        return false;
      }
      case 'sasl':
        await this.#startSasl(request.mechanisms);
        return false;
      case 'sasl-continue':
        await this.#continueSasl(request.data);
        return false;
      case 'sasl-final':
        this.#finishSasl(request.data);
        return false;
      case 'unsupported':
        throw authFailure(
          `${this.#context.label} asks for ${request.name}, which dbguard does not speak`,
          'Have pg_hba.conf ask for scram-sha-256, md5, cert, oauth or peer from here.',
        );
    }
  }

  /** require_auth, once per login: a server may not ask for a second method after the first. */
  #begin(method: AuthMethod): void {
    const { auth, label } = this.#context;
    if (this.#method !== 'none') throw this.#outOfOrder();
    if (auth.requireAuth && !auth.requireAuth.includes(method)) {
      throw authFailure(
        `${label} asks for the authentication method "${method}", require_auth allows ${auth.requireAuth.join(', ')}`,
        'Change require_auth if that is what you expect from this server.',
      );
    }
    demandAgain(this.#before, method, label);
    if (auth.channelBinding === 'require' && method !== 'scram-sha-256') {
      throw authFailure(
        `${label} asks for the authentication method "${method}", channel_binding=require allows SCRAM only`,
        'Store the password as scram-sha-256 on the server, or relax channel_binding.',
      );
    }
    this.#method = method;
  }

  async #password(): Promise<Secret> {
    const { auth, label } = this.#context;
    if (auth.minted) {
      throw authFailure(
        `${label} asks for a stored password of "${this.#context.user}", and this connection has tokens (rds_iam)`,
        `Let the login use them (GRANT rds_iam TO ${this.#context.user}), or leave rds_iam out of the connection.`,
      );
    }
    const found = await findPassword(auth, this.#context);
    this.passwordNote = found.note;
    if (found.password) return found.password;
    throw authFailure(
      `${label} asks for the password of "${this.#context.user}", and none was found`,
      `${found.note ? `${found.note} ` : ''}Put it into PGPASSWORD, ~/.pgpass or password_command.`,
    );
  }

  /** Whoever holds a token is the person to every server that trusts its maker: it goes to a server that has proved its name. */
  async #mintedPassword(mint: PasswordMint): Promise<Secret> {
    const { tls, label, host, user } = this.#context;
    if (!tls?.verified) {
      throw tlsFailure(
        `${label} asks for a token instead of a password, and it has not been verified who it is`,
        'Use sslmode=verify-full (with sslrootcert) on this connection.',
      );
    }
    return mint({ host: host.host, port: host.port, user }).catch((error: unknown) => {
      if (!(error instanceof DbguardError)) throw error;
      throw authFailure(`${label} asks for a token: ${error.message}`, error.hint ?? '');
    });
  }

  async #answerCleartext(): Promise<void> {
    const { tls, unix, label, auth } = this.#context;
    if (auth.minted) {
      this.#send(encodePassword((await this.#mintedPassword(auth.minted)).reveal()));
      return;
    }
    if (!tls && !unix) {
      throw tlsFailure(
        `${label} asks for the password in clear text over an unencrypted connection`,
        'Use sslmode=require or better, or have the server ask for scram-sha-256.',
      );
    }
    this.#send(encodePassword((await this.#password()).reveal()));
  }

  async #startSasl(mechanisms: readonly string[]): Promise<void> {
    if (this.#exchange) throw this.#outOfOrder();
    const { tls, label } = this.#context;
    if (mechanisms.includes(scramSha256Plus) && !tls) {
      throw authFailure(
        `${label} offers channel binding on a connection without TLS`,
        'Somebody in between may have ended the TLS connection: connect directly, with sslmode=verify-full.',
      );
    }
    if (mechanisms.includes(scramSha256) || mechanisms.includes(scramSha256Plus)) {
      this.#begin('scram-sha-256');
      const client = new ScramClient({
        channelBinding: this.#binding(tls, mechanisms),
        randomNonce: randomBytes(18),
        keys: (salt, iterations) => this.#scramKeys(salt, iterations),
        // A server that is known to be the right one may use what it likes.
        minIterations: tls?.verified || this.#context.unix ? 1 : recommendedIterations,
      });
      this.#exchange = { kind: 'scram', client, verified: false };
      this.#send(encodeSaslInitialResponse(client.mechanism, client.first()));
      return;
    }
    if (mechanisms.includes(oauthBearer)) {
      this.#begin('oauth');
      this.#exchange = { kind: 'oauth', failure: undefined };
      this.#send(encodeSaslInitialResponse(oauthBearer, await oauthInitialResponse(this.#context)));
      return;
    }
    throw authFailure(
      `${label} offers only SASL mechanisms that dbguard does not speak: ${mechanisms.join(', ') || 'none'}`,
      'Have pg_hba.conf ask for scram-sha-256 or oauth.',
    );
  }

  /** A binding that there was once is not given up: somebody in between would have to. */
  #binding(tls: TlsSession | undefined, mechanisms: readonly string[]): ChannelBinding {
    const { auth, label } = this.#context;
    const binding = chooseBinding(auth, tls, mechanisms, label);
    if (this.#before?.bound && auth.channelBinding === 'prefer' && binding.kind !== 'tls-server-end-point') {
      throw authFailure(
        `${label} cannot be bound to its TLS connection, and at an earlier login it was (channel_binding)`,
        `Somebody may be in between. ${howToForget(label)}`,
      );
    }
    this.#bound = binding.kind === 'tls-server-end-point';
    return binding;
  }

  async #scramKeys(salt: Buffer, iterations: number): Promise<ScramKeys> {
    const { scramClientKey, scramServerKey } = this.#context.auth;
    if (scramClientKey && scramServerKey) {
      return {
        clientKey: Buffer.from(scramClientKey.reveal(), 'base64'),
        serverKey: Buffer.from(scramServerKey.reveal(), 'base64'),
      };
    }
    const password = (await this.#password()).reveal();
    return this.#context.memory.scramKeys({ password, salt, iterations }, () =>
      deriveScramKeys(password, salt, iterations),
    );
  }

  async #continueSasl(data: Buffer): Promise<void> {
    const exchange = this.#exchange;
    if (exchange?.kind === 'scram') {
      this.#send(encodeSaslResponse(await exchange.client.respond(data)));
    } else if (exchange?.kind === 'oauth' && exchange.failure === undefined) {
      // RFC 7628 section 3.2.3: the token was refused; one 0x01 asks for the error that ends the exchange.
      exchange.failure = explainOauthError(data);
      this.passwordNote = exchange.failure;
      this.#send(encodeSaslResponse(Buffer.from([1])));
    } else {
      throw this.#outOfOrder();
    }
  }

  #finishSasl(data: Buffer): void {
    if (this.#exchange?.kind !== 'scram' || this.#exchange.verified) throw this.#outOfOrder();
    this.#exchange.client.verify(data);
    this.#exchange.verified = true;
  }

  /** AuthenticationOk counts only when everything that protects us has happened. */
  #checkComplete(): void {
    const { auth, label } = this.#context;
    if (this.#exchange?.kind === 'scram' && !this.#exchange.verified) {
      throw authFailure(
        `${label} skipped the proof that it knows the password`,
        'Somebody may be posing as the server: connect with sslmode=verify-full.',
      );
    }
    if (this.#exchange?.kind === 'oauth' && this.#exchange.failure !== undefined) throw this.#outOfOrder();
    if (this.#method !== 'none') return;
    demandAgain(this.#before, 'none', label);
    if (auth.requireAuth && !auth.requireAuth.includes('none')) {
      throw authFailure(
        `${label} asks for no authentication, require_auth allows ${auth.requireAuth.join(', ')}`,
        'Add none to require_auth if the server knows you by certificate, peer or trust.',
      );
    }
    if (auth.channelBinding === 'require') {
      throw authFailure(
        `${label} asks for no authentication, channel_binding=require needs SCRAM`,
        'Have pg_hba.conf ask for scram-sha-256, or relax channel_binding.',
      );
    }
  }

  #remember(): void {
    const { proofs, label, user } = this.#context;
    const proof = newProof(proofs?.of(label, user), { method: this.#method, bound: this.#bound });
    if (proof) proofs?.learn(label, user, proof);
  }

  #send(message: Buffer): void {
    this.#context.socket.write(message);
  }

  #outOfOrder(): UpstreamError {
    return authFailure(
      `${this.#context.label} sent authentication messages out of order`,
      'Check that host and port belong to a PostgreSQL server.',
    );
  }
}
