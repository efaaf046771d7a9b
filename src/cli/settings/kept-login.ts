/** A login that has just been made, into the place where the next command finds it. */
import { DbguardError } from '../../errors.js';
import type { Login, TokenStore } from '../../identity/identity.js';

/** Keeps the words of the prompts, which outlive a login; resolves to them. */
export async function keepLogin(store: TokenStore, profile: string, login: Login): Promise<string | undefined> {
  const mark = await storedMark(store, profile);
  await store.set(profile, mark === undefined ? login : { ...login, mark });
  return mark;
}

/** One that can no longer be read keeps nobody from the next. */
async function storedMark(store: TokenStore, profile: string): Promise<string | undefined> {
  try {
    return (await store.get(profile))?.mark;
  } catch (error) {
    if (error instanceof DbguardError) return undefined;
    throw error;
  }
}
