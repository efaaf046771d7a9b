/** Making a redaction: the reviewer's own session of three lines, and copies from which the text is really gone. */
import { Chain, type ChainSources } from '../transcript/chain.js';
import type { Signer } from '../transcript/entry.js';
import { decodeLine, decodePayload, digest, entryLine } from '../transcript/line.js';
import { type OpenDetails, openEntry } from '../transcript/open-entry.js';
import { entriesIn, linesOf } from './read-segment.js';
import { type RedactionTarget, redactionEntry } from './redaction.js';

export interface Reviewer {
  readonly sid: string;
  readonly signer: Signer;
  readonly open: OpenDetails;
}

/** The whole object's text: opened, said, sealed. */
export function redactionText(
  reviewer: Reviewer,
  targets: readonly RedactionTarget[],
  reason: string,
  sources: ChainSources,
): string {
  const chain = new Chain(reviewer.sid, sources);
  let text = chain.add(openEntry(reviewer.open)).line;
  for (const target of targets) text += chain.add(redactionEntry(target, reason)).line;
  return text + chain.add(chain.seal(true)).line + chain.sign(reviewer.signer);
}

/** What an entry discloses, and whose text it has. */
export interface Disclosing {
  readonly target: RedactionTarget;
  /** Number of the entry that discloses the text for this one. */
  readonly textOf?: number;
}

/** Undefined when the entry does not stand in this segment. @param name of the only disclosure that is to go */
export function disclosingIn(text: string, sid: string, n: number, name?: string): Disclosing | undefined {
  for (const { entry } of entriesIn(text)) {
    if (entry.n !== n) continue;
    const { text: textOf } = entry.fields;
    const digests = Object.fromEntries(Object.entries(entry.c).filter(([key]) => name === undefined || key === name));
    const refers = typeof textOf === 'number' && (name === undefined || name === 'sql');
    return { target: { sid, n, digests }, ...(refers ? { textOf } : {}) };
  }
  return undefined;
}

/**
 * What a second person was shown of statement `n` says its text and values once more; of a statement that follows from what an agent
 * said in entry `n`, the prompt.
 */
export class ShownAgain {
  readonly #sid: string;
  /** Numbers of entries that say it, or of statements that follow from it. */
  readonly #about: Set<number>;

  constructor(sid: string, n: number) {
    this.#sid = sid;
    this.#about = new Set([n]);
  }

  /** Takes the segments of the session in order. */
  *in(text: string): Generator<RedactionTarget> {
    for (const { entry } of entriesIn(text)) {
      const { k, n, fields, c } = entry;
      if (k === 'intent' && this.#has(fields.prompt)) this.#about.add(n);
      if (k === 'statement' && this.#has(fields.intent)) this.#about.add(n);
      if (k === 'approval' && this.#has(fields.of) && c.shown !== undefined)
        yield { sid: this.#sid, n, digests: { shown: c.shown } };
    }
  }

  #has(n: unknown): boolean {
    return typeof n === 'number' && this.#about.has(n);
  }
}

/** The segment without the disclosures that are redacted. Chain and signatures hold: they are over the commitments. */
export function withoutRedacted(text: string, covers: (n: number, name: string, digest: string) => boolean): string {
  const lines = [...linesOf(text)].map((raw) => {
    const line = decodeLine(raw);
    if (line.kind === 'signature' || line.disclosures.length === 0) return raw;
    const { n, c } = decodePayload(line.payload);
    const names = new Map(Object.entries(c).map(([name, commitment]) => [commitment, name]));
    const kept = line.disclosures.filter((disclosure) => {
      const commitment = digest(disclosure);
      return !covers(n, names.get(commitment) ?? '', commitment);
    });
    return kept.length === line.disclosures.length ? raw : entryLine(line.payload, kept);
  });
  return lines.map((line) => `${line}\n`).join('');
}
