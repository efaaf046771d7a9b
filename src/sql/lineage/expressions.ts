/** Expressions for lineage: what flows into a value, and what the value is made of. */
import type { A_Expr, A_Indirection, CaseExpr, RowExpr, SubLink, TypeCast } from 'libpg-query';
import { as, type Node, names, stringConstant, tagOf } from '../grammar/tree.js';
import { attribute, behind, casts, ownAttribute } from './calls.js';
import { anyColumn, anyFlow, type Flow, noFlow } from './catalog.js';
import { columnName } from './column-names.js';
import { either } from './either.js';
import { union } from './flow.js';
import { castJson, constantKey, jsonConstructor, jsonOperator } from './json-calls.js';
import { elementOf, opened, part } from './json-structure.js';
import { choosesOne, compares, measured } from './measured.js';
import { fieldOf, type LineageScope } from './scope.js';
import { type Column, concat, type Shape } from './shape.js';
import { arrayOf, arrayOfEach, fieldsOf, plain, rowOf, type Value, withBeside } from './structure.js';
import type { LineageWalk } from './walk.js';

/** One value as a column: named as PostgreSQL names it, where its rule is simple. */
export function columnOf(node: Node | undefined, walk: LineageWalk, scope: LineageScope): Column {
  const reference = as(node, 'ColumnRef');
  if (reference !== undefined) return columnReference(reference.fields ?? [], walk, scope);
  const link = as(node, 'SubLink');
  if (link?.subLinkType === 'EXPR_SUBLINK') {
    walk.visit();
    const rows = walk.query(link.subselect, scope);
    const single = rows.columns?.length === 1 ? rows.columns[0] : undefined;
    return single ?? { name: undefined, flow: rows.all, direct: false };
  }
  return { ...valueOfNode(node, walk, scope), name: columnName(node) };
}

function valueOfNode(node: Node | undefined, walk: LineageWalk, scope: LineageScope): Value {
  if (node === undefined) return plain(noFlow);
  walk.visit();
  const tag = tagOf(node);
  switch (tag) {
    case 'SelectStmt':
      return plain(walk.query(node, scope).all);
    case 'SubLink':
      return subLink(as(node, 'SubLink') ?? {}, walk, scope);
    case 'FuncCall': {
      const rows = walk.callShape(node, scope);
      const single = rows.columns?.length === 1 ? rows.columns[0] : undefined;
      if (single === undefined) return rows.whole ?? plain(rows.all);
      return choosesOne(as(node, 'FuncCall') ?? {}) ? single : { ...single, direct: false };
    }
    case 'ParamRef':
      return plain(walk.knowledge.parameters?.[(as(node, 'ParamRef')?.number ?? 0) - 1] ?? noFlow);
    case 'A_Expr':
      return operation(as(node, 'A_Expr') ?? {}, walk, scope);
    case 'TypeCast':
      return cast(as(node, 'TypeCast') ?? {}, walk, scope);
    case 'NullTest':
      walk.infer(walk.below(node, scope));
      return plain(noFlow);
    case 'A_Indirection':
      return selected(as(node, 'A_Indirection') ?? {}, walk, scope);
    case 'RowExpr':
      return row(as(node, 'RowExpr') ?? {}, walk, scope);
    case 'A_ArrayExpr':
      return arrayOf((as(node, 'A_ArrayExpr')?.elements ?? []).map((one) => walk.value(one, scope)));
    case 'CoalesceExpr': {
      const values = (as(node, 'CoalesceExpr')?.args ?? []).map((one) => walk.value(one, scope));
      return { ...anyOf(values), direct: false };
    }
    case 'CaseExpr':
      return caseOf(as(node, 'CaseExpr') ?? {}, walk, scope);
    default:
      return constructed(jsonConstructor(node, tag, walk, scope), walk) ?? plain(walk.below(node, scope));
  }
}

function constructed(value: Value | undefined, walk: LineageWalk): Value | undefined {
  const cast = value && union(casts(value.flow, walk, true) ?? [walk.unseen(value.flow)]);
  return cast === undefined || cast.size === 0 ? value : plain(union([value?.flow ?? noFlow, cast]));
}

function columnReference(fields: readonly Node[], walk: LineageWalk, scope: LineageScope): Column {
  const path = names(fields);
  const last = path.at(-1) ?? '';
  if (as(fields.at(-1), 'A_Star') !== undefined) {
    // `f(t.*)` is `f(t)`
    const shape = fields.length === 1 ? concat(scope.parts) : scope.alias(last);
    const row = shape ?? walk.notUnderstood();
    walk.examined = union([walk.examined, row.all]);
    return { ...(row.whole ?? plain(row.all)), direct: false, name: undefined };
  }
  const found = path.length === 1 ? scope.column(last) : qualified(path.at(-2) ?? '', last, walk, scope);
  if (found.flow.has(anyColumn)) walk.opaque = true;
  walk.examined = union([walk.examined, found.flow]);
  return found;
}

function qualified(alias: string, name: string, walk: LineageWalk, scope: LineageScope): Column {
  const row = scope.alias(alias);
  return row === undefined ? { name, flow: anyFlow, direct: false } : fieldOfRow(row, name, walk);
}

/** `row.name`, which may also be a call of a function of that name. */
function fieldOfRow(row: Shape, name: string, walk: LineageWalk): Column {
  const field = fieldOf(row, name);
  if (row.columns?.some((column) => column.name === name)) return field;
  const whole = row.whole ?? plain(row.all);
  if (!field.flow.has(anyColumn) || row.all.has(anyColumn)) {
    return { ...withBeside(field, ownAttribute(name, whole, walk)), name };
  }
  return { name, flow: attribute(name, whole, walk), direct: false };
}

