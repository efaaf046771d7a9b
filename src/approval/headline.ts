/** What a statement would do, in the words of a person: "Delete ALL rows of orders (about 10,482)". */

import { unmaskRule } from '../policy/decision.js';
import { durationWords } from '../policy/units.js';
import { dropped, isAdvisory, isNewPart, loginSettings, typed } from '../policy/wording.js';
import type { ApprovalRequest } from '../proxy/statement/asker.js';
import { kindsWith } from '../sql/effect-traits.js';
import type { Effect, EffectKind, Facts, StatementFacts, Target } from '../sql/facts.js';
import { singleLine } from '../untrusted-text.js';
import { counted, grouped } from '../words.js';

/** What a person should hear of first: the smaller number. */
const gravity: Readonly<Record<EffectKind, number>> = {
  'copy-program': 0,
  'copy-file': 1,
  drop: 2,
  truncate: 3,
  delete: 4,
  config: 5,
  role: 6,
  grant: 7,
  update: 8,
  alter: 9,
  'execute-code': 10,
  network: 11,
  backend: 12,
  insert: 13,
  create: 14,
  maintenance: 15,
  lock: 16,
  'function-call': 17,
  unknown: 18,
  session: 19,
  notify: 20,
  prepare: 21,
  cursor: 22,
  read: 23,
  transaction: 24,
};

export function headline(request: Pick<ApprovalRequest, 'facts' | 'ruling' | 'impact'>): string {
  const { facts, ruling, impact } = request;
  if (ruling.connects) return `Let clients connect for ${durationWords(ruling.connects.forMs)}`;
  if (ruling.reaches) return `Let the agent reach ${singleLine(ruling.reaches.host, 100)}, port ${ruling.reaches.port}`;
  if (facts.unparseable) return 'Run a text that dbguard cannot read';
  if (ruling.rule === unmaskRule) return `Show the real values of ${singleLine(unmaskedColumn(facts), 120)}`;
  const main = mainStatement(facts, ruling.statement);
  if (!main) return 'Run an empty statement';
  const effect = gravest(main.effects);
  if (!effect) return `Run ${singleLine(main.command, 60)}`;
  const told = [sentence(effect, main, impact.estimatedRows), ...alsoDestroyed(facts, effect)];
  // what stands under a name is no further statement of the text
  const others = facts.statements.filter(({ named }) => !named).length - 1;
  const more = others > 0 ? `, and ${others} more ${others === 1 ? 'statement' : 'statements'}` : '';
  return `${told.join('; ')}${more}`;
}

/** Of `SET dbguard.unmask`, which stands alone in its text. */
function unmaskedColumn({ statements }: ApprovalRequest['facts']): string {
  return statements[0]?.effects[0]?.value ?? 'a masked column';
}

/** What takes rows or objects away is never left out, whatever else there is to say. */
const destroy = kindsWith('destroys');
/** Of a text with more of them the rest is counted. */
const destroyedShown = 8;

function alsoDestroyed(facts: Facts, told: Effect): string[] {
  const others = facts.statements
    .flatMap((statement) => (statement.deferred ? [] : statement.effects.map((effect) => ({ effect, statement }))))
    .filter(({ effect }) => effect !== told && (destroy.has(effect.kind) || !effect.bounded) && effect.kind !== 'read');
  others.sort((a, b) => rank(a.effect) - rank(b.effect));
  const sentences = [
    ...new Set(others.map(({ effect, statement }) => sentence(effect, statement, undefined) + when(effect))),
  ];
  const more = sentences.length - destroyedShown;
  const shown = sentences.slice(0, destroyedShown).map((one) => one.charAt(0).toLowerCase() + one.slice(1));
  return more > 0 ? [...shown, `and ${more} more such changes`] : shown;
}

function unmatched({ unmatched: bySource }: Effect): string {
  return bySource ? ' that the source does not have' : '';
}

function when({ within }: Effect): string {
  return within === 'definition' ? ' whenever its code runs' : '';
}

function mainStatement(facts: Facts, decided: number | undefined): StatementFacts | undefined {
  const asked = decided === undefined ? undefined : facts.statements[decided];
  let main: StatementFacts | undefined;
  for (const statement of facts.statements) {
    if (!main || rank(gravest(statement.effects)) < rank(gravest(main.effects))) main = statement;
  }
  // of two that are as grave, the one that was asked about
  return asked && rank(gravest(asked.effects)) <= rank(gravest(main?.effects ?? [])) ? asked : main;
}

function gravest(effects: readonly Effect[]): Effect | undefined {
  return effects.reduce<Effect | undefined>((worst, one) => (rank(one) < rank(worst) ? one : worst), undefined);
}

/** Of two of a kind, what takes others with it. */
function rank(effect: Effect | undefined): number {
  if (!effect) return Number.POSITIVE_INFINITY;
  // a definition runs nothing yet: what it defines stands in the reason
  if (effect.within === 'definition') return gravity.alter + gravity[effect.kind] / 100;
  if (isAdvisory(effect)) return gravity.transaction;
  return gravity[effect.kind] - (effect.cascade ? 0.5 : 0);
}

