/**
 * Temporary tables that one client has made, as far as it is certain that a name means one.
 *
 * Their lifetime is not followed: a name counts while nothing that outlives the session has it, so that a statement on it
 * hits the temporary table or nothing. A view of that name would reach further, and so do rules and triggers: once a name may
 * have been a view's or has got a rule, or code has run that cannot be seen, it does not count any more.
 */
import type { Effect } from '../../sql/facts.js';
import type { Candidate } from '../candidate.js';
import type { AnsweredStatement, StatementTracker } from '../statement-tracker.js';
import type { ClientCatalog } from './client-catalog.js';

/** As many are remembered; a client that makes more is asked. */
const most = 10_000;

export class TemporaryTables implements StatementTracker {
  readonly #catalog: ClientCatalog;
  readonly #made = new Set<string>();
  /** Names that may be a view's, or a table's with rules or triggers. */
  readonly #reachFurther = new Set<string>();
  #unseen = false;

  constructor(catalog: ClientCatalog) {
    this.#catalog = catalog;
  }

  /**
   * A name can only mean a temporary table of this client, or an index of one; undefined while there is none. `schema`:
   * undefined, or pg_temp.
   */
  get known(): ((name: string, schema?: string) => boolean) | undefined {
    return this.#made.size > 0 ? this.#isKnown : undefined;
  }

  readonly #isKnown = (name: string, schema?: string): boolean =>
    !this.#unseen &&
    this.#made.has(name) &&
    !this.#reachFurther.has(name) &&
    (schema !== undefined || this.#catalog.onlyTemporary(name));

  forwarded({ facts }: Candidate): void {
    if (facts.unparseable) this.#unseen = true;
    for (const { effects } of facts.statements) for (const effect of effects) this.#notice(effect);
  }

  #notice({ kind, opaque, part, newName, targets }: Effect): void {
    if (opaque) this.#unseen = true;
    if (kind !== 'create' && kind !== 'alter') return;
    const further = part === 'rule' || part === 'trigger';
    for (const { type, name } of targets) if (further || type === 'view') this.#reachFurther.add(name);
    if (newName !== undefined) this.#reachFurther.add(newName);
  }

  answered({ candidate, how }: AnsweredStatement): void {
    if (how !== 'done') return;
    for (const { effects } of candidate.facts.statements) {
      for (const { kind, temporary, targets } of effects) {
        if (kind !== 'create' || this.#made.size >= most) continue;
        const [made, table] = targets;
        const isIndex = made?.type === 'index' && table !== undefined && this.#isKnown(table.name, table.schema);
        if (temporary && made?.type === 'table') this.#made.add(made.name);
        else if (isIndex && (table.schema ?? 'pg_temp') === 'pg_temp') this.#made.add(made.name);
      }
    }
  }
}
