/**
 * What PostgreSQL's own functions, operators and constructors make of rows, arrays and JSON, as forms.
 *
 * What lives here: one row for each of them that is known to keep its parts apart. What it must not know: masks. Whatever
 * is not here carries what went in, without a form.
 * Source: "JSON Functions and Operators" and "Array Functions and Operators" in the PostgreSQL manual.
 */
import type { JsonAggConstructor, JsonKeyValue, JsonOutput, JsonValueExpr, TypeName } from 'libpg-query';
import { as, type Node, names, stringConstant, type Tag } from '../grammar/tree.js';
import { type Flow, noFlow } from './catalog.js';
import { union } from './flow.js';
import {
  anyOrder,
  asText,
  constantJson,
  elementOf,
  entryOf,
  joined,
  keysOf,
  listOf,
  listOfEach,
  objectOf,
  opened,
  part,
  readJson,
  removed,
  replaced,
  takenApart,
  toJson,
  toText,
  without,
} from './json-structure.js';
import { measured } from './measured.js';
import type { LineageScope } from './scope.js';
import { arrayOfEach, countOf, plain, rowOf, type Value, withBeside } from './structure.js';
import type { LineageWalk } from './walk.js';

type Call = (values: readonly Value[], nodes: readonly Node[]) => Value | undefined;

const first =
  (make: (value: Value) => Value): Call =>
  ([value]) =>
    value && make(value);

const build: Call = (values, nodes) => {
  if (values.length % 2 !== 0) return undefined;
  const pairs: [string | undefined, Value][] = [];
  const keys: Flow[] = [];
  for (let at = 0; at < values.length; at += 2) {
    pairs.push([constantKey(nodes[at]), values[at + 1] ?? plain(noFlow)]);
    keys.push(values[at]?.flow ?? noFlow);
  }
  return objectOf(pairs, union(keys));
};

const gather: Call = ([key, value]) => key && value && objectOf([[undefined, value]], key.flow);

const extract = ([value, ...path]: readonly Value[], [, ...keys]: readonly Node[]): Value | undefined =>
  value &&
  withBeside(
    keys.reduce<Value>((at, key) => part(at, constantKey(key)), takenApart(value)),
    flowOf(path),
  );

const each = (make: (value: Value) => Value): Call =>
  first((object) => {
    return rowOf([
      { ...keysOf(opened(object)), name: 'key' },
      { ...make(entryOf(object)), name: 'value' },
    ]);
  });

/** A path of jsonpath that only names fields and elements leads where `#>` does, through arrays too. */
const queried = (make: (found: Value) => Value): Call => {
  return ([value, path, ...more], nodes) => {
    const steps = namedSteps(stringConstant(uncast(nodes[1])));
    if (value === undefined || path === undefined || steps === undefined) return undefined;
    const found = steps.reduce<Value>(lax, opened(value));
    return withBeside(make(found), flowOf([path, ...more]));
  };
};

/** Its steps, undefined standing for any element; undefined where it does more. */
function namedSteps(path: string | undefined): readonly (string | undefined)[] | undefined {
  const step = /\.\s*(?:([A-Za-z_]\w*)|"([^"\\]+)")(?!\s*\()|\[\s*(?:\*|\d+|last)\s*\]/g;
  const [, steps] = /^\s*(?:lax\s+|strict\s+)?\$(.*)$/s.exec(path ?? '') ?? [];
  if (steps === undefined || steps.replaceAll(step, '').trim() !== '') return undefined;
  return [...steps.matchAll(step)].map(([, name, quoted]) => name ?? quoted);
}

/** Of an object its field, of a list those of its elements; what is no list is one of itself. */
function lax(value: Value, key: string | undefined): Value {
  const isList = value.inside?.is === 'list';
  if (key === undefined) return isList || value.inside?.is === 'within' ? elementOf(value) : value;
  return isList ? lax(elementOf(value), key) : part(value, key);
}

function uncast(node: Node | undefined): Node | undefined {
  return as(node, 'TypeCast')?.arg ?? node;
}

const stripped: Call = ([value, arrays]) => {
  const json = value && opened(value);
  return json && (arrays === undefined ? json : anyOrder(json));
};

const set: Call = ([target, path, value, ...more], nodes) => {
  const keys = constantPath(nodes[1]);
  if (target === undefined || path === undefined || value === undefined) return undefined;
  const json = opened(target);
  const put = keys === undefined ? withBeside(json, value.flow) : replaced(json, keys, value);
  return withBeside(put, union([path.flow, flowOf(more)]));
};

/** Only the number of elements decides. */
const counted = first((value) => plain(countOf(value)));

const both = (name: string, call: Call): [string, Call][] => [
  [`json_${name}`, call],
  [`jsonb_${name}`, call],
];

