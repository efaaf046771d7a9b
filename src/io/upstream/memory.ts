import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { ScramKeys } from '../../wire/scram-keys.js';
import type { Secret } from './secret.js';

/**
 * What one connection takes over from the one before, because making it again is slow: parsing the system's root
 * certificates blocks the event loop for some 17 ms, deriving SCRAM keys costs what the server's iterations say. What
 * password_command printed is not among it: its answer may be good for one login only.
 *
 * What must live here: results that depend on nothing but what they are asked for with. What it must not know: files,
 * sockets, whether a connection succeeded. It prints as nothing: what it holds is as secret as the password.
 */
export class ConnectionMemory {
  /** What password_command printed last. Nobody logs in with it again; it is kept out of the agent's environment. */
  printed: Secret | undefined;
  #tls: { readonly options: SecureContextOptions; readonly context: SecureContext } | undefined;
  #scram: { readonly of: ScramInput; readonly keys: Promise<ScramKeys> } | undefined;

  /** Throws what OpenSSL throws. */
  secureContext(options: SecureContextOptions): SecureContext {
    if (!this.#tls || !isDeepStrictEqual(this.#tls.options, options)) {
      this.#tls = { options, context: createSecureContext(options) };
    }
    return this.#tls.context;
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
