/** What a reader would say of entries as they are made: every test that runs a proxy is a test of an honest writer. */
import { Contradictions } from '../../src/transcript/contradictions.js';
import { type Disclosures, type EntryBody, type JsonValue, RawJson } from '../../src/transcript/entry.js';
import { Findings } from '../../src/transcript/finding.js';

export class HonestyCheck {
  readonly #findings = new Findings();
  readonly #contradictions = new Contradictions(this.#findings, (n) => ({ n, segment: 0 }));

  add(n: number, { k, ...body }: EntryBody, disclosures: Disclosures): void {
    const fields = Object.fromEntries(
      Object.entries(body).flatMap(([name, value]) => {
        if (value === undefined) return [];
        // what a reader finds in the line
        return [[name, value instanceof RawJson ? (JSON.parse(value.json) as JsonValue) : value]];
      }),
    );
    const c = Object.fromEntries(Object.keys(disclosures).map((name) => [name, '']));
    const entry = { n, t: Date.now() * 1000, k, c, fields };
    this.#contradictions.add(entry);
    this.#contradictions.disclosed(entry, { ...disclosures });
  }

  /** As if the session were sealed now. */
  sealedAt(n: number): string[] {
    this.#contradictions.add({ n, t: 0, k: 'seal', c: {}, fields: { totals: {}, final: true } });
    return this.#findings.list.map(({ message }) => message);
  }
}
