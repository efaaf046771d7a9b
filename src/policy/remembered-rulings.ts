/**
 * The ruling of a text that runs again and again, made once: rules are matched for every Execute otherwise, each of them
 * at some 50 ns.
 *
 * What lives here: the last ruling for each set of facts and state of a transaction, as long as the facts are remembered.
 * What it must not know: how a ruling is made.
 */
import type { Facts } from '../sql/facts.js';
import type { DecisionInput, Ruling } from './decision.js';
import type { Rule } from './read-rule.js';

/** Does a ruling by these rules depend on nothing but the facts and the session? */
export function areTimeless(rules: readonly Rule[]): boolean {
  return rules.every(
    ({ when: { time, weekday, rows } }) => time === undefined && weekday === undefined && rows === undefined,
  );
}

interface Remembered {
  readonly input: DecisionInput;
  readonly ruling: Ruling;
}

export class RememberedRulings {
  readonly #byFacts = new WeakMap<Facts, Map<DecisionInput['transactionStatus'], Remembered>>();

  /** @param decide must depend on nothing but `input`, and not on `input.now` */
  ruling(input: DecisionInput, decide: (input: DecisionInput) => Ruling): Ruling {
    if (isMoment(input)) return decide(input);
    const { facts, transactionStatus } = input;
    let byStatus = this.#byFacts.get(facts);
    const known = byStatus?.get(transactionStatus);
    if (known !== undefined && isSameSession(known.input, input)) return known.ruling;
    const ruling = decide(input);
    byStatus ??= new Map();
    byStatus.set(transactionStatus, { input, ruling });
    this.#byFacts.set(facts, byStatus);
    return ruling;
  }
}

/**
 * What each part of the input is to a ruling that is remembered: `key` finds it, `session` must be the same, `moment` was
 * found out for one run and is never remembered, `time` says nothing to rules that are timeless.
 */
const roles: Readonly<Record<keyof DecisionInput, 'key' | 'session' | 'moment' | 'time'>> = {
  facts: 'key',
  transactionStatus: 'key',
  connection: 'session',
  user: 'session',
  database: 'session',
  subject: 'session',
  agent: 'session',
  readsAndWrites: 'session',
  now: 'time',
  isTemporary: 'moment',
  changesNothing: 'moment',
  settingValues: 'moment',
  estimatedRows: 'moment',
  extents: 'moment',
};
const parts = Object.keys(roles) as (keyof DecisionInput)[];
const ofSession = parts.filter((part) => roles[part] === 'session');
const ofMoment = parts.filter((part) => roles[part] === 'moment');

function isMoment(input: DecisionInput): boolean {
  return ofMoment.some((part) => input[part] !== undefined);
}

function isSameSession(one: DecisionInput, other: DecisionInput): boolean {
  return ofSession.every((part) => one[part] === other[part]);
}
