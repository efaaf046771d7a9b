/**
 * Rows that one client changed for good, as command tags report them. What a savepoint took back is not followed.
 * State: the rows of the open transaction.
 */
export class ChangedRows {
  #open = 0;

  /**
   * One text has been answered with these command tags; a savepoint's ROLLBACK has the tag of a whole one. Returns the
   * rows that a COMMIT among them made stay.
   */
  answered(tags: readonly string[], toSavepoint: boolean): number {
    let kept = 0;
    for (const tag of tags) {
      if (tag === 'COMMIT') {
        kept += this.#open;
        this.#open = 0;
      } else if (tag === 'ROLLBACK' && !toSavepoint) {
        this.#open = 0;
      } else {
        this.#open += Number(/^(?:INSERT \d+|UPDATE|DELETE|MERGE) (\d+)$/.exec(tag)?.[1] ?? 0);
      }
    }
    return kept;
  }

  /** An error outside of a transaction block: everything since the last Sync is undone. */
  undone(): void {
    this.#open = 0;
  }

  /** No transaction is open any more; returns the rows of an implicit one. */
  settled(): number {
    const rows = this.#open;
    this.#open = 0;
    return rows;
  }
}
