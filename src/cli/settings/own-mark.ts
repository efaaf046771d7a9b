/** The words of the person's prompts for a program that shows prompts of any run: their own login's, from no run. */
import { type PromptMark, promptMark } from '../../approval/prompt-mark.js';
import { profileName } from '../../io/login/oidc-login-source.js';
import { openTokenStore } from '../../io/login/token-store.js';
import type { CommandContext } from '../command.js';
import { findIdentitySettings } from './identity-settings.js';

/**
 * Of the login that this folder's dbguard.yaml means, or else of the only one there is. Undefined where neither can be
 * opened: a prompt without them is better than none.
 */
export async function ownMark(context: CommandContext): Promise<PromptMark | undefined> {
  const store = openTokenStore(context.env);
  const settings = await findIdentitySettings(context, {}).catch(() => undefined);
  const here = settings && (await store.get(profileName(settings)).catch(() => undefined));
  if (here) return promptMark(here);
  const [only, ...others] = profilesOf(store);
  if (only === undefined || others.length > 0) return undefined;
  const login = await store.get(only).catch(() => undefined);
  return login && promptMark(login);
}

function profilesOf(store: { profiles(): string[] }): string[] {
  try {
    return store.profiles();
  } catch {
    return [];
  }
}
