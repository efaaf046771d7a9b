/**
 * Secrets that say by their form what they are, wherever they stand: keys and tokens of providers, as secret scanners
 * know them (gitleaks' rules), private keys, and what a server checks a password by.
 */

const providerKeys = [
  '(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}',
  'gh[pousr]_\\w{20,}',
  'github_pat_\\w{20,}',
  'gl(?:pat|dt|rt|ptt|ft|soat|cbt|imt|agent|oas|ffct)-[\\w.-]{20,}',
  'xox[a-z]-[\\w-]{10,}',
  'xapp-\\d-[\\w-]{10,}',
  '[srp]k_(?:live|test|prod)_[A-Za-z0-9]{10,}',
  'whsec_[\\w+/=]{20,}',
  'sk-[\\w-]{20,}',
  'AIza[\\w-]{35}',
  'ya29\\.[\\w-]{20,}',
  'GOCSPX-[\\w-]{20,}',
  'SG\\.[\\w-]{16,}\\.[\\w-]{16,}',
  '(?:npm|hf)_[A-Za-z0-9]{30,}',
  'pypi-[\\w-]{40,}',
  'dckr_(?:pat|oat)_[\\w-]{20,}',
  'do[oprc]_v1_[a-f0-9]{40,}',
  'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}',
  'sb[pb]?_(?:secret_)?[\\w-]{30,}',
  'lin_api_\\w{30,}',
  'ntn_\\w{40,}',
  'glsa_\\w{30,}',
  'hv[sbr]\\.[\\w-]{20,}',
  'ATATT3[\\w=-]{50,}',
  'AGE-SECRET-KEY-1[A-Z0-9]{50,}',
  'key-[0-9a-f]{32}',
  // RFC 7519: two parts of JSON, and a signature or none
  'eyJ[\\w-]{10,}\\.eyJ[\\w-]{10,}\\.[\\w-]*',
];

/** modular crypt formats, and the ones that Django and PostgreSQL made up */
const passwordHashes = [
  '\\$2[abxy]\\$\\d\\d\\$[./A-Za-z0-9]{53}',
  '\\$(?:argon2(?:id|i|d)|scrypt|pbkdf2(?:-sha\\d+)?|[1567y])\\$[\\w./$=,+-]{20,}',
  '(?:pbkdf2_sha\\d+|bcrypt_sha256|argon2)\\$[\\w./$=,+-]{20,}',
  'SCRAM-SHA-256\\$\\d+:[\\w+/=$:]{20,}',
];

/** Each has the secret in its only group. */
export const keyForms: readonly RegExp[] = [
  new RegExp(`(?<![\\w-])(${providerKeys.join('|')})`, 'dg'),
  new RegExp(`(?<![\\w$])(${passwordHashes.join('|')})`, 'dg'),
  /-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----([\s\S]+?)(?:-----END|$)/dg,
  /PuTTY-User-Key-File-\d: [\s\S]*?Private-Lines: \d+\s([\s\S]+?)(?:Private-MAC|$)/dg,
  // addresses that let in whoever knows them
  /\bhooks\.slack\.com\/(?:services|workflows|triggers)\/([\w/-]+)/dg,
  /\bdiscord(?:app)?\.com\/api\/webhooks\/\d+\/([\w-]+)/dg,
  /\bapi\.telegram\.org\/bot([\w:-]+)/dg,
  /\bwebhook\.office\.com\/webhookb2\/([\w@/-]+)/dg,
  // signed addresses of S3, Google and Azure
  /[?&](?:X-(?:Amz|Goog)-(?:Signature|Security-Token)|sig)=([^\s&#'"]+)/dgi,
];

/** In every text that holds one of them is what one of these matches. */
export const keyHints: readonly string[] = [
  ...'AKIA ASIA ABIA ACCA github_pat xox xapp- whsec_ sk- AIza ya29\\. GOCSPX SG\\. npm_ hf_ pypi- dckr_ _v1_ sb_'.split(
    ' ',
  ),
  ...'sbp_ sbb_ lin_api_ ntn_ glsa_ ATATT AGE-SECRET key- eyJ pbkdf2_ bcrypt_ argon2 SCRAM- PuTTY hooks\\.'.split(' '),
  ...'webhook telegram \\?X- &X- \\?sig= &sig= k_live_ k_test_ k_prod_'.split(' '),
  'PRIVATE KEY',
  'gh[pousr]_',
  // bounded: `glglgl...` would be read anew from each of them
  'gl[a-z]{2,5}-',
  'shp[a-z]{2}_',
  'hv[sbr]\\.',
  '\\$2[abxy]\\$',
  ...[...'1567y'].map((kind) => `\\$${kind}\\$`),
  ...'argon scrypt pbkdf'.split(' ').map((kind) => `\\$${kind}`),
];

/** 40 characters of base64 that are neither a hash in hex nor a word: the secret beside an AWS access key id. */
export function looksLikeAwsSecret(value: string): boolean {
  return /^[A-Za-z0-9/+]{40}$/.test(value) && /[A-Z]/.test(value) && /[a-z]/.test(value) && /[0-9/+]/.test(value);
}
