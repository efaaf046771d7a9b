/**
 * Prepared statements and portals of one connection.
 *
 * What lives here: which names may exist on the server, and what each would run.
 * What it must not know: bytes, policy, whether anything is allowed.
 *
 * The server's answers come later than the client's next messages, so a name can be uncertain for a while. Then
 * every statement that it may stand for is kept, and all of them are judged.
 */
import type { RowField } from '../masking/row-description.js';
import type { Facts } from '../sql/facts.js';

/** A statement text that the server has been given under a name. */
export interface Prepared {
  readonly sql: string;
  /** As of the catalog's `generation`; `fresh` in prepared-facts.ts renews them. */
  facts: Facts;
  generation: number;
  /** The text is a PREPARE, and what it prepares is this statement of it. */
  readonly part?: number;
  readonly parameterTypes: readonly number[];
  /** What Describe last said of its result. */
  fields?: readonly RowField[];
  /** The journal entry that discloses the text; undefined until one does. */
  entry: number | undefined;
}

export interface Portal {
  readonly statementName: string;
  /** Every statement that the portal may run; one, but for a race with a failing Parse. */
  readonly prepared: readonly Prepared[];
  readonly parameterFormats: readonly number[];
  readonly resultFormats: readonly number[];
  /** Digest of the connection's circumstances at Bind; see circumstances.ts. */
  readonly circumstances: string;
  /** Undefined is NULL. */
  readonly values: readonly (Buffer | undefined)[];
  /** The `statement` entry under which this portal was let through; fetching more of it is the same statement. */
  admitted: number | undefined;
  /** The catalog's generation by which it was let through. */
  generation: number;
}

export class Registry {
  readonly #statements = new Map<string, Prepared[]>();
  readonly #portals = new Map<string, Portal>();

  /** Every statement `name` may stand for, newest last; empty when the server cannot know the name. */
  statements(name: string): readonly Prepared[] {
    return this.#statements.get(name) ?? [];
  }

  /**
   * The unnamed statement is replaced at once: whether the server takes the new text or rejects it, the old one is
   * gone ("Extended Query" in the PostgreSQL manual). A named one that exists already stays when Parse fails.
   */
  addStatement(name: string, prepared: Prepared): void {
    const known = this.#statements.get(name);
    if (known === undefined || name === '') this.#statements.set(name, [prepared]);
    else known.push(prepared);
  }

  /** The server said that this statement does not exist: its Parse failed, or it was closed. */
  removeStatement(name: string, prepared: Prepared): void {
    const known = this.#statements.get(name);
    if (known === undefined) return;
    const rest = known.filter((one) => one !== prepared);
    if (rest.length === 0) this.#statements.delete(name);
    else this.#statements.set(name, rest);
  }

  /** Everything known at this moment, to be cleared once the server has confirmed. */
  allStatements(): { name: string; prepared: Prepared }[] {
    return [...this.#statements].flatMap(([name, known]) => known.map((prepared) => ({ name, prepared })));
  }

  portal(name: string): Portal | undefined {
    return this.#portals.get(name);
  }

  setPortal(name: string, portal: Portal): void {
    this.#portals.set(name, portal);
  }

  removePortal(name: string, portal: Portal): void {
    if (this.#portals.get(name) === portal) this.#portals.delete(name);
  }

  /** The end of a transaction drops every portal that Bind made. */
  clearPortals(): void {
    this.#portals.clear();
  }

  /** Besides the one given. */
  otherPortals(portal: Portal | undefined): number {
    return [...this.#portals.values()].filter((one) => one !== portal).length;
  }

  get size(): number {
    return this.#statements.size + this.#portals.size;
  }
}