const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['row_to_json', first(toJson)],
  ['to_json', first(toJson)],
  ['to_jsonb', first(toJson)],
  ['array_to_json', first(toJson)],
  ['array_agg', first(arrayOfEach)],
  ['unnest', ([value, ...more]) => (more.length > 0 ? undefined : value && elementOf(value))],
  ['array_length', counted],
  ['cardinality', counted],
  ['jsonb_pretty', first((value) => toText(takenApart(value)))],
  ['jsonb_path_query', queried((found) => found)],
  ['jsonb_path_query_first', queried((found) => found)],
  ['jsonb_path_query_array', queried(listOfEach)],
  ['jsonb_set', set],
  ['jsonb_set_lax', set],
  ...both('agg', first(listOfEach)),
  ...both('agg_strict', first(listOfEach)),
  ...both('build_object', build),
  ...both('build_array', (values) => listOf(values)),
  ...['', '_strict', '_unique', '_unique_strict'].flatMap((kind) => both(`object_agg${kind}`, gather)),
  ...both('strip_nulls', stripped),
  ...both('extract_path', extract),
  ...both('extract_path_text', (values, nodes) => {
    const found = extract(values, nodes);
    return found && asText(found);
  }),
  ...both(
    'array_elements',
    first((value) => elementOf(opened(value))),
  ),
  ...both(
    'array_elements_text',
    first((value) => asText(elementOf(opened(value)))),
  ),
  ...both(
    'object_keys',
    first((value) => keysOf(opened(value))),
  ),
  ...both('array_length', counted),
  ...both(
    'each',
    each((value) => value),
  ),
  ...both('each_text', each(asText)),
]);

/** Of each row a key and a value. */
export function gathers(name: string): boolean {
  return calls.get(name) === gather;
}

/** A call of PostgreSQL's own function of that name; undefined where no form is known of what it gives. */
export function jsonCall(name: string, values: readonly Value[], nodes: readonly Node[]): Value | undefined {
  return calls.get(name)?.(values, nodes);
}

/** json_to_recordset() and its kin: what flows into the column of that name. */
export function recordColumn(name: string, value: Value, column: string): Flow | undefined {
  if (!/^jsonb?_to_record(set)?$/.test(name)) return undefined;
  const json = opened(value);
  return part(name.endsWith('set') ? elementOf(json) : json, column).flow;
}

/** What jsonb_each() and its kin make of an entry; undefined for any other function. */
export function entryOfEach(name: string): ((value: Value) => Value) | undefined {
  if (/^jsonb?_each$/.test(name)) return (value) => value;
  return /^jsonb?_each_text$/.test(name) ? asText : undefined;
}

/** They go into JSON, and nothing else that can be masked in part. */
const arrows: ReadonlySet<string> = new Set(['->', '->>', '#>', '#>>', '#-', '?', '?|', '?&']);
/** They mean something else for other types; between JSON and a constant they leave paths as they are. */
const joins: ReadonlySet<string> = new Set(['-', '||']);

/** An operator that stands between two values; undefined where it is none of JSON's. */
export function jsonOperator(
  path: readonly string[],
  operand: Value,
  right: Value,
  node: Node | undefined,
): Value | undefined {
  const name = path.at(-1) ?? '';
  const left = arrows.has(name) || (joins.has(name) && stringConstant(node) !== undefined) ? opened(operand) : operand;
  const form = left.inside?.is;
  if (form !== 'object' && form !== 'list' && form !== 'scalar' && form !== 'within') return undefined;
  const constants = constantPath(node);
  const keys = (): readonly (string | undefined)[] => constants ?? [undefined];
  const found = (): Value | undefined => {
    switch (name) {
      case '->':
        return part(left, constantKey(node));
      case '->>':
        return asText(part(left, constantKey(node)));
      case '#>':
        return keys().reduce<Value>(part, left);
      case '#>>':
        return asText(keys().reduce<Value>(part, left));
      case '#-':
        return constants && removed(left, constants);
      case '-':
        return without(left, constantKey(node));
      case '?':
      case '?|':
      case '?&':
        return plain(measured(keysOf(left).flow));
      case '||': {
        const text = stringConstant(node);
        return joined(left, text === undefined ? right : constantJson(text));
      }
      default:
        return undefined;
    }
  };
  const value = found();
  return value && (name === '||' ? value : withBeside(value, right.flow));
}

/** A cast between JSON and text, or of a value to its text. */
export function castJson(value: Value, node: Node | undefined, type: TypeName): Value | undefined {
  const name = names(type.names).at(-1) ?? '';
  if ((type.arrayBounds?.length ?? 0) > 0) return undefined;
  if (name === 'json' || name === 'jsonb') {
    const text = stringConstant(node);
    return text === undefined ? readJson(takenApart(value)) : constantJson(text);
  }
  const whole = (name === 'text' || name === 'varchar') && (type.typmods?.length ?? 0) === 0;
  const json = takenApart(value);
  return whole && json.inside !== undefined ? toText(json) : undefined;
}

