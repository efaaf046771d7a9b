/** Statements that are not plain queries, for lineage: what comes back, and what is remembered under a name. */
import type { CopyStmt, RangeVar } from 'libpg-query';
import { as, constant, eachChild, type Node, names, optionText, type Tag, tagOf } from '../grammar/tree.js';
import { anyFlow, noFlow } from './catalog.js';
import { computedByDefinition } from './definitions.js';
import { neutral } from './neutral-statements.js';
import { LineageScope } from './scope.js';
import { emptyShape, openShape, type Shape, unknownShape } from './shape.js';
import type { LineageWalk } from './walk.js';

/** What a name of the session returns; what it is prepared from is looked up anew, as the server does. */
export type Returns = (walk: LineageWalk) => Shape;

/** What names of the session stand for: SQL-level PREPARE and DECLARE. */
export interface Handles {
  get(kind: 'prepared' | 'cursor', name: string): Returns | undefined;
  /** @param key the same where `returns` is */
  add(kind: 'prepared' | 'cursor', name: string, returns: Returns, key: string): void;
}

/** `end`: deferred constraints are checked now, of any table. */
export type StatementKind = 'query' | 'write' | 'utility' | 'end' | { readonly copyOut: CopyOptions };

/** COPY TO STDOUT, as the text asks for it. */
export interface CopyOptions {
  /** `other`: of an extension. */
  readonly format: 'text' | 'csv' | 'binary' | 'other';
  readonly header: boolean;
  readonly delimiter: string;
  readonly null: string;
  readonly quote: string;
  readonly escape: string;
  /** Not the client's encoding. */
  readonly encoding: string | undefined;
}

export interface StatementRows {
  readonly kind: StatementKind;
  readonly output: Shape;
  /** Whether it sends rows hangs on more than its text; otherwise it does where `output` is not `emptyShape`. */
  readonly maySend?: boolean;
  /** What a table that it makes holds. */
  readonly rows?: Shape;
}

const silent: StatementRows = { kind: 'utility', output: emptyShape };

export function statementLineage(stmt: Node | undefined, walk: LineageWalk, handles: Handles): StatementRows {
  if (stmt === undefined) return silent;
  switch (tagOf(stmt)) {
    case 'SelectStmt': {
      const output = walk.query(stmt);
      return as(stmt, 'SelectStmt')?.intoClause === undefined
        ? { kind: 'query', output }
        : { kind: 'query', output: emptyShape, rows: output };
    }
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt': {
      const output = walk.query(stmt);
      return { kind: 'write', output, maySend: walk.rules };
    }
    case 'CopyStmt':
      return copy(as(stmt, 'CopyStmt') ?? {}, walk);
    case 'ExplainStmt':
      statementLineage(as(stmt, 'ExplainStmt')?.query, walk, namedNothing);
      // The planner evaluates what is constant: a plan can show the result of a function, never that of a column.
      return { kind: 'query', output: openShape(walk.opaque ? anyFlow : walk.computed) };
    case 'DeclareCursorStmt': {
      const declared = as(stmt, 'DeclareCursorStmt');
      // a cursor that could not be declared leaves the one of that name, whose branches may be others
      const rows = walk.query(declared?.query);
      const columns = rows.columns?.map((one) => ({ ...one, told: undefined }));
      const shape: Shape = { ...rows, columns, branches: undefined };
      handles.add('cursor', declared?.portalname ?? '', () => shape, signature(shape));
      return silent;
    }
    case 'FetchStmt': {
      const fetch = as(stmt, 'FetchStmt');
      walk.opaque = true;
      if (fetch?.ismove === true) return silent;
      return { kind: 'query', output: handles.get('cursor', fetch?.portalname ?? '')?.(walk) ?? unknownShape };
    }
    case 'PrepareStmt': {
      const prepared = as(stmt, 'PrepareStmt');
      const returns: Returns = (later) => statementLineage(prepared?.query, later, namedNothing).output;
      returns(walk);
      handles.add('prepared', prepared?.name ?? '', returns, JSON.stringify(stmt));
      return silent;
    }
    case 'ExecuteStmt':
      walk.opaque = true;
      return {
        kind: 'query',
        output: handles.get('prepared', as(stmt, 'ExecuteStmt')?.name ?? '')?.(walk) ?? unknownShape,
        maySend: true,
      };
    case 'CreateTableAsStmt': {
      const create = as(stmt, 'CreateTableAsStmt');
      const rows = statementLineage(create?.query, walk, handles).output;
      // A materialized view stays known by its definition; a table forgets where its rows came from.
      if (create?.objtype !== 'OBJECT_MATVIEW') walk.sinks.push({ flow: rows.all, into: undefined });
      return { ...silent, rows };
    }
    case 'CallStmt': {
      const call = as(stmt, 'CallStmt')?.funccall;
      const output = call ? walk.callShape({ FuncCall: call }, new LineageScope()) : unknownShape;
      return { kind: 'query', output, maySend: true };
    }
    case 'DoStmt': {
      const block = as(stmt, 'DoStmt')?.args;
      const language = optionText(block, 'language') ?? 'plpgsql';
      walk.adopt(walk.knowledge.blockFlow(language, optionText(block, 'as') ?? '', walk.knowledge.searchPath).walk);
      return silent;
    }
    case 'VariableShowStmt':
      return { kind: 'query', output: openShape(noFlow) };
    case 'TransactionStmt':
      return { kind: runsDeferred.has(as(stmt, 'TransactionStmt')?.kind) ? 'end' : 'utility', output: emptyShape };
    case 'ConstraintsSetStmt':
      return { kind: 'end', output: emptyShape };
    default:
      noteRelations(stmt, walk);
      computedByDefinition(stmt, walk);
      return silent;
  }
}

