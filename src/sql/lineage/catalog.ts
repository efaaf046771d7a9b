/** What lineage must know of the database, and the words it speaks. Implemented where the database is. */
import type { Node } from '../grammar/tree.js';

/** `oid.attnum` of a column of a table, view, materialized or foreign table. */
export type BaseColumn = string;

/** In a flow: something whose columns cannot be known, so any column of the database. */
export const anyColumn: BaseColumn = '?';

/** The base columns that may have a part in a value. */
export type Flow = ReadonlySet<BaseColumn>;

export const noFlow: Flow = new Set();
export const anyFlow: Flow = new Set([anyColumn]);

/**
 * In a flow: what a function gives back that the catalog does not know. The server very probably refuses the call; if
 * not, nothing of its result is shown.
 */
export const missingCode: BaseColumn = '?missing';

/** In a flow: the constants of defaults, bounds of partitions, checks, policies, and expressions of indices and statistics. */
export const definedConstants: BaseColumn = '?defined';

/** In a flow: the constants of statements that other sessions send. */
export const sentConstants: BaseColumn = '?sent';

/** In a flow of a function's body: the argument at this position, counted from 1, until a call says what it is. */
export const argument = (position: number): BaseColumn => `$${position}`;

/** The same for one field of an argument that is a row. The name may end in whatever marks other parts of a flow. */
export const argumentField = (whole: BaseColumn, field: string): BaseColumn => `${whole}.${field}.`;

/** What `argument` and `argumentField` have written. */
export function argumentOf(part: BaseColumn): { readonly position: number; readonly field: string | undefined } {
  const [, position, field] = /^\$(\d+)(?:\.(.*)\.)?$/s.exec(part) ?? [];
  return { position: Number(position), field };
}

export interface CatalogColumn {
  readonly name: string;
  /** pg_attribute.attnum */
  readonly number: number;
  /** pg_attribute.atttypid */
  readonly type: number;
  /** A string type, or a domain over one (pg_type.typcategory S). */
  readonly textual: boolean;
  /** Of a generated column: the expression, in SQL. */
  readonly generated?: string;
  /** DEFAULT, of the column or of its domain, where it calls something that may be more than a clock or a sequence. */
  readonly byDefault?: string;
  /** By its foreign keys: whatever it holds, those hold too. */
  readonly refers?: readonly BaseColumn[];
  /** Columns that it may hold copies of, or is made of, where it is so new that no catalog says it. */
  readonly from?: Flow;
  /** Names that it has had, where it is so new that no catalog has it: what was put in under one of them is still there. */
  readonly formerly?: readonly string[];
  /** What its comment and its security labels say of masking. */
  readonly tags?: readonly { readonly in: 'comment' | 'label'; readonly text: string }[];
}

export interface CatalogRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** In the order of attnum, dropped columns left out. */
  readonly columns: readonly CatalogColumn[];
  /** Views and materialized views: the query, every name in it qualified unless it is of pg_catalog. */
  readonly definition?: string;
  /** Of a temporary view that the catalog does not know yet. */
  readonly made?: MadeQuery;
  /** Direct partitions and children: a read of the parent reads them too. */
  readonly children: readonly number[];
  /** As for columns. */
  readonly formerly?: readonly string[];
  /** pg_proc.oid of the functions that policies, checks, defaults and indices of it call. */
  readonly behind?: readonly number[];
  /** Constants that stand in its definitions, by the columns that those name; undefined: by name in the text. */
  readonly constants?: readonly DefinedConstants[];
  /** Policies look at its rows whenever they are read. */
  readonly secured?: boolean;
  /** Columns of other relations that its policies look at; pg_attribute.attnum is 0 for a whole row. */
  readonly policyReads?: readonly (readonly [relation: number, attnum: number])[];
  /** Triggers of the application's own may run on a write. */
  readonly triggers: boolean;
  readonly triggerCalls?: readonly TriggerCall[];
  /** Writes of rows that a trigger may put other values into before they are stored; undefined: any. */
  readonly rewritten?: ReadonlySet<'insert' | 'update'>;
  /** Rules may put other statements in the place of a write, queries among them. */
  readonly rules: boolean;
  /** Those rules as CREATE RULE statements. */
  readonly ruleTexts?: readonly string[];
}

export interface DefinedConstants {
  /** pg_attribute.attnum; empty where only the text says. */
  readonly columns: readonly number[];
  readonly text: string;
  /** Bounds and defaults: what stands in them are values, numbers too. */
  readonly values: boolean;
}

