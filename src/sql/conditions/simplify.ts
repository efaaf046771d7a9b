/** Takes away what changes nothing, so that comparisons can be judged: casts, `x + 0`, `coalesce(x, x)`, `(SELECT x)`. */
import { as, constant, type Node, names, sameTree, stringConstant } from '../grammar/tree.js';

export function simplify(node: Node): Node {
  const cast = as(node, 'TypeCast');
  if (cast?.arg !== undefined) return castValue(simplify(cast.arg), names(cast.typeName?.names).at(-1));

  const collate = as(node, 'CollateClause');
  if (collate?.arg !== undefined) return simplify(collate.arg);

  const coalesce = as(node, 'CoalesceExpr');
  if (coalesce !== undefined) {
    const args = (coalesce.args ?? []).map(simplify).filter((arg) => constant(arg) !== null);
    const [first] = args;
    if (first === undefined) return nullConstant;
    return constant(first) !== undefined || args.every((arg) => sameTree(arg, first)) ? first : node;
  }
  const extreme = as(node, 'MinMaxExpr')?.args?.map(simplify);
  if (extreme?.[0] !== undefined && extreme.every((arg) => sameTree(arg, extreme[0]))) return extreme[0];

  const call = as(node, 'FuncCall');
  if (call !== undefined) return unwrapped(names(call.funcname).at(-1) ?? '', call.args ?? []) ?? node;

  const select = as(as(node, 'SubLink')?.subselect, 'SelectStmt');
  if (select !== undefined && as(node, 'SubLink')?.subLinkType === 'EXPR_SUBLINK') {
    const only = select.targetList?.length === 1 ? as(select.targetList[0], 'ResTarget')?.val : undefined;
    const bare = !select.fromClause && !select.whereClause && !select.withClause && !select.valuesLists;
    if (only !== undefined && bare) return simplify(only);
  }
  return arithmetic(node);
}

/** Functions that give most values back as they were: `id = abs(id)`, `email = lower(email)` hold for nearly every row. */
const wrappers: ReadonlySet<string> = new Set(['abs', 'lower', 'upper', 'btrim', 'ltrim', 'rtrim', 'concat', 'date']);

function unwrapped(name: string, args: readonly Node[]): Node | undefined {
  if (name === 'date_trunc' && args[1] !== undefined) return simplify(args[1]);
  if (!wrappers.has(name)) return undefined;
  const [only, ...more] = args.map(simplify).filter((arg) => stringConstant(arg) !== '');
  return more.length === 0 ? only : undefined;
}

const nullConstant: Node = { A_Const: { isnull: true } };

/** `'t'::bool` is true; other casts leave the value as it is, which is what comparisons look at. */
function castValue(arg: Node, type: string | undefined): Node {
  const value = constant(arg);
  if (type !== 'bool' || value === undefined || value === null || typeof value === 'boolean') return arg;
  const text = String(value).trim().toLowerCase();
  const truth = /^(t|tr|tru|true|y|ye|yes|on)$/.test(text) || (/^-?\d+$/.test(text) && Number(text) !== 0);
  return { A_Const: { boolval: { boolval: truth } } };
}

const arithmeticOperators: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '||']);

function arithmetic(node: Node): Node {
  const expression = as(node, 'A_Expr');
  const { lexpr, rexpr } = expression ?? {};
  if (expression?.kind === 'AEXPR_NULLIF' && lexpr !== undefined) return simplify(lexpr);
  if (expression?.kind !== 'AEXPR_OP' || rexpr === undefined) return node;
  const operator = names(expression.name).at(-1) ?? '';
  if (!arithmeticOperators.has(operator)) return node;
  const right = simplify(rexpr);
  if (lexpr === undefined) {
    const value = constant(right);
    return operator === '-' && typeof value === 'number' ? number(-value) : node;
  }
  const left = simplify(lexpr);
  const a = constant(left);
  const b = constant(right);
  if (typeof a === 'number' && typeof b === 'number') return fold(a, operator, b) ?? node;
  if (operator === '||' && typeof a === 'string' && typeof b === 'string')
    return { A_Const: { sval: { sval: a + b } } };
  if ((b === 0 && operator === '*') || (b === 1 && operator === '%')) return number(0);
  if (sameTree(left, right) && operator === '-') return number(0);
  if (neutralRight(operator, b)) return left;
  return neutralLeft(operator, a) ? right : node;
}

function fold(a: number, operator: string, b: number): Node | undefined {
  if (operator === '+') return number(a + b);
  if (operator === '-') return number(a - b);
  return operator === '*' ? number(a * b) : undefined;
}

function number(value: number): Node {
  return { A_Const: Number.isInteger(value) ? { ival: { ival: value } } : { fval: { fval: String(value) } } };
}

function neutralRight(operator: string, value: unknown): boolean {
  if (value === 0) return operator === '+' || operator === '-';
  if (value === 1) return operator === '*' || operator === '/';
  return value === '' && operator === '||';
}

function neutralLeft(operator: string, value: unknown): boolean {
  if (value === 0) return operator === '+';
  if (value === 1) return operator === '*';
  return value === '' && operator === '||';
}
