/** What a person is asked about one statement, put together; and the answer where the client does not wait for it. */
import type { Admission, Candidate, ConnectionContext } from '../candidate.js';
import { boundElsewhere, digestOf, meaningOf } from '../session-state/session-digest.js';
import type { Answer, ApprovalRequest, Impact } from './asker.js';
import { cleanImpact, type Told } from './secret-keeper.js';

export interface Asking {
  readonly id: string;
  readonly candidate: Candidate;
  readonly admission: Admission;
  readonly context: ConnectionContext;
  readonly impact: Impact;
  /** The statement without its secrets. */
  readonly told: Told;
  readonly original: string | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly askedAt: number;
  readonly expiresAt: number;
}

export function approvalRequest(asking: Asking): ApprovalRequest {
  const { id, candidate, admission, context, impact, told, original, askedAt, expiresAt } = asking;
  const soFar = candidate.transaction?.soFar;
  return {
    id,
    sid: context.sid,
    entry: admission.n,
    connectionNumber: context.number,
    agent: context.agent,
    subject: context.subject,
    connection: context.connection,
    database: context.database,
    user: userWords(context),
    ...(context.environment ? { environment: context.environment } : {}),
    ...(candidate.searchPath === undefined || boundElsewhere(candidate) ? {} : { searchPath: candidate.searchPath }),
    sessionDigest: digestOf(candidate),
    ...(admission.ruling.decision !== 'second-person' || told.hides ? {} : { meaning: meaningOf(candidate) }),
    sql: told.sql,
    bindValues: told.bind,
    ...(original === undefined ? {} : { original }),
    ...(told.runs.length > 0 ? { runs: told.runs } : {}),
    facts: candidate.facts,
    ruling: admission.ruling,
    transactionStatus: candidate.transactionStatus,
    ...(soFar ? { soFar } : {}),
    ...askedFor(admission),
    impact: told.hides ? cleanImpact(impact, told.clean) : impact,
    askedAt,
    expiresAt,
  };
}

function askedFor({ intent }: Admission): Pick<ApprovalRequest, 'asked'> {
  return intent?.asked === undefined ? {} : { asked: { text: intent.asked, fits: intent.fit !== 'other' } };
}

/** For the approver: who the server takes the client for. */
function userWords({ user, login, role }: ConnectionContext): string {
  const more = [...(user === login ? [] : [`login ${login}`]), ...(role === undefined ? [] : [`role ${role}`])];
  return more.length === 0 ? user : `${user} (${more.join(', ')})`;
}

/** Settles when the client cancelled or left, whatever the asker does about it. */
export function interrupted(signal: AbortSignal): Promise<Answer> {
  const answer = (): Answer => ({
    decision: 'deny',
    by: { kind: signal.reason === 'cancel' ? 'cancel' : 'disconnect' },
  });
  if (signal.aborted) return Promise.resolve(answer());
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(answer()), { once: true }));
}
