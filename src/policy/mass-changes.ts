/**
 * When UPDATE and DELETE change so many rows that a person has to see it: the numbers, and what exceeds them.
 *
 * What lives here: the comparison and its words. What it must not know: where the numbers of rows come from.
 */
import type { Effect } from '../sql/facts.js';
import type { Environment } from './read-connection.js';

/** Above one of them it is asked about. */
export interface MassLimits {
  /** Rows, of a table of any size. */
  readonly rows: number;
  /** Part of the table, 0 to 1, where that is more rows than `shareFrom`. */
  readonly share: number;
  readonly shareFrom: number;
  /** What a session has changed before counts too. */
  readonly budget: boolean;
}

const defaultMassLimits: MassLimits = { rows: 1000, share: 0.1, shareFrom: 100, budget: true };

/** As one file has them: for every connection, and by environment. */
export interface MassChanges extends Partial<MassLimits> {
  readonly environments: Readonly<Partial<Record<Environment, Partial<MassLimits>>>>;
}

/** How many rows an effect hits. */
export interface Extent {
  /** `counted`, `estimated` by the planner, `known` by keys; undefined where nobody could find out. */
  readonly rows: { readonly number: number; readonly how: 'counted' | 'estimated' | 'known' } | undefined;
  /** Rows of other tables that changed with them, where they were counted. */
  readonly beside?: number;
  /** Why nobody could find out, after "because". */
  readonly unsure?: string;
  /** Rows of the whole table, where they were asked for. */
  readonly tableRows?: number;
  /** The bound is all that the table has: the same rows however often. */
  readonly whole?: true;
  /** They can still be asked for. */
  readonly sizeOpen?: true;
  /** Rows that this session has deleted or changed before: of that table, and of all. */
  readonly before: number;
  readonly beforeInAll: number;
}

/** Of those effects of a statement that may hit many rows. */
export type Extents = ReadonlyMap<Effect, Extent>;

/** What the files say together: those that may loosen replace the default, a repository's only tighten. */
export function massLimits(
  sources: readonly { readonly level: string; readonly mass: MassChanges | undefined }[],
  environments: readonly Environment[],
): MassLimits {
  const of = (mass: MassChanges): Partial<MassLimits>[] =>
    environments.map((one) => ({ ...mass, ...mass.environments[one] }));
  const said = (trusted: boolean): Partial<MassLimits>[] =>
    sources.flatMap(({ level, mass }) => (mass !== undefined && (level !== 'repository') === trusted ? of(mass) : []));
  const own = said(true);
  const base: MassLimits = {
    rows: least(own, 'rows') ?? defaultMassLimits.rows,
    share: least(own, 'share') ?? defaultMassLimits.share,
    shareFrom: least(own, 'shareFrom') ?? defaultMassLimits.shareFrom,
    budget: own.some(({ budget }) => budget === true) || !own.some(({ budget }) => budget === false),
  };
  const tighter = [base, ...said(false)];
  return {
    rows: least(tighter, 'rows') ?? base.rows,
    share: least(tighter, 'share') ?? base.share,
    shareFrom: least(tighter, 'shareFrom') ?? base.shareFrom,
    budget: tighter.some(({ budget }) => budget === true),
  };
}

function least(all: readonly Partial<MassLimits>[], key: 'rows' | 'share' | 'shareFrom'): number | undefined {
  const known = all.flatMap((one) => one[key] ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** `unknown`: it depends on rows that nobody has asked for yet. */
export function compareExtent(
  extent: Extent | undefined,
  effect: Effect,
  limits: MassLimits,
): 'few' | 'many' | 'unknown' {
  const rows = extent?.rows?.number ?? (extent === undefined ? effect.mostRows : undefined);
  if (rows === undefined) return extent === undefined ? 'unknown' : 'many';
  const { before = 0, beforeInAll = 0 } = limits.budget ? (extent ?? {}) : {};
  if (rows === 0 && !extent?.beside) return 'few';
  if (rows + (extent?.beside ?? 0) + beforeInAll > limits.rows) return 'many';
  if (rows + before <= limits.shareFrom) return 'few';
  if (extent?.tableRows === undefined) return extent === undefined || extent.sizeOpen ? 'unknown' : 'many';
  return rows + before > limits.share * extent.tableRows ? 'many' : 'few';
}

/** `about 9,999 of the 10,000 rows of orders`. */
export function extentWords(extent: Extent, verb: string, table: string): string {
  const { rows, tableRows, beforeInAll } = extent;
  if (rows === undefined) {
    return `${verb} rows of ${table}, and nobody can tell how many: ${extent.unsure ?? 'the planner was not asked'}.`;
  }
  const about = rows.how === 'counted' ? '' : rows.how === 'known' ? 'up to ' : 'about ';
  const all = tableRows === undefined ? '' : `the ${count(tableRows)} `;
  const number = tableRows === undefined ? plural(rows.number) : count(rows.number);
  const told = `${verb} ${about}${number} of ${all}${all === '' ? '' : 'rows of '}${table}`;
  return beforeInAll === 0
    ? `${told}.`
    : `${told}, after ${plural(beforeInAll)} that this session has deleted or changed before.`;
}

function plural(rows: number): string {
  return `${count(rows)} ${Math.round(rows) === 1 ? 'row' : 'rows'}`;
}

function count(rows: number): string {
  return Math.round(rows).toLocaleString('en-US');
}
