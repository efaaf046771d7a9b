/**
 * A long line as it goes by: the payload is kept, of each disclosure no more than its name and its digest. A statement of
 * 32 million characters is checked in the memory of a short one.
 *
 * What lives here: where in the line the reader is. What it must not know: objects, chains, what is disclosed.
 */
import { newSha256, type Sha256 } from '../sha256.js';
import { DisclosureScanner } from '../transcript/disclosure-scanner.js';
import { LONGEST_PAYLOAD, type PassedDisclosure } from '../transcript/line.js';
import { unusable } from './unpacked.js';

const TAB = 0x09;

export class LongLine {
  readonly #payload: Buffer[] = [];
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #passed: PassedDisclosure[] = [];
  #length = 0;
  #hash: Sha256 | undefined;
  #scanner = new DisclosureScanner();

  add(bytes: Buffer): void {
    let from = 0;
    for (let tab = bytes.indexOf(TAB); tab >= 0; tab = bytes.indexOf(TAB, from)) {
      this.#take(bytes.subarray(from, tab));
      this.#endPart();
      from = tab + 1;
    }
    this.#take(bytes.subarray(from));
  }

  end(): { readonly line: string; readonly passed: readonly PassedDisclosure[] } {
    this.#endPart();
    return { line: this.#decode(Buffer.concat(this.#payload), false), passed: this.#passed };
  }

  #take(bytes: Buffer): void {
    if (this.#hash === undefined) {
      this.#payload.push(bytes);
      this.#length += bytes.length;
      if (this.#length > LONGEST_PAYLOAD) throw unusable('an entry in it is longer than any that dbguard writes');
      return;
    }
    this.#hash.update(bytes);
    this.#scanner.add(this.#decode(bytes, true));
  }

  /** Behind the payload, or behind a disclosure. */
  #endPart(): void {
    if (this.#hash !== undefined) {
      this.#scanner.add(this.#decode(Buffer.alloc(0), false));
      if (this.#passed.length >= MOST) throw unusable('a line in it discloses more than any that dbguard writes');
      this.#passed.push({ ...this.#scanner.end(), digest: this.#hash.digest('base64url') });
      this.#scanner = new DisclosureScanner();
    }
    this.#hash = newSha256();
  }

  #decode(bytes: Buffer, stream: boolean): string {
    try {
      return this.#decoder.decode(bytes, { stream });
    } catch (error) {
      throw unusable('it is not UTF-8', error);
    }
  }
}

/** Disclosures of one entry that are remembered; writers make two. */
const MOST = 10_000;
