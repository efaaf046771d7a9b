/**
 * What an entry discloses, held against the digests that it commits to: changed, smuggled in, taken out, redacted.
 * What it must not know: the chain, and whose redactions count.
 */
import { messageOf } from '../errors.js';
import type { Entry } from './entry.js';
import type { Findings } from './finding.js';
import { decodeDisclosure, type ReadDisclosure } from './line.js';

/** Whether a redaction takes out this disclosure; `unproven` when nobody can say whose redaction it is. */
export type IsRedacted = (n: number, name: string, digest: string) => 'proven' | 'unproven' | undefined;

export interface Disclosed {
  /** By name: what is there, as it was signed, and not redacted. */
  readonly values: Readonly<Record<string, unknown>>;
  /** How many a proven redaction took out. */
  readonly redacted: number;
  /** What is there is what was signed, and what is not there may be missing. */
  readonly intact: boolean;
}

/** @param segment number of the object that the entry comes from, for findings */
export function disclosedBy(
  entry: Entry,
  texts: readonly ReadDisclosure[],
  { findings, segment, isRedacted }: { findings: Findings; segment: number; isRedacted: IsRedacted | undefined },
): Disclosed {
  const values: Record<string, unknown> = Object.create(null);
  const where = { n: entry.n, segment };
  const order = Object.keys(entry.c);
  let intact = true;
  let redacted = 0;
  let place = -1;
  const fail = (code: 'disclosure-changed' | 'disclosure-missing', message: string): void => {
    intact = false;
    findings.fail(code, message, where);
  };
  for (const text of texts) {
    try {
      const { name, value, digest } = decodeDisclosure(text);
      const before = place;
      place = order.indexOf(name);
      if (entry.c[name] !== digest || place <= before) {
        fail('disclosure-changed', `${quote(name)} of entry ${entry.n} is not what was signed`);
      } else if (isRedacted?.(entry.n, name, digest) === 'proven') {
        const message = `${name} of entry ${entry.n} is redacted but still stands in this copy; dbguard does not show it`;
        findings.note('redaction-ignored', message, where);
      } else values[name] = value;
    } catch (error) {
      fail('disclosure-changed', `entry ${entry.n}: ${messageOf(error)}`);
    }
  }
  if (Object.keys(values).length === order.length) return { values, redacted, intact };
  for (const [name, commitment] of Object.entries(entry.c)) {
    if (Object.hasOwn(values, name)) continue;
    const how = isRedacted?.(entry.n, name, commitment);
    if (how === 'proven') redacted++;
    else if (how === 'unproven') {
      const message = `${quote(name)} of entry ${entry.n} was taken out by a redaction, and who made that is not proven`;
      findings.warn('redaction-unproven', message, { n: entry.n });
    } else fail('disclosure-missing', `${quote(name)} of entry ${entry.n} was taken out without a redaction`);
  }
  return { values, redacted, intact };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
