/**
 * `log_line_prefix` read backwards: from its format to what a line's beginning says.
 * https://www.postgresql.org/docs/current/runtime-config-logging.html#GUC-LOG-LINE-PREFIX
 *
 * Clients choose some of the fields (%a, %u, %d), and nothing is quoted: a line may be readable in several ways. All of
 * them are given; which one the server meant cannot be told from the line.
 */

export interface PrefixFields {
  readonly time?: string;
  readonly pid?: number;
  readonly user?: string;
  readonly database?: string;
}

export interface PrefixReading {
  readonly fields: PrefixFields;
  /** Where the prefix ends. */
  readonly end: number;
}

const timestamp = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? (?:[A-Za-z]{1,6}|[+-]\d\d(?::?\d\d)*)/y;
const address = /(?:\[local\]|\[none\]|[\w.:%-]+)?/y;
const number = /-?\d*/y;
/** Identifiers have 63 bytes and may hold any character, a line break too. */
const name = /[^\0]{0,63}/uy;

/**
 * Of a guessed prefix: no blanks and no brackets. What another prefix puts there, the true process id for one, is no name.
 */
const plainName = /\[unknown\]|[^\0\s[\]()]{0,63}/uy;

interface Escape {
  readonly pattern: RegExp;
  readonly take?: (text: string) => PrefixFields;
}

/** What stands for each escape; empty where the process has no session. */
const escapes: Readonly<Record<string, Escape>> = {
  // the server replaces what is not printable ASCII
  a: { pattern: /[\x20-\x7e]{0,63}/y },
  u: { pattern: name, take: (user) => named('user', user) },
  d: { pattern: name, take: (database) => named('database', database) },
  r: { pattern: /(?:\[local\]|[\w.:%-]+(?:\(\d+\))?)?/y },
  h: { pattern: address },
  L: { pattern: address },
  b: { pattern: /[\w .:()/#-]*/y },
  p: { pattern: /\d+/y, take: (pid) => ({ pid: Number(pid) }) },
  P: { pattern: number },
  t: { pattern: timestamp, take: (time) => ({ time }) },
  m: { pattern: timestamp, take: (time) => ({ time }) },
  n: { pattern: /\d{10}\.\d{3}/y, take: (time) => ({ time }) },
  s: { pattern: timestamp },
  i: { pattern: /[^\0\n]{0,255}/y },
  e: { pattern: /[0-9A-Z]{5}/y },
  // when the session began, and its process id, both in hexadecimal digits
  c: { pattern: /[0-9a-f]+\.[0-9a-f]+/y, take: (id) => ({ pid: Number.parseInt(id.split('.')[1] ?? '', 16) }) },
  l: { pattern: number },
  v: { pattern: /(?:-?\d+\/\d+)?/y },
  x: { pattern: number },
  Q: { pattern: number },
};

const guessedNames: Readonly<Record<string, Escape>> = {
  u: { pattern: plainName, take: (user) => named('user', user) },
  d: { pattern: plainName, take: (database) => named('database', database) },
};

function named(field: 'user' | 'database', value: string): PrefixFields {
  return value === '' || value === '[unknown]' ? {} : { [field]: value };
}

type Part =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'escape'; readonly escape: Escape; readonly padding: number }
  | { readonly kind: 'end-without-session' };

/** States of one reading: a name of 63 blanks must not cost a second. */
const maxStates = 20_000;

export class LinePrefix {
  readonly format: string;
  /** Nobody said that the server had it. */
  readonly guessed: boolean;
  readonly #parts: readonly Part[];

  constructor(format: string, { guessed = false }: { readonly guessed?: boolean } = {}) {
    this.format = format;
    this.guessed = guessed;
    this.#parts = partsOf(format, guessed ? { ...escapes, ...guessedNames } : escapes);
  }

  /**
   * Every way to read the beginning of this line, as far as the ways differ in the process id, the time or the end; names
   * that differ are left out. None for a line that does not begin like this, or in too many ways.
   */
  read(line: string): readonly PrefixReading[] {
    const search: Search = { line, found: [], seen: new Map(), namesDiffer: false };
    this.#read(search, 0, 0, {});
    if (search.seen.size > maxStates) return [];
    if (!search.namesDiffer) return search.found;
    return search.found.map(({ fields: { user: _user, database: _database, ...fields }, end }) => ({ fields, end }));
  }

  #read(search: Search, at: number, index: number, fields: PrefixFields): void {
    const { line, found, seen } = search;
    const state = `${index} ${at} ${fields.pid} ${fields.time}`;
    const names = `${fields.user}\0${fields.database}`;
    const before = seen.get(state);
    if (before !== undefined && before !== names) search.namesDiffer = true;
    if (before !== undefined || seen.size > maxStates) return;
    seen.set(state, names);
    const part = this.#parts[index];
    if (part === undefined || part.kind === 'end-without-session') found.push({ fields, end: at });
    if (part === undefined) return;
    if (part.kind === 'end-without-session') {
      this.#read(search, at, index + 1, fields);
    } else if (part.kind === 'literal') {
      if (line.startsWith(part.text, at)) this.#read(search, at + part.text.length, index + 1, fields);
    } else {
      for (const { end, value } of values(line, at, part.escape, part.padding)) {
        const more = part.escape.take?.(value);
        this.#read(search, end, index + 1, more === undefined ? fields : { ...fields, ...more });
      }
    }
  }
}

interface Search {
  readonly line: string;
  readonly found: PrefixReading[];
  /** From where the search has been, with what it knew, to the names that were read on the way. */
  readonly seen: Map<string, string>;
  namesDiffer: boolean;
}

/** `%`, an optional padding, a letter; letters that PostgreSQL does not know stand for nothing. */
function partsOf(format: string, meanings: Readonly<Record<string, Escape>>): Part[] {
  const parts: Part[] = [];
  for (const [, literal, padding, letter] of format.matchAll(/([^%]+)|%(-?\d*)(.?)/gsu)) {
    if (literal !== undefined) parts.push({ kind: 'literal', text: literal });
    else if (letter === '%') parts.push({ kind: 'literal', text: '%' });
    else if (letter === 'q') parts.push({ kind: 'end-without-session' });
    else {
      const known = meanings[letter ?? ''];
      if (known) parts.push({ kind: 'escape', escape: known, padding: Number(padding) || 0 });
    }
  }
  return parts;
}

interface Value {
  readonly value: string;
  readonly end: number;
}

/** What may stand here for the escape, longest first: the next escape may go on with the same characters. Shorter values than the padding are filled up with blanks, left or right. */
function* values(line: string, at: number, { pattern }: Escape, padding: number): Generator<Value> {
  const width = Math.abs(padding);
  if (width > 0 && at + width <= line.length) {
    const field = line.slice(at, at + width);
    const value = padding > 0 ? field.replace(/^ +/, '') : field.replace(/ +$/, '');
    if (matchedLength(pattern, value, 0) === value.length) yield { value, end: at + width };
  }
  const length = matchedLength(pattern, line, at);
  if (length === undefined) return;
  const shortest = width > 0 ? width + 1 : 0;
  for (let size = length; size >= shortest; size--) {
    const value = line.slice(at, at + size);
    if (size === length || matchedLength(pattern, value, 0) === size) yield { value, end: at + size };
  }
}

function matchedLength(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length;
}
