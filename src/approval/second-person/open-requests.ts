/**
 * Which request stands for a statement: the one that this session has open for exactly it, one that an earlier session of the
 * same person has left unused, or a new one.
 *
 * What lives here: the requests of this session by their statements, and when one is too old for the data. What it must
 * not know: statements that wait, journals, what becomes of an answer.
 */
import { randomBytes } from 'node:crypto';
import { DbguardError } from '../../errors.js';
import type { JudgeEvidence } from '../../identity/approval-judge.js';
import type { SecondPersonConfig } from '../../policy/read-second-person.js';
import type { ApprovalRequest } from '../../proxy/statement/asker.js';
import { sha256 } from '../../sha256.js';
import { approvalText, readApproval } from '../../transcript/approval-objects.js';
import type { EnvelopeSigner } from '../../transcript/envelope.js';
import type { Evidence } from '../../transcript/open-entry.js';
import type { ApprovalsClock } from '../approvals.js';
import { lastingKey } from '../statement-key.js';
import { EarlierRequests } from './earlier-requests.js';
import { type ApprovalBucket, demandsOf, putRequest } from './objects.js';
import { OpenRequest } from './open-request.js';
import { exactDigest } from './recognised.js';
import { shownText } from './shown.js';

export interface OpenRequestsParts {
  readonly bucket: ApprovalBucket;
  readonly config: SecondPersonConfig;
  readonly evidence: Evidence;
  readonly sid: string;
  /** The servers that the connection leads to. */
  readonly target: string;
  /** By the session key. */
  readonly signer: EnvelopeSigner;
  readonly judge: JudgeEvidence;
  readonly clock: Pick<ApprovalsClock, 'now'>;
  readonly newId: () => string;
  /** A run may hit so many rows more than was shown. */
  readonly surplusRows: (connection: string) => number;
  /** Told of each request that is new in the bucket. */
  readonly onNew: (id: string, request: ApprovalRequest) => void;
}

/** How long a request is open for answers, milliseconds. */
const OPEN_MS = 8 * 3_600_000;
const MAX_OPEN = 100;

export class OpenRequests {
  readonly #parts: OpenRequestsParts;
  /** By exactly the statement. */
  readonly #open = new Map<string, Promise<OpenRequest>>();
  readonly #earlier: EarlierRequests;

  constructor(parts: OpenRequestsParts) {
    this.#parts = parts;
    this.#earlier = new EarlierRequests({ ...parts, demands: demandsOf(parts.config) });
  }

  /** Rejects where the bucket cannot be reached, or with `limit-exceeded`. @param key see `exactKey` */
  async of(key: string, request: ApprovalRequest, ended: AbortSignal): Promise<OpenRequest> {
    const known = await this.#open.get(key)?.catch(() => undefined);
    if (known && this.#suits(request, known) && !(await this.#isTooOld(known))) return known;
    if (this.#open.size >= MAX_OPEN) {
      throw new DbguardError('limit-exceeded', `${MAX_OPEN} requests of this session are open already`);
    }
    const opening = this.#earlierOrNew(request, ended);
    this.#open.set(key, opening);
    opening.catch(() => {
      if (this.#open.get(key) === opening) this.#open.delete(key);
    });
    return opening;
  }

  /** It is settled, or was used: the next statement like it is asked about anew. */
  delete(key: string): void {
    this.#open.delete(key);
  }

  async #earlierOrNew(request: ApprovalRequest, ended: AbortSignal): Promise<OpenRequest> {
    const suits = (open: OpenRequest): boolean => this.#suits(request, open);
    const found = await this.#earlier.find(request, this.#parts.clock.now(), suits);
    return found ?? this.#publish(request, ended);
  }

  /** Nothing runs on it, and the data has not moved beyond what was shown: that would void it. */
  #suits(request: ApprovalRequest, { taken, estimatedRows: shown }: OpenRequest): boolean {
    if (taken) return false;
    const now = request.impact.estimatedRows;
    if (now === undefined || shown === undefined) return now === shown;
    return now <= shown + this.#parts.surplusRows(request.connection);
  }

  async #isTooOld(open: OpenRequest): Promise<boolean> {
    const { bucket, judge, clock } = this.#parts;
    const standing = await open.standing(bucket, judge, clock.now());
    return standing === 'over' || standing === 'expired';
  }

  async #publish(request: ApprovalRequest, ended: AbortSignal): Promise<OpenRequest> {
    const { bucket, sid, config, evidence, clock, signer, target, newId, onNew } = this.#parts;
    const id = newId();
    const at = clock.now();
    const salt = randomBytes(17).toString('base64url').slice(0, 22);
    const lasting = lastingKey(request, target);
    const shown = shownText(request, salt, lasting && (await exactDigest(lasting, salt)));
    const claims = {
      ...{ id, sid, at, expiresAt: at + OPEN_MS, shown: sha256(shown, 'base64url'), connection: request.connection },
      ...(request.ruling.as ? { role: request.ruling.as.role } : {}),
      demands: demandsOf(config),
      who: evidence,
    };
    const text = approvalText('request', claims, signer);
    await putRequest(bucket, id, text, shown, ended);
    onNew(id, request);
    const { estimatedRows } = request.impact;
    return new OpenRequest({ request: readApproval('request', text), text, shown, estimatedRows });
  }
}
