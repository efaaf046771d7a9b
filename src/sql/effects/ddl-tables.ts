/** DDL about tables and what hangs on them: columns, indexes, triggers, rules, policies, views. */
import type { AlterTableCmd, AlterTableStmt, CreateStmt, RangeVar } from 'libpg-query';
import { alterFormOf } from '../alter-forms.js';
import { relationTarget, type Scope } from '../conditions/scope.js';
import type { Target } from '../facts.js';
import { as, names } from '../grammar/tree.js';
import type { Handlers, Walk } from './effect-walk.js';
import { functionTarget } from './functions.js';
import { objectKind, relationTargets, roleTarget } from './objects.js';

export const tableHandlers: Handlers = {
  CreateStmt: (create, walk, scope) => createTable(create, 'CREATE TABLE', walk, scope),

  CreateForeignTableStmt(create, walk, scope) {
    if (create.base !== undefined) createTable(create.base, 'CREATE FOREIGN TABLE', walk, scope);
    walk.add('network', { targets: [{ type: 'other', name: create.servername ?? '' }] });
  },

  AlterTableStmt: alterTable,

  IndexStmt(index, walk, scope) {
    walk.command ||= 'CREATE INDEX';
    const relation = targetOf(index.relation);
    const schema = relation?.schema === undefined ? {} : { schema: relation.schema };
    const words = [index.unique === true ? 'unique' : '', index.concurrent === true ? 'concurrently' : ''].filter(
      Boolean,
    );
    walk.add('create', {
      targets: [{ type: 'index', ...schema, name: index.idxname ?? `${relation?.name ?? ''} (unnamed)` }, relation],
      ...(words.length > 0 ? { detail: words.join(', ') } : {}),
      ...(index.concurrent === true ? { concurrently: true, outsideTransaction: true } : {}),
    });
    const { relation: _, ...rest } = index;
    walk.visitBelow(rest, scope);
  },

  ViewStmt(view, walk, scope) {
    walk.command ||= 'CREATE VIEW';
    const temporary = view.view?.relpersistence === 't';
    const detail = [temporary ? 'temporary' : '', view.replace === true ? 'or replace' : ''].filter(Boolean).join(', ');
    walk.add(view.replace === true && !temporary ? 'alter' : 'create', {
      targets: [targetOf(view.view, 'view')],
      ...(detail === '' ? {} : { detail }),
      ...(temporary ? { temporary: true } : {}),
    });
    walk.in('define', () => walk.visit(view.query, scope));
  },

  RuleStmt(rule, walk, scope) {
    walk.command ||= 'CREATE RULE';
    walk.add('alter', { targets: [targetOf(rule.relation)], part: 'rule', detail: 'rule' });
    walk.in('define', () => {
      walk.visit(rule.whereClause, scope);
      walk.visitAll(rule.actions, scope);
    });
  },

  CreateTrigStmt(trigger, walk, scope) {
    walk.command ||= 'CREATE TRIGGER';
    const path = names(trigger.funcname);
    walk.add('alter', { targets: [targetOf(trigger.relation)], part: 'trigger', detail: 'trigger' });
    walk.add('execute-code', { targets: [functionTarget(path.at(-2), path.at(-1) ?? '')], detail: 'trigger' });
    walk.in('define', () => walk.visit(trigger.whenClause, scope));
  },

  CreatePolicyStmt(policy, walk, scope) {
    walk.command ||= 'CREATE POLICY';
    walk.add('grant', { targets: [targetOf(policy.table)], detail: 'row security policy' });
    walk.in('define', () => walk.visitBelow([policy.qual, policy.with_check], scope));
  },

  AlterPolicyStmt(policy, walk, scope) {
    walk.command ||= 'ALTER POLICY';
    walk.add('grant', { targets: [targetOf(policy.table)], detail: 'row security policy' });
    walk.in('define', () => walk.visitBelow([policy.qual, policy.with_check], scope));
  },

  CreateStatsStmt(statistics, walk) {
    walk.command ||= 'CREATE STATISTICS';
    walk.add('create', { targets: [{ type: 'other', name: names(statistics.defnames).at(-1) ?? '' }] });
  },

  AlterStatsStmt(statistics, walk) {
    walk.command ||= 'ALTER STATISTICS';
    walk.add('alter', { targets: [{ type: 'other', name: names(statistics.defnames).at(-1) ?? '' }] });
  },

  TruncateStmt(truncate, walk) {
    walk.command ||= 'TRUNCATE TABLE';
    const targets = (truncate.relations ?? []).map((node) => targetOf(as(node, 'RangeVar')));
    const cascade = truncate.behavior === 'DROP_CASCADE' ? { cascade: true as const, detail: 'CASCADE' } : {};
    walk.add('truncate', { targets, bounded: false, ...cascade });
  },
};

