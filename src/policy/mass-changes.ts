/**
 * When UPDATE and DELETE change so many rows that a person has to see it: the numbers, and what exceeds them.
 *
 * What lives here: the comparison and its words. What it must not know: where the numbers of rows come from.
 */
import { changesRowsThatWere } from '../sql/effect-traits.js';
import type { Effect, Facts } from '../sql/facts.js';
import { counted, grouped } from '../words.js';
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
  /** The planner may know of fewer, and has not been asked. */
  readonly atMost?: true;
  /** Rows that all updates and deletes of the text hit together, where it has more than one. */
  readonly together?: Together;
  /** `before` may be too much: nobody has counted what the table has. */
  readonly beforeOpen?: true;
  /** Rows that this session has deleted or changed before: of that table, and of all. */
  readonly before: number;
  readonly beforeInAll: number;
}

interface Together {
  /** Of the same table, deleted or changed as here. */
  readonly alike: number;
  /** Of the same table. */
  readonly table: number;
  readonly all: number;
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

/**
 * What is known of the effects of one text, with what they come to together: a thousand statements in one text are one
 * large one. `measured` itself where there is nothing to add.
 */
export function withTogether(
  facts: Facts,
  measured: Extents | undefined,
  isTemporary: (name: string, schema?: string) => boolean = nothing,
): Extents | undefined {
  const all = manyEffects(facts);
  if (all.length === 0) return measured;
  const effects = all.filter(({ targets }) => !targets.every(({ name, schema }) => isTemporary(name, schema)));
  const known = effects.map((effect) => [effect, measured?.get(effect) ?? extentOfText(effect)] as const);
  const alike = new Map<string, number>();
  const tables = new Map<string, number>();
  let sum = 0;
  for (const [effect, extent] of known) {
    const rows = extent?.rows?.number ?? 0;
    sum += rows;
    for (const { name } of effect.targets) {
      tables.set(name, (tables.get(name) ?? 0) + rows);
      alike.set(`${effect.kind} ${name}`, (alike.get(`${effect.kind} ${name}`) ?? 0) + rows);
    }
  }
  const extents = new Map<Effect, Extent>(measured);
  for (const [effect, extent] of known) {
    if (extent === undefined) continue;
    const most = (sums: ReadonlyMap<string, number>, of: (name: string) => string): number =>
      Math.max(0, ...effect.targets.map(({ name }) => sums.get(of(name)) ?? 0));
    const together = {
      alike: most(alike, (name) => `${effect.kind} ${name}`),
      table: most(tables, (name) => name),
      all: sum,
    };
    extents.set(effect, { ...extent, together });
  }
  return extents;
}

const byFacts = new WeakMap<Facts, readonly Effect[]>();

/** The updates and deletes of a text that has more than one. Facts are shared by all its runs, so they are looked through once. */
function manyEffects(facts: Facts): readonly Effect[] {
  let found = byFacts.get(facts);
  if (found === undefined) {
    const all = facts.statements.flatMap((one) => (one.deferred ? [] : one.effects.filter(changesRowsThatWere)));
    found = all.length < 2 ? [] : all;
    byFacts.set(facts, found);
  }
  return found;
}

/** Nobody has asked for the size of its table. */
export function extentOfText({ mostRows, mostByColumn, within }: Effect): Extent | undefined {
  if (mostRows === undefined) return undefined;
  const known: Extent = { rows: { number: mostRows, how: 'known' }, sizeOpen: true, before: 0, beforeInAll: 0 };
  return mostByColumn && within === undefined ? { ...known, atMost: true } : known;
}

/** `unknown`: it depends on rows that nobody has asked for yet. */
export function compareExtent(
  extent: Extent | undefined,
  effect: Effect,
  limits: MassLimits,
): 'few' | 'many' | 'unknown' {
  const known = extent ?? extentOfText(effect);
  if (known === undefined) return 'unknown';
  const rows = known.rows?.number;
  if (rows === undefined) return 'many';
  const { before, beforeInAll } = limits.budget ? known : nothingBefore;
  const { beside = 0, together = { table: rows, all: rows } } = known;
  if (rows + beside === 0) return 'few';
  if (known.beforeOpen && limits.budget) return 'unknown';
  if (together.all + beside + beforeInAll > limits.rows) return known.atMost ? 'unknown' : 'many';
  if (together.table + before <= limits.shareFrom) return 'few';
  if (known.tableRows === undefined) return known.sizeOpen ? 'unknown' : 'many';
  return together.table + before > limits.share * known.tableRows ? 'many' : 'few';
}

/** An upsert may have added what counts as changed: only its run tells. */
export function onlyTheBudgetIsExceeded(extent: Extent | undefined, effect: Effect, limits: MassLimits): boolean {
  const { before, beforeInAll } = extent ?? nothingBefore;
  return before + beforeInAll > 0 && compareExtent(extent, effect, { ...limits, budget: false }) === 'few';
}

const nothing = (): boolean => false;
const nothingBefore = { before: 0, beforeInAll: 0 };

/** `about 9,999 of the 10,000 rows of orders`. */
export function extentWords(extent: Extent, verb: string, table: string): string {
  const { rows: its, tableRows, beforeInAll, together } = extent;
  const rows = its && together ? { ...its, number: together.alike } : its;
  if (rows === undefined) {
    return `${verb} rows of ${table}, and nobody can tell how many: ${extent.unsure ?? 'the planner was not asked'}.`;
  }
  const about = rows.how === 'counted' ? '' : rows.how === 'known' ? 'up to ' : 'about ';
  const all = tableRows === undefined ? '' : `the ${grouped(tableRows)} `;
  const number = tableRows === undefined ? counted(rows.number, 'row') : grouped(rows.number);
  const told = `${verb} ${about}${number} of ${all}${all === '' ? '' : 'rows of '}${table}`;
  return beforeInAll === 0
    ? `${told}.`
    : `${told}, after ${counted(beforeInAll, 'row')} that this session has deleted or changed before.`;
}
