/** What a statement does, in one plain sentence: for the person who is asked and for the agent that is refused. */
import type { Effect, Facts, Target } from '../sql/facts.js';
import { type Extent, extentWords } from './mass-changes.js';
import type { EffectCategory } from './profiles.js';

/** `command` is the command tag's words. */
export function sentence(category: EffectCategory, effect: Effect, command: string, extent?: Extent): string {
  const told = plainSentence(category, effect, command, extent);
  if (!inDefinition(effect)) return told;
  return `In the code that it defines: ${told.charAt(0).toLowerCase()}${told.slice(1)}`;
}

/** An effect of a function's body or a rule's action: it comes about when that is run. */
function inDefinition(effect: Effect): boolean {
  return effect.within === 'definition' && effect.kind !== 'execute-code';
}

function plainSentence(category: EffectCategory, effect: Effect, command: string, extent?: Extent): string {
  const on = names(effect.targets);
  const some = on || 'something';
  const detail = effect.detail;
  switch (category) {
    case 'read':
      return on ? `Reads ${on}.` : 'Reads no table.';
    case 'nothing':
      return 'Changes nothing: what it would make is there, or what it would drop is not.';
    case 'insert':
      return `Adds rows to ${some}.`;
    case 'update':
      return effect.sequence === 'nextval' ? `Takes the next number of ${some}.` : `Changes some rows of ${some}.`;
    case 'update-mass':
      if (effect.kind === 'insert') return `Adds rows to ${some}, whose triggers or rules change rows that were there.`;
      return extentWords(extent ?? notMeasured(effect), 'Changes', some);
    case 'update-unbounded':
      return `Changes every row of ${some}: ${noRestriction(effect)}.`;
    case 'delete':
      return `Deletes some rows of ${some}.`;
    case 'delete-mass':
      return extentWords(extent ?? notMeasured(effect), 'Deletes', some);
    case 'delete-unbounded':
      return `Deletes every row of ${some}: ${noRestriction(effect)}.`;
    case 'truncate':
      return `Empties ${some}${effect.cascade ? ` and every table that refers to ${them(effect)}` : ''}.`;
    case 'temporary':
      return effect.kind === 'create'
        ? `Makes ${typed(effect, 'an object')} for this session only.`
        : `Changes ${some}, which only this session sees.`;
    case 'read-secrets':
      return `Reads ${some}, where passwords are kept.`;
    case 'catalog-write':
      return `Changes the system catalog ${some} by hand.`;
    case 'create':
      return `Creates ${typed(effect, 'an object')}${bracketed(detail)}.`;
    case 'alter':
      if (effect.sequence === 'setval') return `Sets the next number of ${some}.`;
      if (isNewPart(effect, command)) return `Creates a ${effect.part} on ${some}.`;
      return `Changes ${typed(effect, 'an object')}${bracketed(detail)}.`;
    case 'drop':
      return `Drops ${dropped(effect)}${effect.cascade ? ` and everything that depends on ${them(effect)}` : ''}.`;
    case 'grant':
      return `Changes who may do what${on ? ` with ${on}` : ''}${bracketed(detail)}.`;
    case 'role':
      if (effect.targets.some(isSetting)) return `Changes what ${loginSettings(effect)}.`;
      return `Changes roles or passwords${on ? `: ${on}` : ''}.`;
    case 'config':
      return `Changes the configuration of the server or the database${on ? `: ${on}` : ''}.`;
    case 'session':
      if (effect.value !== undefined) return knownSetting(effect) ?? `Sets ${some} for this session.`;
      return `Puts ${on === 'all' ? 'every setting' : some} back to what it was when the session began.`;
    case 'session-meaning':
      return settingSentence(effect, some);
    case 'session-identity':
      return `Sets ${names(effect.targets.filter(isSetting))}, which tells the database who is at work and which only dbguard may set.`;
    case 'transaction':
      return 'Begins, ends or divides a transaction.';
    case 'transaction-prepared':
      return 'Leaves a transaction open beyond this session, or ends one that was.';
    case 'copy-file':
      return `${fileVerb(effect)} files of the database server${on ? `: ${on}` : ''}.`;
    case 'copy-program':
      return `Runs a program on the database server${on ? `: ${on}` : ''}.`;
    case 'execute-code':
      return effect.opaque
        ? `Runs code whose effect cannot be seen in the statement${bracketed(on || detail)}.`
        : `Runs code inside the server${bracketed(on || detail)}.`;
    case 'function-call':
      return effect.opaque ? `Calls ${some}, which dbguard does not know.` : `Calls ${some}, which may write.`;
    case 'function-listed':
      return `Calls ${some}, which the policy lists.`;
    case 'network':
      return `Reaches another server${on ? `: ${on}` : ''}.`;
    case 'lock-rows':
      return isAdvisory(effect) ? 'Takes or gives back an advisory lock.' : `Locks rows${on ? ` of ${on}` : ''}.`;
    case 'lock-table':
      return `Locks ${some}${bracketed(detail)}: other sessions have to wait.`;
    case 'maintenance':
      return `Gathers statistics or cleans up${on ? `: ${on}` : ''}.`;
    case 'maintenance-heavy':
      return `Runs ${command}${detail ? ` (${detail})` : ''}${on ? ` on ${on}` : ''}: other sessions may have to wait.`;
    case 'notify':
      return 'Listens for notifications or sends one.';
    case 'prepare':
      return 'Prepares a statement for later, or forgets one.';
    case 'cursor':
      return 'Opens, reads or closes a cursor.';
    case 'backend':
      return 'Interrupts or ends other sessions.';
    case 'opaque':
      return `What it does cannot be seen in its text${bracketed(on || detail)}.`;
    case 'unknown':
    case 'unparseable':
      return 'dbguard does not know what this statement does.';
  }
}

