/** Who vouches: discovery, the device flow, the level that is reached; and whether its clock and ours agree. */
import { levelSatisfies } from '../../../identity/binding.js';
import { issuerFetch } from '../../../io/login/oidc-fetch.js';
import { connectIssuer, openLoginSource } from '../../../io/login/oidc-login-source.js';
import { describeLevel, describeTime, describeWho } from '../../print/login-words.js';
import { signerSettings } from '../../settings/identity-settings.js';
import { ensureTrusted } from '../../settings/trusted.js';
import { loginUse } from '../../settings/uses.js';
import { type Check, failure, noTerminal, ok, type World, warning } from '../check.js';
import { providerLines } from '../provider-lines.js';

const SKEW_MS = 30_000;

export const provider: Check = {
  name: 'provider',
  async run(world) {
    const { context, signal } = world;
    const settings = await trustedSettings(world);
    if (settings === undefined)
      return [
        warning(
          'none: a key of this machine signs, and nobody vouches for it (level local)',
          'dbguard init --issuer https://login.example.com --client-id dbguard',
        ),
      ];
    const issuer = await connectIssuer(settings, signal);
    const lines = providerLines(issuer);
    const login = await openLoginSource(context.env, settings).load();
    if (login === undefined) {
      lines.push(failure('nobody is logged in', 'dbguard login'));
      return lines;
    }
    const { minimumLevel } = settings;
    const who = `${describeWho(login)}, ${describeLevel(login)}`;
    const weak = minimumLevel !== undefined && !levelSatisfies(login.level, minimumLevel);
    if (weak) lines.push(failure(`${who}; ${minimumLevel} is demanded`, 'dbguard login --browser'));
    else if (login.level === 'asserted') lines.push(warning(who, 'dbguard login --browser'));
    else lines.push(ok(who));
    if (login.expiresAt < Date.now() && login.refreshToken === undefined)
      lines.push(failure(`the login ended ${describeTime(login.expiresAt)}`, 'dbguard login'));
    return lines;
  },
};

export const clock: Check = {
  name: 'clock',
  async run(world) {
    const settings = await trustedSettings(world);
    if (settings === undefined) return [ok('nothing to compare it with: no provider')];
    const before = Date.now();
    const answer = await issuerFetch(settings.issuer, { signal: world.signal });
    const after = Date.now();
    await answer.body?.cancel();
    const theirs = Date.parse(answer.headers.get('date') ?? '');
    if (Number.isNaN(theirs)) return [ok('nothing to compare it with: the provider tells no time')];
    // a Date header has whole seconds
    const off = theirs < before - 1000 ? theirs - before : theirs > after + 1000 ? theirs - after : 0;
    if (Math.abs(off) <= SKEW_MS) return [ok('as the provider’s')];
    const seconds = Math.round(Math.abs(off) / 1000);
    return [
      failure(
        `${seconds} s ${off > 0 ? 'behind' : 'ahead of'} the provider’s: logins and signatures may be refused`,
        'sudo timedatectl set-ntp true',
      ),
    ];
  },
};

async function trustedSettings({ context, settings }: World) {
  const { sources, config } = settings();
  if (config.identity) await ensureTrusted(noTerminal(context), sources, [loginUse(config.identity)]);
  return signerSettings(config, context.env);
}
