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

/** What networks of cards issue (ISO/IEC 7812 ranges in use): other numbers that pass Luhn's check are no cards. */
const issued =
  /^(?:4\d{12}(?:\d{3}){0,2}|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11,16}|35\d{14}|6(?:011|[245]\d\d)\d{12,15}|(?:5[06-9]|6\d)\d{10,17})$/;

export function isCard(text: string): boolean {
  const digits = text.replace(/\D/g, '');
  return issued.test(digits) && luhnSum([...digits].map(Number)) % 10 === 0 && new Set(digits).size > 1;
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
