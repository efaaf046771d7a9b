/**
 * Masks that replace a value by what a key makes of it: equal values stay equal, and nobody without the key can try values.
 * The pseudo-random function is AES-256-CMAC, under a key for each use (HKDF): what one kind shows of a value says nothing of
 * what another shows.
 *
 * State: the values of a run that are announced and not yet written. Must not know kinds, columns, messages.
 */
import { hkdfSync } from 'node:crypto';
import { CmacBatch, CmacKey, tagBytes } from '../keyed/cmac.js';
import type { CellMask } from './cell.js';

export interface KeyedForm {
  /** As for CellMask. */
  readonly growth: number;
  /** Adds one message to `batch`: the form that equal values have in common. False: NULL. */
  add(batch: CmacBatch, from: Buffer, start: number, end: number): boolean;
  /** As CellMask's; the value's 16 bytes are `tags[tag..]`. Called for what was added alone. */
  write(tags: Uint8Array, tag: number, from: Buffer, start: number, end: number, to: Buffer, at: number): number;
}

/** @param use other uses of the key are other functions */
export function keyedMask(key: Buffer, use: string, form: KeyedForm): CellMask {
  const newRun = (): KeyedRun => new KeyedRun(new CmacBatch(() => keyFor(key, use)), form);
  let run: KeyedRun | undefined;
  let alone: KeyedRun | undefined;
  const one = new Int32Array(2);
  return {
    growth: form.growth,
    ahead(from, spans, count) {
      run ??= newRun();
      run.see(from, spans, count);
    },
    write(from, start, end, to, at) {
      if (run?.isNext(from, start, end)) return run.writeNext(to, at);
      one[0] = start;
      one[1] = end;
      alone ??= newRun();
      alone.see(from, one, 1);
      return alone.writeNext(to, at);
    },
  };
}

const noTags = new Uint8Array(0);

class KeyedRun {
  readonly #batch: CmacBatch;
  readonly #form: KeyedForm;
  #from: Buffer | undefined;
  /** Start and end of each value, and where its tag is; -1 for none. */
  #values = new Int32Array(0);
  #count = 0;
  #tags: Uint8Array = noTags;
  /** In `#values`. */
  #next = 0;

  constructor(batch: CmacBatch, form: KeyedForm) {
    this.#batch = batch;
    this.#form = form;
  }

  see(from: Buffer, spans: Int32Array, count: number): void {
    if (this.#values.length < count * 3) this.#values = new Int32Array(count * 3);
    const values = this.#values;
    let tag = 0;
    for (let n = 0; n < count; n++) {
      const start = spans[2 * n] as number;
      const end = spans[2 * n + 1] as number;
      const is = this.#form.add(this.#batch, from, start, end);
      values[3 * n] = start;
      values[3 * n + 1] = end;
      values[3 * n + 2] = is ? tag : -1;
      tag = this.#batch.length * tagBytes;
    }
    this.#tags = this.#batch.finish();
    this.#from = from;
    this.#count = count * 3;
    this.#next = 0;
  }

  isNext(from: Buffer, start: number, end: number): boolean {
    const next = this.#next;
    return this.#from === from && next < this.#count && this.#values[next] === start && this.#values[next + 1] === end;
  }

  /** To be called where `isNext`, or when one value alone has been seen. */
  writeNext(to: Buffer, at: number): number {
    const from = this.#from;
    const next = this.#next;
    const tag = this.#values[next + 2] ?? -1;
    this.#next += 3;
    // a run of rows is not kept for the sake of what it was made to
    if (this.#next >= this.#count) this.#from = undefined;
    if (from === undefined || tag < 0) return -1;
    return this.#form.write(
      this.#tags,
      tag,
      from,
      this.#values[next] as number,
      this.#values[next + 1] as number,
      to,
      at,
    );
  }
}

/** By the secret and the use; expanded once in a run of the program. */
const expanded = new WeakMap<Buffer, Map<string, CmacKey>>();

function keyFor(secret: Buffer, use: string): CmacKey {
  const known = expanded.get(secret) ?? new Map<string, CmacKey>();
  expanded.set(secret, known);
  const key = known.get(use) ?? new CmacKey(Buffer.from(hkdfSync('sha256', secret, '', `dbguard mask ${use}`, 32)));
  known.set(use, key);
  return key;
}

/** The two digits of each byte. */
const hexDigits = Uint8Array.from(
  Array.from({ length: 256 }, (_, byte) => [...Buffer.from(byte.toString(16).padStart(2, '0'), 'latin1')]).flat(),
);

/** Writes `bytes[start, end)` in hexadecimal to `to` at `at`; returns the offset behind it. */
export function writeHex(bytes: Uint8Array, start: number, end: number, to: Buffer, at: number): number {
  let write = at;
  for (let read = start; read < end; read++) {
    const digits = (bytes[read] as number) << 1;
    to[write] = hexDigits[digits] as number;
    to[write + 1] = hexDigits[digits + 1] as number;
    write += 2;
  }
  return write;
}
