/**
 * The file of one login: what is encrypted in it, and what stands beside that in the clear, authenticated with it.
 *
 * What it must not know: where its key is kept, where files lie.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DbguardError } from '../../errors.js';
import { evidenceLevels, type Login } from '../../identity/identity.js';

export type KeyPlace = 'keychain' | 'file';

const IV_BYTES = 12;

/** The file's content. `key` says where the key is; the rest is base64url. */
export interface SealedLogin {
  readonly v: 1;
  /** In the clear, to list profiles; authenticated with the rest. */
  readonly profile: string;
  readonly key: KeyPlace;
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
  /** `LoginGlance` as JSON, in the clear and authenticated: a keychain asks whoever wants its key. Absent for a key in a file. */
  readonly glance?: string;
}

/** What may be known of a login without its key: the keychain may ask whoever wants that. */
export interface LoginGlance extends Pick<Login, 'subject' | 'level' | 'expiresAt'> {
  readonly renewable: boolean;
}

/** The profile is authenticated with it: a file renamed over another profile's does not open. */
export function seal(login: Login, place: KeyPlace, key: Buffer, profile: string): SealedLogin {
  const iv = randomBytes(IV_BYTES);
  // whoever has the key in a file can open it as well
  const glance = place === 'keychain' ? JSON.stringify(glanceOf(login)) : undefined;
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(
    authenticated({ profile, ...(glance === undefined ? {} : { glance }) }),
  );
  const data = Buffer.concat([cipher.update(JSON.stringify(login), 'utf8'), cipher.final()]);
  return {
    v: 1,
    profile,
    key: place,
    iv: iv.toString('base64url'),
    tag: cipher.getAuthTag().toString('base64url'),
    data: data.toString('base64url'),
    ...(glance === undefined ? {} : { glance }),
  };
}

function authenticated({ profile, glance }: Pick<SealedLogin, 'profile' | 'glance'>): Buffer {
  return Buffer.from(glance === undefined ? profile : `${profile}\0${glance}`);
}

export function glanceOf({ subject, level, expiresAt, refreshToken }: Login): LoginGlance {
  return { subject, level, expiresAt, renewable: refreshToken !== undefined };
}

export function parseGlance(text: string, path: string): LoginGlance {
  try {
    const { subject, level, expiresAt, renewable } = JSON.parse(text);
    if (
      typeof subject?.iss === 'string' &&
      typeof subject.sub === 'string' &&
      evidenceLevels.includes(level) &&
      Number(expiresAt) > 0
    )
      return { subject, level, expiresAt, renewable: renewable === true };
  } catch {
    // falls through
  }
  throw damaged(path);
}

export function unseal(sealed: SealedLogin, key: Buffer, profile: string, path: string): Login {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.iv, 'base64url'), { authTagLength: 16 })
      .setAAD(authenticated({ ...sealed, profile }))
      .setAuthTag(Buffer.from(sealed.tag, 'base64url'));
    const text = Buffer.concat([decipher.update(Buffer.from(sealed.data, 'base64url')), decipher.final()]);
    return JSON.parse(text.toString('utf8')) as Login; // authenticated: only this program wrote it
  } catch {
    throw damaged(path);
  }
}

export function parseSealed(content: Buffer, path: string): SealedLogin {
  try {
    const { v, profile, key, iv, tag, data, glance } = JSON.parse(content.toString('utf8')) as Record<string, unknown>;
    const strings = typeof iv === 'string' && typeof tag === 'string' && typeof data === 'string';
    if (v === 1 && typeof profile === 'string' && (key === 'keychain' || key === 'file') && strings) {
      return { v, profile, key, iv, tag, data, ...(typeof glance === 'string' ? { glance } : {}) };
    }
  } catch {
    // falls through: the parser's message may quote the content
  }
  throw damaged(path);
}

function damaged(path: string): DbguardError {
  return new DbguardError('token-store', `${path} is damaged or was made with another key`, {
    hint: 'Run: dbguard login',
  });
}
