/** What stands in FROM, for lineage: tables, subqueries, functions, joins. */
import type { JoinExpr, RangeFunction, RangeVar } from 'libpg-query';
import { as, type Node, names } from '../grammar/tree.js';
import { isOwn } from './calls.js';
import { anyFlow, noFlow } from './catalog.js';
import { union } from './flow.js';
import { tableFunctions } from './functions.js';
import { entryOfEach, recordColumn } from './json-calls.js';
import { type FromItem, joinUsing, type LineageScope } from './scope.js';
import { type Column, concat, openShape, renamed, type Shape, shapeOf } from './shape.js';
import { fieldsOf, plain, rowOf, type Value } from './structure.js';
import { ownRows, tieBy, toldEntries } from './told-rows.js';
import type { LineageWalk } from './walk.js';

export function fromItem(node: Node, walk: LineageWalk, scope: LineageScope): FromItem {
  const range = as(node, 'RangeVar');
  if (range !== undefined) return named(range, walk, scope);
  const sub = as(node, 'RangeSubselect');
  if (sub !== undefined) {
    const shape = walk.query(sub.subquery, sub.lateral ? scope : scope.withoutParts());
    return item(sub.alias?.aliasname, record(renamed(shape, names(sub.alias?.colnames))));
  }
  const call = as(node, 'RangeFunction');
  if (call !== undefined) {
    const rows = functionItem(call, walk, scope);
    // how many rows there are says something too
    for (const part of rows.parts) walk.infer(part.all);
    return rows;
  }
  const join = as(node, 'JoinExpr');
  if (join !== undefined) return joinItem(join, walk, scope);
  const sample = as(node, 'RangeTableSample');
  if (sample?.relation !== undefined) {
    for (const part of [...(sample.args ?? []), sample.repeatable]) walk.infer(walk.flow(part, scope));
    return fromItem(sample.relation, walk, scope);
  }
  // XMLTABLE, JSON_TABLE: columns are made of the expressions in them.
  const table = as(node, 'RangeTableFunc') ?? (node as { JsonTable?: { alias?: { aliasname?: string } } }).JsonTable;
  return item(table?.alias?.aliasname, openShape(table === undefined ? anyFlow : walk.below(node, scope)));
}

function named(range: RangeVar, walk: LineageWalk, scope: LineageScope): FromItem {
  const cte = range.schemaname === undefined ? scope.cte(range.relname ?? '') : undefined;
  const listed = names(range.alias?.colnames);
  const alias = range.alias?.aliasname ?? range.relname;
  if (cte !== undefined) return item(alias, record(renamed(cte, listed)));
  const table = walk.tableShape(range);
  return item(alias, { ...renamed(table, listed), whole: table.whole });
}

/** A row of a query has the fields of its columns as they are named here. */
function record(shape: Shape): Shape {
  return { ...shape, whole: shape.columns && rowOf(shape.columns), branches: shape.branches?.map(record) };
}

function functionItem(range: RangeFunction, walk: LineageWalk, scope: LineageScope): FromItem {
  const first = as(range.functions?.[0], 'List')?.items?.[0];
  const call = as(first, 'FuncCall');
  const name = names(call?.funcname).at(-1) ?? '';
  const alias = range.alias?.aliasname ?? (name || undefined);
  const single = range.functions?.length === 1 && range.is_rowsfrom !== true;
  const listed = names(range.alias?.colnames);
  if (!single || first === undefined || call === undefined) {
    return item(alias, openShape(walk.below(range.functions, scope)));
  }
  const own = isOwn(call, walk);
  if (range.coldeflist !== undefined) {
    const [argument] = call.args ?? [];
    const record = own ? undefined : recordColumns(range.coldeflist, name, walk.value(argument, scope));
    return item(alias, record ?? openShape(walk.callShape(first, scope).all));
  }
  const rows = walk.callShape(first, scope);
  const value = rows.columns?.length === 1 ? rows.columns[0] : undefined;
  const fields = value && fieldsOf(value);
  const known = own || (name === 'unnest' && call.args?.length !== 1) ? undefined : tableFunctions.get(name);
  const columns = fields ?? known?.map(() => value ?? plain(rows.all)) ?? rows.columns;
  if (columns === undefined) return item(alias, openShape(rows.all));
  const [argument] = call.args ?? [];
  const entry = own || call.args?.length !== 1 ? undefined : entryOfEach(name);
  const told = entry ? toldEntries(columns.map(unnamed), walk.value(argument, scope), entry) : columns;
  const titled = told.map((column, at): Column => {
    const title = known?.length === columns.length ? (known[at] ?? alias) : columns.length === 1 ? alias : undefined;
    return { ...column, name: title ?? ('name' in column ? column.name : undefined) };
  });
  if (range.ordinality) titled.push({ name: 'ordinality', flow: noFlow, direct: false });
  // the alias of a function that gives one value is that value
  const row = listed.length === 0 && !range.ordinality ? rows.whole : undefined;
  const whole = fields === undefined && titled.length === 1 ? titled[0] : row;
  return item(alias, { ...renamed(shapeOf(titled), listed), whole });
}

const unnamed = (column: Value): Column => ({ name: undefined, ...column });

/** AS t(a int, b text) behind a function of JSON. */
function recordColumns(list: readonly Node[], name: string, value: Value): Shape | undefined {
  const columns = list.map((node): Column | undefined => {
    const column = as(node, 'ColumnDef')?.colname ?? '';
    const flow = recordColumn(name, value, column);
    return flow && { name: column, flow, direct: false };
  });
  return columns.every((column) => column !== undefined) ? shapeOf(columns) : undefined;
}

function joinItem(join: JoinExpr, walk: LineageWalk, scope: LineageScope): FromItem {
  // The right side may be LATERAL and see the left one.
  const left = join.larg ? walk.fromItem(join.larg, scope) : item(undefined, walk.notUnderstood());
  const inner = scope.copy();
  inner.add(left);
  const right = join.rarg ? walk.fromItem(join.rarg, inner) : item(undefined, walk.notUnderstood());
  inner.add(right);
  walk.infer(walk.flow(join.quals, inner));
  tieBy(join.quals, walk, inner, scope);
  const using = names(join.usingClause);
  const merges = join.isNatural === true || using.length > 0;
  const parts = merges
    ? [joinUsing(left.parts, right.parts, join.isNatural === true ? undefined : using, (...rows) => scope.tie(...rows))]
    : [...left.parts, ...right.parts];
  if (merges) for (const name of using) walk.infer(inner.column(name).flow);
  if (join.alias?.aliasname !== undefined) {
    return item(join.alias.aliasname, record(renamed(concat(parts), names(join.alias.colnames))));
  }
  const aliases = new Map([...left.aliases, ...right.aliases]);
  for (const [alias, shape] of left.aliases) {
    const other = right.aliases.get(alias);
    if (other !== undefined) aliases.set(alias, openShape(union([shape.all, other.all])));
  }
  const usingAlias = join.join_using_alias?.aliasname;
  if (usingAlias !== undefined) aliases.set(usingAlias, openShape(union(parts.map((part) => part.all))));
  return { parts, aliases };
}

function item(alias: string | undefined, given: Shape): FromItem {
  const shape = ownRows(given);
  return { parts: [shape], aliases: alias === undefined ? new Map() : new Map([[alias, shape]]) };
}
