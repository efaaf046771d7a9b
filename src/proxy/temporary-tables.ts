/**
 * Temporary tables that one client has made, as far as it is certain that a name means one.
 *
 * Their lifetime is not followed: a name counts while nothing that outlives the session has it, so that a statement on it
 * hits the temporary table or nothing. A view of that name would reach further, so once a name may have been a view's, or
 * code has run that cannot be seen, it does not count any more.
 */
import type { Effect, Facts } from '../sql/facts.js';
import type { ClientCatalog } from './client-catalog.js';

/** As many are remembered; a client that makes more is asked. */
const most = 10_000;

export class TemporaryTables {
  readonly #catalog: ClientCatalog;
  readonly #made = new Set<string>();
  readonly #views = new Set<string>();
  #unseen = false;

  constructor(catalog: ClientCatalog) {
    this.#catalog = catalog;
  }

  /** An unqualified name can only mean a temporary table of this client; undefined while there is none. */
  get known(): ((name: string) => boolean) | undefined {
    return this.#made.size > 0 ? this.#isKnown : undefined;
  }

  readonly #isKnown = (name: string): boolean =>
    !this.#unseen && this.#made.has(name) && !this.#views.has(name) && this.#catalog.onlyTemporary(name);

  /** A statement goes to the server. */
  forwarded(facts: Facts): void {
    if (facts.unparseable) this.#unseen = true;
    for (const { effects } of facts.statements) for (const effect of effects) this.#notice(effect);
  }

  #notice({ kind, opaque, detail = '', targets }: Effect): void {
    if (opaque) this.#unseen = true;
    if (kind !== 'create' && kind !== 'alter') return;
    for (const { type, name } of targets) if (type === 'view') this.#views.add(name);
    const newName = /^rename to (.*)$/.exec(detail)?.[1];
    if (newName !== undefined) this.#views.add(newName);
  }

  /** The server has run it. */
  done(facts: Facts): void {
    for (const { effects } of facts.statements) {
      for (const { kind, detail = '', targets } of effects) {
        if (kind !== 'create' || !detail.startsWith('temporary') || this.#made.size >= most) continue;
        for (const { type, name } of targets) if (type === 'table') this.#made.add(name);
      }
    }
  }
}
