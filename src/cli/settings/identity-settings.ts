/**
 * Which issuer and client, and what the policy demands of a login: flags, then the environment, then dbguard.yaml.
 * What the organisation's file says cannot be overridden; demands add up over all files.
 */
import { DbguardError } from '../../errors.js';
import { levelSatisfies } from '../../identity/binding.js';
import type { EvidenceLevel } from '../../identity/identity.js';
import type { LoginDemands } from '../../identity/login-source.js';
import { LOCAL_PROFILE } from '../../io/login/local-logins.js';
import { type LoginSourceSettings, profileName } from '../../io/login/oidc-login-source.js';
import type { CombinedConfig, PolicySource } from '../../policy/combine.js';
import type { IdentityConfig } from '../../policy/read-identity.js';
import type { IdentityDemands } from '../../review/identity-demands.js';
import type { CommandContext } from '../command.js';
import type { OptionValues } from '../table.js';

export type IdentitySettings = LoginSourceSettings & LoginDemands;

const SECRET_VARIABLE = 'DBGUARD_CLIENT_SECRET';

/** Rejects with `config-missing` when nothing names an issuer and a client, `config-invalid` for a bad file. */
export async function identitySettings(context: CommandContext, options: OptionValues): Promise<IdentitySettings> {
  const settings = await findIdentitySettings(context, options);
  if (settings) return settings;
  throw new DbguardError('config-missing', 'no identity provider is configured', {
    hint: 'Set identity.issuer and identity.client_id in dbguard.yaml (dbguard init writes one), or give --issuer and --client-id.',
  });
}

/** Before a login: whether a repository alone names whom the person logs in to. Throws `not-trusted`. */
export async function ensureLoginTrusted(context: CommandContext, options: OptionValues): Promise<void> {
  const { env, cwd } = context;
  const issuer = text(options.issuer) ?? text(env.DBGUARD_ISSUER);
  const clientId = text(options.clientId) ?? text(env.DBGUARD_CLIENT_ID);
  if (issuer !== undefined && clientId !== undefined) return;
  const [{ loadConfigs }, { combineConfigs }, { ensureTrusted }, { loginUse }] = await Promise.all([
    import('../../io/files/config-files.js'),
    import('../../policy/combine.js'),
    import('./trusted.js'),
    import('./uses.js'),
  ]);
  const sources = loadConfigs({ cwd, env, named: text(options.config) });
  const { identity } = combineConfigs(sources);
  if (identity) await ensureTrusted(context, sources, [loginUse(identity)]);
}

/** What the command line says about the login. Named fields: `--profile` is a policy's name in other commands. */
export interface IdentityFlags {
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
  readonly workloadIssuer?: string | undefined;
  readonly profile?: string | undefined;
}

/** As `identitySettings`; undefined where nothing is configured. */
export async function findIdentitySettings(
  context: CommandContext,
  options: OptionValues,
): Promise<IdentitySettings | undefined> {
  // The YAML reader is loaded only by commands that get here.
  const [{ loadConfigs }, { combineConfigs }] = await Promise.all([
    import('../../io/files/config-files.js'),
    import('../../policy/combine.js'),
  ]);
  const { env, cwd } = context;
  const config = combineConfigs(loadConfigs({ cwd, env, named: text(options.config) }));
  return settingsFrom(config, env, {
    issuer: text(options.issuer),
    clientId: text(options.clientId),
    workloadIssuer: text(options.workloadIssuer),
    profile: text(options.profile),
  });
}

/** For commands that have read the files already. */
export function settingsFrom(
  config: Pick<CombinedConfig, 'identity' | 'sources'>,
  env: NodeJS.ProcessEnv,
  flags: IdentityFlags = {},
): IdentitySettings | undefined {
  const file = config.identity;
  const { issuer, clientId } = namedIn(config, env, flags);
  if (issuer === undefined || clientId === undefined) return undefined;
  const source = config.sources.find((candidate) => candidate.config.identity === file && file !== undefined);
  if (source?.level === 'organisation' && (issuer !== file?.issuer || clientId !== file.clientId)) {
    throw new DbguardError('config-invalid', 'the organisation’s file names another issuer or client id', {
      hint: 'Leave out --issuer and --client-id, and unset DBGUARD_ISSUER and DBGUARD_CLIENT_ID.',
    });
  }
  const profile = flags.profile ?? text(env.DBGUARD_LOGIN_PROFILE);
  // A secret goes to the issuer that its file names, never to one from a flag.
  const ownIssuer = issuer === file?.issuer;
  const clientSecret = env[(ownIssuer && secretVariable(file, source)) || SECRET_VARIABLE];
  return {
    issuer,
    clientId,
    ...(profile ? { profile } : {}),
    ...(clientSecret ? { clientSecret } : {}),
    ...(file?.scopes ? { scopes: file.scopes } : {}),
    ...(file?.audience ? { audience: file.audience } : {}),
    ...workloadIssuers(flags.workloadIssuer, file),
    ...demands(config.sources),
  };
}

/**
 * What a session is signed by: the provider's, or undefined for a key of this machine. Throws `config-missing` where a file
 * demands a provider, and where half of one is named: that is no choice to go on without.
 */
