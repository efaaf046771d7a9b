/** What lineage must know of the database, and the words it speaks. Implemented where the database is. */

/** `oid.attnum` of a column of a table, view, materialized or foreign table. */
export type BaseColumn = string;

/** In a flow: something whose columns cannot be known, so any column of the database. */
export const anyColumn: BaseColumn = '?';

/** The base columns that may have a part in a value. */
export type Flow = ReadonlySet<BaseColumn>;

export const noFlow: Flow = new Set();
export const anyFlow: Flow = new Set([anyColumn]);

export interface CatalogColumn {
  readonly name: string;
  /** pg_attribute.attnum */
  readonly number: number;
  /** pg_attribute.atttypid */
  readonly type: number;
  /** A string type, or a domain over one (pg_type.typcategory S). */
  readonly textual: boolean;
}

export interface CatalogRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** In the order of attnum, dropped columns left out. */
  readonly columns: readonly CatalogColumn[];
  /** Views and materialized views: the query, every name in it qualified unless it is of pg_catalog. */
  readonly definition?: string;
  /** Direct partitions and children: a read of the parent reads them too. */
  readonly children: readonly number[];
  /** Triggers of the application's own may run on a write. */
  readonly triggers: boolean;
  /** Rules may put other statements in the place of a write, queries among them. */
  readonly rules: boolean;
}

/** Schemas, `$user` replaced. Undefined: not known; then a name means something only where it can mean nothing else. */
export type SearchPath = readonly string[] | undefined;

export type OwnCode = 'function' | 'operator' | 'cast';

export interface LineageCatalog {
  /** Changes whenever answers may have changed. */
  readonly generation: number;
  /** False while the catalog may differ from the server's (DDL went through): nothing is known by name then. */
  readonly current: boolean;
  /** The relation that a name means under `searchPath`; undefined when it is not known or not certain. */
  find(schema: string | undefined, name: string, searchPath: SearchPath): CatalogRelation | undefined;
  byOid(oid: number): CatalogRelation | undefined;
  /**
   * Code of the application's own may run where this is written, although PostgreSQL has one of that name: which of the
   * two is meant depends on types. Casts have no name, or that of a domain whose checks run code.
   */
  replaces(kind: OwnCode, name: string): boolean;
  /** Every relation outside pg_catalog and information_schema. */
  relations(): Iterable<CatalogRelation>;
}

export const baseColumn = (relation: number, column: number): BaseColumn => `${relation}.${column}`;
