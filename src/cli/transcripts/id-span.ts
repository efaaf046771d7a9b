/** `--day`, `--since` and `--session`: which sessions are meant, by their ids. */
import { DbguardError } from '../../errors.js';
import { afterAnyId, type IdSpan } from '../../review/catalog.js';
import { sessionIdsAt } from '../../transcript/object-key.js';
import { textOption } from '../options.js';
import type { OptionValues } from '../table.js';

/** Everything where no option names less. Throws `usage`. */
export function idSpan(options: OptionValues): IdSpan {
  const session = textOption(options, 'session')?.toLowerCase();
  if (session !== undefined) return { first: session, last: session + afterAnyId };
  const day = textOption(options, 'day');
  if (day !== undefined)
    return { first: sessionIdsAt(midnight('--day', day)), last: beforeId(midnight('--day', day, 1)) };
  const since = textOption(options, 'since');
  return { first: since === undefined ? '' : sessionIdsAt(midnight('--since', since)), last: afterAnyId };
}

/** The first moment of a day as a person types it, and of the next one; milliseconds since 1970 UTC. Throws `usage`. */
export function dayBounds(option: string, day: string): readonly [number, number] {
  return [midnight(option, day), midnight(option, day, 1)];
}

/** The day of that moment, as a person types it. */
export function dayOf(ms: number): string {
  return new Intl.DateTimeFormat('en-CA').format(ms);
}

/** Greater than every id of an earlier millisecond, less than each of this one. */
function beforeId(ms: number): string {
  return sessionIdsAt(ms - 1) + afterAnyId;
}

/** Local midnight, as the person who types a date means it. @param after days later: not all have 24 hours */
function midnight(option: string, text: string, after = 0): number {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  const date = new Date(Number(year), Number(month) - 1, Number(day) + after);
  if (Number.isNaN(date.getTime())) throw new DbguardError('usage', `${option} takes a day like 2026-11-23`);
  return date.getTime();
}
