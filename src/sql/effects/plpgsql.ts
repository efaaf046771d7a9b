/** Bodies in PL/pgSQL: every static statement and expression is read as SQL, dynamic ones are opaque. */
import { dollarQuoted } from '../grammar/comments.js';
import type { Walk } from './effect-walk.js';

/** Adds the effects of the body. False when some of it cannot be seen (dynamic EXECUTE, a body that does not parse). */
export function plpgsqlBody(createFunction: string, walk: Walk): boolean {
  const parsed = walk.knowledge.grammar.parsePlpgsql(createFunction);
  if ('rejection' in parsed) return false;
  walk.variables = new Set([...walk.variables, ...variablesIn(parsed.tree)]);
  // A text without a function in it parses as well, to nothing.
  return Array.isArray(parsed.tree) && parsed.tree.length === 1 && readAll(parsed.tree, walk);
}

/** Parameters and declared variables: PL/pgSQL refuses a name that may also be a column. */
function variablesIn(tree: unknown): string[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const { refname } = tree as { refname?: unknown };
  const below = Object.values(tree).flatMap(variablesIn);
  return typeof refname === 'string' ? [refname, ...below] : below;
}

/** A DO block has no CREATE FUNCTION around it, which the parser wants. */
export function plpgsqlBlock(block: string, walk: Walk): boolean {
  return plpgsqlBody(`CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS ${dollarQuoted(block)}`, walk);
}

/** Dynamic SQL: EXECUTE, FOR ... IN EXECUTE, OPEN ... FOR EXECUTE, RETURN QUERY EXECUTE. */
const dynamic = ['PLpgSQL_stmt_dynexecute', 'PLpgSQL_stmt_dynfors'];
/** What stands in them runs any number of times. */
const loops: ReadonlySet<string> = new Set([
  'PLpgSQL_stmt_loop',
  'PLpgSQL_stmt_while',
  'PLpgSQL_stmt_fori',
  'PLpgSQL_stmt_fors',
  'PLpgSQL_stmt_forc',
  'PLpgSQL_stmt_foreach_a',
  'PLpgSQL_stmt_dynfors',
]);

function readAll(tree: unknown, walk: Walk): boolean {
  if (typeof tree !== 'object' || tree === null) return true;
  if (Array.isArray(tree)) return tree.map((item) => readAll(item, walk)).every(Boolean);
  let understood = true;
  for (const [key, value] of Object.entries(tree)) {
    if (loops.has(key)) {
      walk.repeating(() => {
        if (!readAll(value, walk)) understood = false;
      });
      if (dynamic.includes(key) && !readDynamic(value, walk)) understood = false;
      continue;
    }
    if (dynamic.includes(key) && !readDynamic(value, walk)) understood = false;
    if (key === 'PLpgSQL_stmt_commit' || key === 'PLpgSQL_stmt_rollback')
      walk.add('transaction', { detail: 'in a body' });
    if (key === 'dynquery' && !readText(value, walk)) understood = false;
    if (key === 'PLpgSQL_expr') {
      if (!readExpression(value, walk)) understood = false;
    } else if (!readAll(value, walk)) {
      understood = false;
    }
  }
  return understood;
}

/** EXECUTE of a constant string is as good as static SQL. */
function readDynamic(statement: unknown, walk: Walk): boolean {
  return readText((statement as { query?: unknown }).query, walk);
}

function readText(expression: unknown, walk: Walk): boolean {
  const query = (expression as { PLpgSQL_expr?: { query?: unknown } } | undefined)?.PLpgSQL_expr?.query;
  const literal = typeof query === 'string' ? /^\s*'((?:[^'\\]|'')*)'\s*$/.exec(query)?.[1] : undefined;
  return literal !== undefined && walk.text(literal.replaceAll("''", "'"));
}

/** How PL/pgSQL reads an expression (RawParseMode): 0 a whole statement, 2 an expression, 3 to 5 an assignment. */
function readExpression(expression: unknown, walk: Walk): boolean {
  const { query, parseMode } = expression as { query?: unknown; parseMode?: unknown };
  if (typeof query !== 'string') return false;
  if (parseMode === undefined || parseMode === 0) return walk.text(query);
  if (parseMode === 2) return walk.text(`SELECT ${query}`);
  // `target := expression`; a subscript in the target is computed too.
  const [, target, value] = /^([\s\S]*?)(?::=|=)([\s\S]*)$/.exec(query) ?? [];
  if (target === undefined || value === undefined) return false;
  return walk.text(`SELECT ${target}`) && walk.text(`SELECT ${value}`);
}
