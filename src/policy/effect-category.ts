/** Which row of the profile table an effect belongs to. Whatever fits no row is `unknown` or `opaque`, never less. */

import { alterForms } from '../sql/alter-forms.js';
import { isSystemRelation } from '../sql/catalog/system-relations.js';
import { changesRowsThatWere } from '../sql/effect-traits.js';
import type { Effect, EffectKind, StatementFacts, Target } from '../sql/facts.js';
import { lockReach } from '../sql/lock-modes.js';
import { matchName, type NamePattern } from './name-pattern.js';
import type { EffectCategory } from './profiles.js';
import { anyValue, judgeSetting, type NewValue } from './session-settings.js';

/** Every row that effects of a kind can belong to. `opaque` is one of most of them and is left out. */
export const categoriesOfKind: Readonly<Record<EffectKind, readonly EffectCategory[]>> = {
  read: ['read', 'read-secrets', 'nothing'],
  insert: ['insert', 'update-mass', 'catalog-write', 'temporary'],
  update: ['update', 'update-mass', 'update-unbounded', 'catalog-write', 'temporary'],
  delete: ['delete', 'delete-mass', 'delete-unbounded', 'catalog-write', 'temporary'],
  truncate: ['truncate', 'temporary'],
  create: ['create', 'temporary'],
  alter: ['alter', 'temporary'],
  drop: ['drop', 'temporary'],
  grant: ['grant'],
  role: ['role'],
  config: ['config'],
  session: ['session', 'session-meaning', 'session-identity'],
  transaction: ['transaction', 'transaction-prepared'],
  'copy-file': ['copy-file'],
  'copy-program': ['copy-program'],
  'execute-code': ['execute-code', 'function-listed'],
  'function-call': ['function-call', 'function-listed'],
  network: ['network'],
  lock: ['lock-rows', 'lock-table'],
  maintenance: ['maintenance', 'maintenance-heavy'],
  notify: ['notify'],
  prepare: ['prepare'],
  cursor: ['cursor'],
  backend: ['backend'],
  unknown: ['unknown', 'unparseable'],
};

/** `schema`: as the text has it, undefined or pg_temp. */
export type IsKnownTemporary = (name: string, schema?: string) => boolean;

/** What of the session decides, beside the text. */
export interface SessionKnowledge {
  readonly isTemporary?: IsKnownTemporary | undefined;
  readonly readsAndWrites?: boolean;
  readonly ownRole?: string | undefined;
  /** See DecisionInput. */
  readonly settingValues?: ReadonlyMap<number, string> | undefined;
}

export function categoryOf(
  effect: Effect,
  statement: StatementFacts,
  listedFunctions: readonly NamePattern[],
  session: SessionKnowledge = {},
): EffectCategory {
  const category = plainCategory(effect, statement, listedFunctions, session);
  return isKeptForLater(effect, statement, session.isTemporary) ? (massOf[category] ?? category) : category;
}

function plainCategory(
  effect: Effect,
  statement: StatementFacts,
  listedFunctions: readonly NamePattern[],
  { isTemporary: isKnownTemporary, ...session }: SessionKnowledge,
): EffectCategory {
  if (effect.kind !== 'read' && effect.targets.some(isIdentity)) return 'session-identity';
  switch (effect.kind) {
    case 'read':
      if (effect.targets.some(holdsSecrets)) return 'read-secrets';
      return unlessOpaque(effect, 'read', listedFunctions);
    case 'transaction':
      return isTwoPhase(statement) ? 'transaction-prepared' : 'transaction';
    case 'prepare':
    case 'cursor':
    case 'notify':
      return unlessOpaque(effect, effect.kind, listedFunctions);
    case 'insert':
      return rowsCategory(effect, 'insert', 'insert', isKnownTemporary);
    case 'update':
      return rowsCategory(effect, 'update', 'update-unbounded', isKnownTemporary);
    case 'delete':
      return rowsCategory(effect, 'delete', 'delete-unbounded', isKnownTemporary);
    case 'alter':
      if (!staysWithTable(effect, statement)) return 'alter';
      return isTemporary(effect, isKnownTemporary) ? unlessOpaque(effect, 'temporary') : 'alter';
    case 'create':
    case 'truncate':
    case 'drop':
      return isTemporary(effect, isKnownTemporary) ? unlessOpaque(effect, 'temporary') : effect.kind;
    case 'session':
      return sessionCategory(effect, session);
    case 'lock':
      return lockCategory(effect);
    case 'maintenance':
      return isHeavyMaintenance(effect, statement) ? 'maintenance-heavy' : unlessOpaque(effect, 'maintenance');
    case 'function-call':
    case 'execute-code':
      return functionsListed(effect, listedFunctions) ? 'function-listed' : effect.kind;
    case 'grant':
    case 'role':
    case 'config':
    case 'copy-file':
    case 'copy-program':
    case 'network':
    case 'backend':
    case 'unknown':
      return effect.kind;
    default:
      return unheardOf(effect.kind);
  }
}

