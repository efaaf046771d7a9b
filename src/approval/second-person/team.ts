/**
 * What a team waits for, as one of it sees it: requests of others, each proven, drawn from the statement itself, with
 * what keeps this person from answering it.
 *
 * What lives here: from objects to something that can be shown and answered. What it must not know: terminals, files,
 * where keys come from.
 */
import { DbguardError, messageOf } from '../../errors.js';
import {
  type JudgeEvidence,
  judgeRequest,
  judgeVerdict,
  LONGEST_OPEN_MS,
  mayApprove,
} from '../../identity/approval-judge.js';
import { isSamePerson } from '../../identity/subject.js';
import type { ApprovalRequest } from '../../proxy/statement/asker.js';
import { sha256 } from '../../sha256.js';
import type { Facts } from '../../sql/facts.js';
import { approvalText, type ReadObject, readApproval } from '../../transcript/approval-objects.js';
import type { EnvelopeSigner } from '../../transcript/envelope.js';
import { subjectHash } from '../../transcript/object-key.js';
import type { Evidence } from '../../transcript/open-entry.js';
import { singleLine } from '../../untrusted-text.js';
import { notShownWhole, type Preview, previewText } from '../preview.js';
import { type ApprovalBucket, putVerdict, readRequest, requestsSince, type Standing } from './objects.js';
import { OpenRequest } from './open-request.js';
import { type OwnView, readShown, requestShown, teamPreview } from './shown.js';

export interface TeamRequest {
  readonly id: string;
  readonly request: ReadObject<'request'>;
  readonly about: ApprovalRequest;
  readonly preview: Preview;
  /** Why this person cannot approve it; undefined where they can. */
  readonly obstacle: string | undefined;
  /** How many have approved it, of those who may. */
  readonly approvals: number;
  /** This person has. */
  readonly answered: boolean;
}

export interface TeamParts {
  readonly bucket: ApprovalBucket;
  readonly judge: JudgeEvidence;
  /** Whoever looks. */
  readonly evidence: Evidence;
  readonly sid: string;
  readonly signer: EnvelopeSigner;
  readonly factsOf: (sql: string) => Facts;
  /** The tables of a statement as whoever looks can see them for themselves. Never rejects. */
  readonly ownView: (about: ApprovalRequest) => Promise<OwnView>;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
}

/** What was read of one request; `why` it is not to be believed, `yet` where that may change. */
type Known = (Pick<TeamRequest, 'request' | 'about' | 'preview' | 'obstacle'> & { open: OpenRequest }) | Refused;

interface Refused {
  readonly why: string;
  readonly yet?: true;
}

export class Team {
  readonly #parts: TeamParts;
  /** What lies under an id never changes. */
  readonly #known = new Map<string, Known>();

  constructor(parts: TeamParts) {
    this.#parts = parts;
  }

