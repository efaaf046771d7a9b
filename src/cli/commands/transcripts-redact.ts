/**
 * `dbguard transcripts redact`: a reviewer takes a text out of somebody's session, signed and with a reason. The bucket
 * is write-once, so what is stored stays; readers no longer show it, and `--to` writes a copy without it.
 */
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DbguardError } from '../../errors.js';
import type { Login } from '../../identity/identity.js';
import { loadLogin } from '../../identity/login-source.js';
import { createSession, sessionSigner } from '../../identity/session.js';
import { isSamePerson } from '../../identity/subject.js';
import { openBucket, parseBucketLocation } from '../../io/bucket/open.js';
import { openLoginSource } from '../../io/login/oidc-login-source.js';
import { microsecondClock } from '../../io/microsecond-clock.js';
import { openDetails } from '../../io/spool/spool.js';
import type { SessionObjects } from '../../review/catalog.js';
import { readOpening } from '../../review/opening.js';
import { segmentText } from '../../review/read-segment.js';
import { disclosingIn, redactionText, ShownAgain, withoutRedacted } from '../../review/redact.js';
import { type RedactionTarget, readRedactions } from '../../review/redaction.js';
import { redactionKey, sessionPrefix, subjectHash } from '../../transcript/object-key.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import type { OptionsOf } from '../table.js';
import {
  findSession,
  identityDemands,
  issuerKeys,
  openTranscripts,
  type TranscriptsSource,
} from '../transcripts/source.js';
import { dbguardVersion } from '../version.js';

const compress = promisify(gzip);
/** The key signs a handful of lines. */
const KEY_LIFE_MS = 10 * 60_000;

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
  const login = await reviewersLogin(context, transcripts);
  // `verify` holds the reviewer against the person whom the opening entry names, not only against the folder.
  const author = (await readOpening(session, transcripts.bucket))?.subject;
  if (subjectHash(login.subject) === session.subject || (author && isSamePerson(login.subject, author))) {
    throw new DbguardError('denied', 'nobody redacts their own session', { hint: 'Ask another reviewer.' });
  }
  const targets = await findTargets(session, transcripts, n, textOption(options, 'field'));
  const key = await store(login, session, transcripts, targets, reason);
  context.stdout.write(`Redacted ${targets.map(targetWords).join('; ')}: ${key}\n`);
  if (targets.some(({ n: of, digests }) => of !== n && 'shown' in digests)) {
    context.stdout.write(
      'What a second person was shown of it is gone too; the request in approvals/ has it until the bucket’s own rules let it go.\n',
    );
  }
  if (targets.some(({ n: of, digests }) => of !== n && !('shown' in digests))) {
    context.stdout.write('Every statement with that text refers to the entry that disclosed it first.\n');
  }
  const to = textOption(options, 'to');
  if (to !== undefined) await copy(context, session.sid, transcripts, options, to);
  return 0;
}

async function reviewersLogin(context: CommandContext, { identity }: TranscriptsSource): Promise<Login> {
  if (identity === undefined) {
    throw new DbguardError('config-missing', 'no identity provider is configured', {
      hint: 'A redaction is signed: give --issuer and --client-id, or an identity block in dbguard.yaml.',
    });
  }
  return loadLogin(openLoginSource(context.env, identity), identity);
}

/** Disclosures that stand in what a second person is shown, too. */
const shownFields: ReadonlySet<string> = new Set(['sql', 'bind', 'said']);

/** Of the entry, and of the one whose text it has. */
async function findTargets(
  session: SessionObjects,
  { bucket }: TranscriptsSource,
  n: number,
  field: string | undefined,
): Promise<readonly RedactionTarget[]> {
  const find = async (entry: number, name = field) => {
    for (const { key } of session.segments) {
      const found = disclosingIn(await segmentText(await bucket.read(key)), session.sid, entry, name);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const found = await find(n);
  const text = found?.textOf === undefined ? undefined : await find(found.textOf, 'sql');
  const shown: RedactionTarget[] = [];
  const again = new ShownAgain(session.sid, n);
  for (const { key } of field === undefined || shownFields.has(field) ? session.segments : []) {
    shown.push(...again.in(await segmentText(await bucket.read(key))));
  }
  const targets = [found?.target, text?.target, ...shown].flatMap((target) =>
    target !== undefined && Object.keys(target.digests).length > 0 ? [target] : [],
  );
  if (targets.length > 0) return targets;
  throw new DbguardError('transcript-unknown', `entry ${n} has nothing ${field ? `called ${field} ` : ''}to redact`, {
    hint: `See dbguard transcripts show ${session.sid} --json`,
  });
}

function targetWords({ n, digests }: RedactionTarget): string {
  return `${Object.keys(digests).join(', ')} of entry ${n}`;
}

async function store(
  login: Login,
  session: SessionObjects,
  { bucket }: TranscriptsSource,
  targets: readonly RedactionTarget[],
  reason: string,
): Promise<string> {
  const credential = createSession(login, { now: Date.now(), lifetimeMs: KEY_LIFE_MS });
  const agent = 'dbguard transcripts redact';
  const open = openDetails({ credential, version: dbguardVersion, agent });
  const reviewer = { sid: credential.sid, signer: sessionSigner(credential), open };
  const text = redactionText(reviewer, targets, reason, { now: microsecondClock(), randomBytes });
  const key = redactionKey(sessionPrefix(session.subject, session.sid), credential.sid);
  await bucket.create(key, await compress(text, { level: 1 }));
  return key;
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
