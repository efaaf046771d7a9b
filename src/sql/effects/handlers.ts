/** Puts the handlers together. A node that none of them treats is either plain (walked through) or unknown. */

import type { Scope } from '../conditions/scope.js';
import { type Node, type Tag, tagOf } from '../grammar/tree.js';
import { codeHandlers } from './code.js';
import { objectHandlers } from './ddl-objects.js';
import { rightsHandlers } from './ddl-rights.js';
import { tableHandlers } from './ddl-tables.js';
import type { Handlers, Visit, Walk } from './effect-walk.js';
import { functionHandlers } from './functions.js';
import { queryHandlers } from './query.js';
import { settingHandlers } from './settings.js';
import { utilityHandlers } from './utility.js';

const handlers: Handlers = {
  ...queryHandlers,
  ...functionHandlers,
  ...settingHandlers,
  ...utilityHandlers,
  ...tableHandlers,
  ...objectHandlers,
  ...rightsHandlers,
  ...codeHandlers,
};

/** Nodes that do nothing themselves; what is in them does. From parsenodes.h and primnodes.h, raw parse trees only. */
const plain: ReadonlySet<string> = new Set<Tag>([
  'A_ArrayExpr',
  'A_Const',
  'A_Indices',
  'A_Indirection',
  'A_Star',
  'Alias',
  'BitString',
  'BoolExpr',
  'Boolean',
  'BooleanTest',
  'CTECycleClause',
  'CTESearchClause',
  'CaseExpr',
  'CaseWhen',
  'CoalesceExpr',
  'CollateClause',
  'ColumnDef',
  'Constraint',
  'CreateOpClassItem',
  'CurrentOfExpr',
  'DefElem',
  'Float',
  'FunctionParameter',
  'GroupingFunc',
  'GroupingSet',
  'IndexElem',
  'InferClause',
  'Integer',
  'JsonAggConstructor',
  'JsonArgument',
  'JsonArrayAgg',
  'JsonArrayConstructor',
  'JsonArrayQueryConstructor',
  'JsonBehavior',
  'JsonFormat',
  'JsonFuncExpr',
  'JsonIsPredicate',
  'JsonKeyValue',
  'JsonObjectAgg',
  'JsonObjectConstructor',
  'JsonOutput',
  'JsonParseExpr',
  'JsonReturning',
  'JsonScalarExpr',
  'JsonSerializeExpr',
  'JsonTable',
  'JsonTableColumn',
  'JsonTablePathSpec',
  'JsonValueExpr',
  'List',
  'MergeSupportFunc',
  'MergeWhenClause',
  'MinMaxExpr',
  'MultiAssignRef',
  'NamedArgExpr',
  'NullTest',
  'ObjectWithArgs',
  'PartitionBoundSpec',
  'PartitionCmd',
  'PartitionElem',
  'PartitionRangeDatum',
  'PartitionSpec',
  'RangeFunction',
  'RangeTableFunc',
  'RangeTableFuncCol',
  'RangeTableSample',
  'RangeVar',
  'ResTarget',
  'ReturningOption',
  'RoleSpec',
  'RowExpr',
  'SQLValueFunction',
  'SetToDefault',
  'StatsElem',
  'String',
  'TableLikeClause',
  'TriggerTransition',
  'TypeCast',
  'TypeName',
  'WindowDef',
  'XmlExpr',
  'XmlSerialize',
]);

type AnyHandler = (struct: object, walk: Walk, scope: Scope, node: Node) => void;

export const visit: Visit = (node: Node, scope: Scope, walk: Walk): void => {
  const tag = tagOf(node);
  const struct: object = Object.values(node)[0] ?? {};
  const handler = Object.hasOwn(handlers, tag) ? (handlers[tag] as AnyHandler) : undefined;
  if (handler !== undefined) handler(struct, walk, scope, node);
  else if (plain.has(tag)) walk.visitBelow(struct, scope);
  else {
    walk.command ||= tag;
    walk.add('unknown', { targets: [{ type: 'other', name: tag }], bounded: false, opaque: true });
    walk.visitBelow(struct, scope);
  }
};
