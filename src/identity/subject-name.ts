/** A person in a few words, as every list, prompt and report shows them. What comes from a transcript is attacker-controlled. */
import type { Subject } from './identity.js';

/** In the place of an issuer's URL. No issuer has it: it is no URL that a token could come from. */
export const LOCAL_ISSUER = 'dbguard:local';

export function isLocal({ iss }: Pick<Subject, 'iss'>): boolean {
  return iss === LOCAL_ISSUER;
}

/** The address, else the issuer's name for them; of a local key, so many letters that one knows it again. */
export function subjectName(subject: Subject): string {
  if (isLocal(subject)) return `local key ${subject.sub.replace(/^local:/, '').slice(0, 8)}`;
  return subject.email ?? subject.sub;
}

/** The same with what nobody may overlook. */
export function subjectInFull(subject: Subject): string {
  return isLocal(subject) ? `${subjectName(subject)} (nobody vouches for it)` : subjectName(subject);
}
