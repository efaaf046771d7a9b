/**
 * Credentials inside of a text that is no SQL: connection strings, addresses, command lines, JSON, headers. What is hidden
 * is the credential, so that a person still sees the host and the rest.
 */

import { Hints } from './hints.js';
import { keyForms, keyHints } from './key-formats.js';
import { goesOn, secretsInProse } from './prose.js';
import type { Range } from './tokens.js';

/** Words for a secret at the end of a name: `ssl_password`, `AWS_SECRET_ACCESS_KEY`, `dbPwd`. */
const secretWord =
  '(?:passw(?:or)?d|passwort|kennwort|senha|contraseña|passphrase|passcode|pwd|secret|token|credentials?|(?:api|access|private|secret|encryption|auth|account|signing|master|session|shared|sas)[_-]?key)';

const name = `[\\w.-]{0,60}${secretWord}`;
const value = `(?:'((?:[^'\\\\]|\\\\.)*)(?:'|$)|"((?:[^"\\\\]|\\\\.)*)(?:"|$)|([^\\s'"&][^\\s&]*))`;

/** Each has the credential in one of its groups. */
const forms: readonly RegExp[] = [
  // conninfo, a URL's query, an environment variable, a long option: password=x, PGPASSWORD='x', --api-key x
  new RegExp(`(?<![\\w.-])${name}\\s*=\\s*${value}`, 'gid'),
  new RegExp(`(?<![\\w-])--?${name}[ =]${value}`, 'gid'),
  // an element of XML
  new RegExp(`<(?:[\\w-]{1,60}:)?${name}(?:\\s[^<>]{0,200})?>([^<>]+)</`, 'gid'),
  // JSON: "password": "x"
  new RegExp(`["'](?<![\\w.-])${name}["']\\s*:\\s*${value}`, 'gid'),
  // RFC 3986, section 3.2.1: scheme://user:password@host
  /[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#:@'"]{0,200}:([^\s/@]{1,500})@/dgi,
  new RegExp(`[?&]${name}=([^\\s&#]+)`, 'gid'),
  // RFC 7617 and 6750; curl -u user:password
  /\bAuthorization["']?\s*:\s*["']?((?!Bearer\b|Basic\b|Token\b)[^\s"']+)/dgi,
  // the short options of clients that take a password, and openssl's pass phrases
  /\b(?:mysql|mariadb|sshpass|mongo)[\w-]*\s(?:[^|;&]{0,300}?\s)?-p\s?["']?([^\s"']+)/dg,
  /\bredis-cli\s(?:[^|;&]{0,300}?\s)?-a\s?["']?([^\s"']+)/dg,
  /\bldap\w+\s(?:[^|;&]{0,300}?\s)?-w\s?["']?([^\s"']+)/dg,
  /\bopenssl\s(?:[^|;&]{0,300}?\s)?-[kK]\s["']?([^\s"']+)/dg,
  /\bpass:([^\s"']+)/dg,
  /\b(?:sqlcmd|bcp|isql|zip|unzip|mosquitto_\w+)\s(?:[^|;&]{0,300}?\s)?-P\s?["']?([^\s"']+)/dg,
  /\b(?:docker|podman|az|helm|oc)\s(?:[^|;&]{0,300}?\s)?login\s(?:[^|;&]{0,300}?\s)?-p\s?["']?([^\s"']+)/dg,
  /\b(?:7z\w?|rar|unrar)\s(?:[^|;&]{0,300}?\s)?-p["']?([^\s"']+)/dg,
  /\bvault\s+login\s+(?:-\S+\s+)*["']?([^\s"'=-][^\s"'=]*)(?=["'\s]|$)/dg,
  /\bssh-keygen\s(?:[^|;&]{0,300}?\s)?-[NP]\s?["']?([^\s"']+)/dg,
  /\bhtpasswd\s+-\w*b\w*\s+\S+\s+\S+\s+["']?([^\s"']+)/dg,
  // user%password of Samba's, user,password of lftp
  /\b(?:smb|rpc)client\s(?:[^|;&]{0,300}?\s)?-U\s?["']?[^\s%"']{1,200}%([^\s"']+)/dg,
  /\blftp\s(?:[^|;&]{0,300}?\s)?-u\s?["']?[^\s,"']{1,200},([^\s"']+)/dg,
  // what is handed to a program that asks for it
  /\b(?:echo|printf)\s+(?:-\w+\s+)?["']?([^\s"'|]+)["']?\s*\|\s*(?:sudo\s+-S|kinit\b|passwd\b|[^|;&]{0,200}--(?:password|passphrase|token)[\w-]*(?:stdin|fd)|gh\s+auth\s+login)/dg,
  // a line of .pgpass: https://www.postgresql.org/docs/current/libpq-pgpass.html
  /(?<![\w:])[\w.*-]{1,200}:(?:\d{4,5}|\*):[\w.*$-]{1,64}:[\w.*-]{1,64}:([^\s:"']+)/dg,
  // Oracle's user/password@host
  /(?:(?<![:\w])\/\/|\bsqlplus\s+(?:-\w+\s+)*)[\w.$-]+\/([^\s:@/"']+)@/dgi,
  new RegExp(`\\bset\\s+${name}\\s+["']?([^\\s"']+)`, 'gid'),
  /(?:^|\s)(?:-u|--user|--proxy-user|--auth)[ =]?["']?[^\s:"']{1,200}:([^\s"']+)/dgi,
  /\bhttps?\s(?:[^|;&]{0,300}?\s)?-a\s?["']?[^\s:"']{1,200}:([^\s"']+)/dg,
];

/** RFC 7617 and 6750. */
const scheme = /\b(?:Bearer|Basic|Token)\s+([\w.~+/=-]{6,})/dgi;

/** YAML and HTTP headers, and in sentences: `password: x`. */
const label = new RegExp(`(?<![\\w.'"-])${name}\\s*:\\s*${value}`, 'gid');

const endsInSecretWord = new RegExp(
  `(?:${secretWord}(?:_(?:value|plain(?:text)?|clear(?:text)?|raw))?|authorization|(?:^|[_.-])(?:pass|pw|auth|jwt))$`,
  'i',
);

/** True for a name whose value is a secret: a setting, an option, a column, a key of JSON. */
export function isSecretName(word: string): boolean {
  return word.length <= 128 && endsInSecretWord.test(word);
}

/** Of an application's own, `app.stripe_key`, all keys are secrets that do not say which other kind they are. */
const ownKey =
  /\.(?:[\w-]*_)?(?<!\b(?:public|primary|foreign|partition|sort|tenant|cache|row|idempotency|group|order|org|user|customer|account|lock|business|shard|routing|message|lookup)_)key$/i;

/** The same for the name of a setting; one in quotes has its dot in it. */
export function isSecretSetting(setting: string): boolean {
  return isSecretName(setting) || (setting.length <= 128 && ownKey.test(setting));
}

export function credentialsIn(text: string): Range[] {
  const keys = keyMarks.areIn(text) ? keyForms.flatMap((form) => matches(text, form)) : [];
  if (!words.areIn(text)) return keys;
  const labelled = matches(text, label).filter(({ start, end }) => !goesOn(text.slice(start, end)));
  const sent = matches(text, scheme).filter(({ start, end }) => isNoWord(text.slice(start, end)));
  return [...keys, ...forms.flatMap((form) => matches(text, form)), ...sent, ...labelled, ...secretsInProse(text)];
}

/** A word behind "token" is most often only the next one of a sentence. */
function isNoWord(value: string): boolean {
  return value.length >= 20 || /[\d+=]|[a-z][A-Z]/.test(value);
}

/** What stands for a secret, or is a pattern of one. */
const stands = /^(?:\[\^|<[\w -]+>$|\$\{?\w+\}?$|\*+$|%[sLI]$)/;

/** What stands in the first of the form's groups that takes part. */
function matches(text: string, form: RegExp): Range[] {
  const ranges: Range[] = [];
  for (const found of text.matchAll(form)) {
    const range = found.indices?.slice(1).find((one) => one !== undefined);
    if (range !== undefined && range[1] > range[0] && !stands.test(text.slice(...range)))
      ranges.push({ start: range[0], end: range[1] });
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

const each = (starts: string, rest: string): string[] => starts.split(' ').map((start) => start + rest);

export const wordHints: readonly string[] = [
  'pass',
  'pwd?\\b',
  ...'secret token credential kennwort senha contraseña crypt hmac digest account_add authenticate bearer'.split(' '),
  ...'scram md5 mapping identified authoriz mysql mariadb mongo redis ldap openssl -u --user ://'.split(' '),
  ...each('api access private encryption auth account signing master session shared sas', '[_-]?key'),
  ...each('_user _account _role _member _admin _tenant \\bsign \\bverify', '\\s*\\('),
  ...'sqlcmd bcp isql mosquitto_ vault ssh-keygen --auth smbclient rpcclient kinit'.split(' '),
  ...each('zip 7z\\w? rar unrar lftp https?', '\\s'),
  'sudo\\s+-S',
  '\\.\\w*key\\b',
  'sha(?:224|256|384|512)',
  'log_?in',
  'sign_?(?:in|up)',
  'basic ',
  '\\bauth\\b',
  '\\bjwt\\b',
  '\\bkey\\s*(?:[=:]|is\\b)',
  '//[\\w.$-]+/',
  // escapes, in which all of the others may be written
  ...'x u \\+ 0 1 2 3 4 5 6 7 8 9'.split(' ').map((escaped) => `\\\\${escaped}`),
];

const words = new Hints(wordHints, []);
const keyMarks = new Hints([], keyHints);
const hints = new Hints(wordHints, keyHints);

/** False for nearly all texts: nothing of what is looked for can stand in them. */
export function worthLooking(text: string): boolean {
  return hints.areIn(text);
}
