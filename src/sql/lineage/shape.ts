/** Rows as lineage sees them: which columns in which order, and what flows into each. Pure values. */
import { anyFlow, type BaseColumn, type Flow, noFlow } from './catalog.js';
import { either } from './either.js';
import { union } from './flow.js';
import { sameValue, type Value } from './structure.js';

export interface Column extends Value {
  /** Undefined: PostgreSQL names it, by a rule that is not followed here; any name may mean it. */
  readonly name: string | undefined;
  /** The statement itself has just written the value, out of nothing that a table holds. */
  readonly written?: boolean;
  /** It is this text in every row, or NULL: a constant of a select list. */
  readonly constant?: string | undefined;
}

export interface Shape {
  /** Undefined where number and order of the columns are not known. */
  readonly columns: readonly Column[] | undefined;
  /** What may flow into any of the columns. */
  readonly all: Flow;
  /** What a row of it is as one value: what its alias alone stands for; undefined where that is not known. */
  readonly whole?: Value | undefined;
  /** Each row is one of these: what UNION puts together. */
  readonly branches?: readonly Shape[] | undefined;
}

/** Values that a statement puts where they can be read again. */
export interface Sink {
  readonly flow: Flow;
  /** Undefined where it is not an existing column: a new table, a setting, a file. */
  readonly into: BaseColumn | undefined;
  /** What they are made of, where that is known and nothing is done to them on the way. */
  readonly value?: Value;
  /** The function that may put them there, where its body cannot be followed. */
  readonly through?: string;
}

export const emptyShape: Shape = { columns: [], all: noFlow };
export const unknownShape: Shape = { columns: undefined, all: anyFlow };

export function shapeOf(columns: readonly Column[]): Shape {
  return { columns, all: union(columns.map((column) => column.flow)) };
}

export function openShape(all: Flow): Shape {
  return { columns: undefined, all };
}

/** The columns side by side. */
export function concat(shapes: readonly Shape[]): Shape {
  const columns: Column[] = [];
  let known = true;
  for (const shape of shapes) {
    if (shape.columns === undefined) known = false;
    else columns.push(...shape.columns);
  }
  return { columns: known ? columns : undefined, all: union(shapes.map((shape) => shape.all)) };
}

/** UNION, INTERSECT, EXCEPT: column by column; names are the first one's. */
export function overlay(first: Shape, second: Shape): Shape {
  const all = union([first.all, second.all]);
  const others = second.columns;
  if (first.columns === undefined) return { columns: undefined, all };
  if (others === undefined) {
    const columns = first.columns.map(({ name, flow }) => ({ name, flow: union([flow, second.all]), direct: false }));
    return { columns, all };
  }
  if (others.length !== first.columns.length) return { columns: undefined, all };
  const columns = first.columns.map((one, at): Column => {
    return { ...either(one, others[at] ?? { flow: anyFlow, direct: false }), name: one.name };
  });
  return { columns, all };
}

/** `AS alias (a, b)`: new names for the first columns. */
export function renamed(shape: Shape, names: readonly string[]): Shape {
  if (names.length === 0 || shape.columns === undefined) return shape;
  const columns = shape.columns.map((column, at) => ({ ...column, name: names[at] ?? column.name }));
  return { columns, all: shape.all, branches: shape.branches?.map((one) => renamed(one, names)) };
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.all.size !== b.all.size || a.columns?.length !== b.columns?.length) return false;
  return (a.columns ?? []).every((column, at) => {
    const other = b.columns?.[at];
    return other !== undefined && column.name === other.name && sameValue(column, other);
  });
}
