/**
 * Credentials inside of a text that is no SQL: connection strings, addresses, command lines, JSON, headers. What is hidden
 * is the credential, so that a person still sees the host and the rest.
 */

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Words for a secret at the end of a name: `ssl_password`, `AWS_SECRET_ACCESS_KEY`, `dbPwd`. */
const secretWord =
  '(?:passw(?:or)?d|passphrase|passcode|pwd|secret|token|credentials?|(?:api|access|private|secret|encryption|auth|account|signing|master|session|shared|sas)[_-]?key)';

const name = `[\\w.-]{0,60}${secretWord}`;
const value = `(?:'((?:[^'\\\\]|\\\\.)*)(?:'|$)|"((?:[^"\\\\]|\\\\.)*)(?:"|$)|([^\\s'"&][^\\s&]*))`;

/** Each has the credential in one of its groups. */
const forms: readonly RegExp[] = [
  // conninfo, a URL's query, an environment variable, a long option: password=x, PGPASSWORD='x', --api-key x
  new RegExp(`(?<![\\w.-])${name}\\s*=\\s*${value}`, 'gid'),
  new RegExp(`--${name}[ =]${value}`, 'gid'),
  // JSON, YAML, HTTP headers, libpq's passfile in one line: "password": "x"
  new RegExp(`["']?(?<![\\w.-])${name}["']?\\s*:\\s*${value}`, 'gid'),
  // RFC 3986, section 3.2.1: scheme://user:password@host
  /[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#:@'"]{0,200}:([^\s/@]{1,500})@/dgi,
  new RegExp(`[?&]${name}=([^\\s&#]+)`, 'gid'),
  // RFC 7617 and 6750; curl -u user:password
  /\b(?:Bearer|Basic|Token)\s+([\w.~+/=-]{6,})/dgi,
  /\bAuthorization["']?\s*:\s*["']?((?!Bearer\b|Basic\b|Token\b)[^\s"']+)/dgi,
  // the short options of clients that take a password, and openssl's pass phrases
  /\b(?:mysql|mariadb|sshpass|mongo)[\w-]*\s(?:[^|;&]*?\s)?-p\s?["']?([^\s"']+)/dg,
  /\bredis-cli\s(?:[^|;&]*?\s)?-a\s?["']?([^\s"']+)/dg,
  /\bldap\w+\s(?:[^|;&]*?\s)?-w\s?["']?([^\s"']+)/dg,
  /\bopenssl\s(?:[^|;&]*?\s)?-[kK]\s["']?([^\s"']+)/dg,
  /\bpass:([^\s"']+)/dg,
  new RegExp(`\\bset\\s+${name}\\s+["']?([^\\s"']+)`, 'gid'),
  /(?:^|\s)(?:-u|--user)[ =]?["']?[^\s:"']{1,200}:([^\s"']+)/dgi,
  // keys that say what they are
  /\b((?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}|sk-[\w-]{20,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+)/dg,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----([\s\S]+?)(?:-----END|$)/dg,
];

const endsInSecretWord = new RegExp(`(?:${secretWord}|(?:^|[_.-])(?:pass|auth|jwt))$`, 'i');

/** True for a name whose value is a secret: a setting, an option, a column, a key of JSON. */
export function isSecretName(word: string): boolean {
  return word.length <= 128 && endsInSecretWord.test(word);
}

const hint =
  /pass|pwd|secret|token|credential|key|:\/\/|bearer|basic|authoriz|mysql|mariadb|mongo|redis|ldap|openssl|-u|--user|AKIA|ASIA|gh[pousr]_|github_pat|xox|sk-|eyJ/i;

/** In order of their beginnings. */
export function credentialsIn(text: string): Range[] {
  if (!hint.test(text)) return [];
  const ranges: Range[] = [];
  for (const form of forms) {
    for (const found of text.matchAll(form)) {
      const range = found.indices?.slice(1).find((one) => one !== undefined);
      if (range !== undefined && range[1] > range[0]) ranges.push({ start: range[0], end: range[1] });
    }
  }
  return ranges;
}

/** A text that speaks of secrets: where it cannot be read, its literals are taken for some. */
const mention = new RegExp(`${secretWord}|passw|identified\\s+by|scram-sha-256\\$|user\\s+mapping|subscription`, 'i');

export function mentionsSecrets(text: string): boolean {
  return mention.test(text);
}

/** A word for a secret, and then the text ends or a placeholder follows: what belongs there comes from elsewhere. */
const openEnd = new RegExp(
  `${secretWord}["']?(?:\\s*[=:]\\s*|\\s+(?:to\\s+)?)["']*(?:%[\\d$]*[-\\d]*[sLI]|\\$\\d+|:\\w+|$)`,
  'i',
);

export function expectsSecret(text: string): boolean {
  return openEnd.test(text);
}
