/**
 * `dbguard transcripts reconcile`: what in the server's own log went around dbguard. Exit code 1 when anything did.
 * Believes the transcripts: verify them first.
 */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import { listSessions, type ObjectSource } from '../../review/catalog.js';
import { entriesIn, segmentText } from '../../review/read-segment.js';
import { ConnectionBook } from '../../review/reconcile.js';
import { type LogEvent, LogReader } from '../../review/server-log.js';
import type { CommandContext, OptionValues } from '../command.js';
import { textOption } from '../options.js';
import { LineWriter } from '../print/line-writer.js';
import { shown } from '../print/untrusted-text.js';
import { openTranscripts } from '../transcripts/source.js';

export async function run(context: CommandContext, args: readonly string[], options: OptionValues): Promise<number> {
  const offset = textOption(options, 'utcOffset') ?? 'Z';
  if (!/^(?:Z|[+-]\d\d:\d\d)$/.test(offset)) throw new DbguardError('usage', '--utc-offset takes a form like +01:00');
  const wanted = filterOf(options);
  const { source } = await openTranscripts(context, options);
  const book = await recordedConnections(source);
  const out = new LineWriter(context.stdout);
  const logged = { connection: 0, statement: 0 };
  const around = { connection: 0, statement: 0 };
  for (const path of args) {
    for await (const event of eventsIn(resolve(context.cwd, path), offset)) {
      if (!wanted(event)) continue;
      logged[event.kind]++;
      if (book.knows(event)) continue;
      around[event.kind]++;
      await out.write(options.json === true ? JSON.stringify(event) : words(event));
    }
  }
  await out.flush();
  if (logged.connection + logged.statement === 0) {
    throw new DbguardError('usage', 'the log has no lines about connections or audited statements', {
      hint: 'The server writes them with log_connections = on, or with pgAudit; the line prefix needs %m and [%p].',
    });
  }
  const audited = logged.statement > 0 ? ` and ${counted(logged.statement, 'audited statement')}` : '';
  const bypassed = logged.statement > 0 ? ` and ${counted(around.statement, 'statement')}` : '';
  context.stderr.write(
    `${counted(logged.connection, 'connection')}${audited} in the log, ${book.size} connections in transcripts; ${counted(around.connection, 'connection')}${bypassed} went around dbguard\n`,
  );
  return around.connection + around.statement > 0 ? 1 : 0;
}

/** What the log leaves open may be meant. */
function filterOf(options: OptionValues): (event: LogEvent) => boolean {
  const user = textOption(options, 'user');
  const database = textOption(options, 'database');
  const fits = (wanted: string | undefined, found: string | undefined): boolean =>
    wanted === undefined || found === undefined || wanted === found;
  return (event) => fits(user, event.user) && fits(database, event.database);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

async function* eventsIn(path: string, offset: string): AsyncGenerator<LogEvent> {
  const reader = new LogReader(offset);
  try {
    for await (const line of linesIn(path)) {
      const event = reader.line(line);
      if (event) yield event;
    }
  } catch (error) {
    throw new DbguardError('usage', `cannot read ${path}: ${reasonOf(error)}`);
  }
}

/** Not node:readline: it also splits at \r and U+2028, which a client may write into a statement. */
async function* linesIn(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  if (rest !== '') yield rest;
}

async function recordedConnections(source: ObjectSource): Promise<ConnectionBook> {
  const book = new ConnectionBook();
  for await (const { segments } of listSessions(source)) {
    const session = book.session();
    for (const { key } of segments) {
      for (const { entry } of entriesIn(await segmentText(await source.read(key)))) session.add(entry);
    }
    session.end();
  }
  return book;
}

function words(event: LogEvent): string {
  const { at, pid, user, database } = event;
  const who = `user ${shown(user ?? 'unknown')}, database ${shown(database ?? 'unknown')}`;
  const head = `${new Date(at).toISOString()}  backend ${pid}  ${who}`;
  if (event.kind === 'statement') return `${head}  ${shown(`${event.command}: ${event.text}`).replace(/[\n\t]/g, ' ')}`;
  return event.application === undefined ? head : `${head}, application ${shown(event.application)}`;
}
