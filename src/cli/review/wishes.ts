/** What the browser's reader wants done: sessions read and verified, pages written, texts redacted. */
import { resolve } from 'node:path';
import { DbguardError, messageOf } from '../../errors.js';
import type { BrowserEvent } from '../../review/browser/browser-events.js';
import type { Verified, Want } from '../../review/browser/browser-state.js';
import { listedSession, nameOf } from '../../review/browser/listed-session.js';
import { listSessions, type ObjectSource, type SessionObjects } from '../../review/catalog.js';
import { heldRecordings } from '../../review/held-recordings.js';
import { compareWithNeighbours } from '../../review/neighbours.js';
import { type ProofLine, proofLines, recordingChanged, verdictWords } from '../../review/proof-words.js';
import { itemReader } from '../../review/read-item.js';
import { readAnswer } from '../../review/recorded-answer.js';
import type { OpenSealed, Recording } from '../../review/recordings.js';
import { type SessionReport, withFindings } from '../../review/session-report.js';
import { type Row, Rows } from '../../review/statement-rows.js';
import { endsOf, summarise } from '../../review/summary.js';
import { openVerifierPool } from '../../review/verifier-pool.js';
import { verifyAll } from '../../review/verify-all.js';
import type { VerifyOptions } from '../../review/verify-options.js';
import { verifySession } from '../../review/verify-session.js';
import { sha256 } from '../../sha256.js';
import { sessionPrefix } from '../../transcript/object-key.js';
import { grouped } from '../../words.js';
import { pageName, pageOf, writePage } from '../transcripts/page-file.js';
import { redactEntry } from '../transcripts/redaction.js';
import type { TranscriptsSource } from '../transcripts/source.js';
import { storedAs } from './list-bucket.js';

export type Tell = (event: BrowserEvent) => void;

export interface Reading {
  readonly transcripts: TranscriptsSource;
  /** The bucket alone: whoever wrote the local spool could still change it. */
  readonly verify: Omit<VerifyOptions, 'onEntry' | 'now'> & { readonly source: ObjectSource };
}

/** Rows that are held: what is behind them is for `transcripts show`. */
const mostRows = 200_000;
/** Milliseconds between two tellings. */
const tellMs = 150;

/** Reads a session row by row, which verifies it. */
export async function openSession({ verify }: Reading, name: string, tell: Tell, isOpen: () => boolean): Promise<void> {
  const session = await sessionNamed(verify.source, name);
  const rows = new Rows();
  const read = itemReader(0);
  const { size } = sizeOf(session);
  let told = performance.now();
  const report = await verifySession(session, {
    ...verify,
    now: Date.now(),
    onEntry: async (entry, disclosed) => {
      if (rows.all.length < mostRows) rows.add(read(entry, disclosed));
      if (performance.now() - told < tellMs) return;
      if (!isOpen()) throw new Left();
      tell({ kind: 'rows', name, rows: [...rows.all], done: false });
      await new Promise((go) => setImmediate(go));
      told = performance.now();
    },
  });
  const last =
    rows.all.length >= mostRows
      ? `Only its first ${grouped(mostRows)} rows are here; transcripts show has all.`
      : undefined;
  tell({ kind: 'rows', name, rows: rows.all as readonly Row[], done: true, recording: recordingOf(report) });
  if (last !== undefined && size > 0) tell({ kind: 'notice', notice: { text: last, tone: 'plain' } });
  await verified(session, report, verify, tell);
}

function recordingOf({ recordings = [] }: SessionReport): Recording | undefined {
  return recordings.find(({ stream }) => stream === 'results');
}

/** Fetches what was recorded of a statement. @param open undefined where the reader has no key */
export async function fetchAnswer(
  { verify }: Reading,
  { name, recording, row }: Extract<Want, { kind: 'answer' }>,
  open: OpenSealed | undefined,
  tell: Tell,
): Promise<void> {
  const [subject = '', sid = ''] = name.split('/');
  const recorded = await readAnswer({ subject, sid }, recording, verify.source, open, row);
  tell({ kind: 'answer', row, recorded });
}

/** The reader has gone back to the list. */
export class Left extends Error {}

export async function verifyOne({ verify }: Reading, name: string, tell: Tell): Promise<void> {
  const session = await sessionNamed(verify.source, name);
  const now = Date.now();
  const report = await verifySession(session, { ...verify, now });
  const recorded = await heldRecordings(session, report.recordings ?? [], verify.source, now);
  await verified(session, report, verify, tell, recorded);
}

