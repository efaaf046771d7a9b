/** `dbguard transcripts export`: what is proven, for other programs: events for a log collector, or Parquet files for an engine. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import { eventFormats } from '../../review/views/event-formats.js';
import type { CommandContext } from '../command.js';
import { oneOfOption, textOption } from '../options.js';
import type { OptionsOf } from '../table.js';
import { openViews } from '../views/open-views.js';
import { tellEvents } from '../views/tell-events.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'transcripts export'>,
): Promise<number> {
  const folder = textOption(options, 'parquet');
  const format = oneOfOption(options, 'format', eventFormats);
  if ((folder === undefined) === (format === undefined)) {
    throw new DbguardError('usage', 'give --format, or --parquet with a folder', {
      hint: `As in: dbguard transcripts export --format ${eventFormats.join('|')} > events, or --parquet ./files`,
    });
  }
  if (folder !== undefined) return exportParquet(context, options, resolve(context.cwd, folder));
  await tellEvents(context, options, format ?? 'json');
  return 0;
}

/** Hive's names: `statements/day=2026-11-23/data_0.parquet`, as every engine reads them. */
async function exportParquet(
  context: CommandContext,
  options: OptionsOf<'transcripts export'>,
  folder: string,
): Promise<number> {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    throw new DbguardError('output-failed', `cannot make the folder ${folder}: ${reasonOf(error)}`, {
      hint: 'Name a folder that is not there yet.',
      cause: error,
    });
  }
  const views = await openViews(context, options, { exportTo: folder });
  views.engine.close();
  return 0;
}
