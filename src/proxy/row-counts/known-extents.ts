/**
 * What is known of how many rows a statement hits before it runs: by its keys, by an answer of the planner to the same
 * statement a moment ago, and by what was changed before.
 *
 * What lives here: answers by statement, values and circumstances, for a while. What it must not know: how the planner
 * is asked, and what is too much.
 */
import { type Extent, type Extents, extentOfText } from '../../policy/mass-changes.js';
import { mostElements } from '../../sql/conditions/row-list.js';
import type { Effect } from '../../sql/facts.js';
import type { AnsweredStatement, StatementTracker } from '../statement-tracker.js';
import { type CountedStatement, changesRows, massEffects } from './mass-effects.js';
import { RowBudget } from './row-budget.js';
import { rowNames } from './row-names.js';
import type { ShownRows } from './shown-rows.js';

interface Answer {
  /** In the order of the statement's effects. */
  readonly extents: readonly Extent[];
  readonly until: number;
}

const answersMost = 5_000;
/** The planner's statistics are no fresher than that either. */
const answerMs = 60_000;

/** What a statement with more rows than this has changed, answers of the planner may not know. */
const manyRows = 100;

export class KnownExtents implements StatementTracker {
  readonly budget = new RowBudget();
  readonly #answers = new Map<string, Answer>();
  /** By statement; as many as people have approved. */
  readonly #shown = new Map<string, ShownRows>();
  /** Rows of whole tables. */
  readonly #sizes = new Map<string, { readonly rows: number; readonly until: number }>();

  /** Undefined where there is nothing to add to the facts. @param now milliseconds of a clock that never jumps */
  of(statement: CountedStatement, now: number): Extents | undefined {
    const effects = massEffects(statement.facts);
    if (effects.length === 0) return undefined;
    const answer = effects.every(({ effect }) => effect.mostRows !== undefined)
      ? undefined
      : this.#answerTo(statement, now);
    if (answer === undefined && this.budget.isUntouched && !effects.some(({ effect }) => effect.listed))
      return undefined;
    const extents = new Map<Effect, Extent>();
    let index = 0;
    for (const { effect } of effects) {
      const extent =
        answer?.extents[index++] ?? this.#ofFacts(statement, effect) ?? ofList(effect, statement.bindValues);
      if (extent) {
        const open = this.budget.isUncounted(effect) ? { beforeOpen: true as const } : undefined;
        extents.set(effect, { ...this.#withBefore(this.#withSize(statement, extent, effect, now), effect), ...open });
      }
    }
    return extents;
  }

  /** The answer of the planner, or of a count. @param sizes rows of tables by their bare names, where they were wanted */
  measured(
    statement: CountedStatement,
    measured: Extents,
    sizes: ReadonlyMap<string, number | undefined>,
    now: number,
  ): Extents {
    for (const [table, size] of sizes) this.budget.counted(table, size);
    const effects = massEffects(statement.facts);
    const extents = effects.map(({ effect }) => measured.get(effect) ?? unmeasured);
    for (const [index, { effect }] of effects.entries()) {
      const { tableRows } = extents[index] ?? {};
      if (tableRows !== undefined)
        this.#sizes.set(relationOf(statement, effect), { rows: tableRows, until: now + answerMs });
    }
    const key = keyOf(statement);
    this.#answers.delete(key);
    this.#answers.set(key, { extents, until: now + answerMs });
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= answersMost) break;
      this.#answers.delete(oldest);
    }
    return new Map(
      effects.map(({ effect }, index) => {
        const extent = this.#withSize(statement, extents[index] ?? unmeasured, effect, now);
        return [effect, this.#withBefore(extent, effect)];
      }),
    );
  }

  /** Nobody could be asked. @param obstacle why, after "because" */
  unmeasured(statement: CountedStatement, obstacle: string): Extents {
    for (const table of this.uncounted(statement)) this.budget.postpone(table);
    const unsure: Extent = { rows: undefined, unsure: obstacle, before: 0, beforeInAll: 0 };
    return new Map(
      massEffects(statement.facts).map(({ effect }) => [
        effect,
        this.#withBefore(this.#ofFacts(statement, effect) ?? unsure, effect),
      ]),
    );
  }

  /** Tables whose number of rows is worth a question of its own. */
  uncounted({ facts }: CountedStatement): string[] {
    const effects = massEffects(facts).filter(({ effect }) => this.budget.isUncounted(effect));
    return [...new Set(effects.flatMap(({ effect }) => effect.targets.map(({ name }) => name)))];
  }

  /** Whether the planner's answer is worth little without it. */
  lacksSize(statement: CountedStatement, effect: Effect, now: number): boolean {
    const size = this.#sizes.get(relationOf(statement, effect));
    return size === undefined || size.until <= now;
  }

  /** What a person was shown who approved the statement for the whole session. */
  shown(statement: CountedStatement): ShownRows | undefined {
    return this.#shown.get(keyOf(statement));
  }

  remember(statement: CountedStatement, shown: ShownRows): void {
    this.#shown.set(keyOf(statement), shown);
  }

  /** So many rows are others by now that no answer counts any more. */
  answered({ candidate, rows }: AnsweredStatement): void {
    if (rows <= manyRows || !changesRows(candidate.facts)) return;
    this.#answers.clear();
    this.#sizes.clear();
  }

  #answerTo(statement: CountedStatement, now: number): Answer | undefined {
    const answer = this.#answers.size === 0 ? undefined : this.#answers.get(keyOf(statement));
    return answer !== undefined && answer.until > now ? answer : undefined;
  }

