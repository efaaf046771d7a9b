/**
 * A map from texts that forgets what was not asked for lately: two generations, so that neither a look nor an addition
 * has to put anything in order. For the hot path.
 */
export interface RecentLimits {
  /** Of each generation: how many texts, and how many characters. */
  readonly entries: number;
  readonly size: number;
}

export class RecentMap<Value> {
  readonly #limits: RecentLimits;
  #young = new Map<string, Value>();
  #old: ReadonlyMap<string, Value> = new Map();
  #size = 0;

  constructor(limits: RecentLimits) {
    this.#limits = limits;
  }

  get(text: string): Value | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.set(text, old);
    return old;
  }

  set(text: string, value: Value): void {
    const { entries, size } = this.#limits;
    if (this.#young.size >= entries || this.#size + text.length > size) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#size = 0;
    }
    this.#young.set(text, value);
    this.#size += text.length;
  }
}
