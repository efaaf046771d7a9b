/** Function calls: what PostgreSQL's own do, what the catalog knows of the rest, and what nobody knows. */
import type { FuncCall } from 'libpg-query';
import { type FunctionBehaviour, isCalmInternal } from '../catalog/builtin-functions.js';
import type { CatalogFunction } from '../catalog/catalog-functions.js';
import { rowLimit } from '../conditions/limited-rows.js';
import { rowList, sum } from '../conditions/row-list.js';
import type { Scope } from '../conditions/scope.js';
import { simplify } from '../conditions/simplify.js';
import type { Effect, Target } from '../facts.js';
import { as, constant, type Node, names } from '../grammar/tree.js';
import type { Given, Handlers, Walk } from './effect-walk.js';
import { plpgsqlBody } from './plpgsql.js';
import { parseQualifiedName } from './qualified-name.js';
import { decides } from './settings.js';

export const functionHandlers: Handlers = {
  FuncCall(call, walk, scope) {
    callFunction(call, walk, scope);
    const { funcname: _, ...rest } = call;
    walk.visitBelow(rest, scope);
  },

  A_Expr(expression, walk, scope) {
    callOperator(expression.name, walk);
    walk.visit(expression.lexpr, scope);
    walk.visit(expression.rexpr, scope);
  },
  SubLink(link, walk, scope) {
    callOperator(link.operName, walk);
    walk.visit(link.testexpr, scope);
    walk.visit(link.subselect, scope);
  },
  SortBy(sort, walk, scope) {
    callOperator(sort.useOp, walk);
    walk.visit(sort.node, scope);
  },

  TypeCast(cast, walk, scope) {
    const path = names(cast.typeName?.names);
    for (const one of walk.knowledge.catalog?.behind('cast', path.at(-2), path.at(-1) ?? '') ?? [])
      addUserFunction(one.schema, one.name, walk);
    walk.visitBelow(cast, scope);
  },

  // `t.f` and `(t).f` call f(t) where t has no column f.
  ColumnRef(column, walk, scope) {
    const fields = column.fields ?? [];
    scope.touch(fields);
    if (fields.length > 1) callOnRow(fields, walk);
  },
  A_Indirection(indirection, walk, scope) {
    callOnRow(indirection.indirection ?? [], walk);
    walk.visitBelow(indirection, scope);
  },
};

function callOnRow(fields: readonly Node[], walk: Walk): void {
  const name = names(fields).at(-1);
  if (name !== undefined && walk.knowledge.catalog?.takesRow(name)) addUserFunction(undefined, name, walk);
}

