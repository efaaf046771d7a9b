/**
 * A session in the list of the terminal browser: what its own ends say of it, how its objects lie in the bucket, and what is
 * odd about it. Nothing here is verified, and nothing here says that it is.
 */
import { subjectName } from '../../identity/subject-name.js';
import type { Verdict } from '../session-report.js';
import type { SessionSummary } from '../summary.js';

export interface ListedSession {
  readonly sid: string;
  /** Hash of the subject, as its folder says. */
  readonly subject: string;
  /** Milliseconds since 1970 UTC. */
  readonly startedAt: number;
  readonly final: boolean;
  readonly statements?: number;
  readonly asked?: number;
  readonly denied?: number;
  readonly person?: string;
  readonly connection?: string;
  readonly environment?: string;
  readonly agent?: string;
  readonly level?: string;
  /** Why it cannot be read. */
  readonly problem?: string;
  /** How its objects lie: digests of names, sizes and times of its segments, and of everything. */
  readonly segments: string;
  readonly listing: string;
  readonly redactions: number;
  readonly strangers: number;
  /** Since an earlier look: its segments are others although it had ended, or it is not there any more. */
  readonly since?: 'changed' | 'gone';
  /** Milliseconds since 1970 UTC: when it was missed first. */
  readonly goneAt?: number;
}

export type Stored = Pick<ListedSession, 'segments' | 'listing' | 'redactions' | 'strangers'>;

export function listedSession({ open, ...summary }: SessionSummary, stored: Stored): ListedSession {
  const { sid, subject, startedAt, final, statements, asked, denied, problem } = summary;
  const said = {
    statements,
    asked,
    denied,
    problem,
    person: open && subjectName(open.subject),
    connection: open?.connection?.name,
    environment: open?.connection?.environment,
    agent: open?.agent,
    level: open?.level,
  };
  const known = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  return { sid, subject, startedAt, final, ...known, ...stored };
}

export function nameOf({ subject, sid }: { readonly subject: string; readonly sid: string }): string {
  return `${subject}/${sid}`;
}

export interface Flag {
  readonly text: string;
  readonly tone: 'bad' | 'waiting' | 'quiet';
}

/** What a reader should know before opening it, the worst first. */
export function flagsOf(session: ListedSession): Flag[] {
  const { since, problem, final, strangers, level, environment, redactions } = session;
  const flags: (Flag | false)[] = [
    since === 'gone' && { text: 'gone from the bucket', tone: 'bad' },
    since === 'changed' && { text: 'changed since its end', tone: 'bad' },
    problem !== undefined && { text: 'unreadable', tone: 'bad' },
    strangers > 0 && { text: 'foreign objects', tone: 'waiting' },
    (level === 'asserted' || level === 'audience') && { text: `identity ${level}`, tone: 'waiting' },
    !final && problem === undefined && { text: 'not sealed', tone: 'waiting' },
    environment === 'production' && { text: 'production', tone: 'quiet' },
    redactions > 0 && { text: 'redacted', tone: 'quiet' },
  ];
  return flags.filter((flag) => flag !== false);
}

export const listFilters = ['everything', 'denied', 'asked', 'not sealed', 'odd', 'not proven'] as const;
export type ListFilter = (typeof listFilters)[number];

/** @param verdict as it was verified here and now, never as anything on the disk says */
export function passes(session: ListedSession, filter: ListFilter, verdict: Verdict | undefined): boolean {
  // a session that crashed has no count: it may be meant
  const some = (count: number | undefined): boolean => count !== 0;
  switch (filter) {
    case 'everything':
      return true;
    case 'denied':
      return some(session.denied);
    case 'asked':
      return some(session.asked);
    case 'not sealed':
      return !session.final;
    case 'odd':
      return verdict === 'invalid' || flagsOf(session).some(({ tone }) => tone === 'bad' || tone === 'waiting');
    case 'not proven':
      return verdict !== 'proven';
  }
}

/** Person, connection, agent, id: each word has to be in one of them. */
export function isFound({ person, connection, agent, sid }: ListedSession, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = [person, connection, agent, sid].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}
