/** Where the commands about transcripts read: which bucket, which issuer keys, what the configuration demands. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { DbguardError, messageOf } from '../../errors.js';
import { openBucket, parseBucketLocation } from '../../io/bucket/open.js';
import { type LoadedConfig, loadConfigs } from '../../io/files/config-files.js';
import { ownTranscripts, stateDirPaths } from '../../io/files/state-dirs.js';
import { keepHeapSmall } from '../../io/small-heap.js';
import { spoolSource } from '../../io/spool/source.js';
import { type CombinedConfig, combineConfigs } from '../../policy/combine.js';
import type { BucketConfig } from '../../policy/read-bucket.js';
import {
  afterAnyId,
  mergeSources,
  type ObjectSource,
  type SessionObjects,
  sessionsWithin,
} from '../../review/catalog.js';
import type { IdentityDemands } from '../../review/identity-demands.js';
import {
  allOf,
  archivedKeys,
  type FoundKeys,
  type IssuerKeySource,
  pinnedKeys,
  unvouched,
} from '../../review/issuer-keys.js';
import { readRevokedKeys } from '../../review/revoked-keys.js';
import { sha256 } from '../../sha256.js';
import type { Bucket } from '../../transcript/entry.js';
import type { HistoryBucket } from '../../transcript/object-history.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import {
  type IdentityFlags,
  type IdentitySettings,
  readersDemands,
  settingsFrom,
} from '../settings/identity-settings.js';
import { ensureTrusted } from '../settings/trusted.js';
import { bucketUse } from '../settings/uses.js';
import type { OptionValues } from '../table.js';

export interface TranscriptsSource {
  readonly bucket: HistoryBucket;
  /** The bucket, and what this machine has not uploaded yet. */
  readonly source: ObjectSource;
  readonly config: CombinedConfig;
  readonly identity: IdentitySettings | undefined;
}

/**
 * Options: `bucket`, `config`, `issuer`, `clientId`. `what`: whether something of this machine's goes there. Throws
 * `config-missing` where no bucket is known, `not-trusted` where only a repository names it.
 */
export async function openTranscripts(
  context: CommandContext,
  options: OptionValues,
  what: 'read' | 'write' = 'read',
): Promise<TranscriptsSource> {
  keepHeapSmall();
  const { cwd, env } = context;
  const sources = loadConfigs({ cwd, env, named: textOption(options, 'config') });
  const config = combineConfigs(sources);
  const identity = settingsFrom(config, env, identityFlags(options));
  const chosen = await chooseBucket(context, options, sources, what);
  const bucket = await openBucket(chosen, { env, ...idTokenOf(env, identity) });
  return { bucket, source: mergeSources(bucket, spoolSource(stateDirPaths(env).state)), config, identity };
}

/** `--bucket`, else the one of dbguard.yaml. Throws `config-missing`, `not-trusted`. */
async function chooseBucket(
  context: CommandContext,
  options: OptionValues,
  sources: readonly LoadedConfig[],
  what: 'read' | 'write',
): Promise<BucketConfig> {
  const named = textOption(options, 'bucket');
  if (named !== undefined) return parseBucketLocation(named, context.cwd);
  const { bucket } = combineConfigs(sources);
  if (bucket !== undefined) {
    await ensureTrusted(context, sources, [bucketUse(bucket, what)]);
    return bucket;
  }
  const own = ownTranscripts(context.env);
  if (existsSync(own.path)) return own;
  throw new DbguardError('config-missing', 'no bucket is configured, and no run has recorded anything here yet', {
    hint: 'Name one in dbguard.yaml (bucket: s3://bucket/prefix or file:./folder), or give --bucket.',
  });
}

/** The bucket that is meant, unopened. Throws as `openTranscripts`. */
export async function namedBucket(context: CommandContext, options: OptionValues): Promise<BucketConfig> {
  const { cwd, env } = context;
  return chooseBucket(context, options, loadConfigs({ cwd, env, named: textOption(options, 'config') }), 'read');
}

/** What `check-bucket` needs; no probe where the bucket is a folder. */
export async function openBucketProbe(context: CommandContext, options: OptionValues) {
  const { cwd, env } = context;
  const sources = loadConfigs({ cwd, env, named: textOption(options, 'config') });
  const identity = settingsFrom(combineConfigs(sources), env);
  const chosen = await chooseBucket(context, options, sources, 'write');
  if (chosen.kind === 'file') {
    return { probe: undefined, location: `file:${resolve(chosen.path)}`, identity, objectLockDays: undefined };
  }
  const { openS3Probe } = await import('../../io/bucket/s3-probe.js');
  const probe = openS3Probe(chosen, { env, ...idTokenOf(env, identity) });
  const location = `s3://${[chosen.bucket, chosen.prefix].filter((part) => part !== '').join('/')}`;
  return { probe, location, identity, objectLockDays: chosen.objectLockDays };
}

