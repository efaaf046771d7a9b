/**
 * `dbguard transcripts archive-keys`: keeps the public keys of today, of the issuer of people and of every issuer of workloads, for verification after they have rotated.
 * Run it daily, as somebody whom developers cannot impersonate, into a place where they cannot write.
 */
import { createHash } from 'node:crypto';
import { DbguardError } from '../../errors.js';
import type { IssuerKey } from '../../identity/identity.js';
import { fetchIssuerKeys } from '../../identity/issuer.js';
import { openBucket, parseBucketLocation } from '../../io/bucket/open.js';
import { connectIssuer } from '../../io/login/oidc-login-source.js';
import type { Bucket } from '../../transcript/entry.js';
import { issuerKeysPrefix } from '../../transcript/object-key.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { shown } from '../print/untrusted-text.js';
import { type IdentitySettings, identitySettings } from '../settings/identity-settings.js';
import type { OptionsOf } from '../table.js';
import { openTranscripts } from '../transcripts/source.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'transcripts archive-keys'>,
): Promise<number> {
  const settings = await identitySettings(context, options);
  const to = textOption(options, 'to');
  const bucket =
    to === undefined
      ? (await openTranscripts(context, options)).bucket
      : await openBucket(parseBucketLocation(to, context.cwd), { env: context.env });
  // one that is away today must not keep the others' keys from the archive
  let failure: DbguardError | undefined;
  for (const issuer of new Set([settings.issuer, ...(settings.workloadIssuers ?? [])])) {
    try {
      const keys = await keysNow({ ...settings, issuer });
      for (const name of await archive(bucket, issuer, keys)) context.stdout.write(`${shown(name)}\n`);
    } catch (error) {
      if (!(error instanceof DbguardError) || error.code.startsWith('bucket-')) throw error;
      if (failure !== undefined) context.stderr.write(`dbguard: ${shown(failure.message)}\n`);
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  return 0;
}

async function keysNow(settings: IdentitySettings): Promise<readonly IssuerKey[]> {
  const { keys } = await fetchIssuerKeys(await connectIssuer(settings, AbortSignal.timeout(15_000)));
  if (keys.length === 0) throw new DbguardError('login-failed', `${settings.issuer} publishes no keys`);
  return keys;
}

/** The names of what is there now. */
async function archive(bucket: Pick<Bucket, 'create'>, issuer: string, keys: readonly IssuerKey[]): Promise<string[]> {
  const names: string[] = [];
  for (const key of keys) {
    const text = JSON.stringify(key);
    // Named by content too: an issuer that gives one kid to two keys must not make us lose either.
    const mark = createHash('sha256').update(text).digest('hex').slice(0, 16);
    const kid = (key.kid ?? 'key').replace(/[^\w-]/g, '_').slice(0, 80);
    const name = `${issuerKeysPrefix(issuer)}${kid}-${mark}.json`;
    await bucket.create(name, Buffer.from(text));
    names.push(name);
  }
  return names;
}
