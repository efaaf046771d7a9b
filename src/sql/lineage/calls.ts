/** Calls for lineage: of functions of PostgreSQL's own, of the application's, and of code that runs without a name. */
import type { FuncCall } from 'libpg-query';
import { as, type Node, names } from '../grammar/tree.js';
import { type CatalogCode, definedConstants, type Flow, missingCode, noFlow, type OwnCode } from './catalog.js';
import { definitionCall } from './definition-texts.js';
import { union, without } from './flow.js';
import type { ValueFlow } from './functions.js';
import { gathers, jsonCall } from './json-calls.js';
import { objectOf } from './json-structure.js';
import { choosesOne, isMeasure, measured } from './measured.js';
import { textRows } from './run-texts.js';
import type { LineageScope } from './scope.js';
import { openShape, type Shape, shapeOf } from './shape.js';
import { fieldsOf, plain, type Value, withBeside } from './structure.js';
import { gathered } from './told-rows.js';
import type { LineageWalk } from './walk.js';

export function callShape(node: Node, walk: LineageWalk, scope: LineageScope): Shape {
  const call = as(node, 'FuncCall');
  const path = names(call?.funcname);
  const name = path.at(-1) ?? '';
  const schema = path.length > 1 ? path.at(-2) : undefined;
  const values = (call?.args ?? []).map((one) => walk.value(one, scope));
  const given = values.map((value) => value.flow);
  const ordered = union((call?.agg_order ?? []).map((one) => walk.flow(one, scope)));
  // WITHIN GROUP (ORDER BY x) gives back an x; the order of rows in an aggregate only says something of what it looks at
  const carried = union(call?.agg_within_group ? [...given, ordered] : given);
  walk.infer(ordered);
  walk.configures ||= name === 'set_config';
  walk.infer(walk.flow(call?.agg_filter, scope));
  walk.infer(walk.below(call?.over, scope));
  const { catalog, searchPath, functions } = walk.knowledge;
  const own = schema === 'pg_catalog' ? [] : catalog.functions(schema, name, searchPath);
  const conduct = functions.of(schema, name);
  if (own === undefined) {
    if (conduct !== 'carries' && conduct !== 'hides') mayWrite(carried, walk);
    runBefore('function', name, carried, walk);
    return openShape(walk.unseen(carried));
  }
  const cast = casts(carried, walk, name.includes('json'));
  if (call !== undefined && conduct === 'gateway' && cast?.length === 0 && own.every((code) => code.extension)) {
    const rows = textRows(name, call, walk);
    if (rows !== undefined) return openShape(union([carried, rows]));
  }
  const isNamed = call?.func_variadic === true || call?.args?.some((one) => as(one, 'NamedArgExpr') !== undefined);
  const rows = own.map((code) => {
    if (code.extension && conduct !== 'missing') return openShape(builtIn(conduct, carried, walk));
    return isNamed
      ? walk.call(
          code,
          code.inputs.map(() => plain(carried)),
          true,
        )
      : walk.call(code, values);
  });
  const mayBeBuiltIn = schema === undefined || schema === 'pg_catalog' ? catalog.isBuiltIn(name) : false;
  if (mayBeBuiltIn && own.length === 0 && cast?.length === 0 && !isNamed && conduct === 'carries') {
    const [key] = values;
    const pairs = key && gathers(name) ? gathered(key, call?.args?.[1], walk, scope) : undefined;
    if (key && pairs) return shapeOf([{ ...objectOf(pairs, key.flow), name }]);
    const json = jsonCall(name, values, call?.args ?? []);
    if (json !== undefined) return shapeOf([{ ...json, name, direct: false }]);
    const text = definitionCall(name);
    if (text !== undefined) return shapeOf([{ ...withBeside(text, without(carried, definedConstants)), name }]);
    if (isMeasure(name)) return shapeOf([{ ...plain(measured(carried)), name }]);
    const [chosen, ...others] = values;
    if (call !== undefined && chosen !== undefined && choosesOne(call)) {
      return shapeOf([{ ...withBeside(chosen, union(others.map((value) => value.flow))), name }]);
    }
  }
  if (mayBeBuiltIn) rows.push(openShape(builtIn(conduct === 'missing' ? 'opaque' : conduct, carried, walk)));
  else if (own.length === 0) rows.push(openShape(builtIn(conduct, carried, walk)));
  const casted = union(cast ?? [walk.unseen(carried)]);
  const [only, ...more] = rows;
  if (only !== undefined && more.length === 0 && casted.size === 0) return only;
  return openShape(union([...rows.map((one) => one.all), casted]));
}

