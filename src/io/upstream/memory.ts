import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { ScramKeys } from '../../wire/scram-keys.js';
import type { Secret } from './secret.js';

/** Long enough for a pool that opens fifty connections, short enough for tokens that live for minutes. */
const printedPasswordLife = 60_000;

/**
 * What one connection takes over from the one before, because making it again is slow: parsing the system's root
 * certificates blocks the event loop for some 17 ms, deriving SCRAM keys costs what the server's iterations say, a
 * password_command starts a program.
 *
 * What must live here: results that depend on nothing but what they are asked for with. What it must not know: files,
 * sockets, whether a connection succeeded. It prints as nothing: what it holds is as secret as the password.
 */
export class ConnectionMemory {
  #tls: { readonly options: SecureContextOptions; readonly context: SecureContext } | undefined;
  #printed: { readonly password: Secret; readonly at: number } | undefined;
  #scram: { readonly of: ScramInput; readonly keys: Promise<ScramKeys> } | undefined;

  /** Throws what OpenSSL throws. */
  secureContext(options: SecureContextOptions): SecureContext {
    if (!this.#tls || !isDeepStrictEqual(this.#tls.options, options)) {
      this.#tls = { options, context: createSecureContext(options) };
    }
    return this.#tls.context;
  }

  /** What password_command printed less than a minute ago, and no server has refused since. `now` in milliseconds. */
  printedPassword(now: number): Secret | undefined {
    return this.#printed && now - this.#printed.at < printedPasswordLife ? this.#printed.password : undefined;
  }

  rememberPassword(password: Secret, now: number): void {
    if (this.#printed?.password !== password) this.#printed = { password, at: now };
  }

  forgetPassword(): void {
    this.#printed = undefined;
  }

  scramKeys(of: ScramInput, derive: (of: ScramInput) => Promise<ScramKeys>): Promise<ScramKeys> {
    if (!this.#scram || !isDeepStrictEqual(this.#scram.of, of)) this.#scram = { of, keys: derive(of) };
    return this.#scram.keys;
  }
}

export interface ScramInput {
  readonly password: string;
  readonly salt: Buffer;
  readonly iterations: number;
}
