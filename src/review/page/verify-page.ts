/**
 * A page's sessions verified where it is opened: the same verifier as in the command line (review/verify-session.ts), its
 * ports on WebCrypto. What only whoever made the page could see is told apart from what was checked here.
 */
import type { JsonWebKeySet } from '../../identity/signed-claims.js';
import { type ProofLine, proofLines } from '../proof-words.js';
import { itemReader, type ReadItem } from '../read-item.js';
import type { Recording } from '../recordings.js';
import { type SessionReport, withFindings } from '../session-report.js';
import { verifySession } from '../verify-session.js';
import { objectsOf, type PageData, type PageSession, pageKeys, pageSource } from './page-data.js';

export interface VerifiedSession {
  readonly session: PageSession;
  readonly report: SessionReport;
  readonly proof: readonly ProofLine[];
  /** What its chain says of recordings. */
  readonly recordings: readonly Recording[];
}

export interface PageVerification {
  readonly onItem?: (item: ReadItem) => Promise<void> | void;
  readonly ownKeys?: JsonWebKeySet | undefined;
}

export async function verifyPage(data: PageData, { onItem, ownKeys }: PageVerification): Promise<VerifiedSession[]> {
  const source = pageSource(data);
  const keys = pageKeys(data, ownKeys);
  const { demands, madeAt: now, retentionDays, keeping } = data;
  const how = { source, keys, demands, now, ...(retentionDays === undefined ? {} : { retentionDays }) };
  const verified: VerifiedSession[] = [];
  for (const [place, session] of data.sessions.entries()) {
    const read = itemReader(place);
    const alone = await verifySession(objectsOf(session), {
      ...how,
      onEntry: (entry, disclosed) => onItem?.(read(entry, disclosed)),
    });
    const report = withFindings(alone, session.between);
    verified.push({ session, report, proof: proofLines(report, keeping), recordings: report.recordings ?? [] });
  }
  return verified;
}
