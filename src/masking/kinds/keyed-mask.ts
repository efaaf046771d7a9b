/**
 * Masks that replace a value by what a key makes of it: equal values stay equal, and nobody without the key can try values.
 * The pseudo-random function is AES-256-CMAC, under a key for each use (HKDF): what one kind shows of a value says nothing of
 * what another shows.
 *
 * State: the values of a run that are announced and not yet written. Must not know kinds, columns, messages.
 */
import { hkdfSync } from 'node:crypto';
import { viewOf } from '../copy-bytes.js';
import { CmacBatch, CmacKey, tagBytes } from '../keyed/cmac.js';
import type { CellMask } from './cell.js';

export interface KeyedForm {
  /** As for CellMask. */
  readonly growth: number;
  /** Adds one message to `batch`: the form that equal values have in common. -1: NULL; other numbers are for `write`. */
  add(batch: CmacBatch, from: Buffer, start: number, end: number): number;
  /** As CellMask's. Called for what was added alone. */
  write(hashed: Hashed, from: Buffer, start: number, end: number, to: Buffer, at: number): number;
}

/** What the key makes of one value. */
export interface Hashed {
  readonly tags: DataView;
  /** The value's 16 bytes begin here. */
  readonly tag: number;
  /** What `add` said of it. */
  readonly note: number;
  /** Of `to`. */
  readonly out: DataView;
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

const nothing = Buffer.alloc(0);
const noTags = viewOf(nothing);
/** Numbers that are kept of each value. */
const perValue = 4;

class KeyedRun implements Hashed {
  readonly #batch: CmacBatch;
  readonly #form: KeyedForm;
  #from: Buffer | undefined;
  /** Start and end of each value, where its tag is, and what the form says of it. */
  #values = new Int32Array(0);
  #count = 0;
  /** In `#values`. */
  #next = 0;
  tags = noTags;
  tag = 0;
  note = 0;
  #to: Buffer = nothing;
  out = noTags;

  constructor(batch: CmacBatch, form: KeyedForm) {
    this.#batch = batch;
    this.#form = form;
  }

  see(from: Buffer, spans: Int32Array, count: number): void {
    if (this.#values.length < count * perValue) this.#values = new Int32Array(count * perValue);
    const values = this.#values;
    const batch = this.#batch;
    let tag = 0;
    for (let n = 0; n < count; n++) {
      const start = spans[2 * n] as number;
      const end = spans[2 * n + 1] as number;
      const note = this.#form.add(batch, from, start, end);
      const value = n * perValue;
      values[value] = start;
      values[value + 1] = end;
      values[value + 2] = tag;
      values[value + 3] = note;
      tag = batch.length * tagBytes;
    }
    this.tags = viewOf(batch.finish());
    this.#from = from;
    this.#count = count * perValue;
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
    const values = this.#values;
    this.#next = next + perValue;
    // a run of rows is not kept for the sake of what it was made to
    if (this.#next >= this.#count) this.#from = undefined;
    this.note = values[next + 3] as number;
    if (from === undefined || this.note < 0) return -1;
    if (this.#to !== to) {
      this.#to = to;
      this.out = viewOf(to);
    }
    this.tag = values[next + 2] as number;
    return this.#form.write(this, from, values[next] as number, values[next + 1] as number, to, at);
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

/** The two digits of each byte, as one number. */
const hexDigits = Uint16Array.from({ length: 256 }, (_, byte) =>
  Buffer.from(byte.toString(16).padStart(2, '0'), 'latin1').readUInt16BE(0),
);

/** Writes the first `count` bytes of the hash in hexadecimal at `at`; an even number. Returns the offset behind it. */
export function writeHex({ tags, tag, out }: Hashed, count: number, at: number, skipped = 0): number {
  let write = at;
  for (let read = tag + skipped, end = read + count; read < end; read += 2) {
    const two = tags.getUint16(read);
    out.setInt32(write, ((hexDigits[two >>> 8] as number) << 16) | (hexDigits[two & 0xff] as number));
    write += 4;
  }
  return write;
}
