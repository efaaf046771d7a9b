/** The views of the bucket that a command's options name, and what a reader has to hear before believing a count. */
import { stateDirs } from '../../io/files/state-dirs.js';
import { counted, grouped } from '../../words.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { progressOn } from '../print/progress.js';
import { shown } from '../print/untrusted-text.js';
import type { OptionValues } from '../table.js';
import { idSpan } from '../transcripts/id-span.js';
import { identityDemands, issuerKeys, keysInWords, openTranscripts } from '../transcripts/source.js';
import { type BucketViews, openBucketViews } from './bucket-views.js';

export interface ViewsUse {
  /** A file that will be exported to. */
  readonly writable?: string | undefined;
  /** An empty folder for everything, as Parquet files. */
  readonly exportTo?: string;
  /** The caller says itself what is not proven. */
  readonly quiet?: true;
}

/**
 * Options: those of a verification, of days, and `unproven`. What was found is told on stderr. The engine is the caller's to close.
 */
export async function openViews(
  context: CommandContext,
  options: OptionValues,
  { writable, exportTo, quiet }: ViewsUse = {},
): Promise<BucketViews> {
  // Parquet files and lines that wait hold what people have run: nobody else's to read
  process.umask(0o077);
  const transcripts = await openTranscripts(context, options);
  const { state, cache } = stateDirs(context.env);
  const progress = progressOn(context);
  const views = await openBucketViews({
    // not the local spool: whoever wrote it could still change it
    source: transcripts.bucket,
    keys: await issuerKeys(context, options, transcripts),
    demands: await identityDemands(context, options, transcripts),
    now: Date.now(),
    span: idSpan(options),
    everything: textOption(options, 'day') === undefined && textOption(options, 'since') === undefined,
    unproven: options.unproven === true,
    context: keysInWords(context, options),
    folders: { state, cache },
    ...(writable === undefined ? {} : { writable }),
    ...(exportTo === undefined ? {} : { exportTo }),
    onSession: progress.tick,
  }).finally(progress.end);
  const told = quiet ? [] : caveats(views, options.unproven === true);
  for (const line of told) context.stderr.write(`${line}\n`);
  return views;
}

/** Silent where everything is proven. */
function caveats({ sessions, unproven, findings, changedDays }: BucketViews, included: boolean): string[] {
  const lines: string[] = [];
  const doubtful = [
    sessions.unproven > 0 ? `${grouped(sessions.unproven)} not all proven` : '',
    sessions.invalid > 0 ? `${grouped(sessions.invalid)} changed or forged` : '',
  ].filter((one) => one !== '');
  if (doubtful.length > 0) {
    const all = counted(sessions.proven + sessions.unproven + sessions.invalid, 'session');
    lines.push(`Of ${all} ${doubtful.join(', ')} (column verification); of these count the rows that are proven.`);
  }
  if (unproven.lines > 0) {
    const what = `${counted(unproven.lines, 'row')} of ${counted(unproven.sessions, 'session')} that nothing proves to be whose they say`;
    lines.push(
      included
        ? `COUNTED AS WELL: ${what}; the column verified tells them apart.`
        : `LEFT OUT: ${what}; --unproven counts them.`,
    );
  }
  const between = findings.filter(({ severity }) => severity === 'failure');
  for (const { message } of between.slice(0, MOST_TOLD)) lines.push(`FOUND: ${shown(message)}`);
  if (between.length > MOST_TOLD)
    lines.push(`FOUND: ${grouped(between.length - MOST_TOLD)} more; see dbguard transcripts verify --all.`);
  if (changedDays.length > 0) {
    lines.push(`The cache of ${counted(changedDays.length, 'day')} was not as dbguard had left it, and was made anew.`);
  }
  return lines;
}

const MOST_TOLD = 3;
