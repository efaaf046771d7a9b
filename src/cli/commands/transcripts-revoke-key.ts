/**
 * `dbguard transcripts revoke-key`: a lead declares that nobody may sign with a login key any more, because a machine was
 * lost or a person has left. The issuer cannot say this of a key that it has signed, so the leads' archive does.
 */
import { DbguardError } from '../../errors.js';
import { thumbprint } from '../../identity/binding.js';
import { openBucket, parseBucketLocation } from '../../io/bucket/open.js';
import { readOpening } from '../../review/opening.js';
import { revocationObject } from '../../review/revoked-keys.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { shown } from '../print/untrusted-text.js';
import type { OptionsOf } from '../table.js';
import { findSession, openTranscripts } from '../transcripts/source.js';

/** RFC 7638, base64url: what `whoami` shows as the key. */
const THUMBPRINT = /^[\w-]{43}$/;

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'transcripts revoke-key'>,
): Promise<number> {
  const [id = ''] = args;
  const [to, reason] = [textOption(options, 'to'), textOption(options, 'reason')];
  if (to === undefined || reason === undefined) {
    throw new DbguardError('usage', 'say why, and in which archive to write it', {
      hint: `dbguard transcripts revoke-key ${shown(id)} --reason "laptop stolen" --to s3://leads-only/`,
    });
  }
  const since = readTime(textOption(options, 'since'));
  const key = THUMBPRINT.test(id) ? id : await keyOfSession(context, options, id);
  const archive = await openBucket(parseBucketLocation(to, context.cwd), { env: context.env });
  const { key: name, content } = revocationObject({ thumbprint: key, since, reason });
  await archive.create(name, content);
  const time = new Date(since).toISOString().slice(0, 16).replace('T', ' ');
  context.stdout.write(
    `Revoked ${key} from ${time} UTC: ${name}\n` +
      `Verify with --keys ${to}. The person logs in again for a new key; to lock them out, end their sessions at the issuer.\n`,
  );
  return 0;
}

async function keyOfSession(
  context: CommandContext,
  options: OptionsOf<'transcripts revoke-key'>,
  id: string,
): Promise<string> {
  const { bucket } = await openTranscripts(context, options);
  const session = await findSession(bucket, id);
  const open = await readOpening(session, bucket);
  if (open !== undefined) return thumbprint(open.loginKey);
  throw new DbguardError('transcript-invalid', `the opening entry of session ${session.sid} cannot be read`, {
    hint: 'Give the key itself: 43 characters, which "dbguard whoami" shows to its owner.',
  });
}

function readTime(text: string | undefined): number {
  const time = text === undefined ? Date.now() : Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new DbguardError('usage', '--since is no time', { hint: 'Write it as 2026-11-23T08:00Z.' });
}
