/**
 * Values that are replaced by others of the same form, so that what reads them goes on working. Which one is keyed:
 * equal values stay equal. None of them can be a real one of somebody else's.
 */
import { luhnSum } from '../detectors/checksums.js';
import { hmacWith, type MaskText } from './cell.js';

/** RFC 2606: nobody can have this domain. */
const nobodysDomain = 'masked.invalid';
const domainName = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
export const emailGrowth = 48;

export function emailMask(keep: 'nothing' | 'domain', key: Buffer): MaskText {
  const hmac = hmacWith(key);
  return (text) => {
    const at = text.lastIndexOf('@');
    const domain = at > 0 ? text.slice(at + 1) : '';
    const shown = keep === 'domain' && domainName.test(domain) ? domain : nobodysDomain;
    return `user-${hmac(Buffer.from(text)).toString('hex', 0, 8)}@${shown}`;
  };
}

/** ISO/IEC 7812: 9 is for national standards bodies, no network of cards begins with it. */
const nobodysIssuer = '9';

/** A number that passes Luhn's check and belongs to no card. What is no card number is NULL. */
export function cardMask(keep: number, key: Buffer): MaskText {
  const hmac = hmacWith(key);
  return (text) => {
    const digits = text.replace(/[ .-]/g, '');
    if (!/^\d{12,19}$/.test(digits)) return undefined;
    const masked = [...nobodysIssuer, ...hashedDigits(hmac, digits).slice(1, digits.length - keep)];
    const all = [...masked, ...digits.slice(digits.length - keep)].map(Number);
    repair(all, digits.length - keep - 1);
    const card = all.join('');
    return card === digits ? undefined : replaced(text, card);
  };
}

/** Sets the digit at `place` so that the number passes Luhn's check. */
function repair(digits: number[], place: number): void {
  digits[place] = 0;
  while (luhnSum(digits) % 10 !== 0) digits[place] = (digits[place] ?? 0) + 1;
}

/** ITU-T E.164: no country has this code. */
const nobodysCountry = '999';

/** What holds other characters than digits and what stands between them is NULL. */
export function phoneMask(keep: number, key: Buffer): MaskText {
  const hmac = hmacWith(key);
  return (text) => {
    const digits = text.replace(/\D/g, '');
    if (!/^\+?[\d ()./-]{1,40}$/.test(text) || digits.length < 6 || digits.length > 20) return undefined;
    const prefix = text.startsWith('+') ? nobodysCountry : digits.startsWith('0') ? '0' : '';
    const hashed = hashedDigits(hmac, digits)
      .slice(0, digits.length - keep)
      .join('');
    const masked = prefix + hashed.slice(prefix.length) + digits.slice(digits.length - keep);
    return masked === digits ? undefined : replaced(text, masked);
  };
}

/** At most 20; a byte has 250 values for ten digits, then the next one is taken. */
function hashedDigits(hmac: (value: Uint8Array) => Buffer, digits: string): string[] {
  const found: string[] = [];
  for (let round = 0; found.length < digits.length; round++) {
    for (const byte of hmac(Buffer.from(`${round}:${digits}`))) if (byte < 250) found.push(String(byte % 10));
  }
  return found.slice(0, digits.length);
}

/** Digits in the place of digits; what stands between them stays. */
function replaced(text: string, digits: string): string {
  let at = 0;
  return text.replace(/\d/g, () => digits[at++] ?? '0');
}
