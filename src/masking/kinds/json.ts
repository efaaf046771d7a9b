/**
 * JSON with some of its values as null. What passes keeps every byte: numbers of any size, order, blanks, repeated keys.
 * One pass over the bytes, no tree, no strings.
 */
import { isUtf8 } from 'node:buffer';
import type { JsonPath } from '../../policy/json-path.js';
import type { Step } from '../../sql/lineage/places.js';
import { copyWords, LastView, viewOf } from '../copy-bytes.js';
import type { CellMask } from './cell.js';
import { type Place, placeTable } from './json-place-table.js';
import { JsonPlaces } from './json-places.js';

/** PostgreSQL's own parser allows more; a deeper value is NULL as a whole. */
const maxDepth = 500;

/** The byte in front of jsonb's text in its binary form (jsonb_send). `perhaps`: the value itself tells. */
export type JsonVersion = 'none' | 'needed' | 'perhaps';
const jsonbVersion = 1;

/**
 * A mask of JSON, or of the text of one of its strings.
 *
 * @param from the steps that lead to the text in the whole value; a text without quotes may stand there too
 */
export function jsonMask(
  paths: readonly JsonPath[],
  listed: 'hidden' | 'shown',
  version: JsonVersion,
  from: readonly Step[] = [],
): CellMask {
  const rewriter = new Rewriter(paths, listed, from);
  return {
    growth: 0,
    // `null` in the place of values of one letter
    growthOf: (_from, start, end) => (end - start) * 2 + 8,
    write(bytes, start, end, to, at) {
      const hasVersion = version !== 'none' && bytes[start] === jsonbVersion;
      if (version === 'needed' && !hasVersion) return -1;
      return rewriter.write(bytes, start, hasVersion ? start + 1 : start, end, to, at);
    },
  };
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openObject, closeObject, openArray, closeArray] = [0x7b, 0x7d, 0x5b, 0x5d];
/** What numbers and words are made of. */
const plain = new Uint8Array(256);
for (const byte of Buffer.from('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-.', 'latin1'))
  plain[byte] = 1;
const unicode = 0x75;
const oneLetter = Buffer.from('"\\/bfnrt', 'latin1');
const nothing = Buffer.alloc(0);
const nullView = viewOf(Buffer.from('null', 'latin1'));

class Rewriter {
  readonly #root: Place;
  readonly #hides: boolean;
  /** The text is a part of the whole. */
  readonly #isPart: boolean;
  readonly #source = new LastView();
  readonly #target = new LastView();
  #from: Buffer = nothing;
  #fromView = nullView;
  #end = 0;
  #toView = nullView;
  #write = 0;
  /** What stands from here to where it is read passes. */
  #passing = 0;
  #depth = 0;
  /** Every byte that was read, one over the other. */
  #seen = 0;
  #escaped = false;

  constructor(paths: readonly JsonPath[], listed: 'hidden' | 'shown', from: readonly Step[]) {
    const start = new JsonPlaces(paths.map(({ steps }) => steps));
    const places = from.reduce((at, step) => (at.isListed ? at : at.along(step)), start);
    this.#root = placeTable(paths)(places);
    this.#hides = listed === 'hidden';
    this.#isPart = from.length > 0;
  }

  /** As CellMask's; the text begins at `text`, what stands before passes. */
  write(from: Buffer, start: number, text: number, end: number, to: Buffer, at: number): number {
    this.#from = from;
    this.#fromView = this.#source.of(from);
    this.#end = end;
    this.#toView = this.#target.of(to);
    this.#write = at;
    this.#passing = start;
    this.#depth = 0;
    this.#seen = 0;
    try {
      const isShown = this.#run(text);
      const isText = this.#seen < 0x80 || isUtf8(from.subarray(text, end));
      return isShown && isText ? copyWords(this.#fromView, this.#passing, end, this.#toView, this.#write) - at : -1;
    } catch (error) {
      if (error instanceof SyntaxError) return -1;
      throw error;
    } finally {
      this.#from = nothing;
    }
  }

  /** False: nothing of it is left. */
  #run(start: number): boolean {
    let at = this.#blanks(start);
    const place = this.#root;
    if (this.#isPart) {
      const first = this.#from[at];
      const leadsOn = at < this.#end && (first === openObject || first === openArray) && place.leadsOn;
      if (place.isListed || !leadsOn) {
        this.#seen = 0x80;
        return place.isListed !== this.#hides;
      }
    }
    at = this.#blanks(this.#value(at, place));
    if (at < this.#end) throw new SyntaxError('more than one value');
    return true;
  }

  /** Each takes where something begins, and returns where it ends. */
  #value(at: number, place: Place): number {
    if (place.isListed) return this.#hides ? this.#hide(at) : this.#skip(at);
    const first = this.#from[at];
    if (place.leadsOn && (first === openObject || first === openArray)) return this.#container(at, place);
    return this.#hides ? this.#skip(at) : this.#hide(at);
  }

