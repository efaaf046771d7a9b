/**
 * `INSERT ... VALUES` of thousands of rows, without those in its middle that hold nothing but plain constants: reading
 * a megabyte of them takes the grammar 70 ms, in which every other connection waits.
 *
 * What stays is the first row, and everything from the first one on that is not plain (at the latest the last). No fact of
 * an INSERT tells one constant from another; a property test holds what is found against the facts of the whole text. The
 * scanner knows few spellings, exactly as PostgreSQL's lexer reads them (src/backend/parser/scan.l, with
 * standard_conforming_strings on); where it meets anything else it stops, and the grammar reads on.
 */

/** Shorter texts go through the grammar as they are. */
const shortest = 4096;

/** scan.l's `space`. JavaScript's \s has characters that are letters to PostgreSQL. */
const spaces = '[ \\t\\n\\r\\f\\v]+';
const space = '[ \\t\\n\\r\\f\\v]*';
const name = '(?:[a-z_][a-z0-9_$]*|"[^"]+")';
const qualified = `${name}(?:${space}\\.${space}${name})*`;
const columns = `\\(${space}${name}(?:${space},${space}${name})*${space}\\)${space}`;

const head = new RegExp(
  `${space}insert${spaces}into${spaces}${qualified}${space}(?:${columns})?values(?![a-z0-9_$])`,
  'iy',
);
const gap = new RegExp(space, 'y');
/** Not `DEFAULT`, which is an expression of the table's. */
const word = '-?[0-9]+(?:\\.[0-9]+)?|null|true|false';
const plain = new RegExp(word, 'iy');
/** Most rows, in one step: bounded, since an expression that remembers each column could run out of memory. */
const value = `${space}(?:'[^']*'|${word})${space}`;
const usual = new RegExp(`${space}\\(${value}(?:,${value}){0,99}\\)${space},`, 'iy');
/** How many rows it writes is a fact of an upsert. */
const upsert = /conflict/i;

/** Undefined where nothing can be left out. */
export function withoutConstantRows(sql: string): string | undefined {
  if (sql.length < shortest) return undefined;
  const values = endOf(head, sql, 0);
  const first = values === undefined ? undefined : rowEnd(sql, values);
  if (first === undefined) return undefined;
  let last = first;
  for (let next = rowEnd(sql, last); next !== undefined; next = rowEnd(sql, last)) last = next;
  const rest = sql.slice(last);
  return last === first || upsert.test(rest) ? undefined : sql.slice(0, first) + rest;
}

/** Behind the comma of `(constant, ...),`. */
function rowEnd(sql: string, from: number): number | undefined {
  const end = endOf(usual, sql, from);
  if (end !== undefined) return end;
  let at = afterSpace(sql, from);
  if (sql[at] !== '(') return undefined;
  do {
    const end = constantEnd(sql, afterSpace(sql, at + 1));
    if (end === undefined) return undefined;
    at = afterSpace(sql, end);
  } while (sql[at] === ',');
  if (sql[at] !== ')') return undefined;
  at = afterSpace(sql, at + 1);
  return sql[at] === ',' ? at + 1 : undefined;
}

function constantEnd(sql: string, at: number): number | undefined {
  if (sql[at] !== "'") return endOf(plain, sql, at);
  for (let quote = sql.indexOf("'", at + 1); quote >= 0; quote = sql.indexOf("'", quote + 2)) {
    if (sql[quote + 1] !== "'") return quote + 1;
  }
  return undefined;
}

function afterSpace(sql: string, at: number): number {
  return sql.charCodeAt(at) > 32 ? at : (endOf(gap, sql, at) ?? at);
}

function endOf(pattern: RegExp, sql: string, from: number): number | undefined {
  pattern.lastIndex = from;
  return pattern.test(sql) ? pattern.lastIndex : undefined;
}
