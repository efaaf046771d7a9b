/**
 * The sessions of a gateway: found or opened for whoever has shown a token, counted, ended when a right is lost, sealed when
 * nobody is there any more.
 */
import type { Socket } from 'node:net';
import { DbguardError } from '../../errors.js';
import type { LoginKeeper } from '../../identity/login-keeper.js';
import type { ProxyConnection } from '../../io/listener/client-connection.js';
import type { UpstreamPool } from '../../io/pool/upstream-pool.js';
import { isRevoked, rightsOf } from '../../policy/serve-rights.js';
import type { CancelMap } from '../../proxy/client/cancel-map.js';
import type { Bucket } from '../../transcript/entry.js';
import { encodeAuthenticationOk } from '../../wire/authentication.js';
import { type ErrorText, encodeError } from '../../wire/backend.js';
import type { CommandContext } from '../command.js';
import type { CloseOptions } from '../guard/contract.js';
import type { Admitted } from './admission.js';
import { type GuestSession, openGuestSession } from './guest-session.js';
import type { GatewayLog } from './log.js';
import { beyondThis, ending, policyChanged, rightLost, tooMany, unopened } from './refusals.js';
import {
  asError,
  digestOf,
  filesDigest,
  type Served,
  ServedConnections,
  uploadPatience,
} from './served-connections.js';
import type { GatewaySettings, WatchedSettings } from './settings.js';
import type { TimeLimits } from './time-limits.js';
import type { Guest } from './token-door.js';

export interface GuestSessionsParts {
  readonly context: CommandContext;
  readonly settings: WatchedSettings;
  readonly keeper: LoginKeeper;
  /** Why the gateway's own login lets nothing be signed any more. */
  readonly loginLost: (now: number) => DbguardError | undefined;
  readonly bucket: Bucket;
  readonly cancels: CancelMap<ProxyConnection>;
  readonly pool: UpstreamPool;
  readonly limits: TimeLimits;
  readonly log: GatewayLog;
}

interface Held {
  readonly guest: Guest;
  readonly admitted: Admitted;
  /** What of the files its statements are judged by; see judgedBy. */
  readonly judgedBy: string;
  readonly served: Served;
  readonly opening: Promise<GuestSession>;
  session?: GuestSession;
  /** Connections, those included that are being opened. */
  clients: number;
  lingering?: NodeJS.Timeout;
  closing?: Promise<void>;
}

export interface SessionCounts {
  readonly sessions: number;
  readonly clients: number;
  readonly held: number;
  readonly statements: number;
  readonly denied: number;
}

/** Whoever comes again so soon, with the same token, finds the session still there. */
const lingerMs = 10_000;
const sweepMs = 5_000;

export class GuestSessions {
  readonly #parts: GuestSessionsParts;
  readonly #held = new Map<string, Held>();
  readonly #served: ServedConnections;
  readonly #sweep: NodeJS.Timeout;
  /** Of sessions that have ended. */
  readonly #past = { statements: 0, denied: 0 };
  #ending = false;

  constructor(parts: GuestSessionsParts) {
    this.#parts = parts;
    this.#served = new ServedConnections(parts);
    this.#sweep = setInterval(() => this.look(), sweepMs).unref();
  }