/** The application may have a function of that name, and the call may mean it. */
export function isOwn(call: FuncCall, walk: LineageWalk): boolean {
  const path = names(call.funcname);
  if (path.length > 1) return path.at(-2) !== 'pg_catalog';
  const { catalog, searchPath } = walk.knowledge;
  return catalog.functions(undefined, path.at(-1) ?? '', searchPath)?.length !== 0;
}

/** `name` of a value as a function of it. */
export function attribute(name: string, value: Value, walk: LineageWalk): Flow {
  const { catalog, searchPath, functions } = walk.knowledge;
  const own = ownFunctions(name, walk);
  if (own === undefined) return unknownAttribute(name, value, walk);
  const calls = own.map((code) => walk.call(code, [value]).all);
  if (catalog.isBuiltIn(name)) calls.push(builtIn(functions.of('pg_catalog', name), value.flow, walk));
  // a field of that name would be found by the form, so what is not known may be one
  const fields = fieldsOf(value);
  const isNoField = fields?.every((field) => field.name !== undefined && field.name !== name) === true;
  const isField = calls.length === 0 || !isNoField || searchPath === undefined;
  return union([isField ? value.flow : noFlow, ...calls]);
}

/** The same for functions of the application's own alone. */
export function ownAttribute(name: string, value: Value, walk: LineageWalk): Flow {
  const own = ownFunctions(name, walk);
  if (own === undefined) return unknownAttribute(name, value, walk);
  return union(own.map((code) => walk.call(code, [value]).all));
}

/** Those that can be called on one value. */
function ownFunctions(name: string, { knowledge }: LineageWalk): readonly CatalogCode[] | undefined {
  return knowledge.catalog.functions(undefined, name, knowledge.searchPath);
}

function unknownAttribute(name: string, value: Value, walk: LineageWalk): Flow {
  runBefore('function', name, value.flow, walk);
  return walk.unseen(value.flow);
}

function builtIn(conduct: ValueFlow, carried: Flow, walk: LineageWalk): Flow {
  if (conduct === 'hides') {
    walk.infer(carried);
    return noFlow;
  }
  if (conduct === 'carries') return carried;
  if (conduct === 'missing') return union([carried, new Set([missingCode])]);
  if (conduct !== 'opaque') mayWrite(carried, walk);
  if (conduct === 'exports') return carried;
  return walk.unseen(carried);
}

/**
 * Which code runs is not known any more. What it gives back is anybody's guess, but it writes no less for that: it is taken
 * for what was there when the catalog was read last. What was defined since is not run before it is committed.
 */
function runBefore(kind: 'function' | OwnCode, name: string, carried: Flow, walk: LineageWalk): void {
  const before = walk.knowledge.catalog.codeBefore(kind, name);
  if (before === undefined) mayWrite(carried, walk);
  for (const code of before ?? []) {
    if (code.extension) continue;
    const given = code.inputs.map(() => plain(carried));
    walk.call(code, given, true);
  }
}

function mayWrite(carried: Flow, walk: LineageWalk): void {
  if (carried.size > 0) walk.sinks.push({ flow: carried, into: undefined });
}

/**
 * What implicit casts of the application's own give, which may stand between any of the values and the code.
 * @param json of values JSON is made, by their casts to it
 */
export function casts(operands: Flow, walk: LineageWalk, json = false): readonly Flow[] | undefined {
  const anywhere = behind('anywhere', '', operands, walk);
  return json ? anywhere?.concat(behind('json', '', operands, walk) ?? []) : anywhere;
}

/**
 * With what casts of the application's own may make of a value where it is assigned. While it is not known which there
 * are, a value of a type that has some is not known either.
 */
export function stored(flow: Flow, walk: LineageWalk): Flow {
  return union([flow, ...(behind('stored', '', flow, walk) ?? [])]);
}

/** The same for rows that are given to variables, or back. */
export function storedRows(rows: Shape, walk: LineageWalk): Shape {
  if ((walk.knowledge.catalog.behind('stored', '') ?? []).length === 0) return rows;
  return openShape(stored(rows.all, walk));
}

/** One flow for each function that may run; undefined when that is not known. */
export function behind(kind: OwnCode, name: string, operands: Flow, walk: LineageWalk): readonly Flow[] | undefined {
  const { catalog } = walk.knowledge;
  const code = catalog.behind(kind, name);
  if (code === undefined) runBefore(kind, name, operands, walk);
  const given = (one: CatalogCode): Value[] => one.inputs.map(() => plain(operands));
  return code?.map((one) => walk.call(one, given(one)).all);
}
