import { effectKinds } from '../sql/effect-traits.js';
import type { EffectKind } from '../sql/facts.js';
import { configKeys } from './config-keys.js';
import { type Decision, decisions } from './decision.js';
import { type NamePattern, parseNamePattern } from './name-pattern.js';
import { type AccessRule, accessEffects, readRole } from './read-access.js';
import { type Environment, environments } from './read-connection.js';
import { parseRowCondition, type RowCondition } from './units.js';
import type { Place, Value } from './yaml-source.js';

export interface Rule {
  readonly name: string;
  readonly place: Place;
  readonly when: RuleCondition;
  /** The file's `then`. */
  readonly decision: Decision;
  /** For the approver and for the agent. */
  readonly reason?: string;
  /** Approved, it runs as this role where its login lacks what it needs: an entry of `access` in short. */
  readonly as?: AccessRule;
}

/** Every key that is present must hold; a list holds when one of its items does. */
export interface RuleCondition {
  /** Globs over the connection's name, the loopback user, the database, the subject (its e-mail, else its sub), the agent's command. */
  readonly connection?: readonly string[];
  readonly user?: readonly string[];
  readonly database?: readonly string[];
  readonly subject?: readonly string[];
  readonly agent?: readonly string[];
  readonly environment?: readonly Environment[];
  readonly effect?: readonly EffectKind[];
  /** The command tag's words in upper case, as globs: `ALTER *`. */
  readonly command?: readonly string[];
  readonly table?: readonly NamePattern[];
  readonly column?: readonly NamePattern[];
  readonly function?: readonly NamePattern[];
  readonly bounded?: boolean;
  readonly opaque?: boolean;
  /** Compared with the planner's estimate. */
  readonly rows?: RowCondition;
  readonly time?: TimeRange;
  readonly weekday?: readonly Weekday[];
  /** IANA time zone of `time` and `weekday`; UTC where absent. */
  readonly timezone?: string;
  /** Inside a transaction block. */
  readonly transaction?: boolean;
}

/** Minutes since midnight; `from` inclusive, `to` exclusive; over midnight where `to` is not greater. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof weekdays)[number];

export function readRule(value: Value): Rule {
  const fields = value.fields(configKeys.rule);
  const reason = fields.optional('reason', (item) => item.string());
  const role = fields.optional('as', readRole);
  const span = fields.optional('for', (item) => item.oneOf(['statement']));
  if ((role === undefined) !== (span === undefined))
    value.fail('"as" goes with "for: statement": no role lasts longer');
  const rule: Rule = {
    name: fields.required('name', readName, 'no-production-ddl'),
    place: value.place,
    when: fields.required('when', readCondition, '{ effect: [drop] }'),
    decision: fields.required('then', (item) => item.oneOf(decisions), 'ask'),
    ...(reason === undefined ? {} : { reason }),
  };
  return role === undefined ? rule : { ...rule, as: accessOf(rule, role, value) };
}

/** What `access` would say: a role is for rows of tables, and for nothing that the entry would not name. */
function accessOf({ name, place, when, decision }: Rule, role: string, value: Value): AccessRule {
  const { effect = [], table = [], connection, ...others } = when;
  const effects = accessEffects.filter((one) => effect.includes(one));
  const [other] = Object.keys(others);
  if (other !== undefined)
    value.fail(`"as" goes with "effect", "table" and "connection" in "when", not with "${other}"`);
  if (effects.length === 0 || effects.length < effect.length || table.length === 0)
    value.fail(`"as" needs "table" and "effect" in "when", of ${accessEffects.join(', ')}`);
  if (decision !== 'ask' && decision !== 'second-person')
    value.fail('"as" goes with "then: ask" or "then: second-person"');
  return {
    ...{ place, name, role, tables: table, effects },
    ...(connection === undefined ? {} : { connections: connection }),
    decision: decision === 'ask' ? 'ask' : 'second-person',
    reasonRequired: false,
  };
}

function readName(value: Value): string {
  const name = value.string('a name for the rule');
  if (name.startsWith('builtin:')) return value.fail('names that begin with "builtin:" belong to dbguard');
  return /^[\w.-]{1,80}$/.test(name) ? name : value.fail('a rule name has letters, digits, ".", "_" and "-" only');
}

function readCondition(value: Value): RuleCondition {
  const fields = value.fields(configKeys.when);
  const condition = {
    connection: fields.optional('connection', readGlobs),
    user: fields.optional('user', readGlobs),
    database: fields.optional('database', readGlobs),
    subject: fields.optional('subject', readGlobs),
    agent: fields.optional('agent', readGlobs),
    environment: fields.optional('environment', (item) => item.oneOrMore((one) => one.oneOf(environments))),
    effect: fields.optional('effect', (item) => item.oneOrMore((one) => one.oneOf(effectKinds))),
    command: fields.optional('command', (item) => readGlobs(item).map((word) => word.toUpperCase())),
    table: fields.optional('table', (item) => item.oneOrMore((one) => readPattern(one, 2, 'schema.table'))),
    column: fields.optional('column', (item) => item.oneOrMore((one) => readPattern(one, 3, 'schema.table.column'))),
    function: fields.optional('function', (item) => item.oneOrMore((one) => readPattern(one, 2, 'schema.function'))),
    bounded: fields.optional('bounded', (item) => item.boolean()),
    opaque: fields.optional('opaque', (item) => item.boolean()),
    rows: fields.optional('rows', readRows),
    time: fields.optional('time', readTime),
    weekday: fields.optional('weekday', (item) => item.oneOrMore((one) => one.oneOf(weekdays))),
    timezone: fields.optional('timezone', readTimezone),
    transaction: fields.optional('transaction', (item) => item.boolean()),
  };
  if (condition.timezone !== undefined && !fields.has('time') && !fields.has('weekday')) {
    value.fail('"timezone" goes with "time" or "weekday"');
  }
  return Object.fromEntries(Object.entries(condition).filter(([, one]) => one !== undefined));
}

function readGlobs(value: Value): string[] {
  return value.oneOrMore((item) => item.string('a name; "*" and "?" are wildcards'));
}

function readPattern(value: Value, maxParts: number, form: string): NamePattern {
  const pattern = parseNamePattern(value.string(form), maxParts);
  return pattern ?? value.fail(`expected ${form}, or only its last part; "*" and "?" are wildcards`);
}

function readRows(value: Value): RowCondition {
  const condition = value.isString ? parseRowCondition(value.string()) : undefined;
  return condition ?? value.fail('expected a comparison in quotes, such as "> 1000"');
}

function readTime(value: Value): TimeRange {
  const match = value.isString ? /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(value.string()) : null;
  const [fromHour, fromMinute, toHour, toMinute] = (match ?? []).slice(1).map(Number);
  const from = minutes(fromHour, fromMinute);
  const to = minutes(toHour, toMinute);
  return from === undefined || to === undefined || from === to
    ? value.fail('expected a range of times in quotes, such as "22:00-06:00"')
    : { from, to };
}

function minutes(hour: number | undefined, minute: number | undefined): number | undefined {
  if (hour === undefined || minute === undefined) return undefined;
  const total = hour * 60 + minute;
  return minute < 60 && total <= 24 * 60 ? total : undefined;
}

function readTimezone(value: Value): string {
  const name = value.string('an IANA time zone');
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name;
  } catch {
    return value.fail('expected an IANA time zone, such as Europe/Berlin');
  }
}
