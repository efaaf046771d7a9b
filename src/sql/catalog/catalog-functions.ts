/** What the server's catalog knows about functions that are not PostgreSQL's own. Implemented where the database is. */

export interface CatalogFunction {
  readonly schema: string;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  /** pg_language.lanname: `sql`, `plpgsql`, `c` ... */
  readonly language: string;
  /** pg_proc.prosrc; for a body in SQL-standard form what pg_get_function_sqlbody() prints. */
  readonly body: string;
  /** For plpgsql: a CREATE FUNCTION statement as pg_get_functiondef() prints it. */
  readonly definition: string;
  /** Names of its parameters: in a body they look like columns. */
  readonly parameters: readonly string[];
  /** Those that a call gives, in order. */
  readonly inputs: readonly string[];
  /** Expressions that a call with fewer arguments computes; empty where there are none. */
  readonly defaults: string;
  /** What its SET clauses set while it runs, as `name=value`. */
  readonly settings: readonly string[];
  /** Owned by an extension or by the system: its body is not the application's. */
  readonly extension?: string;
}

export interface FunctionName {
  readonly schema: string;
  readonly name: string;
}

export interface CatalogFunctions {
  /** Changes whenever answers may have changed (DDL); the analyser then forgets what it has cached. */
  readonly generation: number;
  /** All overloads that the name may mean; `schema` as in the text. Undefined: the catalog may have changed since it was read. */
  find(schema: string | undefined, name: string): readonly CatalogFunction[] | undefined;
  /**
   * Somebody made a function of this name: a call may mean it rather than PostgreSQL's own or an extension's. Answers
   * from what was read last when `find` does not answer, so that a call is then taken for one that nobody knows.
   */
  hasOwn(schema: string | undefined, name: string): boolean;
  /** The functions behind an operator, or behind a cast to a type, that somebody made. As read last. */
  behind(what: 'operator' | 'cast', schema: string | undefined, name: string): readonly FunctionName[];
  /** `t.f` may call `f(t)`: a function of that name takes a row. As read last. */
  takesRow(name: string): boolean;
}
