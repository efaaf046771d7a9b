/** `dbguard transcripts ddl`: external tables over the same objects, for an engine of the reader's own. Prints, asks nobody. */
import { resolve } from 'node:path';
import { DbguardError } from '../../errors.js';
import type { BucketConfig } from '../../policy/read-bucket.js';
import { ddlFor } from '../../review/views/ddl.js';
import type { ObjectsPlace } from '../../review/views/ddl-dialects.js';
import { type EngineName, engineNames } from '../../review/views/ddl-engines.js';
import type { CommandContext } from '../command.js';
import type { OptionsOf } from '../table.js';
import { namedBucket } from '../transcripts/source.js';

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'transcripts ddl'>,
): Promise<number> {
  const engine = engineNames.find((name) => name === args[0]);
  if (engine === undefined)
    throw new DbguardError('usage', `name an engine: ${engineNames.join(', ')}`, {
      hint: 'As in: dbguard transcripts ddl athena > tables.sql',
    });
  const place = placeOf(await namedBucket(context, options), engine, context.cwd);
  context.stdout.write(ddlFor(engine, place));
  return 0;
}

/** How each engine names the bucket. Throws `usage` for what it cannot read, or a name that would end a text of SQL. */
function placeOf(bucket: BucketConfig, engine: EngineName, cwd: string): ObjectsPlace {
  const root = rootOf(bucket, engine, cwd);
  if (/['\\\n]/.test(root)) throw new DbguardError('usage', 'the bucket has a quote or a backslash in its name');
  return { kind: bucket.kind, root };
}

function rootOf(bucket: BucketConfig, engine: EngineName, cwd: string): string {
  if (bucket.kind === 'file') {
    if (engine === 'clickhouse') return resolve(cwd, bucket.path);
    if (engine === 'trino') return `file://${resolve(cwd, bucket.path)}`;
    throw new DbguardError('usage', `${engine} reads no folder of this machine`, {
      hint: 'Give the bucket with --bucket s3://bucket/prefix.',
    });
  }
  const path = [bucket.bucket, bucket.prefix].filter((part) => part !== '').join('/');
  if (engine === 'clickhouse') {
    const endpoint = bucket.endpoint ?? `https://s3.${bucket.region ?? 'us-east-1'}.amazonaws.com`;
    return `${endpoint.replace(/\/$/, '')}/${path}`;
  }
  return `${engine === 'bigquery' ? 'gs' : 's3'}://${path}`;
}
