/**
 * What one connection's statements add to the budget, and what the end of a transaction takes back.
 *
 * What lives here: the changes of the open transaction, and where its savepoints stand. What it must not know: what is
 * decided by the sums.
 */

import type { Extents } from '../../policy/mass-changes.js';
import type { Effect } from '../../sql/facts.js';
import { rowsChangedIn } from '../command-tag.js';
import { type AnsweredStatement, type StatementTracker, undoesAll } from '../statement-tracker.js';
import { type CountedStatement, massEffects } from './mass-effects.js';
import type { RowBudget, RowChange } from './row-budget.js';
import type { TableRows } from './shown-rows.js';

interface Mark {
  readonly savepoint: string;
  readonly at: number;
}

export class OpenChanges implements StatementTracker {
  readonly #budget: RowBudget;
  #changes: RowChange[] = [];
  #marks: Mark[] = [];

  constructor(budget: RowBudget) {
    this.#budget = budget;
  }

  answered(statement: AnsweredStatement): void {
    this.#add(statement);
    if (undoesAll(statement)) this.#undoTo(0);
  }

  #add({ candidate: asked, ruling, extents, why, tags, changed }: AnsweredStatement): void {
    // a person, or a rule of one's own, has let any number of rows pass
    const counted = why === 'allowed' && ruling.rule.startsWith('builtin:');
    if (counted && changed) {
      this.#addCounted(asked, changed, tags);
      return;
    }
    const mass = counted ? massEffects(asked.facts) : [];
    for (const [index, statement] of asked.facts.statements.entries()) {
      const tag = tags[index];
      if (tag === undefined) return;
      if (statement.transaction !== undefined) this.#transaction(statement.transaction, tag, nameOf(statement.effects));
      else if (mass.length > 0) {
        const its = mass.filter((one) => one.statement === statement).map(({ effect }) => effect);
        this.#count(asked, its, tag, extents);
      }
    }
  }

  transactionOver(): void {
    if (this.#changes.length > 0) this.#changes = [];
    if (this.#marks.length > 0) this.#marks = [];
  }

  #count(asked: CountedStatement, effects: readonly Effect[], tag: string, extents: Extents | undefined): void {
    const own = effects.filter(isOwn);
    for (const effect of effects) {
      if (effect.kind === 'insert') continue;
      const ofTag = own.length === 1 && own[0] === effect ? rowsChangedIn(tag) : undefined;
      const extent = extents?.get(effect);
      const rows = ofTag ?? extent?.rows?.number ?? effect.mostRows ?? 0;
      const [target] = effect.targets;
      if (rows === 0 || target === undefined || asked.isTemporary?.(target.name, target.schema)) continue;
      const row = rows === 1 ? rowName(asked, effect) : undefined;
      const change = { table: target.name, rows, row, whole: extent?.whole };
      if (this.#budget.add(change)) this.#changes.push(change);
    }
  }

  /**
   * Statements that were counted by table end no transaction. What a trigger does once for each of their rows is no more
   * than they do.
   */
  #addCounted(asked: CountedStatement, tables: Iterable<TableRows>, tags: readonly string[]): void {
    const own = massEffects(asked.facts).flatMap(({ effect }) => (isOwn(effect) ? effect : []));
    const done = tags.reduce((sum, tag) => sum + (rowsChangedIn(tag) ?? 0), 0);
    const [only, ...others] = own;
    for (const { name, rows } of tables) {
      const table = name.slice(name.lastIndexOf('.') + 1).replaceAll('"', '');
      if (asked.isTemporary?.(table)) continue;
      const isTarget = own.some(({ targets }) => targets.some((target) => target.name === table));
      const row = isTarget && rows === 1 && only && others.length === 0 ? rowName(asked, only) : undefined;
      const change = { table, rows: isTarget ? rows : Math.max(0, rows - done), row };
      if (change.rows > 0 && this.#budget.add(change)) this.#changes.push(change);
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
        if (tag.startsWith('ROLLBACK')) this.#undoTo(0);
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

/** The row that an UPDATE by key names by its parameters. */
function rowName({ bindValues }: CountedStatement, { kind, keyParameters }: Effect): string | undefined {
  if (kind !== 'update' || keyParameters === undefined || bindValues === undefined) return undefined;
  return JSON.stringify(keyParameters.map((number) => bindValues[number - 1]));
}
