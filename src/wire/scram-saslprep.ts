/**
 * SASLprep (RFC 4013) the way PostgreSQL applies it to passwords: a password that the profile rejects is used as it is,
 * on both sides (src/common/saslprep.c), so a rejection is never an error.
 */
import type { CodePointRanges } from './scram-stringprep-tables.js';

/** Loaded on the first password that is not plain ASCII: the tables cost time and memory that others need not pay. */
async function tables() {
  return await import('./scram-stringprep-tables.js');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly the ASCII range is meant
const asciiOnly = /^[\x00-\x7f]*$/;

function contains(ranges: CodePointRanges, codePoint: number): boolean {
  let low = 0;
  let high = ranges.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (codePoint < (ranges[2 * middle] ?? 0)) high = middle - 1;
    else if (codePoint > (ranges[2 * middle + 1] ?? 0)) low = middle + 1;
    else return true;
  }
  return false;
}

/** The string that goes into PBKDF2. */
export async function saslPrep(password: string): Promise<string> {
  if (asciiOnly.test(password)) return password;
  const { lCat, mappedToNothing, nonAsciiSpaces, prohibitedOutput, randAlCat, unassigned } = await tables();

  // RFC 4013 section 2.1 and 2.2: mapping, normalisation
  let mapped = '';
  for (const character of password) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (contains(nonAsciiSpaces, codePoint)) mapped += ' ';
    else if (!contains(mappedToNothing, codePoint)) mapped += character;
  }
  const prepared = mapped.normalize('NFKC');
  if (prepared === '') return password;

  // Section 2.3 and 2.5: prohibited output, unassigned code points
  const codePoints = Array.from(prepared, (character) => character.codePointAt(0) ?? 0);
  if (codePoints.some((c) => contains(prohibitedOutput, c) || contains(unassigned, c))) return password;

  // Section 2.4, RFC 3454 section 6: right-to-left text must be so throughout and at both ends
  if (codePoints.some((c) => contains(randAlCat, c))) {
    const first = codePoints[0] ?? 0;
    const last = codePoints[codePoints.length - 1] ?? 0;
    if (codePoints.some((c) => contains(lCat, c))) return password;
    if (!contains(randAlCat, first) || !contains(randAlCat, last)) return password;
  }
  return prepared;
}
