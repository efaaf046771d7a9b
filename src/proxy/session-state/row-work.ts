/**
 * Statements that read and write rows of tables and do nothing else, as nearly all do that an application runs: when one
 * leaves, there is nothing that a tracker could learn from it.
 *
 * A property test holds it against every tracker (test/proxy/session-state/row-work.test.ts): a tracker that wants to know
 * of such statements, too, fails there.
 */
import { isSystemRelation, updatesSettings } from '../../sql/catalog/system-relations.js';
import { kindsWith } from '../../sql/effect-traits.js';
import type { Effect, Facts, StatementFacts } from '../../sql/facts.js';

const known = new WeakMap<Facts, boolean>();

/** Facts are shared by all runs of a text, so they are looked through once. */
export function isRowWork(facts: Facts): boolean {
  let is = known.get(facts);
  if (is === undefined) {
    is = facts.unparseable === undefined && facts.statements.every(onRowsAlone);
    known.set(facts, is);
  }
  return is;
}

function onRowsAlone({ effects, transaction, handle, vacates }: StatementFacts): boolean {
  return transaction === undefined && handle === undefined && vacates === undefined && effects.every(onRows);
}

const kinds = kindsWith('counts-rows');

function onRows(effect: Effect): boolean {
  const { kind, opaque, targets } = effect;
  return kinds.has(kind) && !opaque && !targets.some(isSystemRelation) && !updatesSettings(effect);
}
