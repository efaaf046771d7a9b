/**
 * What others cannot do while a statement runs, and until its transaction ends. Source: "Explicit Locking" in the
 * PostgreSQL manual and the Notes of each command's page. Told in doubt: the stronger lock.
 */
import type { Effect, Facts, StatementFacts, Target } from '../sql/facts.js';

/** How much of a table a statement keeps from others. */
type Reach = 'reads and writes' | 'writes' | 'rows' | 'none';

/** ALTER TABLE forms that take SHARE UPDATE EXCLUSIVE: reads and writes go on. */
const calmForms: ReadonlySet<string> = new Set([
  'validate constraint',
  'attach partition',
  'set statistics',
  'set rel options',
  'reset rel options',
  'cluster on',
  'drop cluster',
  'comment',
]);
/** SHARE ROW EXCLUSIVE. An added constraint may be a check, which takes more. */
const writeForms: ReadonlySet<string> = new Set(['enable trigger', 'disable trigger', 'trigger']);
/** LOCK TABLE ... IN mode MODE. */
const lockModes: Readonly<Record<string, Reach>> = {
  'ACCESS EXCLUSIVE': 'reads and writes',
  EXCLUSIVE: 'writes',
  'SHARE ROW EXCLUSIVE': 'writes',
  SHARE: 'writes',
};

/** One line for each kind of lock: "reads and writes of orders". Empty where others notice nothing. */
export function locksOf(facts: Facts): string[] {
  const tables: Record<Exclude<Reach, 'none'>, Set<string>> = {
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

function reachOf(effect: Effect, { command }: StatementFacts): Reach {
  const detail = effect.detail ?? '';
  switch (effect.kind) {
    case 'update':
    case 'delete':
      return 'rows';
    case 'truncate':
    case 'drop':
      return 'reads and writes';
    case 'create':
      if (command !== 'CREATE INDEX') return 'none';
      return detail.includes('concurrently') ? 'none' : 'writes';
    case 'alter':
      if (calmForms.has(detail)) return 'none';
      if (writeForms.has(detail)) return 'writes';
      return command === 'COMMENT' ? 'none' : 'reads and writes';
    case 'grant':
      return command.startsWith('ALTER') || command.endsWith('POLICY') ? 'reads and writes' : 'none';
    case 'maintenance':
      return maintenance(command, detail);
    case 'lock':
      if (detail.startsWith('FOR ')) return 'rows';
      return lockModes[detail] ?? 'none';
    default:
      return 'none';
  }
}

function maintenance(command: string, detail: string): Reach {
  if (detail.includes('concurrently')) return 'none';
  if (command === 'VACUUM') return detail.includes('full') ? 'reads and writes' : 'none';
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
