/** `dbguard transcripts reconcile`: which connections in the server's own log went around dbguard. Exit code 1 when any did. */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { DbguardError, messageOf } from '../../errors.js';
import { listSessions, type ObjectSource } from '../../review/catalog.js';
import { linesOf, segmentText } from '../../review/read-segment.js';
import { ConnectionBook, type LoggedConnection, parseLogLine } from '../../review/reconcile.js';
import { decodeLine, decodePayload } from '../../transcript/line.js';
import type { CommandContext, OptionValues } from '../command.js';
import { LineWriter } from '../line-writer.js';
import { textOption } from '../options.js';
import { openTranscripts } from './transcripts-source.js';
import { shown } from './transcripts-words.js';

export async function run(context: CommandContext, args: readonly string[], options: OptionValues): Promise<number> {
  const offset = textOption(options, 'utcOffset') ?? 'Z';
  if (!/^(?:Z|[+-]\d\d:\d\d)$/.test(offset)) throw new DbguardError('usage', '--utc-offset takes a form like +01:00');
  const user = textOption(options, 'user');
  const database = textOption(options, 'database');
  const { source } = await openTranscripts(context, options);
  const book = await recordedConnections(source);
  const recorded = book.size;
  const out = new LineWriter(context.stdout);
  let logged = 0;
  let around = 0;
  for (const path of args) {
    for await (const connection of loggedConnections(resolve(context.cwd, path), offset)) {
      if (
        (user !== undefined && connection.user !== user) ||
        (database !== undefined && connection.database !== database)
      )
        continue;
      logged++;
      if (book.take(connection)) continue;
      around++;
      await out.write(options.json === true ? JSON.stringify(connection) : words(connection));
    }
  }
  await out.flush();
  context.stderr.write(`${logged} connections in the log, ${recorded} in transcripts, ${around} went around dbguard\n`);
  if (logged === 0) {
    throw new DbguardError('usage', 'the log has no lines about connections', {
      hint: 'The server writes them with log_connections = on; the line prefix needs %m and [%p].',
    });
  }
  return around > 0 ? 1 : 0;
}

async function* loggedConnections(path: string, offset: string): AsyncGenerator<LoggedConnection> {
  const input = createReadStream(path);
  const failed = new Promise<never>((_, reject) => input.once('error', reject));
  failed.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) {
      const connection = parseLogLine(line, offset);
      if (connection) yield connection;
    }
    if (input.errored) await failed;
  } catch (error) {
    throw new DbguardError('usage', `cannot read ${path}: ${messageOf(error)}`);
  }
}

async function recordedConnections(source: ObjectSource): Promise<ConnectionBook> {
  const book = new ConnectionBook();
  for await (const { sid, segments } of listSessions(source)) {
    for (const { key } of segments) {
      for (const line of linesOf(await segmentText(await source.read(key)))) {
        if (!line.includes('backendPid')) continue;
        const { k, t, fields } = decodePayload(decodeLine(line).payload);
        const pid = fields.backendPid;
        if (k === 'connection' && typeof pid === 'number') book.add({ sid, pid, openedAt: t / 1000 });
      }
    }
  }
  return book;
}

function words({ at, pid, user, database, application }: LoggedConnection): string {
  const name = application === undefined ? '' : `, application ${shown(application)}`;
  return `${new Date(at).toISOString()}  backend ${pid}  user ${shown(user)}, database ${shown(database)}${name}`;
}