function targetOf(relation: RangeVar | undefined, type: Target['type'] = 'table'): Target | undefined {
  return relation === undefined ? undefined : relationTarget(relation, type);
}

function createTable(create: CreateStmt, command: string, walk: Walk, scope: Scope): void {
  walk.command ||= command;
  const existing = create.if_not_exists === true ? ', if not exists' : '';
  const temporary =
    create.relation?.relpersistence === 't' ? { temporary: true as const, detail: `temporary${existing}` } : {};
  walk.add('create', { targets: [targetOf(create.relation)], ...temporary });
  // Queries of the parent see the new table's rows.
  const detail = create.partbound === undefined ? 'inherited' : 'partition';
  const parents = relationTargets(create.inhRelations);
  if (parents.length > 0) walk.add('alter', { targets: parents, detail });
  const { relation: _, inhRelations: _parents, ...rest } = create;
  walk.in('define', () => walk.visitBelow(rest, scope));
}

function alterTable(alter: AlterTableStmt, walk: Walk, scope: Scope): void {
  const { type, words } = objectKind(alter.objtype);
  walk.command ||= `ALTER ${words}`;
  const target = targetOf(alter.relation, type);
  for (const node of alter.cmds ?? []) {
    const command = as(node, 'AlterTableCmd');
    if (command === undefined || target === undefined) continue;
    alterCommand(command, target, walk);
    walk.in('define', () => walk.visitBelow(command, scope));
  }
}

function alterCommand(command: AlterTableCmd, target: Target, walk: Walk): void {
  const subtype = command.subtype ?? '';
  const form = alterFormOf(command.subtype);
  const cascades = command.behavior === 'DROP_CASCADE';
  const cascade = cascades ? ', CASCADE' : '';
  const alone = as(command.def, 'PartitionCmd')?.concurrent === true;
  const fields = {
    form,
    ...(cascades ? { cascade: true as const } : {}),
    ...(alone ? { concurrently: true as const, outsideTransaction: true as const } : {}),
  };
  const touched: Target = command.name === undefined ? target : { ...target, columns: [command.name] };
  if (subtype === 'AT_ChangeOwner') {
    walk.add('grant', { targets: [target, roleTarget(command.newowner)], form, detail: 'owner' });
  } else if (subtype === 'AT_DropColumn') {
    walk.add('drop', { targets: [touched], part: 'column', ...fields, detail: `column${cascade}` });
  } else if (/RowSecurity$/.test(subtype)) {
    walk.add('grant', { targets: [target], form, detail: words(subtype) });
  } else if (/Column|Default|NotNull|Identity|Storage|Compression|Expression|Statistics/.test(subtype)) {
    walk.add('alter', { targets: [touched], ...fields, detail: words(subtype) });
  } else {
    walk.add('alter', { targets: [target], ...fields, detail: `${words(subtype)}${named(command)}${cascade}` });
  }
}

/** AT_DisableTrigAll -> `disable trigger all`. */
function words(subtype: string): string {
  const spaced = subtype.replace(/^AT_/, '').replace(/([a-z])([A-Z])/g, '$1 $2');
  return asWritten.reduce((told, [of, by]) => told.replace(of, by), spaced.toLowerCase());
}

/** Where the server's own name for a form is not how SQL writes it. */
const asWritten: readonly (readonly [RegExp, string])[] = [
  [/\btrig\b/, 'trigger'],
  [/\bun logged$/, 'unlogged'],
  [/\btable space$/, 'tablespace'],
  [/\b(?:rel|generic) options$/, 'options'],
  [/^add (?=(?:of|inherit)$)/, ''],
  [/^drop (?=(?:of|inherit)$)/, 'no '],
  [/^no of$/, 'not of'],
];

/** What the form names besides the table: a constraint, a trigger, an index, a partition. */
function named({ name, def }: AlterTableCmd): string {
  const told = name ?? as(def, 'PartitionCmd')?.name?.relname ?? as(def, 'Constraint')?.conname;
  return told === undefined ? '' : ` ${told}`;
}
