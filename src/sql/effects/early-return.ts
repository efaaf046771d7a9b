/**
 * Functions that return at once where a row is there already, whatever stands behind that: the first statement tries to
 * add the row (ON CONFLICT DO NOTHING), the second is IF ... IS NULL THEN RETURN. So pg-boss makes a queue.
 * What lives here: which row has to be there. Must not know whether it is.
 */
import type { FuncCall, InsertStmt, SelectStmt } from 'libpg-query';
import type { CatalogFunction, CatalogFunctions } from '../catalog/catalog-functions.js';
import type { CatalogRelations } from '../catalog/catalog-relations.js';
import { relationTarget } from '../conditions/scope.js';
import type { Effect, EffectKind, Presence, RowValue } from '../facts.js';
import type { Grammar } from '../grammar/grammar.js';
import { as, constant, type Node, names } from '../grammar/tree.js';
import { expressionOf, type PlStep, type PlTarget, readPlpgsql } from './plpgsql-tree.js';

export interface FunctionReader {
  readonly grammar: Grammar;
  readonly catalog: CatalogFunctions | undefined;
  readonly relations: CatalogRelations | undefined;
  /** Undefined where the text cannot be read. */
  effectsOf(sql: string): readonly Effect[] | undefined;
}

/** `SELECT pgboss.create_queue($1, $2)`. Undefined where the call may do something whatever is there. */
export function nothingIfRowThere(
  statement: Node | undefined,
  reader: FunctionReader,
): readonly Presence[] | undefined {
  const call = loneCall(as(statement, 'SelectStmt'));
  const path = names(call?.funcname);
  const [one, ...overloads] = reader.catalog?.find(path.at(-2), path.at(-1) ?? '') ?? [];
  if (call === undefined || one?.language !== 'plpgsql' || overloads.length > 0 || path.length !== 2) return undefined;
  const values = (call.args ?? []).map(valueGiven);
  if (values.length !== one.inputs.length || values.includes(undefined)) return undefined;
  const insert = guardingInsert(one, reader);
  if (insert === undefined) return undefined;
  const texts = takesText(one, reader.grammar);
  const given = (parameter: string) => (texts.has(parameter) ? values[one.inputs.indexOf(parameter)] : undefined);
  return keyRow(insert, given, reader);
}

/** Text only: another type may be written in one way and kept in another. */
function takesText(one: CatalogFunction, grammar: Grammar): ReadonlySet<string> {
  const parsed = grammar.parse(one.definition);
  const create = 'tree' in parsed ? as(parsed.tree.stmts?.[0]?.stmt, 'CreateFunctionStmt') : undefined;
  const parameters = (create?.parameters ?? []).map((node) => as(node, 'FunctionParameter'));
  return new Set(parameters.flatMap((one) => (isText(names(one?.argType?.names)) ? (one?.name ?? []) : [])));
}

/** A SELECT of one call and nothing else. */
function loneCall(select: SelectStmt | undefined): FuncCall | undefined {
  if (select === undefined) return undefined;
  const { targetList, op: _, limitOption: _l, ...more } = select;
  const [only, ...others] = targetList ?? [];
  const call =
    Object.keys(more).length === 0 && others.length === 0 ? as(as(only, 'ResTarget')?.val, 'FuncCall') : undefined;
  return call?.func_variadic === true ? undefined : call;
}

function valueGiven(arg: Node): Pick<RowValue, 'parameter' | 'text'> | undefined {
  const cast = as(arg, 'TypeCast');
  if (cast !== undefined)
    return isText(names(cast.typeName?.names)) || isJson(names(cast.typeName?.names))
      ? valueGiven(cast.arg as Node)
      : undefined;
  const parameter = as(arg, 'ParamRef')?.number;
  if (parameter !== undefined) return { parameter };
  const text = constant(arg);
  return typeof text === 'string' ? { text } : undefined;
}

const isText = (type: readonly string[]): boolean => ['text', 'varchar'].includes(type.at(-1) ?? '');
const isJson = (type: readonly string[]): boolean => ['json', 'jsonb'].includes(type.at(-1) ?? '');

/** The INSERT that a body begins with, if the body ends there when it adds no row. */
function guardingInsert(one: CatalogFunction, reader: FunctionReader): InsertStmt | undefined {
  const read = readPlpgsql(one.definition, reader.grammar);
  const defaults = (read?.datums ?? []).flatMap(({ PLpgSQL_var: variable }) => variable?.default_val ?? []);
  if (!defaults.every((value) => doesOnly(['read'], `SELECT ${expressionOf(value)}`, reader))) return undefined;
  const block = read?.action?.PLpgSQL_stmt_block;
  const [first, second] = block?.body ?? [];
  if (block?.exceptions !== undefined || first === undefined || second === undefined) return undefined;
  const run = first.PLpgSQL_stmt_execsql;
  const variable = onlyTarget(run?.target);
  const sql = expressionOf(run?.sqlstmt);
  const insert = doesOnly(['read', 'insert'], sql, reader) ? insertOfOneRow(sql, reader.grammar) : undefined;
  return variable !== undefined && insert !== undefined && returnsOnNull(second, variable, reader.grammar)
    ? insert
    : undefined;
}

