/**
 * What a name stands for on the server, while the server has not answered everything yet.
 *
 * What lives here: everything that was sent under a name and may still be there. What it must not know: what is named,
 * bytes, policy.
 *
 * A Parse or Bind may fail, or be skipped because of an error before it; then the name stands for what it stood for
 * before. Only two things are sure: what the server has confirmed, and what was sent since the last Sync: whatever
 * comes behind that is skipped with it.
 */

/** One thing that was sent to the server under a name. */
export interface Claim<T> {
  readonly name: string;
  readonly value: T;
  /** The value alone, as a list. */
  alone?: readonly T[];
  readonly pipeline: number;
  state: 'sent' | 'there' | 'gone';
  /** What the name stood for before. */
  older: Claim<T> | undefined;
}

/** In no pipeline: an error may spare what comes behind it. */
export const noPipeline = -1;

export class Names<T> {
  readonly #newest = new Map<string, Claim<T>>();

  /** @param pipeline in which it was sent, or `noPipeline` */
  add(name: string, value: T, pipeline: number): Claim<T> {
    const claim: Claim<T> = { name, value, pipeline, state: 'sent', older: this.#newest.get(name) };
    this.#newest.set(name, claim);
    return claim;
  }

  /** The server has it: nothing from before has the name any more. */
  confirm(claim: Claim<T>): void {
    if (claim.state === 'sent') claim.state = 'there';
    claim.older = undefined;
  }

  /** It never came to be, or is no more. */
  remove(claim: Claim<T>): void {
    claim.state = 'gone';
    let newest = this.#newest.get(claim.name);
    if (newest?.state !== 'gone') return;
    while (newest?.state === 'gone') newest = newest.older;
    if (newest === undefined) this.#newest.delete(claim.name);
    else this.#newest.set(claim.name, newest);
  }

  /** What the name stands for where that is certain, as it nearly always is: no list is made for it. */
  only(name: string, pipeline: number): Claim<T> | undefined {
    const claim = this.#newest.get(name);
    if (claim === undefined || claim.state === 'gone') return undefined;
    return claim.older === undefined || claim.state === 'there' || claim.pipeline === pipeline ? claim : undefined;
  }

  /** Everything that the name may stand for in a message of that pipeline, newest first. */
  claims(name: string, pipeline: number): Claim<T>[] {
    const found: Claim<T>[] = [];
    for (let claim = this.#newest.get(name); claim !== undefined; claim = claim.older) {
      if (claim.state === 'gone') continue;
      found.push(claim);
      if (claim.state === 'there' || claim.pipeline === pipeline) break;
    }
    return found;
  }

  names(): IterableIterator<string> {
    return this.#newest.keys();
  }

  clear(): void {
    this.#newest.clear();
  }

  get size(): number {
    return this.#newest.size;
  }
}
