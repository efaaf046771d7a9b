/**
 * Which statements can be run and undone without a trace, as far as facts tell. A list of what is fine: whatever is
 * not on it is refused, with words for the person who asked for the dry run.
 */
import { kindsWith } from '../../sql/effect-traits.js';
import type { Effect, EffectKind, Facts, StatementFacts } from '../../sql/facts.js';

/** Effects that ROLLBACK undoes. */
const undone = kindsWith('undone-by-rollback');

const refusals: Readonly<Record<EffectKind, string | undefined>> = {
  read: undefined,
  insert: undefined,
  update: undefined,
  delete: undefined,
  truncate: undefined,
  create: undefined,
  alter: undefined,
  drop: undefined,
  grant: undefined,
  lock: undefined,
  // these are refused further down, by what is known of the code
  'execute-code': undefined,
  'function-call': undefined,
  unknown: undefined,
  'copy-file': 'it reads or writes files of the server',
  'copy-program': 'it runs a program on the server',
  network: 'it reaches out to another server (dblink, foreign server, subscription)',
  notify: 'it has to do with NOTIFY, which other sessions hear',
  backend: 'it interferes with other sessions',
  config: 'it changes the configuration of the server',
  role: 'it changes roles or passwords',
  maintenance: 'maintenance commands are not undone by a rollback',
  session: 'it changes settings of the session',
  transaction: 'it begins or ends a transaction itself',
  prepare: 'it runs or prepares something by name',
  cursor: 'it works with a cursor',
};

/** Why the statement cannot be tried out, or undefined. */
export function factsObstacle(facts: Facts): string | undefined {
  if (facts.unparseable) return 'dbguard cannot read the statement';
  for (const statement of facts.statements) {
    const obstacle = statementObstacle(statement);
    if (obstacle !== undefined) return obstacle;
  }
  return undefined;
}

function statementObstacle(statement: StatementFacts): string | undefined {
  if (statement.transaction !== undefined) return refusals.transaction;
  if (statement.handle !== undefined) return refusals.prepare;
  // the rows that a COPY brings come after the approval
  if (statement.command === 'COPY') return 'COPY cannot be tried out';
  const obstacles = statement.effects.flatMap((effect) => effectObstacle(effect) ?? []);
  // "it reaches out to another server" says more than that nobody can look into it
  return obstacles.find((one) => !one.startsWith(unseen)) ?? obstacles[0];
}

const unseen = 'it runs code that dbguard cannot look into';

function effectObstacle(effect: Effect): string | undefined {
  const target = effect.targets[0];
  const named = target ? ` (${target.schema === undefined ? '' : `${target.schema}.`}${target.name})` : '';
  if (target?.type === 'sequence' && (effect.kind === 'update' || effect.sequence === 'setval')) {
    return `it draws from or sets a sequence${named}, which no rollback gives back`;
  }
  if (effect.outsideTransaction) return 'it cannot run in a transaction, as a dry run would have to';
  const refused = refusals[effect.kind];
  if (refused !== undefined) return refused;
  if (effect.opaque || effect.kind === 'execute-code' || effect.kind === 'function-call') {
    return `${unseen}${named}`;
  }
  if (effect.lockMode === 'ADVISORY') return 'it takes an advisory lock, which may outlive a rollback';
  if (target?.type === 'extension') return 'the script of an extension may do anything';
  if (undone.has(effect.kind)) return undefined;
  return 'dbguard does not know all that it does';
}

const rowChanges = kindsWith('writes-rows');
const definitions = kindsWith('defines');
const grants = kindsWith('grants');

export function changesRows(effect: Effect): boolean {
  return rowChanges.has(effect.kind);
}

export function definesObjects(effect: Effect): boolean {
  return definitions.has(effect.kind) || grants.has(effect.kind);
}

/** There is something to count or to find out. */
export function changesAnything(facts: Facts): boolean {
  return facts.statements.some(
    ({ effects, deferred }) => !deferred && effects.some((effect) => changesRows(effect) || definesObjects(effect)),
  );
}
