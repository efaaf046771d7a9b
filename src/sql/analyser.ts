/**
 * The way from text to facts: cache, session meaning, grammar, one walk per statement.
 * State: the cache. Must not know what becomes of the facts.
 */
import { BuiltInFunctions } from './builtin-functions.js';
import type { CatalogFunctions } from './catalog-functions.js';
import type { Analyser, Facts, SessionSettings, StatementFacts } from './facts.js';
import { type GrammarOptions, loadGrammar, type Rejection } from './grammar.js';
import { Positions, trim } from './positions.js';
import { Scope } from './scope.js';
import type { ParseTree } from './tree.js';
import { visit } from './visitor.js';
import { type Knowledge, Walk } from './walk.js';

export interface AnalyserOptions extends GrammarOptions {
  /** How many texts are remembered. Default 10,000. */
  readonly cacheEntries?: number;
  /** How much memory the cache may take, roughly, in bytes. Default 64 MiB. */
  readonly cacheBytes?: number;
  readonly catalog?: CatalogFunctions;
}

/** Loads PostgreSQL's grammar (some 50 ms). `analyse` is synchronous and total. */
export async function createAnalyser(options: AnalyserOptions = {}): Promise<Analyser> {
  const grammar = await loadGrammar(options);
  const { catalog } = options;
  const knowledge: Knowledge = { grammar, builtIns: new BuiltInFunctions(), catalog };
  const cache = new FactsCache(options.cacheEntries ?? 10_000, options.cacheBytes ?? 64 << 20);
  let generation = catalog?.generation;

  return {
    analyse(sql: string, settings?: SessionSettings): Facts {
      if (settings?.standardConformingStrings === false && sql.includes('\\')) return backslashes;
      if (catalog?.generation !== generation) {
        cache.clear();
        generation = catalog?.generation;
      }
      const known = cache.get(sql);
      if (known !== undefined) return known;
      const facts = read(sql, knowledge);
      // A parser that is just restarting will know better next time.
      if (facts.unparseable?.reason !== 'parser-failure') cache.set(sql, facts);
      return facts;
    },
  };
}

/**
 * With standard_conforming_strings off a backslash escapes inside '...', so that a literal may end elsewhere than
 * the grammar, which has it on, believes.
 */
const backslashes: Facts = {
  statements: [],
  unparseable: {
    reason: 'encoding',
    message: 'the text has a backslash while standard_conforming_strings is off',
  },
};

function read(sql: string, knowledge: Knowledge): Facts {
  try {
    const parsed = knowledge.grammar.parse(sql);
    if ('rejection' in parsed) return { statements: [], unparseable: parsed.rejection };
    return { statements: statementFacts(sql, parsed.tree, knowledge) };
  } catch (error) {
    return { statements: [], unparseable: failure(error) };
  }
}

function failure(error: unknown): Rejection {
  return error instanceof RangeError
    ? { reason: 'too-deep', message: 'the statement is nested too deeply' }
    : { reason: 'parser-failure', message: 'the analysis failed on this text' };
}

function statementFacts(sql: string, tree: ParseTree, knowledge: Knowledge): StatementFacts[] {
  const positions = new Positions(sql);
  return (tree.stmts ?? []).map(({ stmt, stmt_location: location = 0, stmt_len: length = 0 }) => {
    const start = positions.at(location);
    const range = trim(sql, start, length === 0 ? sql.length : positions.at(location + length));
    const walk = new Walk(knowledge, visit);
    walk.source = sql.slice(range.start, range.end);
    walk.visit(stmt, new Scope());
    return walk.facts(range.start, range.end);
  });
}

/** Oldest goes first; bounded in entries and in bytes. */
class FactsCache {
  readonly #facts = new Map<string, Facts>();
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  get(sql: string): Facts | undefined {
    return this.#facts.get(sql);
  }

  set(sql: string, facts: Facts): void {
    const bytes = roughSize(sql, facts);
    // One long text must not push out all the short ones that an application repeats.
    if (bytes > this.#maxBytes / 16) return;
    this.#facts.set(sql, facts);
    this.#bytes += bytes;
    for (const [oldest, itsFacts] of this.#facts) {
      if (this.#facts.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return;
      this.#facts.delete(oldest);
      this.#bytes -= roughSize(oldest, itsFacts);
    }
  }

  clear(): void {
    this.#facts.clear();
    this.#bytes = 0;
  }
}

/** Two bytes a character, and what V8 takes for the objects: measured once, rounded up. */
function roughSize(sql: string, facts: Facts): number {
  let bytes = 200 + 2 * sql.length;
  for (const { effects } of facts.statements) {
    bytes += 300;
    for (const { targets } of effects) bytes += 150 + 100 * targets.length;
  }
  return bytes;
}
