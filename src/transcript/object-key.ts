/** Names of a session's objects: the same in the spool and in the bucket. */
import { hash } from 'node:crypto';

const NUMBER_DIGITS = 8;

/** The folder of everything that one person wrote: first 32 hex digits of SHA-256 of issuer, a zero byte, subject. */
export function subjectHash(subject: { readonly iss: string; readonly sub: string }): string {
  return hash('sha256', `${subject.iss}\0${subject.sub}`, 'hex').slice(0, 32);
}

export function segmentFileName(number: number): string {
  return `${String(number).padStart(NUMBER_DIGITS, '0')}.jsonl`;
}

/** Undefined for a name that is no segment's. */
export function segmentNumber(fileName: string): number | undefined {
  const digits = /^(\d{8})\.jsonl$/.exec(fileName)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
