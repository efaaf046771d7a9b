/**
 * Where a stream of terminal output may be cut. A prompt that is drawn in the middle of the child's escape sequence
 * would be eaten by it, or would eat it.
 *
 * What lives here: how far into a sequence (ECMA-48) or a UTF-8 character the stream is. What it must not know: what
 * the sequences mean.
 */

const esc = 0x1b;
const bel = 0x07;
const can = 0x18;
const sub = 0x1a;
const stFinal = 0x5c;

/** A sequence longer than this goes out in pieces: images and clipboards come as strings of megabytes. */
const heldMax = 64 * 1024;

type State = 'ground' | 'escape' | 'csi' | 'osc' | 'string' | 'osc-escape' | 'string-escape';

export class EscapeBoundary {
  #state: State = 'ground';
  /** Continuation bytes still missing of a UTF-8 character. */
  #missing = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Part of the current sequence has gone out already. */
  #torn = false;

  /** True where something else may be written to the terminal now. What is held back has not been seen by it. */
  get clean(): boolean {
    return !this.#torn;
  }

  /** The bytes that may go out now; the rest is held until its sequence is complete. */
  push(chunk: Buffer): Buffer {
    const cut = this.#scan(chunk);
    if (cut === 0 && this.#heldBytes + chunk.length <= heldMax && !this.#torn) {
      this.#hold(chunk);
      return Buffer.alloc(0);
    }
    const tail = chunk.subarray(cut);
    const tooLong = cut === 0 || this.#torn || tail.length > heldMax;
    const ready = Buffer.concat([...this.#held, tooLong ? chunk : chunk.subarray(0, cut)]);
    this.#held = [];
    this.#heldBytes = 0;
    const whole = this.#state === 'ground' && this.#missing === 0;
    if (tooLong) this.#torn = !whole;
    else this.#hold(tail);
    return ready;
  }

  /** What is held back, at the end of the stream. */
  flush(): Buffer {
    const rest = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return rest;
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#held.push(Buffer.from(bytes));
    this.#heldBytes += bytes.length;
  }

  /** Advances the state; the offset behind the last complete sequence or character. */
  #scan(chunk: Buffer): number {
    let cut = 0;
    for (let i = 0; i < chunk.length; i++) {
      this.#step(chunk[i] ?? 0);
      if (this.#state === 'ground' && this.#missing === 0) {
        cut = i + 1;
        // from here on the stream is whole again
        this.#torn = false;
      }
    }
    return cut;
  }

  #step(byte: number): void {
    if (byte === can || byte === sub) {
      this.#state = 'ground';
      this.#missing = 0;
      return;
    }
    switch (this.#state) {
      case 'ground':
        this.#ground(byte);
        return;
      case 'escape':
        this.#escape(byte);
        return;
      case 'csi':
        if (byte === esc) this.#state = 'escape';
        else if (byte >= 0x40 && byte <= 0x7e) this.#state = 'ground';
        return;
      case 'osc':
        if (byte === bel) this.#state = 'ground';
        else if (byte === esc) this.#state = 'osc-escape';
        return;
      case 'string':
        if (byte === esc) this.#state = 'string-escape';
        return;
      case 'osc-escape':
      case 'string-escape':
        // anything but a backslash ends the string as well, and begins a sequence of its own
        if (byte === stFinal) this.#state = 'ground';
        else this.#escape(byte);
    }
  }

  #ground(byte: number): void {
    if (byte === esc) {
      this.#state = 'escape';
      this.#missing = 0;
    } else if (this.#missing > 0 && byte >= 0x80 && byte <= 0xbf) this.#missing--;
    else if (byte >= 0xc2 && byte <= 0xdf) this.#missing = 1;
    else if (byte >= 0xe0 && byte <= 0xef) this.#missing = 2;
    else if (byte >= 0xf0 && byte <= 0xf4) this.#missing = 3;
    else this.#missing = 0;
  }

  #escape(byte: number): void {
    if (byte === 0x5b) this.#state = 'csi';
    else if (byte === 0x5d) this.#state = 'osc';
    // DCS, SOS, PM, APC
    else if (byte === 0x50 || byte === 0x58 || byte === 0x5e || byte === 0x5f) this.#state = 'string';
    // intermediate bytes: ESC ( B
    else if (byte === esc || (byte >= 0x20 && byte <= 0x2f)) this.#state = 'escape';
    else if (byte < 0x20) return;
    else this.#state = 'ground';
  }
}
