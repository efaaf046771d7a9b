/**
 * Code that a transaction puts where it runs by itself, and may take away again before anybody can read it in the
 * catalog: triggers, rules, policies, defaults, and the functions that those call.
 *
 * What lives here: which statements put it there, and which may run it. What it must not know: masks, what the code does.
 * Until the catalog has been read again nobody can say where such code puts values, and afterwards it may be gone.
 */
import type { AlterTableCmd, AlterTableStmt, ObjectWithArgs, RangeVar } from 'libpg-query';
import { as, eachChild, type Node, names, type Tag, tagOf } from '../grammar/tree.js';
import type { CatalogRelation, LineageCatalog, OwnCode } from './catalog.js';
import type { DerivedColumns } from './derived.js';
import { everyName } from './name-doubts.js';
import { neutral } from './neutral-statements.js';

/** Names are taken without their schemas. */
export interface PendingCode {
  /** Tables that have got code of their own, or another name. */
  readonly tables: ReadonlySet<string>;
  /** Functions that are others than the catalog said. */
  readonly functions: ReadonlySet<string>;
  /** Operators, casts or types are others. */
  readonly types: boolean;
  /** Event triggers are others: every statement that defines something runs them. */
  readonly events: boolean;
  /** What partitions and children have got as parents, and tables made like others as their models: code comes with it. */
  readonly parents: ReadonlyMap<string, readonly string[]>;
}

export const nothingPending: PendingCode = {
  tables: new Set(),
  functions: new Set(),
  types: false,
  events: false,
  parents: new Map(),
};

/** What a text leaves behind that cannot be read. */
export const anythingPending: PendingCode = { ...nothingPending, types: true, events: true };

/** Of names that are not known: every table has code of its own then, every function is another. */
const any = everyName;

export function bothPending(a: PendingCode, b: PendingCode): PendingCode {
  return {
    tables: new Set([...a.tables, ...b.tables]),
    functions: new Set([...a.functions, ...b.functions]),
    types: a.types || b.types,
    events: a.events || b.events,
    parents: new Map([...a.parents, ...[...b.parents].map(([name, of]) => under(name, of, a))]),
  };
}

/** What of `defined` cannot be followed by the catalog either: a text in it is made by what runs. */
export function unseenOf({ unseenCode }: Pick<DerivedColumns, 'unseenCode'>, defined: PendingCode): PendingCode {
  const { tables, functions } = defined;
  const isNew = (name: string): boolean => functions.has(name) || functions.has(any);
  const unseen = unseenCode.filter(({ relation, functions: called }) => {
    return called.some(isNew) || (relation === undefined ? defined.events : tables.has(relation) || tables.has(any));
  });
  return {
    tables: new Set(unseen.flatMap(({ relation }) => relation ?? [])),
    functions: new Set(),
    types: false,
    events: unseen.some(({ relation }) => relation === undefined),
    parents: new Map(),
  };
}

function under(name: string, of: readonly string[], { parents }: PendingCode): [string, readonly string[]] {
  return [name, [...(parents.get(name) ?? []), ...of]];
}

/**
 * What is pending once `stmt` has run.
 * @param followed it makes a relation that is known to run no code of the application's own, or a view of which is known
 *   what it returns: of the views that it reads, too
 */
