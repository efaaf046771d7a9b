/**
 * What the name of a column says of what it holds, and which mask fits. Pure.
 *
 * What lives here: words that people name such columns with. What it must not know: the values.
 */

/** Families of types, as far as masks care. */
export type TypeFamily = 'text' | 'number' | 'date' | 'boolean' | 'json' | 'other';

export interface Meaning {
  /** For people: `e-mail address`. */
  readonly what: string;
  /** Keys of the rule behind `column`, as they stand in dbguard.yaml. */
  readonly rule: Readonly<Record<string, unknown>>;
  readonly types: readonly TypeFamily[];
  /** A value of it holds this. What a sample lacks altogether, it is not. */
  readonly evidence?: RegExp;
}

const text: readonly TypeFamily[] = ['text'];
const textOrNumber: readonly TypeFamily[] = ['text', 'number'];
const digits = /\d(?:\D*\d){4}/;

export const meanings = {
  email: { what: 'an e-mail address', rule: { with: 'email' }, types: text, evidence: /@/ },
  phone: { what: 'a phone number', rule: { with: 'phone' }, types: text, evidence: digits },
  card: { what: 'a card number', rule: { with: 'card' }, types: text, evidence: digits },
  account: { what: 'a bank account', rule: { with: 'partial', keep: 4 }, types: text, evidence: digits },
  nationalId: { what: 'a national id or tax number', rule: { with: 'hash' }, types: textOrNumber, evidence: /\d/ },
  secret: { what: 'a password, key or token', rule: { with: 'null' }, types: ['text', 'other', 'json'] },
  birth: { what: 'a date of birth', rule: { with: 'date', keep: 'year' }, types: ['date'] },
  name: {
    what: 'the name of a person',
    rule: { with: 'partial', keep: { first: 1 } },
    types: text,
    evidence: /\p{L}/u,
  },
  address: { what: 'an address', rule: { with: 'null' }, types: ['text', 'json'], evidence: /\p{L}|\d/u },
  postcode: { what: 'a postal code', rule: { with: 'partial', keep: { first: 2 } }, types: text, evidence: /\w/ },
  ip: { what: 'an IP address', rule: { with: 'null' }, types: ['text', 'other'], evidence: /[.:]/ },
  pay: { what: 'what somebody is paid', rule: { with: 'null', aggregates: { min_group: 5 } }, types: ['number'] },
  special: {
    what: 'health, belief or origin (GDPR, article 9)',
    rule: { with: 'null' },
    types: ['text', 'other', 'json'],
  },
  freeText: { what: 'text in which personal data stands', rule: { with: 'detected' }, types: text },
} as const satisfies Readonly<Record<string, Meaning>>;

export type MeaningName = keyof typeof meanings;

/** Whole words of a name; the first that fits counts. */
const words: readonly (readonly [RegExp, MeaningName])[] = [
  [
    /\b(password|passwd|pwd|passphrase|secret|api ?key|access ?key|private ?key|secret ?key|cvv|cvc|otp|salt|pin ?code)\b/,
    'secret',
  ],
  [
    /\b(password|auth|access|refresh|reset|session|remember|confirmation|unlock|invitation|api|bearer|oauth|login|verification|activation) ?\w* (token|key|digest|hash)\b/,
    'secret',
  ],
  [/^token$|\b(reset token|authentication token)\b/, 'secret'],
  [
    /\b(ssn|social security|national id|nino|dni|nif|nie|pesel|passport|tax id|tax number|tax file|driver s? ?licen[cs]e|aadhaar|cpf|codice fiscale|steuer)\b/,
    'nationalId',
  ],
  [/\b(card ?number|credit ?card|debit ?card|cc ?num(ber)?|pan)\b/, 'card'],
  [/\b(iban|bank ?account|account ?(number|no|nr)|routing ?number|sort ?code)\b/, 'account'],
  [/\be? ?mails?( ?address(es)?)?$|^(contact|billing|unconfirmed|work|home|personal|primary) e? ?mail/, 'email'],
  [/\b(phone|mobile|cell ?phone|telephone|fax|msisdn)( ?(number|no|nr|home|work|\d))?$|^tel$/, 'phone'],
  [/\b(birth ?date|date of birth|birth ?day|dob|born|birth)\b/, 'birth'],
  [
    /\b(first|last|middle|given|family|maiden|full|sur|fore|contact|patient|guardian|cardholder|holder) ?name\b|\bsurname\b/,
    'name',
  ],
  [/\b(zip|zip ?code|postal ?code|post ?code|plz)$/, 'postcode'],
  [/\b(street|address ?(line)? ?\d?|addr ?\d?|home address|postal address|ship address)$/, 'address'],
  [/\b(ip|ip ?address|remote ?(ip|addr)|sign in ip)$/, 'ip'],
  [/\b(salary|wage|wages|income|payroll|compensation|hourly rate)\b/, 'pay'],
  [
    /\b(diagnos[ie]s|blood ?type|religion|ethnicity|disability|disabilities|allerg(y|ies)|medications?|symptoms?|medical ?history)\b/,
    'special',
  ],
];

/** Behind a name that would fit these say that it is about the thing, and not the thing. */
const about =
  /\b(id|ids|count|counts|type|types|kind|status|state|format|template|subject|body|enabled|verified|confirmed|sent|at|on|by|is|has|allow|allowed|expires|expiry|length|limit|policy|required|version|level|strength|attempts|notification|notifications|preference|preferences|domain|provider|label|position|visible|public|method|regexp?|column|field)$/;

const people =
  /^(users?|people|persons?|customers?|clients?|employees?|staff|patients?|contacts?|members?|students?|teachers?|leads?|applicants?|candidates?|drivers?|subscribers?|accounts?|guests?|visitors?|authors?|owners?|tenants?)$/;

/** `users.first_name`, `Users.firstName` -> `first name`. */
function wordsOf(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .toLowerCase();
}

export function meaningOfName(table: string, column: string): MeaningName | undefined {
  const name = wordsOf(column);
  for (const [shape, meaning] of words) {
    if (shape.test(name) && !about.test(name)) return meaning;
  }
  return name === 'name' && people.test(wordsOf(table)) ? 'name' : undefined;
}

const commentWords: readonly (readonly [RegExp, MeaningName])[] = [
  [/\b(pii|personal data|personally identif\w+|gdpr|sensitive|confidential)\b/i, 'address'],
  [/\bsocial security|national id|passport\b/i, 'nationalId'],
  [/\be-?mail address\b/i, 'email'],
  [/\bphone number\b/i, 'phone'],
  [/\bdate of birth\b/i, 'birth'],
];

export function meaningOfComment(comment: string): MeaningName | undefined {
  return commentWords.find(([shape]) => shape.test(comment))?.[1];
}
