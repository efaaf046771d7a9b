/** Whether a rule is about an effect, and how sure that is: the text does not always tell. */
import type { Effect, StatementFacts, Target } from '../sql/facts.js';
import type { DecisionInput } from './decision.js';
import { globMatches, type Match, matchName, type NamePattern } from './name-pattern.js';
import type { Environment } from './read-connection.js';
import { type RuleCondition, type TimeRange, type Weekday, weekdays } from './read-rule.js';
import { satisfies } from './units.js';

/**
 * Strongest first. `likely`: an unqualified name, or columns that the text does not list; treated as a match by rules
 * that restrict, as none by rules that allow. `unseen`: what runs cannot be seen, so it may be anything; a rule that
 * restricts then asks a person, whatever else it would do.
 */
export type Certainty = 'yes' | 'likely' | 'unseen' | 'no';
const order: readonly Certainty[] = ['no', 'unseen', 'likely', 'yes'];

const weaker = (a: Certainty, b: Certainty): Certainty => (order.indexOf(a) <= order.indexOf(b) ? a : b);
const stronger = (a: Certainty, b: Certainty): Certainty => (order.indexOf(a) >= order.indexOf(b) ? a : b);

/** One effect and everything around it that a rule may ask about. */
export interface Subject {
  readonly effect: Effect;
  readonly statement: StatementFacts;
  readonly inTransaction: boolean;
  /** More than one where a repository says so and the rule must not take its word. */
  readonly environments: readonly Environment[];
  /** The effect is opaque, and not because of a function that the policy lists. */
  readonly opaque: boolean;
  readonly input: DecisionInput;
}

export interface RuleMatch {
  readonly certainty: Certainty;
  /** The certainty depends on estimated rows that nobody has asked for yet. */
  readonly pendingRows: boolean;
}

/** `quantifier`: a rule that restricts fires for any target, a rule that allows must cover every one. */
export function matchRule(when: RuleCondition, subject: Subject, quantifier: 'some' | 'every'): RuleMatch {
  if (!surroundingsMatch(when, subject) || !environmentMatches(when, subject, quantifier)) return noMatch;
  let certainty = matchEffect(when, subject);
  if (certainty !== 'no' && when.table) {
    certainty = weaker(certainty, matchTables(when.table, subject, quantifier));
  }
  if (certainty !== 'no' && when.column) {
    certainty = weaker(certainty, matchColumns(when.column, subject, quantifier));
  }
  if (certainty !== 'no' && when.function) {
    certainty = weaker(certainty, matchFunctions(when.function, subject, quantifier));
  }
  if (certainty === 'no' || when.rows === undefined) return { certainty, pendingRows: false };
  const { estimatedRows } = subject.input;
  if (estimatedRows === undefined) return { certainty: weaker(certainty, 'unseen'), pendingRows: true };
  return satisfies(estimatedRows, when.rows) ? { certainty, pendingRows: false } : noMatch;
}

const noMatch: RuleMatch = { certainty: 'no', pendingRows: false };

/** Who, where, when: things that are always known. */
function surroundingsMatch(when: RuleCondition, { input, inTransaction, statement }: Subject): boolean {
  return (
    anyGlob(when.connection, input.connection) &&
    anyGlob(when.user, input.user) &&
    anyGlob(when.database, input.database) &&
    anyGlob(when.subject, input.subject) &&
    anyGlob(when.agent, input.agent) &&
    anyGlob(when.command, statement.command) &&
    (when.transaction === undefined || when.transaction === inTransaction) &&
    timeMatches(when, input.now)
  );
}

function environmentMatches(when: RuleCondition, { environments }: Subject, quantifier: 'some' | 'every'): boolean {
  const wanted = when.environment;
  return wanted === undefined || environments[quantifier]((one) => wanted.includes(one));
}

function anyGlob(patterns: readonly string[] | undefined, text: string): boolean {
  return patterns === undefined || patterns.some((pattern) => globMatches(pattern, text));
}

