/**
 * Temporary tables and sequences that one client has made, as far as it is certain that a name means one.
 *
 * Their lifetime is not followed: a name counts while nothing that outlives the session has it, so that a statement on it
 * hits the temporary table or nothing. A view of that name would reach further, and so do rules and triggers: once a name may
 * have been a view's or has got a rule, or code has run that cannot be seen, it does not count any more.
 */
import type { Effect, Facts, Target } from '../../sql/facts.js';
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
   * A name can only mean a temporary table or sequence of this client, or an index of one; undefined while there is none.
   * A text of several statements may make one, or something else of the name, before it uses it. `schema`: undefined, or
   * pg_temp.
   */
  knownIn(facts: Facts): ((name: string, schema?: string) => boolean) | undefined {
    const own = facts.statements.length > 1 ? madeBy(facts) : nothingMade;
    if (this.#made.size + own.made.size === 0) return undefined;
    if (own === nothingMade) return this.#isKnown;
    return (name, schema) => !own.reachFurther.has(name) && this.#isCertain(own.made, name, schema);
  }

  readonly #isKnown = (name: string, schema?: string): boolean => this.#isCertain(nothingMade.made, name, schema);

  #isCertain(more: ReadonlySet<string>, name: string, schema: string | undefined): boolean {
    if (this.#unseen || this.#reachFurther.has(name) || !(this.#made.has(name) || more.has(name))) return false;
    return schema !== undefined || this.#catalog.onlyTemporary(name);
  }

  forwarded({ facts }: Candidate): void {
    if (facts.unparseable) this.#unseen = true;
    for (const { effects } of facts.statements) for (const effect of effects) this.#notice(effect);
  }

  #notice(effect: Effect): void {
    if (effect.opaque) this.#unseen = true;
    for (const name of reachingFurther(effect)) this.#reachFurther.add(name);
  }

  answered({ candidate, how }: AnsweredStatement): void {
    if (how !== 'done') return;
    for (const { effects } of candidate.facts.statements) {
      for (const { kind, temporary, targets } of effects) {
        if (kind !== 'create' || this.#made.size >= most) continue;
        const [made, table] = targets;
        const isIndex = made?.type === 'index' && table !== undefined && this.#isKnown(table.name, table.schema);
        if (temporary && made && isKept(made)) this.#made.add(made.name);
        else if (isIndex && (table.schema ?? 'pg_temp') === 'pg_temp') this.#made.add(made.name);
      }
    }
  }
}

const isKept = ({ type }: Target): boolean => type === 'table' || type === 'sequence';

/** Names that mean, or may mean from now on, what hands on to other tables. */
function reachingFurther({ kind, part, newName, targets }: Effect): string[] {
  if (kind !== 'create' && kind !== 'alter') return [];
  const further = part === 'rule' || part === 'trigger';
  const names = targets.filter(({ type }) => further || type === 'view').map(({ name }) => name);
  return newName === undefined ? names : [...names, newName];
}

interface Made {
  readonly made: ReadonlySet<string>;
  readonly reachFurther: ReadonlySet<string>;
}

const nothingMade: Made = { made: new Set(), reachFurther: new Set() };
const byFacts = new WeakMap<Facts, Made>();

/** Whatever the order: what a text uses before it makes it means something that outlives the session, or nothing. */
function madeBy(facts: Facts): Made {
  let found = byFacts.get(facts);
  if (found === undefined) {
    const effects = facts.statements.flatMap((one) => one.effects);
    const reachFurther = new Set(effects.flatMap(reachingFurther));
    const isSeen = !facts.unparseable && effects.every(({ opaque }) => !opaque);
    const tables = isSeen ? effects.filter(({ kind, temporary }) => kind === 'create' && temporary) : [];
    const made = new Set(tables.flatMap(({ targets }) => targets.filter(isKept).map(({ name }) => name)));
    found = made.size + reachFurther.size === 0 ? nothingMade : { made, reachFurther };
    byFacts.set(facts, found);
  }
  return found;
}
