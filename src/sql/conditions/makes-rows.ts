/**
 * Whether a SELECT may make many rows of one: `SELECT generate_series(1, 5000)`, be it in a cast or behind an operator ("SQL
 * Functions Returning Sets" in the PostgreSQL manual), and `GROUP BY CUBE (...)`.
 *
 * What it must not know: which rows the SELECT is made of.
 */
import type { SelectStmt } from 'libpg-query';
import { sideEffectFree } from '../catalog/pg-catalog-functions.js';
import { as, eachChild, type Node, names } from '../grammar/tree.js';
import type { AnalysisBudget } from './analysis-budget.js';

const plain: ReadonlySet<string> = new Set(sideEffectFree.split(/\s+/));
const setReturning =
  /^(unnest|generate_|.*_to_table$|regexp_matches|jsonb?_(each|array_elements|object_keys|populate|to_record|path_query)|aclexplode|ts_|pg_|txid_snapshot_xip$)/;

/** None of PostgreSQL's own gives a set; one with a schema, or of other characters, may be anybody's. */
const plainOperator =
  /^(?:[-+*/%<>=~^|&!#?@]|\|\||<=|>=|<>|!=|->>?|#>>?|~~\*?|!~~\*?|~\*|!~\*?|@>|<@|&&|<<|>>|\?\||\?&)$/;
const plainPrefix = /^[-+~@]$/;

export function makesManyOfOne({ targetList, groupClause = [] }: SelectStmt, budget: AnalysisBudget): boolean {
  let found = groupClause.some((one) => as(one, 'GroupingSet') !== undefined);
  const look = (node: Node): void => {
    if (!budget.spend()) found = true;
    if (found || as(node, 'SubLink') !== undefined) return;
    if (isSetReturning(node)) found = true;
    eachChild(Object.values(node)[0], look);
  };
  for (const target of targetList ?? []) look(target);
  return found;
}

function isSetReturning(node: Node): boolean {
  const call = as(node, 'FuncCall');
  if (call !== undefined) {
    const path = names(call.funcname);
    const name = path.at(-1) ?? '';
    return path.length > 2 || !plain.has(name) || setReturning.test(name);
  }
  const expression = as(node, 'A_Expr');
  if (expression?.kind !== 'AEXPR_OP') return false;
  const path = names(expression.name);
  const own = expression.lexpr === undefined ? plainPrefix : plainOperator;
  return path.length !== 1 || !own.test(path[0] ?? '');
}
