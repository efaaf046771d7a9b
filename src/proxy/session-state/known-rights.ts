/** Statements of which the server has said that this login may run them, as long as it is who it was and the catalog what it was. */
import type { Facts } from '../../sql/facts.js';
import type { Candidate } from '../candidate.js';

export class KnownRights {
  /** Facts are made anew with every reading of the catalog. */
  readonly #digests = new WeakMap<Facts, string>();

  has({ facts, sessionDigest }: Candidate): boolean {
    return this.#digests.get(facts) === sessionDigest;
  }

  add({ facts, sessionDigest }: Candidate): void {
    this.#digests.set(facts, sessionDigest);
  }
}
