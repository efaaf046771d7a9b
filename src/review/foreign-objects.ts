/** Objects in a session's folder that its key did not sign: counted, the first ones named, and never held against it. */
import type { Findings } from '../transcript/finding.js';
import { grouped } from '../words.js';
import type { Tally } from './catalog.js';

const NAMED = 3;

export class ForeignObjects {
  readonly #named: string[] = [];
  count = 0;

  constructor(strangers: Tally) {
    this.count = strangers.count;
    this.#named.push(...strangers.keys.slice(0, NAMED));
  }

  /** @param why attacker-controlled, or words for it */
  add(key: string, why: string): void {
    this.count++;
    if (this.#named.length < NAMED) this.#named.push(`${key} (${why})`);
  }

  report(findings: Findings): void {
    if (this.count === 0) return;
    const more = this.count - this.#named.length;
    const rest = more > 0 ? ` and ${grouped(more)} more` : '';
    const what = this.count === 1 ? 'foreign object lies' : 'foreign objects lie';
    const message = `${grouped(this.count)} ${what} in its folder, not signed by its key, and ${this.count === 1 ? 'says' : 'say'} nothing about it: ${this.#named.join(', ')}${rest}`;
    findings.note('foreign-object', message);
  }
}
