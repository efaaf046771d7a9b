/** Sessions as one HTML file: what verification reads of them goes into it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { DbguardError, reasonOf } from '../../errors.js';
import type { ObjectSource, SessionObjects } from '../../review/catalog.js';
import { compareWithNeighbours } from '../../review/neighbours.js';
import { collect } from '../../review/page/collect.js';
import { dataText, pageDocument } from '../../review/page/document.js';
import { chunkSource, PAGE_VERSION, type PageData } from '../../review/page/page-data.js';
import { readRecordings, recordingFaults } from '../../review/read-recordings.js';
import type { SessionReport } from '../../review/session-report.js';
import type { VerifyOptions } from '../../review/verify-options.js';
import { dbguardVersion, installedFile } from '../version.js';

export interface MadePage {
  readonly html: string;
  readonly reports: readonly SessionReport[];
  /** What lies in the bucket in the place of recordings and is something else: the page says it, too. */
  readonly recordingFaults: readonly string[];
}

/**
 * Throws as verification does; `internal` where this installation is not whole.
 *
 * @param recordings those that there are go into it; where there are none, nothing that shows them does
 */
export async function pageOf(
  sessions: readonly SessionObjects[],
  how: VerifyOptions & { readonly source: ObjectSource },
  recordings = false,
): Promise<MadePage> {
  const between = (session: SessionObjects, report: SessionReport) => compareWithNeighbours(session, report, how);
  const { reports, streams, ...collected } = await collect(sessions, how, between, recordings);
  const withRecordings = collected.recordings !== undefined;
  const { source, demands, now: madeAt } = how;
  const data: PageData = {
    v: PAGE_VERSION,
    madeAt,
    version: dbguardVersion,
    location: source.location,
    keeping: await source.keeping(),
    demands,
    ...collected,
  };
  const [script, style] = [withRecordings ? 'page-recorded.js' : 'page.js', 'page.css'].map(bundled);
  const faults: string[] = [];
  for (const [place, session] of withRecordings ? sessions.entries() : [])
    faults.push(
      ...recordingFaults(await readRecordings(session, streams[place] ?? [], chunkSource(data), undefined)).map(
        (text) => `${session.sid}  ${text}`,
      ),
    );
  const html = pageDocument({ script: script ?? '', style: style ?? '', data: dataText(data) });
  return { html, reports, recordingFaults: faults };
}

/** Built beside the command; see .ci/bundle-page.mjs. */
function bundled(name: string): string {
  try {
    return readFileSync(installedFile(`dist/bin/${name}`), 'utf8');
  } catch (error) {
    throw new DbguardError('internal', `this installation of dbguard is not whole: ${name}: ${reasonOf(error)}`, {
      hint: 'Install it again, or run npm run build in a checkout.',
    });
  }
}

export function pageName(sessions: readonly SessionObjects[]): string {
  const [first] = sessions;
  const more = sessions.length > 1 ? `-and-${sessions.length - 1}-more` : '';
  return `dbguard-${first?.sid ?? 'nothing'}${more}.html`;
}

/** For its owner alone: it holds what the transcript holds. Throws `output-failed`. */
export function writePage(path: string, html: string, named: string): void {
  try {
    writeFileSync(path, html, { mode: 0o600 });
  } catch (error) {
    throw new DbguardError('output-failed', `${named} cannot be written: ${reasonOf(error)}`, {
      hint: 'Name another file with --to, or --to - for stdout.',
    });
  }
}