function sentence(effect: Effect, statement: StatementFacts, rows: number | undefined): string {
  const what = names(effect.targets);
  switch (effect.kind) {
    case 'delete':
      return effect.bounded
        ? `Delete ${some(rows)}of ${what}`
        : `Delete ALL rows of ${what}${unmatched(effect)}${about(rows)}`;
    case 'update':
      if (effect.sequence === 'nextval') return `Take the next number of ${what}`;
      return effect.bounded
        ? `Change ${some(rows)}of ${what}`
        : `Change ALL rows of ${what}${unmatched(effect)}${about(rows)}`;
    case 'truncate':
      return effect.cascade
        ? `Empty ${what} and every table that refers to ${effect.targets.length === 1 ? 'it' : 'them'}`
        : `Empty ${what} completely${detail(effect)}`;
    case 'drop': {
      const all = ` and everything that depends on ${effect.targets.length === 1 ? 'it' : 'them'}`;
      return `Drop ${object(dropped(effect), statement)}${effect.cascade ? all : ''}`;
    }
    case 'insert':
      return `Insert ${rows === undefined ? 'rows' : counted(rows, 'row')} into ${what}`;
    case 'read':
      return effect.bounded || rows === undefined ? `Read ${what}` : `Read ${what}${about(rows)}`;
    case 'copy-program':
      return `Run a program on the database server: ${what}`;
    case 'copy-file':
      return `${fileVerbs[effect.file ?? 'both']} files of the database server: ${what}`;
    case 'config':
      return statement.command === 'ALTER SYSTEM'
        ? `Change the server's configuration: ${what}`
        : `Change the configuration of the server or the database: ${what}`;
    case 'role':
      if (effect.targets.some(({ type }) => type === 'setting'))
        return `Change what ${singleLine(loginSettings(effect), 200)}`;
      return `${words(statement.command)} ${names(effect.targets.filter(({ type }) => type === 'role'))}`;
    case 'grant':
      return `Change who may do what (${singleLine(statement.command, 40)}): ${what}`;
    case 'execute-code':
      if (defines.test(statement.command))
        return `${definition(statement)}, which runs code that dbguard cannot look into`;
      return `Run code that dbguard cannot look into (${singleLine(statement.command, 40)})`;
    case 'network':
      if (defines.test(statement.command)) return `${definition(statement)}, which leads to another server`;
      return `Connect from the database server to somewhere else: ${what}`;
    case 'backend':
      return 'Interfere with other sessions of the server';
    case 'function-call':
      if (functionTargets(statement).some(({ name }) => name === 'lo_unlink'))
        return 'Delete large objects (lo_unlink)';
      return `Call ${what === 'something' ? names(functionTargets(statement)) : what}, which may change data`;
    case 'lock':
      return isAdvisory(effect) ? `Take an advisory lock (${what})` : `Lock ${what}`;
    case 'create': {
      const onOther = onOthers[statement.command];
      if (onOther !== undefined) return `Create ${onOther} ${what}`;
      return `Create ${object(typed(effect, ''), statement)}${detail(effect)}`;
    }
    case 'session':
      return `Change a setting of this session: ${what}`;
    case 'alter':
      if (effect.sequence === 'setval') return `Set the next number of ${what}`;
      if (statement.command === 'COMMENT') return `Change the comment on ${what}`;
      if (isNewPart(effect, statement.command)) return `Create a ${effect.part} on ${what}`;
      return `${words(statement.command)} ${what}${detail(effect)}`;
    case 'maintenance':
      if (effect.targets.length === 0) return `Run ${singleLine(statement.command, 60)}`;
      return `${words(statement.command)} ${what}${detail(effect)}`;
    default:
      return `Run ${singleLine(statement.command, 60)}${what === 'something' ? '' : `: ${what}`}`;
  }
}

/** What it makes may do something later, and is the news. */
const defines = /^(?:CREATE|ALTER|DROP) /;

function definition(statement: StatementFacts): string {
  const made = statement.effects.find(({ kind }) => kind === 'create' || kind === 'alter' || kind === 'drop');
  return made ? sentence(made, statement, undefined) : words(statement.command);
}

/** Their targets stay what they are. */
const onOthers: Readonly<Record<string, string>> = {
  'CREATE CAST': 'a cast to',
  'CREATE TRANSFORM': 'a transform of',
  'CREATE USER MAPPING': 'a user mapping for server',
};

const fileVerbs = { read: 'Read', write: 'Write', both: 'Read or write' } as const;

function functionTargets(statement: StatementFacts): Target[] {
  return statement.functions.map((name) => ({ type: 'function', name }));
}

const namesShown = 12;

function names(targets: readonly Target[]): string {
  const shown = targets.slice(0, namesShown).map((target) => qualified(target));
  if (shown.length === 0) return 'something';
  const more = targets.length - namesShown;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** With a noun in front: what has none of its own is called as the command calls it. */
function object(told: string, { command, effects }: StatementFacts): string {
  const [first] = effects.flatMap(({ targets }) => targets);
  if (command === 'DROP TRANSFORM') return `a transform (${singleLine(told, 200)})`;
  const noun = first?.type === 'other' ? `${words(command).replace(/^(?:drop|create) /i, '')} ` : '';
  return told === '' || told === 'an object'
    ? `a${noun === '' ? 'n object' : ` ${noun.trim()}`}`
    : `${noun}${singleLine(told, 200)}`;
}

function qualified(target: Target): string {
  const name = target.schema === undefined ? target.name : `${target.schema}.${target.name}`;
  return singleLine(name, 80);
}

function detail(effect: Effect): string {
  return effect.detail === undefined ? '' : ` (${singleLine(effect.detail, 60)})`;
}

/** `CREATE INDEX` reads better as "Create index". */
function words(command: string): string {
  const lower = singleLine(command, 60).toLowerCase();
  return lower.charAt(0).toUpperCase() + lower.slice(1);
}

function some(rows: number | undefined): string {
  return rows === undefined ? 'rows ' : `about ${counted(rows, 'row')} `;
}

function about(rows: number | undefined): string {
  return rows === undefined ? '' : ` (about ${grouped(rows)})`;
}
