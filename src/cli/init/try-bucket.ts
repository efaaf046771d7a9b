/** Where transcripts go, written to: what is written to try it out is taken away again where that is allowed. */
import { randomBytes } from 'node:crypto';
import { existsSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import { loadLogin } from '../../identity/login-source.js';
import { parseBucketLocation } from '../../io/bucket/open.js';
import { makeFolders } from '../../io/files/make-folders.js';
import { ownTranscripts } from '../../io/files/state-dirs.js';
import { LOCAL_PROFILE } from '../../io/login/local-logins.js';
import { openLoginSource } from '../../io/login/oidc-login-source.js';
import { existingTokenStore } from '../../io/login/token-store.js';
import type { S3BucketConfig } from '../../policy/read-bucket.js';
import { checkBucket } from '../../review/bucket-checks.js';
import { subjectHash } from '../../transcript/object-key.js';
import type { CommandContext } from '../command.js';
import { failure, type Line, ok, warning } from '../doctor/check.js';
import type { IdentitySettings } from '../settings/identity-settings.js';

export async function tryBucket(
  { env, cwd }: CommandContext,
  value: string,
  identity: IdentitySettings | undefined,
): Promise<Line[]> {
  const where = value === '' ? ownTranscripts(env) : parseBucketLocation(value, cwd);
  return where.kind === 'file' ? tryFolder(resolve(cwd, where.path), value !== '') : tryS3(where, env, identity);
}

function tryFolder(path: string, chosen: boolean): Line[] {
  const made = firstMissing(path);
  const probe = join(path, `.partial-${randomBytes(8).toString('hex')}`);
  try {
    makeFolders(path);
    writeFileSync(probe, 'dbguard tries this folder\n', { flag: 'wx', mode: 0o600 });
    rmSync(probe);
  } catch (error) {
    throw new DbguardError('bucket-unreachable', `cannot write to ${path}: ${reasonOf(error)}`, {
      hint: 'Choose a folder that you may write to.',
    });
  } finally {
    if (made !== undefined) removeEmpty(path, made);
  }
  const text = `${path} can be written to`;
  return [
    ok(text),
    ...(chosen
      ? [
          warning(
            'whoever can write there can delete from it',
            'Name a bucket with Object Lock for anything that matters.',
          ),
        ]
      : []),
  ];
}

function firstMissing(path: string): string | undefined {
  let missing: string | undefined;
  for (let folder = path; !existsSync(folder); folder = dirname(folder)) missing = folder;
  return missing;
}

function removeEmpty(path: string, last: string): void {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch {
      return;
    }
    if (folder === last) return;
  }
}

async function tryS3(
  bucket: S3BucketConfig,
  env: NodeJS.ProcessEnv,
  identity: IdentitySettings | undefined,
): Promise<Line[]> {
  const { openS3Probe } = await import('../../io/bucket/s3-probe.js');
  const subject = await writer(env, identity);
  const { checks, left } = await checkBucket(openS3Probe(bucket, { env }), {
    id: `${new Date().toISOString().slice(0, 10)}-${randomBytes(6).toString('hex')}`,
    ...(subject === undefined ? {} : { subject }),
  });
  const hint = 'dbguard transcripts check-bucket';
  const lines = checks.map(({ holds, label, text }) => {
    if (holds === 'yes') return ok(`${label}: ${text}`);
    return holds === 'no' ? failure(`${label}: ${text}`, hint) : warning(`${label}: ${text}`, hint);
  });
  const untried = subject === undefined ? [warning('nothing was written: nobody is logged in yet', hint)] : [];
  return [...untried, ...lines, ...left.map((key) => warning(`stays there, and verification knows it: ${key}`))];
}

/** The folder of whoever would write: the provider's login, or the key of this machine. None is made for this. */
async function writer(env: NodeJS.ProcessEnv, identity: IdentitySettings | undefined): Promise<string | undefined> {
  try {
    const login = identity
      ? await loadLogin(openLoginSource(env, identity), identity)
      : await existingTokenStore(env)?.get(LOCAL_PROFILE);
    return login && subjectHash(login.subject);
  } catch {
    return undefined;
  }
}
