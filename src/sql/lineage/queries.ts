/** Queries for lineage: SELECT, set operations, VALUES and WITH. */
import type { CommonTableExpr, SelectStmt, WithClause } from 'libpg-query';
import { as, type Node, names, stringConstant } from '../grammar/tree.js';
import { noFlow } from './catalog.js';
import { LineageScope } from './scope.js';
import {
  type Column,
  concat,
  emptyShape,
  openShape,
  overlay,
  renamed,
  type Shape,
  sameShape,
  shapeOf,
  unknownShape,
} from './shape.js';
import { fieldsOf } from './structure.js';
import { tellBy } from './told-rows.js';
import type { LineageWalk } from './walk.js';

/** A recursive query that has not settled after this many rounds is not understood. */
const maxRounds = 50;

export function queryShape(node: Node | undefined, walk: LineageWalk, outer: LineageScope | undefined): Shape {
  const select = as(node, 'SelectStmt');
  if (select !== undefined) return selectShape(select, walk, outer);
  walk.visit();
  return (node && walk.knowledge.writeShape(node, walk, outer)) ?? walk.notUnderstood();
}

function selectShape(select: SelectStmt, walk: LineageWalk, outer: LineageScope | undefined): Shape {
  const scope = new LineageScope(outer);
  bindWith(select.withClause, walk, scope);
  let shape: Shape;
  if (select.op !== undefined && select.op !== 'SETOP_NONE') {
    const left = select.larg ? selectShape(select.larg, walk, scope) : walk.notUnderstood();
    const right = select.rarg ? selectShape(select.rarg, walk, scope) : walk.notUnderstood();
    shape = overlay(left, right);
    if (select.op === 'SETOP_UNION')
      shape = withBranches(
        shape,
        [left, right].flatMap((one) => one.branches ?? one),
      );
    scope.add({ parts: [shape], aliases: new Map() });
  } else if (select.valuesLists !== undefined) {
    shape = valuesShape(select.valuesLists, walk, scope);
  } else {
    for (const item of select.fromClause ?? []) scope.add(walk.fromItem(item, scope));
    tellBy(select.whereClause, walk, scope);
    shape = targetShape(select.targetList ?? [], walk, scope);
    shape = withBranches(shape, targetBranches(select, walk, scope));
  }
  if (select.intoClause !== undefined) walk.sinks.push({ flow: shape.all, into: undefined });
  for (const part of [
    select.whereClause,
    select.havingClause,
    select.limitCount,
    select.limitOffset,
    ...(select.groupClause ?? []),
    ...(select.windowClause ?? []),
    ...(select.sortClause ?? []),
    ...(select.distinctClause ?? []),
  ]) {
    walk.infer(walk.flow(part, scope));
  }
  return shape;
}

/** Binds WITH queries. With RECURSIVE each may name any of them: rounds from "nothing flows" until nothing changes. */
export function bindWith(clause: WithClause | undefined, walk: LineageWalk, scope: LineageScope): void {
  const ctes = (clause?.ctes ?? []).flatMap((node) => as(node, 'CommonTableExpr') ?? []);
  if (clause?.recursive !== true) {
    for (const cte of ctes) scope.setCte(cte.ctename ?? '', cteShape(cte, walk, scope));
    return;
  }
  for (const cte of ctes) scope.setCte(cte.ctename ?? '', openShape(noFlow));
  for (let round = 0, changed = true; changed; round++) {
    changed = false;
    for (const cte of ctes) {
      const name = cte.ctename ?? '';
      const shape = round < maxRounds ? cteShape(cte, walk, scope) : unknownShape;
      const before = scope.cte(name);
      if (before === undefined || !sameShape(before, shape)) {
        scope.setCte(name, shape);
        changed = round < maxRounds;
      }
    }
  }
}

function cteShape(cte: CommonTableExpr, walk: LineageWalk, scope: LineageScope): Shape {
  const shape = renamed(walk.query(cte.ctequery, scope), names(cte.aliascolnames));
  // SEARCH and CYCLE append columns made of the others.
  return cte.search_clause || cte.cycle_clause ? openShape(shape.all) : shape;
}

