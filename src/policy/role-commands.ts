/**
 * How each command runs as a role, and why the others run as none. A list of what is fine: what is not on it does not.
 *
 * What must live here: commands and forms of them. What it must not know: who approved, which role.
 */
import { alterForms } from '../sql/alter-forms.js';
import type { Effect, StatementFacts } from '../sql/facts.js';

/**
 * `transaction`: as by SET LOCAL ROLE, in its client's transaction or in one of its own. `alone`: outside of a
 * transaction it gets none, since the server would refuse it there, or does its work in several; inside of one it runs as
 * all others do.
 */
export type RoleRun = 'transaction' | 'alone';

/** About rows, undone as a whole, and run in a transaction of dbguard's as they do in one of their own. */
export const rowCommands: ReadonlySet<string> = new Set([
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'MERGE',
  'TRUNCATE TABLE',
]);

const runs: Readonly<Record<string, RoleRun>> = {
  ...Object.fromEntries([...rowCommands].map((command) => [command, 'transaction' as const])),
  COPY: 'transaction',
  EXPLAIN: 'transaction',
  'CREATE TABLE AS': 'transaction',
  'CREATE TABLE': 'transaction',
  'CREATE INDEX': 'transaction',
  'CREATE SEQUENCE': 'transaction',
  'ALTER TABLE': 'transaction',
  'ALTER INDEX': 'transaction',
  'ALTER SEQUENCE': 'transaction',
  'ALTER VIEW': 'transaction',
  'ALTER MATERIALIZED VIEW': 'transaction',
  COMMENT: 'transaction',
  'DROP TABLE': 'transaction',
  'DROP INDEX': 'transaction',
  'DROP SEQUENCE': 'transaction',
  'DROP VIEW': 'transaction',
  'DROP MATERIALIZED VIEW': 'transaction',
  'REFRESH MATERIALIZED VIEW': 'transaction',
  // what it opens reads on as nobody's but what it was opened for; without a transaction it opens nothing
  'DECLARE CURSOR': 'transaction',
  EXECUTE: 'transaction',
  // in a transaction of dbguard's they cannot end it, nor begin another
  CALL: 'transaction',
  DO: 'transaction',
  // a partitioned table, and several, take one transaction each
  ANALYZE: 'alone',
  CLUSTER: 'alone',
  REINDEX: 'alone',
  VACUUM: 'alone',
};

export const roleCommands: ReadonlySet<string> = new Set(Object.keys(runs));

/** Undefined: it runs as no role. */
export function roleRun({ command, effects }: StatementFacts): RoleRun | undefined {
  if (!Object.hasOwn(runs, command)) return undefined;
  return effects.some(({ outsideTransaction }) => outsideTransaction) ? 'alone' : runs[command];
}

/** The server refuses it inside of a transaction, whoever sends it. */
export function neverInTransaction({ command, effects }: StatementFacts): boolean {
  return (
    command === 'VACUUM' || effects.some(({ concurrently, outsideTransaction }) => concurrently || outsideTransaction)
  );
}

/** Why a command runs as no role, in words that follow "because". */
export function commandObstacle({ command }: StatementFacts): string {
  const reason = reasons.find(([commands]) => commands.test(command))?.[1];
  return `it is ${command}, ${reason ?? 'and only rows, tables and what belongs to tables are changed as a role'}`;
}

/** The first that fits. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^(GRANT|REVOKE|REASSIGN|ALTER DEFAULT)/, 'and rights given as a role would outlast it'],
  [/^(SET|RESET|DISCARD)/, 'and settings outlast a statement'],
  [/^(PREPARE|DEALLOCATE)/, 'which runs nothing; what it names is asked about when it runs'],
  [/^(FETCH|MOVE|CLOSE)/, 'which reads on where a cursor stands; declare the cursor, which is what is asked about'],
  [
    /^CREATE (FUNCTION|PROCEDURE|TRIGGER|RULE|VIEW|MATERIALIZED VIEW|POLICY|EVENT TRIGGER|AGGREGATE|OPERATOR|CAST)/,
    'and it would run with the rights of the role whenever somebody uses it',
  ],
  [/\b(DATABASE|TABLESPACE|SUBSCRIPTION|SYSTEM|ROLE|USER|GROUP)$/, 'which no entry can name: entries name tables'],
];

/** Commands that a session refuses outside of a transaction block, whoever sends them. */
export function onlyInTransaction({ command }: StatementFacts): boolean {
  return command === 'DECLARE CURSOR';
}

/** Why a form of a command runs as no role, in words that follow "because"; undefined where it does. */
export function formObstacle({ kind, cascade, form, temporary, part, held }: Effect): string | undefined {
  if (held) return 'a cursor WITH HOLD outlasts its transaction; declare it without HOLD, inside of one';
  if (kind === 'transaction') return 'its code ends or begins transactions; have it leave them alone';
  if (cascade) return 'CASCADE reaches what it does not name; name all that it is about';
  if (temporary) return 'what is temporary is left behind in the session';
  if (part !== undefined && part !== 'column') return `a ${part} is about more than the table`;
  if (kind === 'alter' && form !== undefined && !(alterForms[form].staysWithTable || ofPartsAlone.has(form)))
    return 'it is about more than the table that it names';
  return undefined;
}

/** Further than the table itself only by its own partition, storage or order. */
const ofPartsAlone: ReadonlySet<string> = new Set([
  'ClusterOn',
  'DetachPartition',
  'DetachPartitionFinalize',
  'DropCluster',
  'ReplicaIdentity',
  'SetAccessMethod',
  'SetTableSpace',
]);
