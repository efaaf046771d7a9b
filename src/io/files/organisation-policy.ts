/**
 * The organisation's policy: a file, and beside it `<file>.sig` with an Ed25519 signature over its bytes, in base64.
 * The key is pinned in the user's own file. Whatever does not fit together is an error: without it nothing runs.
 */
import { verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DbguardError, messageOf } from '../../errors.js';
import type { OrganisationConfig } from '../../policy/read-organisation.js';

/** The text of the file, once its signature has been checked. `path`: absolute. Throws `config-invalid`. */
export function readSignedPolicy(path: string, { key, place }: OrganisationConfig): string {
  const bytes = read(path, place.file);
  const signature = Buffer.from(read(`${path}.sig`, place.file).toString('latin1'), 'base64');
  if (!verify(null, bytes, key, signature)) {
    throw new DbguardError('config-invalid', `${path}: the signature does not fit the file and the key`, {
      hint: `Fetch both anew. If your organisation has a new key, put it under "organisation" in ${place.file}.`,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DbguardError('config-invalid', `${path} is not UTF-8`, { cause });
  }
}

function read(path: string, namedBy: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new DbguardError('config-invalid', `cannot read the organisation's ${path}: ${messageOf(cause)}`, {
      hint: `${namedBy} names it, so nothing runs without it. Fetch the policy and its .sig, or ask who keeps them.`,
      cause,
    });
  }
}
