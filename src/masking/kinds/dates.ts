/** Dates and times cut to a unit. */
import type { DatePrecision } from '../../policy/mask-kinds.js';
import { type CellMask, type Format, nullMask } from './cell.js';
import { dayMs, epochMs, type ValueType } from './value-types.js';

/** ISO DateStyle only; other styles put the parts in an order that depends on the session. */
const isoDate = /^(\d{4,6})-(\d\d)-(\d\d)(?: (\d\d):\d\d:\d\d(?:\.\d+)?([+-]\d\d(?::\d\d){0,2})?)?$/;

/** BigInt division rounds towards zero, which would move the last instant before 2000 into it. */
const floorDivide = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b;

export function truncated(keep: DatePrecision, type: ValueType, format: Format): CellMask {
  if (type !== 'date' && type !== 'timestamp' && type !== 'timestamptz') return nullMask;
  // of a date nothing would be hidden
  if (type === 'date' && (keep === 'day' || keep === 'hour')) return nullMask;
  return format === 'text' ? truncatedText(keep, type) : truncatedBinary(keep, type);
}

function truncatedText(keep: DatePrecision, type: ValueType): CellMask {
  return {
    growth: 32,
    write(from, start, end, to, at) {
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
    },
  };
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
