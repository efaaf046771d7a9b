/** Catalogs of a session: one for each database that a client uses. */

import type { ClientCatalog } from '../../proxy/session-state/client-catalog.js';
import type { Grammar } from '../../sql/grammar/grammar.js';
import type { ControlConnection } from './control-connection.js';
import { FunctionCatalog } from './function-catalog.js';

export class Catalogs {
  readonly #grammar: Grammar;
  readonly #controlOf: (database: string) => ControlConnection;
  readonly #byDatabase = new Map<string, Promise<FunctionCatalog>>();

  constructor(grammar: Grammar, controlOf: (database: string) => ControlConnection) {
    this.#grammar = grammar;
    this.#controlOf = controlOf;
  }

  async client(database: string): Promise<ClientCatalog> {
    return (await this.#of(database)).client();
  }

  /** Before there is a client: the first one then waits for what has changed since, and not for all of it. */
  async readAhead(database: string): Promise<void> {
    await this.#of(database);
  }

  #of(database: string): Promise<FunctionCatalog> {
    let catalog = this.#byDatabase.get(database);
    if (!catalog) {
      catalog = openCatalog(this.#controlOf(database), this.#grammar);
      this.#byDatabase.set(database, catalog);
    }
    return catalog;
  }

  /** Waits for none that is still being read. */
  stop(): void {
    for (const catalog of this.#byDatabase.values()) void catalog.then((opened) => opened.stop());
  }
}

export function openCatalog(control: ControlConnection, grammar: Grammar): Promise<FunctionCatalog> {
  return FunctionCatalog.open((sql, timeoutMs) => control.ask(sql, [], timeoutMs, ''), { grammar });
}
