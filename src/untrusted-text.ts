/**
 * Text of others (an agent, a server, an issuer, a bucket), made safe to look at, here and nowhere else: every character that a terminal would act on, hide, or reorder is shown as
 * its code point, ⟨U+202E⟩. What a person reads is then what the server gets. See "Trojan Source" (CVE-2021-42574) and
 * UAX #36.
 */

export interface Sanitised {
  readonly text: string;
  /** One sentence for each kind of trick that was found. */
  readonly warnings: readonly string[];
}

/**
 * Control, format (bidi overrides, zero width, tags), unassigned, private use, lone surrogates, line and paragraph
 * separators, every space but the ordinary one, fillers and selectors that draw nothing.
 */
const hidden = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u2800]|(?! )\p{Zs}|\p{Default_Ignorable_Code_Point}/u;
const hiddenAll = new RegExp(hidden.source, 'gu');
const hiddenRuns = new RegExp(`(?:${hidden.source})+`, 'gu');
/** More than two marks on one letter is no language; it covers the lines around. */
const stackedMarks = /(\p{M}{2})(\p{M}+)/gu;
const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const control = /\p{Cc}/u;
/** What has a warning of its own. */
const loud = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Line breaks stay (CRLF becomes LF), a tab becomes four spaces. */
export function sanitise(text: string): Sanitised {
  const plain = text.replaceAll('\r\n', '\n').replaceAll('\t', '    ');
  const warnings: string[] = [];
  const lines = plain.replaceAll('\n', '');
  if (hidden.test(lines)) {
    if (control.test(lines)) warnings.push('It contains control characters, which could draw on your terminal.');
    if (bidi.test(lines)) warnings.push('It contains characters that reverse the reading order.');
    const others = lines.replace(loud, '');
    if (hidden.test(others)) warnings.push('It contains invisible or look-alike blank characters.');
  }
  const mixed = mixedScriptWord(plain);
  if (mixed !== undefined) {
    const word = visible([...mixed].slice(0, 40).join(''));
    warnings.push(`The word ${word} mixes alphabets: some of its letters only look Latin.`);
  }
  return { text: visible(plain), warnings };
}

function visible(text: string): string {
  return text
    .replace(hiddenAll, (character) => (character === '\n' ? '\n' : codePoint(character)))
    .replace(stackedMarks, (_all, kept: string, rest: string) => kept + [...rest].map(codePoint).join(''));
}

/** For names and labels: one line, nothing hidden, at most `max` characters. */
export function singleLine(text: string, max = 200): string {
  const shown = sanitise(text).text.replaceAll('\n', '⏎');
  const characters = [...shown.slice(0, max * 2 + 2)];
  return characters.length > max ? `${characters.slice(0, max - 1).join('')}…` : shown;
}

/**
 * For a foreign word in the middle of a sentence of ours (an issuer's error text, a claim, what stands in a file): one line,
 * at most `limit` characters, a blank for whatever is hidden. Nobody decides by how it looks.
 */
export function printable(text: unknown, limit = 200): string {
  const clean = String(text).replace(hiddenRuns, ' ').trim();
  if (clean.length <= limit) return clean;
  // half of a character is none
  const cut = clean.slice(0, limit).replace(/[\ud800-\udbff]$/, '');
  return `${cut}…`;
}

function codePoint(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

/** A word with Latin letters among Cyrillic or Greek ones; UTS #39 calls it not single-script. */
function mixedScriptWord(text: string): string | undefined {
  // most statements are ASCII
  if (/^\p{ASCII}*$/u.test(text)) return undefined;
  for (const [word] of text.matchAll(/[\p{L}\p{N}_]+/gu)) {
    if (/\p{Script=Latin}/u.test(word) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(word)) return word;
  }
  return undefined;
}

/**
 * JSON that says the same, and does nothing where its output ends up on a terminal after all (`| head`): JSON.stringify leaves
 * C1 controls as they are, which a terminal obeys, and what turns the order of reading.
 */
export function inertJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
