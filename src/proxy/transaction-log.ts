/**
 * What the open transaction has done so far, for the person who decides about its next statement.
 *
 * What lives here: changes summed up by what they do to which object, in order, bounded. What it must not know: when
 * a transaction begins or ends; the session says so.
 */
import type { EffectKind, Facts, StatementFacts } from '../sql/facts.js';

export interface TransactionChange {
  /** In words of SQL: `UPDATE orders`, `DROP TABLE customers`. */
  readonly what: string;
  /** Rows as the command tags reported; undefined where the command has none. */
  readonly rows: number | undefined;
  readonly times: number;
}

export interface TransactionSoFar {
  readonly statements: number;
  readonly changes: readonly TransactionChange[];
  /** A part of it was undone again by ROLLBACK TO SAVEPOINT; which one is not followed. */
  readonly partlyUndone: boolean;
}

const changing: ReadonlySet<EffectKind> = new Set([
  'insert',
  'update',
  'delete',
  'truncate',
  'create',
  'alter',
  'drop',
  'grant',
  'role',
  'execute-code',
  'function-call',
  'maintenance',
  'unknown',
]);
const changesKept = 50;

export class TransactionLog {
  readonly #changes = new Map<string, { rows: number | undefined; times: number }>();
  #statements = 0;
  #partlyUndone = false;

  get soFar(): TransactionSoFar | undefined {
    if (this.#statements === 0) return undefined;
    const changes = [...this.#changes].map(([what, { rows, times }]) => ({ what, rows, times }));
    return { statements: this.#statements, changes, partlyUndone: this.#partlyUndone };
  }

  /** The server has run it. `tags` are its command tags, one for each statement of the text. */
  done(facts: Facts, tags: readonly string[]): void {
    for (const [index, statement] of facts.statements.entries()) this.#add(statement, tags[index] ?? '');
  }

  clear(): void {
    if (this.#statements === 0) return;
    this.#changes.clear();
    this.#statements = 0;
    this.#partlyUndone = false;
  }

  #add(statement: StatementFacts, tag: string): void {
    if (statement.transaction === 'rollback-to') this.#partlyUndone = true;
    if (statement.transaction !== undefined) return;
    this.#statements++;
    if (statement.deferred || !statement.effects.some(({ kind }) => changing.has(kind))) return;
    const targets = statement.effects
      .filter(({ kind }) => changing.has(kind))
      .flatMap((effect) => effect.targets)
      .map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`));
    const what = [statement.command.replace(/ AS$/, ''), [...new Set(targets)].slice(0, 3).join(', ')]
      .filter(Boolean)
      .join(' ');
    const known = this.#changes.get(what);
    const counted = /^(?:INSERT|UPDATE|DELETE|MERGE|COPY)\b.* (\d+)$/.exec(tag)?.[1];
    const rows = counted === undefined ? known?.rows : Number(counted) + (known?.rows ?? 0);
    if (known === undefined && this.#changes.size >= changesKept) return;
    this.#changes.set(what, { rows, times: (known?.times ?? 0) + 1 });
  }
}
