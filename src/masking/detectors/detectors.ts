/**
 * What looks like somebody's data in a text that nobody has declared. Linear in the text: every pattern is anchored at a
 * character that cannot repeat inside it, and bounded. Pure.
 */
import { type Detectable, detectable } from '../../policy/mask-kinds.js';
import { ibanAt, isCard, isCodiceFiscale, isDni, isNir, isPesel } from './checksums.js';

export interface Found {
  readonly what: Detectable;
  readonly start: number;
  readonly end: number;
}

interface Pattern {
  /** Global; bounded in length, and begins where no match can begin one character later. */
  readonly shape: RegExp;
  readonly holds?: (match: string) => boolean;
}

const patterns: { readonly [D in Detectable]: readonly Pattern[] } = {
  email: [],
  card: [{ shape: /(?<![\d.-])(?<!\d )\d(?:[ -]?\d){11,18}(?![\d])/g, holds: isCard }],
  iban: [],
  'national-id': [
    // United States
    { shape: /(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\d-])/g },
    // United Kingdom
    { shape: /\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]\b/g },
    { shape: /(?<![\w-])[XYZ\d]\d{7}[A-Z](?![\w-])/g, holds: isDni },
    { shape: /\b[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]\b/g, holds: isCodiceFiscale },
    { shape: /(?<![\d.])[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?![\d.])/g, holds: isNir },
    { shape: /(?<![\w.+-])\d{11}(?![\w.-])/g, holds: isPesel },
  ],
  phone: [
    {
      shape: /(?<![\w+])\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,5}\)[ .-]?)?\d{2,5}(?:[ .-]?\d{2,5}){1,4}(?!\d)/g,
      holds: isPhone,
    },
    // North America
    { shape: /(?<![\w.-])\([2-9]\d\d\) ?[2-9]\d\d[ .-]\d{4}(?!\d)/g },
    { shape: /(?<![\w.-])[2-9]\d\d([.-])[2-9]\d\d\1\d{4}(?![\w.-])/g },
  ],
  secret: [
    { shape: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g },
    { shape: /\b(?:gh[opusr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,100}|glpat-[\w-]{20}|npm_[A-Za-z0-9]{36})/g },
    {
      shape:
        /\b(?:[sr]k_(?:live|test)_[A-Za-z0-9]{16,100}|sk-[A-Za-z0-9_-]{20,200}|AIza[\w-]{35}|xox[abprs]-[\w-]{10,200})/g,
    },
    { shape: /\beyJ[\w-]{10,4000}\.eyJ[\w-]{10,8000}\.[\w-]{10,2000}/g },
    { shape: /\b[a-z][a-z0-9+]{1,20}:\/\/[^\s:/@]{1,100}:[^\s:/@]{1,200}@/g },
    { shape: /-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[A-Za-z0-9+/=\s:,-]{1,10000}/g },
  ],
};

function isPhone(text: string): boolean {
  const digits = text.replace(/\D/g, '').length;
  return digits >= 9 && digits <= 15;
}

/** In order; none overlaps another. What nobody sees between the characters does not part them. */
export function detect(text: string, what: readonly Detectable[] = detectable): Found[] {
  if (!invisible.test(text)) return detectVisible(text, what);
  const places: number[] = [];
  let visible = '';
  for (let at = 0; at < text.length; at++) {
    if (invisible.test(text[at] as string)) continue;
    places.push(at);
    visible += text[at];
  }
  return detectVisible(visible, what).map((one) => {
    return { ...one, start: places[one.start] ?? 0, end: (places[one.end - 1] ?? 0) + 1 };
  });
}

/** Soft hyphen, zero-width characters, marks of direction, joiners and the byte order mark. */
const invisible = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/;

function detectVisible(text: string, what: readonly Detectable[]): Found[] {
  // every one of them has a digit or an @ in it
  if (!/[\d@]/.test(text)) return what.includes('secret') ? withoutOverlaps([...byPatterns(text, 'secret')]) : [];
  const found: Found[] = [];
  for (const one of what) {
    if (one === 'email') found.push(...emails(text));
    else if (one === 'iban') found.push(...ibans(text));
    else found.push(...byPatterns(text, one));
  }
  return withoutOverlaps(found);
}

function* byPatterns(text: string, what: Detectable): Generator<Found> {
  for (const { shape, holds } of patterns[what]) {
    for (const match of text.matchAll(shape)) {
      if (holds === undefined || holds(match[0]))
        yield { what, start: match.index, end: match.index + match[0].length };
    }
  }
}

const localPart = /[A-Za-z0-9._%+'-]/;
const domainPart = /[A-Za-z0-9.-]/;
const longestLocal = 64;
const longestDomain = 253;

/** From each @ to both sides (RFC 5321's limits). */
function* emails(text: string): Generator<Found> {
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && at - start < longestLocal && localPart.test(text[start - 1] as string)) start--;
    let end = at + 1;
    while (end < text.length && end - at <= longestDomain && domainPart.test(text[end] as string)) end++;
    while (end > at + 1 && /[.-]/.test(text[end - 1] as string)) end--;
    const domain = text.slice(at + 1, end);
    if (start < at && /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}$/.test(domain))
      yield { what: 'email', start, end };
  }
}

/** A number with its blanks, and one character more. */
const longestIban = 34 + 10;

function* ibans(text: string): Generator<Found> {
  for (const { index } of text.matchAll(/(?<![A-Z0-9])[A-Z]{2}\d\d/g)) {
    const length = ibanAt(text.slice(index, index + longestIban));
    if (length > 0) yield { what: 'iban', start: index, end: index + length };
  }
}

function withoutOverlaps(found: Found[]): Found[] {
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  const kept: Found[] = [];
  for (const one of found) {
    const before = kept.at(-1);
    if (before === undefined || one.start >= before.end) kept.push(one);
    // what reaches further is hidden as far
    else if (one.end > before.end) kept.push({ ...before, end: one.end, start: before.end });
  }
  return kept;
}

/** What was found becomes `*`, one for each character. */
export function hideDetected(what: readonly Detectable[]): (text: string) => string {
  return (text) => hide(text, detect(text, what));
}

function hide(text: string, found: readonly Found[]): string {
  let shown = '';
  let at = 0;
  for (const { start, end } of found) {
    shown += text.slice(at, start) + '*'.repeat(end - start);
    at = end;
  }
  return shown + text.slice(at);
}
