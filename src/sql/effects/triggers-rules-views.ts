/**
 * What runs because rows of a relation are touched: a view's query, a rule's actions, a trigger's function.
 *
 * A view hides its query behind a read, so all of it counts. Rules and triggers are how the application itself works on
 * each write, and making one is asked about: of them only what is seen to destroy counts, and a function that nobody can
 * read (C, PL/Perl, PL/Python ... of no extension). "Trigger" here is also the function of a default or a CHECK.
 */

import type { FunctionName } from '../catalog/catalog-functions.js';
import type { Hidden, RowEvent } from '../catalog/catalog-relations.js';
import { isSystemRelation } from '../catalog/system-relations.js';
import { changesRowsThatWere, kindsWith } from '../effect-traits.js';
import type { Effect, Target } from '../facts.js';
import { as } from '../grammar/tree.js';
import type { Walk } from './effect-walk.js';
import { followFunction, functionTarget } from './functions.js';

export function addImplicit(relation: Target, event: RowEvent, walk: Walk): void {
  if (isSystemRelation(relation)) return;
  for (const hidden of walk.knowledge.relations?.hidden(relation, event) ?? []) follow(hidden, relation, walk);
}

/** A trigger moves a sum from the old row's parent to that of the new one. */
const rowsByTheWay = 2;

/** Rules and triggers change further rows that were there, and more than a few for each row. */
export function codePassesOn(relation: Target, event: RowEvent, walk: Walk): boolean {
  if (isSystemRelation(relation)) return false;
  const behind = walk.knowledge.relations?.hidden(relation, event) ?? [];
  const code = behind.filter(({ kind }) => kind === 'rule' || kind === 'trigger');
  if (code.length === 0) return false;
  const apart = walk.apart();
  for (const hidden of code) follow(hidden, relation, apart, changesRowsThatWere);
  return apart.effects
    .toArray()
    .some(({ mostRows = Number.POSITIVE_INFINITY, passedOn }) => mostRows > rowsByTheWay || passedOn);
}

/** Tables that the rules and triggers of one are about when its rows are written, as far as their code can be read. */
export function tablesBehind(relation: Target, event: RowEvent, walk: Walk): Target[] {
  if (isSystemRelation(relation)) return [];
  const behind = walk.knowledge.relations?.hidden(relation, event) ?? [];
  const code = behind.filter(({ kind }) => kind === 'rule' || kind === 'trigger');
  if (code.length === 0) return [];
  const apart = walk.apart();
  for (const hidden of code) follow(hidden, relation, apart, () => true);
  const targets = apart.effects.toArray().flatMap((effect) => effect.targets);
  return targets.flatMap(({ behind: further = [], ...target }) =>
    target.type === 'table' ? [target, ...further] : [],
  );
}

function follow(hidden: Hidden, relation: Target, walk: Walk, counts = destroys): void {
  if (hidden.kind === 'view') {
    if (!walk.body(hidden.key, 'plan', (inner) => inner.text(hidden.sql))) addUnseen(relation, walk);
  } else if (hidden.kind === 'unknown') {
    addUnseen(relation, walk);
  } else if (walk.mode === 'plan') {
    // Only planned: neither rules nor triggers run.
  } else if (hidden.kind === 'rule') {
    walk.body(hidden.key, 'run', (inner) => readRule(hidden.sql, inner), counts);
  } else {
    const { schema, name } = hidden.function;
    followFunction(schema, name, walk, counts);
    if (isUnreadable(hidden.function, walk)) {
      walk.add('function-call', { targets: [functionTarget(schema, name)], opaque: true, behindWrite: true });
    }
  }
}

/** Dynamic SQL in PL/pgSQL is how audit and partition triggers are written. */
const readable: ReadonlySet<string> = new Set(['sql', 'plpgsql', 'internal']);

function isUnreadable({ schema, name }: FunctionName, { knowledge }: Walk): boolean {
  const overloads = knowledge.catalog?.find(schema, name) ?? [];
  return overloads.some(({ extension, language }) => extension === undefined && !readable.has(language));
}

function addUnseen(relation: Target, walk: Walk): void {
  walk.add('function-call', { targets: [{ ...relation, type: 'view' }], opaque: true, detail: 'behind a view' });
}

function readRule(createRule: string, walk: Walk): boolean {
  const parsed = walk.knowledge.grammar.parse(createRule);
  if ('rejection' in parsed) return false;
  const rule = as(parsed.tree.stmts?.[0]?.stmt, 'RuleStmt');
  walk.visitAll(rule?.actions, walk.rootScope());
  return rule !== undefined;
}

const countsBehindWrites = kindsWith('counts-behind-writes');

function destroys({ kind, bounded, opaque, behindWrite }: Effect): boolean {
  if (opaque) return behindWrite === true;
  return countsBehindWrites.has(kind) || ((kind === 'update' || kind === 'delete') && !bounded);
}
