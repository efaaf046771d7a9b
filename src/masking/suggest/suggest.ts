/**
 * Rules for columns that nobody has masked yet: by their names, types, comments and statistics, and by a sample of their
 * values, of which nothing but numbers comes out. Pure.
 */
import { type Detectable, detectable } from '../../policy/mask-kinds.js';
import { detect } from '../detectors/detectors.js';
import { type Meaning, type MeaningName, meaningOfComment, meaningOfName, meanings, type TypeFamily } from './names.js';

export interface SuggestedColumn {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly family: TypeFamily;
  readonly comment?: string;
  /** pg_stats.n_distinct of a table that has been analysed: a number, or a negative share of the rows. */
  readonly distinct?: number;
  /** Values that are not NULL nor empty; absent where nothing was read. */
  readonly sample?: readonly string[];
}

export interface Suggestion {
  /** `schema.table.column`. */
  readonly column: string;
  readonly rule: Readonly<Record<string, unknown>>;
  /** Why, for people; no value stands in it. */
  readonly reasons: readonly string[];
}

/** A sample with fewer values proves nothing. */
const telling = 10;
/** A column of one thing, and a text in which it stands now and then. */
const mostOf = 0.5;
const someOf = 0.02;
const someHits = 2;
/** A column with so few values that come again and again is a list of choices. */
const choices = 12;

const ofDetector: Readonly<Record<Detectable, MeaningName>> = {
  email: 'email',
  card: 'card',
  iban: 'account',
  'national-id': 'nationalId',
  phone: 'phone',
  secret: 'secret',
};

export function suggestMasks(columns: readonly SuggestedColumn[]): Suggestion[] {
  return columns.flatMap((column) => suggestionFor(column) ?? []);
}

function suggestionFor(column: SuggestedColumn): Suggestion | undefined {
  const { schema, table, name, sample = [] } = column;
  const found = byValues(sample);
  const named = meaningOfName(table, name);
  const said = column.comment === undefined ? undefined : meaningOfComment(column.comment);
  const reasons: string[] = [];
  let meaning: MeaningName | undefined;
  for (const [claim, because] of [
    [found?.meaning, found?.reason],
    [named, `named like ${named && meanings[named].what}`],
    [said, 'its comment says so'],
  ] as const) {
    if (claim === undefined || because === undefined || !fits(meanings[claim], column, claim === said)) continue;
    if (meaning !== undefined && meaning !== claim) continue;
    meaning = claim;
    reasons.push(because);
  }
  if (meaning === undefined) return undefined;
  return { column: `${schema}.${table}.${name}`, rule: meanings[meaning].rule, reasons };
}

function fits(
  { types, evidence }: Meaning,
  { family, distinct, sample = [] }: SuggestedColumn,
  isSaid: boolean,
): boolean {
  if (!types.includes(family)) return false;
  if (sample.length < telling) return true;
  const without = evidence !== undefined && !sample.some((value) => evidence.test(value));
  // a comment has been written by somebody who knows
  const chosen =
    !isSaid && distinct !== undefined && distinct > 0 && distinct <= choices && new Set(sample).size <= choices;
  return !without && !(family === 'text' && chosen);
}

function byValues(sample: readonly string[]): { readonly meaning: MeaningName; readonly reason: string } | undefined {
  if (sample.length < telling) return undefined;
  const counts = new Map<Detectable, { whole: number; some: number }>();
  for (const value of sample) {
    const seen = new Set<Detectable>();
    for (const { what, start, end } of detect(value)) {
      const count = counts.get(what) ?? { whole: 0, some: 0 };
      counts.set(what, count);
      if (end - start >= value.trim().length) count.whole++;
      if (!seen.has(what)) count.some++;
      seen.add(what);
    }
  }
  for (const what of detectable) {
    const { whole, some } = counts.get(what) ?? { whole: 0, some: 0 };
    if (whole >= sample.length * mostOf) {
      const meaning = ofDetector[what];
      return { meaning, reason: `${whole} of ${sample.length} values are ${meanings[meaning].what}` };
    }
    if (some - whole >= Math.max(someHits, sample.length * someOf)) {
      return {
        meaning: 'freeText',
        reason: `in ${some} of ${sample.length} values stands ${meanings[ofDetector[what]].what}`,
      };
    }
  }
  return undefined;
}
