/**
 * Places in JSON: which part of a column has a part in a value.
 *
 * What lives here: how such a part of a flow is written, and what it is a part of. What it must not know: masks, and
 * whether any of their paths leads there. Whatever is computed from what stands at a place comes from there alone.
 */
import type { BaseColumn, Flow } from './catalog.js';
import { isMeasured, measuredColumn } from './measured.js';

/** The field of a name, which may also be an element where it is a number; an element (0); or any of both (null). */
export type Step = string | 0 | null;

const mark = '@';
/** A query that calls itself may go deeper in each round. */
const maxSteps = 8;

/** What stands there in each of the columns. What is no column of a relation stays what it is. */
export function placed(columns: Flow, path: readonly Step[]): Flow {
  if (path.length === 0 || path.length > maxSteps) return columns;
  const place = mark + JSON.stringify(path);
  return new Set([...columns].map((column) => (/^\d+\.\d+$/.test(column) ? column + place : column)));
}

/** The column of a relation behind a part of a flow, whatever of it has a part. */
export function columnOf(part: BaseColumn): BaseColumn {
  const whole = measuredColumn(part);
  const at = whole.startsWith('$') ? -1 : whole.indexOf(mark);
  return at < 0 ? whole : whole.slice(0, at);
}

/** Undefined: the whole of the column. */
export function placeOf(part: BaseColumn): readonly Step[] | undefined {
  const whole = isMeasured(part) ? measuredColumn(part) : part;
  const at = whole.startsWith('$') ? -1 : whole.indexOf(mark);
  return at < 0 ? undefined : (JSON.parse(whole.slice(at + mark.length)) as Step[]);
}
