/** What a function call does to the values that go into it. */

import { BuiltInFunctions, type FunctionBehaviour } from '../catalog/builtin-functions.js';
import { kindsWith } from '../effect-traits.js';

/**
 * - `hides`: the result says nothing about the values that went in.
 * - `carries`: the result may carry what went in, and nothing else.
 * - `exports`: as `carries`, and what went in may also end up where it can be read again.
 * - `opaque`: nobody knows: the result may carry anything in the database.
 * - `gateway`: both: dynamic SQL, files, large objects, other servers.
 * - `missing`: neither PostgreSQL nor an extension that we know has a function of that name.
 */
export type ValueFlow = 'hides' | 'carries' | 'exports' | 'opaque' | 'gateway' | 'missing';

/** Reviewed: results depend on how many rows or values there are, or on their order, never on what they are. */
const hiding: ReadonlySet<string> = new Set(['count', 'row_number', 'num_nulls', 'num_nonnulls', 'pg_typeof']);

const returnNothingKept = kindsWith('returns-nothing-kept');

/** Harmless to a policy of effects, but they read pages or rows of whatever relation they are given. */
const pageReaders =
  /^(get_raw_page|(heap|bt|gist|gin|brin|hash)_\w+|tuple_data_split|pgrowlocks|pg_get_sequence_data|page_header)$/;

export class FunctionConduct {
  readonly #builtIns = new BuiltInFunctions();

  /** Of PostgreSQL's own function of that name, or an extension's. */
  behaviour(name: string): FunctionBehaviour | undefined {
    return this.#builtIns.find(undefined, name);
  }

  of(schema: string | undefined, name: string): ValueFlow {
    if (pageReaders.test(name)) return 'opaque';
    const behaviour = this.#builtIns.find(schema, name);
    if (behaviour === undefined) return 'missing';
    if (behaviour.effect === 'none') {
      return hiding.has(name) && (schema === undefined || schema === 'pg_catalog') ? 'hides' : 'carries';
    }
    return returnNothingKept.has(behaviour.effect) ? 'exports' : 'gateway';
  }
}

/** Functions in FROM whose columns are known; the columns are renamed by the alias. `undefined` is the alias itself. */
export const tableFunctions: ReadonlyMap<string, readonly (string | undefined)[]> = new Map([
  ...[
    'generate_series',
    'generate_subscripts',
    'string_to_table',
    'regexp_split_to_table',
    'regexp_matches',
    'jsonb_object_keys',
    'json_object_keys',
    'unnest',
  ].map((name): [string, (string | undefined)[]] => [name, [undefined]]),
  ...['jsonb_array_elements', 'json_array_elements', 'jsonb_array_elements_text', 'json_array_elements_text'].map(
    (name): [string, string[]] => [name, ['value']],
  ),
  ...['jsonb_each', 'json_each', 'jsonb_each_text', 'json_each_text'].map((name): [string, string[]] => [
    name,
    ['key', 'value'],
  ]),
]);

/** Relations of PostgreSQL's own that show samples of what tables hold; pg_toast and large objects hold values themselves. */
const revealingCatalogs: ReadonlySet<string> = new Set([
  'pg_stats',
  'pg_stats_ext',
  'pg_stats_ext_exprs',
  'pg_statistic',
  'pg_statistic_ext_data',
  'pg_largeobject',
]);

/** Columns of them that hold names, numbers and counts alone; whatever is not listed may show values. */
const harmlessColumns =
  /^(loid|pageno|schemaname|tablename|attname|attnames|inherited|null_frac|avg_width|n_distinct|most_common_(elem_|base_)?freqs|most_common_val_nulls|correlation|elem_count_histogram|statistics_\w+|kinds|dependencies|sta(relid|attnum|inherit|nullfrac|width|distinct|kind\d|op\d|coll\d|numbers\d)|stx(oid|dinherit|dndistinct|ddependencies))$/;

export function revealsValues(schema: string, name: string): boolean {
  return schema === 'pg_toast' || (schema === 'pg_catalog' && revealingCatalogs.has(name));
}

/** A column of a relation that `revealsValues`. */
export function isHarmless(schema: string, column: string): boolean {
  return schema === 'pg_catalog' && harmlessColumns.test(column);
}
