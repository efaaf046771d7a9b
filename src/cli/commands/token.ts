/** `dbguard token`: a fresh token for a gateway, on stdout and nothing else: what a driver takes as its password. */
import { decodeJwt } from 'jose';
import { DbguardError } from '../../errors.js';
import type { Login } from '../../identity/identity.js';
import { loadLogin } from '../../identity/login-source.js';
import { loadConfigs } from '../../io/files/config-files.js';
import { openLoginSource } from '../../io/login/oidc-login-source.js';
import { workloadTokenSource } from '../../io/login/oidc-workload-token.js';
import { combineConfigs } from '../../policy/combine.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { type IdentitySettings, identitySettings } from '../settings/identity-settings.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'token'>,
): Promise<number> {
  const settings = await identitySettings(context, options);
  const audience = textOption(options, 'audience') ?? configuredAudience(context, textOption(options, 'config'));
  if (audience === undefined) {
    throw new DbguardError('usage', 'nothing says what the token is to be for', {
      hint: 'Give --audience, or set identity.gateway.audience in your own dbguard.yaml.',
    });
  }
  context.stdout.write(`${await tokenFor(audience, settings, context.env)}\n`);
  return 0;
}

function configuredAudience({ cwd, env }: CommandContext, named: string | undefined): string | undefined {
  return combineConfigs(loadConfigs({ cwd, env, named })).identity?.gateway?.audience;
}

/** A platform makes a job's for whom it asks; a person's is of a login there, or an access token of their own login. */
async function tokenFor(audience: string, settings: IdentitySettings, env: NodeJS.ProcessEnv): Promise<string> {
  const platform = workloadTokenSource(env);
  if (platform) return checked((await platform(audience)).trim(), audience);
  for (const clientId of new Set([audience, settings.clientId])) {
    const { profile: _, ...named } = settings;
    const source = openLoginSource(env, clientId === settings.clientId ? settings : { ...named, clientId });
    if ((await source.load()) === undefined) continue;
    const found = tokenIn(await loadLogin(source, settings), audience);
    if (found !== undefined) return found;
  }
  throw new DbguardError('login-required', `no login of yours has a token for ${singleLine(audience)}`, {
    hint: `Log in to the gateway’s client once: dbguard login --client-id ${singleLine(audience)}`,
  });
}

function tokenIn({ idToken, accessToken }: Login, audience: string): string | undefined {
  const both = [idToken, ...(accessToken ? [accessToken.value] : [])];
  return both.find((token) => isFor(token, audience));
}

function checked(token: string, audience: string): string {
  if (isFor(token, audience)) return token;
  throw new DbguardError('login-failed', `the platform’s token is not for ${singleLine(audience)}`, {
    hint: 'Where the job cannot choose, its configuration has to name that audience.',
  });
}

/** Not verified: whoever takes it does that. */
function isFor(token: string, audience: string): boolean {
  try {
    return [decodeJwt(token).aud].flat().includes(audience);
  } catch {
    return false;
  }
}
