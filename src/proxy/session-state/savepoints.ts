/** Which savepoint a text is about. Pure. Must not know what there was when it was set. */
import type { Facts, TransactionEffect } from '../../sql/facts.js';

/** Of a statement by itself in its text. */
export function savepointOf({
  statements,
  unparseable,
}: Facts): { readonly does: TransactionEffect; readonly name: string } | undefined {
  const [{ transaction: does, effects } = { effects: [] }, ...more] = statements;
  const name = effects.find(({ kind }) => kind === 'transaction')?.savepoint;
  return unparseable || more.length > 0 || does === undefined || name === undefined ? undefined : { does, name };
}

const aboutSavepoints: ReadonlySet<TransactionEffect | undefined> = new Set(['savepoint', 'release', 'rollback-to']);

export function setsSavepoints({ statements, unparseable }: Facts): boolean {
  return unparseable !== undefined || statements.some(({ transaction }) => aboutSavepoints.has(transaction));
}