export interface TriggerCall {
  /** pg_proc.oid */
  readonly function: number;
  /** It runs before the row is stored, or instead. */
  readonly rewrites?: boolean;
  /** The arguments that the trigger gives it. */
  readonly given?: readonly string[];
  /** Names of REFERENCING OLD TABLE and NEW TABLE. */
  readonly transitionTables: readonly string[];
}

/** A function, procedure or aggregate that is not of pg_catalog: the application's, or an extension's. */
export interface CatalogCode {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_language.lanname; `aggregate` for what calls other functions and has no body of its own. */
  readonly language: string;
  /** The body; of PL/pgSQL the whole CREATE FUNCTION statement. */
  readonly source: string;
  /** Names of the parameters that a call gives values to, in order; an empty name where there is none. */
  readonly inputs: readonly string[];
  /** What the last of them are where a call leaves them out: expressions with commas between them, every name qualified. */
  readonly defaults?: string;
  /** Names of the result's columns where OUT, INOUT or TABLE parameters give them; empty otherwise. */
  readonly outputs: readonly string[];
  /** pg_type.typrelid of the result: it is a row of that relation. */
  readonly returnsRowOf: number | undefined;
  /** The result is a row whose columns each call names: RETURNS record. */
  readonly returnsRecord: boolean;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  /** SET search_path of the function itself; undefined where it has none. */
  readonly searchPath: SearchPath;
  /** pg_proc.oid of an aggregate's support functions. */
  readonly supports: readonly number[];
  readonly extension: boolean;
}

/** Schemas, `$user` replaced. Undefined: not known; then a name means something only where it can mean nothing else. */
export type SearchPath = readonly string[] | undefined;

/** By schema and name, as bound-names.ts writes them. */
export interface BoundNames {
  readonly relations: ReadonlyMap<string, CatalogRelation>;
  /** pg_proc.oid of the functions that each name may have meant. */
  readonly functions: ReadonlyMap<string, readonly number[]>;
}

/** What a view of the session's own was made of; names in it mean what they meant then. */
export interface MadeQuery {
  readonly query: Node;
  readonly searchPath: SearchPath;
  readonly bound: BoundNames;
}

/**
 * Where code of the application's own may run without being called: operators by name; `cast` to a type of that name, be
 * it an explicit one; casts that may stand `anywhere`; those where a value is `stored`, or made `json` of; and what runs when
 * a relation is `made`, or fills it by itself: event triggers, defaults of domains, those of one `domain` also by its name.
 */
export type OwnCode = 'operator' | 'cast' | 'anywhere' | 'stored' | 'json' | 'made';

export interface LineageCatalog {
  /** Tells catalogs of one generation apart in which names mean something else. */
  readonly variant?: string;
  /** Changes whenever answers may have changed. */
  readonly generation: number;
  /** False while the catalog may differ from the server's (DDL went through): only what `isKnown` is found by name then. */
  readonly current: boolean;
  /** The name means what it meant when the catalog was read last. */
  isKnown(name: string): boolean;
  /** The relation that a name means under `searchPath`; undefined when it is not known or not certain. */
  find(schema: string | undefined, name: string, searchPath: SearchPath): CatalogRelation | undefined;
  byOid(oid: number): CatalogRelation | undefined;
  /** False while any name may mean something else than the catalog says. */
  readonly knowsNames: boolean;
  /** Nothing at all had this name when the catalog was read last, and nothing is known to have got it since. */
  isFree(name: string): boolean;
  /** Something that is not temporary has this name, in whatever schema. */
  isLasting(name: string): boolean;
  /** The functions that a call by this name may mean, all overloads; undefined when that is not known. */
  functions(schema: string | undefined, name: string, searchPath: SearchPath): readonly CatalogCode[] | undefined;
  /** PostgreSQL itself has a function of that name. */
  isBuiltIn(name: string): boolean;
  /**
   * The application's own code that was there when the catalog was read last; undefined when that is not known, and for
   * the name of a function that was neither PostgreSQL's nor the application's.
   */
  codeBefore(kind: 'function' | OwnCode, name: string): readonly CatalogCode[] | undefined;
  codeByOid(oid: number): CatalogCode | undefined;
  /**
   * The application's own code that may run there, although PostgreSQL has one of that name: which of the two is meant
   * depends on types. Only operators and casts to a type have a name. Undefined when that is not known.
   */
  behind(kind: OwnCode, name: string): readonly CatalogCode[] | undefined;
  /** Every relation outside pg_catalog and information_schema. */
  relations(): Iterable<CatalogRelation>;
}

export const baseColumn = (relation: number, column: number): BaseColumn => `${relation}.${column}`;
