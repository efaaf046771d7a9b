/** SELECT, VALUES, INSERT, UPDATE, DELETE and MERGE: which rows of which relations they read and change. */
import type { LockingClause, RangeVar, ResTarget, SelectStmt, WithClause } from 'libpg-query';
import { howMany } from '../conditions/how-many.js';
import { conflictingRows } from '../conditions/named-rows.js';
import { parametersDecide, restricts } from '../conditions/restriction.js';
import { rowsSelected } from '../conditions/rows-selected.js';
import { relationTarget, Scope, type Source, withColumns } from '../conditions/scope.js';
import { coversRelation, fromItems, limitsRows } from '../conditions/select-shape.js';
import { operatorOf } from '../conditions/trivial-comparison.js';
import type { Target } from '../facts.js';
import { as, type Node, names, type Returning, returningOf, stringConstant } from '../grammar/tree.js';
import type { LockMode } from '../lock-modes.js';
import type { EffectDetails } from './effect-list.js';
import type { Handlers, Walk } from './effect-walk.js';

export const queryHandlers: Handlers = {
  SelectStmt: select,

  InsertStmt(insert, walk, outer) {
    walk.command ||= 'INSERT';
    const scope = withQueries(insert.withClause, walk, outer);
    const columns = assigned(insert.cols);
    walk.add('insert', { targets: [written(insert.relation, columns.length > 0 ? columns : undefined)] });
    walk.visit(insert.selectStmt, scope);

    const target = writtenSource(insert.relation, scope);
    scope.addSource('excluded');
    const conflict = insert.onConflictClause;
    if (conflict?.action === 'ONCONFLICT_UPDATE') {
      // Only rows that collide with a new one are changed: as many as there are new ones.
      const many = insert.selectStmt !== undefined && coversAny(insert.selectStmt, scope, walk);
      const conditions = present(conflict.whereClause);
      walk.add('update', {
        targets: [written(insert.relation, assigned(conflict.targetList))],
        bounded: !many || restricts(target, scope, conditions, walk.budget),
        ...(insert.selectStmt === undefined ? { mostRows: 1 } : rowsSelected(insert.selectStmt, scope, walk.budget)),
        namedRows: conflictingRows(insert, scope),
        detail: 'on conflict',
      });
    }
    walk.visitBelow(conflict, scope);
    walk.visitAll(returningOf(insert as Returning), scope);
    addRead(walk, target, true);
  },

  UpdateStmt(update, walk, outer) {
    walk.command ||= 'UPDATE';
    const scope = withQueries(update.withClause, walk, outer);
    const target = writtenSource(update.relation, scope);
    const conditions = [...from(update.fromClause, walk, scope), ...present(update.whereClause)];
    const targets = [written(update.relation, assigned(update.targetList))];
    const rows = hits(target, scope, conditions, walk);
    const open = rows.openCondition && parametersDecide(target, scope, conditions, walk.budget);
    walk.add('update', { targets, ...rows, ...(open ? { parametersDecide: true } : {}) });
    walk.visitAll(update.targetList, scope);
    walk.visit(update.whereClause, scope);
    walk.visitAll(returningOf(update as Returning), scope);
    addReads(walk, scope, conditions, false);
  },

  DeleteStmt(remove, walk, outer) {
    walk.command ||= 'DELETE';
    const scope = withQueries(remove.withClause, walk, outer);
    const target = writtenSource(remove.relation, scope);
    const conditions = [...from(remove.usingClause, walk, scope), ...present(remove.whereClause)];
    walk.add('delete', { targets: [written(remove.relation)], ...hits(target, scope, conditions, walk) });
    walk.visit(remove.whereClause, scope);
    walk.visitAll(returningOf(remove as Returning), scope);
    addReads(walk, scope, conditions, false);
  },

  MergeStmt(merge, walk, outer) {
    walk.command ||= 'MERGE';
    const scope = withQueries(merge.withClause, walk, outer);
    const target = writtenSource(merge.relation, scope);
    const join = [...from(present(merge.sourceRelation), walk, scope), ...present(merge.joinCondition)];
    walk.visit(merge.joinCondition, scope);

    for (const node of merge.mergeWhenClauses ?? []) {
      const action = as(node, 'MergeWhenClause');
      // PostgreSQL 16 says `matched: true`, 18 has a kind; NOT MATCHED BY SOURCE rows are not restricted by the join.
      const matched = action?.matchKind === 'MERGE_WHEN_MATCHED' || (action as { matched?: boolean })?.matched === true;
      const conditions = [...(matched ? join : []), ...present(action?.condition)];
      const bySource = action?.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE';
      const hit = { ...hits(target, scope, conditions, walk), ...(bySource ? { unmatched: true as const } : {}) };
      const columns = assigned(action?.targetList);
      if (action?.commandType === 'CMD_UPDATE') {
        walk.add('update', { targets: [written(merge.relation, columns)], ...hit });
      } else if (action?.commandType === 'CMD_DELETE') {
        walk.add('delete', { targets: [written(merge.relation)], ...hit });
      } else if (action?.commandType === 'CMD_INSERT') {
        walk.add('insert', { targets: [written(merge.relation, columns.length > 0 ? columns : undefined)] });
      }
      walk.visitBelow(action, scope);
    }
    walk.visitAll(returningOf(merge as Returning), scope);
    addReads(walk, scope, join, false);
  },

  CommonTableExpr(cte, walk, scope) {
    walk.visit(cte.ctequery, scope);
    walk.visitBelow([cte.search_clause, cte.cycle_clause], scope);
  },

  ParamRef(parameter, walk) {
    walk.parameters = Math.max(walk.parameters, parameter.number ?? 0);
  },

  // A subselect in FROM, in an expression, or under LATERAL: a level of its own.
  RangeSubselect: (item, walk, scope) => walk.visit(item.subquery, scope),
};

