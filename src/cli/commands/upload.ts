/** `dbguard upload`: brings to the bucket what earlier sessions left on this machine. */

import { stateDirPaths } from '../../io/files/state-dirs.js';
import { listSpool, type RecoveredSession, recoverSpool } from '../../io/spool/recovery.js';
import type { CommandContext } from '../command.js';
import type { OptionsOf } from '../table.js';
import { openTranscripts } from '../transcripts/source.js';

/** Attempts in a row without an upload, after which the bucket counts as away. */
const ATTEMPTS = 4;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'upload'>,
): Promise<number> {
  const { state } = stateDirPaths(context.env);
  if (listSpool(state).length === 0) {
    context.stderr.write('Nothing waits: every session is in the bucket.\n');
    return 0;
  }
  const { bucket } = await openTranscripts(context, options, 'write');
  const giveUp = new AbortController();
  let failures = 0;
  const sessions = await recoverSpool({
    state,
    bucket,
    anyBucket: options.anyBucket === true,
    signal: giveUp.signal,
    onTrouble: (error) => {
      context.stderr.write(`dbguard: ${error.message}\n`);
      if (++failures >= ATTEMPTS) giveUp.abort();
    },
    onProgress: ({ sid }, { uploaded, left }) => {
      failures = 0;
      if (uploaded === 0) return;
      context.stderr.write(
        `${sid}  ${uploaded} of ${uploaded + left} ${uploaded + left === 1 ? 'segment' : 'segments'} uploaded\n`,
      );
    },
  });
  if (sessions.length === 0) context.stderr.write('Only sessions that still run; they upload by themselves.\n');
  for (const session of sessions) context.stdout.write(`${session.sid}  ${words(session, bucket.location)}\n`);
  return sessions.some(({ left }) => left > 0) ? 1 : 0;
}

function words({ state, left, bucket }: RecoveredSession, location: string): string {
  switch (state) {
    case 'uploaded':
      return `is in ${location}`;
    case 'left':
      return `${left} ${left === 1 ? 'segment' : 'segments'} could not be uploaded and ${left === 1 ? 'stays' : 'stay'} here`;
    case 'elsewhere':
      return `belongs to ${bucket}; --any-bucket brings it to ${location}`;
  }
}
