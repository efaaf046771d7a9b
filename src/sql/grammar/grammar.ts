/**
 * The one place that runs PostgreSQL's own grammars (compiled to WebAssembly). State: the two parser instances.
 * Must not know what a statement means: text goes in, a raw parse tree or the reason why there is none comes out.
 */
import type { Facts } from '../facts.js';
import { type Scan, withoutComments, withoutCommentsInBody } from './comments.js';
import { startFirstParser } from './first-parser.js';
import type { Outcome, Parser } from './parser.js';
import { Positions } from './positions.js';
import { startSecondParser } from './second-parser.js';
import type { ParseTree } from './tree.js';

export type Rejection = NonNullable<Facts['unparseable']>;
export type Parsed<T> = { readonly tree: T } | { readonly rejection: Rejection };

export interface Grammar {
  /** Why this text is not even looked at, whatever stands in it. */
  refusal(sql: string): Rejection | undefined;
  /** Synchronous and total. PostgreSQL 16's grammar first, PostgreSQL 18's for what that one rejects. */
  parse(sql: string): Parsed<ParseTree>;
  /** `createFunction` is a whole CREATE FUNCTION statement whose language is plpgsql; the tree is its own. */
  parsePlpgsql(createFunction: string): Parsed<unknown>;
  /** The text cut up by the server's own lexer, comments left out; undefined where that fails. */
  words(sql: string): readonly Word[] | undefined;
}

/** A name, a number, a literal, a sign. */
export interface Word {
  /** Position in the text, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** In upper case. */
  readonly text: string;
}

export interface GrammarOptions {
  /** Text longer than this (UTF-8 bytes) is not parsed. Default 8 MiB. */
  readonly maxBytes?: number;
}

/** WebAssembly memory never shrinks; above this an instance is replaced. */
const maxInstanceBytes = 256 << 20;

export async function loadGrammar(options: GrammarOptions = {}): Promise<Grammar> {
  const maxBytes = options.maxBytes ?? 8 << 20;
  const [first, second] = await Promise.all([Slot.start(startFirstParser), Slot.start(startSecondParser)]);

  type Clean = (text: string, scan: Scan) => string;

  function parse(text: string, clean: Clean, by: (parser: Parser, clean: string) => Outcome): Parsed<unknown> {
    const refusal = refuse(text, maxBytes);
    if (refusal !== undefined) return { rejection: refusal };
    const cleaned = withoutJoints(text, clean);
    if (typeof cleaned !== 'string') return cleaned;
    const outcome = first.use((parser) => by(parser, cleaned));
    if (outcome !== undefined && !('syntaxError' in outcome)) return parsed(outcome);
    // What the first rejects may be newer than it; and while it restarts the second stands in.
    const opinion = second.use((parser) => by(parser, cleaned));
    if (opinion !== undefined && 'tree' in opinion) return parsed(opinion);
    return parsed(outcome ?? opinion ?? restarting);
  }

  /** Whoever cannot tell comments from the rest cannot read the text. */
  function withoutJoints(text: string, clean: Clean): string | { readonly rejection: Rejection } {
    let failure: { readonly rejection: Rejection } | undefined;
    const cleaned = clean(text, (part) => {
      const tokens = second.use((parser) => ({ tokens: parser.scan(part) })) ?? restarting;
      if ('tokens' in tokens) return tokens.tokens;
      failure = tokens;
      return undefined;
    });
    return failure ?? cleaned;
  }

  return {
    refusal: (sql) => refuse(sql, maxBytes),
    parse: (sql) => parse(sql, withoutComments, (parser, text) => parser.parse(text)) as Parsed<ParseTree>,
    parsePlpgsql: (createFunction) =>
      parse(createFunction, withoutCommentsInBody, (parser, text) => parser.parsePlpgsql(text)),
    words(sql) {
      const scanned = refuse(sql, maxBytes) ? undefined : second.use((parser) => ({ tokens: parser.scan(sql) }));
      if (scanned === undefined || !('tokens' in scanned)) return undefined;
      const positions = new Positions(sql);
      return scanned.tokens
        ?.filter(({ kind }) => kind === 'other')
        .map(({ start, end }) => wordAt(sql, positions.at(start), positions.at(end)));
    },
  };
}

function wordAt(sql: string, start: number, end: number): Word {
  return { start, end, text: sql.slice(start, end).toUpperCase() };
}

const restarting = { rejection: { reason: 'parser-failure', message: 'the parser is restarting' } } as const;

/** A parser and its replacement. After a throw the instance's memory cannot be trusted any more: it is dropped. */
class Slot<P extends Parser> {
  readonly #start: () => Promise<P>;
  #parser: P | undefined;

  private constructor(start: () => Promise<P>, parser: P) {
    this.#start = start;
    this.#parser = parser;
  }

  static async start<P extends Parser>(start: () => Promise<P>): Promise<Slot<P>> {
    return new Slot(start, await start());
  }

  /** Undefined while the next instance starts (some 30 ms). */
  use<T>(parse: (parser: P) => T): T | { readonly rejection: Rejection } | undefined {
    const parser = this.#parser;
    if (parser === undefined) return undefined;
    try {
      const outcome = parse(parser);
      if (parser.memoryBytes > maxInstanceBytes) this.#replace();
      return outcome;
    } catch (error) {
      this.#replace();
      return { rejection: afterThrow(error) };
    }
  }

  #replace(): void {
    this.#parser = undefined;
    this.#start().then(
      (parser) => {
        this.#parser = parser;
      },
      () => {}, // Without memory for a new instance every text stays unparseable.
    );
  }
}

function parsed(outcome: Outcome | { readonly rejection: Rejection }): Parsed<unknown> {
  if ('tree' in outcome) return outcome;
  if ('rejection' in outcome) return outcome;
  const { message, position } = outcome.syntaxError;
  // Bison's own limit (YYMAXDEPTH): the server gives up on such a text as well.
  const reason = message.startsWith('memory exhausted') ? 'too-deep' : 'syntax';
  return { rejection: position > 0 ? { reason, message, position } : { reason, message } };
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

function afterThrow(error: unknown): Rejection {
  return error instanceof RangeError
    ? { reason: 'too-deep', message: 'the statement is nested too deeply' }
    : { reason: 'parser-failure', message: 'the parser failed on this text' };
}
