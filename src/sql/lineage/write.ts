/** INSERT, UPDATE, DELETE and MERGE for lineage: what RETURNING gives back, and which values go where. */
import type { InsertStmt, MergeStmt, RangeVar, UpdateStmt } from 'libpg-query';
import { as, type Node, names, type Returning, returningOf } from '../grammar/tree.js';
import { stored } from './calls.js';
import { baseColumn, type CatalogRelation, type Flow } from './catalog.js';
import { union } from './flow.js';
import { laterColumn } from './name-doubts.js';
import { LineageScope } from './scope.js';
import { type Column, emptyShape, openShape, type Shape, type Sink, shapeOf, unknownShape } from './shape.js';
import { rowOf, type Value } from './structure.js';
import type { LineageWalk } from './walk.js';

/** The rows of RETURNING, or of a rule; undefined for a statement of another kind. */
export function writeShape(node: Node, walk: LineageWalk, outer: LineageScope | undefined): Shape | undefined {
  const shape = ownShape(node, walk, outer);
  if (shape === undefined || !walk.rules) return shape;
  walk.opaque = true;
  return unknownShape;
}

function ownShape(node: Node, walk: LineageWalk, outer: LineageScope | undefined): Shape | undefined {
  const scope = new LineageScope(outer);
  const insert = as(node, 'InsertStmt');
  if (insert !== undefined) return insertShape(insert, walk, scope);
  const update = as(node, 'UpdateStmt');
  if (update !== undefined) return updateShape(update, walk, scope);
  const remove = as(node, 'DeleteStmt');
  if (remove !== undefined) {
    walk.with(remove.withClause, scope);
    addTarget(remove.relation, walk, scope);
    for (const item of remove.usingClause ?? []) scope.add(walk.fromItem(item, scope));
    walk.infer(walk.flow(remove.whereClause, scope));
    return returning(remove, walk, scope);
  }
  const merge = as(node, 'MergeStmt');
  return merge === undefined ? undefined : mergeShape(merge, walk, scope);
}

function insertShape(insert: InsertStmt, walk: LineageWalk, scope: LineageScope): Shape {
  walk.with(insert.withClause, scope);
  const source = insert.selectStmt ? walk.query(insert.selectStmt, scope.withoutParts()) : emptyShape;
  const { relation, shape } = addTarget(insert.relation, walk, scope);
  const listed = (insert.cols ?? []).map((node) => as(node, 'ResTarget')?.name ?? '');
  const columns = listed.length > 0 ? listed : (relation?.columns ?? []).map((column) => column.name);
  if (source.columns === undefined || source.columns.length > columns.length) {
    sinkAnywhere(source.all, relation, walk);
  } else {
    source.columns.forEach((column, at) => {
      walk.sinks.push(sinkOf(column, keyOf(relation, columns[at]), walk));
    });
    const defaults = defaultPlaces(insert.selectStmt);
    const written = new Map(
      source.columns.flatMap((column, at) =>
        defaults.has(at) ? [] : [[columns[at] ?? '', stored(column.flow, walk)] as const],
      ),
    );
    const updates = insert.onConflictClause?.action === 'ONCONFLICT_UPDATE';
    if (!updates) scope.replace(shape, afterWrite(shape, relation, 'insert', written, walk));
  }
  const conflict = insert.onConflictClause;
  if (conflict !== undefined) {
    scope.addHidden('excluded', shape);
    assignments(conflict.targetList, relation, walk, scope);
    walk.infer(walk.flow(conflict.whereClause, scope));
  }
  return returning(insert, walk, scope, shape);
}

function sinkOf(value: Value, into: string | undefined, walk: LineageWalk): Sink {
  const flow = stored(value.flow, walk);
  return flow === value.flow ? { flow, into, value } : { flow, into };
}

/** Into which columns is not known. */
function sinkAnywhere(flow: Flow, relation: CatalogRelation | undefined, walk: LineageWalk): void {
  if (relation === undefined) walk.sinks.push({ flow, into: undefined });
  for (const { name } of relation?.columns ?? []) walk.sinks.push({ flow, into: keyOf(relation, name) });
}

function updateShape(update: UpdateStmt, walk: LineageWalk, scope: LineageScope): Shape {
  walk.with(update.withClause, scope);
  const { relation, shape } = addTarget(update.relation, walk, scope);
  for (const item of update.fromClause ?? []) scope.add(walk.fromItem(item, scope));
  const written = assignments(update.targetList, relation, walk, scope);
  walk.infer(walk.flow(update.whereClause, scope));
  scope.replace(shape, afterWrite(shape, relation, 'update', written, walk));
  return returning(update, walk, scope, shape);
}

