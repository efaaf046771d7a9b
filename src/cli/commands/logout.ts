/** `dbguard logout`: forgets the login here in any case, and has the issuer forget it where it can. */

import { messageOf } from '../../errors.js';
import type { Login } from '../../identity/identity.js';
import { LOCAL_PROFILE } from '../../io/login/local-logins.js';
import { connectIssuer } from '../../io/login/oidc-login-source.js';
import { openTokenStore } from '../../io/login/token-store.js';
import { printable } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { describeWho } from '../print/login-words.js';
import { folded } from '../print/text.js';
import { chooseProfile, findIdentitySettings, type IdentitySettings } from '../settings/identity-settings.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'logout'>,
): Promise<number> {
  const { stdout, stderr, env } = context;
  const store = openTokenStore(env);
  const settings = await findIdentitySettings(context, options);
  const named = typeof options.profile === 'string' ? options.profile : undefined;
  const profile =
    named ??
    chooseProfile(
      settings,
      store.profiles().filter((name) => name !== LOCAL_PROFILE),
    );
  // A login that cannot be opened can still be removed.
  const login = profile === undefined ? undefined : await store.get(profile).catch(() => undefined);
  if (profile === undefined || !(await store.delete(profile))) {
    const kept = store.profiles().includes(LOCAL_PROFILE)
      ? ' The key of this machine stays: it signs where no provider is named.'
      : '';
    stdout.write(`${folded(`Nobody was logged in.${kept}`, stdout)}\n`);
    return 0;
  }
  stdout.write(login ? `Logged out ${describeWho(login)}.\n` : 'Removed a login that could not be opened.\n');
  if (login?.refreshToken !== undefined) {
    await revoke(login, settings).catch((error: unknown) => {
      stderr.write(`dbguard: the issuer could not be told: ${messageOf(error)}\n`);
      stderr.write('  What it gave out stays valid there until it expires; end the session in its account pages.\n');
    });
  }
  return 0;
}

async function revoke(login: Login, settings: IdentitySettings | undefined): Promise<void> {
  const { revokeLogin } = await import('../../identity/refresh-login.js');
  const { clientSecret } = settings ?? {};
  const issuer = await connectIssuer({
    issuer: login.subject.iss,
    clientId: login.clientId,
    ...(clientSecret === undefined ? {} : { clientSecret }),
  });
  if (!(await revokeLogin(issuer, login))) throw new Error(`${printable(issuer.url.origin)} offers no revocation`);
}
