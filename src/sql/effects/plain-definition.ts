/**
 * Definitions whose text says all that the catalog will say of what they make, and those that make nothing that anybody
 * is judged by: no inheritance, nothing that is copied from elsewhere or there already, no code but functions in SQL and
 * PL/pgSQL.
 *
 * What lives here: which forms those are. What it must not know: what the catalog has, and what became of the statement.
 */
import type {
  AlterTableCmd,
  ColumnDef,
  Constraint,
  CreateFunctionStmt,
  CreateStmt,
  DropStmt,
  IndexStmt,
  RangeVar,
  ViewStmt,
} from 'libpg-query';
import type { PlainDefinition, PlainFunction, PlainRelation } from '../definition.js';
import type { Word } from '../grammar/grammar.js';
import { as, eachChild, type Node, names, optionText, type Tag, tagOf } from '../grammar/tree.js';

/**
 * @param source the statement alone
 * @param words of a text, as the server's lexer cuts it up
 * @returns undefined where the catalog may say more, and for what is no definition
 */
export function plainDefinition(
  stmt: Node | undefined,
  source: string,
  words: (text: string) => readonly Word[] | undefined,
): PlainDefinition | undefined {
  // what code of the database reads, its clients may not set unasked
  if (/current_setting/i.test(source)) return undefined;
  const create = as(stmt, 'CreateStmt');
  if (create) return tableOf(create);
  const view = as(stmt, 'ViewStmt');
  if (view) return viewOf(view, source, words);
  const code = as(stmt, 'CreateFunctionStmt');
  if (code) return functionOf(code, source);
  const drop = as(stmt, 'DropStmt');
  if (drop) return dropOf(drop);
  const index = as(stmt, 'IndexStmt');
  if (index) return indexOf(index);
  return makesNothing(stmt) ? nothing : alterationOf(stmt);
}

const nothing: PlainDefinition = { relations: [], functions: [], drops: [], calls: [], operators: [], casts: [] };

/** What was known of these names is no less than what is left. */
function dropOf({ behavior, removeType, objects = [] }: DropStmt): PlainDefinition | undefined {
  if (behavior === 'DROP_CASCADE' || !leavesNothing.has(removeType ?? '')) return undefined;
  const paths = objects.map((object) => names(as(object, 'List')?.items));
  // of a temporary one nobody else knows
  if (paths.some(([schema]) => schema?.startsWith('pg_'))) return undefined;
  return { ...nothing, drops: paths.map((path) => path.at(-1) ?? '') };
}

function makesNothing(stmt: Node | undefined): boolean {
  const schema = as(stmt, 'CreateSchemaStmt');
  if (schema) return (schema.schemaElts ?? []).length === 0;
  return as(stmt, 'CommentStmt') !== undefined;
}

/** An index may take the key of its table with it; and without a function its name may be PostgreSQL's own. */
const leavesNothing: ReadonlySet<string> = new Set(['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_SEQUENCE']);

/** What orders its rows runs when it is made; of expressions anything may. */
function indexOf(index: IndexStmt): PlainDefinition | undefined {
  const { unique, whereClause, indexParams = [] } = index;
  const columns = indexParams.map((node) => as(node, 'IndexElem'));
  const plain = columns.every((one) => one?.name !== undefined && one.opclass === undefined);
  return unique === true || whereClause !== undefined || !plain
    ? undefined
    : { ...nothing, operators: compared, runs: true };
}

/** A name in a schema that is not the session's own. */
function lasting(relation: RangeVar | undefined): Pick<PlainRelation, 'schema' | 'name'> | undefined {
  const { schemaname: schema, relname: name, relpersistence } = relation ?? {};
  if (name === undefined || relpersistence === 't' || schema?.startsWith('pg_')) return undefined;
  return { name, ...(schema === undefined ? {} : { schema }) };
}

function tableOf(create: CreateStmt): PlainDefinition | undefined {
  const name = lasting(create.relation);
  const { inhRelations, ofTypename, partspec, partbound, if_not_exists, options, accessMethod } = create;
  const further = [inhRelations, ofTypename, partspec, partbound, if_not_exists, options, accessMethod];
  if (name === undefined || further.some((one) => one !== undefined)) return undefined;
  const found = new Columns();
  for (const element of create.tableElts ?? []) if (!found.add(element)) return undefined;
  const { keys, counted, expressions } = found;
  return expressions.plain({ relations: [{ ...name, keys, counted, replaces: false }] });
}

