/**
 * `dbguard transcripts check-bucket`: does the bucket keep what is stored there, and refuse what would rewrite it? Tries
 * it out with small objects that are no transcripts, and names what it leaves. Exit code 0 all holds, 1 something does
 * not, 2 something could not be found out.
 */
import { randomBytes } from 'node:crypto';
import { DbguardError } from '../../errors.js';
import type { Login } from '../../identity/identity.js';
import { loadLogin } from '../../identity/login-source.js';
import { openLoginSource } from '../../io/login/oidc-login-source.js';
import { type BucketCheck, type BucketChecks, checkBucket } from '../../review/bucket-checks.js';
import { subjectHash, subjectPrefix } from '../../transcript/object-key.js';
import type { CommandContext } from '../command.js';
import { outputStyleFor } from '../print/text.js';
import { shown } from '../print/untrusted-text.js';
import type { OptionsOf } from '../table.js';
import { openBucketProbe } from '../transcripts/source.js';

const exitCodes: Readonly<Record<BucketCheck['holds'], number>> = { yes: 0, no: 1, unknown: 2 };
const marks = { yes: ['green', '✓'], no: ['red', '✗'], unknown: ['magenta', '?'] } as const;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'transcripts check-bucket'>,
): Promise<number> {
  const { probe, location, identity, objectLockDays } = await openBucketProbe(context, options);
  const login = options.readOnly === true || probe === undefined ? undefined : await writersLogin(context, identity);
  const subject = login === undefined ? undefined : subjectHash(login.subject);
  const id = `${new Date().toISOString().slice(0, 10)}-${randomBytes(6).toString('hex')}`;
  const found: BucketChecks =
    probe === undefined
      ? { checks: [folder], left: [] }
      : await checkBucket(probe, {
          id,
          ...(subject === undefined ? {} : { subject }),
          ...(objectLockDays === undefined ? {} : { objectLockDays }),
        });
  if (options.json === true) context.stdout.write(`${JSON.stringify({ bucket: location, ...found }, undefined, 2)}\n`);
  else context.stdout.write(text(context, location, subject, found));
  const worst = (['no', 'unknown'] as const).find((answer) => found.checks.some(({ holds }) => holds === answer));
  return exitCodes[worst ?? 'yes'];
}

/** Nothing to try out: the file system lets an owner do everything. */
const folder: BucketCheck = {
  holds: 'no',
  label: 'write-once',
  text: 'a folder can be changed and emptied by whoever may write there, and keeps no versions; use S3 with Object Lock for anything that matters',
};

async function writersLogin(
  { env }: CommandContext,
  identity: Awaited<ReturnType<typeof openBucketProbe>>['identity'],
): Promise<Login> {
  const hint = 'Log in to try out what a writer may do, or ask for the settings alone: --read-only';
  if (identity === undefined) throw new DbguardError('config-missing', 'no identity provider is configured', { hint });
  try {
    return await loadLogin(openLoginSource(env, identity), identity);
  } catch (error) {
    if (error instanceof DbguardError && error.code === 'login-required') {
      throw new DbguardError('login-required', error.message, { hint, cause: error });
    }
    throw error;
  }
}

function text(context: CommandContext, location: string, subject: string | undefined, found: BucketChecks): string {
  const output = outputStyleFor(context);
  const lines = [output.style('bold', `bucket ${shown(location)}`)];
  for (const { holds, label, text } of found.checks) {
    const [style, mark] = marks[holds];
    lines.push(output.fold(`  ${output.style(style, mark)} ${label.padEnd(11)} ${text}`, 16));
  }
  if (subject !== undefined) lines.push(`Your folder is ${subjectPrefix(subject)}`);
  if (found.left.length > 0) {
    const what = found.left.length === 1 ? 'This probe stays' : 'These probes stay';
    lines.push(`${what} in the bucket, verification knows ${found.left.length === 1 ? 'it' : 'them'}:`);
    for (const key of found.left) lines.push(`  ${key}`);
  }
  return `${lines.join('\n')}\n`;
}