/** A rule or a trigger that a table has from now on. */
export function isNewPart({ kind, part }: Effect, command: string): boolean {
  return kind === 'alter' && part !== undefined && command.startsWith('CREATE');
}

/** `role app begins its sessions with: search_path`. */
export function loginSettings({ targets }: Effect): string {
  const who = names(targets.filter((target) => !isSetting(target)));
  const whose = who === 'all' ? 'every role begins its' : `role ${who} begins its`;
  return `${whose} sessions with: ${names(targets.filter(isSetting))}`;
}

function notMeasured({ within }: Effect): Extent {
  const unsure = within === 'body' ? 'it happens in code that the statement runs' : 'the planner was not asked';
  return { rows: undefined, unsure, before: 0, beforeInAll: 0 };
}

function noRestriction({ openCondition, unmatched }: Effect): string {
  if (unmatched) return 'of those that the source does not have, no condition spares any';
  return openCondition ? 'its condition holds for all of them, or nearly all' : 'no condition restricts it';
}

export function isAdvisory({ lockMode }: Effect): boolean {
  return lockMode === 'ADVISORY';
}

export function unparseableSentence(unparseable: NonNullable<Facts['unparseable']>): string {
  switch (unparseable.reason) {
    case 'syntax':
      return 'The text does not follow any PostgreSQL grammar that dbguard has, so nobody can tell what it does.';
    case 'too-large':
      return 'The text is larger than dbguard reads, so nobody can tell what it does.';
    case 'too-deep':
      return 'The text is nested deeper than dbguard reads, so nobody can tell what it does.';
    case 'encoding':
      return 'The bytes of the text are not valid in the client encoding, so nobody can tell what it does.';
    case 'parser-failure':
      return 'The parser failed on the text, so nobody can tell what it does.';
  }
}

const settingSentences: ReadonlyMap<string, string> = new Map([
  ['role', 'Takes on another role, with its rights.'],
  ['session_authorization', 'Takes on another user, with its rights.'],
  ['session_replication_role', 'Switches triggers and foreign keys off for this session.'],
  ['row_security', 'Sets row_security: off, reads that a policy would filter fail instead, as pg_dump wants it.'],
  ['transaction_read_only', 'Leaves read-only mode.'],
  ['default_transaction_read_only', 'Leaves read-only mode.'],
  ['search_path', 'Lets other objects stand in for built-in functions and operators.'],
  ['synchronous_commit', 'Lets a crash lose transactions that were reported as committed.'],
]);

function settingSentence(effect: Effect, some: string): string {
  if (effect.opaque) return 'Changes a setting whose name or value cannot be seen in the text.';
  if (effect.decides) return `Sets ${some}, by which policies, views or functions of the database decide.`;
  return knownSetting(effect) ?? `Sets ${some}, which changes rights, protection or the meaning of later statements.`;
}

function knownSetting({ targets }: Effect): string | undefined {
  const [target, ...others] = targets;
  return target && others.length === 0 ? settingSentences.get(target.name) : undefined;
}

/** More names than this are counted, not told. */
const shownNames = 12;

function names(targets: readonly Target[]): string {
  const all = [...new Set(targets.map(dotted))];
  if (all.length <= shownNames + 1) return listed(all);
  return `${all.slice(0, shownNames).join(', ')} and ${all.length - shownNames} more`;
}

function listed(all: readonly string[]): string {
  return all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

function dotted(target: Target): string {
  return target.schema === undefined ? target.name : `${target.schema}.${target.name}`;
}

function isSetting(target: Target): boolean {
  return target.type === 'setting';
}

function fileVerb({ file }: Effect): string {
  if (file === 'read') return 'Reads';
  return file === 'write' ? 'Writes' : 'Reads or writes';
}

/** What of a table is dropped, when the table itself stays. */
export function droppedPart({ kind, part }: Effect): Effect['part'] {
  return kind === 'drop' ? part : undefined;
}

/** Some take away a part of a table, and leave the table. */
export function dropped(effect: Effect): string {
  const [target] = effect.targets;
  if (effect.everythingOwned) return `everything that ${names(effect.targets)} owns`;
  const part = droppedPart(effect);
  if (target === undefined || part === undefined) return typed(effect, 'an object');
  const columns = part === 'column' ? (target.columns ?? []) : [];
  if (columns.length === 0) return `${partWords(effect)} of ${dotted(target)}`;
  return `column${columns.length === 1 ? '' : 's'} ${listed(columns)} of ${dotted(target)}`;
}

function partWords({ part, partName }: Effect): string {
  return partName === undefined ? `a ${part}` : `${part} ${partName}`;
}

export function typed(effect: Effect, otherwise: string): string {
  const [first, second] = effect.targets;
  if (first?.type === 'index' && second?.type === 'table') {
    return first.name.endsWith('(unnamed)')
      ? `an index on ${dotted(second)}`
      : `index ${dotted(first)} on ${dotted(second)}`;
  }
  const types = new Set(effect.targets.map((target) => target.type));
  const [type] = types;
  const on = names(effect.targets);
  if (!on) return otherwise;
  return types.size === 1 && type !== undefined && type !== 'other' ? `${type} ${on}` : on;
}

function bracketed(detail: string | undefined): string {
  return detail ? ` (${detail})` : '';
}

function them({ targets }: Effect): string {
  return targets.length === 1 ? 'it' : 'them';
}