/** As `transcripts verify` judges one session: with what the ones around it say. */
async function verified(
  session: SessionObjects,
  alone: SessionReport,
  verify: Reading['verify'],
  tell: Tell,
  recorded: readonly ProofLine[] = [],
): Promise<void> {
  const found = await compareWithNeighbours(session, alone, { ...verify, now: Date.now() });
  const summary = await summarise(endsOf(session), verify.source);
  tell({ kind: 'sessions', sessions: [listedSession(summary, storedAs(session))] });
  const verdict = await verdictFor(session, withFindings(alone, found), verify);
  tell({ kind: 'verified', name: nameOf(session), verified: withRecorded(verdict, recorded) });
}

/** What lies in the place of a recording is told as a change of the session. */
function withRecorded(verdict: Verified, recorded: readonly ProofLine[]): Verified {
  const lines = [...verdict.lines, ...recorded];
  if (!recorded.some(({ holds }) => holds === 'no')) return { ...verdict, lines };
  const words = verdict.verdict === 'invalid' ? verdict.words : recordingChanged;
  return { ...verdict, lines, verdict: 'invalid', words };
}

async function verdictFor(
  session: SessionObjects,
  report: SessionReport,
  { source }: Reading['verify'],
): Promise<Verified> {
  const { verdict, findings, statements, asked, denied } = report;
  const { listing } = storedAs(session);
  const lines = proofLines(report, await source.keeping());
  // how it ends is said in a line already
  const more = findings.filter(({ code }) => code !== 'not-final' && code !== 'still-open');
  return { verdict, words: verdictWords(report), lines, findings: more, statements, asked, denied, listing };
}

/** Every session, as `transcripts verify --all`. Ends early where `stop` is aborted. */
export async function verifyBucket({ verify }: Reading, tell: Tell, stop: AbortSignal): Promise<void> {
  const how = { ...verify, now: Date.now() };
  const pool = openVerifierPool(how);
  const objects = new Map<SessionReport, SessionObjects>();
  let count = 0;
  const failures: string[] = [];
  try {
    await verifyAll({
      ...how,
      concurrency: 32,
      verify: async (session) => {
        if (stop.aborted) throw new Left();
        const report = await pool.verify(session);
        objects.set(report, session);
        return report;
      },
      onReport: async (report) => {
        const session = objects.get(report) ?? [...objects.values()].find(({ sid }) => sid === report.sid);
        objects.delete(report);
        count++;
        if (count % 20 === 0) tell({ kind: 'busy', text: `verified ${grouped(count)} sessions … (esc stops)` });
        if (session === undefined) return;
        const recorded = await heldRecordings(session, report.recordings ?? [], verify.source, how.now);
        const verified = withRecorded(await verdictFor(session, report, verify), recorded);
        tell({ kind: 'verified', name: nameOf(session), verified });
      },
      onFinding: ({ severity, message }) => void (severity === 'failure' && failures.push(message)),
    });
    const [first] = failures;
    const between =
      first === undefined ? '' : `; ${grouped(failures.length)} found between sessions, the first: ${first}`;
    tell({
      kind: 'notice',
      notice: { text: `Verified ${grouped(count)} sessions${between}.`, tone: first === undefined ? 'good' : 'bad' },
    });
  } finally {
    await pool.close();
  }
}

/** Returns what is to be said. */
export async function writeSessionPage({ verify }: Reading, name: string, cwd: string): Promise<string> {
  const session = await sessionNamed(verify.source, name);
  const { html } = await pageOf([session], { ...verify, now: Date.now() }, true);
  const path = resolve(cwd, pageName([session]));
  writePage(path, html, path);
  return `Written to ${path} (SHA-256 ${sha256(html, 'hex').slice(0, 16)}…)`;
}

export async function redact(
  { transcripts, verify }: Reading,
  env: NodeJS.ProcessEnv,
  { name, n, reason }: { readonly name: string; readonly n: number; readonly reason: string },
): Promise<string> {
  const session = await sessionNamed(verify.source, name);
  const [first = ''] = await redactEntry(env, transcripts, session, { n, field: undefined, reason });
  return first;
}

/** Throws `transcript-unknown` where it is not there any more. */
export async function sessionNamed(source: ObjectSource, name: string): Promise<SessionObjects> {
  const [subject = '', sid = ''] = name.split('/');
  for await (const session of listSessions(source, sessionPrefix(subject, sid)))
    if (session.segments.length > 0) return session;
  throw new DbguardError('transcript-unknown', `the session ${sid} is not in ${source.location} any more`);
}

/** One line for a person. */
export function failureWords(error: unknown): string {
  if (error instanceof DbguardError)
    return error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
  return messageOf(error);
}

function sizeOf({ segments }: SessionObjects): { readonly size: number } {
  return { size: segments.reduce((sum, { size }) => sum + size, 0) };
}
