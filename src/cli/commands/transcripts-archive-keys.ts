/**
 * `dbguard transcripts archive-keys`: keeps the issuer's public keys of today, for verification after they have rotated.
 * Run it daily, as somebody whom developers cannot impersonate, into a place where they cannot write.
 */
import { createHash } from 'node:crypto';
import { DbguardError } from '../../errors.js';
import { fetchIssuerKeys } from '../../identity/issuer.js';
import { openBucket, parseBucketLocation } from '../../io/bucket/open.js';
import { connectIssuer } from '../../io/login/oidc-login-source.js';
import { issuerKeysPrefix } from '../../transcript/object-key.js';
import type { CommandContext, OptionValues } from '../command.js';
import { textOption } from '../options.js';
import { shown } from '../print/untrusted-text.js';
import { identitySettings } from '../settings/identity-settings.js';
import { openTranscripts } from '../transcripts/source.js';

export async function run(context: CommandContext, _args: readonly string[], options: OptionValues): Promise<number> {
  const settings = await identitySettings(context, options);
  const to = textOption(options, 'to');
  const bucket =
    to === undefined
      ? (await openTranscripts(context, options)).bucket
      : await openBucket(parseBucketLocation(to, context.cwd), { env: context.env });
  const { keys } = await fetchIssuerKeys(await connectIssuer(settings));
  if (keys.length === 0) throw new DbguardError('login-failed', `${settings.issuer} publishes no keys`);
  for (const key of keys) {
    const text = JSON.stringify(key);
    // Named by content too: an issuer that gives one kid to two keys must not make us lose either.
    const mark = createHash('sha256').update(text).digest('hex').slice(0, 16);
    const kid = (key.kid ?? 'key').replace(/[^\w-]/g, '_').slice(0, 80);
    const name = `${issuerKeysPrefix(settings.issuer)}${kid}-${mark}.json`;
    await bucket.create(name, Buffer.from(text));
    context.stdout.write(`${shown(name)}\n`);
  }
  return 0;
}
