/**
 * AES-CMAC (RFC 4493, NIST SP 800-38B) of many short messages at once. One by one, a call into node:crypto costs more than
 * a hundred times the cipher; so block after block of all of them goes through the cipher together.
 *
 * What lives here: the messages of a batch, until they are authenticated. What it must not know: what they mean.
 */
import { isAscii } from 'node:buffer';
import { createCipheriv } from 'node:crypto';

export const tagBytes = 16;
const blockBytes = 16;
const blockWords = 4;
/** Longer messages are not gathered; they are worth calls of their own. */
const longMessage = 64 << 10;
/** So few messages of which so much is left are cheaper one by one. */
const fewMessages = 4;
const fewBlocks = 8;
/** Words that are kept for the next batch. */
const roomKept = 64 << 10;
const noState = new Uint8Array(0);

/** Words are read as the platform keeps them: what counts is that bytes stay in their order. */
const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Immutable; may be shared by any number of batches. */
export class CmacKey {
  readonly #key: Buffer;
  /** ECB keeps nothing between calls: each block is enciphered by itself. */
  readonly #cipher: ReturnType<typeof createCipheriv>;
  /** K1 and K2, as words. */
  readonly whole: Int32Array;
  readonly padded: Int32Array;

  /** @param key 16, 24 or 32 bytes */
  constructor(key: Buffer) {
    this.#key = Buffer.from(key);
    this.#cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
    const k1 = doubled(this.encipher(Buffer.alloc(blockBytes)));
    this.whole = wordsOf(k1);
    this.padded = wordsOf(doubled(k1));
  }

  /** Each block by itself. */
  encipher(blocks: Uint8Array): Buffer {
    return this.#cipher.update(blocks);
  }

  /** The state of CBC-MAC after these blocks. */
  chain(state: Uint8Array, blocks: Uint8Array): Buffer {
    const cipher = createCipheriv(`aes-${this.#key.length * 8}-cbc`, this.#key, state).setAutoPadding(false);
    let last = Buffer.from(state);
    for (let at = 0; at < blocks.length; at += longMessage)
      last = cipher.update(blocks.subarray(at, at + longMessage)).subarray(-blockBytes);
    return last;
  }
}

/** Multiplied by x in the field of 2^128 elements (RFC 4493, section 2.3). */
function doubled(block: Buffer): Buffer {
  const value = BigInt(`0x${block.toString('hex')}`) << 1n;
  const reduced = value >> 128n === 0n ? value : value ^ (1n << 128n) ^ 0x87n;
  return Buffer.from(reduced.toString(16).padStart(2 * blockBytes, '0'), 'hex');
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes);
  return new Int32Array(buffer, byteOffset, length >> 2);
}

/** Messages that are added, authenticated and forgotten together. */
export class CmacBatch {
  readonly #keyOf: () => CmacKey;
  #known: CmacKey | undefined;
  /** The blocks of all messages, the last one of each padded and with its subkey in it: as CBC-MAC takes them. */
  #words = new Int32Array(blockWords * 64);
  #bytes = new Uint8Array(this.#words.buffer);
  #used = 0;
  /** Where the blocks of each message begin, in words, and how many they are; 0 of those that are not gathered. */
  #begins = new Int32Array(64);
  #blocks = new Int32Array(64);
  #length = 0;
  #most = 0;
  #least = Infinity;
  #long = new Map<number, Buffer>();
  /** What goes into the cipher, and what `finish` returns; as large as the largest batch so far. */
  #input = new Int32Array(blockWords * 16);
  #inputBytes = new Uint8Array(this.#input.buffer);
  #tags = new Int32Array(blockWords * 16);
  #tagBytes = new Uint8Array(this.#tags.buffer);
  #from: Uint8Array | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** @param key asked for with the first message */
  constructor(key: () => CmacKey) {
    this.#keyOf = key;
  }

  get length(): number {
    return this.#length;
  }

