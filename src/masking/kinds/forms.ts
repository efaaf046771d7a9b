/**
 * Values that are replaced by others of the same form, so that what reads them goes on working. Which one is keyed:
 * equal values stay equal. None of them can be a real one of somebody else's. On bytes, since there are many of them.
 */
import { isUtf8 } from 'node:buffer';
import { copyBytes } from '../copy-bytes.js';
import type { CellMask } from './cell.js';
import { type Hashed, keyedMask, writeHex } from './keyed-mask.js';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const userName = latin1('user-');
/** RFC 2606: nobody can have this domain. */
const nobodysDomain = latin1('masked.invalid');
/** Bytes of the hash in it. */
const userBytes = 8;
const at_ = 0x40;

export function emailMask(keep: 'nothing' | 'domain', key: Buffer): CellMask {
  return keyedMask(key, 'email', {
    // the longest of a value without a domain; of others it is 22 bytes at most
    growth: userName.length + 2 * userBytes + 1 + nobodysDomain.length,
    add: (batch, from, start, end) => (batch.add(from, start, end) || isUtf8(from.subarray(start, end)) ? 0 : -1),
    write(hashed, from, start, end, to, at) {
      let write = copyBytes(userName, 0, userName.length, to, at);
      write = writeHex(hashed, userBytes, write);
      to[write++] = at_;
      const domain = keep === 'domain' ? domainAt(from, start, end) : end;
      if (domain < end) return copyBytes(from, domain, end, to, write) - at;
      return copyBytes(nobodysDomain, 0, nobodysDomain.length, to, write) - at;
    },
  });
}

const longestDomain = 253;

/** Behind the last @ that is not the first character; `end` where no domain name follows. */
function domainAt(from: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && from[at - 1] !== at_ && isDomainByte(from[at - 1] as number)) at--;
  if (at <= start + 1 || from[at - 1] !== at_ || end - at > longestDomain || at === end) return end;
  return isDomainEnd(from[at] as number) && isDomainEnd(from[end - 1] as number) ? at : end;
}

function isDomainEnd(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || isDigit(byte) || (byte >= 0x41 && byte <= 0x5a);
}

const isDomainByte = (byte: number): boolean => isDomainEnd(byte) || byte === 0x2d || byte === 0x2e;
const isDigit = (byte: number): boolean => byte >= zero && byte <= zero + 9;
const zero = 0x30;

/** ISO/IEC 7812: 9 is for national standards bodies, no network of cards begins with it. */
const nobodysIssuer = 9;
const [shortestCard, longestCard] = [12, 19];

/** A number that passes Luhn's check and belongs to no card. What is no card number is NULL. */
export function cardMask(keep: number, key: Buffer): CellMask {
  return digitsMask(key, 'card', keep, {
    between: latin1(' .-'),
    longest: longestCard,
    isForm: (_from, _start, _end, digits) => digits >= shortestCard,
    replace(_from, _start, count, masked) {
      masked[0] = nobodysIssuer;
      repair(masked, count, count - keep - 1);
    },
  });
}

/** Of 2d; a bijection of the ten digits. */
const doubledDigits = Uint8Array.of(0, 2, 4, 6, 8, 1, 3, 5, 7, 9);
const halvedDigits = Uint8Array.of(0, 5, 1, 6, 2, 7, 3, 8, 4, 9);

/** Sets the digit at `place` so that the number passes Luhn's check (ISO/IEC 7812-1, annex B). */
function repair(digits: Uint8Array, count: number, place: number): void {
  digits[place] = 0;
  let sum = 0;
  for (let at = count - 1; at >= 0; at -= 2) sum += digits[at] as number;
  for (let at = count - 2; at >= 0; at -= 2) sum += doubledDigits[digits[at] as number] as number;
  const wanted = (10 - (sum % 10)) % 10;
  digits[place] = (count - place) % 2 === 0 ? (halvedDigits[wanted] as number) : wanted;
}

const plus = 0x2b;
/** ITU-T E.164: no country has this code. */
const nobodysCountry = 9;
const countryLength = 3;
const [shortestPhone, longestPhone, longestWritten] = [6, 20, 40];

