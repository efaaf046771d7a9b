/**
 * What a definition makes, where its text says all of it that the catalog will: so that whoever uses the object next need
 * not wait until the catalog has been read again.
 */
export interface PlainDefinition {
  readonly relations: readonly PlainRelation[];
  readonly functions: readonly PlainFunction[];
  /** Relations that it takes away. */
  readonly drops: readonly string[];
  /** Functions and operators in its defaults and conditions: where one is somebody's own, the text does not say all. */
  readonly calls: readonly string[];
  readonly operators: readonly string[];
  /** Types that something is cast to; undefined: to whatever type. The same holds of casts. */
  readonly casts: readonly string[] | undefined;
  /** They run at once, for rows that are there. */
  readonly runs?: true;
}

/** A new table or view. */
export interface PlainRelation {
  /** As in the text. */
  readonly schema?: string;
  readonly name: string;
  readonly keys: readonly (readonly string[])[];
  /** Columns that the server counts up. */
  readonly counted: readonly string[];
  /** Of a view. */
  readonly query?: string;
  /** It may stand in the place of another. */
  readonly replaces: boolean;
}

/** A new function; see CatalogFunction. */
export interface PlainFunction {
  /** As in the text. */
  readonly schema?: string;
  readonly name: string;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  readonly language: string;
  readonly body: string;
  readonly definition: string;
  readonly parameters: readonly string[];
  readonly inputs: readonly string[];
  /** Its first argument may be a row. */
  readonly takesRow: boolean;
  /** It may stand in the place of another. */
  readonly replaces: boolean;
}
