/** One instance of one grammar, as grammar.ts uses it. */

export interface SyntaxError {
  readonly message: string;
  /** 1-based, in characters; 0 where there is none. */
  readonly position: number;
}

export type Outcome = { readonly tree: unknown } | { readonly syntaxError: SyntaxError };

export interface Parser {
  /** Throws whatever the WebAssembly code threw (RangeError: the stack ran over); the instance is then spent. */
  parse(sql: string): Outcome;
  /** `createFunction` is a whole CREATE FUNCTION statement; the tree is PL/pgSQL's own. Throws like `parse`. */
  parsePlpgsql(createFunction: string): Outcome;
  /** Size of the instance's memory, which never shrinks. */
  readonly memoryBytes: number;
}