function valuesShape(lists: readonly Node[], walk: LineageWalk, scope: LineageScope): Shape {
  const rows = lists.map((node) => {
    const items = as(node, 'List')?.items ?? [];
    const row = concat(items.map((item) => starShape(item, walk, scope) ?? shapeOf([walk.value(item, scope)])));
    return row.columns === undefined ? row : shapeOf(row.columns.map(counted));
  });
  return rows.reduce((before, row) => overlay(before, row), rows[0] ?? emptyShape);
}

/** As VALUES names its columns. */
function counted({ constant: _, written: __, told: ___, ...column }: Column, at: number): Column {
  return { ...column, name: `column${at + 1}` };
}

export function targetShape(list: readonly Node[], walk: LineageWalk, scope: LineageScope): Shape {
  return concat(
    list.map((node) => {
      const target = as(node, 'ResTarget');
      if (target?.val === undefined) return walk.notUnderstood();
      const star = starShape(target.val, walk, scope);
      if (star !== undefined) return star;
      const { constant, told, ...column } = walk.value(target.val, scope);
      const name = target.name ?? column.name;
      if (as(target.val, 'ColumnRef') !== undefined) return shapeOf([{ ...column, name, constant, told }]);
      return shapeOf([{ ...column, name, constant: constantOf(target.val) }]);
    }),
  );
}

/** More branches than anybody wrote would take too long. */
const maxBranches = 32;

function withBranches(shape: Shape, branches: readonly Shape[]): Shape {
  if (branches.length < 2 || branches.length > maxBranches) return shape;
  return { ...shape, branches: branches.map((one) => titled(one, shape)) };
}

/** Names are those of the whole. */
function titled(branch: Shape, { columns }: Shape): Shape {
  const own = branch.columns?.map((column, at): Column => ({ ...column, name: columns?.[at]?.name }));
  return { columns: own, all: branch.all };
}

/** The rows of a query that reads nothing but a UNION are of its branches still. Windows look at rows of others. */
function targetBranches(select: SelectStmt, walk: LineageWalk, scope: LineageScope): readonly Shape[] {
  const { fromClause = [], targetList = [] } = select;
  const [part] = scope.parts;
  if (fromClause.length !== 1 || scope.parts.length !== 1 || part === undefined || targetList.some(hasWindow))
    return [];
  return (part.branches ?? []).map((branch) => {
    const inner = scope.copy();
    inner.replace(part, branch);
    return targetShape(targetList, walk, inner);
  });
}

function hasWindow(tree: unknown): boolean {
  if (typeof tree !== 'object' || tree === null) return false;
  for (const key in tree) {
    if (key === 'over') return true;
    // an integer holds no windows, and integer-blind.ts wants to know who reads it
    if (key !== 'ival' && hasWindow((tree as Record<string, unknown>)[key])) return true;
  }
  return false;
}

/** A text, also as the server prints it in a view. */
function constantOf(node: Node): string | undefined {
  const cast = as(node, 'TypeCast');
  const type = cast?.typeName;
  const isText = names(type?.names).at(-1) === 'text' && type?.arrayBounds === undefined;
  if (cast !== undefined) return isText ? stringConstant(cast.arg) : undefined;
  return stringConstant(node);
}

/** `*`, `t.*`, `(value).*`; undefined when it is something else. */
function starShape(node: Node, walk: LineageWalk, scope: LineageScope): Shape | undefined {
  const fields = as(node, 'ColumnRef')?.fields;
  if (fields !== undefined && as(fields.at(-1), 'A_Star') !== undefined) {
    if (fields.length === 1) return concat(scope.parts);
    return scope.alias(names(fields).at(-1) ?? '') ?? walk.notUnderstood();
  }
  const indirection = as(node, 'A_Indirection');
  if (indirection === undefined || as(indirection.indirection?.at(-1), 'A_Star') === undefined) return undefined;
  const value = walk.value(indirection.arg, scope);
  const columns = indirection.indirection?.length === 1 ? fieldsOf(value) : undefined;
  return columns === undefined ? openShape(value.flow) : shapeOf(columns);
}
