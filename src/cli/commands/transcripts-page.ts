/**
 * `dbguard transcripts page`: sessions as one file that shows and verifies them in a browser, without a network. What goes
 * into it is what verification reads here; its verdict here is said on stderr.
 */
import { resolve } from 'node:path';
import type { ObjectSource, SessionObjects } from '../../review/catalog.js';
import { verdictWords } from '../../review/proof-words.js';
import { sha256 } from '../../sha256.js';
import { counted } from '../../words.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import type { OptionsOf } from '../table.js';
import { pageName, pageOf, writePage } from '../transcripts/page-file.js';
import { findSession, identityDemands, issuerKeys, openTranscripts } from '../transcripts/source.js';

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
  const { html, reports, recordingFaults } = await pageOf(sessions, how, options.recordings === true);
  const to = textOption(options, 'to') ?? pageName(sessions);
  if (to === '-') context.stdout.write(html);
  else writePage(resolve(context.cwd, to), html, to);
  for (const report of reports) context.stderr.write(`${report.sid}  ${verdictWords(report)}\n`);
  for (const fault of recordingFaults) context.stderr.write(`${fault}\n`);
  const size = (html.length / 1e6).toFixed(1);
  context.stderr.write(
    `${to === '-' ? 'Written' : `Written to ${to}`}: ${counted(sessions.length, 'session')}, ${size} MB, SHA-256 ${sha256(html, 'hex')}\n`,
  );
  return recordingFaults.length > 0 || reports.some(({ verdict }) => verdict === 'invalid') ? 1 : 0;
}

async function sessionsNamed(source: ObjectSource, ids: readonly string[]): Promise<SessionObjects[]> {
  const found = new Map<string, SessionObjects>();
  for (const id of ids) {
    const session = await findSession(source, id);
    found.set(`${session.subject}/${session.sid}`, session);
  }
  return [...found.values()];
}
