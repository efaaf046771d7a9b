/**
 * `dbguard transcripts redact`: a reviewer takes a text out of somebody's session, signed and with a reason. The bucket
 * is write-once, so what is stored stays; readers no longer show it, and `--to` writes a copy without it.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DbguardError } from '../../errors.js';
import { openBucket, parseBucketLocation } from '../../io/bucket/open.js';
import { readOpening } from '../../review/opening.js';
import { segmentText } from '../../review/read-segment.js';
import { withoutRedacted } from '../../review/redact.js';
import { readRedactions } from '../../review/redaction.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import type { OptionsOf } from '../table.js';
import { redactEntry } from '../transcripts/redaction.js';
import {
  findSession,
  identityDemands,
  issuerKeys,
  openTranscripts,
  type TranscriptsSource,
} from '../transcripts/source.js';

const compress = promisify(gzip);

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'transcripts redact'>,
): Promise<number> {
  const n = Number(textOption(options, 'entry'));
  const reason = textOption(options, 'reason');
  if (!Number.isSafeInteger(n) || n < 0 || reason === undefined) {
    throw new DbguardError('usage', 'say which entry, and why', {
      hint: 'dbguard transcripts redact ID --entry 12 --reason "card number"; "show" has the numbers.',
    });
  }
  const transcripts = await openTranscripts(context, options, 'write');
  const session = await findSession(transcripts.bucket, args[0] ?? '');
  const words = await redactEntry(context.env, transcripts, session, {
    n,
    field: textOption(options, 'field'),
    reason,
  });
  for (const sentence of words) context.stdout.write(`${sentence}\n`);
  const to = textOption(options, 'to');
  if (to !== undefined) await copy(context, session.sid, transcripts, options, to);
  return 0;
}

/** Every object of the session, the redacted texts gone. Verifies like the original. */
async function copy(
  context: CommandContext,
  sid: string,
  transcripts: TranscriptsSource,
  options: OptionsOf<'transcripts redact'>,
  to: string,
): Promise<void> {
  const target = await openBucket(parseBucketLocation(to, context.cwd), { env: context.env });
  const source = transcripts.bucket;
  const session = await findSession(source, sid);
  const keys = await issuerKeys(context, options, transcripts);
  const how = { source, keys, demands: await identityDemands(context, options, transcripts), now: Date.now() };
  const author = (await readOpening(session, source))?.subject;
  if (author === undefined) {
    throw new DbguardError('transcript-unknown', `the session's opening entry cannot be read, so nothing was copied`, {
      hint: `"dbguard transcripts verify ${session.sid}" says what is wrong with it.`,
    });
  }
  const redactions = await readRedactions(session, how);
  redactions.authoredBy(author);
  for (const { key } of session.redactions) await target.create(key, await source.read(key));
  for (const { key } of session.segments) {
    const text = withoutRedacted(
      await segmentText(await source.read(key)),
      (...of) => redactions.covers(...of) === 'proven',
    );
    await target.create(key, await compress(text, { level: 1 }));
  }
  context.stdout.write(`Copied without what is redacted: ${target.location}\n`);
}