export function pendingAfter(
  stmt: Node | undefined,
  before: PendingCode,
  catalog: LineageCatalog,
  followed: boolean,
): PendingCode {
  if (stmt === undefined || (followed && tagOf(stmt) !== 'ViewStmt')) return before;
  const functions = (...added: string[]): PendingCode => ({
    ...before,
    functions: new Set([...before.functions, ...added]),
  });
  const table = (...added: (string | undefined)[]): PendingCode => {
    return { ...before, tables: new Set([...before.tables, ...added.map((name) => name ?? any)]) };
  };
  const children = (
    ...found: (readonly [name: string | undefined, of: readonly (string | undefined)[]])[]
  ): PendingCode => {
    const known = found.map(([name, of]) =>
      under(
        name ?? any,
        of.map((one) => one ?? any),
        before,
      ),
    );
    return known.length === 0 ? before : { ...before, parents: new Map([...before.parents, ...known]) };
  };
  const tag = tagOf(stmt);
  switch (tag) {
    case 'ViewStmt': {
      const view = as(stmt, 'ViewStmt');
      const known = followed ? before : anyFunction(before);
      const runs = view?.query !== undefined && callsOwn(view.query, known, catalog);
      // whatever reads it may run that
      return runs ? { ...table(view.view?.relname), functions: new Set([...before.functions, any]) } : before;
    }
    case 'CreateStmt': {
      const { relation, inhRelations = [], tableElts = [], ...create } = as(stmt, 'CreateStmt') ?? {};
      const models = [...inhRelations, ...tableElts.flatMap((one) => as(one, 'TableLikeClause')?.relation ?? [])];
      const of = models.map((one) => ('relname' in one ? one.relname : as(one as Node, 'RangeVar')?.relname));
      const own = callsOwn({ CreateStmt: { ...create, tableElts } } as Node, anyFunction(before), catalog);
      if (own) return table(relation?.relname);
      return of.length === 0 ? before : children([relation?.relname, of]);
    }
    case 'CreateTrigStmt':
      return table(as(stmt, 'CreateTrigStmt')?.relation?.relname);
    case 'RuleStmt':
      return table(as(stmt, 'RuleStmt')?.relation?.relname);
    case 'CreatePolicyStmt':
      return table(as(stmt, 'CreatePolicyStmt')?.table?.relname);
    case 'AlterPolicyStmt':
      return table(as(stmt, 'AlterPolicyStmt')?.table?.relname);
    case 'CreateFunctionStmt':
      return functions(names(as(stmt, 'CreateFunctionStmt')?.funcname).at(-1) ?? any);
    case 'AlterFunctionStmt':
      return functions(functionName(as(stmt, 'AlterFunctionStmt')?.func));
    case 'CreateEventTrigStmt':
    case 'AlterEventTrigStmt':
      return { ...before, events: true };
    case 'CreateCastStmt':
    case 'CreateOpClassStmt':
    case 'CreateDomainStmt':
    case 'AlterDomainStmt':
    case 'DefineStmt':
      return { ...before, types: true };
    case 'AlterTableStmt': {
      const alter = as(stmt, 'AlterTableStmt') ?? {};
      const commands = commandsOf(alter);
      if (commands.some((one) => attaches(one, before, catalog))) return table(alter.relation?.relname);
      return children(...commands.flatMap((one) => becomesChild(one, alter.relation?.relname)));
    }
    case 'RenameStmt': {
      const rename = as(stmt, 'RenameStmt');
      if (rename?.renameType === 'OBJECT_TABLE') return table(rename.newname);
      return isFunction(rename?.renameType)
        ? functions(functionName(as(rename?.object, 'ObjectWithArgs')), rename?.newname ?? any)
        : before;
    }
    case 'AlterObjectSchemaStmt': {
      const moved = as(stmt, 'AlterObjectSchemaStmt');
      return isFunction(moved?.objectType) ? functions(functionName(as(moved?.object, 'ObjectWithArgs'))) : before;
    }
    case 'DropStmt': {
      const drop = as(stmt, 'DropStmt');
      const dropped = (drop?.objects ?? []).map((one) => functionName(as(one, 'ObjectWithArgs')));
      return isFunction(drop?.removeType) ? functions(...dropped) : before;
    }
    default:
      return before;
  }
}

const anyFunction = (pending: PendingCode): PendingCode => ({
  ...pending,
  functions: new Set([...pending.functions, any]),
});

function becomesChild(
  { subtype, def }: AlterTableCmd,
  table: string | undefined,
): (readonly [name: string | undefined, of: readonly (string | undefined)[]])[] {
  if (subtype === 'AT_AttachPartition') return [[as(def, 'PartitionCmd')?.name?.relname, [table]]];
  return subtype === 'AT_AddInherit' ? [[table, [as(def, 'RangeVar')?.relname]]] : [];
}

