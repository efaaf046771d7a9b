/** Where keys rest. */
import { messageOf } from '../../../errors.js';
import { stateDirs } from '../../../io/files/state-dirs.js';
import { osKeychain } from '../../../io/login/keychain.js';
import { type Check, ok, warning } from '../check.js';

const LIMIT_MS = 3000;

export const keychain: Check = {
  name: 'keychain',
  async run({ context: { env } }) {
    const { state } = stateDirs(env); // private, or it says how to make it so
    if (env.DBGUARD_TOKEN_STORE === 'file')
      return [warning(`not asked (DBGUARD_TOKEN_STORE=file): keys lie in ${state}, in files of yours alone`)];
    try {
      await osKeychain(env, LIMIT_MS).get('doctor');
      return [ok('the system’s keychain answers')];
    } catch (error) {
      return [
        warning(
          `${messageOf(error)}: the key to your logins lies in a 0600 file, which programs of yours can read`,
          'Start a Secret Service (GNOME Keyring, KWallet) in this session, or run the agent in the fence.',
        ),
      ];
    }
  },
};
