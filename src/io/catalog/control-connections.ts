import type { DatabaseUse } from '../../proxy/statement/connection-state.js';
import type { UpstreamConfig } from '../upstream/config.js';
import { connectUpstream, type Upstream } from '../upstream/connect.js';
import { ControlConnection } from './control-connection.js';

/**
 * dbguard's own connections, one for each database that clients are using: with the last of them it goes, since a
 * database that anybody is connected to can be neither dropped nor renamed nor copied.
 */
export class Controls implements DatabaseUse {
  readonly #upstream: UpstreamConfig;
  readonly #sid: string;
  readonly #onConnected: (database: string, connection: Upstream) => void;
  readonly #byDatabase = new Map<string, ControlConnection>();
  readonly #clients = new Map<string, number>();
  /** Being read before there is a client. */
  readonly #held = new Set<string>();

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
      control = new ControlConnection(connect, () => this.clients(database) > 0 || this.#held.has(database));
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

  use(database: string): () => void {
    this.#clients.set(database, this.clients(database) + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#clients.set(database, this.clients(database) - 1);
      if (this.clients(database) === 0) void this.leave([database]);
    };
  }

  async leave(databases: readonly string[]): Promise<void> {
    await Promise.all(databases.map((database) => this.#byDatabase.get(database)?.leave()));
  }

  async close(): Promise<void> {
    for (const control of this.#byDatabase.values()) await control.close();
  }
}
