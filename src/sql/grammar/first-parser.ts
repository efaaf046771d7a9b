/**
 * `pg-query-emscripten` 5.1.0: the grammars of PostgreSQL 16 and of PL/pgSQL.
 *
 * Two things its glue gets wrong, found by measuring:
 *
 * - It copies every text to the C stack and never releases it: the instance dies after some 880 short parses.
 *   `ALLOC_STACK = 0` makes it use the heap.
 * - The C stack has 64 KiB and lies just above static data. Around 200 nested subqueries overflow it: first the
 *   parser's own variables are overwritten without any error, and only later the instance traps. A hostile text
 *   could so make the parser misread the next one. We move the stack pointer into a block of the heap that is so
 *   large that V8's own stack limit, which throws a RangeError, always comes first; the lowest bytes of the block
 *   hold a pattern that is checked after each parse.
 */
import create, { type PgQueryError, type PgQueryInstance } from 'pg-query-emscripten/pg_query_wasm.js';
import type { Outcome, Parser } from './parser.js';

const stackBytes = 2 << 20;
const canary = Buffer.alloc(4096, 0xa5);

export async function startFirstParser(): Promise<Parser> {
  const module = await create();
  module.ALLOC_STACK = 0;
  const stack = moveStack(module);

  function checked(error: PgQueryError | null, tree: unknown): Outcome {
    const { buffer, byteOffset } = module.HEAPU8;
    if (!canary.equals(new Uint8Array(buffer, byteOffset + stack, canary.length))) {
      throw new RangeError('the C stack of the parser ran over');
    }
    return error === null ? { tree } : { syntaxError: { message: error.message, position: error.cursorpos } };
  }

  return {
    parse(sql) {
      const result = module.parse(sql);
      return checked(result.error, result.parse_tree);
    },
    parsePlpgsql(createFunction) {
      const result = module.parsePlpgsql(createFunction);
      return checked(result.error, result.plpgsql_funcs);
    },
    get memoryBytes() {
      return module.HEAPU8.length;
    },
  };
}

/** Returns the address of the new stack's lowest byte. */
function moveStack(module: PgQueryInstance): number {
  const block = module.allocate(new Uint8Array(stackBytes).fill(0xa5), 0);
  const top = block + stackBytes - 256;
  const pointer = module.allocate(new Uint8Array(16), 1);
  // A negative size moves the pointer up: emscripten computes (pointer - size), rounded down to 16.
  module.allocate({ length: pointer - top, subarray: true }, 1);
  const moved = module.allocate(new Uint8Array(16), 1);
  if (moved < top - 64 || moved > top) throw new Error('the parser did not accept its stack');
  return block;
}
