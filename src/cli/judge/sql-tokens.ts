/** PostgreSQL's tokens, as far as they decide where a literal, a comment or a statement ends ("Lexical Structure" in the manual). */

export type TokenKind =
  | 'comment'
  /** A literal of any spelling. */
  | 'quoted'
  /** A name in double quotes. */
  | 'name'
  | 'word'
  /** A backslash outside of all others: psql's. */
  | 'command'
  | 'other';

const word = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const dollar = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const run = /\d[\w.]*|[^\S\n]+/y;

/** At the end of the text: `other`. */
export function tokenAt(text: string, at: number): TokenKind {
  const first = text[at] ?? '';
  if (first === "'") return 'quoted';
  if (first === '"') return 'name';
  if (first === '\\') return 'command';
  if (first === '$' && matchAt(dollar, text, at) !== undefined) return 'quoted';
  if (text.startsWith('--', at) || text.startsWith('/*', at)) return 'comment';
  if (/[eE]/.test(first) && text[at + 1] === "'") return 'quoted';
  return matchAt(word, text, at) === undefined ? 'other' : 'word';
}

/** The end of the text where nothing ends the token; one character for what has no name here, never less. */
export function endOfToken(text: string, at: number, kind: TokenKind): number {
  switch (kind) {
    case 'comment':
      return text.startsWith('--', at) ? endOr(text, text.indexOf('\n', at), 0) : endOfComment(text, at);
    case 'name':
      return endOfQuotes(text, at + 1, /"/g);
    case 'quoted':
      return endOfLiteral(text, at);
    case 'word':
      return at + (matchAt(word, text, at)?.length ?? 1);
    default:
      return at + (matchAt(run, text, at)?.length ?? 1);
  }
}

function endOfLiteral(text: string, at: number): number {
  if (text[at] === "'") return endOfQuotes(text, at + 1, /'/g);
  if (text[at] !== '$') return endOfQuotes(text, at + 2, /'|\\[\s\S]/g);
  const tag = matchAt(dollar, text, at) ?? '$$';
  return endOr(text, text.indexOf(tag, at + tag.length), tag.length);
}

/** A doubled quote stands for one. */
function endOfQuotes(text: string, from: number, ending: RegExp): number {
  ending.lastIndex = from;
  for (let found = ending.exec(text); found !== null; found = ending.exec(text)) {
    if (!found[0].startsWith('\\')) {
      if (text[ending.lastIndex] !== found[0]) return ending.lastIndex;
      ending.lastIndex++;
    }
  }
  return text.length;
}

/** Comments nest ("Comments" in the manual). */
function endOfComment(text: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let match = mark.exec(text); match !== null; match = mark.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return text.length;
}

function endOr(text: string, found: number, length: number): number {
  return found < 0 ? text.length : found + length;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Of a statement without comments, literals and what stands in parentheses. The first FROM decides. */
export const copiesFromClient = /^\s*copy\s(?:(?!\bfrom\b)[\s\S])*\bfrom\s+stdin\b/i;
export const createsRoutine = /^\s*create\s+(?:or\s+replace\s+)?(?:function|procedure)\s/i;