function matchEffect(when: RuleCondition, { effect, opaque }: Subject): Certainty {
  if (when.opaque !== undefined && when.opaque !== opaque) return 'no';
  if (when.effect !== undefined && !when.effect.includes(effect.kind)) return opaque ? 'unseen' : 'no';
  if (when.bounded !== undefined && when.bounded !== effect.bounded) return opaque ? 'unseen' : 'no';
  return 'yes';
}

function matchTables(
  patterns: readonly NamePattern[],
  { effect, opaque }: Subject,
  quantifier: 'some' | 'every',
): Certainty {
  const each = effect.targets.map((target) =>
    patterns.map((pattern) => matchTable(pattern, target)).reduce(stronger, 'no'),
  );
  return overTargets(each, opaque, quantifier);
}

/** `every` over nothing is no: a rule that allows must see what it allows. */
function overTargets(each: readonly Certainty[], opaque: boolean, quantifier: 'some' | 'every'): Certainty {
  const floor: Certainty = opaque ? 'unseen' : 'no';
  if (quantifier === 'every') return opaque || each.length === 0 ? floor : each.reduce(weaker, 'yes');
  return each.reduce(stronger, floor);
}

const fromName: Readonly<Record<Match, Certainty>> = { yes: 'yes', maybe: 'likely', no: 'no' };

function matchTable(pattern: NamePattern, target: Target): Certainty {
  switch (target.type) {
    case 'table':
    case 'view':
      return fromName[matchName(pattern, [target.schema, target.name])];
    case 'schema': {
      const [schema] = pattern.parts;
      if (pattern.parts.length < 2 || schema === undefined) return 'unseen';
      return globMatches(schema, target.name) ? 'likely' : 'no';
    }
    case 'database':
      return 'unseen';
    default:
      return 'no';
  }
}

function matchColumns(
  patterns: readonly NamePattern[],
  { effect, opaque }: Subject,
  quantifier: 'some' | 'every',
): Certainty {
  const each = effect.targets
    .filter((target) => target.type === 'table' || target.type === 'view')
    .flatMap((target) =>
      // columns that the text does not list are "unknown or all"
      (target.columns ?? [undefined]).map((column) =>
        patterns
          .map((pattern) => fromName[matchName(pattern, [target.schema, target.name, column])])
          .reduce(stronger, 'no'),
      ),
    );
  return overTargets(each, opaque, quantifier);
}

function matchFunctions(
  patterns: readonly NamePattern[],
  { effect, statement, opaque }: Subject,
  quantifier: 'some' | 'every',
): Certainty {
  const names = effect.targets
    .filter((target) => target.type === 'function')
    .map((target): [string | undefined, string] => [target.schema, target.name]);
  if (quantifier === 'some') names.push(...statement.functions.map(splitName));
  const each = names.map((name) =>
    patterns.map((pattern) => fromName[matchName(pattern, name)]).reduce(stronger, 'no'),
  );
  // an unknown function is opaque and yet has a name
  return overTargets(each, opaque && names.length === 0, quantifier);
}

function splitName(name: string): [string | undefined, string] {
  const dot = name.indexOf('.');
  return dot < 0 ? [undefined, name] : [name.slice(0, dot), name.slice(dot + 1)];
}

function timeMatches(when: RuleCondition, now: number): boolean {
  if (when.time === undefined && when.weekday === undefined) return true;
  const { minute, weekday } = localTime(now, when.timezone ?? 'UTC');
  const day = when.weekday === undefined || when.weekday.includes(weekday);
  return day && (when.time === undefined || inRange(when.time, minute));
}

function inRange({ from, to }: TimeRange, minute: number): boolean {
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

function localTime(now: number, timeZone: string): { readonly minute: number; readonly weekday: Weekday } {
  if (timeZone === 'UTC') {
    const date = new Date(now);
    return { minute: date.getUTCHours() * 60 + date.getUTCMinutes(), weekday: weekdays[date.getUTCDay()] ?? 'sun' };
  }
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const parts = new Map(format.formatToParts(now).map((part) => [part.type, part.value]));
  const weekday = weekdays.find((one) => one === parts.get('weekday')?.toLowerCase()) ?? 'sun';
  return { minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')), weekday };
}