  get #key(): CmacKey {
    this.#known ??= this.#keyOf();
    return this.#known;
  }

  /** Adds the message `from[start, end)`; returns whether it is ASCII. `from` is not looked at later. */
  add(from: Uint8Array, start: number, end: number): boolean {
    if (end - start > longMessage) return this.#addLong(from.subarray(start, end));
    if (this.#from !== from) {
      this.#from = from;
      this.#view = new DataView(from.buffer, from.byteOffset, from.byteLength);
    }
    const view = this.#view;
    const blocks = Math.max(1, (end - start + blockBytes - 1) >> 4);
    let at = this.#reserve(blocks);
    const words = this.#words;
    const last = at + (blocks - 1) * blockWords;
    let seen = 0;
    let read = start;
    for (; read + 4 <= end; read += 4) {
      const word = view.getInt32(read, littleEndian);
      seen |= word;
      words[at++] = word;
    }
    const isWhole = at === last + blockWords;
    if (!isWhole) {
      for (let rest = at; rest < last + blockWords; rest++) words[rest] = 0;
      let byte = at << 2;
      for (; read < end; read++) {
        seen |= from[read] as number;
        this.#bytes[byte++] = from[read] as number;
      }
      this.#bytes[byte] = 0x80;
    }
    const subkey = isWhole ? this.#key.whole : this.#key.padded;
    for (let n = 0; n < blockWords; n++) (words[last + n] as number) ^= subkey[n] as number;
    return (seen & 0x80808080) === 0;
  }

  /**
   * The tags of the messages in the order in which they were added, 16 bytes each; the batch is empty again. They stand
   * there until it is finished again.
   */
  finish(): Uint8Array {
    const count = this.length;
    this.#makeRoom(count * blockWords);
    if (this.#least === this.#most && this.#most <= fewBlocks && this.#long.size === 0) return this.#finishAlike();
    const [tags, tagsAsBytes, input, inputBytes] = [this.#tags, this.#tagBytes, this.#input, this.#inputBytes];
    const order = this.#longestFirst();
    const words = this.#words;
    let state: Int32Array = input.fill(0, 0, count * blockWords);
    let active = count;
    for (let block = 0; ; block++) {
      for (; active > 0 && this.#blocksAt(order, active - 1) === block; active--) {
        const from = (active - 1) * blockWords;
        const to = at(order, active - 1) * blockWords;
        for (let n = 0; n < blockWords; n++) tags[to + n] = state[from + n] as number;
      }
      if (active === 0) break;
      if (active < fewMessages && this.#blocksAt(order, 0) - block > fewBlocks) {
        for (let slot = 0; slot < active; slot++)
          tagsAsBytes.set(this.#chained(state, slot, at(order, slot), block), at(order, slot) * blockBytes);
        break;
      }
      for (let slot = 0; slot < active; slot++) {
        const to = slot * blockWords;
        const from = (this.#begins[at(order, slot)] as number) + block * blockWords;
        for (let n = 0; n < blockWords; n++) input[to + n] = (state[to + n] as number) ^ (words[from + n] as number);
      }
      state = wordsOf(this.#key.encipher(inputBytes.subarray(0, active * blockBytes)));
    }
    for (const [message, tag] of this.#long) tagsAsBytes.set(tag, message * blockBytes);
    this.#clear();
    return tagsAsBytes.subarray(0, count * blockBytes);
  }

  /** Of messages of one number of blocks: they stand behind each other, and none is finished before another. */
  #finishAlike(): Uint8Array {
    const [words, input, blocks] = [this.#words, this.#input, this.#most];
    const used = this.length * blockWords;
    const inputBytes = this.#inputBytes.subarray(0, used * 4);
    let state: Uint8Array = noState;
    for (let block = 0; block < blocks; block++) {
      const chained = block === 0 ? input.fill(0, 0, used) : wordsOf(state);
      let from = block * blockWords;
      for (let to = 0; to < used; to += blockWords) {
        input[to] = (chained[to] as number) ^ (words[from] as number);
        input[to + 1] = (chained[to + 1] as number) ^ (words[from + 1] as number);
        input[to + 2] = (chained[to + 2] as number) ^ (words[from + 2] as number);
        input[to + 3] = (chained[to + 3] as number) ^ (words[from + 3] as number);
        from += blocks * blockWords;
      }
      state = this.#key.encipher(inputBytes);
    }
    this.#clear();
    return state;
  }

  /** Room for as many blocks; returns where, in words. */
  #reserve(blocks: number): number {
    const begin = this.#used;
    this.#used += blocks * blockWords;
    if (this.#used > this.#words.length) {
      const larger = new Int32Array(this.#used * 2);
      larger.set(this.#words);
      this.#words = larger;
      this.#bytes = new Uint8Array(larger.buffer);
    }
    this.#push(begin, blocks);
    return begin;
  }

  #push(begin: number, blocks: number): void {
    const at = this.#length++;
    if (at === this.#begins.length) {
      this.#begins = doubleOf(this.#begins);
      this.#blocks = doubleOf(this.#blocks);
    }
    this.#begins[at] = begin;
    this.#blocks[at] = blocks;
    if (blocks > this.#most) this.#most = blocks;
    if (blocks < this.#least) this.#least = blocks;
  }

  #makeRoom(words: number): void {
    if (words <= this.#input.length) return;
    this.#input = new Int32Array(words * 2);
    this.#inputBytes = new Uint8Array(this.#input.buffer);
    this.#tags = new Int32Array(words * 2);
    this.#tagBytes = new Uint8Array(this.#tags.buffer);
  }

  #addLong(message: Uint8Array): boolean {
    const body = ((message.length - 1) >> 4) << 4;
    const state = this.#key.chain(Buffer.alloc(blockBytes), message.subarray(0, body));
    const rest = new CmacBatch(() => this.#key);
    rest.add(message, body, message.length);
    const last = rest.#words;
    for (const [n, word] of wordsOf(state).entries()) (last[n] as number) ^= word;
    this.#long.set(this.length, Buffer.from(this.#key.encipher(rest.#bytes.subarray(0, blockBytes))));
    this.#push(0, 0);
    return isAscii(message);
  }

  /** Which message is in which slot; those that are finished are always the last. Undefined: in the order of the messages. */
  #longestFirst(): Uint32Array | undefined {
    if (this.#least === this.#most) return undefined;
    const places = new Uint32Array(this.#most + 2);
    const blocks = this.#blocks.subarray(0, this.length);
    for (const one of blocks) (places[this.#most - one + 1] as number)++;
    for (let at = 1; at < places.length; at++) (places[at] as number) += places[at - 1] as number;
    const order = new Uint32Array(this.length);
    for (const [message, one] of blocks.entries()) order[(places[this.#most - one] as number)++] = message;
    return order;
  }

  #blocksAt(order: Uint32Array | undefined, slot: number): number {
    return this.#blocks[at(order, slot)] as number;
  }

  /** The tag of a message of which this many blocks are in the state of its slot. */
  #chained(state: Int32Array, slot: number, message: number, block: number): Uint8Array {
    const so = Uint8Array.from(new Uint8Array(state.buffer, state.byteOffset + slot * blockBytes, blockBytes));
    const begin = (this.#begins[message] as number) << 2;
    const blocks = this.#blocks[message] as number;
    return this.#key.chain(so, this.#bytes.subarray(begin + block * blockBytes, begin + blocks * blockBytes));
  }

  #clear(): void {
    this.#used = 0;
    this.#length = 0;
    this.#most = 0;
    this.#least = Infinity;
    if (this.#long.size > 0) this.#long = new Map();
    this.#from = undefined;
    if (this.#words.length > roomKept) {
      this.#words = new Int32Array(roomKept);
      this.#bytes = new Uint8Array(this.#words.buffer);
    }
  }
}

function doubleOf(full: Int32Array): Int32Array<ArrayBuffer> {
  const double = new Int32Array(full.length * 2);
  double.set(full);
  return double;
}

function at(order: Uint32Array | undefined, slot: number): number {
  return order === undefined ? slot : (order[slot] as number);
}
