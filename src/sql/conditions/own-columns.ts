/**
 * The columns of the relation whose rows a condition may restrict: how they are named, and what is known of them. What a
 * condition makes of them stands in restriction.ts.
 */
import type { SelectStmt } from 'libpg-query';
import type { ColumnKnowledge } from '../catalog/catalog-relations.js';
import { as, type Node, names } from '../grammar/tree.js';
import type { Scope, Source } from './scope.js';
import { isBare } from './subqueries.js';

/** A relation, and where it is one of several. */
interface Place {
  readonly source: Source;
  readonly scope: Scope;
}

/** `orders.id`, unless a bare `id` would be a variable. */
function isOwnColumn(fields: readonly Node[] | undefined, source: Source, scope: Scope): boolean {
  if (fields?.length !== 2) return false;
  const [qualifier, column] = names(fields);
  return qualifier === source.alias && !scope.isVariable(column ?? '');
}

/**
 * `orders.id` as `id`, where orders is all there is: the two are the same column and have to look the same. Shares
 * whatever has nothing to strip: conditions may be long lists.
 */
function stripped(value: unknown, isOwn: (fields: readonly Node[] | undefined) => boolean): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => stripped(item, isOwn));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  // A subquery has names of its own, unless it has no FROM.
  if ('SelectStmt' in value && !isBare(value.SelectStmt as SelectStmt)) return value;
  const fields = as(value as Node, 'ColumnRef')?.fields;
  if (fields !== undefined && isOwn(fields)) return { ColumnRef: { fields: fields.slice(1) } };
  let copy: Record<string, unknown> | undefined;
  for (const key in value) {
    // a constant names nothing; integer-blind.ts wants to know who reads it
    if (key === 'A_Const') continue;
    const item = (value as Record<string, unknown>)[key];
    const plain = stripped(item, isOwn);
    if (plain !== item) copy = { ...(copy ?? value), [key]: plain };
  }
  return copy ?? value;
}

/** Where the relation is all there is, its columns without its name. */
export function unqualified(node: Node, { source, scope }: Place): Node {
  if (scope.sources.length !== 1) return node;
  return stripped(node, (fields) => isOwnColumn(fields, source, scope)) as Node;
}

/** Of a column of our source that is a key in some table of that name: the name may mean any of them. */
export function knownOf(column: Node, view: Place): ColumnKnowledge | undefined {
  return columnsOf(column, view).find((one) => one.key);
}

export function isMostlyNull(column: Node | undefined, view: Place): boolean {
  const known = column === undefined ? [] : columnsOf(column, view);
  return known.length > 0 && known.every(({ nullFraction }) => nullFraction !== undefined && nullFraction >= 0.5);
}

function columnsOf(column: Node, { source, scope }: Place): readonly ColumnKnowledge[] {
  const path = names(as(column, 'ColumnRef')?.fields);
  const name = path.at(-1);
  if (name === undefined || source.relation === undefined) return [];
  if (path.length > 1 && path.at(-2) !== source.alias) return [];
  return scope.columnsOf(source.relation, name);
}
