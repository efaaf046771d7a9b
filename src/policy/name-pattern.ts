/**
 * Patterns for names: `*` any run of characters, `?` one. Database names have up to three parts, each folded as
 * PostgreSQL folds it: unquoted lower case, `"Quoted"` as it is.
 */

/** Matches a whole string. Linear in both lengths: a pattern of a repository must not be able to hang the proxy. */
export function globMatches(pattern: string, text: string): boolean {
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const character = pattern[inPattern];
    if (character === '*') {
      star = inPattern++;
      resume = at;
    } else if (character !== undefined && (character === '?' || character === text[at])) {
      inPattern++;
      at++;
    } else if (star >= 0) {
      inPattern = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === '*') inPattern++;
  return inPattern === pattern.length;
}

/** The parts of `schema.table.column`, right-aligned: the last part is the most special one. */
export interface NamePattern {
  readonly text: string;
  readonly parts: readonly string[];
}

/** Undefined when the text is not a dotted name of at most `maxParts` parts. */
export function parseNamePattern(text: string, maxParts: number): NamePattern | undefined {
  const parts: string[] = [];
  const part = /"((?:[^"]|"")+)"|([^\s".]+)/y;
  let at = 0;
  for (;;) {
    part.lastIndex = at;
    const match = part.exec(text);
    if (match === null) return undefined;
    parts.push(match[1] === undefined ? (match[2] ?? '').toLowerCase() : match[1].replaceAll('""', '"'));
    at = part.lastIndex;
    if (at === text.length) break;
    if (text[at] !== '.') return undefined;
    at++;
  }
  return parts.length <= maxParts ? { text, parts } : undefined;
}

export type Match = 'yes' | 'maybe' | 'no';

/**
 * Right-aligned comparison of a pattern with a name whose leading parts may not be known: `orders` matches every
 * schema's orders; an unqualified `orders` in the text may be `billing.orders`, which only search_path decides.
 */
export function matchName(pattern: NamePattern, name: readonly (string | undefined)[]): Match {
  let result: Match = 'yes';
  for (let back = 1; back <= pattern.parts.length; back++) {
    const wanted = pattern.parts[pattern.parts.length - back] ?? '*';
    const found = name[name.length - back];
    if (found === undefined) {
      if (wanted !== '*') result = 'maybe';
    } else if (!globMatches(wanted, found)) {
      return 'no';
    }
  }
  return result;
}
