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
  update_secret: [1],
  create_aws_credentials: undefined,
  account_add: [1],
};

/** Functions that take names and values in turn, with the first name's place. */
export const pairs: ReadonlySet<string> = new Set(['set_config', 'json_build_object', 'jsonb_build_object', 'hstore']);

/** Functions that take a path, and then what is put there. */
export const paths: ReadonlySet<string> = new Set(['jsonb_set', 'jsonb_set_lax', 'jsonb_insert']);

/** Between a name and its value. */
export const operators = '= : > to default ! < ~ * like ilike similar in not distinct between any all some'.split(' ');

/** Options of a user mapping that are none. */
export const openOptions: ReadonlySet<string> = new Set([
  'user',
  'username',
  'host',
  'port',
  'dbname',
  'password_required',
]);
