/**
 * `dbguard transcripts reconcile`: what in the server's own log went around dbguard. Exit code 1 when anything did, or may
 * have: what looks like a connection or an audited statement and cannot be read counts. Believes the transcripts: verify
 * them first.
 */
import { resolve } from 'node:path';
import { DbguardError } from '../../errors.js';
import { logLines } from '../../io/files/log-lines.js';
import { listSessions, type ObjectSource } from '../../review/catalog.js';
import { entriesIn, segmentText } from '../../review/read-segment.js';
import { ConnectionBook } from '../../review/reconcile.js';
import { type LogFinding, type LogKnowledge, LogReader, type Unread } from '../../review/server-log/log-reader.js';
import type { LogEvent } from '../../review/server-log/message.js';
import { isZone, ServerClock } from '../../review/server-log/server-clock.js';
import { isRecord } from '../../transcript/line.js';
import { inertJson } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { LineWriter } from '../print/line-writer.js';
import { shown } from '../print/untrusted-text.js';
import type { OptionsOf } from '../table.js';
import { openTranscripts } from '../transcripts/source.js';

type FoundEvent = Extract<LogFinding, { kind: 'event' }>;
type UnreadEntry = Extract<LogFinding, { kind: 'unread' }>;

/** Entries that could not be read are shown up to this number, then counted. */
const shownUnread = 20;

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'transcripts reconcile'>,
): Promise<number> {
  const zone = textOption(options, 'utcOffset');
  if (zone !== undefined && !isZone(zone)) {
    throw new DbguardError('usage', '--utc-offset takes a form like +01:00, or a zone like Europe/Berlin');
  }
  const wanted = filterOf(options);
  const { source } = await openTranscripts(context, options);
  const book = await recordedConnections(source, textOption(options, 'connection'));
  const known = knowledge(book, zone, textOption(options, 'logLinePrefix'));
  const out = new LineWriter(context.stdout);
  const json = options.json === true;
  const logged = { connection: 0, statement: 0 };
  const around = { connection: 0, statement: 0 };
  const unread = new Map<Unread, number>();
  for (const path of args) {
    for await (const finding of findingsIn(resolve(context.cwd, path), known)) {
      if (finding.kind === 'unread') {
        const number = (unread.get(finding.why) ?? 0) + 1;
        unread.set(finding.why, number);
        if (number <= shownUnread || json) {
          await out.write(json ? inertJson({ ...finding, log: path }) : unreadWords(finding, path));
        }
        continue;
      }
      const readings = finding.readings.filter(wanted);
      const [event] = readings;
      if (event === undefined) continue;
      logged[event.kind]++;
      if (book.knows(readings)) continue;
      around[event.kind]++;
      await out.write(json ? inertJson(event) : words(event));
    }
  }
  await out.flush();
  const notRead = [...unread.values()].reduce((sum, count) => sum + count, 0);
  if (logged.connection + logged.statement + notRead === 0) {
    throw new DbguardError('usage', 'the log has no lines about connections or audited statements', {
      hint: 'The server writes them with log_connections = on, or with pgAudit. Are --user and --database right?',
    });
  }
  const audited = logged.statement > 0 ? ` and ${counted(logged.statement, 'audited statement')}` : '';
  const bypassed = logged.statement > 0 ? ` and ${counted(around.statement, 'statement')}` : '';
  context.stderr.write(
    `${counted(logged.connection, 'connection')}${audited} in the log, ${book.size} connections in transcripts; ` +
      `${counted(around.connection, 'connection')}${bypassed} went around dbguard\n`,
  );
  for (const [why, count] of unread) context.stderr.write(`${advice[why](counted(count, 'line'))}\n`);
  return around.connection + around.statement + notRead > 0 ? 1 : 0;
}

/** What to do about what was not understood. */
const advice: Readonly<Record<Unread, (lines: string) => string>> = {
  form: (lines) =>
    `${lines} not understood: they may have gone around dbguard. Give the server's setting (SHOW log_line_prefix) with --log-line-prefix.`,
  zone: (lines) =>
    `${lines} not understood: they have no time zone that is one only. Give the server's (SHOW log_timezone) with --utc-offset.`,
  cut: (lines) =>
    `${lines} not understood: the log ends within, before what it says. Give the whole log, or a copy made when the server had written on.`,
  language: (lines) =>
    `${lines} in a language, or a version's words of one, that dbguard does not read, and connections would be passed over: set lc_messages to C on the server.`,
  setting: () =>
    "The log says that sessions began, and not as whom: set log_connections = on on the server, or add 'authorization' to its list.",
  log: (lines) =>
    `${lines.replace('line', 'log')} not understood at all: is it a server's log, plain or gzip? The server's setting (SHOW log_line_prefix) goes with --log-line-prefix.`,
};

function knowledge(book: ConnectionBook, zone: string | undefined, prefix: string | undefined): LogKnowledge {
  // two servers in two zones: neither is taken for the other
  const [recorded, another] = book.zones;
  const only = another === undefined ? recorded : undefined;
  const clock = new ServerClock({ zone: zone ?? (only !== undefined && isZone(only) ? only : undefined) });
  return { clock, prefix, recordedPrefixes: book.prefixes };
}

/** What the log leaves open may be meant. */
function filterOf(options: OptionsOf<'transcripts reconcile'>): (event: LogEvent) => boolean {
  const user = textOption(options, 'user');
  const database = textOption(options, 'database');
  const fits = (wanted: string | undefined, found: string | undefined): boolean =>
    wanted === undefined || found === undefined || wanted === found;
  return (event) => fits(user, event.user) && fits(database, event.database);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

async function* findingsIn(path: string, known: LogKnowledge): AsyncGenerator<FoundEvent | UnreadEntry> {
  const beginning: string[] = [];
  for await (const line of logLines(path)) {
    if (beginning.push(line) === LogReader.sampleSize) break;
  }
  const reader = LogReader.for(beginning, known);
  try {
    const lines = logLines(path);
    for await (const line of lines) yield* reader.line(line);
    yield* reader.end(lines.isCut);
  } catch (error) {
    if (error instanceof RangeError) throw new DbguardError('usage', `cannot read ${path}: ${error.message}`);
    throw error;
  }
}

/** @param connection only sessions of this connection of dbguard.yaml: another server has the same process ids */
async function recordedConnections(source: ObjectSource, connection: string | undefined): Promise<ConnectionBook> {
  const book = new ConnectionBook();
  for await (const { segments } of listSessions(source)) {
    const session = book.session();
    let meant = true;
    for (const { key } of segments) {
      for (const { entry } of entriesIn(await segmentText(await source.read(key)))) {
        if (entry.k === 'open' && connection !== undefined) {
          meant = isRecord(entry.fields.connection) && entry.fields.connection.name === connection;
        }
        if (meant) session.add(entry);
      }
    }
    session.end();
  }
  return book;
}

function words(event: LogEvent): string {
  const { at, pid, user, database } = event;
  const who = `user ${shown(user ?? 'unknown')}, database ${shown(database ?? 'unknown')}`;
  const head = `${new Date(at).toISOString()}  backend ${pid}  ${who}`;
  if (event.kind === 'statement') return `${head}  ${oneLine(`${event.command}: ${event.text}`)}`;
  return event.application === undefined ? head : `${head}, application ${shown(event.application)}`;
}

function unreadWords({ line, text }: UnreadEntry, log: string): string {
  return `${shown(log)}:${line}  not understood  ${oneLine(text.slice(0, 400))}`;
}

function oneLine(text: string): string {
  return shown(text).replace(/[\n\t]/g, ' ');
}