function mergeShape(merge: MergeStmt, walk: LineageWalk, scope: LineageScope): Shape {
  walk.with(merge.withClause, scope);
  if (merge.sourceRelation) scope.add(walk.fromItem(merge.sourceRelation, scope));
  const { relation } = addTarget(merge.relation, walk, scope);
  walk.infer(walk.flow(merge.joinCondition, scope));
  for (const node of merge.mergeWhenClauses ?? []) {
    const when = as(node, 'MergeWhenClause');
    walk.infer(walk.flow(when?.condition, scope));
    assignments(when?.targetList, relation, walk, scope);
    const listed = (when?.targetList ?? []).map((target) => as(target, 'ResTarget')?.name);
    const columns = listed.length > 0 ? listed : (relation?.columns ?? []).map(({ name }) => name);
    for (const [at, value] of (when?.values ?? []).entries()) {
      const given = walk.value(value, scope);
      const isStar = as(as(value, 'ColumnRef')?.fields?.at(-1), 'A_Star') !== undefined;
      if (isStar || columns[at] === undefined) sinkAnywhere(stored(given.flow, walk), relation, walk);
      else walk.sinks.push(sinkOf(given, keyOf(relation, columns[at]), walk));
    }
  }
  // `*` gives the source's columns and the target's, in an order that versions do not promise.
  const rows = returning(merge, walk, scope);
  return rows === emptyShape ? rows : openShape(rows.all);
}

function addTarget(
  range: RangeVar | undefined,
  walk: LineageWalk,
  scope: LineageScope,
): { readonly relation: CatalogRelation | undefined; readonly shape: Shape } {
  const relation = range && walk.relation(range);
  const shape = walk.tableShape(range ?? {});
  walk.writes = true;
  const alias = range?.alias?.aliasname ?? range?.relname ?? '';
  scope.add({ parts: [shape], aliases: new Map([[alias, shape]]) });
  if (relation?.triggers) walk.triggers = true;
  if (relation?.rules) walk.rules = true;
  return { relation, shape };
}

function assignments(
  list: readonly Node[] | undefined,
  relation: CatalogRelation | undefined,
  walk: LineageWalk,
  scope: LineageScope,
): ReadonlyMap<string, Flow> {
  const written = new Map<string, Flow>();
  for (const node of list ?? []) {
    const target = as(node, 'ResTarget');
    const value = walk.value(target?.val, scope);
    const { flow } = sinkOf(value, undefined, walk);
    // a field or an element alone leaves the rest as it was; several columns at once share one source
    const whole = (target?.indirection?.length ?? 0) === 0 && as(target?.val, 'MultiAssignRef') === undefined;
    const into = keyOf(relation, target?.name);
    walk.sinks.push(whole ? sinkOf(value, into, walk) : { flow, into });
    const given = whole && as(target?.val, 'SetToDefault') === undefined;
    if (target?.name !== undefined && given) written.set(target.name, flow);
  }
  return written;
}

/** Where VALUES say DEFAULT: what that is, the client does not know. */
function defaultPlaces(source: Node | undefined): ReadonlySet<number> {
  const rows = as(source, 'SelectStmt')?.valuesLists ?? [];
  const places = rows.flatMap((row) =>
    (as(row, 'List')?.items ?? []).flatMap((item, at) => (as(item, 'SetToDefault') === undefined ? [] : [at])),
  );
  return new Set(places);
}

/** What RETURNING shows of a row: a value that the client gave itself is no secret of the table's. */
function afterWrite(
  shape: Shape,
  relation: CatalogRelation | undefined,
  event: 'insert' | 'update',
  written: ReadonlyMap<string, Flow>,
  walk: LineageWalk,
): Shape {
  const fires = relation?.rewritten?.has(event) ?? relation?.triggers;
  // the rows of a parent are its partitions', and so are their triggers
  const changes = relation?.rules || relation?.definition || relation?.children.length;
  if (relation === undefined || changes || shape.columns === undefined) return shape;
  const rewritten = fires ? walk.knowledge.rewritten(relation.oid) : new Set();
  if (rewritten === undefined) return shape;
  const own = shape.columns.map((column, at): Column => {
    const flow = written.get(column.name ?? '');
    const number = relation.columns[at]?.number ?? laterColumn;
    const isKept = number !== laterColumn && !rewritten.has(number);
    return isKept && flow?.size === 0 ? { name: column.name, flow, direct: false, written: true } : column;
  });
  return { ...shapeOf(own), whole: rowOf(own) };
}

function keyOf(relation: CatalogRelation | undefined, name: string | undefined): string | undefined {
  const column = relation?.columns.find((one) => one.name === name);
  return relation === undefined || column === undefined ? undefined : baseColumn(relation.oid, column.number);
}

/** @param before the target as it was, which `old` shows */
function returning(statement: Returning, walk: LineageWalk, scope: LineageScope, before = emptyShape): Shape {
  const list = returningOf(statement);
  if (list.length === 0) return emptyShape;
  const target = openShape(union([before.all, ...scope.parts.map((part) => part.all)]));
  const options = names(
    (statement.returningClause?.options ?? []).map((option) => ({
      String: { sval: (option as { ReturningOption?: { value?: string } }).ReturningOption?.value ?? '' },
    })),
  );
  for (const alias of ['old', 'new', ...options]) scope.addHidden(alias, target);
  return walk.targetList(list, scope);
}
