/** The parts of the WebAssembly packages that first-parser.ts and second-parser.ts use; neither declares them. */

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

declare module 'libpg-query/wasm/libpg-query.js' {
  /** C functions of libpg_query's wrapper; all numbers are addresses, 0 is NULL. */
  export interface LibPgQueryInstance {
    readonly HEAPU8: Uint8Array;
    getValue(address: number, type: 'i32'): number;
    UTF8ToString(address: number): string;
    lengthBytesUTF8(text: string): number;
    stringToUTF8(text: string, address: number, maxBytes: number): void;
    _malloc(bytes: number): number;
    _free(address: number): void;
    /** Returns a PgQueryParseResult: parse_tree, stderr_buffer, error. */
    _wasm_parse_query_raw(sql: number): number;
    _wasm_free_parse_result(result: number): void;
    /** Returns a text: JSON, or an error message. */
    _wasm_parse_plpgsql(createFunction: number): number;
    /** Returns a text: JSON with the tokens of the lexer, comments among them, or an error message. */
    _wasm_scan(sql: number): number;
    _wasm_free_string(text: number): void;
  }

  /** A new instance with its own memory. */
  const create: () => Promise<LibPgQueryInstance>;
  // biome-ignore lint/style/noDefaultExport: that is what the package exports
  export default create;
}
