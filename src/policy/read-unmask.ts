/** `unmask`: which columns a person may be asked to show for a while. It shows nothing by itself. */
import { configKeys } from './config-keys.js';
import { type AudienceCondition, readAudience } from './mask-audience.js';
import type { NamePattern } from './name-pattern.js';
import { readColumn } from './read-mask.js';
import { readSpan } from './read-span.js';
import type { Place, Value } from './yaml-source.js';

export interface UnmaskRule {
  readonly place: Place;
  readonly column: NamePattern;
  /** How long an exemption lasts, milliseconds. */
  readonly forMs: number;
  readonly when?: AudienceCondition;
}

export function readUnmask(value: Value): UnmaskRule {
  const fields = value.fields(configKeys.unmask);
  const column = fields.required('column', readColumn, 'public.customers.email');
  const forMs = fields.required('for', readSpan, '30m');
  const when = fields.optional('when', readAudience);
  return { place: value.place, column, forMs, ...(when === undefined ? {} : { when }) };
}
