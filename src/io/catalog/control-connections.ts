import type { UpstreamConfig } from '../upstream/config.js';
import { connectUpstream, type Upstream } from '../upstream/connect.js';
import { ControlConnection } from './control-connection.js';

/** dbguard's own connections, one for each database that a client has used. */
export class Controls {
  readonly #upstream: UpstreamConfig;
  readonly #sid: string;
  readonly #onConnected: (database: string, connection: Upstream) => void;
  readonly #byDatabase = new Map<string, ControlConnection>();

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
      control = new ControlConnection(async () => {
        const connection = await connectUpstream(this.#upstream, parameters);
        try {
          this.#onConnected(database, connection);
        } catch (error) {
          connection.socket.destroy();
          throw error;
        }
        return connection;
      });
      this.#byDatabase.set(database, control);
    }
    return control;
  }

  async close(): Promise<void> {
    for (const control of this.#byDatabase.values()) await control.close();
  }
}
