/**
 * What each kind of effect may change: the one place that says it. Exhaustive: a new kind does not compile until it has
 * a row, and whoever decides by kinds asks for those with a trait.
 */
import type { Effect, EffectKind } from './facts.js';

export type EffectTrait =
  /** It touches rows of the relations in its targets: views, rules and triggers on them count. */
  | 'touches-rows'
  /** It writes rows. */
  | 'writes-rows'
  /** A condition may restrict it, and the planner may estimate how many rows it is about. */
  | 'counts-rows'
  /** Objects come, go, or become others. */
  | 'defines'
  /** Who may do what becomes another. */
  | 'grants'
  /** What the catalog says of relations, functions and rights may be another. */
  | 'changes-catalog'
  /** The same text may mean something else afterwards, also in other sessions. */
  | 'changes-meaning'
  /** It leaves something behind in the database, or nobody knows. */
  | 'leaves-changes'
  /** Rows or objects are gone, or others than they were: worth measuring before. */
  | 'worth-measuring'
  /** What it takes away nobody gets back: never left out where a person decides. */
  | 'destroys'
  /** It counts also where a trigger or a rule does it, which the application has written itself. */
  | 'counts-behind-writes'
  /** Its targets may be tables. */
  | 'names-tables'
  /** ROLLBACK takes it back. */
  | 'undone-by-rollback'
  /** What names mean and what the catalog has stays as it is. */
  | 'leaves-names'
  /** A built-in function of this kind returns nothing that tables, files or other servers hold. */
  | 'returns-nothing-kept'
  /** What it leaves in its session, if anything, DISCARD ALL takes away. */
  | 'discarded';

const kinds: Readonly<Record<EffectKind, readonly EffectTrait[]>> = {
  read: ['touches-rows', 'counts-rows', 'names-tables', 'undone-by-rollback', 'leaves-names', 'discarded'],
  insert: [
    'touches-rows',
    'writes-rows',
    'counts-rows',
    'leaves-changes',
    'names-tables',
    'undone-by-rollback',
    'discarded',
  ],
  update: [
    'touches-rows',
    'writes-rows',
    'counts-rows',
    'leaves-changes',
    'worth-measuring',
    'names-tables',
    'undone-by-rollback',
    'returns-nothing-kept',
    'discarded',
  ],
  delete: [
    'touches-rows',
    'writes-rows',
    'counts-rows',
    'leaves-changes',
    'worth-measuring',
    'destroys',
    'names-tables',
    'undone-by-rollback',
    'discarded',
  ],
  truncate: [
    'touches-rows',
    'writes-rows',
    'leaves-changes',
    'worth-measuring',
    'destroys',
    'counts-behind-writes',
    'names-tables',
    'undone-by-rollback',
    'discarded',
  ],
  create: ['defines', 'changes-catalog', 'changes-meaning', 'leaves-changes', 'names-tables', 'undone-by-rollback'],
  alter: [
    'defines',
    'changes-catalog',
    'changes-meaning',
    'leaves-changes',
    'worth-measuring',
    'names-tables',
    'undone-by-rollback',
    'returns-nothing-kept',
  ],
  drop: [
    'defines',
    'changes-catalog',
    'changes-meaning',
    'leaves-changes',
    'worth-measuring',
    'destroys',
    'counts-behind-writes',
    'names-tables',
    'undone-by-rollback',
  ],
  grant: [
    'grants',
    'changes-catalog',
    'changes-meaning',
    'leaves-changes',
    'counts-behind-writes',
    'names-tables',
    'undone-by-rollback',
  ],
  role: ['changes-meaning', 'leaves-changes', 'counts-behind-writes'],
  config: ['changes-meaning', 'counts-behind-writes', 'leaves-changes'],
  session: ['leaves-names', 'returns-nothing-kept', 'discarded'],
  transaction: ['leaves-names', 'discarded'],
  'copy-file': ['counts-behind-writes'],
  'copy-program': ['destroys', 'counts-behind-writes'],
  'execute-code': ['changes-catalog', 'changes-meaning', 'leaves-changes'],
  'function-call': ['leaves-changes'],
  network: [],
  lock: ['names-tables', 'undone-by-rollback', 'leaves-names', 'returns-nothing-kept', 'discarded'],
  maintenance: ['leaves-changes', 'names-tables', 'returns-nothing-kept'],
  notify: ['returns-nothing-kept', 'discarded'],
  prepare: ['discarded'],
  cursor: ['discarded'],
  backend: ['counts-behind-writes', 'returns-nothing-kept'],
  unknown: ['changes-catalog', 'changes-meaning', 'leaves-changes'],
};

export const effectKinds = Object.keys(kinds) as EffectKind[];

export function kindsWith(trait: EffectTrait): ReadonlySet<EffectKind> {
  return new Set(effectKinds.filter((kind) => kinds[kind].includes(trait)));
}

/** It changes or deletes rows that were there before, be it in code that runs with the statement: so many may be too many. */
export function changesRowsThatWere({ kind, within, sequence, passedOn }: Effect): boolean {
  const changes = kind === 'update' || kind === 'delete' || (kind === 'insert' && passedOn === true);
  return changes && within !== 'definition' && sequence === undefined;
}