/** The row for the same effect on many rows, where the number of rows makes a difference. */
export function massCategory(
  category: EffectCategory,
  effect: Effect,
  { deferred }: StatementFacts,
): EffectCategory | undefined {
  return deferred || !effect.bounded || !changesRowsThatWere(effect) ? undefined : massOf[category];
}

const massOf: Partial<Record<EffectCategory, EffectCategory>> = {
  delete: 'delete-mass',
  update: 'update-mass',
  insert: 'update-mass',
};

/**
 * A view or a default of the session's own keeps code that changes rows: it runs later, any number of times, where nobody
 * looks for it, since making the object asks nobody.
 */
function isKeptForLater(effect: Effect, { effects }: StatementFacts, isKnown?: IsKnownTemporary): boolean {
  const { within, ...now } = effect;
  if (within !== 'definition' || !changesRowsThatWere(now)) return false;
  return effects.some((one) => (one.kind === 'create' || one.kind === 'alter') && isTemporary(one, isKnown));
}

/** Whether it is about every row of a table is up to its parameters: then the size of the table says how bad that is. */
export function mayBeSmall(category: EffectCategory, effect: Effect, { deferred }: StatementFacts): boolean {
  const { parametersDecide, within, opaque, passedOn } = effect;
  if (category !== 'update-unbounded' || !parametersDecide) return false;
  return !within && !opaque && !passedOn && !deferred;
}

/** A kind that a newer analyser knows and this file does not: the compiler complains, and at run time it is asked. */
function unheardOf(_kind: never): EffectCategory {
  return 'unknown';
}

function unlessOpaque(
  effect: Effect,
  category: EffectCategory,
  listedFunctions: readonly NamePattern[] = [],
): EffectCategory {
  if (!effect.opaque) return category;
  return functionsListed(effect, listedFunctions) ? 'function-listed' : 'opaque';
}

/** Locks of migration tools: tables that have one row by design, updated without a condition on every migration. */
const oneRowTables: ReadonlySet<string> = new Set(['knex_migrations_lock']);

function rowsCategory(
  effect: Effect,
  bounded: EffectCategory,
  unbounded: EffectCategory,
  isKnownTemporary: IsKnownTemporary | undefined,
): EffectCategory {
  const { targets } = effect;
  if (targets.some(isCatalog)) return 'catalog-write';
  if (isTemporary(effect, isKnownTemporary)) return unlessOpaque(effect, 'temporary');
  return effect.bounded || isLockUpdate(effect) ? unlessOpaque(effect, bounded) : unbounded;
}

function isLockUpdate({ kind, targets }: Effect): boolean {
  return kind === 'update' && targets.length > 0 && targets.every(({ name }) => oneRowTables.has(name));
}

function isCatalog(target: Target): boolean {
  return (target.type === 'table' || target.type === 'view') && isSystemRelation(target);
}

/** Catalogs with passwords or their hashes, and the columns that hold them. */
const secretColumns: ReadonlyMap<string, string> = new Map([
  ['pg_authid', 'rolpassword'],
  ['pg_file_settings', 'setting'],
  ['pg_hba_file_rules', 'options'],
  ['pg_shadow', 'passwd'],
  ['pg_subscription', 'subconninfo'],
  ['pg_user_mapping', 'umoptions'],
  ['pg_user_mappings', 'umoptions'],
  ['_pg_user_mappings', 'umoptions'],
  ['user_mapping_options', 'option_value'],
]);

