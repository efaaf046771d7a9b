/** Check digits of cards, bank accounts and national ids: what makes a run of digits more than a run of digits. */

/** ISO/IEC 7812-1, annex B. */
export function luhnSum(digits: readonly number[]): number {
  let sum = 0;
  for (let back = 1; back <= digits.length; back++) {
    const digit = digits[digits.length - back] ?? 0;
    const doubled = back % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum;
}

/** First digits of what networks issue, from and to, and the lengths of such numbers (ISO/IEC 7812-1, the networks' lists). */
const issued: readonly (readonly [from: number, to: number, lengths: readonly number[]])[] = [
  [4, 4, [16, 19]], // Visa
  [51, 55, [16]], // Mastercard
  [2221, 2720, [16]],
  [34, 34, [15]], // American Express
  [37, 37, [15]],
  [300, 305, [14]], // Diners Club
  [3095, 3095, [14]],
  [36, 36, [14]],
  [38, 39, [14]],
  [3528, 3589, [16, 17, 18, 19]], // JCB
  [6011, 6011, [16, 19]], // Discover
  [644, 649, [16, 19]],
  [65, 65, [16, 19]],
  [62, 62, [16, 17, 18, 19]], // UnionPay
  [2200, 2204, [16]], // Mir
  [5018, 5018, [12, 13, 14, 15, 16, 17, 18, 19]], // Maestro
  [5020, 5020, [12, 13, 14, 15, 16, 17, 18, 19]],
  [5038, 5038, [12, 13, 14, 15, 16, 17, 18, 19]],
  [5893, 5893, [12, 13, 14, 15, 16, 17, 18, 19]],
  [6304, 6304, [12, 13, 14, 15, 16, 17, 18, 19]],
  [6759, 6763, [12, 13, 14, 15, 16, 17, 18, 19]],
];

export function isCard(text: string): boolean {
  const digits = text.replace(/\D/g, '');
  const known = issued.some(([from, to, lengths]) => {
    const first = Number(digits.slice(0, String(from).length));
    return first >= from && first <= to && lengths.includes(digits.length);
  });
  return known && luhnSum([...digits].map(Number)) % 10 === 0 && new Set(digits).size > 1;
}

/** Lengths of the IBAN registry (ISO 13616) that are used most; other countries have 15 to 34. */
const ibanLengths: Readonly<Record<string, number>> = {
  AT: 20, BE: 16, BG: 22, CH: 21, CY: 28, CZ: 24, DE: 22, DK: 18, EE: 20, ES: 24, FI: 18, FR: 27, GB: 22, GR: 27,
  HR: 21, HU: 28, IE: 22, IT: 27, LI: 21, LT: 20, LU: 20, LV: 21, MT: 31, NL: 18, NO: 15, PL: 28, PT: 25, RO: 24,
  SE: 24, SI: 19, SK: 24, TR: 26, UA: 29,
}; // biome-ignore format: one table

/** The length of the account number at the start of `text`; 0 when there is none. Blanks may stand between groups. */
export function ibanAt(text: string): number {
  const wanted = ibanLengths[text.slice(0, 2)];
  if (wanted === undefined) return 0;
  let compact = '';
  let at = 0;
  for (; at < text.length && compact.length < wanted; at++) if (text[at] !== ' ') compact += text[at];
  if (compact.length !== wanted || /[A-Z0-9]/i.test(text[at] ?? '')) return 0;
  return remainder97(compact.slice(4) + compact.slice(0, 4)) === 1 ? at : 0;
}

/** ISO 7064 MOD 97-10; letters count from A = 10. */
function remainder97(text: string): number {
  let rest = 0;
  for (const one of text) {
    const value = Number.parseInt(one, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

/** Spain: DNI and NIE. */
export function isDni(text: string): boolean {
  const number = Number(text.slice(0, -1).replace(/^[XYZ]/, (one) => String('XYZ'.indexOf(one))));
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23] === text.at(-1);
}

/** France: numéro de sécurité sociale. */
export function isNir(text: string): boolean {
  const compact = text.replaceAll(' ', '').replace('2A', '19').replace('2B', '18');
  return 97 - Number(BigInt(compact.slice(0, 13)) % 97n) === Number(compact.slice(13));
}

/** Poland. */
export function isPesel(text: string): boolean {
  const digits = [...text].map(Number);
  const month = Number(text.slice(2, 4)) % 20;
  const day = Number(text.slice(4, 6));
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  const weights = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1];
  return weights.reduce((sum, weight, at) => sum + weight * (digits[at] ?? 0), 0) % 10 === 0;
}

const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** Italy: the last letter of a codice fiscale. */
export function isCodiceFiscale(text: string): boolean {
  let sum = 0;
  for (let at = 0; at < 15; at++) {
    const code = Number.parseInt(text[at] ?? '', 36);
    const place = code > 9 ? code - 10 : code;
    sum += at % 2 === 0 ? (oddValues[place] ?? 0) : place;
  }
  return String.fromCharCode(65 + (sum % 26)) === text[15];
}
