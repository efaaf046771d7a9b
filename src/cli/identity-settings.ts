/**
 * Which issuer and client: flags, then the environment, then dbguard.yaml.
 */
import { DbguardError } from '../errors.js';
import type { LoginDemands } from '../identity/login-source.js';
import { type LoginSourceSettings, profileName } from '../io/oidc-login-source.js';
import type { IdentityConfig } from '../policy/read-identity.js';
import type { CommandContext, OptionValues } from './command.js';

export type IdentitySettings = LoginSourceSettings & LoginDemands;

/** Rejects with `config-missing` when nothing names an issuer and a client. */
export async function identitySettings(context: CommandContext, options: OptionValues): Promise<IdentitySettings> {
  const settings = await findIdentitySettings(context, options);
  if (settings) return settings;
  throw new DbguardError('config-missing', 'no identity provider is configured', {
    hint: 'Run dbguard init, or give --issuer and --client-id (or DBGUARD_ISSUER and DBGUARD_CLIENT_ID).',
  });
}

/** As `identitySettings`; undefined where nothing is configured. */
export async function findIdentitySettings(
  context: CommandContext,
  options: OptionValues,
): Promise<IdentitySettings | undefined> {
  const { env } = context;
  const file = await configuredIdentity(context);
  const issuer = text(options.issuer) ?? env.DBGUARD_ISSUER ?? file?.issuer;
  const clientId = text(options.clientId) ?? env.DBGUARD_CLIENT_ID ?? file?.clientId;
  if (issuer === undefined || clientId === undefined) return undefined;
  const clientSecret = env[file?.clientSecretEnv ?? 'DBGUARD_CLIENT_SECRET'];
  const profile = text(options.profile) ?? env.DBGUARD_PROFILE;
  return {
    issuer,
    clientId,
    ...(clientSecret ? { clientSecret } : {}),
    ...(profile ? { profile } : {}),
    ...(file?.scopes ? { scopes: file.scopes } : {}),
    ...(file?.audience ? { audience: file.audience } : {}),
    ...(file?.minimumLevel ? { minimumLevel: file.minimumLevel } : {}),
    ...(file?.maxLoginAgeMs ? { maxAgeMs: file.maxLoginAgeMs } : {}),
  };
}

/**
 * The stored profile that a command means: the configured one; outside of any project the only one there is.
 * Throws `usage` when several could be meant.
 */
export function chooseProfile(settings: IdentitySettings | undefined, stored: readonly string[]): string | undefined {
  if (settings) return profileName(settings);
  if (stored.length <= 1) return stored[0];
  throw new DbguardError('usage', 'several logins are stored and no dbguard.yaml says which is meant', {
    hint: `Give --profile with one of: ${stored.map((name) => `"${name}"`).join(', ')}`,
  });
}

async function configuredIdentity(_context: CommandContext): Promise<IdentityConfig | undefined> {
  return undefined;
}

function text(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
