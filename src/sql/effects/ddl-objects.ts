/** DDL that is not about tables, roles or rights: DROP, ALTER, types, schemas, extensions, databases, servers. */

import type { CreatedbStmt } from 'libpg-query';
import { relationTarget } from '../conditions/scope.js';
import type { EffectKind, Target } from '../facts.js';
import { as, names } from '../grammar/tree.js';
import type { Handlers, Walk } from './effect-walk.js';
import { addUserFunction, functionTarget } from './functions.js';
import { objectKind, objectTarget, partNameOf, partOf, partWords, pathTarget, roleTarget } from './objects.js';
import { settingsOf, settingTargets } from './settings.js';

export const objectHandlers: Handlers = {
  DropStmt(drop, walk) {
    const kind = objectKind(drop.removeType);
    walk.command ||= `DROP ${kind.words}`;
    const targets = (drop.objects ?? []).map((object) => objectTarget(drop.removeType, object));
    const detail = [
      kind.type === 'other' || targets[0]?.type !== kind.type ? kind.words.toLowerCase() : '',
      cascade(drop),
    ];
    const words = detail.filter(Boolean).join(', ');
    const name = partNameOf(drop.removeType, drop.objects?.[0]);
    walk.add('drop', {
      targets,
      part: partOf(drop.removeType),
      ...(name === undefined ? {} : { partName: name }),
      ...(words === '' ? {} : { detail: words }),
      ...(drop.behavior === 'DROP_CASCADE' ? { cascade: true } : {}),
      ...(drop.concurrent === true ? { concurrently: true, outsideTransaction: true } : {}),
    });
  },

  RenameStmt(rename, walk) {
    const kind = objectKind(rename.renameType);
    const relation = objectKind(rename.relationType);
    walk.command ||= `ALTER ${rename.renameType === 'OBJECT_COLUMN' ? relation.words : kind.words}`;
    const type = rename.renameType === 'OBJECT_COLUMN' ? relation.type : kind.type;
    const part = rename.renameType === 'OBJECT_COLUMN' && rename.subname ? { columns: [rename.subname] } : {};
    const what = partWords(rename.renameType);
    const target = rename.relation
      ? { ...relationTarget(rename.relation, type === 'other' ? 'table' : type), ...part }
      : rename.object
        ? objectTarget(rename.renameType, rename.object)
        : { type, name: rename.subname ?? '' };
    if (kind.type === 'database') walk.vacates = [target.name];
    walk.add(kind.type === 'role' ? 'role' : 'alter', {
      targets: [target],
      newName: rename.newname ?? '',
      detail: `rename ${what ? `${what} ${rename.subname} ` : ''}to ${rename.newname ?? ''}`,
    });
  },

  AlterObjectSchemaStmt(alter, walk) {
    const kind = objectKind(alter.objectType);
    walk.command ||= `ALTER ${kind.words}`;
    const target = alter.relation
      ? relationTarget(alter.relation, kind.type)
      : objectTarget(alter.objectType, alter.object);
    const newSchema = alter.newschema ?? '';
    walk.add('alter', { targets: [target], newSchema, detail: `set schema ${newSchema}` });
  },

  AlterOwnerStmt(alter, walk) {
    const kind = objectKind(alter.objectType);
    walk.command ||= `ALTER ${kind.words}`;
    const target = alter.relation
      ? relationTarget(alter.relation, kind.type)
      : objectTarget(alter.objectType, alter.object);
    walk.add('grant', { targets: [target, roleTarget(alter.newowner)], detail: 'owner' });
  },

  AlterObjectDependsStmt(alter, walk) {
    const kind = objectKind(alter.objectType);
    walk.command ||= `ALTER ${kind.words}`;
    const target = alter.relation
      ? relationTarget(alter.relation, kind.type)
      : objectTarget(alter.objectType, alter.object);
    walk.add('alter', { targets: [target] });
  },

  CommentStmt(comment, walk) {
    walk.command ||= 'COMMENT';
    walk.add('alter', { targets: [objectTarget(comment.objtype, comment.object)], detail: 'comment' });
  },

  AlterSystemStmt(alter, walk) {
    walk.command ||= 'ALTER SYSTEM';
    const value = settingsOf(alter.setstmt)[0]?.value;
    walk.add('config', { targets: settingTargets(alter.setstmt), value, detail: value });
  },
  AlterDatabaseSetStmt(alter, walk) {
    walk.command ||= 'ALTER DATABASE';
    walk.add('config', { targets: [database(alter.dbname), ...settingTargets(alter.setstmt)] });
  },
  CreatedbStmt(create, walk) {
    simple(walk, 'CREATE DATABASE', 'create', database(create.dbname));
    walk.vacates = [templateOf(create)];
  },
  AlterDatabaseStmt(alter, walk) {
    simple(walk, 'ALTER DATABASE', 'alter', database(alter.dbname));
    walk.vacates = [alter.dbname ?? ''];
  },
  AlterDatabaseRefreshCollStmt: (alter, walk) => simple(walk, 'ALTER DATABASE', 'alter', database(alter.dbname)),
  DropdbStmt(drop, walk) {
    simple(walk, 'DROP DATABASE', 'drop', database(drop.dbname));
    walk.vacates = [drop.dbname ?? ''];
  },

  CreateSchemaStmt(create, walk, scope) {
    walk.command ||= 'CREATE SCHEMA';
    walk.add('create', { targets: [{ type: 'schema', name: create.schemaname ?? roleTarget(create.authrole).name }] });
    walk.visitAll(create.schemaElts, scope);
  },
  CreateSeqStmt(create, walk) {
    walk.command ||= 'CREATE SEQUENCE';
    const temporary = create.sequence?.relpersistence === 't' ? { temporary: true as const, detail: 'temporary' } : {};
    walk.add('create', { targets: sequence(create.sequence), ...temporary });
  },
  AlterSeqStmt(alter, walk) {
    walk.command ||= 'ALTER SEQUENCE';
    walk.add('alter', { targets: sequence(alter.sequence) });
  },

  DefineStmt(define, walk, scope) {
    const kind = objectKind(define.kind);
    walk.command ||= `CREATE ${kind.words}`;
    walk.add(define.replace === true ? 'alter' : 'create', {
      targets: [pathTarget(kind.type, names(define.defnames))],
      detail: kind.words.toLowerCase(),
    });
    walk.in('define', () => walk.visitBelow(define.definition, scope));
  },
  CompositeTypeStmt(create, walk) {
    walk.command ||= 'CREATE TYPE';
    walk.add('create', { targets: create.typevar ? [relationTarget(create.typevar, 'type')] : [] });
  },
  CreateEnumStmt(create, walk) {
    walk.command ||= 'CREATE TYPE';
    walk.add('create', { targets: [pathTarget('type', names(create.typeName))], enumerates: true });
  },
  CreateRangeStmt: (create, walk) => simple(walk, 'CREATE TYPE', 'create', pathTarget('type', names(create.typeName))),
  AlterEnumStmt(alter, walk) {
    walk.command ||= 'ALTER TYPE';
    walk.add('alter', { targets: [pathTarget('type', names(alter.typeName))], enumerates: true });
  },
  AlterTypeStmt: (alter, walk) => simple(walk, 'ALTER TYPE', 'alter', pathTarget('type', names(alter.typeName))),
  CreateDomainStmt(create, walk, scope) {
    simple(walk, 'CREATE DOMAIN', 'create', pathTarget('type', names(create.domainname)));
    walk.in('define', () => walk.visitBelow(create.constraints, scope));
  },
  AlterDomainStmt(alter, walk, scope) {
    simple(walk, 'ALTER DOMAIN', 'alter', pathTarget('type', names(alter.typeName)));
    walk.in('define', () => walk.visit(alter.def, scope));
  },

  CreateExtensionStmt(create, walk) {
    const target: Target = { type: 'extension', name: create.extname ?? '' };
    simple(walk, 'CREATE EXTENSION', 'create', target);
    walk.add('execute-code', { targets: [target], opaque: true, detail: 'extension script' });
  },
  AlterExtensionStmt(alter, walk) {
    const target: Target = { type: 'extension', name: alter.extname ?? '' };
    simple(walk, 'ALTER EXTENSION', 'alter', target);
    walk.add('execute-code', { targets: [target], opaque: true, detail: 'extension script' });
  },
  AlterExtensionContentsStmt: (alter, walk) =>
    simple(walk, 'ALTER EXTENSION', 'alter', { type: 'extension', name: alter.extname ?? '' }),

  CreatePLangStmt(create, walk) {
    const target: Target = { type: 'other', name: create.plname ?? '' };
    simple(walk, 'CREATE LANGUAGE', 'create', target);
    walk.add('execute-code', { targets: [target], opaque: true, detail: 'language' });
  },
  CreateEventTrigStmt(create, walk) {
    const path = names(create.funcname);
    simple(walk, 'CREATE EVENT TRIGGER', 'create', { type: 'other', name: create.trigname ?? '' });
    walk.add('execute-code', { targets: [functionTarget(path.at(-2), path.at(-1) ?? '')], detail: 'event trigger' });
  },
  AlterEventTrigStmt: (alter, walk) =>
    simple(walk, 'ALTER EVENT TRIGGER', 'alter', { type: 'other', name: alter.trigname ?? '' }),

  CreateCastStmt(create, walk) {
    const path = names(create.func?.objname);
    simple(walk, 'CREATE CAST', 'create', pathTarget('type', names(create.targettype?.names)));
    if (path.length > 0) walk.add('execute-code', { targets: [functionTarget(path.at(-2), path.at(-1) ?? '')] });
  },
  CreateTransformStmt: (create, walk) =>
    simple(walk, 'CREATE TRANSFORM', 'create', pathTarget('type', names(create.type_name?.names))),
  CreateConversionStmt: (create, walk) =>
    simple(walk, 'CREATE CONVERSION', 'create', pathTarget('other', names(create.conversion_name))),
  CreateAmStmt: (create, walk) =>
    simple(walk, 'CREATE ACCESS METHOD', 'create', { type: 'other', name: create.amname ?? '' }),
  CreateOpClassStmt: (create, walk) =>
    simple(walk, 'CREATE OPERATOR CLASS', 'create', pathTarget('other', names(create.opclassname))),
  CreateOpFamilyStmt: (create, walk) =>
    simple(walk, 'CREATE OPERATOR FAMILY', 'create', pathTarget('other', names(create.opfamilyname))),
  AlterOpFamilyStmt: (alter, walk) =>
    simple(walk, 'ALTER OPERATOR FAMILY', 'alter', pathTarget('other', names(alter.opfamilyname))),
  AlterOperatorStmt: (alter, walk) =>
    simple(walk, 'ALTER OPERATOR', 'alter', pathTarget('other', names(alter.opername?.objname))),
  AlterCollationStmt: (alter, walk) =>
    simple(walk, 'ALTER COLLATION', 'alter', pathTarget('other', names(alter.collname))),
  AlterTSDictionaryStmt: (alter, walk) =>
    simple(walk, 'ALTER TEXT SEARCH DICTIONARY', 'alter', pathTarget('other', names(alter.dictname))),
  AlterTSConfigurationStmt: (alter, walk) =>
    simple(walk, 'ALTER TEXT SEARCH CONFIGURATION', 'alter', pathTarget('other', names(alter.cfgname))),

  CreateTableSpaceStmt(create, walk) {
    simple(walk, 'CREATE TABLESPACE', 'create', { type: 'other', name: create.tablespacename ?? '' });
    walk.add('copy-file', { targets: [{ type: 'file', name: create.location ?? '' }], file: 'write', detail: 'write' });
  },
  DropTableSpaceStmt: (drop, walk) =>
    simple(walk, 'DROP TABLESPACE', 'drop', { type: 'other', name: drop.tablespacename ?? '' }),
  AlterTableSpaceOptionsStmt: (alter, walk) =>
    simple(walk, 'ALTER TABLESPACE', 'alter', { type: 'other', name: alter.tablespacename ?? '' }),
  AlterTableMoveAllStmt(alter, walk) {
    const words = objectKind(alter.objtype).words;
    walk.command ||= `ALTER ${words}`;
    const targets: Target[] = [{ type: 'other', name: alter.orig_tablespacename ?? '' }];
    walk.add('alter', { targets, detail: `every ${words.toLowerCase()} of this tablespace` });
  },
  // a part of ALTER TABLE, which has said it
  ReplicaIdentityStmt: () => {},

  CreateFdwStmt: (create, walk) => remote(walk, 'CREATE FOREIGN DATA WRAPPER', 'create', create.fdwname),
  AlterFdwStmt: (alter, walk) => remote(walk, 'ALTER FOREIGN DATA WRAPPER', 'alter', alter.fdwname),
  CreateForeignServerStmt: (create, walk) => remote(walk, 'CREATE SERVER', 'create', create.servername),
  AlterForeignServerStmt: (alter, walk) => remote(walk, 'ALTER SERVER', 'alter', alter.servername),
  CreateUserMappingStmt: (create, walk) => remote(walk, 'CREATE USER MAPPING', 'create', create.servername),
  AlterUserMappingStmt: (alter, walk) => remote(walk, 'ALTER USER MAPPING', 'alter', alter.servername),
  DropUserMappingStmt: (drop, walk) => remote(walk, 'DROP USER MAPPING', 'drop', drop.servername),
  ImportForeignSchemaStmt: (load, walk) => remote(walk, 'IMPORT FOREIGN SCHEMA', 'create', load.server_name),
  CreateSubscriptionStmt: (create, walk) => remote(walk, 'CREATE SUBSCRIPTION', 'create', create.subname),
  AlterSubscriptionStmt: (alter, walk) => remote(walk, 'ALTER SUBSCRIPTION', 'alter', alter.subname),
  DropSubscriptionStmt: (drop, walk) => remote(walk, 'DROP SUBSCRIPTION', 'drop', drop.subname),
  CreatePublicationStmt: (create, walk) =>
    simple(walk, 'CREATE PUBLICATION', 'create', { type: 'other', name: create.pubname ?? '' }),
  AlterPublicationStmt: (alter, walk) =>
    simple(walk, 'ALTER PUBLICATION', 'alter', { type: 'other', name: alter.pubname ?? '' }),

  CallStmt(call, walk, scope) {
    walk.command ||= 'CALL';
    const path = names(call.funccall?.funcname);
    walk.functions.add(path.join('.'));
    const called = { call: call.funccall ?? {}, scope, procedure: true };
    addUserFunction(path.at(-2), path.at(-1) ?? '', walk, called);
    walk.visitBelow(call.funccall?.args, scope);
  },

  LoadStmt(load, walk) {
    walk.command ||= 'LOAD';
    walk.add('execute-code', {
      targets: [{ type: 'file', name: load.filename ?? '' }],
      opaque: true,
      detail: 'library',
    });
  },
};

function simple(walk: Walk, command: string, kind: EffectKind, target: Target): void {
  walk.command ||= command;
  walk.add(kind, { targets: [target] });
}

/** Objects through which the server talks to another one. */
function remote(walk: Walk, command: string, kind: EffectKind, name: string | undefined): void {
  const target: Target = { type: 'other', name: name ?? '' };
  simple(walk, command, kind, target);
  walk.add('network', { targets: [target] });
}

function database(name: string | undefined): Target {
  return { type: 'database', name: name ?? '' };
}

/** createdb(): without a name, and for DEFAULT, it is template1. */
function templateOf({ options }: CreatedbStmt): string {
  const named = (options ?? []).map((node) => as(node, 'DefElem')).find((option) => option?.defname === 'template');
  return as(named?.arg, 'String')?.sval ?? names(as(named?.arg, 'TypeName')?.names).at(-1) ?? 'template1';
}

function sequence(relation: Parameters<typeof relationTarget>[0] | undefined): Target[] {
  return relation === undefined ? [] : [relationTarget(relation, 'sequence')];
}

function cascade(statement: { readonly behavior?: string }): string {
  return statement.behavior === 'DROP_CASCADE' ? 'CASCADE' : '';
}
