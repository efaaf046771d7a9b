/**
 * What all sessions of a connection share (its catalogs, dbguard's own connections to its server): opened for the first of them,
 * opened anew when the settings change or the day is over, closed when nobody is left on the old one.
 */
import { DbguardError, messageOf } from '../../errors.js';
import type { LoginKeeper } from '../../identity/login-keeper.js';
import { sha256 } from '../../sha256.js';
import type { Bucket } from '../../transcript/entry.js';
import type { CommandContext } from '../command.js';
import type { CloseOptions } from '../guard/contract.js';
import { setupOf } from '../guard/setup.js';
import { servedAs } from './guest-session.js';
import type { GatewayLog } from './log.js';
import { openServedConnection, type ServedConnection, servedForMs } from './served-connection.js';
import type { GatewaySettings } from './settings.js';

export interface Served {
  readonly judgedBy: string;
  readonly opening: Promise<ServedConnection>;
  readonly since: number;
  sessions: number;
}

export interface ServedConnectionsParts {
  readonly context: CommandContext;
  readonly keeper: LoginKeeper;
  readonly bucket: Bucket;
  readonly log: GatewayLog;
}

/** An upload has so long before it is left to the next start. */
const uploadMs = 30_000;

export class ServedConnections {
  readonly #parts: ServedConnectionsParts;
  readonly #served = new Map<string, Served>();
  /** Of which a new one has taken the place, as long as sessions go on with them. */
  readonly #retired = new Set<Served>();

  constructor(parts: ServedConnectionsParts) {
    this.#parts = parts;
  }

  /** For one session more; it has to `leave`. */
  enter(name: string, settings: GatewaySettings): Served {
    const judged = filesDigest(settings);
    const found = this.#served.get(name);
    if (found && found.judgedBy === judged && Date.now() - found.since < servedForMs) {
      found.sessions++;
      return found;
    }
    const { context, keeper, bucket, log } = this.#parts;
    const options = {
      ...{ connection: name, agent: servedAs, listen: { host: '', port: 0 }, password: '' },
      asker: { ask: async () => ({ decision: 'deny', by: { kind: 'nobody' } }) as const },
      endSession: () => undefined,
      onTrouble: (error: DbguardError) => log.trouble(error),
    };
    const { sources, files } = settings;
    const opening = Promise.resolve().then(() =>
      openServedConnection(setupOf(context, options, { sources, files, policy: files }), keeper, bucket),
    );
    const served: Served = { judgedBy: judged, opening, since: Date.now(), sessions: 1 };
    this.#served.set(name, served);
    opening.catch(() => {
      if (this.#served.get(name) === served) this.#served.delete(name);
    });
    if (found) this.#retired.add(found);
    this.#closeRetired();
    return served;
  }

  leave(served: Served): void {
    served.sessions--;
    this.#closeRetired();
  }

  /** All of them, whoever is still there. */
  async close(how: CloseOptions): Promise<void> {
    const all = [...this.#served.values(), ...this.#retired];
    await Promise.all(all.map(async ({ opening }) => (await opening.catch(() => undefined))?.close(how)));
  }

  #closeRetired(): void {
    for (const served of this.#retired) {
      if (served.sessions > 0) continue;
      this.#retired.delete(served);
      void served.opening
        .then((one) => one.close(uploadPatience()))
        .catch((error: unknown) => this.#parts.log.trouble(asError(error)));
    }
  }
}

/** Everything of the files but whom they let in: whoever is added to those throws nobody out. */
export function filesDigest({ sources }: GatewaySettings): string {
  const said = sources.flatMap(({ config }) =>
    config.keys
      .filter(({ section, key }) => !/^serve\b/.test(section) && !(section === '' && key === 'serve'))
      .map(({ section, key, said }) => [section, key, said]),
  );
  return digestOf(JSON.stringify(said));
}

export function digestOf(text: string): string {
  return sha256(text, 'base64url');
}

export function uploadPatience(): CloseOptions {
  return { graceMs: 0, signal: AbortSignal.timeout(uploadMs) };
}

export function asError(error: unknown): DbguardError {
  return error instanceof DbguardError ? error : new DbguardError('internal', messageOf(error));
}
