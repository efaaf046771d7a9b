/** The key of this machine, for whoever has no identity provider: made once, kept as logins are. */
import { randomBytes } from 'node:crypto';
import { DbguardError } from '../../errors.js';
import type { Login } from '../../identity/identity.js';
import { newLocalLogin } from '../../identity/local.js';
import type { LoginSource } from '../../identity/login-source.js';
import { LOCAL_ISSUER } from '../../identity/subject-name.js';
import { openTokenStore } from './token-store.js';

/** No login's profile is called so: theirs begin with a URL. */
export const LOCAL_PROFILE = LOCAL_ISSUER;

/** Makes the key where there is none yet; one process at a time does, the others take it. Throws `token-store`. */
export function localLogins(env: NodeJS.ProcessEnv): LoginSource {
  const store = openTokenStore(env);
  return {
    now: Date.now,
    load: () =>
      store.update(LOCAL_PROFILE, async (current) =>
        current === undefined ? newLocalLogin(randomBytes, Date.now()) : undefined,
      ),
    version: () => store.version(LOCAL_PROFILE),
    renewable: () => false,
    renew: async (_login: Login) => {
      throw new DbguardError('login-failed', 'a key of this machine is not renewed');
    },
  };
}
