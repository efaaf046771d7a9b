/**
 * When a statement changes nothing: IF NOT EXISTS of what is there, IF EXISTS of what is not, and how migration tools
 * write the same in PL/pgSQL. What lives here: what has to be so. Must not know whether it is.
 */
import type { AlterTableCmd, AlterTableStmt, DropStmt, ObjectType, RangeVar } from 'libpg-query';
import { isSystemRelation } from '../catalog/system-relations.js';
import { relationTarget } from '../conditions/scope.js';
import type { Presence, Target } from '../facts.js';
import { dollarQuoted } from '../grammar/comments.js';
import { as, type Node, names } from '../grammar/tree.js';
import { type FunctionReader, nothingIfRowThere } from './early-return.js';
import { pathTarget } from './objects.js';
import { expressionOf, type PlStep, readPlpgsql } from './plpgsql-tree.js';

/** Undefined where the statement does something whatever the catalog says. `does`: effects of a text; undefined where it cannot be read. */
export function nothingIf(statement: Node | undefined, knowledge: Reader): readonly Presence[] | undefined {
  if (statement === undefined) return undefined;
  const block = as(statement, 'DoStmt');
  if (block !== undefined) return blockNothing(block.args ?? [], knowledge);
  return made(statement, 'if not exists')?.presences ?? missing(statement) ?? nothingIfRowThere(statement, knowledge);
}

export interface Reader extends FunctionReader {
  /** The text only reads, and nothing but these; undefined where it may do more. */
  reads(sql: string): readonly Target[] | undefined;
}

interface Made {
  readonly presences: readonly Presence[];
  /** What the server says where it is there and nobody wrote IF NOT EXISTS: PostgreSQL's names of errors. */
  readonly refusal: string;
}

/** What the statement would make. */
export function made(statement: Node, how: 'if not exists' | 'plain'): Made | undefined {
  const wanted = (conditional: boolean | undefined): boolean => how === 'plain' || conditional === true;
  const one = (presence: Presence | undefined, refusal: string): Made | undefined =>
    presence && { presences: [presence], refusal };

  const table = as(statement, 'CreateStmt') ?? as(statement, 'CreateForeignTableStmt')?.base;
  if (table !== undefined && wanted(table.if_not_exists)) return one(newRelation(table.relation), 'duplicate_table');
  const filled = as(statement, 'CreateTableAsStmt');
  if (filled !== undefined && filled.if_not_exists === true && as(filled.query, 'SelectStmt'))
    return one(newRelation(filled.into?.rel), 'duplicate_table');
  const sequence = as(statement, 'CreateSeqStmt');
  if (sequence !== undefined && wanted(sequence.if_not_exists))
    return one(newRelation(sequence.sequence), 'duplicate_table');
  const index = as(statement, 'IndexStmt');
  if (index !== undefined && wanted(index.if_not_exists) && index.idxname !== undefined)
    return one(part('index', index.idxname, index.relation, true), 'duplicate_table');
  const schema = as(statement, 'CreateSchemaStmt');
  if (schema?.schemaname !== undefined && wanted(schema.if_not_exists))
    return one({ what: 'schema', name: schema.schemaname, there: true }, 'duplicate_schema');
  const extension = as(statement, 'CreateExtensionStmt');
  if (extension?.extname !== undefined && wanted(extension.if_not_exists))
    return one({ what: 'extension', name: extension.extname, there: true }, 'duplicate_object');
  const server = as(statement, 'CreateForeignServerStmt');
  if (server?.servername !== undefined && wanted(server.if_not_exists))
    return one({ what: 'server', name: server.servername, there: true }, 'duplicate_object');
  const value = as(statement, 'AlterEnumStmt');
  if (value?.newVal !== undefined && value.oldVal === undefined && wanted(value.skipIfNewValExists)) {
    const of = pathTarget('type', names(value.typeName));
    return one({ what: 'value', name: value.newVal, of, there: true }, 'duplicate_object');
  }
  const altered = as(statement, 'AlterTableStmt');
  if (altered !== undefined) return madeInTable(altered, how);
  return how === 'plain' ? madeWithoutCondition(statement) : undefined;
}

