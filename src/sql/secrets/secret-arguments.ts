/** Names after which a secret is given: functions, options, operators. */

/** Arguments of functions that are keys or passwords, from 0; undefined: all of them. */
export const secretArguments: Readonly<Record<string, readonly number[] | undefined>> = {
  // pgcrypto
  crypt: [0],
  hmac: [1],
  encrypt: [1],
  decrypt: [1],
  encrypt_iv: [1],
  decrypt_iv: [1],
  pgp_sym_encrypt: [1],
  pgp_sym_encrypt_bytea: [1],
  pgp_sym_decrypt: [1],
  pgp_sym_decrypt_bytea: [1],
  pgp_pub_decrypt: [1, 2],
  pgp_pub_decrypt_bytea: [1, 2],
  // pgjwt, Supabase's vault, the extensions of AWS and Azure
  sign: [1],
  verify: [1],
  create_secret: [0],
  // pg_duckdb
  create_simple_secret: [1, 2],
  update_secret: [1],
  create_aws_credentials: undefined,
  account_add: [1],
  // pgsodium
  crypto_secretbox: [2],
  crypto_secretbox_open: [2],
  crypto_auth: [1],
  crypto_pwhash: [0],
  crypto_pwhash_str: [0],
  crypto_pwhash_str_verify: [1],
  crypto_aead_det_encrypt: [2],
  crypto_aead_det_decrypt: [2],
};

/** Functions that take names and values in turn, with the first name's place. */
export const pairs: ReadonlySet<string> = new Set(['json_build_object', 'jsonb_build_object', 'hstore', 'http_header']);

/** Functions that take a path, and then what is put there. */
export const paths: ReadonlySet<string> = new Set(['jsonb_set', 'jsonb_set_lax', 'jsonb_insert']);

/** Between a name and its value. */
export const operators = '= : > to default ! < ~ * like ilike similar in not distinct between any all some'.split(' ');

/** Functions whose arguments are never secret, also where what they return is. */
export const plainArguments: ReadonlySet<string> = new Set(['gen_salt', 'current_setting', 'nextval']);

/** Options of a user mapping that are none. */
export const openOptions: ReadonlySet<string> = new Set([
  'user',
  'username',
  'host',
  'port',
  'dbname',
  'password_required',
]);

/** Functions of what they are given first; https://www.postgresql.org/docs/current/functions-binarystring.html */
export const hashes = /^(?:digest|md5|sha(?:224|256|384|512))$/;

/** Functions of an application whose names say that they take a password, behind whose it is. */
export const passwordKeepers =
  /(?:^|_)(?:verify|check|validate|compare|match|hash|encrypt|set|change|update|reset|store|save|rotate)_(?:\w+_)?(?:passw(?:or)?d|pwd|passphrase|secret|(?:api|access|private|secret)_?key)s?$/;

export const logins = /^(?:log_?in|sign_?in|sign_?up|authenticate)(?:_(?:user|account|member|with_password))?$/;

export const newAccounts = /^(?:create|add|register|new|provision)_(?:user|account|role|login|member|admin|tenant)$/;
