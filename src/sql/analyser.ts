/**
 * The way from text to facts: cache, session meaning, grammar, one walk per statement.
 * State: the cache. Must not know what becomes of the facts.
 */
import { BuiltInFunctions } from './catalog/builtin-functions.js';
import type { CatalogFunctions } from './catalog/catalog-functions.js';
import type { CatalogRelations } from './catalog/catalog-relations.js';
import { withoutConstantRows } from './constant-rows.js';
import { type Knowledge, Walk } from './effects/effect-walk.js';
import { visit } from './effects/handlers.js';
import { nothingIf } from './effects/nothing-to-do.js';
import { plainDefinition } from './effects/plain-definition.js';
import { refusedIf } from './effects/refused.js';
import { addImplicit, codePassesOn, tablesBehind } from './effects/triggers-rules-views.js';
import type { Analyser, Effect, Facts, SessionSettings, StatementFacts, Target } from './facts.js';
import { type Grammar, type GrammarOptions, loadGrammar, type Rejection } from './grammar/grammar.js';
import { Positions, trim } from './grammar/positions.js';
import type { ParseTree } from './grammar/tree.js';
import {
  armIntegers,
  IntegerPlaces,
  isOneQuery,
  type Tripwire,
  transferFacts,
  withoutIntegers,
} from './integer-blind.js';
import { factsWithoutSecrets } from './secrets/facts-without-secrets.js';
import { selectedRows } from './selected-rows.js';

export interface AnalyserOptions extends GrammarOptions {
  /** How many texts are remembered. Default 10,000. */
  readonly cacheEntries?: number;
  /** How much memory the cache may take, roughly, in bytes. Default 64 MiB. */
  readonly cacheBytes?: number;
  /** A grammar to share; loaded when there is none. */
  readonly grammar?: Grammar;
  readonly catalog?: CatalogFunctions;
  /** Changes together with `catalog`. */
  readonly relations?: CatalogRelations;
}

/** Loads PostgreSQL's grammar (some 50 ms). `analyse` is synchronous and total. */
export async function createAnalyser(options: AnalyserOptions = {}): Promise<Analyser> {
  const grammar = options.grammar ?? (await loadGrammar(options));
  const { catalog, relations } = options;
  const builtIns = new BuiltInFunctions();
  const knowledge: Knowledge = {
    grammar,
    builtIns,
    catalog,
    relations,
    bodies: new Map(),
    addImplicit,
    codePassesOn,
    tablesBehind,
  };
  const cache = new FactsCache(options.cacheEntries ?? 10_000, options.cacheBytes ?? 64 << 20);
  let generation = catalog?.generation;

  const analyser: Analyser = {
    get generation() {
      return catalog?.generation ?? 0;
    },
    analyse(sql: string, settings?: SessionSettings): Facts {
      if (settings?.standardConformingStrings === false && sql.includes('\\')) return backslashes;
      if (catalog?.generation !== generation) {
        cache.clear();
        knowledge.bodies.clear();
        generation = catalog?.generation;
      }
      const short = shortened(sql, grammar);
      if (short !== undefined) {
        const facts = analyser.analyse(short, settings);
        if (facts.unparseable === undefined && facts.statements.length === 1) {
          return transferFacts(facts, short.length, sql);
        }
      }
      const known = cache.find(sql);
      if (known !== undefined) return known.facts;
      const blind = withoutIntegers(sql);
      const alike = blind === undefined ? undefined : cache.find(blind);
      if (alike !== undefined) return transferFacts(alike.facts, alike.sql.length, sql);
      const { facts, wire } = read(sql, knowledge, blind !== undefined);
      if (blind !== undefined && wire?.tripped === false) cache.set(blind, sql, facts);
      // A parser that is just restarting will know better next time.
      else if (facts.unparseable?.reason !== 'parser-failure') cache.set(sql, sql, facts);
      return facts;
    },
    selectedRows(sql) {
      const words = grammar.words(sql);
      const query = words && selectedRows(sql, words);
      const [only, ...more] = query === undefined ? [] : analyser.analyse(query).statements;
      const reads = only?.command === 'SELECT' && only.effects.every(({ kind, opaque }) => kind === 'read' && !opaque);
      return reads && more.length === 0 ? query : undefined;
    },
  };
  return analyser;
}

