/** One of several values, of which nobody knows which: what holds for each of them. */
import { union } from './flow.js';
import { formed, type Inside, isJson, labelOf, nothing, plain, type Value } from './structure.js';

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

export function anyOf(values: readonly Value[]): Value | undefined {
  return values.reduce<Value | undefined>((before, value) => eitherOf(before, value), undefined);
}

export function eitherOf(a: Value | undefined, b: Value | undefined): Value | undefined {
  return a === undefined || b === undefined ? (a ?? b) : either(a, b);
}
