/**
 * What a value is made of, for lineage: rows, arrays and JSON whose parts come from columns of their own.
 *
 * What lives here: the forms, how they are put together and taken apart. Pure values. What it must not know: syntax,
 * masks. A form is a claim that is checked again where the value is read: what does not have it is hidden there, so a
 * constant may take any form. Wherever a form gets lost, what flows in the value stays.
 */
import { type Flow, noFlow } from './catalog.js';
import { sameFlow, union } from './flow.js';
import { placed, type Step } from './places.js';

/** A value: which base columns may have a part in it, and what it is made of where that is known. */
export interface Value {
  readonly flow: Flow;
  /** The value is a base column's as it is: nothing was computed from it. */
  readonly direct: boolean;
  readonly inside?: Inside | undefined;
  /** Of a column as it is: others of its row say what it is of, or it says so of others. */
  readonly told?: Told | undefined;
}

/** What keys say of a value; undefined: nothing that is known. A key that nothing gives is undefined. */
export type ToldValue = (keys: readonly (string | undefined)[]) => Value | undefined;

/** A column that tells, or one that is told of. `row` is the same object for the columns of one row. */
export type Told =
  | {
      readonly row: object;
      readonly key: number;
      /** What it says in some row or other; undefined where that is not known. */
      readonly names?: readonly string[] | undefined;
    }
  | {
      readonly row: object;
      readonly keys: ReadonlyMap<number, string>;
      readonly count: number;
      readonly of: ToldValue;
    };

export interface Field extends Value {
  readonly name: string | undefined;
}

/** `beside` of each form: what may have a part in the value in no known place. */
export type Inside =
  /** A composite value; its text and its binary form name no fields, JSON made of it does. */
  | { readonly is: 'row'; readonly fields: readonly Field[]; readonly beside: Flow }
  /** An array of SQL or of JSON: `places` from the first on, `rest` behind them. */
  | Sequence<'array'>
  | Sequence<'list'>
  /** A JSON object: the keys that it may have, and `others` where it may have keys that are not known. */
  | {
      readonly is: 'object';
      readonly entries: ReadonlyMap<string, Value>;
      readonly others?: Value;
      readonly beside: Flow;
    }
  /** A JSON value of which only the SQL value is known that it was made of. */
  | { readonly is: 'scalar'; readonly of: Value; readonly beside: Flow }
  /** What stands at this path in JSON that is a column's as it is; keys may be taken out of it, at any depth. */
  | { readonly is: 'within'; readonly path: readonly Step[]; readonly of: Flow; readonly beside: Flow }
  /** SQL that the server printed: the constants in it may be values, the rest is names and words. */
  | { readonly is: 'sql'; readonly beside: Flow }
  /** A text that another value was printed as. */
  | { readonly is: 'text'; readonly of: Inside; readonly beside: Flow };

interface Sequence<Is> {
  readonly is: Is;
  readonly places: readonly Value[];
  readonly rest?: Value;
  readonly beside: Flow;
}

type Form<Is extends Inside['is']> = Extract<Inside, { readonly is: Is }>;

/** Forms that repeat others inside each other grow without end. */
const maxParts = 2_000;

const nothing: Value = { flow: noFlow, direct: false };

/** A value of which no form is known. */
export function plain(flow: Flow): Value {
  return { flow, direct: false };
}

function formed(inside: Inside): Value {
  const flow = union([...partsOf(inside).map((part) => part.flow), inside.beside]);
  return countParts(inside, maxParts) < 0 ? plain(flow) : { flow, direct: false, inside };
}

/** Of a value that is a column's as it is, and that JSON's operators take apart: what may stand where is its mask's affair. */
export function takenApart(value: Value): Value {
  if (!value.direct || value.inside !== undefined || value.flow.size === 0) return value;
  return { ...value, direct: false, inside: { is: 'within', path: [], of: value.flow, beside: noFlow } };
}

/** @param flow which constants may stand in it */
export function sqlText(flow: Flow): Value {
  return { flow, direct: false, inside: { is: 'sql', beside: noFlow } };
}

/** The same of JSON that was made of such a value: a column of JSON stands in a row as it is. */
export function opened(value: Value): Value {
  const { inside } = value;
  if (inside?.is !== 'scalar' || !inside.of.direct || inside.of.flow.size === 0) return takenApart(value);
  return { ...value, direct: false, inside: { is: 'within', path: [], of: inside.of.flow, beside: inside.beside } };
}