function doesOnly(kinds: readonly EffectKind[], sql: string, reader: FunctionReader): boolean {
  return reader.effectsOf(sql)?.every(({ kind, opaque }) => kinds.includes(kind) && !opaque) === true;
}

function onlyTarget(target: PlTarget | undefined): string | undefined {
  const fields = target?.PLpgSQL_row?.fields ?? [];
  return fields.length === 1 ? fields[0]?.name : undefined;
}

/** `WITH q AS (INSERT ... VALUES (...) ON CONFLICT DO NOTHING RETURNING c) SELECT c FROM q`: no row where one is there. */
function insertOfOneRow(sql: string, grammar: Grammar): InsertStmt | undefined {
  const parsed = grammar.parse(sql);
  const stmts = 'tree' in parsed ? (parsed.tree.stmts ?? []) : [];
  const {
    withClause,
    fromClause,
    targetList,
    op: _,
    limitOption: _l,
    ...more
  } = as(stmts[0]?.stmt, 'SelectStmt') ?? {};
  const [cte, ...ctes] = withClause?.ctes ?? [];
  const query = as(cte, 'CommonTableExpr');
  const [from, ...joins] = fromClause ?? [];
  const [column, ...columns] = targetList ?? [];
  const plain = as(as(column, 'ResTarget')?.val, 'ColumnRef') !== undefined;
  if (stmts.length !== 1 || !plain || columns.length + ctes.length + joins.length + Object.keys(more).length > 0)
    return undefined;
  if (as(from, 'RangeVar')?.relname !== query?.ctename) return undefined;
  const insert = as(query?.ctequery, 'InsertStmt');
  const rows = as(insert?.selectStmt, 'SelectStmt')?.valuesLists ?? [];
  return insert?.onConflictClause?.action === 'ONCONFLICT_NOTHING' && rows.length === 1 ? insert : undefined;
}

/** `IF v IS NULL THEN RETURN; END IF`, also with `OR ...`. */
function returnsOnNull({ PLpgSQL_stmt_if: choice }: PlStep, variable: string, grammar: Grammar): boolean {
  const [only, ...more] = choice?.then_body ?? [];
  if (only?.PLpgSQL_stmt_return === undefined || only.PLpgSQL_stmt_return.expr !== undefined || more.length > 0)
    return false;
  const parsed = grammar.parse(`SELECT ${expressionOf(choice?.cond)}`);
  const select =
    'tree' in parsed && parsed.tree.stmts?.length === 1 ? as(parsed.tree.stmts[0]?.stmt, 'SelectStmt') : undefined;
  const condition = as(select?.targetList?.[0], 'ResTarget')?.val;
  const or = as(condition, 'BoolExpr');
  const first = or?.boolop === 'OR_EXPR' ? or.args?.[0] : condition;
  const test = as(first, 'NullTest');
  return test?.nulltesttype === 'IS_NULL' && names(as(test.arg, 'ColumnRef')?.fields).join('.') === variable;
}

/** The row that has the new one's key, where a key is given by nothing but arguments of the call. */
function keyRow(
  insert: InsertStmt,
  given: (parameter: string) => Pick<RowValue, 'parameter' | 'text'> | undefined,
  { relations }: FunctionReader,
): readonly Presence[] | undefined {
  if (insert.relation?.schemaname === undefined || insert.withClause !== undefined) return undefined;
  const of = relationTarget(insert.relation);
  // a trigger may give the row another key
  if (relations === undefined || relations.hidden(of, 'insert').length > 0) return undefined;
  const columns = (insert.cols ?? []).map((node) => as(node, 'ResTarget')?.name ?? '');
  const [row] = as(insert.selectStmt, 'SelectStmt')?.valuesLists ?? [];
  const items = as(row, 'List')?.items ?? [];
  for (const key of relations.keys(of)) {
    const values = key.map((column) => {
      const path = names(as(items[columns.indexOf(column)], 'ColumnRef')?.fields);
      const value = path.length === 1 ? given(path[0] ?? '') : undefined;
      return value && { column, ...value };
    });
    if (values.length > 0 && values.every((one) => one !== undefined))
      return [{ what: 'row', of, values, there: true }];
  }
  return undefined;
}