/** Operators of pgvector, pg_trgm, hstore, ltree, PostGIS ..., which are often written with their schema. */
const extensionOperator =
  /^(<->|<=>|<#>|<\+>|<~>|<%>|%|%>|<%|<<%|%>>|<->>|<<->|@>|<@|&&|\?|\?&|\?\||\|\||->|->>|@@|~~?\*?|!~~?\*?)$/;

/** Schemas that extensions are commonly put into. */
const extensionSchemas: ReadonlySet<string> = new Set(
  'public extensions extension ext heroku_ext postgis vector hstore ltree pg_trgm citext pgvector intarray cube'.split(
    ' ',
  ),
);

/** `a OPERATOR(app.+) b` calls whatever function somebody put behind it, and so may `a + b`. */
function callOperator(name: readonly Node[] | undefined, walk: Walk): void {
  if (name === undefined) return;
  const path = names(name);
  const symbol = path.at(-1) ?? '';
  const schema = path.at(-2);
  if (schema === 'pg_catalog') return;
  const functions = walk.knowledge.catalog?.behind('operator', schema, symbol) ?? [];
  for (const one of functions) addUserFunction(one.schema, one.name, walk);
  if (functions.length > 0 || schema === undefined) return;
  if (extensionOperator.test(symbol) && extensionSchemas.has(schema)) return;
  walk.functions.add(`${schema}.${symbol}`);
  walk.add('function-call', { targets: [{ type: 'function', schema, name: symbol }], opaque: true });
}

function callFunction(call: FuncCall, walk: Walk, scope: Scope): void {
  const path = names(call.funcname);
  const name = path.at(-1) ?? '';
  const schema = path.length > 1 ? path.at(-2) : undefined;
  walk.functions.add(schema === undefined ? name : `${schema}.${name}`);

  const behaviour = walk.knowledge.builtIns.find(schema, name);
  if (behaviour !== undefined) addBuiltIn(behaviour, schema, name, call, walk, scope);
  // Somebody's own overload of PostgreSQL's name may fit the arguments better, or come first in the search_path.
  const own = !systemSchemas.has(schema ?? '') && walk.knowledge.catalog?.hasOwn(schema, name) === true;
  if (behaviour !== undefined && !own) return;
  const made = schema === 'pg_temp' && (call.args ?? []).length === 0 ? walk.madeBefore?.get(name) : undefined;
  if (made !== undefined && walk.mode === 'run') {
    if (scope.hasRows) walk.repeating(() => walk.absorb(made));
    else walk.absorb(made);
    return;
  }
  // once for each row
  if (scope.hasRows) walk.repeating(() => addUserFunction(schema, name, walk));
  else addUserFunction(schema, name, walk, { call, scope });
}

const systemSchemas: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema']);

function addBuiltIn(
  behaviour: FunctionBehaviour,
  schema: string | undefined,
  name: string,
  call: FuncCall,
  walk: Walk,
  scope: Scope,
): void {
  if (behaviour.effect === 'none') return;
  if (name === 'set_config') {
    addSetConfig(call, walk, scope);
    return;
  }
  const self: Target = functionTarget(schema, name);
  const detail = behaviour.detail;

  if (behaviour.sqlArgument !== undefined) {
    // ts_rewrite(query, target, substitute) has no SQL in it, ts_rewrite(query, sql) has.
    if (name === 'ts_rewrite' && call.args?.length === 3) return;
    const sql = argument(call, behaviour.sqlArgument);
    const understood = typeof sql === 'string' && walk.mode !== 'plan' && walk.text(sql);
    if (understood && behaviour.ownRows) {
      // crosstab(sql, sql) has a second one; the number in its place is of old
      const more = (call.args?.length ?? 0) < 2 ? 0 : argument(call, 1);
      if (typeof more === 'number' || (typeof more === 'string' && walk.text(more))) return;
    }
    walk.add('execute-code', { targets: [self], opaque: !understood, detail });
    return;
  }
  const { at, type } = behaviour.argument ?? {};
  const value = at === undefined ? undefined : argument(call, at);
  const named = typeof value === 'string' && type !== undefined ? argumentTarget(type, value) : undefined;
  const hidden = at !== undefined && (call.args?.length ?? 0) > at && named === undefined;
  // A sequence or a file whose name is computed is still only a sequence or a file; a table may be any table.
  const opaque = behaviour.opaque === true || (hidden && (type === 'table' || type === 'schema'));
  walk.add(behaviour.effect, {
    targets: [named ?? self],
    bounded: behaviour.effect !== 'read',
    opaque,
    detail,
    ...behaviour.fields,
  });
}

function addSetConfig(call: FuncCall, walk: Walk, scope: Scope): void {
  // pg_dump: SELECT set_config(name, ...) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'.
  const name = argument(call, 0) ?? scope.fixedValue(call.args?.[0]);
  const value = argument(call, 1);
  // Whoever computes the name of a setting hides it from the reader.
  const opaque = typeof name !== 'string';
  walk.add('session', {
    targets: [{ type: 'setting', name: typeof name === 'string' ? name.toLowerCase() : '?' }],
    opaque,
    ...(typeof value === 'string' || typeof value === 'number' ? { value: String(value), detail: String(value) } : {}),
    ...(value === undefined && !opaque ? { valueUnknown: true as const, ...parameterOf(call.args?.[1]) } : {}),
    ...(typeof name === 'string' ? decides(name.toLowerCase(), walk) : {}),
  });
}

/** A cast may change what a parameter says. */
function parameterOf(node: Node | undefined): { readonly valueParameter?: number } {
  const number = as(node, 'ParamRef')?.number;
  return number === undefined ? {} : { valueParameter: number };
}

function argument(call: FuncCall, at: number): ReturnType<typeof constant> {
  const node = call.args?.[at];
  return node === undefined ? undefined : constant(simplify(node));
}

function argumentTarget(type: Target['type'], text: string): Target {
  if (type !== 'table' && type !== 'sequence' && type !== 'index') return { type, name: text };
  return { type, ...parseQualifiedName(text) };
}

export function functionTarget(schema: string | undefined, name: string): Target {
  return schema === undefined ? { type: 'function', name } : { type: 'function', schema, name };
}

export interface Called {
  readonly call: FuncCall;
  readonly scope: Scope;
  readonly procedure?: boolean;
}

/** A function that is not PostgreSQL's own: by its body where the catalog has it, else opaque. */
export function addUserFunction(schema: string | undefined, name: string, walk: Walk, called?: Called): void {
  // A body that was read to its end has said all by its own effects.
  if (followFunction(schema, name, walk, undefined, called)) return;
  const effect = called?.procedure ? 'execute-code' : 'function-call';
  walk.add(effect, { targets: [functionTarget(schema, name)], opaque: true });
}

/** Adds the effects of every overload, those that `keep` wants. False when one of them cannot be read. */
export function followFunction(
  schema: string | undefined,
  name: string,
  walk: Walk,
  keep?: (effect: Effect) => boolean,
  called?: Called,
): boolean {
  const overloads = walk.knowledge.catalog?.find(schema, name);
  if (overloads === undefined || overloads.length === 0) return false;
  let understood = true;
  for (const [index, one] of overloads.entries()) {
    if (one.extension !== undefined && one.volatility !== 'volatile') continue;
    // The planner runs nothing that is declared volatile.
    if (walk.mode === 'plan' && one.volatility === 'volatile') continue;
    const key = `function ${one.schema}.${name} ${schema === undefined} ${index}`;
    if (!walk.body(key, 'run', (inner) => readBody(one, name, inner), keep, called && givenBy(called, one)))
      understood = false;
  }
  return understood;
}

/** Which arguments of the call the parameters of the body are. */
function givenBy({ call, scope }: Called, { inputs, body }: CatalogFunction): Given {
  const isVariable = (name: string): boolean => scope.isVariable(name);
  const given = (name: string, at: number): Node | undefined => {
    const args = call.args ?? [];
    if (call.func_variadic === true || (name !== '' && mayBeAssigned(name, body))) return undefined;
    const named = args.map((arg) => as(arg, 'NamedArgExpr'));
    return (
      named.find((one) => name !== '' && one?.name === name)?.arg ?? (named[at] === undefined ? args[at] : undefined)
    );
  };
  const argumentOf = (variable: string): Node | undefined => given(variable, inputs.indexOf(variable));
  const argumentOfNumber = (number: number): Node | undefined => given(inputs[number - 1] ?? '', number - 1);
  return {
    list: ({ written, parameters, variables }) => {
      const lists = [...variables.map(argumentOf), ...parameters.map(argumentOfNumber)];
      return sum([{ written, parameters: [], variables: [] }, ...lists.map((node) => rowList(node, isVariable))]);
    },
    limit: (limit) => {
      if ('rows' in limit) return limit;
      return rowLimit('variable' in limit ? argumentOf(limit.variable) : argumentOfNumber(limit.parameter), isVariable);
    },
  };
}

/** Something in a PL/pgSQL body may give the parameter another value, or another variable its name. */
function mayBeAssigned(parameter: string, body: string): boolean {
  const text = body.replace(/--.*|\/\*[\s\S]*?\*\//g, ' ');
  const name = `\\b${parameter.replace(/[^a-z0-9_]/gi, '\\$&')}\\b`;
  const assigned = `${name}"?\\s*(:=|=|\\[)|((?<!insert\\s+)\\binto|\\bcall)\\b[^;]*${name}`;
  const declared = `\\bfor(each)?\\s[^;]*?${name}[^;]*?\\sin\\s|\\b(declare\\s|;)\\s*"?${name}`;
  return new RegExp(`${assigned}|${declared}`, 'i').test(text);
}

/** Over when the function is: of all settings those count by which rows, roles and triggers let something through. */
function addWhileItRuns(setting: string, walk: Walk): void {
  const at = setting.indexOf('=');
  const name = setting.slice(0, at).toLowerCase();
  const decisive = decides(name, walk);
  if (!decisive.decides && !protecting.has(name)) return;
  const value = setting.slice(at + 1);
  walk.add('session', { targets: [{ type: 'setting', name }], value, detail: value, ...decisive });
}

const protecting: ReadonlySet<string> = new Set(['role', 'session_replication_role']);

function readBody(one: CatalogFunction, name: string, walk: Walk): boolean {
  walk.variables = new Set([...one.parameters, name]);
  for (const setting of one.settings) addWhileItRuns(setting, walk);
  const defaults = one.defaults === '' || walk.text(`SELECT ${one.defaults}`);
  if (one.language === 'sql') return walk.text(one.body) && defaults;
  if (one.language === 'plpgsql') return plpgsqlBody(one.definition, walk) && defaults;
  if (one.language === 'internal') return isCalmInternal(one.body, walk.knowledge.builtIns) && defaults;
  return false;
}