  #hide(at: number): number {
    this.#write = copyWords(this.#fromView, this.#passing, at, this.#toView, this.#write);
    this.#write = copyWords(nullView, 0, nullView.byteLength, this.#toView, this.#write);
    this.#passing = this.#skip(at);
    return this.#passing;
  }

  #skip(start: number): number {
    const from = this.#from;
    const first = from[start];
    if (first === openObject || first === openArray) return this.#container(start, undefined);
    if (first === quote) return this.#string(start);
    let at = start;
    while (at < this.#end && plain[from[at] as number] === 1) at++;
    if (at === start) throw new SyntaxError('a value is missing');
    return at;
  }

  /** @param place undefined: everything in it is skipped */
  #container(start: number, place: Place | undefined): number {
    if (++this.#depth > maxDepth) throw new SyntaxError('too deep');
    const isObject = this.#from[start] === openObject;
    const close = isObject ? closeObject : closeArray;
    let at = this.#blanks(start + 1);
    for (let first = true; this.#byte(at) !== close; first = false) {
      if (!first) at = this.#blanks(this.#expect(at, comma));
      let inside = place;
      if (isObject) {
        const key = at;
        at = this.#string(key);
        if (place !== undefined)
          inside = this.#escaped ? this.#escapedKey(place, key, at) : place.under(this.#from, key + 1, at - 1);
        at = this.#blanks(this.#expect(this.#blanks(at), colon));
      }
      at = this.#blanks(inside === undefined ? this.#skip(at) : this.#value(at, inside));
    }
    this.#depth--;
    return at + 1;
  }

  #escapedKey(place: Place, start: number, end: number): Place {
    const key = Buffer.from(JSON.parse(this.#from.toString('utf8', start, end)) as string, 'utf8');
    return place.under(key, 0, key.length);
  }

  #string(start: number): number {
    const from = this.#from;
    const end = this.#end;
    if (this.#byte(start) !== quote) throw new SyntaxError('a text is missing');
    let at = start + 1;
    let seen = 0;
    let low = 0;
    let escaped = false;
    for (; at < end; at++) {
      const byte = from[at] as number;
      if (byte === quote) break;
      if (byte === backslash) {
        escaped = true;
        at += this.#escape(at + 1);
      }
      seen |= byte;
      low |= byte - 0x20;
    }
    if (at >= end) throw new SyntaxError('a text without end');
    if (low < 0) throw new SyntaxError('a control character in a text');
    this.#seen |= seen;
    this.#escaped = escaped;
    return at + 1;
  }

  /** How many bytes it has, without the backslash. */
  #escape(at: number): number {
    const letter = this.#byte(at);
    if (letter !== unicode) {
      if (!oneLetter.includes(letter)) throw new SyntaxError('an escape that is none');
      return 1;
    }
    if (at + 5 > this.#end || !/^[0-9a-f]{4}$/i.test(this.#from.toString('latin1', at + 1, at + 5)))
      throw new SyntaxError('an escape that is none');
    return 5;
  }

  /** 0 behind the end. */
  #byte(at: number): number {
    return at < this.#end ? (this.#from[at] as number) : 0;
  }

  #expect(at: number, byte: number): number {
    if (this.#byte(at) !== byte) throw new SyntaxError(`"${String.fromCharCode(byte)}" is missing`);
    return at + 1;
  }

  #blanks(start: number): number {
    const from = this.#from;
    let at = start;
    for (; at < this.#end; at++) {
      const byte = from[at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    }
    return at;
  }
}
