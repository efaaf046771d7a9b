/** `organisation`: where your organisation's policy is, and the key that must have signed it. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { configKeys } from './config-keys.js';
import type { Place, Value } from './yaml-source.js';

export interface OrganisationConfig {
  /** As written; relative to the folder of the configuration file. */
  readonly file: string;
  /** Ed25519. */
  readonly key: KeyObject;
  readonly place: Place;
}

export function readOrganisation(value: Value): OrganisationConfig {
  const fields = value.fields(configKeys.organisation);
  const file = fields.required('file', (item) => item.string('a path'), '/etc/dbguard/policy.yaml');
  const key = fields.required('key', readKey, 'an Ed25519 public key in base64');
  return { file, key, place: value.place };
}

/** The line between BEGIN and END of what `openssl pkey -pubout` prints (SubjectPublicKeyInfo, RFC 8410). */
function readKey(value: Value): KeyObject {
  const form = 'the base64 line that "openssl pkey -pubout" prints for an Ed25519 key';
  const der = Buffer.from(value.string(form), 'base64');
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : value.expected(form);
  } catch {
    return value.expected(form);
  }
}
