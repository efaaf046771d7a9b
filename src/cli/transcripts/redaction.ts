/** A reviewer takes a text out of somebody's session: found, signed, stored. What is stored stays; readers no longer show it. */
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DbguardError } from '../../errors.js';
import type { Login } from '../../identity/identity.js';
import { loadLogin } from '../../identity/login-source.js';
import { createSession, sessionSigner } from '../../identity/session.js';
import { isSamePerson } from '../../identity/subject.js';
import { openLoginSource } from '../../io/login/oidc-login-source.js';
import { microsecondClock } from '../../io/microsecond-clock.js';
import { openDetails } from '../../io/spool/spool.js';
import type { SessionObjects } from '../../review/catalog.js';
import { readOpening } from '../../review/opening.js';
import { segmentText } from '../../review/read-segment.js';
import { disclosingIn, redactionText, ShownAgain } from '../../review/redact.js';
import type { RedactionTarget } from '../../review/redaction.js';
import { redactionKey, sessionPrefix, subjectHash } from '../../transcript/object-key.js';
import { dbguardVersion } from '../version.js';
import type { TranscriptsSource } from './source.js';

const compress = promisify(gzip);
/** The key signs a handful of lines. */
const KEY_LIFE_MS = 10 * 60_000;

export interface WantedRedaction {
  /** Number of the entry. */
  readonly n: number;
  /** Only this text of it. */
  readonly field: string | undefined;
  readonly reason: string;
}

/**
 * Returns what was done, in sentences.
 *
 * @throws `denied` for the session's own author, `transcript-unknown` where there is nothing to take out
 */
export async function redactEntry(
  env: NodeJS.ProcessEnv,
  transcripts: TranscriptsSource,
  session: SessionObjects,
  { n, field, reason }: WantedRedaction,
): Promise<string[]> {
  const login = await reviewersLogin(env, transcripts);
  // `verify` holds the reviewer against the person whom the opening entry names, not only against the folder.
  const author = (await readOpening(session, transcripts.bucket))?.subject;
  if (subjectHash(login.subject) === session.subject || (author && isSamePerson(login.subject, author))) {
    throw new DbguardError('denied', 'nobody redacts their own session', { hint: 'Ask another reviewer.' });
  }
  const targets = await findTargets(session, transcripts, n, field);
  const key = await store(login, session, transcripts, targets, reason);
  const others = targets.filter(({ n: of }) => of !== n);
  return [
    `Redacted ${targets.map(targetWords).join('; ')}: ${key}`,
    ...(others.some(({ digests }) => 'shown' in digests)
      ? [
          'What a second person was shown of it is gone too; the request in approvals/ has it until the bucket’s own rules let it go.',
        ]
      : []),
    ...(others.some(({ digests }) => !('shown' in digests))
      ? ['Every statement with that text refers to the entry that disclosed it first.']
      : []),
  ];
}

async function reviewersLogin(env: NodeJS.ProcessEnv, { identity }: TranscriptsSource): Promise<Login> {
  if (identity === undefined) {
    throw new DbguardError('config-missing', 'no identity provider is configured', {
      hint: 'A redaction is signed: give --issuer and --client-id, or an identity block in dbguard.yaml.',
    });
  }
  return loadLogin(openLoginSource(env, identity), identity);
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
