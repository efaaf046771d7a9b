/** SET, RESET, BEGIN's options: what changes in the meaning of later statements. */
import type { TransactionStmt, VariableSetStmt } from 'libpg-query';
import type { Target, TransactionEffect } from '../facts.js';
import { as, constant, type Node } from '../grammar/tree.js';
import type { Handlers, Walk } from './effect-walk.js';

export const settingHandlers: Handlers = {
  VariableSetStmt(set, walk) {
    const reset = set.kind === 'VAR_RESET' || set.kind === 'VAR_RESET_ALL';
    walk.command ||= reset ? 'RESET' : 'SET';
    for (const setting of settingsOf(set)) addSetting(walk, setting);
  },

  VariableShowStmt(_show, walk) {
    walk.command ||= 'SHOW';
  },

  DiscardStmt(discard, walk) {
    const what = (discard.target ?? 'DISCARD_ALL').replace('DISCARD_', '');
    walk.command ||= `DISCARD ${what}`;
    walk.add('session', { targets: [{ type: 'setting', name: 'all' }] });
    if (what === 'ALL') walk.handle = { op: 'deallocate' };
  },

  ConstraintsSetStmt(_set, walk) {
    walk.command ||= 'SET CONSTRAINTS';
    // Only moves a check to the end of the transaction.
    walk.add('transaction', { detail: 'SET CONSTRAINTS' });
  },

  TransactionStmt(statement, walk) {
    const [effect, command] = transactionKinds[statement.kind ?? ''] ?? [undefined, 'TRANSACTION'];
    walk.command ||= command;
    walk.transaction = effect;
    walk.add('transaction', statement.savepoint_name === undefined ? {} : { savepoint: statement.savepoint_name });
    addTransactionModes(statement, walk);
  },
};

const transactionKinds: Readonly<Record<string, readonly [TransactionEffect, string]>> = {
  TRANS_STMT_BEGIN: ['begin', 'BEGIN'],
  TRANS_STMT_START: ['begin', 'START TRANSACTION'],
  TRANS_STMT_COMMIT: ['commit', 'COMMIT'],
  TRANS_STMT_ROLLBACK: ['rollback', 'ROLLBACK'],
  TRANS_STMT_SAVEPOINT: ['savepoint', 'SAVEPOINT'],
  TRANS_STMT_RELEASE: ['release', 'RELEASE'],
  TRANS_STMT_ROLLBACK_TO: ['rollback-to', 'ROLLBACK'],
  TRANS_STMT_PREPARE: ['prepare-transaction', 'PREPARE TRANSACTION'],
  TRANS_STMT_COMMIT_PREPARED: ['commit-prepared', 'COMMIT PREPARED'],
  TRANS_STMT_ROLLBACK_PREPARED: ['rollback-prepared', 'ROLLBACK PREPARED'],
};

export interface Setting {
  /** Lower case: PostgreSQL compares names of settings without regard to case. */
  readonly name: string;
  /** Undefined for RESET, DEFAULT and FROM CURRENT. */
  readonly value?: string;
}

/** What a SET, also one inside ALTER SYSTEM, ALTER ROLE or CREATE FUNCTION, sets. */
export function settingsOf(set: VariableSetStmt | undefined): Setting[] {
  if (set === undefined) return [];
  if (set.kind === 'VAR_RESET_ALL') return [{ name: 'all' }];
  if (set.kind === 'VAR_SET_MULTI') return multiple(set);
  const name = (set.name ?? '').toLowerCase();
  if (set.kind !== 'VAR_SET_VALUE') return [{ name }];
  return [{ name, value: (set.args ?? []).map(valueText).join(', ') }];
}

/** SET TRANSACTION, SET SESSION CHARACTERISTICS AS TRANSACTION. */
function multiple(set: VariableSetStmt): Setting[] {
  const prefix = set.name === 'SESSION CHARACTERISTICS' ? 'default_' : '';
  return (set.args ?? []).flatMap((node) => {
    const mode = as(node, 'DefElem');
    if (mode?.defname !== undefined) return [modeSetting(prefix, mode.defname, mode.arg)];
    return set.name === 'TRANSACTION SNAPSHOT' ? [{ name: 'transaction_snapshot', value: valueText(node) }] : [];
  });
}

function modeSetting(prefix: string, name: string, arg: Node | undefined): Setting {
  const value = constant(arg);
  return { name: prefix + name, value: typeof value === 'number' ? (value === 0 ? 'off' : 'on') : String(value) };
}

export function settingTargets(set: VariableSetStmt | undefined): Target[] {
  return settingsOf(set).map((setting) => ({ type: 'setting', name: setting.name }));
}

function valueText(node: Node): string {
  const value = constant(node) ?? constant(as(node, 'TypeCast')?.arg);
  return value === undefined || value === null ? '?' : String(value);
}

function addSetting(walk: Walk, setting: Setting): void {
  walk.add('session', {
    targets: [{ type: 'setting', name: setting.name }],
    ...(setting.value === undefined ? {} : { value: setting.value, detail: setting.value }),
    ...decides(setting.name, walk),
  });
}

/** Rows of the database are let through, or not, by what is set here. */
export function decides(name: string, { knowledge }: Walk): { readonly decides?: true } {
  return knowledge.relations?.isDecisive(name) ? { decides: true } : {};
}

/** BEGIN READ WRITE overrides default_transaction_read_only; other modes only tighten or are about isolation. */
function addTransactionModes(statement: TransactionStmt, walk: Walk): void {
  for (const node of statement.options ?? []) {
    const mode = as(node, 'DefElem');
    if (mode?.defname === 'transaction_read_only') addSetting(walk, modeSetting('', mode.defname, mode.arg));
  }
}
