/**
 * How much work one statement is worth. Judging conditions follows joins and subqueries, which a hostile statement can
 * make as many as it likes; when the budget is spent, nothing more counts as restricting.
 */
export class AnalysisBudget {
  #left: number;

  constructor(steps = 50_000) {
    this.#left = steps;
  }

  /** False when there is nothing left. */
  spend(steps = 1): boolean {
    this.#left -= steps;
    return this.#left > 0;
  }

  get spent(): boolean {
    return this.#left <= 0;
  }
}
