/** What the server's catalog knows about relations: what runs behind them, and what its statistics say of columns. */

import type { Target } from '../facts.js';
import type { FunctionName } from './catalog-functions.js';

export type RowEvent = 'read' | 'insert' | 'update' | 'delete' | 'truncate';

/** Something that runs because a relation is touched. */
export type Hidden =
  | { readonly kind: 'view'; readonly key: string; readonly sql: string }
  /** A view that may be another by now. */
  | { readonly kind: 'unknown' }
  /** A whole CREATE RULE statement. */
  | { readonly kind: 'rule'; readonly key: string; readonly sql: string }
  | { readonly kind: 'trigger'; readonly function: FunctionName };

export interface ColumnKnowledge {
  /** A single-column unique key, or counted up by the server. */
  readonly key: boolean;
  /** pg_stats.null_frac; undefined without statistics. */
  readonly nullFraction?: number;
  /** Rows that the commonest value has, by the last ANALYZE; undefined without statistics. */
  readonly rowsPerValue?: number;
  /** Bounds of the values by the last ANALYZE; keys only. */
  readonly lowest?: number;
  readonly highest?: number;
}

export interface CatalogRelations {
  /** As read last; a relation without a schema may be any of that name. */
  hidden(relation: Target, event: RowEvent): readonly Hidden[];
  /** Some relation that is not temporary has this name, in whatever schema. As read last. */
  isPermanent(name: string): boolean;
  /** Policies, views, functions, checks or defaults read this setting (lower case): `app.current_tenant`. */
  isDecisive(setting: string): boolean;
  columns(relation: Target, column: string): readonly ColumnKnowledge[];
  /** Sets of columns that are unique together in every relation of that name. Empty while the catalog is in doubt. */
  keys(relation: Target): readonly (readonly string[])[];
  /** A foreign key changes or deletes rows of other tables when rows of this one are deleted, or their `columns` changed. As read last. */
  passesOn(relation: Target, event: 'update' | 'delete'): boolean;
}
