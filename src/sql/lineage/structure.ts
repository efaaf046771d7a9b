/**
 * What a value is made of, for lineage: rows, arrays and JSON whose parts come from columns of their own.
 *
 * What lives here: the forms, and what holds for each of them. Pure values. What it must not know: syntax, masks, JSON's
 * operators (json-structure.ts). A form is a claim that is checked again where the value is read: what does not have it is
 * hidden there, so a constant may take any form. Wherever a form gets lost, what flows in the value stays.
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

export type Form<Is extends Inside['is']> = Extract<Inside, { readonly is: Is }>;

/** Forms that repeat others inside each other grow without end. */
const maxParts = 2_000;

export const nothing: Value = { flow: noFlow, direct: false };

/** A value of which no form is known. */
export function plain(flow: Flow): Value {
  return { flow, direct: false };
}

export function formed(inside: Inside): Value {
  const flow = union([...partsOf(inside).map((part) => part.flow), inside.beside]);
  return countParts(inside, maxParts) < 0 ? plain(flow) : { flow, direct: false, inside };
}

/** @param flow which constants may stand in it */
export function sqlText(flow: Flow): Value {
  return { flow, direct: false, inside: { is: 'sql', beside: noFlow } };
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

/** A field of a composite value; undefined where the value is none that is known. */
export function fieldsOf(value: Value): readonly Field[] | undefined {
  const { inside } = value;
  if (inside?.is !== 'row') return undefined;
  return inside.fields.map((field) => ({ ...withBeside(field, inside.beside), name: field.name }));
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

export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a.direct !== b.direct || !sameFlow(a.flow, b.flow) || a.inside?.is !== b.inside?.is) return false;
  if (a.inside === undefined || b.inside === undefined) return true;
  if (!sameFlow(a.inside.beside, b.inside.beside) || labelOf(a.inside) !== labelOf(b.inside)) return false;
  const others = partsOf(b.inside);
  return partsOf(a.inside).every((one, at) => sameValue(one, others[at] ?? nothing));
}

/** What two forms of one kind must have in common for their parts to be comparable. */
export function labelOf(inside: Inside): string {
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
export function partsOf(inside: Inside): readonly Value[] {
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

export function isJson(inside: Inside): boolean {
  return inside.is === 'object' || inside.is === 'list' || inside.is === 'scalar' || inside.is === 'within';
}
