/**
 * JSON, and arrays: how values are put into it, taken out of it and moved in it, as PostgreSQL's functions and operators do
 * ("JSON Functions and Operators" in the manual). Pure values. What it must not know: syntax, masks.
 */
import { type Flow, noFlow } from './catalog.js';
import { anyOf, eitherOf } from './either.js';
import { union } from './flow.js';
import type { Step } from './places.js';
import { type Form, formed, isJson, nothing, partsOf, plain, type Value, withBeside } from './structure.js';

/** Of a value that is a column's as it is, and that JSON's operators take apart: what may stand where is its mask's affair. */
export function takenApart(value: Value): Value {
  if (!value.direct || value.inside !== undefined || value.flow.size === 0) return value;
  return { ...value, direct: false, inside: { is: 'within', path: [], of: value.flow, beside: noFlow } };
}

/** The same of JSON that was made of such a value: a column of JSON stands in a row as it is. */
export function opened(value: Value): Value {
  const { inside } = value;
  if (inside?.is !== 'scalar' || !inside.of.direct || inside.of.flow.size === 0) return takenApart(value);
  return { ...value, direct: false, inside: { is: 'within', path: [], of: inside.of.flow, beside: inside.beside } };
}

export function listOf(places: readonly Value[]): Value {
  return formed({ is: 'list', places: places.map(toJson), beside: noFlow });
}

export function listOfEach(rest: Value): Value {
  return formed({ is: 'list', places: [], rest: toJson(rest), beside: noFlow });
}

/** @param pairs a key that is not a constant is undefined */
export function objectOf(pairs: readonly (readonly [key: string | undefined, value: Value])[], keys: Flow): Value {
  const entries = new Map<string, Value>();
  let others: Value | undefined;
  for (const [key, value] of pairs) {
    const json = toJson(value);
    if (key === undefined) others = eitherOf(others, json);
    else entries.set(key, eitherOf(entries.get(key), json) ?? json);
  }
  return formed({ is: 'object', entries, ...(others === undefined ? {} : { others }), beside: keys });
}

/** to_jsonb() and its kin. */
export function toJson(value: Value): Value {
  const { inside } = value;
  switch (inside?.is) {
    case 'object':
    case 'list':
    case 'scalar':
    case 'within':
      return value;
    case 'row':
      if (inside.fields.some(({ name }) => name === undefined)) break;
      return withBeside(
        objectOf(
          inside.fields.map((field) => [field.name, field]),
          noFlow,
        ),
        inside.beside,
      );
    case 'array': {
      const { places, rest, beside } = inside;
      const parts = { places: places.map(toJson), ...(rest === undefined ? {} : { rest: toJson(rest) }) };
      return formed({ is: 'list', ...parts, beside });
    }
  }
  // a text in which JSON stands becomes a JSON string; what was taken out of a column of JSON is still what stood there
  const taken = inside?.is === 'text' && inside.of.is === 'within';
  const of = taken ? value : { flow: value.flow, direct: value.direct };
  return formed({ is: 'scalar', of, beside: noFlow });
}

/** Printed as text. */
export function toText(value: Value): Value {
  const { inside } = value;
  if (inside === undefined || inside.is === 'text') return inside === undefined ? plain(value.flow) : value;
  return formed({ is: 'text', of: inside, beside: noFlow });
}

/** A text read as JSON; a value that is JSON already. */
export function readJson(value: Value): Value {
  const inside = value.inside?.is === 'text' ? value.inside.of : value.inside;
  // a text in JSON may hold JSON again, where no path of a mask leads
  const known = inside !== undefined && isJson(inside) && !(inside.is === 'within' && value.inside?.is === 'text');
  return known ? withBeside(formed(inside), besideOf(value)) : plain(value.flow);
}

/** The form of a JSON text that holds no column. */
export function constantJson(text: string): Value {
  try {
    return formOf(JSON.parse(text));
  } catch {
    return nothing;
  }
}

function formOf(json: unknown): Value {
  if (Array.isArray(json)) return listOf(json.map(formOf));
  if (typeof json !== 'object' || json === null) return toJson(nothing);
  return objectOf(
    Object.entries(json).map(([key, value]) => [key, formOf(value)]),
    noFlow,
  );
}

