/**
 * SQL that the server prints, with constants taken out. Names and words stay.
 *
 * What lives here: where a constant begins and ends ("Lexical Structure" in the PostgreSQL manual). What it must not know:
 * columns, grammar: a statement that the server shows may be cut off anywhere.
 */
import type { CellMask } from '../kinds/cell.js';
import { wholeMask } from '../kinds/whole-value.js';

/** A name in quotes, a constant of any form, a comment, a word, a number; what is not closed goes on to the end. */
const piece =
  /"(?:[^"]|"")*(?:"|$)|(?<text>[EeBbXxNn]?'(?:[^'\\]|''|\\[\s\S])*(?:'|\\?$)|\$(?<tag>\w*)\$[\s\S]*?(?:\$\k<tag>\$|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|[\p{L}_][\p{L}\p{N}_$]*|(?<number>\.?\d[\w.]*)/gu;

const hidden = "'***'";

/** The constants of a text: strings as they are between their quotes, and numbers where those count too. */
export function constantsIn(text: string, numbers: boolean): string[] {
  return [...text.matchAll(piece)].flatMap(({ groups }) => {
    if (groups?.text !== undefined) return [insideQuotes(groups.text)];
    return numbers && groups?.number !== undefined ? [groups.number] : [];
  });
}

/** @param secret which constants go; `all`: every one of them, and comments */
export function sqlTextMask(secret: ReadonlySet<string> | 'all'): CellMask {
  return wholeMask((bytes) => {
    const text = bytes.toString('utf8');
    // a broken character has become another one, and is no constant that anybody knows
    return Buffer.from(
      text.replaceAll(piece, (found, ...rest) => replaced(found, rest.at(-1) as Groups, secret)),
      'utf8',
    );
  });
}

type Groups = Readonly<Record<'text' | 'number', string | undefined>>;

function replaced(found: string, { text, number }: Groups, secret: ReadonlySet<string> | 'all'): string {
  if (text === undefined && number === undefined) return found;
  if (secret === 'all') return hidden;
  return secret.has(text === undefined ? found : insideQuotes(text)) ? hidden : found;
}

function insideQuotes(text: string): string {
  const inner = /^[A-Za-z]?'([\s\S]*?)'?$/.exec(text)?.[1];
  return inner?.replaceAll("''", "'") ?? text;
}
