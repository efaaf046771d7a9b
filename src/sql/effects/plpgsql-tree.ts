/** The parse tree of a PL/pgSQL body, as far as single statements of it are looked at. */
import type { Grammar } from '../grammar/grammar.js';

export interface PlFunction {
  readonly datums?: readonly {
    readonly PLpgSQL_var?: { readonly refname?: string; readonly default_val?: PlExpression };
  }[];
  readonly action?: PlStep;
}

export interface PlExpression {
  readonly PLpgSQL_expr?: { readonly query?: string };
}

export interface PlException {
  readonly PLpgSQL_exception?: {
    readonly conditions?: readonly { readonly PLpgSQL_condition?: { readonly condname?: string } }[];
    readonly action?: readonly PlStep[];
  };
}

export interface PlTarget {
  readonly PLpgSQL_row?: { readonly fields?: readonly { readonly name?: string }[] };
}

/** One statement of PL/pgSQL: an object with one key. */
export interface PlStep {
  readonly PLpgSQL_stmt_block?: {
    readonly body?: readonly PlStep[];
    readonly exceptions?: { readonly PLpgSQL_exception_block?: { readonly exc_list?: readonly PlException[] } };
  };
  readonly PLpgSQL_stmt_if?: {
    readonly cond?: PlExpression;
    readonly then_body?: readonly PlStep[];
    readonly elsif_list?: unknown;
    readonly else_body?: unknown;
  };
  readonly PLpgSQL_stmt_execsql?: {
    readonly sqlstmt?: PlExpression;
    readonly into?: boolean;
    readonly target?: PlTarget;
  };
  readonly PLpgSQL_stmt_raise?: { readonly elog_level?: number; readonly params?: unknown; readonly options?: unknown };
  readonly PLpgSQL_stmt_return?: { readonly expr?: unknown };
}

/** @param createFunction a whole CREATE FUNCTION; undefined where it cannot be read */
export function readPlpgsql(createFunction: string, grammar: Grammar): PlFunction | undefined {
  const parsed = grammar.parsePlpgsql(createFunction);
  if ('rejection' in parsed) return undefined;
  const [read] = (parsed.tree ?? []) as readonly { PLpgSQL_function?: PlFunction }[];
  return read?.PLpgSQL_function;
}

export function expressionOf(expression: PlExpression | undefined): string {
  return expression?.PLpgSQL_expr?.query ?? '';
}
