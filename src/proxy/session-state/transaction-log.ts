/**
 * What the open transaction has done so far, for the person who decides about its next statement.
 *
 * What lives here: changes summed up by what they do to which object, in order, bounded. What it must not know: when
 * a transaction begins or ends; the connection says so.
 */
import { kindsWith } from '../../sql/effect-traits.js';
import type { Facts, StatementFacts } from '../../sql/facts.js';
import type { TransactionSoFar } from '../candidate.js';
import { rowsChangedIn, rowsIn } from '../command-tag.js';
import type { AnsweredStatement, StatementTracker } from '../statement-tracker.js';

const changing = kindsWith('leaves-changes');
const changesKept = 50;
const savepointsKept = 100;

type Changes = Map<string, { rows: number | undefined; times: number }>;

/** What there was when a savepoint was set. */
interface Savepoint {
  readonly name: string;
  readonly changes: Changes;
  readonly statements: number;
}

export class TransactionLog implements StatementTracker {
  #changes: Changes = new Map();
  #savepoints: Savepoint[] = [];
  #statements = 0;
  #partlyUndone = false;

  get soFar(): TransactionSoFar | undefined {
    if (this.#statements === 0) return undefined;
    const changes = [...this.#changes].map(([what, { rows, times }]) => ({ what, rows, times }));
    return { statements: this.#statements, changes, partlyUndone: this.#partlyUndone };
  }

  answered({ candidate, how, tags }: Pick<AnsweredStatement, 'how' | 'tags'> & { candidate: { facts: Facts } }): void {
    if (how !== 'done') return;
    for (const [index, statement] of candidate.facts.statements.entries()) this.#add(statement, tags[index] ?? '');
  }

  transactionOver(): void {
    if (this.#statements === 0 && this.#savepoints.length === 0) return;
    this.#changes.clear();
    this.#savepoints = [];
    this.#statements = 0;
    this.#partlyUndone = false;
  }

  /** Names may repeat: the newest of that name is meant, and those set after it go. */
  #mark({ transaction, effects }: StatementFacts): void {
    const name = effects.find(({ kind }) => kind === 'transaction')?.savepoint ?? '';
    if (transaction === 'savepoint') {
      if (this.#savepoints.length === savepointsKept) this.#savepoints.shift();
      this.#savepoints.push({ name, changes: new Map(this.#changes), statements: this.#statements });
      return;
    }
    if (transaction !== 'rollback-to' && transaction !== 'release') return;
    const at = this.#savepoints.findLastIndex((one) => one.name === name);
    const savepoint = this.#savepoints[at];
    if (transaction === 'release') {
      if (savepoint) this.#savepoints.length = at;
    } else if (savepoint) {
      this.#savepoints.length = at + 1;
      this.#changes = new Map(savepoint.changes);
      this.#statements = savepoint.statements;
    } else {
      this.#partlyUndone = true;
    }
  }

  #add(statement: StatementFacts, tag: string): void {
    if (statement.transaction !== undefined) {
      this.#mark(statement);
      return;
    }
    this.#statements++;
    if (statement.deferred || !statement.effects.some(({ kind }) => changing.has(kind))) return;
    const what = wordsOf(statement);
    const known = this.#changes.get(what);
    const counted = rowsChangedIn(tag) ?? (tag.startsWith('COPY ') ? rowsIn(tag) : undefined);
    const rows = counted === undefined ? known?.rows : counted + (known?.rows ?? 0);
    if (known === undefined && this.#changes.size >= changesKept) return;
    this.#changes.set(what, { rows, times: (known?.times ?? 0) + 1 });
  }
}

const words = new WeakMap<StatementFacts, string>();

/** Facts are shared by all runs of a text, so its words are found once. */
function wordsOf(statement: StatementFacts): string {
  let known = words.get(statement);
  if (known === undefined) {
    const targets = statement.effects
      .filter(({ kind }) => changing.has(kind))
      .flatMap((effect) => effect.targets)
      .map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`));
    known = [statement.command.replace(/ AS$/, ''), [...new Set(targets)].slice(0, 3).join(', ')]
      .filter(Boolean)
      .join(' ');
    words.set(statement, known);
  }
  return known;
}
