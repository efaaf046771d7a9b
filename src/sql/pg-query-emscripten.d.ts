/** The part of `pg-query-emscripten` 5.1.0 that grammar.ts uses; the package ships no declarations. */
declare module 'pg-query-emscripten/pg_query_wasm.js' {
  export interface PgQueryError {
    readonly message: string;
    /** 1-based, in characters, as PostgreSQL reports it; 0 where there is none. */
    readonly cursorpos: number;
  }

  export interface PgQueryInstance {
    /** Which allocator `parse` uses for the text: 1 is the C stack (never released), 0 the heap (released). */
    ALLOC_STACK: 0 | 1;
    readonly HEAPU8: Uint8Array;
    /** Copies bytes into the instance and returns their address; `allocator` as in ALLOC_STACK. */
    allocate(bytes: { readonly length: number; subarray?: unknown }, allocator: 0 | 1): number;
    parse(sql: string): { readonly parse_tree: unknown; readonly error: PgQueryError | null };
    parsePlpgsql(createFunction: string): { readonly plpgsql_funcs: unknown; readonly error: PgQueryError | null };
  }

  /** A new instance with its own memory. */
  const create: () => Promise<PgQueryInstance>;
  // biome-ignore lint/style/noDefaultExport: that is what the package exports
  export default create;
}
