/** What a catalog says of objects, found by name, replaced object by object. */

/** `owner`: pg_class.oid or pg_proc.oid of the object that it goes with. */
export type Owned<Item> = Item & { readonly owner: number };

export class ByName<Item> {
  readonly #lists = new Map<string, Owned<Item>[]>();

  named(name: string): readonly Owned<Item>[] {
    return this.#lists.get(name) ?? nothing;
  }

  has(name: string): boolean {
    return this.#lists.has(name);
  }

  add(name: string, item: Owned<Item>): void {
    const list = this.#lists.get(name);
    if (list === undefined) this.#lists.set(name, [item]);
    else list.push(item);
  }

  forget(name: string, owner: number): void {
    const left = this.#lists.get(name)?.filter((one) => one.owner !== owner) ?? nothing;
    if (left.length > 0) this.#lists.set(name, [...left]);
    else this.#lists.delete(name);
  }

  clear(): void {
    this.#lists.clear();
  }
}

const nothing: readonly never[] = [];

/** Names, each as often as it was added. */
export class NameCounts {
  readonly #counts = new Map<string, number>();

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(names: Iterable<string>): void {
    for (const name of names) this.#counts.set(name, this.count(name) + 1);
  }

  remove(names: Iterable<string>): void {
    for (const name of names) {
      const left = this.count(name) - 1;
      if (left > 0) this.#counts.set(name, left);
      else this.#counts.delete(name);
    }
  }

  clear(): void {
    this.#counts.clear();
  }
}
