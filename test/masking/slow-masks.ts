/**
 * What each kind of mask means, value by value and as plainly as it can be said: strings, regular expressions, one call of
 * node:crypto for each block. What runs is held to it. `undefined` is NULL.
 */

import { isUtf8 } from 'node:buffer';
import { createCipheriv, hkdfSync } from 'node:crypto';
import { luhnSum } from '../../src/masking/detectors/checksums.js';
import type { Mask } from '../../src/policy/mask-kinds.js';

/** AES-CMAC as RFC 4493 says it. */
export function cmac(key: Buffer, message: Uint8Array): Buffer {
  const cbc = (blocks: Uint8Array): Buffer => {
    const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.alloc(16)).setAutoPadding(false);
    return Buffer.concat([cipher.update(blocks), cipher.final()]).subarray(-16);
  };
  const twice = (block: Buffer): Buffer => {
    const out = Buffer.from(block.map((byte, at) => ((byte << 1) | ((block[at + 1] ?? 0) >> 7)) & 0xff));
    if ((block[0] ?? 0) & 0x80) out[15] = (out[15] ?? 0) ^ 0x87;
    return out;
  };
  const k1 = twice(cbc(Buffer.alloc(16)));
  const whole = message.length > 0 && message.length % 16 === 0;
  const padding = whole ? [] : [0x80, ...new Array<number>(15 - (message.length % 16)).fill(0)];
  const blocks = Buffer.concat([message, Buffer.from(padding)]);
  const subkey = whole ? k1 : twice(k1);
  const last = blocks.length - 16;
  for (const [at, byte] of subkey.entries()) blocks[last + at] = (blocks[last + at] ?? 0) ^ byte;
  return cbc(blocks);
}

