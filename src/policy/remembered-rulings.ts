/**
 * The ruling of a text that runs again and again, made once: rules are matched for every Execute otherwise, each of them
 * at some 50 ns.
 *
 * What lives here: the last ruling for each set of facts and state of a transaction, as long as the facts are remembered.
 * What it must not know: how a ruling is made.
 */
import type { Facts } from '../sql/facts.js';
import type { DecisionInput, Ruling } from './decision.js';
import type { Extents } from './mass-changes.js';
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

  /**
   * @param decide must depend on nothing but `input`, and not on `input.now`
   * @param fewRows of `input.extents` a ruling tells nothing but which effects they are of: all of them are few
   */
  ruling(input: DecisionInput, fewRows: boolean, decide: (input: DecisionInput) => Ruling): Ruling {
    if (isMoment(input) || (input.extents !== undefined && !fewRows)) return decide(input);
    const { facts, transactionStatus } = input;
    let byStatus = this.#byFacts.get(facts);
    const known = byStatus?.get(transactionStatus);
    if (known !== undefined && isSameSession(known.input, input) && areOfSame(known.input.extents, input.extents))
      return known.ruling;
    const ruling = decide(input);
    byStatus ??= new Map();
    byStatus.set(transactionStatus, { input, ruling });
    this.#byFacts.set(facts, byStatus);
    return ruling;
  }
}

// A statement of an application runs past these two each time: written out, they cost a tenth of a loop over names.

/** What was found out for one run: a ruling by it is never remembered. */
type Moment = Pick<DecisionInput, 'isTemporary' | 'changesNothing' | 'settingValues' | 'estimatedRows'>;

function isMoment({ isTemporary, changesNothing, settingValues, estimatedRows }: Moment): boolean {
  return (
    isTemporary !== undefined ||
    changesNothing !== undefined ||
    settingValues !== undefined ||
    estimatedRows !== undefined
  );
}

type Session = Pick<
  DecisionInput,
  'connection' | 'user' | 'database' | 'subject' | 'agent' | 'readsAndWrites' | 'ownRole'
>;

function isSameSession(one: Session, other: Session): boolean {
  return (
    one.connection === other.connection &&
    one.user === other.user &&
    one.database === other.database &&
    one.subject === other.subject &&
    one.agent === other.agent &&
    one.readsAndWrites === other.readsAndWrites &&
    one.ownRole === other.ownRole
  );
}

function areOfSame(one: Extents | undefined, other: Extents | undefined): boolean {
  if (one?.size !== other?.size) return false;
  for (const effect of other?.keys() ?? []) if (!one?.has(effect)) return false;
  return true;
}

/** `facts` and `transactionStatus` are the key, and `now` says nothing to rules that are timeless; the rest is compared. */
type Compared = keyof Moment | keyof Session | 'extents' | 'facts' | 'transactionStatus' | 'now';
/** Does not compile once the input has a part that is none of these. */
true satisfies Exclude<keyof DecisionInput, Compared> extends never ? true : never;
