/**
 * Bytes on their way to one peer, in order. Neighbouring slices of one buffer become one slice again, so that a
 * chunk that passes unchanged leaves in one write, without a copy.
 */
export class Outgoing {
  #slices: Buffer[] = [];
  #buffer: Buffer | undefined;
  #start = 0;
  #end = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The buffer must not change until the bytes are written. */
  push(buffer: Buffer, start: number, end: number): void {
    this.#length += end - start;
    if (this.#buffer === buffer && this.#end === start) {
      this.#end = end;
      return;
    }
    this.#closeSlice();
    this.#buffer = buffer;
    this.#start = start;
    this.#end = end;
  }

  pushMessage(message: Buffer): void {
    this.push(message, 0, message.length);
  }

  /** Everything so far; empties the queue. */
  take(): Buffer[] {
    this.#closeSlice();
    const slices = this.#slices;
    this.#slices = [];
    this.#length = 0;
    return slices;
  }

  #closeSlice(): void {
    if (this.#buffer === undefined) return;
    const whole = this.#start === 0 && this.#end === this.#buffer.length;
    this.#slices.push(whole ? this.#buffer : this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = undefined;
  }
}