export function rowOf(fields: readonly Field[]): Value {
  return formed({ is: 'row', fields, beside: noFlow });
}

export function arrayOf(places: readonly Value[]): Value {
  return formed({ is: 'array', places, beside: noFlow });
}

export function arrayOfEach(rest: Value): Value {
  return formed({ is: 'array', places: [], rest, beside: noFlow });
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

/** A field of a composite value; undefined where the value is none that is known. */
export function fieldsOf(value: Value): readonly Field[] | undefined {
  const { inside } = value;
  if (inside?.is !== 'row') return undefined;
  return inside.fields.map((field) => ({ ...withBeside(field, inside.beside), name: field.name }));
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

/** The number of elements says nothing of what they are. */
export function countOf(value: Value): Flow {
  const { inside } = value;
  return inside?.is === 'list' || inside?.is === 'array' ? inside.beside : value.flow;
}

/** What else may have a part in the whole of it. */
export function withBeside<T extends Value>(value: T, beside: Flow): Value {
  if (beside.size === 0) return value;
  const inside = value.inside && { ...value.inside, beside: union([value.inside.beside, beside]) };
  return { ...value, flow: union([value.flow, beside]), direct: false, inside, told: undefined };
}

/**
 * What is known of a value after a variable, a parameter or a result has had its type: text that JSON became is text,
 * and in JSON again a string. Where an object or a list is claimed, that is seen; of anything else it would not be.
 */
export function converted({ flow, inside }: Value): Value {
  return { flow, direct: false, inside: inside?.is === 'object' || inside?.is === 'list' ? inside : undefined };
}

/** The same value with other columns in the place of those that flow in it. */
export function reflowed(value: Value, of: (flow: Flow) => Flow): Value {
  const flow = of(value.flow);
  return { flow, direct: value.direct, inside: value.inside && insideReflowed(value.inside, of) };
}

function insideReflowed(inside: Inside, of: (flow: Flow) => Flow): Inside {
  const beside = of(inside.beside);
  switch (inside.is) {
    case 'row': {
      const fields = inside.fields.map((field) => ({ ...reflowed(field, of), name: field.name }));
      return { is: 'row', fields, beside };
    }
    case 'object': {
      const entries = new Map([...inside.entries].map(([key, one]) => [key, reflowed(one, of)]));
      const others = inside.others && { others: reflowed(inside.others, of) };
      return { is: 'object', entries, ...others, beside };
    }
    case 'scalar':
      return { is: 'scalar', of: reflowed(inside.of, of), beside };
    case 'within': {
      const after = of(inside.of);
      // where in an argument of a call its own value stands, only that value knows
      return after === inside.of ? { ...inside, beside } : { is: 'scalar', of: plain(after), beside };
    }
    case 'sql':
      return { is: 'sql', beside };
    case 'text':
      return { is: 'text', of: insideReflowed(inside.of, of), beside };
    default: {
      const rest = inside.rest && { rest: reflowed(inside.rest, of) };
      return { is: inside.is, places: inside.places.map((one) => reflowed(one, of)), ...rest, beside };
    }
  }
}

/** One of several values: CASE, coalesce(), the rows of a UNION. */
export function either(a: Value, b: Value): Value {
  if (a === b) return a;
  const flow = union([a.flow, b.flow]);
  const direct = (a.direct || a.flow.size === 0) && (b.direct || b.flow.size === 0);
  if (a.inside === undefined && b.inside === undefined) return { flow, direct };
  const inside = eitherInside(a, b);
  return inside === undefined ? plain(flow) : { ...formed(inside), flow };
}

function eitherInside(a: Value, b: Value): Inside | undefined {
  const [x, y] = [a.inside, b.inside];
  if (x === undefined || y === undefined) {
    const known = x ?? y;
    return known && { ...known, beside: union([known.beside, x === undefined ? a.flow : b.flow]) };
  }
  const beside = union([x.beside, y.beside]);
  if (x.is === 'object' && y.is === 'object') {
    const entries = new Map<string, Value>();
    for (const key of new Set([...x.entries.keys(), ...y.entries.keys()])) {
      const value = eitherOf(x.entries.get(key) ?? x.others, y.entries.get(key) ?? y.others);
      if (value !== undefined) entries.set(key, value);
    }
    const others = eitherOf(x.others, y.others);
    return { is: 'object', entries, ...(others === undefined ? {} : { others }), beside };
  }
  if ((x.is === 'list' && y.is === 'list') || (x.is === 'array' && y.is === 'array')) {
    const count = Math.max(x.places.length, y.places.length);
    const places = Array.from({ length: count }, (_, at) => {
      return eitherOf(x.places[at] ?? x.rest, y.places[at] ?? y.rest) ?? nothing;
    });
    const rest = eitherOf(x.rest, y.rest);
    return { is: x.is, places, ...(rest === undefined ? {} : { rest }), beside };
  }
  if (x.is === 'row' && y.is === 'row') {
    const same = x.fields.length === y.fields.length && x.fields.every(({ name }, at) => name === y.fields[at]?.name);
    if (!same) return undefined;
    const fields = x.fields.map((field, at) => ({ ...either(field, y.fields[at] ?? nothing), name: field.name }));
    return { is: 'row', fields, beside };
  }
  if (x.is === 'scalar' && y.is === 'scalar') return { is: 'scalar', of: either(x.of, y.of), beside };
  if (x.is === 'within' && y.is === 'within') return labelOf(x) === labelOf(y) ? { ...x, beside } : undefined;
  if (x.is === 'sql' && y.is === 'sql') return { is: 'sql', beside };
  if (x.is === 'text' && y.is === 'text') {
    const of = eitherInside(formed(x.of), formed(y.of));
    return of && { is: 'text', of, beside };
  }
  // the form of one of them; the other is then hidden or, where nothing of it is masked, does not fit
  return isJson(x) && isJson(y) ? { ...x, beside: union([beside, b.flow]) } : undefined;
}

export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a.direct !== b.direct || !sameFlow(a.flow, b.flow) || a.inside?.is !== b.inside?.is) return false;
  if (a.inside === undefined || b.inside === undefined) return true;
  if (!sameFlow(a.inside.beside, b.inside.beside) || labelOf(a.inside) !== labelOf(b.inside)) return false;
  const others = partsOf(b.inside);
  return partsOf(a.inside).every((one, at) => sameValue(one, others[at] ?? nothing));
}