/** Columns and constraints of a table. */
class Columns {
  readonly keys: string[][] = [];
  readonly counted: string[] = [];
  readonly expressions = new Expressions();

  /** False where the text does not say all. */
  add(element: Node): boolean {
    const column = as(element, 'ColumnDef');
    if (column) return this.column(column);
    const constraint = as(element, 'Constraint');
    return constraint !== undefined && constraint.deferrable !== true && this.#constraint(constraint, undefined);
  }

  column(column: ColumnDef): boolean {
    // the checks of a domain run for rows that are there
    this.expressions.cast(names(column.typeName?.names).at(-1) ?? '');
    const constraints = (column.constraints ?? []).map((node) => as(node, 'Constraint'));
    return constraints.every((one) => one !== undefined && this.#constraint(one, column));
  }

  #constraint(constraint: Constraint, column: ColumnDef | undefined): boolean {
    const name = column?.colname;
    switch (constraint.contype) {
      case 'CONSTR_NULL':
      case 'CONSTR_NOTNULL':
        return true;
      case 'CONSTR_PRIMARY':
      case 'CONSTR_UNIQUE': {
        if (constraint.indexname !== undefined || constraint.without_overlaps === true) return false;
        this.keys.push(name === undefined ? names(constraint.keys) : [name]);
        return true;
      }
      case 'CONSTR_IDENTITY':
        this.counted.push(name ?? '');
        return true;
      case 'CONSTR_FOREIGN':
        this.expressions.compare();
        return isPassive(constraint);
      case 'CONSTR_DEFAULT':
        return this.expressions.assigned(constraint.raw_expr);
      case 'CONSTR_CHECK':
      case 'CONSTR_GENERATED':
        return this.expressions.computed(constraint.raw_expr);
      default:
        return false;
    }
  }
}

/** Without an action on the rows that refer to another: FKCONSTR_ACTION_NOACTION and _RESTRICT in parsenodes.h. */
function isPassive({ fk_del_action = 'a', fk_upd_action = 'a' }: Constraint): boolean {
  return [fk_del_action, fk_upd_action].every((action) => action === 'a' || action === 'r');
}

/** What runs when rows are written: functions, operators and casts, all by their names. */
class Expressions {
  readonly #calls: string[] = [];
  readonly #operators: string[] = [];
  #casts: string[] | undefined = [];

  plain(made: Partial<PlainDefinition>): PlainDefinition {
    return { ...nothing, ...made, calls: this.#calls, operators: this.#operators, casts: this.#casts };
  }

  cast(type: string): void {
    this.#casts?.push(type);
  }

  compare(): void {
    this.#operators.push(...compared);
  }

  /** A default, which is cast to the type of its column. */
  assigned(expression: Node | undefined): boolean {
    return expression === undefined || this.#add(expression);
  }

  computed(expression: Node | undefined): boolean {
    this.#casts = undefined;
    return expression !== undefined && this.#add(expression);
  }

  #add(node: Node): boolean {
    const tag = tagOf(node);
    if (!seen.has(tag)) return false;
    const operator = as(node, 'A_Expr');
    // what it is cast to before depends on the operator
    if (operator || tag === 'MinMaxExpr') this.#casts = undefined;
    if (operator) this.#operators.push(...names(operator.name).slice(-1), ...compared);
    if (as(node, 'FuncCall')) this.#calls.push(names(as(node, 'FuncCall')?.funcname).at(-1) ?? '');
    if (as(node, 'TypeCast')) this.#casts?.push(names(as(node, 'TypeCast')?.typeName?.names).at(-1) ?? '');
    // t.f may call f(t)
    if ((as(node, 'ColumnRef')?.fields ?? []).length > 1) return false;
    let all = true;
    eachChild(node[tag as keyof Node], (child) => {
      all &&= this.#add(child);
    });
    return all;
  }
}

/** Those that IN, BETWEEN, LIKE, greatest() and the like may stand for. */
const compared = ['=', '<>', '<', '<=', '>', '>=', '~~', '!~~', '~~*', '!~~*'];

const seen: ReadonlySet<Tag> = new Set<Tag>([
  ...(['A_Const', 'A_Expr', 'A_ArrayExpr', 'BoolExpr', 'BooleanTest', 'CaseExpr', 'CaseWhen', 'CoalesceExpr'] as const),
  ...(['ColumnRef', 'FuncCall', 'Integer', 'List', 'MinMaxExpr', 'NullTest', 'SQLValueFunction', 'String'] as const),
  ...(['TypeCast', 'TypeName'] as const),
]);