function functionName(object: ObjectWithArgs | undefined): string {
  return names(object?.objname).at(-1) ?? any;
}

function isFunction(type: string | undefined): boolean {
  return /FUNCTION|ROUTINE|PROCEDURE|AGGREGATE/.test(type ?? '');
}

const enabling = /^AT_(Enable|Disable)(Always|Replica)?(Trig|Rule)|^AT_(Enable|Force)RowSecurity/;

function attaches(
  { subtype = 'AT_AddColumn', def, ...command }: AlterTableCmd,
  pending: PendingCode,
  catalog: LineageCatalog,
): boolean {
  if (enabling.test(subtype)) return true;
  if (!/^AT_(AddColumn|AddConstraint|ColumnDefault|AlterColumnType|SetExpression)$/.test(subtype)) return false;
  return callsOwn({ AlterTableCmd: { ...command, def } } as Node, anyFunction(pending), catalog);
}

function commandsOf({ cmds = [] }: AlterTableStmt): AlterTableCmd[] {
  return cmds.flatMap((one) => as(one, 'AlterTableCmd') ?? []);
}

/** Statements that run what they name, whatever that is. */
const running: ReadonlySet<Tag> = new Set<Tag>([
  ...['UpdateStmt', 'DeleteStmt', 'MergeStmt', 'TruncateStmt', 'CallStmt', 'DoStmt', 'ExecuteStmt', 'FetchStmt'],
  ...['ConstraintsSetStmt', 'RefreshMatViewStmt', 'VacuumStmt', 'ClusterStmt', 'ReindexStmt'],
] as Tag[]);

const rewriting = /^AT_(AddColumn|AddConstraint|AlterColumnType|SetExpression|ValidateConstraint)$/;

/** `stmt` may run code that nobody has been able to follow. */
export function mayRunPending(stmt: Node | undefined, pending: PendingCode, catalog: LineageCatalog): boolean {
  if (stmt === undefined) return false;
  const tag = tagOf(stmt);
  if (pending.events && !neutral.has(tag) && !aboutEvents(stmt, tag)) return true;
  if (pending.tables.size === 0 && pending.functions.size === 0 && !pending.types) return false;
  if (running.has(tag)) return true;
  const explained = as(stmt, 'ExplainStmt')?.query;
  if (explained !== undefined) return mayRunPending(explained, pending, catalog);
  const alter = as(stmt, 'AlterTableStmt');
  if (alter !== undefined && commandsOf(alter).some(({ subtype = '' }) => rewriting.test(subtype))) {
    return hasCode(alter.relation, pending, catalog) || callsOwn(stmt, pending, catalog);
  }
  const evaluates = neutral.has(tag) || tag === 'CreateTableAsStmt' || tag === 'IndexStmt';
  return evaluates && callsOwn(stmt, pending, catalog);
}

/**
 * `stmt` may run code that others put where it runs, or that stands behind one of these names: what such code reads and
 * writes is not known while names mean something else than the catalog says.
 */
export function mayRunCode(stmt: Node, names: ReadonlySet<string>, catalog: LineageCatalog): boolean {
  const explained = as(stmt, 'ExplainStmt')?.query;
  if (explained !== undefined) return mayRunCode(explained, names, catalog);
  const ends = as(stmt, 'TransactionStmt')?.kind;
  if (ends !== undefined) return /COMMIT|PREPARE/.test(ends);
  return running.has(tagOf(stmt)) || callsOwn(stmt, { ...anyFunction(nothingPending), tables: names }, catalog);
}

/** Something in it calls, or brings with it, code of the application's own. */
export function callsOwnCode(node: Node, catalog: LineageCatalog, pending = nothingPending): boolean {
  return callsOwn(node, anyFunction(pending), catalog);
}

