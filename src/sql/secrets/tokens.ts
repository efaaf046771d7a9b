/**
 * SQL as PostgreSQL's lexer cuts it, for texts that need not be valid: nothing is rejected, a literal without its end
 * reaches to the end of the text. https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */

export type TokenKind = 'word' | 'name' | 'string' | 'parameter' | 'comment' | 'other';

/** In UTF-16 code units, `end` excluded. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
  /** A word in lower case; what a name or a string stands for; a parameter's number; the text of all others. */
  readonly value: string;
  /**
   * Of a string: the position in the text of each character of `value`, and of its end; one number, of the first, where
   * it stands there as it is.
   */
  readonly positions?: number | readonly number[];
}

const pattern =
  /(\s+)|(--[^\n]*)|(\/\*)|(\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|([eEnNbBxX]?'|[uU]&')|([uU]&"|")|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|\$(\d+)|(\d[\w.]*)|([\s\S])/y;

/** One by one: of a long text not all that follows has to be cut in one go. */
export function* tokensIn(sql: string): Generator<Token, void> {
  let at = 0;
  let next: Token | undefined;
  while (at < sql.length) {
    pattern.lastIndex = at;
    const found = pattern.exec(sql);
    if (found === null) break;
    const [whole, blank, line, block, dollar, quote, doubled, word, parameter] = found;
    const token = (kind: TokenKind, end: number, value: string, positions?: Token['positions']): void => {
      next = positions === undefined ? { kind, start: at, end, value } : { kind, start: at, end, value, positions };
      at = end;
    };
    if (blank !== undefined) at = pattern.lastIndex;
    else if (line !== undefined) token('comment', pattern.lastIndex, line);
    else if (block !== undefined) {
      const end = endOfComment(sql, at);
      token('comment', end, sql.slice(at, end));
    } else if (dollar !== undefined) {
      const inner = at + dollar.length;
      const close = sql.indexOf(dollar, inner);
      const end = close < 0 ? sql.length : close;
      token('string', close < 0 ? end : close + dollar.length, sql.slice(inner, end), inner);
    } else if (quote !== undefined) {
      const { value, positions, end } = quoted(sql, at + quote.length, "'", escapesOf(quote));
      token('string', end, value, positions);
    } else if (doubled !== undefined) {
      const { value, end } = quoted(sql, at + doubled.length, '"', doubled.length > 1 ? 'unicode' : 'none');
      token('name', end, value);
    } else if (word !== undefined) token('word', pattern.lastIndex, word.toLowerCase());
    else if (parameter !== undefined) token('parameter', pattern.lastIndex, parameter);
    else token('other', pattern.lastIndex, whole);
    if (next !== undefined) yield next;
    next = undefined;
  }
}

/** Comments nest. */
function endOfComment(sql: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(sql); found !== null; found = mark.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}

type Escapes = 'none' | 'backslash' | 'unicode';

function escapesOf(opening: string): Escapes {
  if (/^e/i.test(opening)) return 'backslash';
  return /^u/i.test(opening) ? 'unicode' : 'none';
}

const single: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** From behind the opening quote: what it stands for, and where each character of that comes from. */
function quoted(
  sql: string,
  from: number,
  quote: string,
  escapes: Escapes,
): { value: string; positions: number | number[]; end: number } {
  const close = escapes === 'none' ? sql.indexOf(quote, from) : -1;
  if (close >= 0 && sql.charAt(close + 1) !== quote) {
    return { value: sql.slice(from, close), positions: from, end: close + 1 };
  }
  let value = '';
  const positions: number[] = [];
  const take = (text: string, at: number): void => {
    for (const unit of text.split('')) {
      value += unit;
      positions.push(at);
    }
  };
  const sequence = escapes === 'backslash' ? backslash : unicode;
  for (let at = from; at < sql.length; ) {
    const character = sql.charAt(at);
    if (character === quote && sql.charAt(at + 1) !== quote)
      return { value, positions: [...positions, at], end: at + 1 };
    if (character === quote) {
      take(quote, at);
      at += 2;
    } else if (character === '\\' && escapes !== 'none') {
      sequence.lastIndex = at;
      const [whole = '\\', two, four, six, octal, plain] = sequence.exec(sql) ?? [];
      const hex = two ?? four ?? six;
      if (hex !== undefined) take(fromCode(Number.parseInt(hex, 16)), at);
      else if (octal !== undefined) take(fromCode(Number.parseInt(octal, 8)), at);
      else take(single[plain ?? ''] ?? plain ?? '\\', at);
      at += whole.length;
    } else {
      take(character, at);
      at++;
    }
  }
  return { value, positions: [...positions, sql.length], end: sql.length };
}

const backslash = /\\(?:[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([\s\S]))/y;
/** The same groups; no octal digits. */
const unicode = /\\(?:(?!)()|([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6})|(?!)()|(\\))/y;

function fromCode(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
}
