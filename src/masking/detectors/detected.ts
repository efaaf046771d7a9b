/** What detectors tell of a column of results. */
import type { Detectable } from '../../policy/mask-kinds.js';

/** What was found in a column. */
export interface Detected {
  readonly column: string;
  readonly what: readonly Detectable[];
  /** It is a column of a table, and can be declared. */
  readonly declarable: boolean;
}
