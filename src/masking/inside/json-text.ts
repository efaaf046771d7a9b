/**
 * JSON with masked parts, everything else byte for byte as it was: numbers, spaces, the order of keys and their
 * repetitions. Must not know lineage, nor why a part is masked.
 *
 * What does not have the form that was expected is given up as a whole: a key that nobody knows of, an array in the
 * place of an object, text that is not JSON. `null` has every form.
 * Source: RFC 8259; jsonb_send (jsonb.c) puts a version byte in front of the same text.
 */
import { isUtf8 } from 'node:buffer';

/** What becomes of a value: undefined where it passes. */
export type JsonRule =
  /** Takes a token or a nested value as it stands; gives JSON. */
  | { readonly is: 'value'; readonly masked: (token: string) => string }
  /** `others`: of keys that are not listed; without it there can be none. */
  | {
      readonly is: 'object';
      readonly entries: ReadonlyMap<string, JsonRule | undefined>;
      readonly others?: { readonly rule: JsonRule | undefined };
    }
  | {
      readonly is: 'list';
      readonly places: readonly (JsonRule | undefined)[];
      readonly rest?: { readonly rule: JsonRule | undefined };
    };

const version = Buffer.from([1]);

/** Text or binary form; undefined for what does not have the form of the rule. */
export function maskJson(value: Buffer, rule: JsonRule): Buffer | undefined {
  if (value[0] !== version[0]) return new JsonText(value).masked(rule);
  const masked = new JsonText(value.subarray(1)).masked(rule);
  return masked && Buffer.concat([version, masked]);
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openObject = 0x7b;
const closeObject = 0x7d;
const openList = 0x5b;
const closeList = 0x5d;
const null4 = 0x6c6c756e;

class Unexpected extends Error {}

class JsonText {
  readonly #bytes: Buffer;
  readonly #out: Buffer[] = [];
  #at = 0;
  /** Up to here everything is in `out`. */
  #passed = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  masked(rule: JsonRule): Buffer | undefined {
    try {
      this.#space();
      this.#value(rule);
      this.#space();
      if (this.#at !== this.#bytes.length) return undefined;
    } catch (error) {
      if (error instanceof Unexpected || error instanceof RangeError) return undefined;
      throw error;
    }
    this.#out.push(this.#bytes.subarray(this.#passed));
    return Buffer.concat(this.#out);
  }

  #value(rule: JsonRule | undefined): void {
    const start = this.#at;
    if (rule === undefined || this.#isNull()) {
      this.#skip();
      return;
    }
    switch (rule.is) {
      case 'object':
        this.#object(rule);
        return;
      case 'list':
        this.#list(rule);
        return;
      case 'value': {
        this.#skip();
        const token = this.#bytes.subarray(start, this.#at);
        // in another encoding nobody knows where a character ends
        const masked = isUtf8(token) ? rule.masked(token.toString('utf8')) : 'null';
        this.#out.push(this.#bytes.subarray(this.#passed, start), Buffer.from(masked, 'utf8'));
        this.#passed = this.#at;
      }
    }
  }

  #object({ entries, others }: Extract<JsonRule, { is: 'object' }>): void {
    this.#expect(openObject);
    this.#space();
    if (this.#took(closeObject)) return;
    do {
      this.#space();
      const start = this.#at;
      if (this.#bytes[start] !== quote) throw new Unexpected();
      this.#skipString();
      const key = stringOf(this.#bytes.toString('utf8', start, this.#at));
      this.#space();
      this.#expect(colon);
      this.#space();
      if (!entries.has(key) && others === undefined) throw new Unexpected();
      this.#value(entries.has(key) ? entries.get(key) : others?.rule);
      this.#space();
    } while (this.#took(comma));
    this.#expect(closeObject);
  }

  #list({ places, rest }: Extract<JsonRule, { is: 'list' }>): void {
    this.#expect(openList);
    this.#space();
    if (this.#took(closeList)) return;
    let index = 0;
    do {
      this.#space();
      if (index >= places.length && rest === undefined) throw new Unexpected();
      this.#value(index < places.length ? places[index] : rest?.rule);
      index++;
      this.#space();
    } while (this.#took(comma));
    this.#expect(closeList);
  }

  #isNull(): boolean {
    return this.#at + 4 <= this.#bytes.length && this.#bytes.readUInt32LE(this.#at) === null4;
  }

  /** Any one value. */
  #skip(): void {
    let depth = 0;
    do {
      this.#space();
      const byte = this.#bytes[this.#at];
      if (byte === quote) this.#skipString();
      else if (byte === openObject || byte === openList) {
        depth++;
        this.#at++;
      } else if (byte === closeObject || byte === closeList) {
        depth--;
        this.#at++;
        if (depth < 0) throw new Unexpected();
      } else if (depth > 0 && (byte === comma || byte === colon)) this.#at++;
      else this.#skipWord();
    } while (depth > 0);
  }

  #skipString(): void {
    for (this.#at++; this.#at < this.#bytes.length; this.#at++) {
      const byte = this.#bytes[this.#at];
      if (byte === backslash) this.#at++;
      else if (byte === quote) {
        this.#at++;
        return;
      }
    }
    throw new Unexpected();
  }

  /** A number, or one of the three names. */
  #skipWord(): void {
    const start = this.#at;
    while (isWord(this.#bytes[this.#at])) this.#at++;
    if (this.#at === start) throw new Unexpected();
  }

  #space(): void {
    for (let byte = this.#bytes[this.#at]; byte === 0x20 || (byte !== undefined && byte >= 9 && byte <= 13); ) {
      byte = this.#bytes[++this.#at];
    }
  }

  #took(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #expect(byte: number): void {
    if (!this.#took(byte)) throw new Unexpected();
  }
}

/** Letters, digits, `+`, `-` and `.`. */
function isWord(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  if ((byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x7a)) return true;
  return byte === 0x2b || byte === 0x2d || byte === 0x2e;
}

function stringOf(token: string): string {
  try {
    return JSON.parse(token) as string;
  } catch {
    throw new Unexpected();
  }
}
