/**
 * `dbguard transcripts replay`: a session as a film. On a terminal it is played, with what the transcript says as a track beside the
 * recorded screen; elsewhere it is text; `--to FILE.cast` writes it for asciinema's players.
 */

import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DbguardError, reasonOf } from '../../errors.js';
import { subjectInFull } from '../../identity/subject-name.js';
import { startTerminal, ttyStreams } from '../../io/terminal/terminal.js';
import { recordingFaults } from '../../review/read-recordings.js';
import { asciicast } from '../../review/replay/asciicast.js';
import type { Frame } from '../../review/replay/film.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { paged } from '../print/paged.js';
import { outputStyleFor, wantsColours } from '../print/text.js';
import type { OptionsOf } from '../table.js';
import { answerWords, statementWords } from '../transcripts/answer-words.js';
import { readSessionFilm, recordingKey, type SessionFilm } from '../transcripts/session-film.js';
import { findSession, identityDemands, issuerKeys, openTranscripts } from '../transcripts/source.js';
import { reportText } from './transcripts-verify.js';

const usualIdleMs = 2000;

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'transcripts replay'>,
): Promise<number> {
  const idleMs = idleTime(options.idle);
  const open = await recordingKey(options.identity, context.cwd);
  const transcripts = await openTranscripts(context, options);
  const session = await findSession(transcripts.source, args[0] ?? '');
  const demands = await identityDemands(context, options, transcripts);
  const keys = await issuerKeys(context, options, transcripts);
  const verify = { demands, keys, now: Date.now() };
  const read = await readSessionFilm(session, transcripts.source, verify, { open, idleMs });
  const { report } = read;
  const who = report.open === undefined ? '?' : subjectInFull(report.open.subject);
  const head = `${session.sid} ${singleLine(who, 60)} ${report.verdict}`;
  const streams = ttyStreams(context);
  if (options.to !== undefined) await writeCast(resolve(context.cwd, options.to), read, head);
  else if (streams && context.env.TERM !== 'dumb') {
    const terminal = startTerminal(streams, () => process.exit(0));
    try {
      await play(read, terminal, head, wantsColours(context.env));
    } finally {
      terminal.stop();
    }
  } else await print(context, read);
  for (const { text, holds } of read.said)
    if (holds !== 'yes') context.stderr.write(`dbguard: ${holds === 'no' ? 'CHANGED: ' : ''}${text}\n`);
  context.stderr.write(`${reportText(report, outputStyleFor(context))}\n`);
  return report.verdict === 'invalid' || recordingFaults(read).length > 0 ? 1 : 0;
}

async function play(...given: Parameters<typeof import('../transcripts/replay-player.js').play>): Promise<void> {
  const player = await import('../transcripts/replay-player.js');
  await player.play(...given);
}

/** Seconds. */
function idleTime(text: string | undefined): number {
  if (text === undefined) return usualIdleMs;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0) return Math.round(seconds * 1000);
  throw new DbguardError('usage', `--idle takes seconds, not "${text}"`, { hint: 'For example: --idle 2' });
}

async function writeCast(path: string, read: SessionFilm, title: string): Promise<void> {
  const lines = asciicast(read.film, title, (frame) => wordsOf(frame, read));
  const text = (function* () {
    for (const line of lines) yield `${line}\n`;
  })();
  try {
    await pipeline(Readable.from(text), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    throw new DbguardError('output-failed', `cannot write ${path}: ${reasonOf(error)}`, {
      hint: 'Name a file that does not exist yet, in a folder that you may write to.',
      cause: error,
    });
  }
}

async function print(context: CommandContext, read: SessionFilm): Promise<void> {
  await paged(context, async (out) => {
    for (const frame of read.film.frames)
      for (const line of wordsOf(frame, read)) if (!(await out.write(line))) return 0;
    await out.flush();
    return 0;
  });
}

/** The film without a screen: each statement, what was decided, and what came of it. */
function wordsOf(frame: Frame, { answers }: SessionFilm): readonly string[] {
  if (frame.kind !== 'entry') return [];
  const { item } = frame;
  const time = new Date(item.at).toISOString().slice(11, 23);
  if (item.kind === 'statement') return ['', `${time}  ${statementWords(item).join('\n')}`.split('\n')].flat();
  const answer = item.kind === 'outcome' && item.of !== undefined ? answers.of(item.of) : undefined;
  return [
    ...(answer ? answerWords(answer) : []),
    `${time}  ${item.of === undefined ? '' : '→ '}${singleLine(item.title, 500)}`,
  ];
}