function select(statement: SelectStmt, walk: Walk, outer: Scope): void {
  walk.command ||= statement.intoClause === undefined ? 'SELECT' : 'SELECT INTO';
  const scope = withQueries(statement.withClause, walk, outer);
  if (statement.intoClause?.rel !== undefined) addCreatedTable(walk, statement.intoClause.rel);
  for (const arm of [statement.larg, statement.rarg]) if (arm !== undefined) select(arm, walk, scope);

  const conditions = [...from(statement.fromClause, walk, scope), ...present(statement.whereClause)];
  const { withClause: _w, fromClause: _f, intoClause: _i, larg: _l, rarg: _r, lockingClause, ...rest } = statement;
  const { targetList, ...others } = rest;
  walk.visitBelow(others, scope);
  // Output columns are computed for the rows that the condition let through.
  fixColumns(statement.whereClause, scope);
  walk.visitAll(targetList, scope);
  scope.unfix();
  const limited = limitsRows(statement);
  for (const clause of lockingClause ?? []) lockRows(as(clause, 'LockingClause'), walk, scope, conditions, limited);
  addReads(walk, scope, conditions, limited);
}

/** `SELECT * FROM staging`: every row of some relation. */
function coversAny(query: Node, scope: Scope, { budget }: Walk): boolean {
  return coversRelation(query, undefined, scope, {
    budget,
    restricts: (source, inner, conditions) => restricts(source, inner, conditions, budget),
  });
}

function fixColumns(condition: Node | undefined, scope: Scope): void {
  const comparison = as(condition, 'A_Expr');
  const column = names(as(comparison?.lexpr, 'ColumnRef')?.fields);
  const value = stringConstant(comparison?.rexpr);
  if (comparison?.kind !== 'AEXPR_OP' || operatorOf(comparison) !== '=') return;
  if (column.length === 1 && value !== undefined) scope.fix(column[0] ?? '', value);
}

/** A new level in which the WITH queries are known. Each sees those before it; under RECURSIVE it sees all. */
function withQueries(clause: WithClause | undefined, walk: Walk, outer: Scope): Scope {
  // A level of their own: the FROM items that this statement gets later are not visible in there.
  const known = new Scope(outer);
  const queries = (clause?.ctes ?? []).flatMap((node) => as(node, 'CommonTableExpr') ?? []);
  if (clause?.recursive === true) for (const query of queries) known.addCte(query);
  for (const query of queries) {
    walk.visit({ CommonTableExpr: query }, known);
    known.addCte(query);
  }
  return new Scope(known);
}

