/**
 * Requests that other sessions of the same person have put into the bucket and not used: a verdict that came too late for
 * the session that asked lets the statement run in the next one.
 *
 * What lives here: which of them is about exactly this statement, and asks as much of those who answer as today's policy. What it
 * must not know: statements that wait, journals. All that it reads is attacker-controlled: who writes to the bucket can
 * put anything there.
 */
import { isDeepStrictEqual } from 'node:util';
import { DbguardError } from '../../errors.js';
import { type JudgeEvidence, judgeRequest, LONGEST_OPEN_MS } from '../../identity/approval-judge.js';
import type { ApprovalRequest } from '../../proxy/statement/asker.js';
import { sha256 } from '../../sha256.js';
import type { ApprovalDemands } from '../../transcript/approval-objects.js';
import type { Evidence } from '../../transcript/open-entry.js';
import { lastingKey } from '../statement-key.js';
import { type ApprovalBucket, readRequest, requestsSince } from './objects.js';
import { type Answered, OpenRequest } from './open-request.js';
import { exactDigest } from './recognised.js';
import { readShown, type ShownFields } from './shown.js';

export interface EarlierParts {
  readonly bucket: ApprovalBucket;
  readonly judge: JudgeEvidence;
  readonly evidence: Evidence;
  /** Of the session that looks. */
  readonly sid: string;
  readonly demands: ApprovalDemands;
  /** Where the connection leads. */
  readonly target: string;
}

/** One of the same person's. */
interface Own {
  readonly open: OpenRequest;
  readonly shown: ShownFields;
}

/** Each is read once: a bucket full of others' costs no more than that. */
const MOST_READ = 300;
const AT_ONCE = 8;

export class EarlierRequests {
  readonly #parts: EarlierParts;
  /** What lies under an id never changes; undefined for those that cannot be meant. */
  readonly #read = new Map<string, Own | undefined>();
  /** Denials that this session has heard of. */
  readonly #told = new Set<string>();

  constructor(parts: EarlierParts) {
    this.#parts = parts;
  }

  /**
   * The newest that nobody has used, and that is open, approved, or denied and not told here yet. Rejects with `bucket-unreachable`.
   * @param suits whether the data is still what was shown
   */
  async find(
    request: ApprovalRequest,
    now: number,
    suits: (open: OpenRequest) => boolean,
  ): Promise<OpenRequest | undefined> {
    const { bucket, judge, target } = this.#parts;
    const key = lastingKey(request, target);
    if (key === undefined) return undefined;
    for (const { open, shown } of await this.#own(now)) {
      if (!suits(open) || !showsIt(shown, request)) continue;
      if ((await exactDigest(key, shown.salt)) !== shown.exact) continue;
      const look = await open.look(bucket, judge, now);
      if (look.kind === 'approved' || (look.kind === 'waiting' && now <= open.request.claims.expiresAt)) return open;
      if (look.kind === 'denied' && this.#isNews(open.id, look.by, now)) return open;
    }
    return undefined;
  }

  /** The session that asked may have ended before it was denied: this one hears of it, once. */
  #isNews(id: string, by: readonly Answered[], now: number): boolean {
    const { validFor } = this.#parts.demands;
    if (this.#told.has(id) || !by.some(({ verdict }) => now <= verdict.claims.at + validFor)) return false;
    this.#told.add(id);
    return true;
  }

  /** Newest first. */
  async #own(now: number): Promise<readonly Own[]> {
    const found = await requestsSince(this.#parts.bucket, now - LONGEST_OPEN_MS, now);
    const unused = [...found].filter(([, { claimed }]) => !claimed).map(([id]) => id);
    const newest = unused.reverse().slice(0, MOST_READ);
    const unread = newest.filter((id) => !this.#read.has(id));
    for (let from = 0; from < unread.length; from += AT_ONCE) {
      const read = unread.slice(from, from + AT_ONCE).map(async (id) => this.#read.set(id, await this.#readOne(id)));
      await Promise.all(read);
    }
    return newest.flatMap((id) => this.#read.get(id) ?? []);
  }

  async #readOne(id: string): Promise<Own | undefined> {
    const { bucket, judge, evidence, sid, demands } = this.#parts;
    try {
      const { request, text, shown } = await readRequest(bucket, id);
      const { claims } = request;
      const { iss, sub } = claims.who.subject;
      if (iss !== evidence.subject.iss || sub !== evidence.subject.sub || claims.sid === sid) return undefined;
      if (!isDeepStrictEqual(claims.demands, demands)) return undefined;
      if (sha256(shown, 'base64url') !== claims.shown) return undefined;
      const fields = readShown(shown);
      const { exact, impact, connection, ruling } = fields;
      if (exact === undefined || connection !== claims.connection || ruling.as?.role !== claims.role) return undefined;
      const { faults, doubts } = await judgeRequest(request, judge, evidence.subject);
      if (faults.length + doubts.length > 0) return undefined;
      const { estimatedRows } = impact;
      return { open: new OpenRequest({ request, text, shown, estimatedRows }), shown: fields };
    } catch (error) {
      if (error instanceof DbguardError && unusable.has(error.code)) return undefined;
      throw error;
    }
  }
}

/** Whoever approved has seen this statement, whatever the digest beside it says. */
function showsIt(shown: ShownFields, request: ApprovalRequest): boolean {
  const visible = (one: ShownFields | ApprovalRequest): unknown[] => {
    const { sql, bindValues, runs, connection, database, user, searchPath } = one;
    const { rule, as, connects } = one.ruling;
    const { role, access, lacking, reason } = as ?? {};
    return [
      sql,
      bindValues,
      runs,
      connection,
      database,
      user,
      searchPath,
      rule,
      role,
      access,
      lacking,
      reason,
      connects?.forMs,
    ];
  };
  return isDeepStrictEqual(visible(shown), visible(request));
}

const unusable: ReadonlySet<string> = new Set(['transcript-invalid', 'transcript-unknown']);
