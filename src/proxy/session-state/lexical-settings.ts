/**
 * Whether the bytes of a statement mean the same to us and to the server.
 *
 * `standard_conforming_strings` and `client_encoding` decide where a literal ends. The server reports a change just
 * before ReadyForQuery (since PostgreSQL 14), so behind a statement that may change them, text sent without waiting
 * is read with a guess. Plain ASCII without a backslash means the same under every setting; anything else is not
 * guessed.
 */
import { isAscii } from 'node:buffer';
import { updatesSettings } from '../../sql/catalog/system-relations.js';
import type { Facts } from '../../sql/facts.js';
import type { Candidate } from '../candidate.js';

const lexicalSettings: ReadonlySet<string> = new Set([
  'client_encoding',
  'names',
  'standard_conforming_strings',
  'all',
]);

export class LexicalSettings {
  /** Statements and Syncs under way behind which the settings are not known. */
  #uncertain = 0;
  /** A change waits for the client's Sync before the server reports it. */
  #awaitsSync = 0;
  /** Once changed, the end of any transaction may change them back. */
  #everChanged = false;

  ambiguous(sql: string): boolean {
    return this.#uncertain > 0 && (sql.includes('\\') || !isAscii(Buffer.from(sql, 'utf8')));
  }

  /** What this statement gives back comes in the encoding that the server reported last. */
  encodingHolds({ facts }: Candidate): boolean {
    if (this.#uncertain > 0 || mayChangeLexing(facts)) return false;
    return !(this.#everChanged && endsTransaction(facts));
  }

  /** Returns what to call when the server has answered the statement. */
  forwarded(candidate: Candidate): (() => void) | undefined {
    const changes = mayChangeLexing(candidate.facts);
    if (!changes && !(this.#everChanged && endsTransaction(candidate.facts))) return undefined;
    this.#everChanged = true;
    this.#uncertain++;
    if (candidate.kind === 'execute') {
      this.#awaitsSync++;
      return undefined;
    }
    return () => {
      this.#uncertain--;
    };
  }

  /** Returns what to call when the server has answered the Sync. */
  syncForwarded(): (() => void) | undefined {
    const settled = this.#awaitsSync;
    if (settled === 0) return undefined;
    this.#awaitsSync = 0;
    return () => {
      this.#uncertain -= settled;
    };
  }
}

function mayChangeLexing(facts: Facts): boolean {
  if (facts.unparseable) return true;
  return facts.statements.some((statement) =>
    statement.effects.some(
      (effect) =>
        effect.opaque ||
        updatesSettings(effect) ||
        (effect.kind === 'session' && effect.targets.some((target) => lexicalSettings.has(target.name.toLowerCase()))),
    ),
  );
}

function endsTransaction(facts: Facts): boolean {
  return facts.statements.some((statement) => statement.transaction !== undefined && statement.transaction !== 'begin');
}
