/** Facts in one line each, so that a test reads as a table: `delete! users` is an unbounded delete. */
import type { Effect, Facts, StatementFacts, Target } from '../../src/sql/facts.js';

/** `unparseable: reason`, or the summaries of the statements with ` ; ` between them. */
export function summary(facts: Facts): string {
  if (facts.unparseable) return `unparseable: ${facts.unparseable.reason}`;
  return facts.statements.map(statement).join(' ; ');
}

function statement(facts: StatementFacts): string {
  return facts.effects.map(effect).join(', ');
}

/** `!` unbounded, `?` opaque, `[detail]`. */
function effect(one: Effect): string {
  const marks = `${one.bounded ? '' : '!'}${one.opaque ? '?' : ''}`;
  const targets = one.targets.map(target).join(' ');
  const detail = one.valueUnknown ? 'any value' : one.detail;
  return [`${one.kind}${marks}`, targets, detail === undefined ? '' : `[${detail}]`].filter(Boolean).join(' ');
}

function target(one: Target): string {
  const name = one.schema === undefined ? one.name : `${one.schema}.${one.name}`;
  return one.columns === undefined ? name : `${name}(${one.columns.join(' ')})`;
}