export function signerSettings(
  config: Pick<CombinedConfig, 'identity' | 'identityRequired' | 'sources'>,
  env: NodeJS.ProcessEnv,
): IdentitySettings | undefined {
  const settings = settingsFrom(config, env);
  if (settings !== undefined) return settings;
  const { issuer, clientId } = namedIn(config, env, {});
  if (issuer !== undefined || clientId !== undefined) throw halfAProvider(issuer === undefined);
  if (config.identityRequired) throw noProvider();
  return undefined;
}

function noProvider(): DbguardError {
  return new DbguardError('config-missing', 'an identity provider is demanded, and none is configured', {
    hint: 'A file says "identity: required": set identity.issuer and identity.client_id in dbguard.yaml (dbguard init writes one).',
  });
}

function halfAProvider(lacksIssuer: boolean): DbguardError {
  const [there, missing] = lacksIssuer ? ['a client id', 'no issuer'] : ['an issuer', 'no client id'];
  return new DbguardError('config-missing', `the identity provider has ${there} and ${missing}`, {
    hint: 'Give both: identity.issuer and identity.client_id, DBGUARD_ISSUER and DBGUARD_CLIENT_ID, or --issuer and --client-id.',
  });
}

/** What a reader holds transcripts against: whatever is named counts, also an issuer without a client id. */
export function readersDemands(
  config: Pick<CombinedConfig, 'identity' | 'identityRequired' | 'sources' | 'secondPerson'>,
  env: NodeJS.ProcessEnv,
  flags: IdentityFlags,
): IdentityDemands {
  const { issuer, clientId } = namedIn(config, env, flags);
  const { minimumLevel, maxAgeMs } = demands(config.sources);
  return {
    ...(issuer === undefined ? {} : { issuer }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(config.identity?.audience === undefined ? {} : { audience: config.identity.audience }),
    ...workloadIssuers(flags.workloadIssuer, config.identity),
    ...(minimumLevel === undefined ? {} : { minimumLevel }),
    ...(maxAgeMs === undefined ? {} : { maxLoginAgeMs: maxAgeMs }),
    ...(config.identityRequired ? { identityRequired: true } : {}),
    ...(config.identity?.gateway === undefined ? {} : { gateway: config.identity.gateway }),
    ...(config.secondPerson === undefined ? {} : { approvers: config.secondPerson.approvers }),
  };
}

function namedIn({ identity }: Pick<CombinedConfig, 'identity'>, env: NodeJS.ProcessEnv, flags: IdentityFlags) {
  return {
    issuer: flags.issuer ?? text(env.DBGUARD_ISSUER) ?? identity?.issuer,
    clientId: flags.clientId ?? text(env.DBGUARD_CLIENT_ID) ?? identity?.clientId,
  };
}

/** A flag adds to the file: it is the reader's own word, as the file is. */
function workloadIssuers(
  flag: string | undefined,
  file: IdentityConfig | undefined,
): { readonly workloadIssuers?: readonly string[] } {
  const named = [...(flag === undefined ? [] : [flag]), ...(file?.workloadIssuers ?? [])];
  return named.length === 0 ? {} : { workloadIssuers: named };
}

/**
 * The stored profile that a command means: the configured one; outside of any project the only one there is.
 * Throws `usage` when several could be meant.
 */
export function chooseProfile(settings: IdentitySettings | undefined, stored: readonly string[]): string | undefined {
  if (settings) return profileName(settings);
  const logins = stored.filter((name) => name !== LOCAL_PROFILE);
  if (logins.length <= 1) return logins[0] ?? stored[0];
  throw new DbguardError('usage', 'several logins are stored and no dbguard.yaml says which is meant', {
    hint: `Give --profile with one of: ${logins.map((name) => `"${name}"`).join(', ')}`,
  });
}

/** The strictest over all files: a repository may ask for more than its organisation does, not for less. */
function demands(sources: readonly PolicySource[]): LoginDemands {
  let minimumLevel: EvidenceLevel | undefined;
  let maxAgeMs: number | undefined;
  for (const { config } of sources) {
    const { minimumLevel: level, maxLoginAgeMs: age } = config.identity ?? {};
    if (level && (!minimumLevel || levelSatisfies(level, minimumLevel))) minimumLevel = level;
    if (age !== undefined) maxAgeMs = Math.min(age, maxAgeMs ?? age);
  }
  return { ...(minimumLevel ? { minimumLevel } : {}), ...(maxAgeMs === undefined ? {} : { maxAgeMs }) };
}

/**
 * A cloned repository could name both an issuer of its author's and, as the "client secret", any variable of ours: its
 * file may choose among DBGUARD_ variables only.
 */
function secretVariable(file: IdentityConfig, source: PolicySource | undefined): string | undefined {
  const name = file.clientSecretEnv;
  if (name === undefined || source?.level !== 'repository' || name.startsWith('DBGUARD_')) return name;
  throw new DbguardError(
    'config-invalid',
    `${source.config.file}: identity.client_secret_env: a repository’s file may name DBGUARD_ variables only`,
    { hint: `Name it ${SECRET_VARIABLE}, or move the identity block to your own file.` },
  );
}

function text(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
