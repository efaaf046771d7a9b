/**
 * DEFLATE (RFC 1951), one stream, at once. A browser's own unpacker would do it only later, and engines differ in what
 * they take behind its end. The bytes are attacker-controlled; what comes of them is hashed and held against signatures.
 */
export interface Inflated {
  readonly bytes: Uint8Array;
  /** Where the stream ends, in whole bytes. */
  readonly end: number;
}

export class DamagedStream extends Error {}

/** Codes to symbols: `length << 9 | symbol` by the next `bits` bits of the stream; 0 where no code begins so. */
interface Codes {
  readonly bits: number;
  readonly table: Uint16Array;
}

const MAX_CODE = 15;
const END_OF_BLOCK = 256;
/** RFC 1951 section 3.2.7: in which order the lengths of the lengths come. */
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const lengthBase = basesOf(lengthExtra.slice(0, 28), 3).concat(258);
const distanceExtra = Array.from({ length: 30 }, (_, i) => Math.max(0, (i >> 1) - 1));
const distanceBase = basesOf(distanceExtra, 1);

function basesOf(extra: readonly number[], first: number): number[] {
  let next = first;
  return extra.map((bits) => {
    const base = next;
    next += 1 << bits;
    return base;
  });
}

const fixed = [
  codesOf([...fill(144, 8), ...fill(112, 9), ...fill(24, 7), ...fill(8, 8)], 'fixed'),
  codesOf(fill(30, 5), 'fixed'),
] as const;

function fill(count: number, length: number): number[] {
  return new Array<number>(count).fill(length);
}

/** Throws DamagedStream. `too-much`: more than `most` bytes come of it. */
export function inflate(packed: Uint8Array, from: number, most: number): Inflated | 'too-much' {
  return new Stream(packed, from, most).run();
}

/** Whether anything comes of a stream that may be cut off or damaged further on. */
export function inflatesToAnything(packed: Uint8Array): boolean {
  const stream = new Stream(packed, 0, 1 << 20);
  try {
    stream.run();
  } catch (error) {
    if (!(error instanceof DamagedStream)) throw error;
    // what is damaged is not unpacked at all; what is only cut off is, as far as it goes
    if (!(error instanceof CutOff)) return false;
  }
  return stream.length > 0;
}

class CutOff extends DamagedStream {}

class Stream {
  readonly #in: Uint8Array;
  readonly #most: number;
  #at: number;
  #held = 0;
  #bits = 0;
  #out: Uint8Array;
  length = 0;

  constructor(packed: Uint8Array, from: number, most: number) {
    this.#in = packed;
    this.#at = from;
    this.#most = most;
    this.#out = new Uint8Array(Math.min(most, Math.max(1024, packed.length * 6)));
  }

  run(): Inflated | 'too-much' {
    for (let last = false; !last; ) {
      last = this.#take(1) === 1;
      const kind = this.#take(2);
      if (kind === 3) throw new DamagedStream('invalid block type');
      const fits =
        kind === 0 ? this.#stored() : kind === 1 ? this.#block(...fixed) : this.#block(...this.#dynamicCodes());
      if (!fits) return 'too-much';
    }
    // whole bytes that were looked at and not used
    return { bytes: this.#out.subarray(0, this.length), end: this.#at - (this.#bits >> 3) };
  }

  #need(bits: number): void {
    while (this.#bits < bits) {
      if (this.#at >= this.#in.length) throw new CutOff('unexpected end of file');
      this.#held |= (this.#in[this.#at++] as number) << this.#bits;
      this.#bits += 8;
    }
  }

  #take(bits: number): number {
    if (bits === 0) return 0;
    this.#need(bits);
    const value = this.#held & ((1 << bits) - 1);
    this.#held >>>= bits;
    this.#bits -= bits;
    return value;
  }

