/** `unmask`: which columns a person may be asked to show for a while. It shows nothing by itself. */
import { configKeys } from './config-keys.js';
import { type AudienceCondition, readAudience } from './mask-audience.js';
import type { NamePattern } from './name-pattern.js';
import { readDuration } from './read-identity.js';
import { readColumn } from './read-mask.js';
import type { Place, Value } from './yaml-source.js';

export interface UnmaskRule {
  readonly place: Place;
  readonly column: NamePattern;
  /** How long an exemption lasts, milliseconds. */
  readonly forMs: number;
  readonly when?: AudienceCondition;
}

const shortestMs = 60_000;
const longestMs = 12 * 3_600_000;

export function readUnmask(value: Value): UnmaskRule {
  const fields = value.fields(configKeys.unmask);
  const column = fields.required('column', readColumn, 'public.customers.email');
  const forMs = fields.required('for', readSpan, '30m');
  const when = fields.optional('when', readAudience);
  return { place: value.place, column, forMs, ...(when === undefined ? {} : { when }) };
}

function readSpan(value: Value): number {
  const span = readDuration(value);
  return span >= shortestMs && span <= longestMs ? span : value.fail('expected a time from 1m to 12h');
}