function holdsSecrets({ schema, name, columns }: Target): boolean {
  const builtIn = schema === undefined || schema === 'pg_catalog' || schema === 'information_schema';
  const secret = builtIn ? secretColumns.get(name) : undefined;
  return secret !== undefined && (columns === undefined || columns.includes(secret));
}

function isTwoPhase({ transaction }: StatementFacts): boolean {
  return (
    transaction === 'prepare-transaction' || transaction === 'commit-prepared' || transaction === 'rollback-prepared'
  );
}

function staysWithTable({ form, newName, targets, sequence }: Effect, { command }: StatementFacts): boolean {
  if (form !== undefined) return alterForms[form].staysWithTable;
  if (command === 'COMMENT' || sequence !== undefined) return true;
  return newName !== undefined && targets.every(({ type, columns }) => type === 'table' && columns !== undefined);
}

function isTemporary(effect: Effect, isKnown?: IsKnownTemporary): boolean {
  const { kind, targets, temporary } = effect;
  if (kind === 'create' && temporary) return true;
  const wholeObject = kind === 'create' || kind === 'drop' || kind === 'truncate';
  const known = ({ type, schema, name }: Target): boolean =>
    (schema === undefined || schema === 'pg_temp') &&
    (type === 'table' || type === 'index' || type === 'sequence') &&
    isKnown?.(name, schema) === true;
  // An index is where its table is.
  const [index, table] = targets;
  if (kind === 'create' && index?.type === 'index' && table !== undefined && known(table)) return true;
  // What is made, emptied or dropped in pg_temp is temporary; rows changed there may be those of a view over a real table.
  return (
    targets.length > 0 &&
    targets.every((one) => (wholeObject && one.schema === 'pg_temp') || (kind !== 'create' && known(one)))
  );
}

function sessionCategory(effect: Effect, session: SessionKnowledge): EffectCategory {
  const settings = effect.targets.filter((target) => target.type === 'setting');
  const value = newValue(effect, session);
  const judged = settings.map((target) => judgeSetting(settingName(target), value, session));
  // RESET goes back to what it was when the session began
  if (effect.decides && value !== undefined) return 'session-meaning';
  if (effect.opaque || judged.length === 0 || settings.length < effect.targets.length) return 'session-meaning';
  return judged.includes('meaning') ? 'session-meaning' : 'session';
}

/** A parameter in a body is the body's own, not one of the statement. */
function newValue(
  { value, valueUnknown, valueParameter, within }: Effect,
  { settingValues }: SessionKnowledge,
): NewValue {
  if (!valueUnknown) return value;
  const bound = valueParameter === undefined || within ? undefined : settingValues?.get(valueParameter);
  return bound ?? anyValue;
}

/** Set in any way: SET, set_config(), ALTER ROLE ... SET, a function's SET clause. */
function isIdentity(target: Target): boolean {
  return target.type === 'setting' && judgeSetting(settingName(target), undefined) === 'identity';
}

function settingName(target: Target): string {
  return target.schema === undefined ? target.name : `${target.schema}.${target.name}`;
}

function lockCategory(effect: Effect): EffectCategory {
  const reach = lockReach[effect.lockMode ?? 'ACCESS EXCLUSIVE'];
  return reach === 'rows' || reach === 'none' ? unlessOpaque(effect, 'lock-rows') : 'lock-table';
}

function isHeavyMaintenance(effect: Effect, statement: StatementFacts): boolean {
  if (statement.command !== 'ANALYZE' && statement.command !== 'VACUUM') return true;
  return effect.full === true;
}

function functionsListed(effect: Effect, listed: readonly NamePattern[]): boolean {
  if (listed.length === 0 || effect.targets.length === 0) return false;
  return effect.targets.every(
    (target) =>
      target.type === 'function' && listed.some((one) => matchName(one, [target.schema, target.name]) === 'yes'),
  );
}
