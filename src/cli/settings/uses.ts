/** What a command is about to use of the files' settings, each with what of the person's goes there (policy/trust.ts). */
import { carriedTo } from '../../io/upstream/carried.js';
import type { UpstreamConfig } from '../../io/upstream/config.js';
import { type CombinedConfig, combineConfigs, type PolicySource } from '../../policy/combine.js';
import type { BucketConfig } from '../../policy/read-bucket.js';
import type { ConnectionConfig } from '../../policy/read-connection.js';
import type { IdentityConfig } from '../../policy/read-identity.js';
import { claimOf, type Unsaid, type Use } from '../../policy/trust.js';
import { singleLine } from '../../untrusted-text.js';
import { upstreamOf } from './connection.js';
import { sessionUsers } from './loopback-users.js';

export interface DatabaseUse extends Use {
  /** The connection string itself decides who the server is. */
  readonly leads: boolean;
}

export async function databaseUse(
  name: string,
  connection: ConnectionConfig,
  upstream: UpstreamConfig,
): Promise<DatabaseUse> {
  const { own, further } = sessionUsers(connection, upstream);
  const others = new Map([own, ...further].map((user) => [user.as.login, user.upstream]));
  others.delete(upstream.user);
  const use = await carriedTo(upstream, connection.url);
  const more = await Promise.all(
    [...others].map(async ([login, config]) => {
      const { to, carries } = await carriedTo(config, connection.url, login);
      return carries.map((what) => `${what} (${to})`);
    }),
  );
  return { about: `connections.${name}`, ...use, carries: [...use.carries, ...more.flat()] };
}

/** The login's token, which goes only where a server asks for it. */
export function tokenUse(database: DatabaseUse): Use {
  return { ...database, carries: database.leads ? ['your token'] : [] };
}

/** A repository's `default_connection` that picks among the connections of the person's own file. */
export function choiceUse(
  { connections, sources }: Pick<CombinedConfig, 'connections' | 'sources'>,
  { name, connection, wanted }: { name: string; connection: ConnectionConfig; wanted: string | undefined },
): Use[] {
  const own = sources.some(
    ({ level, config }) => level !== 'repository' && config.connections.get(name) === connection,
  );
  if (wanted !== undefined || !own || connections.size < 2) return [];
  return [{ about: 'default_connection', to: `the connection "${singleLine(name, 60)}"`, carries: ['the agent'] }];
}

/**
 * To write takes the transcripts there. To read sends nothing to the owner of an S3 bucket: the service alone sees the
 * request. At another endpoint its owner does, and a role takes the ID token.
 */
export function bucketUse(bucket: BucketConfig, what: 'write' | 'read'): Use {
  const transcripts = what === 'write' ? ['the transcripts'] : [];
  if (bucket.kind === 'file') {
    return { about: 'bucket', to: `the folder ${singleLine(bucket.path, 200)}`, carries: transcripts, local: true };
  }
  const { endpoint, roleArn, prefix } = bucket;
  const keys = endpoint === undefined && what === 'read' ? [] : ['requests with your AWS credentials'];
  const carries = [...transcripts, ...(roleArn === undefined ? keys : [`your ID token for ${roleArn}`])];
  const at = endpoint === undefined ? '' : ` at ${singleLine(endpoint, 200)}`;
  return {
    about: 'bucket',
    to: `s3://${bucket.bucket}${prefix === '' ? '' : `/${singleLine(prefix, 100)}`}${at}`,
    carries,
  };
}

export function loginUse({ issuer, clientId }: IdentityConfig): Use {
  return {
    about: 'identity',
    to: `${singleLine(issuer, 200)} as the client ${singleLine(clientId, 60)}`,
    carries: ['your login'],
  };
}

/** Everything that a repository's file among `sources` leads somewhere, whether a command would use it now or not. */
export async function claimsOf(sources: readonly PolicySource[], env: NodeJS.ProcessEnv): Promise<Unsaid[]> {
  const config = combineConfigs(sources);
  const { identity, bucket, connections, defaultConnection } = config;
  const databases = [...connections].map(([name, connection]) =>
    databaseUse(name, connection, upstreamOf(connection, name, env)),
  );
  const chosen = defaultConnection === undefined ? undefined : connections.get(defaultConnection);
  const uses = [
    ...(identity ? [loginUse(identity)] : []),
    ...(await Promise.all(databases)),
    ...(defaultConnection !== undefined && chosen
      ? choiceUse(config, { name: defaultConnection, connection: chosen, wanted: undefined })
      : []),
    ...(bucket ? [bucketUse(bucket, 'write')] : []),
  ];
  return uses.flatMap((use) => claimOf(use, sources) ?? []);
}
