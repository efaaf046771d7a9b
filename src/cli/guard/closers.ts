/** What has been opened, and how each of it is closed: last in, first out, whether all went well or a step failed. */
export class Closers<Options> {
  readonly #stack: ((options: Options) => unknown)[] = [];
  #closing: Promise<void> | undefined;

  /** Call it at once after opening: whatever fails next then closes it. */
  defer(close: (options: Options) => unknown): void {
    this.#stack.push(close);
  }

  /** Each one is closed, also where another cannot be; rejects with the first reason. A second call waits for the first. */
  close(options: Options): Promise<void> {
    this.#closing ??= this.#closeAll(options);
    return this.#closing;
  }

  async #closeAll(options: Options): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#stack.pop(); close !== undefined; close = this.#stack.pop()) {
      try {
        await close(options);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
