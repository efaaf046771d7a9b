/**
 * What others cannot do while a statement runs, and until its transaction ends. Source: "Explicit Locking" in the
 * PostgreSQL manual and the Notes of each command's page. Told in doubt: the stronger lock.
 */
import { alterForms } from '../sql/alter-forms.js';
import type { Effect, Facts, StatementFacts, Target } from '../sql/facts.js';
import { type LockReach, lockReach } from '../sql/lock-modes.js';

/** One line for each kind of lock: "reads and writes of orders". Empty where others notice nothing. */
export function locksOf(facts: Facts): string[] {
  const tables: Record<Exclude<LockReach, 'none'>, Set<string>> = {
    'reads and writes': new Set(),
    writes: new Set(),
    rows: new Set(),
  };
  for (const statement of facts.statements) {
    if (statement.deferred) continue;
    for (const effect of statement.effects) {
      const reach = reachOf(effect, statement);
      if (reach === 'none') continue;
      const targets = effect.targets.filter(({ type }) => lockable.has(type));
      // CREATE INDEX names its table, too
      const named = targets.filter(({ type }) => type !== 'index');
      for (const target of named.length > 0 ? named : targets) tables[reach].add(nameOf(target));
    }
  }
  const whole = tables['reads and writes'];
  const partly = [...tables.writes].filter((name) => !whole.has(name));
  const rows = [...tables.rows].filter((name) => !whole.has(name) && !tables.writes.has(name));
  return [
    ...(whole.size > 0 ? [`blocks reads and writes of ${list(whole)}`] : []),
    ...(partly.length > 0 ? [`blocks writes to ${list(partly)}; reads go on`] : []),
    ...(rows.length > 0 ? [`blocks other writers of the same rows of ${list(rows)}; reads go on`] : []),
  ];
}

const lockable: ReadonlySet<Target['type']> = new Set(['table', 'view', 'index']);

function reachOf(effect: Effect, { command }: StatementFacts): LockReach {
  switch (effect.kind) {
    case 'update':
    case 'delete':
      return 'rows';
    case 'truncate':
    case 'drop':
      return 'reads and writes';
    case 'create':
      if (command !== 'CREATE INDEX') return 'none';
      return effect.concurrently ? 'none' : 'writes';
    case 'alter':
      if (effect.form !== undefined) return lockReach[alterForms[effect.form].lock];
      // CREATE TRIGGER takes SHARE ROW EXCLUSIVE
      if (effect.part === 'trigger') return 'writes';
      return command === 'COMMENT' ? 'none' : 'reads and writes';
    case 'grant':
      return command.startsWith('ALTER') || command.endsWith('POLICY') ? 'reads and writes' : 'none';
    case 'maintenance':
      return maintenance(command, effect);
    case 'lock':
      return lockReach[effect.lockMode ?? 'ACCESS EXCLUSIVE'];
    default:
      return 'none';
  }
}

function maintenance(command: string, { concurrently, full }: Effect): LockReach {
  if (concurrently) return 'none';
  if (command === 'VACUUM') return full ? 'reads and writes' : 'none';
  if (command === 'REINDEX') return 'writes';
  return command === 'CLUSTER' || command === 'REFRESH MATERIALIZED VIEW' ? 'reads and writes' : 'none';
}

function nameOf({ schema, name, type }: Target): string {
  const full = schema === undefined ? name : `${schema}.${name}`;
  return type === 'index' ? `the table of ${full}` : full;
}

function list(names: Iterable<string>): string {
  const all = [...names];
  return all.length > 3 ? `${all.slice(0, 3).join(', ')} and ${all.length - 3} more` : all.join(', ');
}
