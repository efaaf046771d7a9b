/**
 * Where logins rest: one file per profile, AES-256-GCM, 0600. The key to them is in the OS keychain, or, where there is
 * none, in a 0600 file next to them.
 *
 * Why not the login itself in the keychain: Windows takes 2,560 bytes and two ID tokens are more; one write path, one
 * lock and one atomic rename serve every platform; and a running session can watch a file for a new login.
 *
 * What the file key protects: copies that leave the machine without the key file. Not against programs of the same
 * user, which can read both; the keychain is what stands in their way, as far as the OS lets it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DbguardError, messageOf } from '../../errors.js';
import type { Login, TokenStore } from '../../identity/identity.js';
import { privateDir, stateDirPaths, stateDirs } from '../files/state-dirs.js';
import { type Keychain, osKeychain } from './keychain.js';
import { glanceOf, type KeyPlace, type LoginGlance, parseGlance, parseSealed, seal, unseal } from './sealed-login.js';
import { readPrivateFile, writePrivateFile } from './token-store-files.js';
import { withFileLock } from './token-store-lock.js';

type StoreMode = 'auto' | KeyPlace;

const LOGIN_SUFFIX = '.login';
const KEY_BYTES = 32;
const AUTO_LIMIT_MS = 3_000;
/** Who asks for the keychain by name may be looking at its unlock dialog. */
const DEMANDED_LIMIT_MS = 60_000;

/** DBGUARD_TOKEN_STORE=file|keychain|auto (default auto: the keychain when it answers within 3 seconds). */
export function openTokenStore(env: NodeJS.ProcessEnv): FileTokenStore {
  const mode = env.DBGUARD_TOKEN_STORE || 'auto';
  if (mode !== 'auto' && mode !== 'file' && mode !== 'keychain') {
    throw new DbguardError('usage', 'DBGUARD_TOKEN_STORE takes one of auto, keychain, file', {
      hint: 'Unset it to have the keychain where there is one, and an encrypted file elsewhere.',
    });
  }
  const folder = privateDir(join(stateDirs(env).state, 'logins'));
  return new FileTokenStore(folder, mode, osKeychain(env, mode === 'keychain' ? DEMANDED_LIMIT_MS : AUTO_LIMIT_MS));
}

/** As `openTokenStore`, to look into it: undefined where nobody ever logged in; nothing is made. */
export function existingTokenStore(env: NodeJS.ProcessEnv): FileTokenStore | undefined {
  return existsSync(join(stateDirPaths(env).state, 'logins')) ? openTokenStore(env) : undefined;
}

/** Lives here: paths, the unlocked key, why there is no keychain. Must not know: issuers, commands. */
export class FileTokenStore implements TokenStore {
  readonly #folder: string;
  readonly #mode: StoreMode;
  readonly #keychain: Keychain;
  readonly #keys = new Map<KeyPlace, Buffer>();
  #place: KeyPlace | undefined;
  #whyNoKeychain: string | undefined;

  constructor(folder: string, mode: StoreMode, keychain: Keychain) {
    this.#folder = folder;
    this.#mode = mode;
    this.#keychain = keychain;
  }

  get description(): string {
    const place = this.#place ?? (this.#mode === 'file' ? 'file' : 'keychain');
    if (place === 'keychain') return `encrypted file in ${this.#folder}, its key in the OS keychain`;
    const reason = this.#whyNoKeychain === undefined ? '' : ` (no keychain here: ${this.#whyNoKeychain})`;
    return `encrypted file in ${this.#folder}, its key in a 0600 file beside it${reason}`;
  }

