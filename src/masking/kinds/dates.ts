/** Dates and times cut to a unit. */
import type { DatePrecision } from '../../policy/mask-kinds.js';
import { copyBytes } from '../copy-bytes.js';
import { type CellMask, type Format, nullMask } from './cell.js';
import { dayMs, epochMs, type ValueType } from './value-types.js';

/** ISO DateStyle only; other styles put the parts in an order that depends on the session. */
const isoDate = /^(\d{4,6})-(0[1-9]|1[0-2])-(\d\d)(?: (\d\d):\d\d:\d\d(?:\.\d+)?([+-]\d\d(?::\d\d){0,2})?)?$/;

/** BigInt division rounds towards zero, which would move the last instant before 2000 into it. */
const floorDivide = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b;

export function truncated(keep: DatePrecision, type: ValueType, format: Format): CellMask {
  if (type !== 'date' && type !== 'timestamp' && type !== 'timestamptz') return nullMask;
  // of a date nothing would be hidden
  if (type === 'date' && (keep === 'day' || keep === 'hour')) return nullMask;
  return format === 'text' ? truncatedText(keep, type) : truncatedBinary(keep, type);
}

/** In the place of what was there: nothing gets longer but a timestamp without a time, which PostgreSQL does not write. */
function truncatedText(keep: DatePrecision, type: ValueType): CellMask {
  const isDate = type === 'date';
  return {
    growth: isDate ? 0 : 9,
    write(from, start, end, to, at) {
      if (!isPlainDate(from, start, end, isDate)) return truncatedOther(keep, type, from, start, end, to, at);
      const month = numberAt(from, start + 5);
      const first = firstMonth(keep, month - 1) + 1;
      const tens = first > 9 ? 1 : 0;
      for (let n = 0; n < 10; n++) to[at + n] = from[start + n] as number;
      if (keep === 'decade') to[at + 3] = zero;
      to[at + 5] = zero + tens;
      to[at + 6] = zero + first - tens * 10;
      if (!keepsDay(keep)) {
        to[at + 8] = zero;
        to[at + 9] = zero + 1;
      }
      if (isDate) return 10;
      to[at + 10] = from[start + 10] as number;
      to[at + 11] = keep === 'hour' ? (from[start + 11] as number) : zero;
      to[at + 12] = keep === 'hour' ? (from[start + 12] as number) : zero;
      for (let n = 13; n < 19; n++) to[at + n] = n === 13 || n === 16 ? colon : zero;
      return copyBytes(from, zoneIn(from, start + 19, end), end, to, at + 19) - at;
    },
  };
}

const [zero, colon, dash, dot] = [0x30, 0x3a, 0x2d, 0x2e];

/** Where the digits stand in `2024-05-17 10:11:12`, and the others. */
const dateForm = Buffer.from('0000-00-00 00:00:00', 'latin1');

/** A date from the year 10 on, with a time where `isDate` is not set; behind that there may be a fraction and a zone. */
function isPlainDate(from: Buffer, start: number, end: number, isDate: boolean): boolean {
  const length = isDate ? 10 : dateForm.length;
  if (isDate ? end - start !== length : end - start < length) return false;
  for (let n = 0; n < length; n++) {
    const byte = from[start + n] as number;
    if (dateForm[n] === zero ? byte < zero || byte > zero + 9 : byte !== dateForm[n]) return false;
  }
  if (from[start] === zero && from[start + 1] === zero && from[start + 2] === zero) return false;
  const month = numberAt(from, start + 5);
  return month >= 1 && month <= 12 && (isDate || isTail(from, start + length, end));
}

const numberAt = (from: Buffer, at: number): number =>
  ((from[at] as number) - zero) * 10 + (from[at + 1] as number) - zero;

/** `.123456+02:30`, or a part of it. */
function isTail(from: Buffer, start: number, end: number): boolean {
  const zone = zoneIn(from, start, end);
  if (from[start] === dot && zone === start + 1) return false;
  if (zone === end) return true;
  if (from[zone] !== 0x2b && from[zone] !== dash) return false;
  for (let at = zone + 1; ; at += 3) {
    if (!isDigit(from[at]) || !isDigit(from[at + 1]) || at + 2 > end) return false;
    if (at + 2 === end) return at - zone <= 7;
    if (from[at + 2] !== colon) return false;
  }
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= zero && byte <= zero + 9;

/** Behind the fraction of the seconds. */
function zoneIn(from: Buffer, start: number, end: number): number {
  if (start >= end || from[start] !== dot) return start;
  let at = start + 1;
  while (at < end && isDigit(from[at])) at++;
  return at;
}

function truncatedOther(
  keep: DatePrecision,
  type: ValueType,
  from: Buffer,
  start: number,
  end: number,
  to: Buffer,
  at: number,
): number {
  const match = isoDate.exec(from.toString('latin1', start, end));
  if (match === null) return -1;
  const [, year = '', month, day, hour = '00', zone = ''] = match;
  const first = [
    keep === 'decade' ? `${year.slice(0, -1)}0` : year,
    String(firstMonth(keep, Number(month) - 1) + 1).padStart(2, '0'),
    keepsDay(keep) ? day : '01',
  ].join('-');
  if (first.startsWith('0000')) return -1;
  const time = keep === 'hour' ? hour : '00';
  return to.write(type === 'date' ? first : `${first} ${time}:00:00${zone}`, at, 'latin1');
}

function truncatedBinary(keep: DatePrecision, type: ValueType): CellMask {
  const size = type === 'date' ? 4 : 8;
  return {
    growth: 0,
    write(from, start, end, to, at) {
      if (end - start !== size) return -1;
      const ms = size === 4 ? from.readInt32BE(start) * dayMs : Number(floorDivide(from.readBigInt64BE(start), 1000n));
      const cut = new Date(epochMs + ms);
      const year = cut.getUTCFullYear();
      // infinity, and years that this calendar does not reach
      if (Number.isNaN(year) || year < 10) return -1;
      cut.setUTCHours(keep === 'hour' ? cut.getUTCHours() : 0, 0, 0, 0);
      if (!keepsDay(keep)) cut.setUTCDate(1);
      cut.setUTCMonth(firstMonth(keep, cut.getUTCMonth()));
      if (keep === 'decade') cut.setUTCFullYear(year - (year % 10));
      const since = cut.getTime() - epochMs;
      if (size === 4) to.writeInt32BE(Math.round(since / dayMs), at);
      else to.writeBigInt64BE(BigInt(since) * 1000n, at);
      return size;
    },
  };
}

const keepsDay = (keep: DatePrecision): boolean => keep === 'day' || keep === 'hour';

/** @param month from 0 */
function firstMonth(keep: DatePrecision, month: number): number {
  if (keep === 'decade' || keep === 'year') return 0;
  return keep === 'quarter' ? month - (month % 3) : month;
}
