/**
 * What a piece of SQL does, as facts: the vocabulary that the policy, the masking, the approval prompt and the
 * transcript share. Nothing outside `sql/` sees a parse tree.
 */

import type { AlterForm } from './alter-forms.js';
import type { PlainDefinition } from './definition.js';
import type { LockMode } from './lock-modes.js';

/** Effects, not verbs: `WITH d AS (DELETE ...) SELECT` reads and deletes. */
export type EffectKind =
  | 'read' // rows of a relation are read
  | 'insert'
  | 'update'
  | 'delete'
  | 'truncate'
  | 'create' // a new object
  | 'alter' // an existing object changes shape or meaning (also RENAME, COMMENT, CREATE OR REPLACE)
  | 'drop'
  | 'grant' // GRANT, REVOKE, default privileges, owner, security label
  | 'role' // CREATE/ALTER/DROP ROLE, passwords
  | 'config' // ALTER SYSTEM, ALTER DATABASE ... SET, pg_reload_conf()
  | 'session' // SET, RESET, DISCARD, SET ROLE: changes what later statements mean
  | 'transaction' // BEGIN, COMMIT, ROLLBACK, SAVEPOINT ...
  | 'copy-file' // the server's file system is read or written (COPY file, pg_read_file, lo_import)
  | 'copy-program' // the server runs a program
  | 'execute-code' // DO, CALL, CREATE FUNCTION bodies, LOAD, dynamic SQL
  | 'function-call' // a function that may have side effects
  | 'network' // dblink, foreign servers, subscriptions
  | 'lock' // LOCK TABLE, FOR UPDATE, advisory locks
  | 'maintenance' // VACUUM, ANALYZE, REINDEX, CLUSTER, CHECKPOINT, REFRESH
  | 'notify' // LISTEN, NOTIFY, UNLISTEN
  | 'prepare' // PREPARE, EXECUTE, DEALLOCATE
  | 'cursor' // DECLARE, FETCH, MOVE, CLOSE
  | 'backend' // other sessions: pg_terminate_backend, pg_cancel_backend
  | 'unknown'; // an AST node that we do not know

export type TargetType =
  | 'table'
  | 'view'
  | 'index'
  | 'sequence'
  | 'schema'
  | 'database'
  | 'function'
  | 'role'
  | 'setting'
  | 'type'
  | 'extension'
  | 'file'
  | 'program'
  | 'channel'
  | 'statement'
  | 'cursor'
  | 'other';

/** Names as PostgreSQL folds them (unquoted lower case); `schema` only where the text names one. */
export interface Target {
  readonly type: TargetType;
  readonly schema?: string;
  readonly name: string;
  /** The columns touched, where the text tells; absent means "unknown or all". */
  readonly columns?: readonly string[];
  /** Of a table that is written: those that its rules and triggers are about, as far as that can be read. For access alone. */
  readonly behind?: readonly Target[];
}

/** Rows that somebody names one by one: at most `written` and the elements of these parameters' and variables' values together. */
export interface RowList {
  readonly written: number;
  readonly parameters: readonly number[];
  /** Of the body that it stands in. */
  readonly variables: readonly string[];
}

/** What stands for a value: a parameter, a literal, the n-th integer of the text. `cast`: to these types, one after another. */
export type KeyValue = { readonly cast?: string } & (
  | { readonly parameter: number }
  | { readonly text: string }
  | { readonly integer: number }
);

/** One row of the effect's only target, by a key of it. */
export interface NamedRow {
  readonly columns: readonly string[];
  /** In the same order. */
  readonly values: readonly KeyValue[];
}

/** The number of a LIMIT: written there, or the value of a parameter, or of a variable of the body that it stands in. */
export type RowLimit = { readonly rows: number } | { readonly parameter: number } | { readonly variable: string };