  #symbol({ bits, table }: Codes): number {
    while (this.#bits < bits && this.#at < this.#in.length) {
      this.#held |= (this.#in[this.#at++] as number) << this.#bits;
      this.#bits += 8;
    }
    const found = table[this.#held & ((1 << bits) - 1)] as number;
    const length = found >> 9;
    if (length > this.#bits || (found === 0 && this.#bits < bits)) throw new CutOff('unexpected end of file');
    if (found === 0) throw new DamagedStream('invalid code');
    this.#held >>>= length;
    this.#bits -= length;
    return found & 0x1ff;
  }

  #stored(): boolean {
    this.#take(this.#bits & 7);
    const [size, check] = [this.#take(16), this.#take(16)];
    if (size !== (~check & 0xffff)) throw new DamagedStream('invalid stored block lengths');
    this.#at -= this.#bits >> 3;
    this.#held = this.#bits = 0;
    const there = Math.min(size, this.#in.length - this.#at);
    if (!this.#room(there)) return false;
    this.#out.set(this.#in.subarray(this.#at, this.#at + there), this.length);
    this.#at += there;
    this.length += there;
    if (there < size) throw new CutOff('unexpected end of file');
    return true;
  }

  #dynamicCodes(): readonly [Codes, Codes] {
    const [literals, distances, lengths] = [this.#take(5) + 257, this.#take(5) + 1, this.#take(4) + 4];
    if (literals > 286 || distances > 30) throw new DamagedStream('too many length or distance symbols');
    const ofLengths = fill(19, 0);
    for (const symbol of lengthOrder.slice(0, lengths)) ofLengths[symbol] = this.#take(3);
    const codes = codesOf(ofLengths, 'complete');
    const all: number[] = [];
    while (all.length < literals + distances) {
      const symbol = this.#symbol(codes);
      if (symbol < 16) {
        all.push(symbol);
        continue;
      }
      const before = all.at(-1);
      if (symbol === 16 && before === undefined) throw new DamagedStream('invalid bit length repeat');
      const times = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
      if (all.length + times > literals + distances) throw new DamagedStream('invalid bit length repeat');
      all.push(...fill(times, symbol === 16 ? (before ?? 0) : 0));
    }
    if (all[END_OF_BLOCK] === 0) throw new DamagedStream('invalid code -- missing end-of-block');
    return [codesOf(all.slice(0, literals), 'one'), codesOf(all.slice(literals), 'one')];
  }

  #block(literals: Codes, distances: Codes): boolean {
    for (;;) {
      const symbol = this.#symbol(literals);
      if (symbol === END_OF_BLOCK) return true;
      if (symbol < END_OF_BLOCK) {
        if (this.length >= this.#out.length && !this.#room(1)) return false;
        this.#out[this.length++] = symbol;
        continue;
      }
      const kind = symbol - 257;
      if (kind > 28) throw new DamagedStream('invalid literal/length code');
      const size = (lengthBase[kind] as number) + this.#take(lengthExtra[kind] as number);
      const far = this.#symbol(distances);
      if (far > 29) throw new DamagedStream('invalid distance code');
      const distance = (distanceBase[far] as number) + this.#take(distanceExtra[far] as number);
      if (distance > this.length) throw new DamagedStream('invalid distance too far back');
      if (!this.#room(size)) return false;
      const out = this.#out;
      // may overlap what it writes: byte by byte
      for (let end = this.length + size; this.length < end; this.length++)
        out[this.length] = out[this.length - distance] as number;
    }
  }

  #room(size: number): boolean {
    const wanted = this.length + size;
    if (wanted <= this.#out.length) return true;
    if (wanted > this.#most) return false;
    const larger = new Uint8Array(Math.min(this.#most, Math.max(wanted, this.#out.length * 2)));
    larger.set(this.#out.subarray(0, this.length));
    this.#out = larger;
    return true;
  }
}

/**
 * RFC 1951 section 3.2.2. Of codes that leave bit strings without a meaning only those are taken that zlib takes.
 *
 * @param may `one`: a single code of one bit, or none at all, is taken as well
 */
function codesOf(lengths: readonly number[], may: 'complete' | 'one' | 'fixed'): Codes {
  const count = fill(MAX_CODE + 1, 0);
  for (const length of lengths) if (length > 0) count[length] = (count[length] ?? 0) + 1;
  const next = fill(MAX_CODE + 1, 0);
  let [code, left] = [0, 1];
  for (let length = 1; length <= MAX_CODE; length++) {
    left = left * 2 - (count[length] ?? 0);
    if (left < 0) throw new DamagedStream('invalid code lengths set: over-subscribed');
    code = (code + (length === 1 ? 0 : (count[length - 1] ?? 0))) << 1;
    next[length] = code;
  }
  const used = count.reduce((sum, of) => sum + of, 0);
  const isLone = used === 0 || (used === 1 && count[1] === 1);
  if (left > 0 && may !== 'fixed' && !(may === 'one' && isLone))
    throw new DamagedStream('invalid code lengths set: incomplete');
  const bits = Math.max(1, ...lengths);
  const table = new Uint16Array(1 << bits);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const value = next[length] ?? 0;
    next[length] = value + 1;
    for (let at = reversed(value, length); at < table.length; at += 1 << length) table[at] = (length << 9) | symbol;
  }
  return { bits, table };
}

function reversed(value: number, bits: number): number {
  let result = 0;
  for (let i = 0; i < bits; i++) result |= ((value >> i) & 1) << (bits - 1 - i);
  return result;
}
