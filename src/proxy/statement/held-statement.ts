import type { BindValues } from '../../wire/extended-query.js';
import type { AnswerMask } from '../server/answer-mask.js';

/** What running the held statement takes besides its text. */
export interface HeldStatement {
  /** Of an Execute. */
  readonly bound: (BindValues & { readonly parameterTypes: readonly number[] }) | undefined;
  /** Errors and notices of it may carry masked values. */
  readonly diagnosticsMasked: boolean;
  /** How the result of a text would be masked for this client; `hidden` where it may not be shown at all. */
  maskOf(sql: string): AnswerMask | 'hidden' | undefined;
  /** See Analyser. */
  selectedRows(sql: string): string | undefined;
}