/** What two forms of one kind must have in common for their parts to be comparable. */
function labelOf(inside: Inside): string {
  switch (inside.is) {
    case 'row':
      return JSON.stringify(inside.fields.map(({ name }) => name));
    case 'object':
      return JSON.stringify([[...inside.entries.keys()], inside.others !== undefined]);
    case 'text':
      return inside.of.is;
    case 'scalar':
    case 'sql':
      return '';
    case 'within':
      return JSON.stringify([[...inside.of].sort(), inside.path]);
    default:
      return `${inside.places.length} ${inside.rest !== undefined}`;
  }
}

/** The values that stand in it, in a fixed order. */
function partsOf(inside: Inside): readonly Value[] {
  switch (inside.is) {
    case 'row':
      return inside.fields;
    case 'object':
      return inside.others === undefined ? [...inside.entries.values()] : [...inside.entries.values(), inside.others];
    case 'text':
      return [formed(inside.of)];
    case 'scalar':
      return [inside.of];
    case 'sql':
      return [];
    case 'within':
      return [plain(placed(inside.of, inside.path))];
    default:
      return inside.rest === undefined ? inside.places : [...inside.places, inside.rest];
  }
}

/** What is left of `budget` after counting; negative when it does not suffice. */
function countParts(inside: Inside, budget: number): number {
  let left = budget - 1;
  const parts = inside.is === 'text' ? [{ inside: inside.of }] : partsOf(inside);
  for (const one of parts) {
    if (left < 0) return left;
    left = one.inside === undefined ? left - 1 : countParts(one.inside, left);
  }
  return left;
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

function anyOf(values: readonly Value[]): Value | undefined {
  return values.reduce<Value | undefined>((before, value) => eitherOf(before, value), undefined);
}

function eitherOf(a: Value | undefined, b: Value | undefined): Value | undefined {
  return a === undefined || b === undefined ? (a ?? b) : either(a, b);
}

function besideOf({ inside }: Value): Flow {
  return inside?.beside ?? noFlow;
}

function isJson(inside: Inside): boolean {
  return inside.is === 'object' || inside.is === 'list' || inside.is === 'scalar' || inside.is === 'within';
}
