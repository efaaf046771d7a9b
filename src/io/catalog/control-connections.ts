import type { DatabaseUse } from '../../proxy/statement/connection-state.js';
import type { UpstreamConfig } from '../upstream/config.js';
import { connectUpstream, type Upstream } from '../upstream/connect.js';
import { ControlConnection } from './control-connection.js';

/**
 * dbguard's own connections, one for each database that clients are using: soon after the last of them it goes, since a
 * database that anybody is connected to can be neither dropped nor renamed nor copied.
 */
/**
 * Clients that come and go one after the other find it still there. DROP DATABASE and its like wait five seconds for
 * others to leave (CountOtherDBBackends in PostgreSQL's procarray.c), so nobody is refused because of it.
 */
const lingerMs = 1000;

export class Controls implements DatabaseUse {
  readonly #upstream: UpstreamConfig;
  readonly #sid: string;
  readonly #onConnected: (database: string, connection: Upstream) => void;
  readonly #byDatabase = new Map<string, ControlConnection>();
  readonly #clients = new Map<string, number>();
  /** Being read before there is a client. */
  readonly #held = new Set<string>();
  /** Without a client since a moment. */
  readonly #lingering = new Map<string, NodeJS.Timeout>();

  constructor(upstream: UpstreamConfig, sid: string, onConnected: (database: string, connection: Upstream) => void) {
    this.#upstream = upstream;
    this.#sid = sid;
    this.#onConnected = onConnected;
  }

  of(database: string): ControlConnection {
    let control = this.#byDatabase.get(database);
    if (!control) {
      const parameters = new Map([
        ['database', database],
        ['application_name', `dbguard/${this.#sid} control`],
      ]);
      const connect = async (): Promise<Upstream> => {
        const connection = await connectUpstream(this.#upstream, parameters);
        try {
          this.#onConnected(database, connection);
        } catch (error) {
          connection.socket.destroy();
          throw error;
        }
        return connection;
      };
      control = new ControlConnection(connect, () => this.#isWanted(database));
      this.#byDatabase.set(database, control);
    }
    return control;
  }

  /** One connection for all that `read` asks; no client is counted. */
  async during(database: string, read: () => Promise<unknown>): Promise<void> {
    this.#held.add(database);
    try {
      await read();
    } finally {
      this.#held.delete(database);
      if (this.clients(database) === 0) await this.leave([database]);
    }
  }

  clients(database: string): number {
    return this.#clients.get(database) ?? 0;
  }

  #isWanted(database: string): boolean {
    return this.clients(database) > 0 || this.#held.has(database) || this.#lingering.has(database);
  }

  #linger(database: string): void {
    const over = (): void => {
      this.#lingering.delete(database);
      if (!this.#isWanted(database)) void this.leave([database]);
    };
    this.#lingering.set(database, setTimeout(over, lingerMs).unref());
  }

  use(database: string): () => void {
    clearTimeout(this.#lingering.get(database));
    this.#lingering.delete(database);
    this.#clients.set(database, this.clients(database) + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#clients.set(database, this.clients(database) - 1);
      if (this.clients(database) === 0) this.#linger(database);
    };
  }

  async leave(databases: readonly string[]): Promise<void> {
    await Promise.all(databases.map((database) => this.#byDatabase.get(database)?.leave()));
  }

  async close(): Promise<void> {
    for (const timer of this.#lingering.values()) clearTimeout(timer);
    this.#lingering.clear();
    for (const control of this.#byDatabase.values()) await control.close();
  }
}
