/**
 * Finds a key that stands twice in a JSON object. RFC 8259 section 4 leaves open which of the two counts, so that the
 * same signed bytes would say one thing to one reader and another thing to the next.
 *
 * What: members are counted in the text and in what JSON.parse made of it. Why: no parser of our own to trust, and no
 * spelling of JSON to demand of other writers. Linear, and no recursion: both may be an attacker's.
 *
 * @param text what `value` was parsed from
 */
export function hasRepeatedKeys(text: string, value: unknown): boolean {
  return membersIn(text) !== membersOf(value);
}

/** Whatever goes down into a value by calling itself, JSON.stringify too, would end at such a one. */
export function isNestedDeeply(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return true;
    level = level.flatMap((one) => Object.values(one as object).filter(isNested));
  }
  return false;
}

/** Arrays and objects within each other; writers go to seven. */
const DEEPEST = 64;

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Strings that a colon follows. */
function membersIn(text: string): number {
  let count = 0;
  for (let start = text.indexOf('"'); start >= 0; ) {
    let end = text.indexOf('"', start + 1);
    while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
    if (end < 0) break;
    let next = end + 1;
    while (isBlank(text.charCodeAt(next))) next++;
    if (text.charCodeAt(next) === colon) count++;
    start = text.indexOf('"', next);
  }
  return count;
}

function isEscaped(text: string, quote: number): boolean {
  let before = quote;
  while (text.charCodeAt(before - 1) === backslash) before--;
  return (quote - before) % 2 === 1;
}

const colon = 0x3a;
const backslash = 0x5c;

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

function membersOf(value: unknown): number {
  let count = 0;
  const left: unknown[] = [value];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    const values = Object.values(one);
    if (!Array.isArray(one)) count += values.length;
    for (const inner of values) if (typeof inner === 'object') left.push(inner);
  }
  return count;
}
