/**
 * Redactions: a reviewer's own short session, stored beside the one that it is about, says which disclosures may be
 * missing. It is verified like any session; a person cannot redact what they did themselves.
 */

import { messageOf } from '../errors.js';
import type { Subject } from '../identity/identity.js';
import { isSamePerson } from '../identity/subject.js';
import { subjectName } from '../identity/subject-name.js';
import type { BucketObject, Entry, EntryBody } from '../transcript/entry.js';
import type { Findings } from '../transcript/finding.js';
import { isRecord } from '../transcript/line.js';
import { parseObjectKey, subjectHash } from '../transcript/object-key.js';
import { SessionVerifier } from '../transcript/verify.js';
import type { SessionObjects } from './catalog.js';
import { identify } from './identify.js';
import { readAhead } from './read-ahead.js';
import { isAboutContent } from './read-segment.js';
import { type SegmentLines, segmentLines } from './segment-lines.js';
import type { Pieces } from './unpacked.js';
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

/** `unproven`: nothing is wrong with the redaction, but the keys of its issuer are not at hand. */
export type Redacted = 'proven' | 'unproven';

export interface Redactions {
  /** Tells whose session it is, as soon as that is known: nobody redacts their own, under whatever account. Until then nothing is covered. */
  authoredBy(author: Subject): void;
  covers(n: number, name: string, digest: string): Redacted | undefined;
  /** Says what was found about the redactions themselves. */
  report(findings: Findings): void;
}

interface Read {
  readonly key: string;
  readonly covered: readonly string[];
  readonly by: Subject;
  readonly reasons: readonly string[];
  /** Why nobody can say whether it is by who it names. */
  readonly doubt?: string;
}

/**
 * A redaction that cannot be read or trusted covers nothing: it is a foreign object. Rejects only when the bucket cannot
 * be read.
 */
export async function readRedactions(
  session: SessionObjects,
  options: VerifyOptions,
  onForeign: (key: string, why: string) => void = () => undefined,
): Promise<Redactions> {
  let counting: Read[] = [];
  for await (const { object, bytes, problem } of readAhead(session.redactions, options.source)) {
    const one = bytes === undefined ? problem : await readOne(object, bytes, session, options);
    if (typeof one === 'object') counting.push(one);
    else onForeign(object.key, one ?? '');
  }
  let covered: ReadonlyMap<string, Redacted> = new Map();
  return {
    authoredBy(author) {
      for (const { key } of counting.filter(({ by }) => isSamePerson(by, author))) {
        onForeign(key, doesNotCount('a person redacted their own session'));
      }
      counting = counting.filter(({ by }) => !isSamePerson(by, author));
      covered = coveredByAll(counting);
    },
    covers: (n, name, digest) => covered.get(coverKey(n, name, digest)),
    report(findings) {
      for (const { covered, by, reasons, doubt } of counting) {
        const who = subjectName(by);
        const what = `${covered.length} of its texts: ${reasons.join('; ')}`;
        if (doubt === undefined) findings.note('redacted', `${who} redacted ${what}`);
        else findings.note('redaction-unproven', `${who} is said to have redacted ${what}. Not proven: ${doubt}`);
      }
    },
  };
}

function coveredByAll(redactions: readonly Read[]): ReadonlyMap<string, Redacted> {
  const all = new Map<string, Redacted>();
  for (const { covered, doubt } of redactions) {
    for (const key of covered) if (doubt === undefined || !all.has(key)) all.set(key, doubt ? 'unproven' : 'proven');
  }
  return all;
}

/** The reason when it does not count. */
async function readOne(
  { key, createdAt }: BucketObject,
  bytes: Uint8Array | Pieces,
  session: SessionObjects,
  options: VerifyOptions,
): Promise<Read | string> {
  const lines = readable(bytes);
  if (typeof lines === 'string') return lines;
  // said first: who signed what is of no interest where it takes nothing out
  if (!(await speaksOf(lines, session.sid))) return doesNotCount('it takes nothing out of this session');
  const covered: string[] = [];
  const reasons = new Set<string>();
  const sid = parseObjectKey(key)?.redaction ?? '';
  let level: string | undefined;
  const verifier = new SessionVerifier({
    sid,
    purpose: 'redaction',
    identify: async (open, openedAt, findings) => {
      const times = { openedAt, storedAt: createdAt };
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
    await lines.each((line, passed) => verifier.line(line, passed));
    await verifier.end();
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    return messageOf(error);
  }
  const by = verifier.open?.subject;
  const doubt = level === undefined ? doubtOf(verifier) : undefined;
  const problem =
    problemOf(verifier, doubt === undefined ? level : 'nonce') ??
    (by !== undefined && subjectHash(by) === session.subject ? 'a person redacted their own session' : undefined) ??
    (covered.length === 0 ? 'it takes nothing out of this session' : undefined);
  if (problem !== undefined || by === undefined) return doesNotCount(problem ?? 'it has no opening entry');
  return { key, covered, by, reasons: [...reasons], ...(doubt === undefined ? {} : { doubt }) };
}

/** The reason when it is none. */
function readable(bytes: Uint8Array | Pieces): SegmentLines | string {
  try {
    return segmentLines(bytes);
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    return messageOf(error);
  }
}

async function speaksOf(lines: SegmentLines, sid: string): Promise<boolean> {
  let speaks = false;
  await lines
    .each((line) => {
      speaks = line.includes(sid);
      return !speaks;
    })
    .catch((error: unknown) => {
      if (!isAboutContent(error)) throw error;
    });
  return speaks;
}

function doesNotCount(why: string): string {
  return `a redaction that does not count: ${why}`;
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

/** What keeps the identity from being proven, where nothing speaks against it. */
function doubtOf({ findings }: SessionVerifier): string | undefined {
  return findings.list.find(({ code }) => code === 'identity-unproven')?.message;
}

function coveredBy(entry: Entry, sid: string): string[] {
  const { session, of, digests } = entry.fields;
  if (entry.k !== 'redaction' || session !== sid || typeof of !== 'number' || !isRecord(digests)) return [];
  return Object.entries(digests).map(([name, digest]) => coverKey(of, name, String(digest)));
}

function coverKey(n: number, name: string, digest: string): string {
  return `${n} ${digest} ${name}`;
}