  /** Rows that have been changed before are no further ones. */
  #ofFacts(statement: CountedStatement, effect: Effect): Extent | undefined {
    const known = extentOfText(effect);
    if (known?.rows === undefined) return undefined;
    const names = this.budget.isUntouched ? undefined : rowNames(statement, effect);
    if (names === undefined) return known;
    const number = Math.min(known.rows.number, this.budget.newAmong(tableOf(effect), names));
    return { ...known, rows: { number, how: 'known' } };
  }

  #withSize(statement: CountedStatement, extent: Extent, effect: Effect, now: number): Extent {
    const isKnown = extent.sizeOpen && this.#sizes.size > 0;
    const size = isKnown ? this.#sizes.get(relationOf(statement, effect)) : undefined;
    if (size === undefined || size.until <= now) return extent;
    const { sizeOpen, ...known } = extent;
    return { ...known, tableRows: size.rows };
  }

  #withBefore(extent: Extent, effect: Effect): Extent {
    return { ...extent, before: this.budget.of(effect, extent.whole), beforeInAll: this.budget.total };
  }
}

const unmeasured: Extent = { rows: undefined, unsure: 'the planner was not asked', before: 0, beforeInAll: 0 };

/** As many as the values of the call list: they name each row. */
function ofList({ listed, within }: Effect, values: CountedStatement['bindValues'] = []): Extent | undefined {
  if (listed === undefined || within !== 'body' || listed.variables.length > 0) return undefined;
  const counts = listed.parameters.map((number) => elementsOf(values[number - 1]));
  const number = counts.reduce<number>((sum, one) => sum + one, listed.written);
  return number > shortList ? undefined : { rows: { number, how: 'known' }, before: 0, beforeInAll: 0 };
}

/** Longer ones are for the planner, or a person. */
const shortList = 100;

function elementsOf(value: string | null | undefined): number {
  if (value === null) return 0;
  // a value that is missing, or in the binary format, says nothing
  return value === undefined || value.startsWith('\\x') ? Number.POSITIVE_INFINITY : mostElements(value);
}

/** Without a schema a name is what the session takes it for. */
function relationOf({ sessionDigest }: CountedStatement, { targets: [target] }: Effect): string {
  return JSON.stringify([target?.schema ?? [sessionDigest], target?.name]);
}

function tableOf({ targets }: Effect): string {
  return targets[0]?.name ?? '';
}

function keyOf({ sql, bindValues, sessionDigest, catalogGeneration, runs }: CountedStatement): string {
  return JSON.stringify([sql, bindValues, sessionDigest, catalogGeneration, runs]);
}
