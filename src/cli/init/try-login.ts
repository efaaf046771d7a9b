/** A login as `dbguard login` makes it, on a screen of the guide's. It is kept at once. */
import type { Login } from '../../identity/identity.js';
import { checkDemands } from '../../identity/login-source.js';
import { browserCommand, openBrowser } from '../../io/login/browser.js';
import { connectIssuer, profileName } from '../../io/login/oidc-login-source.js';
import { openTokenStore } from '../../io/login/token-store.js';
import type { CommandContext } from '../command.js';
import { type Line, ok } from '../doctor/check.js';
import { describeLevel, describeWho } from '../print/login-words.js';
import type { IdentitySettings } from '../settings/identity-settings.js';
import { keepLogin } from '../settings/kept-login.js';
import type { Trial } from './trial.js';

export async function tryLogin(
  { env }: CommandContext,
  settings: IdentitySettings,
  inBrowser: boolean,
  trial: Trial,
): Promise<Line[]> {
  const store = openTokenStore(env);
  await store.ready();
  const issuer = await connectIssuer(settings, trial.signal);
  try {
    const login = await (inBrowser ? byBrowser(env, issuer, trial) : byDevice(env, issuer, trial));
    checkDemands(login, settings, Date.now());
    await keepLogin(store, profileName(settings), login);
    return [ok(`${describeWho(login)}, ${describeLevel(login)}`), ok(`kept in an ${store.description}`)];
  } finally {
    trial.onEnter(undefined);
  }
}

type Issuer = Awaited<ReturnType<typeof connectIssuer>>;

async function byDevice(env: NodeJS.ProcessEnv, issuer: Issuer, trial: Trial): Promise<Login> {
  const { deviceLogin } = await import('../../identity/device-login.js');
  return deviceLogin(issuer, {
    prompt({ verificationUri, userCode, verificationUriComplete }) {
      trial.say({ state: 'note', text: `Open ${verificationUri}` });
      trial.say({ state: 'note', text: `and enter ${userCode}` });
      if (verificationUriComplete !== undefined)
        trial.say({ state: 'note', text: `(or open ${verificationUriComplete} )` });
      offer(env, new URL(verificationUriComplete ?? verificationUri), trial);
    },
    trouble(message) {
      if (message !== undefined) trial.say({ state: 'warning', text: message });
    },
  });
}

async function byBrowser(env: NodeJS.ProcessEnv, issuer: Issuer, trial: Trial): Promise<Login> {
  const [{ browserLogin }, { listenForRedirect }] = await Promise.all([
    import('../../identity/browser-login.js'),
    import('../../io/login/oidc-redirect.js'),
  ]);
  const redirect = await listenForRedirect(undefined);
  try {
    return await browserLogin(issuer, redirect, (page) => {
      trial.say({ state: 'note', text: `Open ${page.href}` });
      offer(env, page, trial);
    });
  } finally {
    await redirect.close();
  }
}

/** The person's Enter opens the page, where this machine has a screen for it. */
function offer(env: NodeJS.ProcessEnv, page: URL, trial: Trial): void {
  if (browserCommand(page, env, process.platform) === undefined) return;
  trial.say({ state: 'note', text: 'Enter opens the browser.' });
  trial.onEnter(async () => {
    if (await openBrowser(page, env)) return;
    trial.say({ state: 'warning', text: 'No browser could be started here: open the page by hand.' });
  });
}