/** JSON_OBJECT(), JSON_ARRAY() and their aggregates of the SQL standard. */
export function jsonConstructor(node: Node, tag: Tag, walk: LineageWalk, scope: LineageScope): Value | undefined {
  switch (tag) {
    case 'JsonObjectConstructor': {
      const made = as(node, 'JsonObjectConstructor');
      const pairs = (made?.exprs ?? []).map((one) => pair(as(one, 'JsonKeyValue')));
      return returned(
        objectOf(
          pairs.map(({ key, value }) => [key, value]),
          flowOf(pairs.map(({ name }) => name)),
        ),
        made?.output,
      );
    }
    case 'JsonArrayConstructor': {
      const made = as(node, 'JsonArrayConstructor');
      const list = listOf((made?.exprs ?? []).map((one) => raw(as(one, 'JsonValueExpr'))));
      return returned(made?.absent_on_null ? anyOrder(list) : list, made?.output);
    }
    case 'JsonArrayQueryConstructor': {
      const made = as(node, 'JsonArrayQueryConstructor');
      const rows = walk.query(made?.query, scope);
      const [column, ...more] = rows.columns ?? [];
      return returned(listOfEach(more.length === 0 && column ? column : plain(rows.all)), made?.output);
    }
    case 'JsonArrayAgg': {
      const made = as(node, 'JsonArrayAgg');
      aggregated(made?.constructor as JsonAggConstructor | undefined);
      return returned(listOfEach(raw(made?.arg)), (made?.constructor as JsonAggConstructor | undefined)?.output);
    }
    case 'JsonObjectAgg': {
      const made = as(node, 'JsonObjectAgg');
      aggregated(made?.constructor as JsonAggConstructor | undefined);
      const { name, value } = pair(made?.arg);
      return returned(
        objectOf([[undefined, value]], name.flow),
        (made?.constructor as JsonAggConstructor | undefined)?.output,
      );
    }
    default:
      return undefined;
  }

  function pair(given: JsonKeyValue | undefined): { key: string | undefined; name: Value; value: Value } {
    return { key: constantKey(given?.key), name: walk.value(given?.key, scope), value: raw(given?.value) };
  }

  function raw(given: JsonValueExpr | undefined): Value {
    return walk.value(given?.raw_expr ?? given?.formatted_expr, scope);
  }

  function aggregated(given: JsonAggConstructor | undefined): void {
    for (const one of given?.agg_order ?? []) walk.infer(walk.flow(one, scope));
    walk.infer(walk.flow(given?.agg_filter, scope));
    walk.infer(walk.below(given?.over, scope));
  }
}

/** RETURNING of a constructor. */
function returned(value: Value, output: JsonOutput | undefined): Value {
  const name = names(output?.typeName?.names).at(-1) ?? 'json';
  if (name === 'json' || name === 'jsonb') return value;
  return name === 'text' ? toText(value) : plain(value.flow);
}

/** Any element, as far as it is known here. */
const fromTheEnd = '-1';

/** A key or an index that is written as a constant. */
export function constantKey(node: Node | undefined): string | undefined {
  const cast = as(node, 'TypeCast');
  if (cast !== undefined) {
    const plainText = names(cast.typeName?.names).at(-1) === 'text' && cast.typeName?.arrayBounds === undefined;
    return plainText ? stringConstant(cast.arg) : undefined;
  }
  const text = stringConstant(node);
  // the parser prints 0 and every negative number, which counts from the end, as an empty struct
  const number = as(node, 'A_Const')?.ival;
  const index = number?.ival;
  return text ?? (number && (index === undefined || index <= 0 ? fromTheEnd : String(index)));
}

/** `'{a,b}'` or `ARRAY['a', 'b']`, of names that need no quotes. */
function constantPath(node: Node | undefined): readonly string[] | undefined {
  const cast = as(node, 'TypeCast');
  if (cast !== undefined) return names(cast.typeName?.names).at(-1) === 'text' ? constantPath(cast.arg) : undefined;
  const array = as(node, 'A_ArrayExpr')?.elements;
  if (array !== undefined) {
    const keys = array.map((one) => stringConstant(one));
    return keys.every((key) => key !== undefined) ? keys : undefined;
  }
  if (stringConstant(node) === '{}') return [];
  const inner = /^\{([\w]+(?:,\w+)*)\}$/.exec(stringConstant(node) ?? '')?.[1];
  // an element NULL is no key
  return inner?.split(',').every((key) => key.toLowerCase() !== 'null') ? inner.split(',') : undefined;
}

function flowOf(values: readonly Value[]): Flow {
  return union(values.map((value) => value.flow));
}
