/**
 * The query that selects the rows which an UPDATE or DELETE would hit, made of its own words: `DELETE FROM t WHERE x` is
 * `SELECT 1 FROM t WHERE x`. For counting them where the planner has nothing to go by.
 *
 * What it must not know: what is done with it. Whoever runs it makes sure first that it only reads.
 */
import type { Word } from './grammar/grammar.js';

type Clause = 'from' | 'using' | 'set' | 'where' | 'returning';

/** Undefined where the words do not come in the order that is expected. `words`: of `sql`. */
export function selectedRows(sql: string, words: readonly Word[]): string | undefined {
  const outer = outermost(words);
  const verb = outer.find(({ text }) => text === 'DELETE' || text === 'UPDATE');
  if (verb === undefined) return undefined;
  const clauses = clausesAfter(verb, outer);
  const { using, set, from, where, returning } = clauses;
  const end = returning?.start ?? sql.length;
  const before = sql.slice(0, verb.start);
  const condition = where === undefined ? '' : sql.slice(where.start, end);
  if (verb.text === 'DELETE') {
    if (from === undefined || set !== undefined) return undefined;
    const target = sql.slice(from.end, (using ?? where)?.start ?? end);
    const others = using === undefined ? '' : `, ${sql.slice(using.end, where?.start ?? end)}`;
    return `${before}SELECT 1 FROM ${target}${others}${condition}`;
  }
  if (set === undefined) return undefined;
  const others = from === undefined ? ' ' : `, ${sql.slice(from.end, where?.start ?? end)}`;
  return `${before}SELECT 1 FROM ${sql.slice(verb.end, set.start)}${others}${condition}`;
}

/** Those that stand in no parentheses. */
function outermost(words: readonly Word[]): Word[] {
  let depth = 0;
  return words.filter(({ text }) => {
    if (text === ')' || text === ']') depth--;
    const outside = depth === 0;
    if (text === '(' || text === '[') depth++;
    return outside;
  });
}

/** The first of each, after the verb. */
function clausesAfter(verb: Word, outer: readonly Word[]): Partial<Record<Clause, Word>> {
  const found: Partial<Record<Clause, Word>> = {};
  let previous = '';
  for (const word of outer) {
    const isClause = word.start > verb.start && isClauseWord(word.text);
    // `a IS DISTINCT FROM b`
    if (isClause && previous !== 'DISTINCT') found[word.text.toLowerCase() as Clause] ??= word;
    previous = word.text;
  }
  return found;
}

function isClauseWord(text: string): boolean {
  return ['FROM', 'USING', 'SET', 'WHERE', 'RETURNING'].includes(text);
}
