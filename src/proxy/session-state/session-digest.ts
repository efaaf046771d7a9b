/**
 * What a connection has done that may change what its later texts mean: settings, roles, temporary objects, code that
 * cannot be seen through. The same bytes are the same statement only under the same circumstances.
 *
 * What lives here: a digest over the texts of such statements, in order. What it must not know: what they change.
 *
 * A surprise: the search_path that the server reports is not enough. It comes with ReadyForQuery, so in a pipeline
 * `SET search_path` and the statement behind it are sent before the report; and a temporary view takes the name of
 * a table under any search_path.
 */

import { createHash } from 'node:crypto';
import { updatesSettings } from '../../sql/catalog/system-relations.js';
import { kindsWith } from '../../sql/effect-traits.js';
import type { Effect, Facts, TransactionEffect } from '../../sql/facts.js';
import type { TransactionStatus } from '../../wire/messages.js';
import type { Candidate } from '../candidate.js';
import type { StatementTracker } from '../statement-tracker.js';

export class SessionDigest implements StatementTracker {
  #digest: string;
  /** A change that the end of its transaction may undo. */
  #open = false;
  #current = true;

  /** @param parameters what the server reported at the start */
  constructor(parameters: ReadonlyMap<string, string>) {
    const settings = [...parameters].filter(([name]) => name !== 'application_name').sort();
    this.#digest = digest([settings]);
  }

  get digest(): string {
    return this.#digest;
  }

  /** The server has said what came of every change; until then its reports are of before. */
  get current(): boolean {
    return this.#current;
  }

  forwarded({ facts, sql, bindValues = [] }: Candidate): void {
    if (mayChangeMeaning(facts)) {
      this.#open = true;
      this.#current = false;
    } else if (!this.#open || !undoes(facts)) {
      return;
    }
    this.#digest = digest([this.#digest, sql, bindValues]);
  }

  settled(status: TransactionStatus): void {
    this.#current = true;
    if (status !== 'I' || !this.#open) return;
    this.#open = false;
    this.#digest = digest([this.#digest, 'the transaction is over']);
  }
}

/** Of a statement, with what it was bound to and what the catalog held. */
export function digestOf(candidate: Candidate): string {
  const { bound } = candidate;
  return digest([
    candidate.sessionDigest,
    candidate.catalogGeneration,
    bound && [bound.sessionDigest, bound.parameterFormats, bound.prepared.map((one) => one.parameterTypes)],
  ]);
}

/** The same for the same statement in another session: what it does, as it was read, stands for what the catalog held. */
export function meaningOf({ sessionDigest, bound, facts }: Candidate): string {
  return digest([
    sessionDigest,
    facts,
    bound && [bound.sessionDigest, bound.parameterFormats, bound.prepared.map((one) => one.parameterTypes)],
  ]);
}

/** A portal runs as the session was when it was bound: what is looked up now may be something else. */
export function boundElsewhere({ bound, sessionDigest }: Candidate): boolean {
  return bound !== undefined && bound.sessionDigest !== sessionDigest;
}

export function endsTransaction(facts: Facts): boolean {
  return facts.statements.some(({ transaction }) => transaction !== undefined && ends.has(transaction));
}

const ends: ReadonlySet<TransactionEffect> = new Set(['commit', 'rollback', 'prepare-transaction']);

function undoes(facts: Facts): boolean {
  return endsTransaction(facts) || facts.statements.some(({ transaction }) => transaction === 'rollback-to');
}

const changeMeaning = kindsWith('changes-meaning');

/** Settings that drivers and pools change all the time, and that no result depends on. */
const neutralSettings: ReadonlySet<string> = new Set([
  'application_name',
  'client_min_messages',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'lock_timeout',
  'statement_timeout',
  'transaction_timeout',
]);

function mayChangeMeaning(facts: Facts): boolean {
  if (facts.unparseable) return true;
  for (const { effects, deferred } of facts.statements) {
    if (!deferred && effects.some(changesMeaning)) return true;
  }
  return false;
}

function changesMeaning(effect: Effect): boolean {
  const { kind, opaque, targets } = effect;
  if (opaque || updatesSettings(effect)) return true;
  if (kind === 'session') return targets.length === 0 || !targets.every(({ name }) => neutralSettings.has(name));
  return changeMeaning.has(kind);
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