/** What code decides by beside the kind. Each field says of which kinds it is. */
export interface EffectFields {
  /** Of session: views, policies or functions of the database decide by this setting. */
  readonly decides?: true;
  /** It cannot run in a transaction, so it cannot be undone either. */
  readonly outsideTransaction?: true;
  /** Unbounded in spite of a condition, which holds for (nearly) every row. */
  readonly openCondition?: true;
  /** Of update: with other values of the statement's parameters the open condition would restrict it. */
  readonly parametersDecide?: true;
  /** Of update and delete: it is about all rows that the source of a MERGE does not have. */
  readonly unmatched?: true;
  /**
   * Of update and delete: most rows that it hits each time, where the text and the keys of its table tell. Of an insert
   * that is passed on: it hits none itself.
   */
  readonly mostRows?: number;
  /** Of `mostRows`: so often a value is in one of the columns. The planner may know that all conditions leave fewer. */
  readonly mostByColumn?: true;
  /** Of an update that stands in the text itself: the rows that it can change, where the text names each. */
  readonly namedRows?: readonly NamedRow[];
  /** Of update and delete in a body: a list that the call gives names each row by its key. */
  readonly listed?: RowList;
  /** Of `listed`: the key is this column alone. */
  readonly listedBy?: string;
  /** Of update and delete: the planner has no statistics for what the condition compares. */
  readonly guessed?: true;
  /**
   * Of insert, update and delete: foreign keys, triggers or rules pass it on to further rows that were there, as many as
   * these have.
   */
  readonly passedOn?: true;
  /** Of update and delete: a LIMIT leaves so many rows, unless the server runs its query more than once. */
  readonly limitedTo?: RowLimit;
  /** Of a read by EXPLAIN alone: what is planned, and needs the same right as if it were done. */
  readonly planned?: EffectKind;
  /** It stands in code: `body` runs with the statement, whose plan does not show it; `definition` is only stored. */
  readonly within?: 'body' | 'definition';
  /** Of a setting: its new value, where the text tells. Absent for RESET. */
  readonly value?: string;
  /** Of a setting: its name is known, its new value is not (a parameter, an expression). */
  readonly valueUnknown?: true;
  /** Of a setting: this parameter of the statement is its new value. */
  readonly valueParameter?: number;
  /** Of create: only this session sees it. */
  readonly temporary?: true;
  /** Of drop, truncate and alter: what depends on the target goes with it. */
  readonly cascade?: true;
  /** Of cursor: WITH HOLD. */
  readonly held?: true;
  /** Of alter and role: the target is called so from now on. */
  readonly newName?: string;
  /** Of alter: the target is in this schema from now on. */
  readonly newSchema?: string;
  /** Of drop: this is gone, and the table in `targets` stays. Of alter: this is new on the table. */
  readonly part?: 'column' | 'trigger' | 'policy' | 'rule';
  /** Of `part`, where it has one that matters: columns stand in `targets`. For people only. */
  readonly partName?: string;
  /** Of ALTER TABLE and its kin. */
  readonly form?: AlterForm;
  /** The type is an enumeration: nothing runs for its values. */
  readonly enumerates?: true;
  /** Of drop: whatever the roles in `targets` own. */
  readonly everythingOwned?: true;
  /** Of lock. */
  readonly lockMode?: LockMode;
  /** Of maintenance: VACUUM FULL. */
  readonly full?: true;
  /** Of create, drop and maintenance: others go on reading and writing meanwhile. */
  readonly concurrently?: true;
  /** Of copy-file: what happens to the file; absent where it can be both. */
  readonly file?: 'read' | 'write';
  /** Of transaction. */
  readonly savepoint?: string;
  /** Of update and alter: a sequence's next number is taken, or set. */
  readonly sequence?: 'nextval' | 'setval';
  /** Of function-call: a trigger's or a rule's code, which runs because rows are written. */
  readonly behindWrite?: true;
}

export interface Effect extends EffectFields {
  readonly kind: EffectKind;
  readonly targets: readonly Target[];
  /** For update, delete (and reads): a condition really restricts the rows. True for effects that have no rows. */
  readonly bounded: boolean;
  /** What runs cannot be seen from the text: dynamic SQL, unknown function, DO body that is not understood. */
  readonly opaque: boolean;
  /** A word for people: nothing decides by it. */
  readonly detail?: string;
}

export type TransactionEffect =
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'release'
  | 'rollback-to'
  | 'prepare-transaction'
  | 'commit-prepared'
  | 'rollback-prepared';