/** Adds the FROM items, visits what is inside them, returns the conditions of their joins. */
function from(items: readonly Node[] | undefined, walk: Walk, scope: Scope): Node[] {
  const list = items ?? [];
  const conditions = fromItems(list, scope);
  for (const item of list) visitFromItem(item, walk, scope);
  return conditions;
}

function visitFromItem(item: Node, walk: Walk, scope: Scope): void {
  const join = as(item, 'JoinExpr');
  if (join !== undefined) {
    for (const side of present(join.larg, join.rarg)) visitFromItem(side, walk, scope);
    for (const column of names(join.usingClause)) scope.touch([{ String: { sval: column } }]);
    if (join.isNatural === true) for (const source of scope.sources) source.allColumns = true;
    walk.visit(join.quals, scope);
  } else if (as(item, 'RangeVar') === undefined) {
    walk.visit(item, scope);
  }
}

function lockRows(
  clause: LockingClause | undefined,
  walk: Walk,
  scope: Scope,
  conditions: readonly Node[],
  limited: boolean,
): void {
  const named = (clause?.lockedRels ?? []).map((relation) => as(relation, 'RangeVar')?.relname);
  const lockMode = lockStrength[clause?.strength ?? ''] ?? 'FOR UPDATE';
  for (const source of scope.sources) {
    if (named.length > 0 && !named.includes(source.alias)) continue;
    const bounded = limited || restricts(source, scope, conditions, walk.budget);
    if (source.relation !== undefined) {
      walk.add('lock', { targets: [source.relation], bounded, lockMode, detail: lockMode });
    }
  }
}

const lockStrength: Readonly<Record<string, LockMode>> = {
  LCS_FORKEYSHARE: 'FOR KEY SHARE',
  LCS_FORSHARE: 'FOR SHARE',
  LCS_FORNOKEYUPDATE: 'FOR NO KEY UPDATE',
};

function addReads(walk: Walk, scope: Scope, conditions: readonly Node[], limited: boolean): void {
  for (const source of scope.sources)
    addRead(walk, source, limited || restricts(source, scope, conditions, walk.budget));
}

function addRead(walk: Walk, source: Source, bounded: boolean): void {
  // The target of an UPDATE is read only where a column of it is looked at.
  if (source.written && source.columns.size === 0 && !source.allColumns) return;
  const target = withColumns(source);
  if (target !== undefined) walk.add('read', { targets: [target], bounded });
}

/** Whether conditions restrict the rows that are written, and to how many. */
function hits(target: Source, scope: Scope, conditions: readonly Node[], walk: Walk): EffectDetails {
  const bounded = restricts(target, scope, conditions, walk.budget);
  if (bounded) return { bounded, ...howMany(target, scope, conditions, walk.budget) };
  return conditions.length > 0 ? { bounded, openCondition: true } : { bounded };
}

function writtenSource(relation: RangeVar | undefined, scope: Scope): Source {
  const name = relation?.alias?.aliasname ?? relation?.relname ?? '';
  return scope.addSource(name, {
    ...(relation === undefined ? {} : { relation: relationTarget(relation) }),
    written: true,
  });
}

function written(relation: RangeVar | undefined, columns?: readonly string[]): Target | undefined {
  if (relation === undefined) return undefined;
  const target = relationTarget(relation);
  return columns === undefined ? target : { ...target, columns };
}

/** The column names of `SET a = ...` and of INSERT's column list. */
function assigned(targets: readonly Node[] | undefined): string[] {
  return (targets ?? []).flatMap((node) => (as(node, 'ResTarget') as ResTarget | undefined)?.name ?? []);
}

function present(...nodes: (Node | undefined)[]): Node[] {
  return nodes.filter((node) => node !== undefined);
}

/** CREATE TABLE AS and SELECT INTO. */
export function addCreatedTable(walk: Walk, relation: RangeVar, detail?: string): void {
  const temporary = relation.relpersistence === 't';
  const words = [temporary ? 'temporary' : undefined, detail].filter((word) => word !== undefined);
  walk.add('create', {
    targets: [relationTarget(relation)],
    ...(temporary ? { temporary: true } : {}),
    ...(words.length > 0 ? { detail: words.join(', ') } : {}),
  });
}