function aboutEvents(stmt: Node, tag: Tag): boolean {
  return tag.endsWith('EventTrigStmt') || as(stmt, 'DropStmt')?.removeType === 'OBJECT_EVENT_TRIGGER';
}

/** Writing a row of it runs more than the statement says. */
function hasCode(range: RangeVar | undefined, pending: PendingCode, catalog: LineageCatalog): boolean {
  const { tables, functions, parents } = pending;
  const name = range?.relname ?? any;
  if (tables.has(name) || tables.has(any)) return true;
  const above = [...(parents.get(name) ?? []), ...(parents.get(any) ?? [])];
  // none is its own parent in the end
  const rest = { ...pending, parents: new Map([...parents].filter(([child]) => child !== name && child !== any)) };
  if (above.some((parent) => parent === any || hasCode({ relname: parent }, rest, catalog))) return true;
  return lasting(name, catalog).some((one) => runs(one, functions.size > 0) || isBelow(one));

  /** A trigger on a partitioned table is put on each of its partitions. */
  function isBelow({ oid }: CatalogRelation): boolean {
    if (tables.size === 0 && parents.size === 0) return false;
    const found = new Set([oid]);
    // a Set is walked to its end, which moves
    for (const child of found) {
      for (const one of catalog.relations()) {
        if (!one.children.includes(child) || found.has(one.oid)) continue;
        if (tables.has(one.name) || hasCode({ relname: one.name }, rest, catalog)) return true;
        found.add(one.oid);
      }
    }
    return false;
  }

  function runs(relation: CatalogRelation, isOther: boolean): boolean {
    if (tables.has(relation.name)) return true;
    const code = relation.triggers || relation.rules || relation.definition !== undefined;
    const computes = relation.columns.some(
      ({ generated, byDefault }) => generated !== undefined || byDefault !== undefined,
    );
    if (code || (isOther && (computes || (relation.behind?.length ?? 0) > 0))) return true;
    return relation.children.some((oid) => {
      const child = catalog.byOid(oid);
      return child === undefined || runs(child, isOther);
    });
  }
}

/** Something below `node` is, or calls, what may be another than it was. */
function callsOwn(node: Node, pending: PendingCode, catalog: LineageCatalog): boolean {
  const { tables, functions, types } = pending;
  const call = as(node, 'FuncCall')?.funcname;
  const name = names(call).at(-1);
  if (name !== undefined && names(call)[0] !== 'pg_catalog') {
    if (functions.has(name) || hadCode('function', name, catalog)) return true;
  }
  const operator = names(as(node, 'A_Expr')?.name).at(-1);
  if (operator !== undefined && (types || hadCode('operator', operator, catalog))) return true;
  if (as(node, 'TypeCast') !== undefined && (types || hadCode('cast', '*', catalog))) return true;
  if (as(node, 'Constraint')?.contype === 'CONSTR_GENERATED') return functions.has(any);
  if (running.has(tagOf(node))) return true;
  const target = as(node, 'InsertStmt')?.relation ?? as(node, 'CopyStmt')?.relation;
  if (target !== undefined && hasCode(target, pending, catalog)) return true;
  const range = as(node, 'RangeVar')?.relname;
  if (range !== undefined) {
    if (tables.has(range) || tables.has(any)) return true;
    const read = lasting(range, catalog);
    if (read.some((one) => one.definition !== undefined || (one.behind?.length ?? 0) > 0))
      return functions.size > 0 || types;
  }
  let found = false;
  eachChild(node, (child) => {
    found ||= callsOwn(child, pending, catalog);
  });
  return found;
}

function hadCode(kind: 'function' | OwnCode, name: string, catalog: LineageCatalog): boolean {
  const code = catalog.codeBefore(kind, name);
  if (kind === 'function') return code?.some(({ extension }) => !extension) ?? true;
  return code?.length !== 0;
}

function lasting(name: string, catalog: LineageCatalog): CatalogRelation[] {
  return [...catalog.relations()].filter((one) => one.name === name);
}
