/**
 * A second person's objects as they lie in the bucket: written once, and read by people who trust neither it nor each
 * other.
 *
 * What lives here: which bytes are put where, and how they are read again. What it must not know: whose answer counts.
 */
import { DbguardError } from '../../errors.js';
import type { SecondPersonConfig } from '../../policy/read-second-person.js';
import {
  type ApprovalDemands,
  approvalFolder,
  claimKey,
  parseApprovalKey,
  type ReadObject,
  readApproval,
  requestKey,
  requestPrefixes,
  verdictKey,
} from '../../transcript/approval-objects.js';
import type { Bucket, BucketObject } from '../../transcript/entry.js';
import { subjectHash } from '../../transcript/object-key.js';

export type ApprovalBucket = Pick<Bucket, 'location' | 'create' | 'read' | 'list'>;

/** A request with the text that says what is asked. */
export interface StoredRequest {
  readonly request: ReadObject<'request'>;
  /** The envelope. */
  readonly text: string;
  readonly shown: string;
}

/** What lies there for one request. */
export interface Standing {
  readonly verdicts: readonly BucketObject[];
  readonly claimed: boolean;
}

/** Both in milliseconds. */
export function demandsOf({ approvers, min, level, maxLoginAgeMs, validForMs }: SecondPersonConfig): ApprovalDemands {
  return { approvers, min, level, maxAge: maxLoginAgeMs, validFor: validForMs };
}

/** Bytes of an object; a request has up to 250,000 characters of a statement. */
const MAX_BYTES = 8 * 1024 * 1024;

export function putRequest(bucket: ApprovalBucket, id: string, envelope: string, shown: string, signal: AbortSignal) {
  return bucket.create(requestKey(id), Buffer.from(`${envelope}\n${shown}`), signal);
}

/** Rejects with `bucket-conflict` where this person has answered before. */
export function putVerdict(bucket: ApprovalBucket, envelope: string): Promise<void> {
  const { claims } = readApproval('verdict', envelope);
  return bucket.create(verdictKey(claims.id, subjectHash(claims.who.subject)), Buffer.from(envelope));
}

/** The compare-and-swap: rejects with `bucket-conflict` where the approval was used already. */
export function putClaim(bucket: ApprovalBucket, id: string, envelope: string, signal: AbortSignal): Promise<void> {
  return bucket.create(claimKey(id), Buffer.from(envelope), signal);
}

/** Rejects with `transcript-unknown` where there is none, `transcript-invalid` where it is none. */
export async function readRequest(bucket: ApprovalBucket, id: string): Promise<StoredRequest> {
  const text = await textOf(bucket, requestKey(id));
  const end = text.indexOf('\n');
  if (end === -1) throw new DbguardError('transcript-invalid', 'the request does not say what is asked');
  const envelope = text.slice(0, end);
  const request = readApproval('request', envelope);
  if (request.claims.id !== id) throw new DbguardError('transcript-invalid', 'the request lies under another id');
  return { request, text: envelope, shown: text.slice(end + 1) };
}

/** Throws `transcript-invalid` for one that lies under somebody else's name. */
export async function readVerdict(
  bucket: ApprovalBucket,
  { key }: BucketObject,
): Promise<{ text: string; verdict: ReadObject<'verdict'> }> {
  const text = await textOf(bucket, key);
  const verdict = readApproval('verdict', text);
  if (parseApprovalKey(key)?.subject !== subjectHash(verdict.claims.who.subject))
    throw new DbguardError('transcript-invalid', 'the verdict lies under somebody else’s name');
  return { text, verdict };
}

export async function standingOf(bucket: ApprovalBucket, id: string): Promise<Standing> {
  const verdicts: BucketObject[] = [];
  let claimed = false;
  for await (const object of bucket.list(approvalFolder(id))) {
    const part = parseApprovalKey(object.key)?.part;
    if (part === 'verdict') verdicts.push(object);
    else if (part === 'claim') claimed = true;
  }
  return { verdicts, claimed };
}

/** Requests since `from`, oldest first: what lies there for each, by id. Times in milliseconds since 1970 UTC. */
export async function requestsSince(
  bucket: ApprovalBucket,
  from: number,
  to: number,
): Promise<ReadonlyMap<string, Standing>> {
  const found = new Map<string, { verdicts: BucketObject[]; claimed: boolean; asked: boolean }>();
  for (const prefix of requestPrefixes(from, to)) {
    for await (const object of bucket.list(prefix)) {
      const named = parseApprovalKey(object.key);
      if (named === undefined) continue;
      const one = found.get(named.id) ?? { verdicts: [], claimed: false, asked: false };
      found.set(named.id, one);
      if (named.part === 'verdict') one.verdicts.push(object);
      else if (named.part === 'claim') one.claimed = true;
      else one.asked = true;
    }
  }
  return new Map([...found].filter(([, { asked }]) => asked));
}

async function textOf(bucket: ApprovalBucket, key: string): Promise<string> {
  const bytes = await bucket.read(key);
  if (bytes.length > MAX_BYTES) throw new DbguardError('transcript-invalid', `${key} is too long`);
  return Buffer.from(bytes).toString('utf8');
}
