/**
 * The forms of ALTER TABLE and its kin: how far each reaches, and its lock. Exhaustive: a form that a newer grammar
 * knows does not compile until it has a row.
 */
import type { AlterTableType } from 'libpg-query';
import type { LockMode } from './lock-modes.js';

/** As PostgreSQL's parse tree calls them (`AlterTableType` in parsenodes.h), without `AT_`. */
export type AlterForm = AlterTableType extends infer Type ? (Type extends `AT_${infer Form}` ? Form : never) : never;

export interface AlterFormTraits {
  /** It changes this table alone; rules, triggers, parents, owners and row security reach further. */
  readonly staysWithTable: boolean;
  /** The strongest lock that the form may take: AlterTableGetLockLevel(), "ALTER TABLE" in the PostgreSQL manual. */
  readonly lock: LockMode;
}

const own = true;
const further = false;
const all = 'ACCESS EXCLUSIVE';
const writes = 'SHARE ROW EXCLUSIVE';
const nonBlocking = 'SHARE UPDATE EXCLUSIVE';

function row(staysWithTable: boolean, lock: LockMode): AlterFormTraits {
  return { staysWithTable, lock };
}

export const alterForms: Readonly<Record<AlterForm, AlterFormTraits>> = {
  AddColumn: row(own, all),
  AddColumnToView: row(own, all),
  AddConstraint: row(own, all),
  AddIdentity: row(own, all),
  AddIndex: row(own, all),
  AddIndexConstraint: row(own, all),
  AddInherit: row(further, all),
  AddOf: row(further, all),
  AlterColumnGenericOptions: row(further, all),
  AlterColumnType: row(own, all),
  AlterConstraint: row(further, all),
  AttachPartition: row(further, nonBlocking),
  ChangeOwner: row(further, all),
  ClusterOn: row(further, nonBlocking),
  ColumnDefault: row(own, all),
  CookedColumnDefault: row(further, all),
  DetachPartition: row(further, all),
  DetachPartitionFinalize: row(further, nonBlocking),
  DisableRowSecurity: row(further, all),
  DisableRule: row(further, all),
  DisableTrig: row(further, writes),
  DisableTrigAll: row(further, writes),
  DisableTrigUser: row(further, writes),
  DropCluster: row(further, nonBlocking),
  DropColumn: row(own, all),
  DropConstraint: row(own, all),
  DropExpression: row(own, all),
  DropIdentity: row(own, all),
  DropInherit: row(further, all),
  DropNotNull: row(own, all),
  DropOf: row(further, all),
  DropOids: row(further, all),
  EnableAlwaysRule: row(further, all),
  EnableAlwaysTrig: row(further, writes),
  EnableReplicaRule: row(further, all),
  EnableReplicaTrig: row(further, writes),
  EnableRowSecurity: row(further, all),
  EnableRule: row(further, all),
  EnableTrig: row(further, writes),
  EnableTrigAll: row(further, writes),
  EnableTrigUser: row(further, writes),
  ForceRowSecurity: row(further, all),
  GenericOptions: row(further, all),
  NoForceRowSecurity: row(further, all),
  ReAddComment: row(further, all),
  ReAddConstraint: row(further, all),
  ReAddDomainConstraint: row(further, all),
  ReAddIndex: row(further, all),
  ReAddStatistics: row(further, all),
  ReplaceRelOptions: row(further, all),
  ReplicaIdentity: row(further, all),
  ResetOptions: row(further, nonBlocking),
  ResetRelOptions: row(further, nonBlocking),
  SetAccessMethod: row(further, all),
  SetCompression: row(own, all),
  SetExpression: row(own, all),
  SetIdentity: row(own, all),
  SetLogged: row(further, all),
  SetNotNull: row(own, all),
  SetOptions: row(further, nonBlocking),
  SetRelOptions: row(further, nonBlocking),
  SetStatistics: row(own, nonBlocking),
  SetStorage: row(own, all),
  SetTableSpace: row(further, all),
  SetUnLogged: row(further, all),
  ValidateConstraint: row(own, nonBlocking),
};

/** Undefined for what no row is about: nothing is known of it. */
export function alterFormOf(subtype: string | undefined): AlterForm | undefined {
  const name = subtype?.replace(/^AT_/, '') ?? '';
  return Object.hasOwn(alterForms, name) ? (name as AlterForm) : undefined;
}