/** Limits hold for the whole text. */
function shortened(sql: string, grammar: Grammar): string | undefined {
  const short = withoutConstantRows(sql);
  return short === undefined || grammar.refusal(sql) !== undefined ? undefined : short;
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

/** `armed`: tells also whether the facts depend on integers of the text; no `wire` means that they may. */
function read(sql: string, knowledge: Knowledge, armed: boolean): { readonly facts: Facts; readonly wire?: Tripwire } {
  try {
    const parsed = knowledge.grammar.parse(sql);
    if ('rejection' in parsed) {
      return { facts: factsWithoutSecrets(sql, { statements: [], unparseable: parsed.rejection }) };
    }
    const { tree } = parsed;
    const wire = armed && isOneQuery(tree) ? armIntegers(tree) : undefined;
    const facts = factsWithoutSecrets(sql, { statements: statementFacts(sql, tree, knowledge) });
    return { facts, ...(wire ? { wire } : {}) };
  } catch (error) {
    return { facts: { statements: [], unparseable: failure(error) } };
  }
}

function failure(error: unknown): Rejection {
  return error instanceof RangeError
    ? { reason: 'too-deep', message: 'the statement is nested too deeply' }
    : { reason: 'parser-failure', message: 'the analysis failed on this text' };
}

function statementFacts(sql: string, tree: ParseTree, knowledge: Knowledge): StatementFacts[] {
  const positions = new Positions(sql);
  const madeBefore = new Map<string, Walk>();
  const integers = new IntegerPlaces(sql);
  return (tree.stmts ?? []).map(({ stmt, stmt_location: location = 0, stmt_len: length = 0 }) => {
    const start = positions.at(location);
    const range = trim(sql, start, length === 0 ? sql.length : positions.at(location + length));
    const walk = new Walk(knowledge, visit);
    walk.source = sql.slice(range.start, range.end);
    walk.integerAt = (at) => integers.at(at);
    walk.madeBefore = madeBefore;
    walk.visit(stmt, walk.rootScope());
    const nothing = nothingIf(stmt, {
      ...knowledge,
      effectsOf: (text) => effectsOf(text, knowledge),
      reads: (text) => readsOnly(text, knowledge),
    });
    const facts = walk.facts(range.start, range.end);
    // ROLLBACK brings back what stood there before
    if (facts.transaction !== undefined) madeBefore.clear();
    const plain = plainDefinition(stmt, walk.source, knowledge.grammar.words);
    const refused = refusedIf(stmt);
    if (nothing === undefined && plain === undefined && refused.length === 0) return facts;
    return {
      ...facts,
      ...(nothing && { nothingIf: nothing }),
      ...(plain && { plain }),
      ...(refused.length > 0 && { refusedIf: refused }),
    };
  });
}

function effectsOf(sql: string, knowledge: Knowledge): readonly Effect[] | undefined {
  const walk = new Walk(knowledge, visit);
  return walk.text(sql) ? walk.effects.toArray() : undefined;
}

function readsOnly(sql: string, knowledge: Knowledge): readonly Target[] | undefined {
  const effects = effectsOf(sql, knowledge);
  return effects?.every(({ kind, opaque }) => kind === 'read' && !opaque)
    ? effects.flatMap(({ targets }) => targets)
    : undefined;
}

interface Known {
  /** The text that the facts were read from. */
  readonly sql: string;
  readonly facts: Facts;
}

/** Oldest goes first; bounded in entries and in bytes. */
class FactsCache {
  readonly #known = new Map<string, Known>();
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  find(key: string): Known | undefined {
    return this.#known.get(key);
  }

  set(key: string, sql: string, facts: Facts): void {
    const known = { sql, facts };
    const bytes = roughSize(key, known);
    // One long text must not push out all the short ones that an application repeats.
    if (bytes > this.#maxBytes / 16) return;
    this.#known.set(key, known);
    this.#bytes += bytes;
    for (const [oldest, its] of this.#known) {
      if (this.#known.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return;
      this.#known.delete(oldest);
      this.#bytes -= roughSize(oldest, its);
    }
  }

  clear(): void {
    this.#known.clear();
    this.#bytes = 0;
  }
}

/** Two bytes a character, and what V8 takes for the objects: measured once, rounded up. */
function roughSize(key: string, { sql, facts }: Known): number {
  let bytes = 200 + 2 * (key === sql ? sql.length : key.length + sql.length);
  for (const { effects } of facts.statements) {
    bytes += 300;
    for (const { targets } of effects) bytes += 150 + 100 * targets.length;
  }
  return bytes;
}
