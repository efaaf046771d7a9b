/**
 * The rows that an approver was shown, against those that the statement then really hit.
 *
 * What lives here: the comparison. What it must not know: how either was counted, and what becomes of a run that went
 * beyond.
 */

import type { Extents } from '../../policy/mass-changes.js';
import type { Facts } from '../../sql/facts.js';
import { counted } from '../../words.js';
import { mostTags } from '../command-tag.js';
import { massEffects } from './mass-effects.js';

/** Rows changed or deleted in one table. */
export interface TableRows {
  readonly name: string;
  readonly rows: number;
}

/** By pg_class.oid. */
export type RowsByTable = ReadonlyMap<string, TableRows>;

/** What one run of a statement changes or deletes. */
export interface RunRows {
  /** As its command tags say. */
  readonly rows: number;
  /** Whatever did it: cascades, triggers and functions count too. Undefined where nobody counted. */
  readonly tables: RowsByTable | undefined;
}

export type ShownRows = RunRows & {
  /** `estimated` by the planner: the statement's own rows. */
  readonly how: 'counted' | 'estimated';
};

/** Whoever reads "about 2,000" does not mind that it were 4,000. */
const estimateFactor = 2;

/** How many rows more than was shown a run has hit. */
export function surplusOf(shown: ShownRows, real: RunRows): number {
  const own = shown.how === 'estimated' && real.rows <= shown.rows * estimateFactor ? 0 : real.rows - shown.rows;
  let byTable = 0;
  if (shown.tables && real.tables) {
    for (const [oid, { rows }] of real.tables) byTable += Math.max(0, rows - (shown.tables.get(oid)?.rows ?? 0));
  }
  return Math.max(own, byTable);
}

export function rowsBetween(before: RowsByTable, after: RowsByTable): RowsByTable {
  const between = new Map<string, TableRows>();
  for (const [oid, { name, rows }] of after) {
    const more = rows - (before.get(oid)?.rows ?? 0);
    if (more > 0) between.set(oid, { name, rows: more });
  }
  return between;
}

/** Rows of UPDATE, DELETE and MERGE; what an INSERT adds harms nothing that was there. */
export function rowsOfTags(tags: readonly string[]): number {
  return tags.reduce((sum, tag) => sum + Number(/^(?:UPDATE|DELETE|MERGE) (\d+)$/.exec(tag)?.[1] ?? 0), 0);
}

/** What a rule about rows is held against once they are there: a SELECT that deletes has no tag that says so. */
export function allRowsOf({ rows, tables }: RunRows): number {
  return Math.max(rows, sumOf(tables));
}

function sumOf(tables: RowsByTable | undefined): number {
  return [...(tables?.values() ?? [])].reduce((sum, { rows }) => sum + rows, 0);
}

/** The extents of a statement, as its run has shown them. @param tags command tags */
export function extentsOfRun(
  facts: Facts,
  expected: Extents | undefined,
  real: RunRows,
  tags: readonly string[],
): Extents {
  const extents = new Map(expected);
  const mass = massEffects(facts);
  const total = sumOf(real.tables);
  const ofTags = mass.map(({ effect, statement }) => {
    const alone = mass.filter((one) => one.statement === statement).length === 1 && effect.within === undefined;
    const tag = tags[facts.statements.indexOf(statement)] ?? '';
    return alone && saysAll.test(tag) ? rowsOfTags([tag]) : undefined;
  });
  const beside = Math.max(0, total - ofTags.reduce<number>((sum, rows = 0) => sum + rows, 0));
  const first = ofTags.indexOf(undefined);
  for (const [index, { effect }] of mass.entries()) {
    const before = extents.get(effect) ?? { before: 0, beforeInAll: 0 };
    // what no tag tells apart is said once
    const number = ofTags[index] ?? (real.tables && (index === first ? beside : 0));
    if (number === undefined) continue;
    extents.set(effect, { ...before, rows: { number, how: 'counted' }, beside: first < 0 ? beside : 0 });
  }
  return extents;
}

/** MERGE counts what it inserts as well, INSERT does not count what it updates. */
const saysAll = /^(?:UPDATE|DELETE) \d+$/;

/** The tags of all its statements will say how many rows they changed: a DELETE, be it of a view, may take others along. */
export function tagsSayAll(facts: Facts): boolean {
  if (facts.statements.length > mostTags) return false;
  return massEffects(facts).every(
    ({ effect, statement }) => effect.within === undefined && !effect.passedOn && statement.command === 'UPDATE',
  );
}

const tablesSaid = 5;

/** `10,000 rows of orders, 3 rows of items`, most first. */
export function runWords({ rows, tables }: RunRows): string {
  if (!tables || tables.size === 0) return counted(rows, 'row');
  const most = [...tables.values()].sort((a, b) => b.rows - a.rows);
  const more = most.length - tablesSaid;
  const said = most.slice(0, tablesSaid).map((one) => `${counted(one.rows, 'row')} of ${one.name}`);
  return [...said, ...(more > 0 ? [`and rows of ${more} more tables`] : [])].join(', ');
}
