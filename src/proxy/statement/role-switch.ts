/**
 * A role taken on around one statement, in the transaction that the statement runs in:
 *
 *   is there code that the client may have written? -> who is the session now? -> take -> (bind anew) -> the statement -> back
 *
 * As SET LOCAL would have it, so that an error, ROLLBACK TO and the end of the transaction bring the role back by
 * themselves; set_config, since SET LOCAL warns where a pipeline has no block. Nothing of the client's reaches the server
 * in between: its connection is held.
 *
 * What lives here: the two switches. What it must not know: who approved, which statement.
 */
import { clientCodeSql } from '../internal-queries/client-code.js';
import type { InternalQuery } from '../internal-queries/internal-queries.js';
import type { ResponseSink } from '../server/responses.js';
import { clientCodeWords } from './access-question.js';

const nowSql = `SELECT pg_catalog.current_setting('role')`;
const switchSql = `SELECT pg_catalog.set_config('role', $1, true)`;

export class RoleSwitch {
  readonly #internal: InternalQuery;
  readonly #unsynced: true | undefined;
  readonly #role: string;
  #before: string | undefined;

  /** @param unsynced the transaction is the implicit one of a pipeline, which a Sync would end */
  constructor(internal: InternalQuery, role: string, unsynced: boolean) {
    this.#internal = internal;
    this.#role = role;
    this.#unsynced = unsynced || undefined;
  }

  /** Undefined once the role is taken; else why it must not be. Rejects with ServerRefusal where the server says no. */
  async take(): Promise<string | undefined> {
    const [code] = (await this.#put(clientCodeSql)).rows;
    if (code) return clientCodeWords(code[0]);
    const [before] = (await this.#put(nowSql)).rows;
    this.#before = before?.[0] ?? 'none';
    await this.#switch(this.#role);
    return undefined;
  }

  /**
   * Rejects with ServerRefusal where that failed, by a cancel that came late: then the transaction has failed, and the role
   * went with it. Any other rejection means that the role may still be there: the connection has to end.
   */
  async giveBack(diagnostics: ResponseSink): Promise<void> {
    if (this.#before !== undefined) await this.#switch(this.#before, diagnostics);
  }

  async #switch(to: string, diagnostics?: ResponseSink): Promise<void> {
    const bound = { formats: [], values: [Buffer.from(to, 'utf8')], resultFormats: [] };
    const { rows } = await this.#internal.put({
      sql: switchSql,
      bound,
      ...(diagnostics && { diagnostics }),
      ...(this.#unsynced && { unsynced: this.#unsynced }),
    });
    if (rows[0]?.[0] !== to) throw new Error(`the session is not ${to}`);
  }

  #put(sql: string) {
    return this.#internal.put({ sql, ...(this.#unsynced && { unsynced: this.#unsynced }) });
  }
}
