/**
 * `libpg-query` 18: the grammars of PostgreSQL 18 and of its PL/pgSQL. Its C stack has 32 MiB, so V8's limit always comes first.
 * The package's own entry keeps a single instance for ever; ours must be replaceable once it has trapped, which is
 * why the C functions are called here.
 */
import create, { type LibPgQueryInstance } from 'libpg-query/wasm/libpg-query.js';
import type { Token } from './comments.js';
import type { Outcome, Parser } from './parser.js';

export interface ScanningParser extends Parser {
  /** PostgreSQL's own lexer. Undefined where it gives up. Throws like `parse`. */
  scan(sql: string): readonly Token[] | undefined;
}

export async function startSecondParser(): Promise<ScanningParser> {
  const module = await create();
  return {
    parse(sql) {
      const text = copyIn(module, sql);
      const result = module._wasm_parse_query_raw(text);
      try {
        return read(module, result);
      } finally {
        module._wasm_free_parse_result(result);
        module._free(text);
      }
    },
    parsePlpgsql(createFunction) {
      const text = copyIn(module, createFunction);
      const result = module._wasm_parse_plpgsql(text);
      try {
        const answer = module.UTF8ToString(result);
        // Anything but a JSON object is an error message.
        return answer.startsWith('{') ? plpgsqlTree(answer) : { syntaxError: { message: answer, position: 0 } };
      } finally {
        module._wasm_free_string(result);
        module._free(text);
      }
    },
    scan(sql) {
      const text = copyIn(module, sql);
      const result = module._wasm_scan(text);
      try {
        const answer = module.UTF8ToString(result);
        return answer.startsWith('{') ? tokensOf(answer) : undefined;
      } finally {
        module._wasm_free_string(result);
        module._free(text);
      }
    },
    get memoryBytes() {
      return module.HEAPU8.length;
    },
  };
}

function plpgsqlTree(json: string): Outcome {
  return { tree: (JSON.parse(json) as { plpgsql_funcs?: unknown }).plpgsql_funcs };
}

const comments: Readonly<Record<string, Token['kind']>> = { SQL_COMMENT: 'comment', C_COMMENT: 'block comment' };

function tokensOf(json: string): Token[] {
  const { tokens } = JSON.parse(json) as { tokens: readonly { start: number; end: number; tokenName: string }[] };
  return tokens.map(({ start, end, tokenName }) => ({ start, end, kind: comments[tokenName] ?? 'other' }));
}

function copyIn(module: LibPgQueryInstance, sql: string): number {
  const bytes = module.lengthBytesUTF8(sql) + 1;
  const address = module._malloc(bytes);
  if (address === 0) throw new Error('the parser is out of memory');
  module.stringToUTF8(sql, address, bytes);
  return address;
}

/** The structs of pg_query.h: PgQueryParseResult {tree, stderr, error}, PgQueryError {message, func, file, line, position}. */
function read(module: LibPgQueryInstance, result: number): Outcome {
  if (result === 0) throw new Error('the parser is out of memory');
  const error = module.getValue(result + 8, 'i32');
  if (error !== 0) {
    const message = module.UTF8ToString(module.getValue(error, 'i32'));
    return { syntaxError: { message, position: module.getValue(error + 16, 'i32') } };
  }
  return { tree: JSON.parse(module.UTF8ToString(module.getValue(result, 'i32'))) };
}