/** What holds other characters than digits and what stands between them is NULL. */
export function phoneMask(keep: number, key: Buffer): CellMask {
  return digitsMask(key, 'phone', keep, {
    between: latin1(' ()./-'),
    longest: longestPhone,
    isForm: (from, start, end, digits) =>
      digits >= shortestPhone && end - start <= longestWritten + (from[start] === plus ? 1 : 0),
    first: plus,
    replace(from, start, _count, masked) {
      if (from[start] === plus) masked.fill(nobodysCountry, 0, countryLength);
      else if (from[firstDigit(from, start)] === zero) masked[0] = 0;
    },
  });
}

/** Of a text that has one. */
function firstDigit(from: Buffer, start: number): number {
  let at = start;
  while (!isDigit(from[at] as number)) at++;
  return at;
}

interface DigitsForm {
  /** What may stand between the digits. */
  readonly between: Buffer;
  readonly longest: number;
  /** May stand before all of them. */
  readonly first?: number;
  isForm(from: Buffer, start: number, end: number, digits: number): boolean;
  /** Puts what has to be there into the hashed digits, the last of which stay already. */
  replace(from: Buffer, start: number, count: number, masked: Uint8Array): void;
}

/** More than any digit is. */
const noDigit = 10;
const between = 10;
const other = 11;

/** Digits in the place of digits; what stands between them stays. A value that would stay as it is is NULL. */
function digitsMask(key: Buffer, use: string, keep: number, form: DigitsForm): CellMask {
  /** The digit that a byte stands for, or what else it is. */
  const classes = new Uint8Array(256).fill(other);
  for (const byte of form.between) classes[byte] = between;
  for (let digit = 0; digit < 10; digit++) classes[zero + digit] = digit;
  const digits = new Uint8Array(form.longest);
  const masked = new Uint8Array(form.longest + 4);
  return keyedMask(key, use, {
    growth: 0,
    add(batch, from, start, end) {
      let count = 0;
      for (let at = from[start] === form.first ? start + 1 : start; at < end; at++) {
        const digit = classes[from[at] as number] as number;
        if (digit < noDigit) {
          if (count === form.longest) return -1;
          digits[count++] = digit;
        } else if (digit === other) return -1;
      }
      if (!form.isForm(from, start, end, count)) return -1;
      batch.add(digits, 0, count);
      return count;
    },
    write(hashed, from, start, end, to, at) {
      const count = hashed.note;
      hashedDigits(hashed, count, masked);
      for (let read = end - 1, left = keep; left > 0; read--) {
        const digit = classes[from[read] as number] as number;
        if (digit < noDigit) masked[count - 1 - (keep - left--)] = digit;
      }
      form.replace(from, start, count, masked);
      let same = true;
      let digit = 0;
      for (let read = start, write = at; read < end; read++, write++) {
        let byte = from[read] as number;
        if ((classes[byte] as number) < noDigit) {
          const shown = zero + (masked[digit++] as number);
          if (shown !== byte) same = false;
          byte = shown;
        }
        to[write] = byte;
      }
      return same ? -1 : end - start;
    },
  });
}

/** The three digits of each number below a thousand, the last one in the lowest four bits. */
const threeDigits = Uint16Array.from({ length: 1000 }, (_, n) => Number.parseInt(String(n), 16));

/** Five out of each word of the tag, the last decimals first: of 2^32 values ten to the fifth are nearly alike. */
function hashedDigits({ tags, tag }: Hashed, count: number, to: Uint8Array): void {
  for (let at = 0, read = tag; at < count; at += 5, read += 4) {
    const word = tags.getUint32(read);
    const five = (word - Math.floor(word / 100_000) * 100_000) | 0;
    const thousands = (five / 1000) | 0;
    const last = threeDigits[five - thousands * 1000] as number;
    const first = threeDigits[thousands] as number;
    to[at] = last & 15;
    to[at + 1] = (last >> 4) & 15;
    to[at + 2] = last >> 8;
    to[at + 3] = first & 15;
    to[at + 4] = first >> 4;
  }
}
