/**
 * What one connection's statements add to the budget, and what the end of a transaction takes back.
 *
 * What lives here: the changes of the open transaction, and where its savepoints stand. What it must not know: what is
 * decided by the sums.
 */

import type { Extents } from '../../policy/mass-changes.js';
import type { Effect, Facts, StatementFacts } from '../../sql/facts.js';
import type { TransactionStatus } from '../../wire/messages.js';
import type { Admission } from '../candidate.js';
import { mostTags, rowsChangedIn } from '../command-tag.js';
import { type AnsweredStatement, type StatementTracker, undoesAll } from '../statement-tracker.js';
import { type CountedStatement, massEffects } from './mass-effects.js';
import type { RowBudget, RowChange } from './row-budget.js';
import { rowNames } from './row-names.js';
import type { TableRows } from './shown-rows.js';

interface Mark {
  readonly savepoint: string;
  readonly at: number;
}

export class OpenChanges implements StatementTracker {
  readonly #budget: RowBudget;
  #changes: RowChange[] = [];
  #marks: Mark[] = [];
  /** A transaction is open, and everything that was sent in it has been answered. */
  #rests = false;

  constructor(budget: RowBudget) {
    this.#budget = budget;
  }

  /** A statement leaves for the server. The call that is returned ends that, when it is answered or never will be. */
  underWay(asked: CountedStatement, { ruling, extents }: Admission): (() => void) | undefined {
    const mass = ruling.rule.startsWith('builtin:') ? massEffects(asked.facts) : [];
    if (mass.length === 0) return undefined;
    const changes = mass.flatMap(({ effect }) => {
      const isWhole = extents?.get(effect)?.whole;
      return (isWhole ? undefined : this.#change(asked, effect, expectedRows(effect, extents))) ?? [];
    });
    return changes.length === 0 ? undefined : this.#budget.expect(changes);
  }

  forwarded(): void {
    this.#rests = false;
  }

  settled(status: TransactionStatus): void {
    this.#rests = status !== 'I';
  }

  /** The server undoes what nobody has committed; a COMMIT that was under way may have come through. */
  closed(): void {
    if (this.#rests) this.#undoTo(0);
  }

  answered(statement: AnsweredStatement): void {
    this.#add(statement);
    if (undoesAll(statement)) this.#undoTo(0);
  }

  #add(answered: AnsweredStatement): void {
    const { candidate: asked, ruling, extents, why, how, tags, changed } = answered;
    // a person, or a rule of one's own, has let any number of rows pass
    const counted = why === 'allowed' && ruling.rule.startsWith('builtin:');
    if (counted && changed) {
      this.#addCounted(asked, changed, tags);
      return;
    }
    const mass = counted ? massEffects(asked.facts) : [];
    if (how === 'lost' && asked.transactionStatus === 'I') {
      // nobody has heard what became of it, and it may have run
      for (const { effect } of mass) this.#count(asked, effect, expectedRows(effect, extents));
      return;
    }
    for (const [index, statement] of asked.facts.statements.entries()) {
      const tag = tagAt(statement.named ? placeOfRunner(asked.facts) : index, answered);
      if (tag === undefined) return;
      if (statement.transaction !== undefined) this.#transaction(statement.transaction, tag, nameOf(statement.effects));
      else if (mass.length > 0) {
        const its = mass.filter((one) => one.statement === statement).map(({ effect }) => effect);
        this.#countEach(asked, its, tag, extents);
      }
    }
  }

  transactionOver(): void {
    if (this.#changes.length > 0) this.#changes = [];
    if (this.#marks.length > 0) this.#marks = [];
  }

  #countEach(asked: CountedStatement, effects: readonly Effect[], tag: string, extents: Extents | undefined): void {
    const own = effects.filter(isOwn);
    for (const effect of effects) {
      if (effect.kind === 'insert') continue;
      const ofTag = own.length === 1 && own[0] === effect ? rowsChangedIn(tag) : undefined;
      this.#count(asked, effect, ofTag ?? expectedRows(effect, extents), extents?.get(effect)?.whole);
    }
  }

  #count(asked: CountedStatement, effect: Effect, rows: number, whole?: true): void {
    const change = this.#change(asked, effect, rows);
    if (change) this.#keep({ ...change, whole });
  }

  #change(asked: CountedStatement, effect: Effect, rows: number): RowChange | undefined {
    const [target] = effect.targets;
    if (rows === 0 || target === undefined || asked.isTemporary?.(target.name, target.schema)) return undefined;
    const names = rowNames(asked, effect);
    const stay = effect.kind === 'update';
    return { table: target.name, rows, names: names?.length === rows ? names : undefined, stay };
  }

