/**
 * Entries refer to texts and facts of earlier ones of their session. A reader that goes through them in order hears
 * here what is meant.
 *
 * What lives here: what was said lately, in bounded memory. What it must not know: words for people, findings.
 */
import type { Entry } from '../transcript/entry.js';
import { isFacts } from '../transcript/entry-fields.js';
import { EarlierIntents, type MeantIntent } from './earlier-intents.js';

type Disclosed = Readonly<Record<string, unknown>>;

/** What is meant; undefined where nothing is, where it was taken out, or where it is too long ago to be remembered. */
export interface Meant {
  readonly sql?: string | undefined;
  readonly facts?: unknown;
  /** What the agent says that the statement, or tool call, comes from. */
  readonly intent?: MeantIntent | undefined;
}

/** Characters of all texts. Writers refer to what is recent and short; prepared statements may be neither. */
const KEPT = 32 << 20;
/** An entry that is remembered takes so much beside its text. */
const BESIDE = 500;

export class EarlierEntries {
  /** By the number of the entry; the last one used stands last. */
  readonly #said = new Map<number, Meant>();
  readonly #intents = new EarlierIntents();
  #size = 0;

  /** Every entry of one session, in order. */
  meant(entry: Entry, disclosed: Disclosed): Meant {
    const { n, k, fields } = entry;
    const { sql: own } = disclosed;
    const { text, facts: said } = fields;
    if (k === 'intent') return { intent: this.#intents.keep(entry, disclosed) };
    const source = this.#find(text);
    const sql = typeof own === 'string' ? own : source?.sql;
    const facts = typeof said === 'number' ? this.#find(said)?.facts : (said ?? source?.facts);
    const intent = this.#intents.of(fields);
    const meant = { sql, facts, ...(intent && { intent }) };
    if (typeof own === 'string' || isFacts(said)) this.#keep(n, { sql, facts });
    return meant;
  }

  #find(n: unknown): Meant | undefined {
    if (typeof n !== 'number') return undefined;
    const known = this.#said.get(n);
    if (known === undefined) return undefined;
    this.#said.delete(n);
    this.#said.set(n, known);
    return known;
  }

  #keep(n: number, meant: Meant): void {
    this.#said.set(n, meant);
    this.#size += sizeOf(meant);
    for (const [oldest, said] of this.#said) {
      if (this.#size <= KEPT) return;
      this.#said.delete(oldest);
      this.#size -= sizeOf(said);
    }
  }
}

function sizeOf({ sql = '' }: Meant): number {
  return sql.length + BESIDE;
}