const keyFor = (secret: Buffer, use: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', `dbguard mask ${use}`, 32));

/** Of a column of text, in either format. Kinds that are not here have a test of their own. */
export function slowMask(mask: Mask, value: Buffer, secret: Buffer): Buffer | undefined {
  const tag = (use: string, message: Uint8Array): Buffer => cmac(keyFor(secret, use), message);
  if (mask.kind === 'null') return undefined;
  if (mask.kind === 'fixed') return Buffer.from(mask.value);
  if (mask.kind === 'hash') return Buffer.from(tag('hash', value).toString('hex'));
  if (!isUtf8(value)) return undefined;
  const masked = slowText(mask, value.toString('utf8'), tag);
  return masked === undefined ? undefined : Buffer.from(masked);
}

function slowText(mask: Mask, text: string, tag: (use: string, message: Uint8Array) => Buffer): string | undefined {
  if (mask.kind === 'partial') return partial(text, mask.first, mask.last);
  if (mask.kind === 'pattern') return byPattern(text, mask.pattern);
  if (mask.kind === 'email') return email(text, mask.keep, tag('email', Buffer.from(text)));
  const digits = text.replace(/\D/g, '').split('').map(Number);
  if (mask.kind === 'card') {
    if (!/^\d{12,19}$/.test(text.replace(/[ .-]/g, ''))) return undefined;
    return card(text, digits, mask.keep, hashedDigits(tag('card', Uint8Array.from(digits))));
  }
  if (mask.kind === 'phone') {
    if (!/^\+?[\d ()./-]{1,40}$/.test(text) || digits.length < 6 || digits.length > 20) return undefined;
    return phone(text, digits, mask.keep, hashedDigits(tag('phone', Uint8Array.from(digits))));
  }
  throw new TypeError(`${mask.kind} has no plain definition here`);
}

function partial(text: string, first: number, last: number): string | undefined {
  const all = [...text];
  const shown = all.length > first + last;
  const masked = all.map((one, at) => (shown && (at < first || at >= all.length - last) ? one : '*')).join('');
  const hidden = shown ? all.slice(first, all.length - last) : all;
  return text !== '' && hidden.every((one) => one === '*') ? undefined : masked;
}

function byPattern(text: string, pattern: string): string | undefined {
  const [wanted, all] = [[...pattern], [...text]];
  const fits = all.length === wanted.length && wanted.every((one, at) => '#*'.includes(one) || one === all[at]);
  const masked = all.map((one, at) => (fits && wanted[at] !== '*' ? one : '*')).join('');
  return masked === text && text !== '' ? undefined : masked;
}

function email(text: string, keep: 'nothing' | 'domain', tag: Buffer): string {
  const at = text.lastIndexOf('@');
  const domain = at > 0 ? text.slice(at + 1) : '';
  const shown = keep === 'domain' && /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(domain);
  return `user-${tag.toString('hex', 0, 8)}@${shown ? domain : 'masked.invalid'}`;
}

/** The last five digits of each 32-bit word, from the last one. */
function hashedDigits(tag: Buffer): number[] {
  return [0, 4, 8, 12].flatMap((at) => {
    const word = String(tag.readUInt32BE(at)).padStart(10, '0');
    return word.slice(-5).split('').reverse().map(Number);
  });
}

function card(text: string, digits: readonly number[], keep: number, hashed: readonly number[]): string | undefined {
  const hidden = digits.length - keep;
  const masked = digits.map((digit, at) => (at === 0 ? 9 : at < hidden ? (hashed[at] ?? 0) : digit));
  for (masked[hidden - 1] = 0; luhnSum(masked) % 10 !== 0; ) masked[hidden - 1] = (masked[hidden - 1] ?? 0) + 1;
  return replaced(text, digits, masked);
}

function phone(text: string, digits: readonly number[], keep: number, hashed: readonly number[]): string | undefined {
  const hidden = digits.length - keep;
  const prefix = text.startsWith('+') ? [9, 9, 9] : digits[0] === 0 ? [0] : [];
  return replaced(
    text,
    digits,
    digits.map((digit, at) => prefix[at] ?? (at < hidden ? (hashed[at] ?? 0) : digit)),
  );
}

function replaced(text: string, digits: readonly number[], masked: readonly number[]): string | undefined {
  let at = 0;
  return masked.join('') === digits.join('') ? undefined : text.replace(/\d/g, () => String(masked[at++]));
}

interface Exact {
  readonly digits: bigint;
  readonly scale: number;
}

function exact(text: string): Exact | undefined {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  return whole === undefined ? undefined : { digits: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length };
}

const sized = ({ digits, scale }: Exact, to: number): bigint => digits * 10n ** BigInt(to - scale);

function written(digits: bigint, scale: number, isInteger: boolean): string {
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  const decimals = scale === 0 || isInteger ? '' : `.${text.slice(text.length - scale)}`;
  return `${digits < 0n ? '-' : ''}${text.slice(0, text.length - scale)}${decimals}`;
}

/** Of an integer of so many bits, or a numeric where there are none. */
export function slowNumber(mask: Mask, value: string, bits?: number): string | undefined {
  const number = exact(value);
  if (number === undefined) return undefined;
  if (mask.kind === 'bucket') {
    const found = mask.bounds.filter((one) => {
      const scale = Math.max(one.scale, number.scale);
      return sized(one, scale) <= sized(number, scale);
    });
    const bound = found.at(-1);
    return bound && written(bound.digits, bound.scale, bits !== undefined);
  }
  if (mask.kind !== 'round') throw new TypeError(mask.kind);
  const scale = Math.max(mask.to.scale, number.scale);
  const step = sized(mask.to, scale);
  if (10n ** BigInt(scale - number.scale) % step === 0n) return undefined;
  const given = sized(number, scale);
  const size = given < 0n ? -given : given;
  const sign = given < 0n ? -1n : 1n;
  const down = (size / step) * step;
  const near = (size - down) * 2n >= step ? down + step : down;
  const fits = (one: bigint): boolean => {
    const whole = one / 10n ** BigInt(scale);
    return bits === undefined || BigInt.asIntN(bits, whole) === whole;
  };
  const result = [sign * near, sign * down].find(fits);
  return result === undefined ? undefined : written(result, scale, bits !== undefined);
}

/** Of a date, or a timestamp, in ISO DateStyle. */
export function slowDate(mask: Mask, value: string, isDate: boolean): string | undefined {
  if (mask.kind !== 'date') throw new TypeError(mask.kind);
  const match = /^(\d{4,6})-(0[1-9]|1[0-2])-(\d\d)(?: (\d\d):\d\d:\d\d(?:\.\d+)?([+-]\d\d(?::\d\d){0,2})?)?$/.exec(
    value,
  );
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour = '00', zone = ''] = match;
  const [keepsHour, keepsDay] = [mask.keep === 'hour', mask.keep === 'hour' || mask.keep === 'day'];
  const keepsMonth = keepsDay || mask.keep === 'month';
  const quarter = mask.keep === 'quarter' ? Math.floor((Number(month) - 1) / 3) * 3 + 1 : 1;
  const date = [
    mask.keep === 'decade' ? year.replace(/.$/, '0') : year,
    keepsMonth ? month : String(quarter).padStart(2, '0'),
    keepsDay ? day : '01',
  ].join('-');
  if (date.startsWith('0000')) return undefined;
  return isDate ? date : `${date} ${keepsHour ? hour : '00'}:00:00${zone}`;
}