/** SQL-level handles that tie this statement to an earlier one; the proxy's registry resolves them. */
export interface Handle {
  readonly op: 'prepare' | 'execute' | 'deallocate' | 'declare' | 'fetch' | 'close';
  /** Undefined means ALL (DEALLOCATE ALL, CLOSE ALL). */
  readonly name?: string;
  /** The facts of the statement that PREPARE or DECLARE wraps (they count when it is executed or fetched). */
  readonly inner?: StatementFacts;
}

/** What a column is compared with: a text, or the value of a parameter. */
export interface RowValue {
  readonly column: string;
  readonly parameter?: number;
  readonly text?: string;
}

/** Something that the catalog has or has not, as the session sees it at that moment. */
export type Presence = { readonly there: boolean } & (
  | {
      readonly what: 'relation' | 'type';
      readonly schema?: string;
      readonly name: string;
      /** Where a new one would be made; else wherever the name leads. */
      readonly made: boolean;
    }
  | { readonly what: 'function'; readonly schema?: string; readonly name: string }
  | { readonly what: 'schema' | 'extension' | 'database' | 'role' | 'server'; readonly name: string }
  /** An index is made where its table is. */
  | {
      readonly what: 'index' | 'column' | 'constraint' | 'trigger' | 'policy' | 'rule';
      readonly name: string;
      readonly of: Target;
    }
  | { readonly what: 'value'; readonly name: string; readonly of: Target }
  /** A row of a table, by its key. */
  | { readonly what: 'row'; readonly of: Target; readonly values: readonly RowValue[] }
  /** A condition over system catalogs alone. */
  | { readonly what: 'condition'; readonly sql: string }
);

export interface StatementFacts {
  /** The command tag's words, upper case: `SELECT`, `CREATE TABLE`, `ALTER SYSTEM`. */
  readonly command: string;
  /** Position of this statement in the text that was analysed, in UTF-16 code units; surrounding blanks and `;` left out. */
  readonly start: number;
  readonly end: number;
  readonly effects: readonly Effect[];
  readonly transaction?: TransactionEffect;
  readonly handle?: Handle;
  /** Every function called by name, folded, schema-qualified where the text does. */
  readonly functions: readonly string[];
  /** Where all of this is so the statement changes nothing: IF NOT EXISTS, IF EXISTS. */
  readonly nothingIf?: readonly Presence[];
  /** Of a definition whose text says all that the catalog will. */
  readonly plain?: PlainDefinition;
  /** Where one of these is so the server refuses it: what it names is not there, or what it would make is. */
  readonly refusedIf?: readonly Presence[];
  /** Databases that the server wants to be nobody's at that moment: dropped, renamed, moved or copied from. */
  readonly vacates?: readonly string[];
  /** It stands under a name that the text runs: its place is in another text, its command tag that of EXECUTE. */
  readonly named?: true;
  /** Highest `$n`. */
  readonly parameters: number;
  /** True where the statement runs nothing yet: PREPARE, EXPLAIN without ANALYZE. */
  readonly deferred: boolean;
}

/** The facts of one Query or Parse string. `statements` is empty for an empty query and for an unparseable one. */
export interface Facts {
  readonly statements: readonly StatementFacts[];
  /** Set when the text could not be understood; such a text is treated as dangerous. */
  readonly unparseable?: {
    /** `syntax`: every grammar we have rejects it, the server very probably will too. Other reasons are limits. */
    readonly reason: 'syntax' | 'too-large' | 'too-deep' | 'encoding' | 'parser-failure';
    readonly message: string;
    /** 1-based character position as PostgreSQL counts it. */
    readonly position?: number;
  };
}

/** Settings of the session that change what the same text means. */
export interface SessionSettings {
  readonly standardConformingStrings: boolean;
  /** As in `search_path`, in order; undefined when not known. */
  readonly searchPath?: readonly string[];
}

/** Total: any input gives facts in bounded time and stack, never a throw. Cached by text. */
export interface Analyser {
  /** Facts are as good as the catalog was: with another generation they have to be made anew. */
  readonly generation: number;
  analyse(sql: string, settings?: SessionSettings): Facts;
  /** The query for the rows that one UPDATE or DELETE would hit, where its own words make one that only reads. */
  selectedRows(sql: string): string | undefined;
}
