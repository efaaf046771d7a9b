/** `dbguard transcripts follow`: new entries as they come to the bucket and are verified, for a log collector; until Ctrl-C. */
import { setTimeout as pause } from 'node:timers/promises';
import { DbguardError, messageOf } from '../../errors.js';
import { parseDuration } from '../../policy/units.js';
import { eventFormats } from '../../review/views/event-formats.js';
import type { CommandContext } from '../command.js';
import { oneOfOption, textOption } from '../options.js';
import type { OptionsOf } from '../table.js';
import { tellEvents } from '../views/tell-events.js';

const DEFAULT_MS = 10_000;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'transcripts follow'>,
): Promise<number> {
  const format = oneOfOption(options, 'format', eventFormats) ?? 'json';
  if (textOption(options, 'cursor') === undefined) {
    throw new DbguardError('usage', 'say with --cursor where it is kept how far you have read', {
      hint: 'As in: dbguard transcripts follow --cursor /var/lib/dbguard/siem.cursor',
    });
  }
  const every = everyOf(options);
  const stop = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const end = (): void => stop.abort();
  for (const signal of signals) process.once(signal, end);
  context.stdout.once('close', end);
  try {
    while (!stop.signal.aborted) {
      await tellEvents(context, options, format).catch((error: unknown) => retry(context, error));
      await pause(every, undefined, { signal: stop.signal }).catch(() => undefined);
    }
    return 0;
  } finally {
    for (const signal of signals) process.removeListener(signal, end);
  }
}

/** A network that is away comes back; nothing is lost, since the cursor stands where it stood. */
function retry({ stderr }: CommandContext, error: unknown): void {
  if (!(error instanceof DbguardError && error.code === 'bucket-unreachable')) throw error;
  stderr.write(`dbguard: ${messageOf(error)}; tries again\n`);
}

function everyOf(options: OptionsOf<'transcripts follow'>): number {
  const text = textOption(options, 'every');
  const every = text === undefined ? DEFAULT_MS : parseDuration(text);
  if (every !== undefined && every > 0) return every;
  throw new DbguardError('usage', '--every takes a time like 30s');
}