/** Its text begins after the first AS: before that stand names alone, where AS would be in quotes. */
function viewOf(
  view: ViewStmt,
  source: string,
  words: (text: string) => readonly Word[] | undefined,
): PlainDefinition | undefined {
  const name = lasting(view.view);
  const query = as(view.query, 'SelectStmt');
  const checks = view.withCheckOption !== undefined && view.withCheckOption !== 'NO_CHECK_OPTION';
  if (name === undefined || query === undefined || checks || view.options !== undefined) return undefined;
  // that of a view which was made RECURSIVE stands nowhere
  if (query.withClause?.location === -1) return undefined;
  const start = words(source)?.find(({ text }) => text === 'AS')?.end;
  if (start === undefined) return undefined;
  const made = { ...name, keys: [], counted: [], query: source.slice(start), replaces: view.replace === true };
  return { ...nothing, relations: [made] };
}

/** No SET, no SUPPORT, no other language: those do more than the body says. */
const plainOptions: ReadonlySet<string> = new Set([
  ...['language', 'as', 'volatility', 'strict', 'cost', 'rows', 'parallel', 'leakproof', 'security'],
]);

function functionOf(create: CreateFunctionStmt, source: string): PlainDefinition | undefined {
  const options = create.options ?? [];
  const language = optionText(options, 'language') ?? '';
  const body = optionText(options, 'as');
  const path = names(create.funcname);
  if (create.sql_body !== undefined || body === undefined || path.length > 2 || path[0]?.startsWith('pg_'))
    return undefined;
  if (!['sql', 'plpgsql'].includes(language)) return undefined;
  if (!options.every((node) => plainOptions.has(as(node, 'DefElem')?.defname ?? ''))) return undefined;
  const parameters = (create.parameters ?? []).map((node) => as(node, 'FunctionParameter'));
  if (parameters.some((one) => one?.defexpr !== undefined)) return undefined;
  const inputs = parameters.filter((one) => given.has(one?.mode ?? ''));
  const made: PlainFunction = {
    ...(path.length === 2 && path[0] !== undefined ? { schema: path[0] } : {}),
    name: path.at(-1) ?? '',
    volatility: volatilityOf(optionText(options, 'volatility')),
    language,
    body,
    definition: language === 'plpgsql' ? source : '',
    parameters: parameters.flatMap((one) => one?.name || []),
    inputs: inputs.map((one) => one?.name ?? ''),
    takesRow: inputs.length > 0 && names(inputs[0]?.argType?.names)[0] !== 'pg_catalog',
    replaces: create.replace === true,
  };
  return { ...nothing, functions: [made] };
}

const given: ReadonlySet<string> = new Set([
  ...['FUNC_PARAM_DEFAULT', 'FUNC_PARAM_IN', 'FUNC_PARAM_INOUT', 'FUNC_PARAM_VARIADIC'],
]);

function volatilityOf(word: string | undefined): PlainFunction['volatility'] {
  return word === 'immutable' || word === 'stable' ? word : 'volatile';
}

function alterationOf(stmt: Node | undefined): PlainDefinition | undefined {
  const alter = as(stmt, 'AlterTableStmt');
  if (alter?.objtype !== 'OBJECT_TABLE') return undefined;
  const found = new Columns();
  const commands = (alter.cmds ?? []).map((node) => as(node, 'AlterTableCmd'));
  if (!commands.every((one) => one !== undefined && isPlain(one, found))) return undefined;
  // a key that was there is told by the catalog alone
  return found.keys.length + found.counted.length > 0 ? undefined : found.expressions.plain({ runs: true });
}

function isPlain({ subtype, def }: AlterTableCmd, found: Columns): boolean {
  switch (subtype) {
    case 'AT_SetNotNull':
    case 'AT_DropNotNull':
    case 'AT_SetStatistics':
    case 'AT_SetStorage':
    case 'AT_ChangeOwner':
      return true;
    case 'AT_AddColumn': {
      const column = as(def, 'ColumnDef');
      return column !== undefined && found.column(column);
    }
    case 'AT_ColumnDefault':
      return def === undefined || found.expressions.computed(def);
    case 'AT_AddConstraint':
      return as(def, 'Constraint')?.contype === 'CONSTR_FOREIGN' && found.add(def as Node);
    default:
      return false;
  }
}