/** The developer's own token, renewed when it is near its end, for buckets whose role takes it. */
function idTokenOf(env: NodeJS.ProcessEnv, identity: IdentitySettings | undefined) {
  if (identity === undefined) return {};
  return {
    idToken: async (): Promise<string> => {
      const { openLoginSource } = await import('../../io/login/oidc-login-source.js');
      const { loadLogin } = await import('../../identity/login-source.js');
      return (await loadLogin(openLoginSource(env, identity))).idToken;
    },
  };
}

/** What the reader demands, and the login keys that the archive which `--keys` names has revoked. */
export async function identityDemands(
  context: CommandContext,
  options: OptionValues,
  { config }: TranscriptsSource,
): Promise<IdentityDemands> {
  const demands = readersDemands(config, context.env, identityFlags(options));
  const archive = await namedArchive(context, options);
  return archive === undefined ? demands : { ...demands, revokedKeys: await readRevokedKeys(archive) };
}

function identityFlags(options: OptionValues): IdentityFlags {
  return {
    issuer: textOption(options, 'issuer'),
    clientId: textOption(options, 'clientId'),
    workloadIssuer: textOption(options, 'workloadIssuer'),
  };
}

/** `--keys`: a folder or bucket that `archive-keys` filled, or a file with a key set; else the issuer, and what the bucket has. */
export async function issuerKeys(
  context: CommandContext,
  options: OptionValues,
  { bucket, identity }: TranscriptsSource,
): Promise<IssuerKeySource> {
  const named = textOption(options, 'keys');
  if (named === undefined) {
    // Only configured issuers are asked: an address in a transcript is its writer's choice.
    const live = identity && options.offline !== true ? [liveKeys(identity)] : [];
    return allOf([...live, unvouched(archivedKeys(bucket))]);
  }
  const archive = await namedArchive(context, options);
  if (archive !== undefined) return allOf([archivedKeys(archive)]);
  try {
    return pinnedKeys(readFileSync(resolve(context.cwd, named), 'utf8'), named);
  } catch (error) {
    throw new DbguardError('usage', `${named} holds no issuer keys: ${messageOf(error)}`, {
      hint: 'Give a JSON Web Key Set, or the folder that "dbguard transcripts archive-keys" writes to.',
    });
  }
}

/** Which keys `issuerKeys` takes, in a word: a verdict under others is another. */
export function keysInWords(context: CommandContext, options: OptionValues): string {
  const named = textOption(options, 'keys');
  if (named === undefined) return options.offline === true ? 'offline' : 'live';
  const path = resolve(context.cwd, named);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return `archive ${named.includes('://') ? named : path}`;
  return `file ${sha256(readFileSync(path), 'hex')}`;
}

/** The leads' archive, where `--keys` names one; undefined for a file with a key set, and without the option. */
async function namedArchive(context: CommandContext, options: OptionValues): Promise<Bucket | undefined> {
  const named = textOption(options, 'keys');
  if (named === undefined || statSync(resolve(context.cwd, named), { throwIfNoEntry: false })?.isFile())
    return undefined;
  return openBucket(parseBucketLocation(named, context.cwd), { env: context.env });
}

export function liveKeys(identity: IdentitySettings): IssuerKeySource {
  return {
    keysOf: async (issuer): Promise<FoundKeys[]> => {
      if (issuer !== identity.issuer && !identity.workloadIssuers?.includes(issuer)) return [];
      const { connectIssuer } = await import('../../io/login/oidc-login-source.js');
      const { fetchIssuerKeys } = await import('../../identity/issuer.js');
      const connected = await connectIssuer({ ...identity, issuer }, AbortSignal.timeout(15_000));
      const { keys } = await fetchIssuerKeys(connected);
      return [{ keys, origin: `${issuer} now` }];
    },
  };
}

/**
 * The one session whose id begins with `id`; `<subject hash>/<id>` where two people's sessions have the same, which only
 * happens on purpose. Throws `transcript-unknown`, and `usage` when several do.
 */
export async function findSession(source: ObjectSource, id: string): Promise<SessionObjects> {
  const wanted = id.toLowerCase();
  const found: SessionObjects[] = [];
  const sid = wanted.slice(wanted.indexOf('/') + 1);
  for await (const session of sessionsWithin(source, { first: sid, last: sid + afterAnyId })) {
    const name = wanted.includes('/') ? `${session.subject}/${session.sid}` : session.sid;
    if (name.startsWith(wanted) && session.segments.length > 0) found.push(session);
  }
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined) {
    throw new DbguardError('transcript-unknown', `no session begins with "${id}" in ${source.location}`, {
      hint: 'See dbguard transcripts list; what waits on this machine goes there with dbguard upload.',
    });
  }
  const names = found.slice(0, 5).map(({ sid, subject }) => (sid === wanted ? `${subject}/${sid}` : sid));
  throw new DbguardError('usage', `${found.length} sessions begin with "${id}"`, {
    hint: `Give more of one: ${names.join(', ')}`,
  });
}