/** Deferred triggers and cursors WITH HOLD run then. */
const runsDeferred: ReadonlySet<string | undefined> = new Set(['TRANS_STMT_COMMIT', 'TRANS_STMT_PREPARE']);

/** They leave it to names what they mean, or only add some: what a new table holds came there by statements as well. */
const leavesNames: ReadonlySet<Tag> = new Set<Tag>([
  ...neutral,
  'CallStmt',
  'CreateTableAsStmt',
  'CreateStmt',
  'DoStmt',
  'IndexStmt',
  'TruncateStmt',
  'VacuumStmt',
]);

/** A statement in a body: what follows it is bound by the catalog as it is now. */
export function bodyStatement(stmt: Node | undefined, walk: LineageWalk): Shape {
  const { output } = statementLineage(stmt, walk, namedNothing);
  if (stmt !== undefined && !leavesNames.has(tagOf(stmt))) walk.opaque = true;
  if (walk.configures) walk.opaque = true;
  return output;
}

/** Two cursors that return the same have the same. */
function signature({ columns, all }: Shape): string {
  return JSON.stringify([[...all], columns?.map(({ flow }) => [...flow])]);
}

/** In a body names of the session stand for nothing that is known. */
const namedNothing: Handles = { get: () => undefined, add: () => {} };

function copy(statement: CopyStmt, walk: LineageWalk): StatementRows {
  const range = statement.relation;
  if (statement.is_from === true) {
    if (range !== undefined && walk.relation(range)?.triggers) walk.triggers = true;
    return { kind: 'write', output: emptyShape };
  }
  const output =
    range === undefined ? walk.query(statement.query) : columnsOf(walk.tableShape(range), names(statement.attlist));
  if (statement.filename !== undefined || statement.is_program === true) {
    walk.sinks.push({ flow: output.all, into: undefined });
    return silent;
  }
  return { kind: { copyOut: copyOptions(statement.options ?? []) }, output };

  function columnsOf(shape: Shape, listed: readonly string[]): Shape {
    if (listed.length === 0) return shape;
    const scope = new LineageScope();
    scope.add({ parts: [shape], aliases: new Map() });
    return walk.targetList(listed.map(columnTarget), scope);
  }
}

function columnTarget(name: string): Node {
  return { ResTarget: { val: { ColumnRef: { fields: [{ String: { sval: name } }] } } } };
}

const formats = ['text', 'csv', 'binary'] as const;

function copyOptions(list: readonly Node[]): CopyOptions {
  const given = new Map<string, string>();
  for (const node of list) {
    const option = as(node, 'DefElem');
    const argument = option?.arg;
    const text =
      as(argument, 'String')?.sval ??
      as(argument, 'Integer')?.ival?.toString() ??
      (as(argument, 'Boolean') === undefined ? undefined : String(as(argument, 'Boolean')?.boolval ?? false)) ??
      (argument === undefined ? 'true' : String(constant(argument) ?? ''));
    given.set(option?.defname ?? '', text);
  }
  const format = given.get('format') ?? 'text';
  const csv = format === 'csv';
  const quote = given.get('quote') ?? '"';
  return {
    format: formats.find((one) => one === format) ?? 'other',
    header: ['true', 'on', '1', 'match'].includes((given.get('header') ?? 'false').toLowerCase()),
    delimiter: given.get('delimiter') ?? (csv ? ',' : '\t'),
    null: given.get('null') ?? (csv ? '' : '\\N'),
    quote,
    escape: given.get('escape') ?? quote,
    encoding: given.get('encoding'),
  };
}

/** Utility statements return no rows, but their errors may show some: which relations are they about? */
function noteRelations(node: Node, walk: LineageWalk): void {
  const range = as(node, 'RangeVar');
  if (range !== undefined) note(range);
  eachChild(node, (child) => noteRelations(child, walk));
  const struct = Object.values(node)[0] as { relation?: RangeVar; view?: RangeVar } | undefined;
  for (const plain of [struct?.relation, struct?.view]) if (plain?.relname !== undefined) note(plain);

  function note(relation: RangeVar): void {
    // what is being made for the session alone
    if (relation.relpersistence === 't') return;
    walk.relation(relation);
  }
}
