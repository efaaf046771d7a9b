/** Names that a person would read as somebody else's. Unicode Technical Standard 39, as far as it concerns identifiers. */
import { sanitise } from '../untrusted-text.js';

/** Cyrillic, Greek and Armenian letters that most fonts draw as Latin ones; UTS 39's confusables that matter in names. */
const latinLookAlike = /^[аАВвеЕЗіІјЈкКмМНнһҺоОрРсСтТуУхХѕЅԁԛԜԝԚьӏӀαΑΒεΕΖΗιΙκΚΜνΝοΟρΡτΤυΥχΧϲϳօսհցոՕՍ]+$/u;

/** Ends a sentence that begins with the name; undefined for a name that shows what it is. */
export function looksLikeAnother(name: string): string | undefined {
  if (/^[\x21-\x7e]*$/.test(name)) return undefined;
  if (sanitise(name).warnings.length > 0 || /\s/u.test(name)) {
    return 'holds characters that cannot be seen, or letters of several alphabets in one word';
  }
  // Full width, ligatures, mathematical letters: another name with the same look.
  if (name.normalize('NFKC') !== name) return 'holds letters that are drawn like other ones';
  const words = name.match(/[\p{L}\p{M}]+/gu) ?? [];
  const inLatinCompany = words.some((word) => /^\p{Script=Latin}+$/u.test(word));
  if (inLatinCompany && words.some((word) => latinLookAlike.test(word))) {
    return 'holds a word whose letters only look Latin';
  }
  return undefined;
}
