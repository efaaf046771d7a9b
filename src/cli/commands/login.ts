/**
 * `dbguard login`: by device code, in the browser (`--browser`), or with a token that a platform hands out
 * (`--token-file`).
 */
import type { DevicePrompt } from '../../identity/device-login.js';
import type { Login, TokenStore } from '../../identity/identity.js';
import type { Issuer } from '../../identity/issuer.js';
import { checkDemands } from '../../identity/login-source.js';
import { browserCommand, openBrowser } from '../../io/login/browser.js';
import { connectIssuer, loginWithToken, profileName } from '../../io/login/oidc-login-source.js';
import { openTokenStore } from '../../io/login/token-store.js';
import type { CommandContext } from '../command.js';
import { describeLevel, describeTime, describeWho } from '../print/login-words.js';
import { loadQrCodes } from '../print/qr-code.js';
import { folded } from '../print/text.js';
import { ensureLoginTrusted, type IdentitySettings, identitySettings } from '../settings/identity-settings.js';
import { keepLogin } from '../settings/kept-login.js';
import { askForMark } from '../settings/mark-question.js';
import { canAsk } from '../settings/trusted.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'login'>,
): Promise<number> {
  const settings = await identitySettings(context, options);
  await ensureLoginTrusted(context, options);
  const store = openTokenStore(context.env);
  await store.ready();
  const login = await logIn(context, options, settings);
  checkDemands(login, settings, Date.now());
  const profile = profileName(settings);
  const mark = await keepLogin(store, profile, login);
  const until = `until ${describeTime(login.expiresAt)}${login.refreshToken === undefined ? '' : ', renewed by itself'}`;
  const lines = [
    `Logged in as ${describeWho(login)} ${until}.`,
    `  evidence  ${describeLevel(login)}`,
    `  kept in   an ${store.description}`,
  ];
  context.stdout.write(`${lines.map((line) => folded(line, context.stdout, 12)).join('\n')}\n`);
  if (mark === undefined && login.method !== 'workload' && canAsk(context)) await chooseMark(context, store, profile);
  return 0;
}

async function chooseMark(context: CommandContext, store: TokenStore, profile: string): Promise<void> {
  const mark = await askForMark(context);
  const later = 'Some were made for you; to choose your own: dbguard mark';
  if (mark === undefined) context.stdout.write(`${folded(later, context.stdout)}\n`);
  else await store.update(profile, async (current) => current && { ...current, mark });
}

async function logIn(context: CommandContext, options: OptionsOf<'login'>, settings: IdentitySettings): Promise<Login> {
  const { browser, tokenFile: file, redirectUri } = options;
  if (typeof file === 'string') {
    const { tokenFile } = await import('../../io/login/oidc-workload-token.js');
    return loginWithToken(settings, tokenFile(file));
  }
  const issuer = await connectIssuer(settings);
  if (browser || redirectUri) {
    return inBrowser(context, options, issuer, typeof redirectUri === 'string' ? redirectUri : undefined);
  }
  return byDeviceCode(context, options, issuer);
}

async function byDeviceCode(context: CommandContext, options: OptionsOf<'login'>, issuer: Issuer): Promise<Login> {
  const { deviceLogin } = await import('../../identity/device-login.js');
  const { stderr } = context;
  const qr = options.qr ? await loadQrCodes(stderr.isTTY === true && !context.env.NO_COLOR) : undefined;
  let enter: { stop(): void } | undefined;
  let inTrouble = false;
  try {
    return await deviceLogin(issuer, {
      prompt(prompt) {
        const page = prompt.verificationUriComplete ?? prompt.verificationUri;
        stderr.write(`${qr ? `${qr(page)}\n\n` : ''}${promptText(prompt)}`);
        enter = offerBrowser(context, options, new URL(page));
      },
      trouble(message) {
        if (message !== undefined && !inTrouble) stderr.write(`dbguard: ${message}\n`);
        inTrouble = message !== undefined;
      },
    });
  } finally {
    enter?.stop();
  }
}

async function inBrowser(
  context: CommandContext,
  options: OptionsOf<'login'>,
  issuer: Issuer,
  redirectUri: string | undefined,
): Promise<Login> {
  const [{ browserLogin }, { listenForRedirect }] = await Promise.all([
    import('../../identity/browser-login.js'),
    import('../../io/login/oidc-redirect.js'),
  ]);
  const redirect = await listenForRedirect(redirectUri);
  let enter: { stop(): void } | undefined;
  try {
    return await browserLogin(issuer, redirect, (page) => {
      context.stderr.write(`Open this page in a browser on this machine:\n\n  ${page.href}\n\n`);
      enter = offerBrowser(context, options, page);
    });
  } finally {
    enter?.stop();
    await redirect.close();
  }
}

function promptText(prompt: DevicePrompt): string {
  const minutes = Math.max(1, Math.round((prompt.expiresAt - Date.now()) / 60_000));
  const lines = [`  Open      ${prompt.verificationUri}`, `  and enter ${prompt.userCode}`];
  if (prompt.verificationUriComplete) lines.push('', `  (or open  ${prompt.verificationUriComplete} )`);
  return `${lines.join('\n')}\n\nConfirm only a code that you see here. It is good for ${minutes} min.\n`;
}

/** Opens the page when the person presses Enter; nothing is opened where nobody sits at the terminal. */
function offerBrowser(context: CommandContext, options: OptionsOf<'login'>, page: URL): { stop(): void } | undefined {
  const { stdin, stderr, env } = context;
  const wanted = options.open !== false && browserCommand(page, env, process.platform) !== undefined;
  if (!stdin.isTTY || !stderr.isTTY || !wanted) return undefined;
  stderr.write('Press Enter to open the browser.\n');
  const onData = async () => {
    const opened = await openBrowser(page, env);
    if (!opened) stderr.write('No browser could be started here: open the page by hand.\n');
  };
  stdin.once('data', onData);
  return {
    stop() {
      stdin.off('data', onData);
      stdin.pause(); // else the open terminal keeps the process alive
    },
  };
}
