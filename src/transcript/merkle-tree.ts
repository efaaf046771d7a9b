/**
 * The running root of an RFC 6962 Merkle tree, in O(log n) memory.
 *
 * Leaves are the lines' own SHA-256 (of their pre-authentication encodings), without another hash around them: what
 * separates leaves from nodes is the encoding's "DSSEv1" in the place of RFC 6962's 0x00, against 0x01 for nodes.
 */
import { sha256 } from '../sha256.js';

export class MerkleTree {
  #size = 0;
  /** Roots of complete subtrees, largest first, 32 bytes each as latin1: the binary digits of `#size`. */
  readonly #subtrees: string[] = [];
  readonly #node = Buffer.alloc(65, 1);

  get size(): number {
    return this.#size;
  }

  /** @param leaf SHA-256 as base64url */
  add(leaf: string): void {
    let root = Buffer.from(leaf, 'base64url').toString('latin1');
    for (let rest = this.#size; rest & 1; rest = Math.floor(rest / 2))
      root = this.#join(this.#subtrees.pop() ?? '', root);
    this.#subtrees.push(root);
    this.#size++;
  }

  /** Base64url; of the empty tree SHA-256 of nothing (RFC 6962 section 2.1). */
  root(): string {
    const last = this.#subtrees.at(-1);
    if (last === undefined) return sha256('', 'base64url');
    let root = last;
    for (let i = this.#subtrees.length - 2; i >= 0; i--) root = this.#join(this.#subtrees[i] ?? '', root);
    return Buffer.from(root, 'latin1').toString('base64url');
  }

  #join(left: string, right: string): string {
    this.#node.write(left, 1, 'latin1');
    this.#node.write(right, 33, 'latin1');
    return sha256(this.#node, 'binary');
  }
}