/** Of what has no IF NOT EXISTS in PostgreSQL's grammar. */
function madeWithoutCondition(statement: Node): Made | undefined {
  const type = as(statement, 'CreateEnumStmt')?.typeName ?? as(statement, 'CreateRangeStmt')?.typeName;
  const path = names(type ?? as(statement, 'CreateDomainStmt')?.domainname);
  if (path.length > 0 && path.length < 3) {
    const { schema, name } = pathTarget('type', path);
    const presence = {
      what: 'type',
      name,
      made: true,
      there: true,
      ...(schema === undefined ? {} : { schema }),
    } as const;
    return { presences: [presence], refusal: 'duplicate_object' };
  }
  const role = as(statement, 'CreateRoleStmt');
  if (role?.role !== undefined)
    return { presences: [{ what: 'role', name: role.role, there: true }], refusal: 'duplicate_object' };
  const trigger = as(statement, 'CreateTrigStmt');
  const policy = as(statement, 'CreatePolicyStmt');
  const hung =
    trigger !== undefined && trigger.replace !== true
      ? part('trigger', trigger.trigname, trigger.relation, true)
      : part('policy', policy?.policy_name, policy?.table, true);
  return hung && { presences: [hung], refusal: 'duplicate_object' };
}

function madeInTable(alter: AlterTableStmt, how: 'if not exists' | 'plain'): Made | undefined {
  const commands = (alter.cmds ?? []).map((node) => as(node, 'AlterTableCmd'));
  if (how === 'plain') {
    const [command] = commands;
    if (commands.length !== 1 || command === undefined) return undefined;
    const constraint = as(command.def, 'Constraint');
    // A unique or primary key fails by the name of its index.
    const named = constraint?.contype === 'CONSTR_FOREIGN' || constraint?.contype === 'CONSTR_CHECK';
    const presence =
      command.subtype === 'AT_AddConstraint' && named
        ? part('constraint', constraint?.conname, alter.relation, true)
        : undefined;
    if (presence) return { presences: [presence], refusal: 'duplicate_object' };
    const column = newColumn(command, alter.relation);
    return column && { presences: [column], refusal: 'duplicate_column' };
  }
  const presences = commands.map((command) => command && conditional(command, alter.relation));
  return every(presences) ? { presences, refusal: 'duplicate_column' } : undefined;
}

function conditional(command: AlterTableCmd, relation: RangeVar | undefined): Presence | undefined {
  if (command.missing_ok !== true) return undefined;
  if (command.subtype === 'AT_AddColumn') return newColumn(command, relation);
  if (command.subtype === 'AT_DropColumn') return part('column', command.name, relation, false);
  if (command.subtype === 'AT_DropConstraint') return part('constraint', command.name, relation, false);
  return undefined;
}

function newColumn(command: AlterTableCmd, relation: RangeVar | undefined): Presence | undefined {
  if (command.subtype !== 'AT_AddColumn') return undefined;
  return part('column', as(command.def, 'ColumnDef')?.colname, relation, true);
}

/** IF EXISTS of what is not there. */
function missing(statement: Node): readonly Presence[] | undefined {
  const altered =
    as(statement, 'AlterTableStmt') ?? as(statement, 'RenameStmt') ?? as(statement, 'AlterObjectSchemaStmt');
  if (altered !== undefined) {
    const gone = altered.missing_ok === true ? existing(altered.relation) : undefined;
    return gone && [gone];
  }
  const database = as(statement, 'DropdbStmt');
  if (database?.missing_ok === true) return [{ what: 'database', name: database.dbname ?? '', there: false }];
  const roles = as(statement, 'DropRoleStmt');
  if (roles?.missing_ok === true) {
    const named = (roles.roles ?? []).map((role) => as(role, 'RoleSpec')?.rolename);
    const gone = named.map((name) => name && ({ what: 'role', name, there: false } as const));
    return every(gone) ? gone : undefined;
  }
  const drop = as(statement, 'DropStmt');
  return drop?.missing_ok === true ? dropped(drop) : undefined;
}

