/**
 * Secrets in sentences that people write, in comments of the catalog and of SQL: "password for bob is hunter2". A word
 * for a secret alone says nothing, most sentences about passwords hold none: what follows has to look like one.
 */
import type { Range } from './tokens.js';

/**
 * At the end of a sentence's part: what follows a word for a secret, and says that it is. Up to four words may name whose.
 */
const sentence =
  /\b(?:passw(?:or)?[dt]|kennwort|passphrase|passcode|pwd?|pass|secret|token|credentials?|pin|key)s?\b["'`]?(?: (?:for|of|to|on|in|from|von|für)(?: [\w@.'"/-]{1,40}){1,4}?)?\s*(?:\bis\b|\bwas\b|\bist\b|[:=]|->|→)(?: now| set to| still)?\s*(?:"([^"\s]{4,})"|'([^'\s]{4,})'|`([^`\s]{4,})`|([^\s"'`,;()<>]{4,}))/dgi;

export function secretsInProse(text: string): Range[] {
  const ranges: Range[] = [];
  for (const found of text.matchAll(sentence)) {
    const range = found.indices?.slice(1).find((one) => one !== undefined);
    if (range === undefined) continue;
    const value = text.slice(...range);
    const bare = found[4] === undefined ? value : value.replace(/[.!?]+$/, '');
    if (looksGenerated(bare)) ranges.push({ start: range[0], end: range[0] + bare.length });
  }
  return ranges;
}

/** Names of algorithms and standards, which stand beside the same words. */
const standards =
  /^(?:scram-)?(?:sha|md|aes|rsa|bcrypt|argon|hs|rs|es|ps|utf|base|rfc|iso|pbkdf|ed|oauth|http|tls|pg|postgres(?:ql)?)-?\d[\w.:-]*$|^[vpx][\d.]+$/i;

/** What nobody writes as a word: letters with digits or signs between them. No address, path or name. */
export function looksGenerated(value: string): boolean {
  if (value.length < 4 || /^[a-z][\w+.-]*:\/\/|^[/~.]|^\S+@[\w-]+\.[\w.]+$/i.test(value) || standards.test(value))
    return false;
  return /\p{L}/u.test(value) && (/\d/.test(value) || /[!@#$%^&*+=?~]/.test(value));
}

/** What stands behind `password:` and is none. */
const commonWords = new Set(
  (
    'a an and are argon2id argon2 as ask at bcrypt be by can change check choose click contact copied could did do does empty end enter expired false ' +
    'fill for forgotten from generated get given go has hashed have hidden how if in integer invalid jsonb is it its kept leave like ' +
    'log look managed may minimum missing must never new no none not null of off ok on one only open optional or out ' +
    'please pbkdf2 pick plaintext provide read redacted refer required rotated same scrypt see set show stored string text that the their there this ' +
    'to true try type unexpected unknown unset unused use used user valid value varchar was when where which will with wrong yes ' +
    'you your bearer basic'
  ).split(' '),
);

/** `secret: yes or no`, `invalid token: unexpected end`: a sentence that goes on. */
export function goesOn(value: string): boolean {
  return commonWords.has(value.replace(/[.,;:!?)]+$/, '').toLowerCase());
}
