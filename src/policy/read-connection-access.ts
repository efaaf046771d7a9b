/** `access` of a connection: nobody is connected through it before somebody has granted that, for a time. */
import { configKeys } from './config-keys.js';
import { readSpan } from './read-span.js';
import type { Value } from './yaml-source.js';

export interface ConnectionAccess {
  readonly decision: 'ask' | 'second-person';
  /** For how long it is granted, at the most, milliseconds. */
  readonly forMs: number;
  /** What becomes of statements that run when the time is over. */
  readonly atEnd: 'cancel' | 'finish';
  /** Nobody is asked before somebody has said why. */
  readonly reasonRequired: boolean;
}

const usualMs = 30 * 60_000;

/** `on-request`, or a map where something about it is not as usual. */
export function readConnectionAccess(value: Value): ConnectionAccess {
  const usual = { decision: 'ask', forMs: usualMs, atEnd: 'cancel', reasonRequired: false } as const;
  if (value.isString) {
    value.oneOf(['on-request']);
    return usual;
  }
  const fields = value.fields(configKeys.connection_access);
  return {
    decision: fields.optional('then', (item) => item.oneOf(['ask', 'second-person'])) ?? usual.decision,
    forMs: fields.optional('for', readSpan) ?? usual.forMs,
    atEnd: fields.optional('at_end', (item) => item.oneOf(['cancel', 'finish'])) ?? usual.atEnd,
    reasonRequired: fields.optional('reason', (item) => item.oneOf(['required', 'optional'])) === 'required',
  };
}
