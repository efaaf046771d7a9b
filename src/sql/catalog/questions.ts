/** Questions to a database's catalog, about all that it has or about some objects of it. */

/** With values in text format. */
export interface Question {
  readonly sql: string;
  readonly values: readonly string[];
  /** Asked again and again with other values: the server may keep its plan. */
  readonly often?: true;
}

/** The relations and functions that are asked about, and those that are no more. */
export interface Objects {
  readonly relations: ReadonlySet<number>;
  readonly functions: ReadonlySet<number>;
  /** Operators, casts and domains may be others, too. */
  readonly callers?: true;
}

export function oidArray(oids: ReadonlySet<number>): string {
  return `{${[...oids].join()}}`;
}

/** "Array Input and Output Syntax" in the PostgreSQL manual. */
export function textArray(texts: Iterable<string>): string {
  return `{${Array.from(texts, (text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join()}}`;
}