/** `(value).name`, `value[1]`, `value['key']`, one step after the other. */
function selected({ arg, indirection = [] }: A_Indirection, walk: LineageWalk, scope: LineageScope): Value {
  const call = as(arg, 'FuncCall');
  const [first] = names(indirection);
  if (call !== undefined && arg !== undefined && indirection.length === 1 && first !== undefined) {
    const rows = walk.callShape(arg, scope);
    const column = rows.columns?.find((one) => one.name === first);
    if (column !== undefined && (rows.columns?.length ?? 0) > 1) return { ...column, direct: false };
  }
  return indirection.reduce<Value>((value, step) => stepInto(value, step, walk, scope), walk.value(arg, scope));
}

function stepInto(value: Value, step: Node, walk: LineageWalk, scope: LineageScope): Value {
  const indices = as(step, 'A_Indices');
  if (indices !== undefined) {
    const computed = union([walk.flow(indices.lidx, scope), walk.flow(indices.uidx, scope)]);
    if (indices.is_slice) return plain(union([value.flow, computed]));
    const key = constantKey(indices.uidx);
    const json = value.inside?.is === 'object' || value.inside?.is === 'list' || value.inside?.is === 'within';
    // only JSON has elements by name
    const named = stringConstant(indices.uidx) === undefined ? value : opened(value);
    return withBeside(json || named !== value ? part(named, key) : elementOf(value), computed);
  }
  const [name] = names([step]);
  if (name === undefined) return plain(value.flow);
  const fields = fieldsOf(value)?.filter((field) => field.name === name) ?? [];
  if (fields.length === 1 && fields[0] !== undefined) return fields[0];
  return plain(attribute(name, value, walk));
}

function subLink(link: SubLink, walk: LineageWalk, scope: LineageScope): Value {
  const rows = walk.query(link.subselect, scope);
  if (link.subLinkType === 'EXISTS_SUBLINK') {
    walk.infer(rows.all);
    return plain(noFlow);
  }
  const [column, ...more] = rows.columns ?? [];
  if (link.subLinkType === 'ARRAY_SUBLINK' && column !== undefined && more.length === 0) return arrayOfEach(column);
  return plain(union([rows.all, walk.flow(link.testexpr, scope)]));
}

function row({ args = [] }: RowExpr, walk: LineageWalk, scope: LineageScope): Value {
  const values: Value[] = [];
  for (const node of args) {
    const fields = as(node, 'ColumnRef')?.fields;
    if (fields === undefined || as(fields.at(-1), 'A_Star') === undefined) values.push(walk.value(node, scope));
    else {
      const shape = walk.targetList([{ ResTarget: { val: node } }], scope);
      if (shape.columns === undefined) return plain(union([...args.map((one) => walk.flow(one, scope))]));
      values.push(...shape.columns);
    }
  }
  return rowOf(values.map((value, at) => ({ ...value, name: `f${at + 1}` })));
}

/** The conditions say something of what they look at, whatever the result is. */
function caseOf({ arg, args = [], defresult }: CaseExpr, walk: LineageWalk, scope: LineageScope): Value {
  const conditions: Flow[] = [walk.flow(arg, scope)];
  const results: Value[] = [];
  for (const node of args) {
    const when = as(node, 'CaseWhen');
    conditions.push(walk.flow(when?.expr, scope));
    results.push(walk.value(when?.result, scope));
  }
  if (defresult !== undefined) results.push(walk.value(defresult, scope));
  return withBeside({ ...anyOf(results), direct: false }, union(conditions));
}

function cast({ arg, typeName }: TypeCast, walk: LineageWalk, scope: LineageScope): Value {
  const value = walk.value(arg, scope);
  const computed = union([value.flow, walk.below(typeName, scope)]);
  const own = ownCode(computed, 'cast', names(typeName?.names), walk);
  const json = own.code ? undefined : castJson(value, arg, typeName ?? {});
  return json ?? plain(union([computed, own.flow]));
}

function operation(expression: A_Expr, walk: LineageWalk, scope: LineageScope): Value {
  const path = names(expression.name);
  const sides = [expression.lexpr, expression.rexpr];
  const lists = sides.some((side) => as(side, 'List') !== undefined);
  const values = lists ? [plain(walk.below(expression, scope))] : sides.map((side) => walk.value(side, scope));
  const operands = union(values.map((value) => value.flow));
  const own = ownCode(operands, 'operator', path, walk);
  const [left, right] = values;
  if (!own.code && left !== undefined && right !== undefined && expression.kind === 'AEXPR_OP') {
    const json = jsonOperator(path, left, right, sides[1]);
    if (json !== undefined) return json;
  }
  if (!own.code && compares(expression)) return plain(measured(operands));
  return plain(union([operands, own.flow]));
}

/** What code of the application's own may make of the operands, and whether there is any. */
function ownCode(
  operands: Flow,
  kind: 'operator' | 'cast',
  path: readonly string[],
  walk: LineageWalk,
): { readonly flow: Flow; readonly code: boolean } {
  // PostgreSQL has its operators to itself, but a type of its own may be cast to by others
  const named =
    kind === 'operator' && path.at(-2) === 'pg_catalog' ? [] : behind(kind, path.at(-1) ?? '', operands, walk);
  const cast = casts(operands, walk);
  return {
    flow: union([...(named ?? [walk.unseen(operands)]), ...(cast ?? [walk.unseen(operands)])]),
    code: named === undefined || cast === undefined || named.length > 0 || cast.length > 0,
  };
}

function anyOf(values: readonly Value[]): Value {
  return values.reduce((before, value) => either(before, value), values[0] ?? plain(noFlow));
}