/** `->` with a key or an index; undefined where it is not a constant. */
export function part(value: Value, key: string | undefined): Value {
  const { inside } = value;
  if (inside === undefined) return plain(value.flow);
  switch (inside.is) {
    case 'object': {
      const found = key === undefined ? anyOf(partsOf(inside)) : (inside.entries.get(key) ?? inside.others);
      return withBeside(found ?? nothing, inside.beside);
    }
    case 'list':
      return withBeside(element(inside, key), inside.beside);
    case 'within':
      return deeper(inside, key ?? null);
    case 'scalar': {
      const within = opened(value);
      return within === value ? plain(value.flow) : part(within, key);
    }
    default:
      return plain(value.flow);
  }
}

function deeper(inside: Form<'within'>, step: Step): Value {
  return formed({ ...inside, path: [...inside.path, step] });
}

/** What a JSON value gives as text: a string without its quotes. */
export function asText(json: Value): Value {
  const { inside } = json;
  return inside?.is === 'scalar' ? withBeside(inside.of, inside.beside) : toText(json);
}

/** An element of an array of SQL or of JSON. */
export function elementOf(value: Value): Value {
  const { inside } = value;
  if (inside?.is === 'within') return deeper(inside, 0);
  if (inside?.is !== 'array' && inside?.is !== 'list') return plain(value.flow);
  return withBeside(anyOf(partsOf(inside)) ?? nothing, inside.beside);
}

/** The names of its fields: what is hidden at a path is not the name of what stands there. */
export function keysOf(value: Value): Value {
  const { inside } = value;
  if (inside?.is === 'object') return plain(inside.beside);
  return inside?.is === 'within' ? part(value, anyKey) : plain(value.flow);
}

/** No path of a mask ends in it, but for those that hide every field. */
const anyKey = '\0';

/** Each value of a JSON object, whatever its key. */
export function entryOf(value: Value): Value {
  const { inside } = value;
  return inside?.is === 'object' || inside?.is === 'within' ? part(value, undefined) : plain(value.flow);
}

/** `- 'key'`; what is taken out of an array moves what is behind it. */
export function without(value: Value, key: string | undefined): Value {
  const { inside } = value;
  if (inside?.is === 'list') return moved(inside);
  if (inside?.is === 'within') return value;
  if (inside?.is !== 'object') return plain(value.flow);
  if (key === undefined) return value;
  return formed({ ...inside, entries: new Map([...inside.entries].filter(([known]) => known !== key)) });
}

/** `#-` with a constant path. */
export function removed(value: Value, [key, ...deeper]: readonly string[]): Value {
  const json = opened(value);
  const { inside } = json;
  if (inside?.is === 'within' || key === undefined) return json;
  if (deeper.length === 0 || inside?.is !== 'object') return without(json, key);
  const before = inside.entries.get(key);
  if (before === undefined) return json;
  return formed({ ...inside, entries: new Map([...inside.entries, [key, removed(before, deeper)]]) });
}

/** `||` of two values of type jsonb. */
export function joined(left: Value, right: Value): Value {
  const [a, b] = [left.inside, right.inside];
  if (a?.is === 'object' && b?.is === 'object') return eitherOf(left, right) ?? left;
  if (a?.is === 'list' && b?.is === 'list') return eitherOf(moved(a), moved(b)) ?? left;
  // keys stay where they are, and paths lead through an array that both are put into
  if (a?.is === 'within' && right.flow.size === 0) return left;
  return plain(union([left.flow, right.flow]));
}

/** jsonb_set() with a constant path. */
export function replaced(target: Value, path: readonly string[], value: Value): Value {
  const { inside } = target;
  const [key, ...deeper] = path;
  if (inside?.is !== 'object' || key === undefined) return withBeside(target, value.flow);
  const before = inside.entries.get(key) ?? inside.others;
  const after = deeper.length === 0 ? eitherOf(before, toJson(value)) : replaced(before ?? nothing, deeper, value);
  return formed({ ...inside, entries: new Map([...inside.entries, [key, after ?? nothing]]) });
}

/** The elements of a list, in whatever order, some left out. */
export function anyOrder(value: Value): Value {
  return value.inside?.is === 'list' ? moved(value.inside) : value;
}

function element({ places, rest }: Form<'list' | 'array'>, key: string | undefined): Value {
  const index = key === undefined ? Number.NaN : Number(key);
  // from the end, or not constant
  if (!Number.isInteger(index) || index < 0) return anyOf(rest === undefined ? places : [...places, rest]) ?? nothing;
  return places[index] ?? rest ?? nothing;
}

function moved(list: Form<'list'>): Value {
  const rest = anyOf(partsOf(list));
  return formed({ is: 'list', places: [], ...(rest === undefined ? {} : { rest }), beside: list.beside });
}

function besideOf({ inside }: Value): Flow {
  return inside?.beside ?? noFlow;
}