const relations: readonly (ObjectType | undefined)[] = [
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_SEQUENCE',
  'OBJECT_INDEX',
  'OBJECT_FOREIGN_TABLE',
];
const routines: readonly (ObjectType | undefined)[] = [
  'OBJECT_FUNCTION',
  'OBJECT_PROCEDURE',
  'OBJECT_ROUTINE',
  'OBJECT_AGGREGATE',
];

function dropped(drop: DropStmt): readonly Presence[] | undefined {
  const gone = (drop.objects ?? []).map((object) => goneObject(drop.removeType, object));
  return every(gone) ? gone : undefined;
}

export function goneObject(type: ObjectType | undefined, object: Node): Presence | undefined {
  const name = as(object, 'String')?.sval;
  if (name !== undefined) {
    const what = ({ OBJECT_SCHEMA: 'schema', OBJECT_EXTENSION: 'extension', OBJECT_FOREIGN_SERVER: 'server' } as const)[
      (type ?? '') as 'OBJECT_SCHEMA'
    ];
    return what && { what, name, there: false };
  }
  if (routines.includes(type)) return named('function', names(as(object, 'ObjectWithArgs')?.objname));
  if (type === 'OBJECT_TYPE' || type === 'OBJECT_DOMAIN') {
    const typeName = as(object, 'TypeName');
    return typeName === undefined || typeName.arrayBounds !== undefined
      ? undefined
      : named('type', names(typeName.names));
  }
  const path = names(as(object, 'List')?.items);
  if (relations.includes(type)) return named('relation', path);
  const what = ({ OBJECT_TRIGGER: 'trigger', OBJECT_POLICY: 'policy', OBJECT_RULE: 'rule' } as const)[
    (type ?? '') as 'OBJECT_TRIGGER'
  ];
  if (what === undefined || path.length < 2 || path.length > 3) return undefined;
  return { what, name: path.at(-1) ?? '', of: pathTarget('table', path.slice(0, -1)), there: false };
}

function named(what: 'relation' | 'type' | 'function', path: readonly string[]): Presence | undefined {
  if (path.length === 0 || path.length > 2) return undefined;
  const { schema, name } = pathTarget('other', path);
  return { what, name, made: false, there: false, ...(schema === undefined ? {} : { schema }) };
}

function newRelation(relation: RangeVar | undefined): Presence | undefined {
  if (relation === undefined || relation.catalogname !== undefined || relation.relpersistence === 't') return undefined;
  const { schema, name } = relationTarget(relation);
  return { what: 'relation', name, made: true, there: true, ...(schema === undefined ? {} : { schema }) };
}

export function existing(relation: RangeVar | undefined): Presence | undefined {
  if (relation === undefined || relation.catalogname !== undefined) return undefined;
  const { schema, name } = relationTarget(relation);
  return { what: 'relation', name, made: false, there: false, ...(schema === undefined ? {} : { schema }) };
}

export function part(
  what: 'index' | 'column' | 'constraint' | 'trigger' | 'policy',
  name: string | undefined,
  relation: RangeVar | undefined,
  there: boolean,
): Presence | undefined {
  if (name === undefined || relation === undefined || relation.catalogname !== undefined) return undefined;
  return { what, name, of: relationTarget(relation), there };
}

function every<T>(all: readonly (T | undefined | '')[]): all is readonly T[] {
  return all.length > 0 && all.every((one) => one !== undefined && one !== '');
}

