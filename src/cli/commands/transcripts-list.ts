/** `dbguard transcripts list`: the sessions in the bucket and on this machine, newest last. Reads, does not verify. */
import { subjectName } from '../../identity/subject-name.js';
import { type IdSpan, type ObjectSource, sessionsWithin } from '../../review/catalog.js';
import { endsOf, type SessionEnds, type SessionSummary, summarise } from '../../review/summary.js';
import { inertJson } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { paged } from '../print/paged.js';
import { type OutputStyle, outputStyleFor } from '../print/text.js';
import { shown } from '../print/untrusted-text.js';
import type { OptionsOf } from '../table.js';
import { idSpan } from '../transcripts/id-span.js';
import { openTranscripts } from '../transcripts/source.js';

const READ_AT_ONCE = 16;
/** Columns for everything; with fewer, as much of an id as names it, and no agent. */
const wide = 100;
/** The time of a session id, to the millisecond. */
const shortIdCharacters = 10;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'transcripts list'>,
): Promise<number> {
  const { source } = await openTranscripts(context, options);
  const output = outputStyleFor(context);
  const span = idSpan(options);
  const matches = filterOf(options);
  return paged(context, async (out) => {
    let shown = 0;
    for await (const summary of summaries(source, span)) {
      if (!matches(summary)) continue;
      shown++;
      const line = options.json === true ? inertJson(asJson(summary)) : asText(summary, output);
      if (!(await out.write(line))) return 0;
    }
    await out.flush();
    if (shown === 0 && options.json !== true) context.stderr.write(`No sessions in ${source.location}.\n`);
    return 0;
  });
}

/** By session id, which is by time, across people: two names of each are held in memory, contents a few at a time. */
async function* summaries(source: ObjectSource, span: IdSpan): AsyncGenerator<SessionSummary> {
  const sessions: SessionEnds[] = [];
  for await (const session of sessionsWithin(source, span))
    if (session.segments.length > 0) sessions.push(endsOf(session));
  sessions.sort((a, b) => (a.sid < b.sid ? -1 : 1));
  const ahead: Promise<SessionSummary>[] = [];
  for (const session of sessions) {
    ahead.push(summarise(session, source));
    const first = ahead[0];
    if (first && ahead.length >= READ_AT_ONCE) {
      ahead.shift();
      yield await first;
    }
  }
  for (const rest of ahead) yield await rest;
}

function filterOf(options: OptionsOf<'transcripts list'>): (summary: SessionSummary) => boolean {
  const person = textOption(options, 'person')?.toLowerCase();
  const connection = textOption(options, 'connection');
  // A session that crashed has no count: it may be meant.
  const some = (count: number | undefined): boolean => count !== 0;
  return ({ open, asked, denied }) => {
    if (person !== undefined) {
      const { email, sub } = open?.subject ?? {};
      if (!email?.toLowerCase().includes(person) && sub?.toLowerCase() !== person) return false;
    }
    if (connection !== undefined && open?.connection?.name !== connection) return false;
    return (options.asked !== true || some(asked)) && (options.denied !== true || some(denied));
  };
}

/** Made once: a locale is dear. */
const dayFormat = new Intl.DateTimeFormat('en-CA');
const timeFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

function asText(summary: SessionSummary, output: OutputStyle): string {
  const { sid, open, startedAt, final, statements, asked, denied, problem } = summary;
  const narrow = output.width < wide;
  const start = new Date(startedAt);
  const day = dayFormat.format(start).slice(narrow ? 'yyyy-'.length : 0);
  const when = `${day} ${timeFormat.format(start)}`;
  const id = output.style('bold', narrow ? sid.slice(0, shortIdCharacters) : sid);
  if (problem !== undefined)
    return output.fold(`${id}  ${when}  ${output.style('red', `unreadable: ${shown(problem)}`)}`, 12);
  const who = cut(open === undefined ? '?' : subjectName(open.subject), narrow ? 20 : 28);
  const where = cut(open?.connection?.name ?? '', narrow ? 8 : 14);
  const counts = [
    statements === undefined ? '' : `${statements} ${statements === 1 ? 'stmt' : 'stmts'}`,
    asked ? output.style('magenta', `${asked} asked`) : '',
    denied ? output.style('red', `${denied} denied`) : '',
    final ? '' : output.style('dim', 'not sealed'),
  ];
  const agent = narrow ? '' : output.style('dim', cut(open?.agent ?? '', 30).trimEnd());
  return output.fold(
    `${id}  ${when}  ${who}  ${where}  ${[...counts, agent].filter((text) => text !== '').join('  ')}`,
    12,
  );
}

function cut(text: string, width: number): string {
  const clean = shown(text).replace(/[\n\t]/g, ' ');
  return clean.length > width ? `${clean.slice(0, width - 1)}…` : clean.padEnd(width);
}

function asJson({ open, ...summary }: SessionSummary): object {
  const { subject, connection, agent, level, policy, version } = open ?? {};
  return { ...summary, person: subject, connection, agent, level, policy, version };
}
