/** Names of database objects as DDL statements carry them. */
import type { ObjectType, RoleSpec } from 'libpg-query';
import { relationTarget } from '../conditions/scope.js';
import type { EffectFields, Target, TargetType } from '../facts.js';
import { as, type Node, names } from '../grammar/tree.js';

interface ObjectKind {
  readonly type: TargetType;
  /** As in the command tag: `DROP MATERIALIZED VIEW`. */
  readonly words: string;
}

const kinds: Readonly<Partial<Record<ObjectType, ObjectKind>>> = {
  OBJECT_AGGREGATE: { type: 'function', words: 'AGGREGATE' },
  OBJECT_DATABASE: { type: 'database', words: 'DATABASE' },
  OBJECT_DOMAIN: { type: 'type', words: 'DOMAIN' },
  OBJECT_EXTENSION: { type: 'extension', words: 'EXTENSION' },
  OBJECT_FDW: { type: 'other', words: 'FOREIGN DATA WRAPPER' },
  OBJECT_FOREIGN_SERVER: { type: 'other', words: 'SERVER' },
  OBJECT_FOREIGN_TABLE: { type: 'table', words: 'FOREIGN TABLE' },
  OBJECT_FUNCTION: { type: 'function', words: 'FUNCTION' },
  OBJECT_INDEX: { type: 'index', words: 'INDEX' },
  OBJECT_MATVIEW: { type: 'view', words: 'MATERIALIZED VIEW' },
  OBJECT_OPCLASS: { type: 'other', words: 'OPERATOR CLASS' },
  OBJECT_OPFAMILY: { type: 'other', words: 'OPERATOR FAMILY' },
  OBJECT_PARAMETER_ACL: { type: 'setting', words: 'PARAMETER' },
  OBJECT_PROCEDURE: { type: 'function', words: 'PROCEDURE' },
  OBJECT_ROLE: { type: 'role', words: 'ROLE' },
  OBJECT_ROUTINE: { type: 'function', words: 'ROUTINE' },
  OBJECT_SCHEMA: { type: 'schema', words: 'SCHEMA' },
  OBJECT_SEQUENCE: { type: 'sequence', words: 'SEQUENCE' },
  OBJECT_STATISTIC_EXT: { type: 'other', words: 'STATISTICS' },
  OBJECT_TABLE: { type: 'table', words: 'TABLE' },
  OBJECT_COLUMN: { type: 'table', words: 'TABLE' },
  OBJECT_TABCONSTRAINT: { type: 'table', words: 'TABLE' },
  OBJECT_TSCONFIGURATION: { type: 'other', words: 'TEXT SEARCH CONFIGURATION' },
  OBJECT_TSDICTIONARY: { type: 'other', words: 'TEXT SEARCH DICTIONARY' },
  OBJECT_TSPARSER: { type: 'other', words: 'TEXT SEARCH PARSER' },
  OBJECT_TSTEMPLATE: { type: 'other', words: 'TEXT SEARCH TEMPLATE' },
  OBJECT_TYPE: { type: 'type', words: 'TYPE' },
  OBJECT_VIEW: { type: 'view', words: 'VIEW' },
};

export function objectKind(type: ObjectType | undefined): ObjectKind {
  const words = (type ?? '').replace(/^OBJECT_/, '').replaceAll('_', ' ');
  return kinds[type ?? 'OBJECT_DEFAULT'] ?? { type: 'other', words };
}

/** `["public", "t"]` -> t in public. */
export function pathTarget(type: TargetType, path: readonly string[]): Target {
  const name = path.at(-1) ?? '';
  const schema = path.at(-2);
  return schema === undefined ? { type, name } : { type, schema, name };
}

/** Triggers, rules and policies are named with their table, which is what is touched. */
const partsOfTables: Readonly<Partial<Record<ObjectType, NonNullable<EffectFields['part']>>>> = {
  OBJECT_TRIGGER: 'trigger',
  OBJECT_RULE: 'rule',
  OBJECT_POLICY: 'policy',
};

/** What of a table an object of that type is. */
export function partOf(type: ObjectType | undefined): EffectFields['part'] {
  return type === undefined ? undefined : partsOfTables[type];
}

/** The name of such a part, where the statement is about one. */
export function partNameOf(type: ObjectType | undefined, object: Node | undefined): string | undefined {
  return partOf(type) === undefined ? undefined : names(as(object, 'List')?.items).at(-1);
}

const renamedParts: Readonly<Partial<Record<ObjectType, string>>> = {
  OBJECT_COLUMN: 'column',
  OBJECT_ATTRIBUTE: 'attribute',
  OBJECT_TABCONSTRAINT: 'constraint',
  OBJECT_DOMCONSTRAINT: 'constraint',
};

/** What is renamed where it is not the whole object. */
export function partWords(type: ObjectType | undefined): string | undefined {
  return type === undefined ? undefined : (partsOfTables[type] ?? renamedParts[type]);
}

/** The object that a DROP, COMMENT, ALTER ... SCHEMA names; its shape depends on the kind of object. */
export function objectTarget(type: ObjectType | undefined, object: Node | undefined): Target {
  const kind = objectKind(type).type;
  const plain = as(object, 'String')?.sval ?? oidOf(object);
  if (plain !== undefined) return { type: kind, name: plain };
  const relation = as(object, 'RangeVar');
  if (relation !== undefined) return relationTarget(relation, kind);
  const routine = as(object, 'ObjectWithArgs');
  if (routine !== undefined) return pathTarget(kind, names(routine.objname));
  const typeName = as(object, 'TypeName');
  if (typeName !== undefined) return pathTarget(kind, names(typeName.names));
  const path = names(as(object, 'List')?.items);
  if (partOf(type) !== undefined) return pathTarget('table', path.slice(0, -1));
  if (type === 'OBJECT_COLUMN') return { ...pathTarget('table', path.slice(0, -1)), columns: path.slice(-1) };
  return pathTarget(kind, path);
}

/** Large objects have numbers for names; those over 2^31 are floats to the grammar. */
function oidOf(object: Node | undefined): string | undefined {
  return as(object, 'Integer')?.ival?.toString() ?? as(object, 'Float')?.fval;
}

const specialRoles: Readonly<Record<string, string>> = {
  ROLESPEC_CURRENT_ROLE: 'CURRENT_ROLE',
  ROLESPEC_CURRENT_USER: 'CURRENT_USER',
  ROLESPEC_SESSION_USER: 'SESSION_USER',
  ROLESPEC_PUBLIC: 'PUBLIC',
};

export function roleTarget(role: RoleSpec | undefined): Target {
  return { type: 'role', name: role?.rolename ?? specialRoles[role?.roletype ?? ''] ?? '' };
}

export function roleTargets(roles: readonly Node[] | undefined): Target[] {
  return (roles ?? []).map((node) => roleTarget(as(node, 'RoleSpec')));
}

/** RangeVars of a list: `LOCK TABLE a, b`. */
export function relationTargets(nodes: readonly Node[] | undefined, type: TargetType = 'table'): Target[] {
  return (nodes ?? []).flatMap((node) => {
    const relation = as(node, 'RangeVar');
    return relation === undefined ? [] : [relationTarget(relation, type)];
  });
}