  get counts(): SessionCounts {
    const sessions = [...this.#held.values()].flatMap(({ session }) => session ?? []);
    const clients = sessions.flatMap(({ connections }) => [...connections]);
    return {
      sessions: sessions.length,
      clients: clients.length,
      held: clients.filter(({ activity }) => activity === 'held').length,
      statements: sum(sessions.map(({ totals }) => totals.statements)) + this.#past.statements,
      denied: sum(sessions.map(({ totals }) => totals.deniedByRule)) + this.#past.denied,
    };
  }

  /**
   * For a client that has shown who it is and asks for what is open to it. Undefined where it is connected, or hears why not
   * by itself; else the words of a refusal.
   */
  admit(guest: Guest, admitted: Admitted, socket: Socket): ErrorText | undefined {
    if (this.#ending) return ending;
    if (this.#parts.settings.beyond) return beyondThis;
    const { connections, perPerson } = this.#parts.settings.now.serve.limits;
    const all = [...this.#held.values()];
    const theirs = all.filter((one) => isSame(one.guest, guest));
    if (sum(all.map(({ clients }) => clients)) >= connections)
      return tooMany(`all ${connections} connections of this gateway are taken`);
    if (sum(theirs.map(({ clients }) => clients)) >= perPerson)
      return tooMany(`you have ${perPerson} connections already`);
    const held = this.#find(guest, admitted);
    held.clients++;
    clearTimeout(held.lingering);
    socket.once('close', () => this.#left(held));
    void this.#connect(held, admitted, socket);
    return undefined;
  }

  async #connect(held: Held, { startup }: Admitted, socket: Socket): Promise<void> {
    try {
      const session = await held.opening;
      if (socket.destroyed) return;
      const connection = session.connect(socket, startup);
      this.#parts.limits.watch(connection);
    } catch (error) {
      socket.end(Buffer.concat([encodeAuthenticationOk(), encodeError(unopened(error))]));
      socket.resume();
    }
  }

  #find(guest: Guest, admitted: Admitted): Held {
    const settings = this.#parts.settings.now;
    const key = [guest.digest, admitted.right.connection].join(' ');
    const judged = judgedBy(settings, admitted);
    const found = this.#held.get(key);
    if (found && !found.closing && found.judgedBy === judged) return found;
    const served = this.#served.enter(admitted.right.connection, settings);
    const opening = this.#open(guest, admitted, settings, served);
    const held: Held = { guest, admitted, judgedBy: judged, served, opening, clients: 0 };
    this.#held.set(found ? `${key} ${Math.random()}` : key, held);
    opening.then(
      (session) => {
        held.session = session;
        const { log } = this.#parts;
        log.say('session-opened', { session: session.sid, subject: guest.name, connection: admitted.right.connection });
      },
      (error: unknown) => {
        this.#forget(held);
        this.#parts.log.trouble(asError(error));
      },
    );
    return held;
  }

  async #open(guest: Guest, { right }: Admitted, settings: GatewaySettings, served: Served): Promise<GuestSession> {
    return openGuestSession({
      ...this.#parts,
      ...{ settings, guest, right },
      served: await served.opening,
      valid: (now) => this.#lost(guest, right, now) ?? true,
      onTrouble: (error) => this.#parts.log.trouble(error),
    });
  }

  #left(held: Held): void {
    held.clients--;
    if (held.clients > 0 || held.closing) return;
    // connections that wait for a client are no use without their session
    const stays = Math.max(lingerMs, this.#parts.pool.limits?.idleMs ?? 0);
    held.lingering = setTimeout(() => void this.#close(held, uploadPatience()), stays);
  }

  #close(held: Held, how: CloseOptions): Promise<void> {
    clearTimeout(held.lingering);
    held.closing ??= this.#seal(held, how);
    return held.closing;
  }

  async #seal(held: Held, how: CloseOptions): Promise<void> {
    const { log } = this.#parts;
    try {
      const session = await held.opening;
      const { left } = await session.close(how);
      const { statements, deniedByRule } = session.totals;
      this.#past.statements += statements;
      this.#past.denied += deniedByRule;
      log.say('session-ended', { session: session.sid, subject: held.guest.name, statements, left });
    } catch (error) {
      log.trouble(asError(error));
    } finally {
      this.#forget(held);
    }
  }

  #forget(held: Held): void {
    for (const [key, one] of this.#held) {
      if (one !== held) continue;
      this.#held.delete(key);
      this.#served.leave(held.served);
    }
  }

  /** Who has lost a right, or is judged by what does not count any more, goes now. */
  look(): void {
    const settings = this.#parts.settings.now;
    const now = Date.now();
    for (const held of this.#held.values()) {
      const { guest, admitted, session } = held;
      if (!session || held.closing) continue;
      const lost = this.#lost(guest, admitted.right, now);
      const stands = !this.#parts.settings.beyond && held.judgedBy === judgedBy(settings, admitted);
      const last = lost ? rightLost(lost) : stands ? undefined : policyChanged;
      if (last === undefined) continue;
      this.#parts.log.say('session-cut', { session: session.sid, subject: guest.name, why: last.message });
      session.drain(last);
      if (lost) for (const connection of session.connections) this.#parts.limits.end(connection);
    }
  }

  #lost({ rights, token }: Guest, right: Admitted['right'], now: number): DbguardError | undefined {
    const { serve } = this.#parts.settings.now;
    const own = this.#parts.loginLost(now);
    if (own) return own;
    if (isRevoked(rights, serve.revoked)) return lost('the token is revoked');
    if (now > token.issuedAt + serve.limits.sessionMs) return lost('the time that a token lets anybody in for is over');
    const still = rightsOf(rights, serve).some(({ connection }) => connection === right.connection);
    return still ? undefined : lost(`the connection ${right.connection} is not open to you any more`);
  }

  /** No new sessions; what runs may finish within the grace, then everything is sealed and uploaded. */
  async close(how: CloseOptions): Promise<void> {
    this.#ending = true;
    clearInterval(this.#sweep);
    await Promise.all([...this.#held.values()].map((held) => this.#close(held, how)));
    await this.#served.close(how);
  }
}

function judgedBy(settings: GatewaySettings, { right }: Admitted): string {
  const { profile = '', users } = right.grant;
  return `${filesDigest(settings)} ${digestOf(JSON.stringify([profile, users]))}`;
}

function isSame({ rights: a }: Guest, { rights: b }: Guest): boolean {
  return a.issuer === b.issuer && a.sub === b.sub;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

function lost(message: string): DbguardError {
  return new DbguardError('login-expired', message, { hint: 'Get a fresh token (dbguard token) and connect again.' });
}
