/** What surrounds a statement: the transaction it stands in, what that has done, what others wait for, the way back. */

import type { TransactionChange } from '../proxy/candidate.js';
import type { ApprovalRequest, ImpactLine } from '../proxy/statement/asker.js';
import type { EffectKind } from '../sql/facts.js';
import { counted } from '../words.js';
import { locksOf } from './locks.js';

/** What of a kind ROLLBACK does not take back, or nobody would want back. */
const lasting: Readonly<Record<EffectKind, string | undefined>> = {
  read: undefined,
  insert: undefined,
  update: undefined,
  delete: undefined,
  truncate: undefined,
  create: undefined,
  alter: undefined,
  drop: undefined,
  grant: undefined,
  role: undefined,
  session: undefined,
  transaction: undefined,
  'execute-code': undefined,
  'function-call': undefined,
  lock: undefined,
  notify: undefined,
  prepare: undefined,
  cursor: undefined,
  unknown: undefined,
  'copy-file': 'files of the server',
  'copy-program': 'what a program has done',
  network: 'what another server was told',
  backend: 'ended or cancelled sessions',
  config: 'configuration of the server',
  maintenance: 'maintenance',
};
const changesShown = 6;

export function transactionContext(request: ApprovalRequest): ImpactLine[] {
  // a connection to a host is in no transaction
  if (request.ruling.reaches) return [];
  return [...soFar(request), ...locks(request), wayBack(request)];
}

function soFar({ soFar: done }: ApprovalRequest): ImpactLine[] {
  if (!done) return [];
  const parts = done.changes.slice(0, changesShown).map(changeWords);
  const more = done.changes.length - parts.length;
  if (more > 0) parts.push(`${more} more`);
  const text = parts.length === 0 ? 'nothing changed yet' : parts.join('; ');
  const undone = done.partlyUndone ? ' (perhaps partly undone by ROLLBACK TO)' : '';
  const count = `${done.statements} ${done.statements === 1 ? 'statement' : 'statements'} in this transaction: `;
  return [{ label: 'so far', text: `${count}${text}${undone}`, severity: parts.length === 0 ? 'info' : 'warning' }];
}

function changeWords({ what, rows, times }: TransactionChange): string {
  const told = rows === undefined ? '' : ` (${counted(rows, 'row')})`;
  return `${what}${times > 1 ? ` ${times} times` : ''}${told}`;
}

function locks({ facts }: ApprovalRequest): ImpactLine[] {
  return locksOf(facts).map((text, index) => ({
    label: index === 0 ? 'locks' : '',
    text,
    severity: text.includes('reads and writes') ? 'warning' : 'info',
  }));
}

function wayBack({ facts, transactionStatus }: ApprovalRequest): ImpactLine {
  const kinds = facts.statements.flatMap(({ effects }) => effects.map((effect) => effect.kind));
  const stays = [...new Set(kinds.flatMap((kind) => lasting[kind] ?? []))];
  const ends = facts.statements.some(({ transaction }) => transaction === 'commit');
  if (stays.length > 0) {
    return { label: 'way back', text: `none: no ROLLBACK takes back ${stays.join(', ')}`, severity: 'danger' };
  }
  if (transactionStatus === 'E')
    return { label: 'way back', text: 'the transaction has failed already', severity: 'info' };
  if (transactionStatus === 'I' || ends) {
    const why = ends ? 'it commits by itself' : 'no transaction is open, it takes effect at once';
    return { label: 'way back', text: `none: ${why}`, severity: 'info' };
  }
  return { label: 'way back', text: 'ROLLBACK, until the transaction commits', severity: 'info' };
}