  /** Requests that nobody believes, each with the reason. */
  get refused(): readonly { readonly id: string; readonly why: string }[] {
    return [...this.#known].flatMap(([id, known]) => ('why' in known ? [{ id, why: known.why }] : []));
  }

  /** What is open, oldest first. Rejects with `bucket-unreachable`. */
  async waiting(): Promise<TeamRequest[]> {
    const { bucket, evidence, now } = this.#parts;
    const found = await requestsSince(bucket, now() - LONGEST_OPEN_MS, now());
    const own = subjectHash(evidence.subject);
    const open: TeamRequest[] = [];
    for (const [id, standing] of found) {
      if (standing.claimed) continue;
      const before = this.#known.get(id);
      const known = before === undefined || 'yet' in before ? await this.#read(id) : before;
      if (known === undefined || 'why' in known || known.request.claims.expiresAt < now()) continue;
      const { open: asked, ...shown } = known;
      if (await this.#isOver(asked, standing)) continue;
      open.push({ id, ...shown, approvals: asked.approvals, answered: isAnsweredBy(own, standing) });
    }
    return open;
  }

  /** The open request whose id ends so. Throws `approval-unknown`. */
  async find(end: string): Promise<TeamRequest> {
    const found = (await this.waiting()).filter(({ id }) => id.endsWith(end.toLowerCase()));
    const [only, another] = found;
    if (only && !another) return only;
    if (another) {
      const hint = `Give more of it: ${found.map(({ id }) => id).join(', ')}`;
      throw new DbguardError('approval-unknown', `several requests end with ${end}`, { hint });
    }
    const refused = this.refused.find(({ id }) => id.endsWith(end.toLowerCase()));
    const why = refused ? `: ${refused.why}` : '';
    throw new DbguardError('approval-unknown', `no request ${end} of your team is open${why}`, {
      hint: 'It may have been used, or is over. "dbguard approvals --team" lists what is open.',
    });
  }

  /** Throws `denied` where this person cannot answer it, `approval-unknown` where they have. */
  async answer(
    { id, request, about, preview, obstacle }: TeamRequest,
    decision: 'allow' | 'deny',
    reason?: string,
  ): Promise<void> {
    const { bucket, evidence, sid, signer, judge, now } = this.#parts;
    if (decision === 'allow' && obstacle !== undefined) throw cannot(obstacle);
    const text = approvalText(
      'verdict',
      {
        ...{ id, sid, request: request.digest, decision, at: now() },
        ...(reason === undefined ? {} : { reason }),
        seen: sha256(previewText(about, preview), 'base64url'),
        who: evidence,
      },
      signer,
    );
    // whoever asked will hold it against the same rules
    const { faults, doubts } = await judgeVerdict(readApproval('verdict', text), request, judge);
    const [fault] = [...faults, ...doubts];
    if (fault !== undefined) throw cannot(fault);
    try {
      await putVerdict(bucket, text);
    } catch (error) {
      if (!(error instanceof DbguardError) || error.code !== 'bucket-conflict') throw error;
      throw new DbguardError('approval-unknown', 'you have answered this request already', { cause: error });
    }
  }

  /** Nobody's answer changes anything any more. */
  async #isOver(asked: OpenRequest, standing: Standing): Promise<boolean> {
    const { bucket, judge, now } = this.#parts;
    if (standing.verdicts.length === 0) return false;
    // what cannot be read now does not hide a request
    const look = await asked.lookAt(standing, bucket, judge, now()).catch(() => undefined);
    return look?.kind === 'denied' || look?.kind === 'used' || look?.kind === 'over';
  }

  /** Undefined where the bucket does not have it after all. */
  async #read(id: string): Promise<Known | undefined> {
    const known = await this.#judged(id).catch((error: unknown) => {
      const code = error instanceof DbguardError ? error.code : undefined;
      if (code === 'transcript-invalid') return { why: messageOf(error) };
      if (code === 'transcript-unknown') return undefined;
      throw error;
    });
    if (known) this.#known.set(id, known);
    return known;
  }

  async #judged(id: string): Promise<Known> {
    const { bucket, judge, evidence, factsOf, ownView } = this.#parts;
    const stored = await readRequest(bucket, id);
    const { request, shown } = stored;
    const { claims } = request;
    if (sha256(shown, 'base64url') !== claims.shown) return { why: 'what it shows is not what was signed' };
    const { faults, doubts } = await judgeRequest(request, judge);
    if (faults[0] !== undefined) return { why: faults[0] };
    if (doubts[0] !== undefined) return { why: doubts[0], yet: true };
    const fields = readShown(shown);
    if (fields.ruling.as?.role !== claims.role) return { why: 'it shows another role than was signed' };
    const about = requestShown(fields, claims, factsOf);
    const own = about.ruling.connects ? undefined : await ownView(about);
    const preview = teamPreview(about, claims, own);
    const open = new OpenRequest({ ...stored, estimatedRows: about.impact.estimatedRows });
    return { request, about, preview, obstacle: obstacleOf(about, request, evidence), open };
  }
}

function obstacleOf(about: ApprovalRequest, { claims }: ReadObject<'request'>, evidence: Evidence): string | undefined {
  if (isSamePerson(evidence.subject, claims.who.subject)) return 'nobody approves what they ask for themselves';
  if (!mayApprove(claims.demands.approvers, evidence)) {
    return `it is for ${singleLine(claims.demands.approvers.join(', '), 200)}`;
  }
  const part = notShownWhole(about);
  return part === undefined ? undefined : `it cannot be shown whole: ${part}`;
}

function isAnsweredBy(subject: string, { verdicts }: Standing): boolean {
  return verdicts.some(({ key }) => key.endsWith(`verdict-${subject}`));
}

function cannot(why: string): DbguardError {
  const hint = /login was older/.test(why)
    ? 'Log in again: dbguard login'
    : 'Somebody who is named for it has to answer: an approval is a second person’s.';
  return new DbguardError('denied', `you cannot answer this request: ${why}`, { hint });
}