  #keep(change: RowChange): void {
    const added = this.#budget.add(change);
    if (added) this.#changes.push(added);
  }

  /**
   * Statements that were counted by table end no transaction. What a trigger does once for each of their rows is no more
   * than they do.
   */
  #addCounted(asked: CountedStatement, tables: Iterable<TableRows>, tags: readonly string[]): void {
    const own = massEffects(asked.facts).flatMap(({ effect }) => (isOwn(effect) ? effect : []));
    const done = tags.reduce((sum, tag) => sum + (rowsChangedIn(tag) ?? 0), 0);
    const [only, ...others] = own;
    const stay = massEffects(asked.facts).every(({ effect }) => effect.kind !== 'delete');
    for (const { name, rows } of tables) {
      const table = name.slice(name.lastIndexOf('.') + 1).replaceAll('"', '');
      if (asked.isTemporary?.(table)) continue;
      const isTarget = own.some(({ targets }) => targets.some((target) => target.name === table));
      const names = isTarget && only && others.length === 0 ? rowNames(asked, only) : undefined;
      const counted = isTarget ? rows : Math.max(0, rows - done);
      if (counted > 0) this.#keep({ table, rows: counted, names: names?.length === rows ? names : undefined, stay });
    }
  }

  #transaction(what: string, tag: string, savepoint: string): void {
    switch (what) {
      case 'begin':
        return;
      case 'savepoint':
        this.#marks.push({ savepoint, at: this.#changes.length });
        return;
      case 'release':
        this.#marks.length = Math.max(0, this.#find(savepoint));
        return;
      case 'rollback-to': {
        const at = this.#find(savepoint);
        const mark = this.#marks[at];
        if (mark === undefined) return;
        this.#undoTo(mark.at);
        this.#marks.length = at + 1;
        return;
      }
      default:
        // COMMIT of a failed transaction says ROLLBACK; PREPARE TRANSACTION most probably will be committed
        if (what === 'rollback' || tag.startsWith('ROLLBACK')) this.#undoTo(0);
        this.transactionOver();
    }
  }

  #find(savepoint: string): number {
    return this.#marks.findLastIndex((one) => one.savepoint === savepoint);
  }

  #undoTo(at: number): void {
    for (const change of this.#changes.splice(at)) this.#budget.undo(change);
  }
}

function nameOf(effects: readonly Effect[]): string {
  return effects.find(({ kind }) => kind === 'transaction')?.savepoint ?? '';
}

function isOwn({ within, kind }: Effect): boolean {
  return within === undefined && kind !== 'insert';
}

/** What was measured, else what the text says. */
function expectedRows(effect: Effect, extents: Extents | undefined): number {
  return extents?.get(effect)?.rows?.number ?? effect.mostRows ?? 0;
}

/**
 * The command tag of the statement at `index` of the text; empty where it was not kept, undefined where the statement did
 * not run.
 */
function tagAt(index: number, { tags, how }: AnsweredStatement): string | undefined {
  const isCut = tags.length === mostTags;
  if (index >= 0 && index < tags.length - (isCut ? 1 : 0)) return tags[index];
  return isCut || how === 'done' ? '' : undefined;
}

/** The place of the only statement that runs others by their names; -1 where there are more. */
function placeOfRunner({ statements }: Facts): number {
  const runs = ({ handle }: StatementFacts): boolean => handle?.op === 'execute';
  return statements.filter(runs).length === 1 ? statements.findIndex(runs) : -1;
}
