/**
 * A page's sessions verified where it is opened: the same verifier as in the command line (review/verify-session.ts), its
 * ports on WebCrypto. What only whoever made the page could see is told apart from what was checked here.
 */
import type { JsonWebKeySet } from '../../identity/signed-claims.js';
import type { Entry } from '../../transcript/entry.js';
import { EarlierEntries } from '../earlier-entries.js';
import { type ProofLine, proofLines } from '../proof-words.js';
import { type SessionReport, withFindings } from '../session-report.js';
import { type TimelineItem, timelineItem } from '../timeline.js';
import { verifySession } from '../verify-session.js';
import { objectsOf, type PageData, type PageSession, pageKeys, pageSource } from './page-data.js';

/** One entry, for people. Texts are attacker-controlled. */
export interface PageItem {
  readonly session: number;
  readonly item: TimelineItem;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly disclosed: Readonly<Record<string, unknown>>;
  /** As the parser read it, also where an earlier entry says so. */
  readonly facts: unknown;
}

export interface VerifiedSession {
  readonly session: PageSession;
  readonly report: SessionReport;
  readonly proof: readonly ProofLine[];
}

export interface PageVerification {
  readonly onItem?: (item: PageItem) => Promise<void> | void;
  readonly ownKeys?: JsonWebKeySet | undefined;
}

export async function verifyPage(data: PageData, { onItem, ownKeys }: PageVerification): Promise<VerifiedSession[]> {
  const source = pageSource(data);
  const keys = pageKeys(data, ownKeys);
  const { demands, madeAt: now, retentionDays, keeping } = data;
  const how = { source, keys, demands, now, ...(retentionDays === undefined ? {} : { retentionDays }) };
  const verified: VerifiedSession[] = [];
  for (const [place, session] of data.sessions.entries()) {
    const [earlier, known] = [new EarlierEntries(), new EarlierEntries()];
    const onEntry = (entry: Entry, disclosed: Readonly<Record<string, unknown>>) => {
      const item = timelineItem(entry, disclosed, earlier);
      const { facts } = known.meant(entry, disclosed);
      return onItem?.({ session: place, item, fields: withoutTokens(entry.fields), disclosed, facts });
    };
    const alone = await verifySession(objectsOf(session), { ...how, onEntry });
    const report = withFindings(alone, session.between);
    verified.push({ session, report, proof: proofLines(report, keeping) });
  }
  return verified;
}

/** A token may still be good for a login elsewhere: it is verified, not shown. */
const tokens: ReadonlySet<string> = new Set(['idToken', 'accessToken', 'certificate', 'proof', 'gateway']);

function withoutTokens(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !tokens.has(name)));
}
