/** What the files, the flags and the environment say: everything that is known before anything is opened. */
import { DbguardError } from '../../errors.js';
import { enclosingRun } from '../../io/approvals/process-tree.js';
import { type LoadedConfig, loadConfigs, loadNamed } from '../../io/files/config-files.js';
import { ownTranscripts } from '../../io/files/state-dirs.js';
import { workloadTokenSource } from '../../io/login/oidc-workload-token.js';
import type { UpstreamConfig } from '../../io/upstream/config.js';
import { type CompiledPolicy, compilePolicy } from '../../policy/engine.js';
import type { CommandContext } from '../command.js';
import { chooseConnection, upstreamOf } from '../settings/connection.js';
import { type ChosenConnection, chooseFound } from '../settings/found-connection.js';
import { type IdentitySettings, signerSettings } from '../settings/identity-settings.js';
import type { GuardOptions } from './contract.js';

type Connection = ReturnType<typeof chooseConnection>['connection'];
type Bucket = NonNullable<CompiledPolicy['config']['bucket']>;

export interface Setup {
  readonly context: CommandContext;
  readonly options: GuardOptions;
  readonly sources: readonly LoadedConfig[];
  /** What all files say together. */
  readonly files: CompiledPolicy;
  /** What judges: the files' policy, or the one that was named alone. */
  readonly policy: CompiledPolicy;
  /** The connection's. */
  readonly name: string;
  readonly connection: Connection;
  readonly upstream: UpstreamConfig;
  /** Undefined: a key of this machine signs. */
  readonly identity: IdentitySettings | undefined;
  readonly bucket: Bucket;
  /** Where no file names a connection. */
  readonly found?: ChosenConnection;
}

/** Throws DbguardError for what is missing, unreadable, or inside of another run. */
export async function readSetup(context: CommandContext, options: GuardOptions): Promise<Setup> {
  const { env, cwd } = context;
  refuseInside(env);
  const written = loadConfigs({ cwd, env, named: options.config });
  const found = await chooseFound(context, written, options);
  const sources = found === undefined ? written : [...written, found.source];
  const unattended = isJob(context, sources);
  const profile = { unattended, ...(options.profile === undefined ? {} : { profile: options.profile }) };
  const files = compilePolicy(sources, profile);
  const policy =
    options.policyFile === undefined ? files : compilePolicy([loadNamed(options.policyFile, context)], profile);
  return setupOf(context, options, { sources, files, policy, ...(found && { found }) });
}

/** A platform's token says who runs this, and there is no terminal: nobody sits beside it who could be asked. */
function isJob({ env, stdin }: CommandContext, sources: Setup['sources']): boolean {
  if (stdin.isTTY === true || signerSettings(compilePolicy(sources).config, env) === undefined) return false;
  return workloadTokenSource(env) !== undefined;
}

/** The same of files that have been read. */
export function setupOf(
  context: CommandContext,
  options: GuardOptions,
  { sources, files, policy, found }: Pick<Setup, 'sources' | 'files' | 'policy' | 'found'>,
): Setup {
  const { env } = context;
  const chosen = chooseConnection(files, options.connection);
  const { name } = chosen;
  const connection = policy.unattended && policy.secondPerson ? grantedElsewhere(chosen.connection) : chosen.connection;
  if (connection.access?.decision === 'second-person' && policy.secondPerson === undefined) throw nobodyGrants(name);
  const upstream = upstreamOf(connection, name, found?.env ?? env);
  const identity = signerSettings(files.config, env);
  const bucket = files.config.bucket ?? ownTranscripts(env);
  if (identity === undefined) refuseWhatNeedsIdentity(bucket, name, connection);
  return {
    context,
    options,
    sources,
    files,
    policy,
    name,
    connection,
    upstream,
    identity,
    bucket,
    ...(found === undefined ? {} : { found }),
  };
}

/** An agent that starts a run of its own would be the one who answers its prompts. */
export function refuseInside(env: NodeJS.ProcessEnv): void {
  const run = enclosingRun(env);
  if (run === undefined) return;
  throw new DbguardError('usage', `this is inside of a dbguard run already (${run})`, {
    hint: 'Start the command by itself: its connection is guarded. Another run needs another terminal.',
  });
}

/** Where nobody sits beside the client, it is a second person who grants. */
function grantedElsewhere(connection: Connection): Connection {
  const { access } = connection;
  return access === undefined ? connection : { ...connection, access: { ...access, decision: 'second-person' } };
}

function nobodyGrants(name: string): DbguardError {
  return new DbguardError('config-missing', `connection ${name} is granted by a second person, and none is named`, {
    hint: 'Name them in second_person.approvers, in your own dbguard.yaml or your organisation’s.',
  });
}

/** Rights that somebody else gives go to somebody, and a local key is nobody. */
function refuseWhatNeedsIdentity(bucket: Bucket, name: string, { access }: Connection): void {
  const hint = 'Set identity.issuer and identity.client_id in dbguard.yaml; dbguard init asks for them.';
  if (bucket.kind === 's3' && bucket.roleArn !== undefined)
    throw new DbguardError(
      'config-missing',
      'bucket.role_arn takes the token of an identity provider, and none is configured',
      { hint },
    );
  if (access?.decision === 'second-person')
    throw new DbguardError(
      'config-missing',
      `connection ${name} is granted by a second person, and nobody vouches for a key of this machine`,
      { hint },
    );
}
