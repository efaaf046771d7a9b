/**
 * SHA-256 (FIPS 180-4) at once: the chain wants each digest before the next line, and WebCrypto gives one only later. In
 * the page that proves itself in place of src/sha256.ts. Every session is also held against WebCrypto's own
 * (page-verify.ts), so that a browser whose arithmetic is wrong proves nothing.
 */
import type * as native from '../../sha256.js';
import { WebBuffer } from './buffer-web.js';

type Data = string | Uint8Array;

const BLOCK = 64;
const encoder = new TextEncoder();

/** The first 32 bits of the fractional parts of cube roots of the first 64 primes, and square roots of the first 8. */
const [K, INITIAL] = constants();

function constants(): readonly [Int32Array, Int32Array] {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return [
    Int32Array.from(primes, (p) => fraction(BigInt(p), 3n)),
    Int32Array.from(primes.slice(0, 8), (p) => fraction(BigInt(p), 2n)),
  ];
}

/** Exactly: the whole root of p * 2^(32 * power), whose last 32 bits they are. */
function fraction(p: bigint, power: bigint): number {
  const target = p << (32n * power);
  let [low, high] = [0n, 1n << 40n];
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** power <= target) low = middle;
    else high = middle - 1n;
  }
  return Number(BigInt.asIntN(32, low));
}

const W = new Int32Array(64);

class Hash implements native.Sha256 {
  readonly #state = INITIAL.slice();
  readonly #block = new Uint8Array(BLOCK);
  #held = 0;
  #length = 0;

  update(data: Data): Hash {
    const bytes = typeof data === 'string' ? encoded(data) : data;
    this.#length += bytes.length;
    let at = 0;
    if (this.#held > 0) {
      at = Math.min(BLOCK - this.#held, bytes.length);
      this.#block.set(bytes.subarray(0, at), this.#held);
      this.#held += at;
      if (this.#held < BLOCK) return this;
      compress(this.#state, this.#block, 0);
      this.#held = 0;
    }
    for (; at + BLOCK <= bytes.length; at += BLOCK) compress(this.#state, bytes, at);
    this.#block.set(bytes.subarray(at));
    this.#held = bytes.length - at;
    return this;
  }

  bytes(): WebBuffer {
    const block = this.#block;
    const bits = this.#length * 8;
    block.fill(0, this.#held);
    block[this.#held] = 0x80;
    if (this.#held >= BLOCK - 8) {
      compress(this.#state, block, 0);
      block.fill(0);
    }
    const view = new DataView(block.buffer);
    view.setUint32(BLOCK - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(BLOCK - 4, bits % 2 ** 32);
    compress(this.#state, block, 0);
    const digest = new WebBuffer(32);
    const out = new DataView(digest.buffer);
    for (let i = 0; i < 8; i++) out.setInt32(i * 4, this.#state[i] ?? 0);
    return digest;
  }

  digest(encoding: 'hex' | 'base64url'): string {
    return this.bytes().toString(encoding);
  }
}

let scratch = new Uint8Array(64 * 1024);

/** Until the next call. */
function encoded(text: string): Uint8Array {
  if (text.length * 3 > scratch.length) scratch = new Uint8Array(text.length * 3);
  const { written } = encoder.encodeInto(text, scratch);
  return scratch.subarray(0, written);
}

function compress(state: Int32Array, bytes: Uint8Array, from: number): void {
  for (let i = 0, at = from; i < 16; i++, at += 4)
    W[i] = (byte(bytes, at) << 24) | (byte(bytes, at + 1) << 16) | (byte(bytes, at + 2) << 8) | byte(bytes, at + 3);
  for (let i = 16; i < 64; i++) {
    const [a, b] = [word(W, i - 15), word(W, i - 2)];
    const s0 = ((a >>> 7) | (a << 25)) ^ ((a >>> 18) | (a << 14)) ^ (a >>> 3);
    const s1 = ((b >>> 17) | (b << 15)) ^ ((b >>> 19) | (b << 13)) ^ (b >>> 10);
    W[i] = (word(W, i - 16) + s0 + word(W, i - 7) + s1) | 0;
  }
  let a = word(state, 0);
  let b = word(state, 1);
  let c = word(state, 2);
  let d = word(state, 3);
  let e = word(state, 4);
  let f = word(state, 5);
  let g = word(state, 6);
  let h = word(state, 7);
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + word(K, i) + word(W, i)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = (word(state, 0) + a) | 0;
  state[1] = (word(state, 1) + b) | 0;
  state[2] = (word(state, 2) + c) | 0;
  state[3] = (word(state, 3) + d) | 0;
  state[4] = (word(state, 4) + e) | 0;
  state[5] = (word(state, 5) + f) | 0;
  state[6] = (word(state, 6) + g) | 0;
  state[7] = (word(state, 7) + h) | 0;
}

/** Always there; the type does not know. */
function word(words: Int32Array, at: number): number {
  return words[at] as number;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

export function sha256(data: Data, encoding: 'hex' | 'base64url' | 'binary'): string {
  return sha256Bytes(data).toString(encoding === 'binary' ? 'latin1' : encoding);
}

export function sha256Bytes(data: Data): WebBuffer {
  return new Hash().update(data).bytes();
}

export function newSha256(): native.Sha256 {
  return new Hash();
}
