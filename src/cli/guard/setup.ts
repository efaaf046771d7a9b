/** What the files, the flags and the environment say: everything that is known before anything is opened. */
import { DbguardError } from '../../errors.js';
import { enclosingRun } from '../../io/approvals/process-tree.js';
import { loadConfigsOrFail, loadNamed } from '../../io/files/config-files.js';
import type { UpstreamConfig } from '../../io/upstream/config.js';
import { type CompiledPolicy, compilePolicy } from '../../policy/engine.js';
import type { CommandContext } from '../command.js';
import { chooseConnection, upstreamOf } from '../settings/connection.js';
import { settingsFrom } from '../settings/identity-settings.js';
import type { GuardOptions } from './contract.js';

type Connection = ReturnType<typeof chooseConnection>['connection'];
type Bucket = NonNullable<CompiledPolicy['config']['bucket']>;

export interface Setup {
  readonly context: CommandContext;
  readonly options: GuardOptions;
  readonly sources: ReturnType<typeof loadConfigsOrFail>;
  /** What all files say together. */
  readonly files: CompiledPolicy;
  /** What judges: the files' policy, or the one that was named alone. */
  readonly policy: CompiledPolicy;
  /** The connection's. */
  readonly name: string;
  readonly connection: Connection;
  readonly upstream: UpstreamConfig;
  readonly identity: NonNullable<ReturnType<typeof settingsFrom>>;
  readonly bucket: Bucket;
}

/** Throws DbguardError for what is missing, unreadable, or inside of another run. */
export function readSetup(context: CommandContext, options: GuardOptions): Setup {
  const { env, cwd } = context;
  refuseInside(env);
  const sources = loadConfigsOrFail({ cwd, env, named: options.config });
  const profile = options.profile === undefined ? {} : { profile: options.profile };
  const files = compilePolicy(sources, profile);
  const policy =
    options.policyFile === undefined ? files : compilePolicy([loadNamed(options.policyFile, context)], profile);
  const { name, connection } = chooseConnection(files, options.connection);
  if (connection.access?.decision === 'second-person' && policy.secondPerson === undefined) throw nobodyGrants(name);
  const upstream = upstreamOf(connection, name, env);
  const identity = settingsFrom(files.config, env);
  if (!identity) throw noIdentity();
  if (!files.config.bucket) throw noBucket();
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
    bucket: files.config.bucket,
  };
}

/** An agent that starts a run of its own would be the one who answers its prompts. */
function refuseInside(env: NodeJS.ProcessEnv): void {
  const run = enclosingRun(env);
  if (run === undefined) return;
  throw new DbguardError('usage', `this is inside of a dbguard run already (${run})`, {
    hint: 'Start the command by itself: its connection is guarded. Another run needs another terminal.',
  });
}

function nobodyGrants(name: string): DbguardError {
  return new DbguardError('config-missing', `connection ${name} is granted by a second person, and none is named`, {
    hint: 'Name them in second_person.approvers, in your own dbguard.yaml or your organisation’s.',
  });
}

function noIdentity(): DbguardError {
  return new DbguardError('config-missing', 'no identity provider is configured', {
    hint: 'Set identity.issuer and identity.client_id in dbguard.yaml, or write the file anew with dbguard init.',
  });
}

function noBucket(): DbguardError {
  return new DbguardError('config-missing', 'no bucket for transcripts is configured', {
    hint: 'Set bucket in dbguard.yaml: file:./folder or s3://bucket/prefix.',
  });
}