  /** Throws `token-store` where a keychain is demanded and cannot be used: before anybody confirms a login in vain. */
  async ready(): Promise<void> {
    if (this.#mode === 'keychain') await this.#existingKey('keychain');
  }

  async get(profile: string): Promise<Login | undefined> {
    const path = this.#path(profile);
    const content = readPrivateFile(path);
    if (!content) return undefined;
    const sealed = parseSealed(content, path);
    if (this.#mode !== 'auto' && sealed.key !== this.#mode) {
      throw new DbguardError('token-store', `the login in ${path} has its key in the ${sealed.key}`, {
        hint: `DBGUARD_TOKEN_STORE=${this.#mode} rules that out. Run: dbguard login`,
      });
    }
    this.#place = sealed.key;
    const key = await this.#existingKey(sealed.key);
    if (!key) {
      throw new DbguardError('token-store', `the key to ${path} is gone from the ${sealed.key}`, {
        hint: 'Run: dbguard login',
      });
    }
    return unseal(sealed, key, profile, path);
  }

  /**
   * Asks no keychain. `unknown`: there is a login, and an earlier version kept nothing of it in the clear. Where the key is in
   * the keychain, nothing but the next real use proves what is said here.
   */
  async glance(profile: string): Promise<LoginGlance | 'unknown' | undefined> {
    const path = this.#path(profile);
    const content = readPrivateFile(path);
    if (!content) return undefined;
    const { key, glance } = parseSealed(content, path);
    if (key === 'keychain') return glance === undefined ? 'unknown' : parseGlance(glance, path);
    const login = await this.get(profile);
    return login && glanceOf(login);
  }

  async set(profile: string, login: Login): Promise<void> {
    await withFileLock(this.#lockFile, () => this.#write(profile, login));
  }

  async delete(profile: string): Promise<boolean> {
    return withFileLock(this.#lockFile, async () => {
      const existed = this.version(profile) !== undefined;
      rmSync(this.#path(profile), { force: true });
      return existed;
    });
  }

  async update(
    profile: string,
    change: (current: Login | undefined) => Promise<Login | undefined>,
  ): Promise<Login | undefined> {
    return withFileLock(this.#lockFile, async () => {
      const current = await this.get(profile);
      const next = await change(current);
      if (next) await this.#write(profile, next);
      return next ?? current;
    });
  }

  version(profile: string): string | undefined {
    const stat = statSync(this.#path(profile), { throwIfNoEntry: false, bigint: true });
    return stat && `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
  }

  /** Every profile with a stored login, whether or not it can be opened. */
  profiles(): string[] {
    const names = readdirSync(this.#folder).filter((name) => name.endsWith(LOGIN_SUFFIX));
    return names.flatMap((name) => {
      const path = join(this.#folder, name);
      const content = readPrivateFile(path);
      return content ? [parseSealed(content, path).profile] : [];
    });
  }

  async #write(profile: string, login: Login): Promise<void> {
    const { place, key } = await this.#keyForWriting();
    this.#place = place;
    writePrivateFile(this.#path(profile), JSON.stringify(seal(login, place, key, profile)));
  }

  /** Only called under the lock: two processes must not make two keys. */
  async #keyForWriting(): Promise<{ place: KeyPlace; key: Buffer }> {
    if (this.#mode !== 'file') {
      try {
        const key = (await this.#existingKey('keychain')) ?? (await this.#newKeychainKey());
        return { place: 'keychain', key };
      } catch (error) {
        if (this.#mode === 'keychain') throw error;
      }
    }
    let key = await this.#existingKey('file');
    if (!key) {
      key = randomBytes(KEY_BYTES);
      writePrivateFile(this.#keyFile, key);
      this.#keys.set('file', key);
    }
    return { place: 'file', key };
  }

  async #existingKey(place: KeyPlace): Promise<Buffer | undefined> {
    const known = this.#keys.get(place);
    if (known) return known;
    const key = place === 'file' ? readPrivateFile(this.#keyFile) : await this.#readKeychain();
    if (key?.length !== KEY_BYTES) return undefined; // damaged is as good as gone: the next login makes a new one
    this.#keys.set(place, key);
    return key;
  }

  async #readKeychain(): Promise<Buffer | undefined> {
    const text = await this.#askKeychain((keychain) => keychain.get(this.#account));
    return text === undefined ? undefined : Buffer.from(text, 'base64url');
  }

  async #newKeychainKey(): Promise<Buffer> {
    const key = randomBytes(KEY_BYTES);
    await this.#askKeychain((keychain) => keychain.set(this.#account, key.toString('base64url')));
    this.#keys.set('keychain', key);
    return key;
  }

  async #askKeychain<T>(question: (keychain: Keychain) => Promise<T>): Promise<T> {
    try {
      return await question(this.#keychain);
    } catch (error) {
      this.#whyNoKeychain = messageOf(error);
      throw new DbguardError('token-store', `the OS keychain cannot be used: ${this.#whyNoKeychain}`, {
        hint: 'Unlock it and try again, or log in again with DBGUARD_TOKEN_STORE=file.',
      });
    }
  }

  get #keyFile(): string {
    return join(this.#folder, 'token.key');
  }

  get #lockFile(): string {
    return join(this.#folder, 'lock');
  }

  /** One key per folder: a second DBGUARD_HOME must not share or overwrite the first one's. */
  get #account(): string {
    return `token-key ${digest(this.#folder)}`;
  }

  #path(profile: string): string {
    return join(this.#folder, `${digest(profile)}${LOGIN_SUFFIX}`);
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}
