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
  readonly securityDefiner: boolean;
  /** Owned by an extension or by the system: its body is not the application's. */
  readonly extension?: string;
}

export interface CatalogFunctions {
  /** Changes whenever answers may have changed (DDL); the analyser then forgets what it has cached. */
  readonly generation: number;
  /** All overloads that the name may mean; `schema` as in the text. Undefined: the catalog was not read. */
  find(schema: string | undefined, name: string): readonly CatalogFunction[] | undefined;
}