/** `DO $$ BEGIN CREATE TYPE ...; EXCEPTION WHEN duplicate_object THEN null; END $$`, `IF NOT EXISTS (SELECT ...) THEN ...`. */
function blockNothing(args: readonly Node[], knowledge: Reader): readonly Presence[] | undefined {
  const option = (name: string) => args.map((node) => as(node, 'DefElem')).find((one) => one?.defname === name)?.arg;
  if (args.length > 2 || (as(option('language'), 'String')?.sval ?? 'plpgsql') !== 'plpgsql') return undefined;
  const body = as(option('as'), 'String')?.sval;
  if (body === undefined) return undefined;
  const create = `CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS ${dollarQuoted(body)}`;
  const { datums = [], action } = readPlpgsql(create, knowledge.grammar) ?? {};
  // A variable that is computed at the start is something done, and a name that conditions could mean.
  if (datums.some((datum) => !builtInVariables.has(datum.PLpgSQL_var?.refname ?? ''))) return undefined;
  const presences = action && stepsNothing([action], knowledge);
  return presences && presences.length > 0 ? presences : undefined;
}

const builtInVariables: ReadonlySet<string> = new Set(['found', 'sqlstate', 'sqlerrm']);

function stepsNothing(steps: readonly PlStep[], knowledge: Reader): Presence[] | undefined {
  const all: Presence[] = [];
  for (const step of steps) {
    const presences = stepNothing(step, knowledge);
    if (presences === undefined) return undefined;
    all.push(...presences);
  }
  return all;
}

function stepNothing(step: PlStep, knowledge: Reader): readonly Presence[] | undefined {
  if (isIdle(step)) return [];
  const block = step.PLpgSQL_stmt_block;
  if (block?.exceptions !== undefined) return caught(block, knowledge);
  if (block !== undefined) return stepsNothing(block.body ?? [], knowledge);
  const choice = step.PLpgSQL_stmt_if;
  if (choice !== undefined && choice.elsif_list === undefined && choice.else_body === undefined) {
    const sql = expressionOf(choice.cond);
    const read = knowledge.reads(`SELECT (${sql})`);
    return read?.every(isSystemRelation) ? [{ what: 'condition', sql, there: false }] : undefined;
  }
  return nothingIf(statementOf(step, knowledge), knowledge);
}

/** One statement that the server refuses where its object is there, and a handler of that refusal that does nothing. */
function caught(block: NonNullable<PlStep['PLpgSQL_stmt_block']>, knowledge: Reader): readonly Presence[] | undefined {
  const [step, ...more] = block.body ?? [];
  const statement = step && more.length === 0 ? statementOf(step, knowledge) : undefined;
  const handlers = (block.exceptions?.PLpgSQL_exception_block?.exc_list ?? []).map((one) => one.PLpgSQL_exception);
  if (statement === undefined || !handlers.every((one) => (one?.action ?? []).every(isIdle))) return undefined;
  const handled = handlers.flatMap((one) => one?.conditions ?? []).map((one) => one.PLpgSQL_condition?.condname);
  const would = made(statement, 'plain');
  return would && (handled.includes(would.refusal) || handled.includes('others')) ? would.presences : undefined;
}

function statementOf({ PLpgSQL_stmt_execsql: run }: PlStep, { grammar }: Reader): Node | undefined {
  if (run === undefined || run.into === true) return undefined;
  const parsed = grammar.parse(expressionOf(run.sqlstmt));
  return 'tree' in parsed && parsed.tree.stmts?.length === 1 ? parsed.tree.stmts[0]?.stmt : undefined;
}

/** RAISE up to WARNING (elog.h), without anything computed; RETURN. */
function isIdle({ PLpgSQL_stmt_raise: raise, PLpgSQL_stmt_return: end }: PlStep): boolean {
  if (raise !== undefined)
    return (raise.elog_level ?? 21) < 20 && raise.params === undefined && raise.options === undefined;
  return end !== undefined && end.expr === undefined;
}
