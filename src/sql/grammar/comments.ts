/**
 * Takes comments out of a text where they would hide a joint from our grammars.
 *
 * PostgreSQL's lexer never hands a comment on, and some of its tokens come of two that stand side by side: NOT and IN,
 * WITH and TIME, a string and what goes on in the next line (base_yylex in parser.c, quotecontinue in scan.l). The
 * grammars of libpg_query see comments as tokens: they reject `a NOT -- why` / `IN (1)`, and they read
 * `DO 'a' -- c` / `'b'` as two texts, of which the server makes one.
 *
 * What lives here: which bytes become blanks, so that every position stays as it was. Must not know the grammar.
 */

/** One token of the server's own lexer, in bytes of the UTF-8 text. */
export interface Token {
  readonly start: number;
  readonly end: number;
  readonly kind: 'comment' | 'block comment' | 'other';
}

/** The tokens of a text; undefined where the lexer finds no end to one of them. */
export type Scan = (text: string) => readonly Token[] | undefined;

/** A comment behind what may join with what follows. Also true of such text inside of a string: it only costs a look. */
const joint = /(?:['"]|not|nulls|with|without|format|uescape)\s*(?:--|\/\*)/i;

/** The text with blanks in place of its comments, as many bytes long; the text itself where none of them matters. */
export function withoutComments(text: string, scan: Scan): string {
  if (!joint.test(text)) return text;
  const tokens = scan(text);
  return tokens === undefined ? text : blanked(Buffer.from(text), tokens).toString();
}

/** The same for a whole CREATE FUNCTION statement and for the body in it, which PL/pgSQL reads with the same lexer. */
export function withoutCommentsInBody(createFunction: string, scan: Scan): string {
  if (!joint.test(createFunction)) return createFunction;
  const tokens = scan(createFunction);
  if (tokens === undefined) return createFunction;
  const bytes = blanked(Buffer.from(createFunction), tokens);
  const words = tokens.filter(({ kind }) => kind === 'other');
  const word = (at: number): string => bytes.toString('utf8', words[at]?.start ?? 0, words[at]?.end ?? 0);
  const at = words.findIndex((_, index) => index > 0 && /^as$/i.test(word(index - 1)) && /^['$]/.test(word(index)));
  const token = words[at];
  if (token === undefined) return bytes.toString();
  const body = withoutComments(unquoted(word(at)), scan);
  return `${bytes.toString('utf8', 0, token.start)}${dollarQuoted(body)}${bytes.toString('utf8', token.end)}`;
}

/** The text in dollar quotes that do not occur in it. */
export function dollarQuoted(text: string): string {
  let tag = '$b$';
  while (text.includes(tag.slice(0, -1))) tag = `$b${tag.length}${tag.slice(2)}`;
  return `${tag}${text}${tag}`;
}

function unquoted(string: string): string {
  if (string.startsWith("'")) return string.slice(1, -1).replaceAll("''", "'");
  const tag = string.slice(0, string.indexOf('$', 1) + 1);
  return string.slice(tag.length, -tag.length);
}

const blank = 0x20;
const quote = 0x27;

function blanked(bytes: Buffer, tokens: readonly Token[]): Buffer {
  const result = Buffer.from(bytes);
  let string: Token | undefined;
  let broken = false;
  for (const token of tokens) {
    if (token.kind !== 'other') {
      result.fill(blank, token.start, token.end);
      broken ||= token.kind === 'block comment';
      continue;
    }
    // A string goes on behind a line break and comments to the end of a line only: without any break it does not.
    if (string && broken) result.fill(blank, string.end, token.start);
    string = bytes[token.end - 1] === quote ? token : undefined;
    broken = false;
  }
  return result;
}
