/**
 * `dbguard transcripts page`: sessions as one file that shows and verifies them in a browser, without a network. What goes
 * into it is what verification reads here; its verdict here is said on stderr.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import type { ObjectSource, SessionObjects } from '../../review/catalog.js';
import { compareWithNeighbours } from '../../review/neighbours.js';
import { collect } from '../../review/page/collect.js';
import { dataText, pageDocument } from '../../review/page/document.js';
import { PAGE_VERSION, type PageData } from '../../review/page/page-data.js';
import { verdictWords } from '../../review/proof-words.js';
import type { SessionReport } from '../../review/session-report.js';
import type { VerifyOptions } from '../../review/verify-options.js';
import { sha256 } from '../../sha256.js';
import { counted } from '../../words.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import type { OptionsOf } from '../table.js';
import { findSession, identityDemands, issuerKeys, openTranscripts } from '../transcripts/source.js';
import { dbguardVersion, installedFile } from '../version.js';

export async function run(
  context: CommandContext,
  ids: readonly string[],
  options: OptionsOf<'transcripts page'>,
): Promise<number> {
  const transcripts = await openTranscripts(context, options);
  // Not the local spool: whoever wrote it could still change it.
  const source = transcripts.bucket;
  const sessions = await sessionsNamed(source, ids);
  const how = {
    source,
    keys: await issuerKeys(context, options, transcripts),
    demands: await identityDemands(context, options, transcripts),
    now: Date.now(),
  };
  const { html, reports } = await pageOf(sessions, how);
  const to = textOption(options, 'to') ?? defaultName(sessions);
  if (to === '-') context.stdout.write(html);
  else write(resolve(context.cwd, to), html, to);
  for (const report of reports) context.stderr.write(`${report.sid}  ${verdictWords(report)}\n`);
  const size = (html.length / 1e6).toFixed(1);
  context.stderr.write(
    `${to === '-' ? 'Written' : `Written to ${to}`}: ${counted(sessions.length, 'session')}, ${size} MB, SHA-256 ${sha256(html, 'hex')}\n`,
  );
  return reports.some(({ verdict }) => verdict === 'invalid') ? 1 : 0;
}

async function sessionsNamed(source: ObjectSource, ids: readonly string[]): Promise<SessionObjects[]> {
  const found = new Map<string, SessionObjects>();
  for (const id of ids) {
    const session = await findSession(source, id);
    found.set(`${session.subject}/${session.sid}`, session);
  }
  return [...found.values()];
}

async function pageOf(
  sessions: readonly SessionObjects[],
  how: VerifyOptions & { readonly source: ObjectSource },
): Promise<{ html: string; reports: readonly SessionReport[] }> {
  const { reports, ...collected } = await collect(sessions, how, (session, report) =>
    compareWithNeighbours(session, report, how),
  );
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
  const [script, style] = ['page.js', 'page.css'].map(bundled);
  return { html: pageDocument({ script: script ?? '', style: style ?? '', data: dataText(data) }), reports };
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

function defaultName(sessions: readonly SessionObjects[]): string {
  const [first] = sessions;
  const more = sessions.length > 1 ? `-and-${sessions.length - 1}-more` : '';
  return `dbguard-${first?.sid ?? 'nothing'}${more}.html`;
}

/** For its owner alone: it holds what the transcript holds. */
function write(path: string, html: string, named: string): void {
  try {
    writeFileSync(path, html, { mode: 0o600 });
  } catch (error) {
    throw new DbguardError('output-failed', `${named} cannot be written: ${reasonOf(error)}`, {
      hint: 'Name another file with --to, or --to - for stdout.',
    });
  }
}
