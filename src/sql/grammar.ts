/**
 * The one place that runs PostgreSQL's own grammar (compiled to WebAssembly). State: the two parser instances.
 * Must not know what a statement means: text goes in, a raw parse tree or the reason why there is none comes out.
 */
import create, { type PgQueryInstance } from 'pg-query-emscripten/pg_query_wasm.js';
import type { Facts } from './facts.js';
import type { ParseTree } from './tree.js';

export type Rejection = NonNullable<Facts['unparseable']>;
export type Parsed<T> = { readonly tree: T } | { readonly rejection: Rejection };

export interface Grammar {
  /** Synchronous and total. PostgreSQL 16's grammar first, PostgreSQL 18's for what that one rejects. */
  parse(sql: string): Parsed<ParseTree>;
  /** `createFunction` is a whole CREATE FUNCTION statement whose language is plpgsql; the tree is plpgsql's own. */
  parsePlpgsql(createFunction: string): Parsed<unknown>;
}

export interface GrammarOptions {
  /** Text longer than this (UTF-8 bytes) is not parsed. Default 8 MiB. */
  readonly maxBytes?: number;
}

type SecondParser = typeof import('libpg-query');

/*
 * Two things the package's glue gets wrong, found by measuring 5.1.0:
 *
 * - It copies every text to the C stack and never releases it: the instance dies after some 880 short parses.
 *   `ALLOC_STACK = 0` makes it use the heap.
 * - The C stack has 64 KiB and lies just above static data. Around 200 nested subqueries overflow it: first the
 *   parser's own variables are overwritten without any error, and only later the instance traps. A hostile text
 *   could so make the parser misread the next one. We move the stack pointer into a block of the heap that is so
 *   large that V8's own stack limit, which throws a RangeError, always comes first; the lowest bytes of the block
 *   hold a pattern that is checked after each parse.
 */
const stackBytes = 2 << 20;
const canaryBytes = 4096;
const canaryByte = 0xa5;

/** WebAssembly memory never shrinks; above this an instance is replaced. */
const maxInstanceBytes = 256 << 20;

class Instance {
  readonly #module: PgQueryInstance;
  readonly #canaryAt: number;
  static readonly #canary = Buffer.alloc(canaryBytes, canaryByte);

  private constructor(module: PgQueryInstance, canaryAt: number) {
    this.#module = module;
    this.#canaryAt = canaryAt;
  }

  static async start(): Promise<Instance> {
    const module = await create();
    module.ALLOC_STACK = 0;
    const block = module.allocate(new Uint8Array(stackBytes).fill(canaryByte), 0);
    const stackPointer = module.allocate(new Uint8Array(16), 1);
    const target = block + stackBytes - 256;
    // A negative size moves the stack pointer up: emscripten computes (pointer - size) rounded down to 16.
    module.allocate({ length: stackPointer - target, subarray: true }, 1);
    const moved = module.allocate(new Uint8Array(16), 1);
    if (moved < target - 64 || moved > target) throw new Error('the parser did not accept its stack');
    return new Instance(module, block);
  }

  /** Throws whatever the WebAssembly code threw, and RangeError when the stack ran over; the instance is then spent. */
  parse(sql: string): ReturnType<PgQueryInstance['parse']> {
    const result = this.#module.parse(sql);
    this.#checkStack();
    return result;
  }

  parsePlpgsql(sql: string): ReturnType<PgQueryInstance['parsePlpgsql']> {
    const result = this.#module.parsePlpgsql(sql);
    this.#checkStack();
    return result;
  }

  get memoryBytes(): number {
    return this.#module.HEAPU8.length;
  }

  #checkStack(): void {
    const { buffer, byteOffset } = this.#module.HEAPU8;
    if (Buffer.compare(Instance.#canary, Buffer.from(buffer, byteOffset + this.#canaryAt, canaryBytes)) !== 0) {
      throw new RangeError('the C stack of the parser ran over');
    }
  }
}

export async function loadGrammar(options: GrammarOptions = {}): Promise<Grammar> {
  const maxBytes = options.maxBytes ?? 8 << 20;
  const [instance, second] = await Promise.all([Instance.start(), loadSecond()]);
  let first: Instance | undefined = instance;

  // Until the new instance is there (some 30 ms) the second parser stands in, and without it nothing is understood.
  function replaceFirst(): void {
    first = undefined;
    Instance.start().then(
      (fresh) => {
        first = fresh;
      },
      () => {},
    );
  }

  function guarded<T>(run: (parser: Instance) => T): T | Rejection | undefined {
    if (first === undefined) return undefined;
    try {
      const result = run(first);
      if (first.memoryBytes > maxInstanceBytes) replaceFirst();
      return result;
    } catch (error) {
      replaceFirst();
      return afterThrow(error);
    }
  }

  return {
    parse(sql) {
      const refusal = refuse(sql, maxBytes);
      if (refusal !== undefined) return { rejection: refusal };
      const result = guarded((parser) => parser.parse(sql));
      if (result !== undefined && 'reason' in result) return { rejection: result };
      if (result !== undefined && result.error === null) return { tree: result.parse_tree as ParseTree };
      const opinion = parseSecond(second, sql);
      if ('tree' in opinion) return opinion;
      return result?.error ? { rejection: syntaxRejection(result.error.message, result.error.cursorpos) } : opinion;
    },

    parsePlpgsql(createFunction) {
      const refusal = refuse(createFunction, maxBytes);
      if (refusal !== undefined) return { rejection: refusal };
      const result = guarded((parser) => parser.parsePlpgsql(createFunction));
      if (result === undefined) return { rejection: { reason: 'parser-failure', message: 'the parser is restarting' } };
      if ('reason' in result) return { rejection: result };
      if (result.error === null) return { tree: result.plpgsql_funcs };
      return { rejection: syntaxRejection(result.error.message, result.error.cursorpos) };
    },
  };
}

async function loadSecond(): Promise<SecondParser> {
  const second = await import('libpg-query');
  await second.loadModule();
  return second;
}

function refuse(sql: string, maxBytes: number): Rejection | undefined {
  if (sql.length > maxBytes || (sql.length * 3 > maxBytes && Buffer.byteLength(sql) > maxBytes)) {
    return { reason: 'too-large', message: `the text is longer than ${maxBytes} bytes` };
  }
  // A NUL would end the text for the parser, and half a surrogate pair has no UTF-8: both would hide what follows.
  if (sql.includes('\0')) return { reason: 'encoding', message: 'the text contains a NUL character' };
  if (/\p{Surrogate}/u.test(sql)) return { reason: 'encoding', message: 'the text is not well-formed Unicode' };
  return undefined;
}

function parseSecond(second: SecondParser, sql: string): Parsed<ParseTree> {
  if (sql === '') return { tree: { stmts: [] } };
  try {
    return { tree: second.parseSync(sql) as ParseTree };
  } catch (error) {
    if (!second.hasSqlDetails(error)) return { rejection: afterThrow(error) };
    const cursor = error.sqlDetails?.cursorPosition;
    return { rejection: syntaxRejection(error.message, cursor === undefined ? 0 : cursor + 1) };
  }
}

function syntaxRejection(message: string, position: number): Rejection {
  // Bison's own limit (YYMAXDEPTH): the server gives up on such a text as well.
  const reason = message.startsWith('memory exhausted') ? 'too-deep' : 'syntax';
  return position > 0 ? { reason, message, position } : { reason, message };
}

function afterThrow(error: unknown): Rejection {
  return error instanceof RangeError
    ? { reason: 'too-deep', message: 'the statement is nested too deeply' }
    : { reason: 'parser-failure', message: 'the parser failed on this text' };
}
