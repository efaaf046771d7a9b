/**
 * Redactions: a reviewer's own short session, stored beside the one that it is about, says which disclosures may be
 * missing. It is verified like any session; a person cannot redact what they did themselves.
 */
import { messageOf } from '../errors.js';
import type { Subject } from '../identity/identity.js';
import { isSamePerson } from '../identity/subject.js';
import type { BucketObject, Entry, EntryBody } from '../transcript/entry.js';
import type { Findings } from '../transcript/finding.js';
import { isRecord } from '../transcript/line.js';
import { parseObjectKey, subjectHash } from '../transcript/object-key.js';
import { SessionVerifier } from '../transcript/verify.js';
import type { SessionObjects } from './catalog.js';
import { identify } from './identify.js';
import { readOpening } from './opening.js';
import { isAboutContent, linesOf, segmentText } from './read-segment.js';
import type { VerifyOptions } from './verify-options.js';

export interface RedactionTarget {
  readonly sid: string;
  readonly n: number;
  /** Digest of each disclosure that goes, by its name. */
  readonly digests: Readonly<Record<string, string>>;
}

export function redactionEntry(target: RedactionTarget, reason: string): EntryBody {
  return { k: 'redaction', session: target.sid, of: target.n, digests: target.digests, reason };
}

export interface Redactions {
  covers(n: number, name: string, digest: string): boolean;
  /** Says what was found about the redactions themselves. */
  report(findings: Findings): void;
}

interface Read {
  readonly key: string;
  readonly covered: readonly string[];
  readonly by?: Subject;
  readonly reasons?: readonly string[];
  readonly problem?: string;
}

/** Never rejects: a redaction that cannot be read or trusted covers nothing and is reported. */
export async function readRedactions(session: SessionObjects, options: VerifyOptions): Promise<Redactions> {
  const author = session.redactions.length === 0 ? undefined : (await readOpening(session, options.source))?.subject;
  const read = await Promise.all(session.redactions.map((object) => readOne(object, session, author, options)));
  const covered = new Set(read.flatMap((one) => (one.problem === undefined ? one.covered : [])));
  return {
    covers: (n, name, digest) => covered.has(coverKey(n, name, digest)),
    report(findings) {
      for (const { key, covered, by, reasons, problem } of read) {
        const who = by?.email ?? by?.sub ?? 'nobody';
        if (problem !== undefined) findings.fail('redaction-invalid', `${key}: ${problem}`);
        else findings.note('redacted', `${who} redacted ${covered.length} of its texts: ${reasons?.join('; ')}`);
      }
    },
  };
}

async function readOne(
  object: BucketObject,
  session: SessionObjects,
  author: Subject | undefined,
  options: VerifyOptions,
): Promise<Read> {
  const { key } = object;
  const covered: string[] = [];
  const reasons = new Set<string>();
  const sid = parseObjectKey(key)?.redaction ?? '';
  let level: string | undefined;
  const verifier = new SessionVerifier({
    sid,
    identify: async (open, openedAt, findings) => {
      const times = { openedAt, storedAt: object.createdAt };
      const result = await identify(sid, open, times, findings, options.keys, options.demands);
      level = result.level;
      return result;
    },
    onEntry: (entry) => {
      const own = coveredBy(entry, session.sid);
      covered.push(...own);
      if (own.length > 0 && typeof entry.fields.reason === 'string') reasons.add(entry.fields.reason);
    },
  });
  try {
    for (const line of linesOf(await segmentText(await options.source.read(key)))) await verifier.line(line);
    await verifier.end();
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    return { key, covered: [], problem: messageOf(error) };
  }
  const by = verifier.open?.subject;
  const own = by !== undefined && (subjectHash(by) === session.subject || (author && isSamePerson(by, author)));
  const problem =
    problemOf(verifier, level) ??
    (own ? 'a person redacted their own session' : undefined) ??
    (covered.length === 0 ? 'it takes nothing out of this session' : undefined);
  return { key, covered, ...(by ? { by } : {}), ...(problem === undefined ? { reasons: [...reasons] } : { problem }) };
}

function problemOf(verifier: SessionVerifier, level: string | undefined): string | undefined {
  const { findings, open, final } = verifier;
  const failure = findings.list.find((finding) => finding.severity === 'failure');
  if (failure) return `the redaction does not verify: ${failure.message}`;
  if (!open || level === undefined) return 'who redacted is not proven';
  if (level !== 'nonce' && level !== 'dpop') return 'the reviewer’s key is not bound to their login';
  if (!final) return 'the redaction is not sealed';
  return undefined;
}

function coveredBy(entry: Entry, sid: string): string[] {
  const { session, of, digests } = entry.fields;
  if (entry.k !== 'redaction' || session !== sid || typeof of !== 'number' || !isRecord(digests)) return [];
  return Object.entries(digests).map(([name, digest]) => coverKey(of, name, String(digest)));
}

function coverKey(n: number, name: string, digest: string): string {
  return `${n} ${digest} ${name}`;
}
