/**
 * Values that are replaced by others of the same form, so that what reads them goes on working. Which one is keyed:
 * equal values stay equal. None of them can be a real one of somebody else's. On bytes, since there are many of them.
 */
import { isUtf8 } from 'node:buffer';
import { copyBytes } from '../copy-bytes.js';
import type { CellMask } from './cell.js';
import { word } from './hash.js';
import { keyedMask, writeHex } from './keyed-mask.js';

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
    add: (batch, from, start, end) => batch.add(from, start, end) || isUtf8(from.subarray(start, end)),
    write(tags, tag, from, start, end, to, at) {
      let write = copyBytes(userName, 0, userName.length, to, at);
      write = writeHex(tags, tag, tag + userBytes, to, write);
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
  return digitsMask(key, 'card', {
    between: latin1(' .-'),
    longest: longestCard,
    isForm: (_from, _start, _end, digits) => digits >= shortestCard,
    replace(_from, _start, digits, count, masked) {
      masked[0] = nobodysIssuer;
      for (let at = count - keep; at < count; at++) masked[at] = digits[at] as number;
      repair(masked, count, count - keep - 1);
    },
  });
}

/** Sets the digit at `place` so that the number passes Luhn's check (ISO/IEC 7812-1, annex B). */
function repair(digits: Uint8Array, count: number, place: number): void {
  digits[place] = 0;
  let sum = 0;
  for (let at = 0; at < count; at++) {
    const digit = digits[at] as number;
    sum += (count - at) % 2 === 0 ? doubledDigit(digit) : digit;
  }
  const wanted = (10 - (sum % 10)) % 10;
  const isDoubled = (count - place) % 2 === 0;
  for (let digit = 0; digit < 10; digit++)
    if ((isDoubled ? doubledDigit(digit) : digit) === wanted) digits[place] = digit;
}

/** Of 2d; a bijection of the ten digits. */
const doubledDigit = (digit: number): number => (digit > 4 ? digit * 2 - 9 : digit * 2);

const plus = 0x2b;
/** ITU-T E.164: no country has this code. */
const nobodysCountry = 9;
const countryLength = 3;
const [shortestPhone, longestPhone, longestWritten] = [6, 20, 40];

/** What holds other characters than digits and what stands between them is NULL. */
export function phoneMask(keep: number, key: Buffer): CellMask {
  return digitsMask(key, 'phone', {
    between: latin1(' ()./-'),
    longest: longestPhone,
    isForm: (from, start, end, digits) =>
      digits >= shortestPhone && end - start <= longestWritten + (from[start] === plus ? 1 : 0),
    first: plus,
    replace(from, start, digits, count, masked) {
      for (let at = count - keep; at < count; at++) masked[at] = digits[at] as number;
      if (from[start] === plus) masked.fill(nobodysCountry, 0, countryLength);
      else if (digits[0] === 0) masked[0] = 0;
    },
  });
}

interface DigitsForm {
  /** What may stand between the digits. */
  readonly between: Buffer;
  readonly longest: number;
  /** May stand before all of them. */
  readonly first?: number;
  isForm(from: Buffer, start: number, end: number, digits: number): boolean;
  /** Puts what stays, or has to be there, into the hashed digits. */
  replace(from: Buffer, start: number, digits: Uint8Array, count: number, masked: Uint8Array): void;
}

/** Digits in the place of digits; what stands between them stays. A value that would stay as it is is NULL. */
function digitsMask(key: Buffer, use: string, form: DigitsForm): CellMask {
  const allowed = new Uint8Array(256);
  for (const byte of form.between) allowed[byte] = 1;
  const digits = new Uint8Array(form.longest);
  const masked = new Uint8Array(20);
  /** Fills `digits`; how many there are, or -1. */
  const read = (from: Buffer, start: number, end: number): number => {
    let count = 0;
    for (let at = from[start] === form.first ? start + 1 : start; at < end; at++) {
      const byte = from[at] as number;
      if (isDigit(byte)) {
        if (count === form.longest) return -1;
        digits[count++] = byte - zero;
      } else if (allowed[byte] === 0) return -1;
    }
    return form.isForm(from, start, end, count) ? count : -1;
  };
  return keyedMask(key, use, {
    growth: 0,
    add(batch, from, start, end) {
      const count = read(from, start, end);
      if (count >= 0) batch.add(digits, 0, count);
      return count >= 0;
    },
    write(tags, tag, from, start, end, to, at) {
      const count = read(from, start, end);
      hashedDigits(tags, tag, masked);
      form.replace(from, start, digits, count, masked);
      let same = true;
      for (let n = 0; n < count; n++) if (masked[n] !== digits[n]) same = false;
      if (same) return -1;
      let digit = 0;
      for (let read = start, write = at; read < end; read++, write++) {
        const byte = from[read] as number;
        to[write] = isDigit(byte) ? zero + (masked[digit++] as number) : byte;
      }
      return end - start;
    },
  });
}

/** Five out of each word of the tag: of 2^32 values ten to the fifth are nearly alike. */
function hashedDigits(tags: Uint8Array, tag: number, to: Uint8Array): void {
  for (let n = 0; n < 4; n++) {
    let rest = word(tags, tag + n * 4);
    for (let digit = 0; digit < 5; digit++) {
      to[n * 5 + digit] = rest % 10;
      rest = Math.floor(rest / 10);
    }
  }
}
