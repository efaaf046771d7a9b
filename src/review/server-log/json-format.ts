/**
 * Logs in JSON: the server's own (`log_destination = jsonlog`), CloudNativePG's, and what collectors of Google Cloud,
 * Azure, AWS, Docker and journald make of a line, which they keep as a text with its prefix.
 */
import { isRecord } from '../../transcript/line.js';
import type { LinePrefix } from './line-prefix.js';
import type { Entry, LogFormat, LogRecord } from './log-format.js';
import { type Outer, textRecords } from './text-format.js';

/** Characters. */
const maxEntry = 64 * 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

export class JsonFormat implements LogFormat {
  readonly name: string;
  readonly prefix: LinePrefix;
  #open = '';
  #depth = 0;

  constructor(prefix: LinePrefix) {
    this.prefix = prefix;
    this.name = prefix.format === '' ? 'JSON' : `JSON with log_line_prefix = '${prefix.format}'`;
  }

  /** An object on a line, or a list of them over many lines as `gcloud --format=json` prints it. */
  entries(line: string): readonly Entry[] {
    const found: Entry[] = [];
    let from = 0;
    let inText = false;
    for (let at = 0; at < line.length; at++) {
      const character = line[at];
      if (inText) {
        if (character === '\\') at++;
        else if (character === '"') inText = false;
      } else if (character === '"') inText = this.#depth > 0;
      else if (character === '{' && this.#depth++ === 0) from = at;
      else if (character === '}' && this.#depth > 0 && --this.#depth === 0) {
        found.push({ text: `${this.#open}${line.slice(from, at + 1)}` });
        this.#open = '';
        from = at + 1;
      }
    }
    // no text of JSON has a line break: a line that ends inside one is cut off
    if (inText) this.#depth = 0;
    if (this.#depth > 0) {
      this.#open += `${line.slice(from)}\n`;
      if (this.#open.length > maxEntry) throw new RangeError('an object does not end; is this the whole log?');
    } else if (inText || (found.length === 0 && line !== '')) {
      found.push({ text: this.#open + line });
      this.#open = '';
    }
    return found.map(({ text }) => ({ text: plain(text) })).flatMap(listed);
  }

  end(): readonly Entry[] {
    const text = this.#open;
    this.#open = '';
    this.#depth = 0;
    return text === '' ? [] : [{ text }];
  }

  read({ text }: Entry): readonly LogRecord[] {
    const value = parsed(text);
    return value === undefined ? [] : this.#records(value, {}, 3);
  }

  #records(value: Fields, outer: Outer, depth: number): readonly LogRecord[] {
    const own = serverRecord(value) ?? cloudNativeRecord(value) ?? googleAuditRecord(value);
    if (own !== undefined) return [own];
    const inner = innerOf(value, outer);
    if (inner === undefined || depth === 0) return [];
    if (typeof inner.content !== 'string') return this.#records(inner.content, inner.outer, depth - 1);
    const object = parsed(inner.content);
    if (object !== undefined) return this.#records(object, inner.outer, depth - 1);
    const [piece, number = '1'] = /^\[\d+-(\d+)\] /.exec(inner.content) ?? [];
    // a further line of an entry, sent on its own
    if (inner.content.startsWith('\t') || number !== '1') return [{ time: '', pid: 0, message: undefined }];
    return textRecords(this.prefix, inner.content.slice(piece?.length ?? 0).replace(/\n$/, ''), inner.outer);
  }
}

/** Some collectors escape what need not be: a word that is looked for would not be found. */
function plain(text: string): string {
  if (!text.includes('\\u')) return text;
  return text.replace(/\\(?:u([0-9a-f]{4})|.)/gis, (written: string, code = '') => {
    const character = String.fromCharCode(Number.parseInt(code, 16));
    return code === '' || character < ' ' || character === '"' || character === '\\' ? written : character;
  });
}

/** `aws logs` puts its events into a list inside of an object. */
function listed(entry: Entry): readonly Entry[] {
  if (!/^\{\s*"events"\s*:\s*\[/.test(entry.text)) return [entry];
  const events = parsed(entry.text)?.events;
  return Array.isArray(events) ? events.map((event) => ({ text: JSON.stringify(event) })) : [entry];
}

function parsed(text: string): Fields | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function serverRecord({ timestamp, pid, message, user, dbname, error_severity }: Fields): LogRecord | undefined {
  if (typeof timestamp !== 'string' || typeof pid !== 'number' || typeof error_severity !== 'string') return undefined;
  const who = { user: textOf(user), database: textOf(dbname) };
  return { time: timestamp, pid, ...who, severity: error_severity, message: textOf(message) };
}

/** Its loggers `postgres` and `pgaudit`: the columns of csvlog by their names. */
function cloudNativeRecord({ record }: Fields): LogRecord | undefined {
  if (!isRecord(record)) return undefined;
  const { log_time: time, process_id: pid, user_name: user, database_name: database, message, audit } = record;
  const severity = textOf(record.error_severity);
  if (typeof time !== 'string' || typeof pid !== 'string' || !/^\d+$/.test(pid)) return undefined;
  const known = { time, pid: Number(pid), user: textOf(user), database: textOf(database), severity };
  return { ...known, message: isRecord(audit) ? auditMessage(audit) : textOf(message) };
}

/** pgAudit's columns, put together again. */
function auditMessage(audit: Fields): string {
  const {
    audit_type,
    statement_id,
    substatement_id,
    class: kind,
    command,
    object_type,
    object_name,
    statement,
  } = audit;
  const columns = [audit_type, statement_id, substatement_id, kind, command, object_type, object_name, statement];
  return `AUDIT: ${columns.map((column) => quoted(column)).join(',')}`;
}

/** An entry of Google's data access log; a long statement comes in several, of which the first counts. */
function googleAuditRecord({ protoPayload, timestamp }: Fields): LogRecord | undefined {
  const request = isRecord(protoPayload) ? protoPayload.request : undefined;
  if (!isRecord(request) || !/PgAuditEntry$/.test(String(request['@type'])) || typeof timestamp !== 'string') {
    return undefined;
  }
  const { auditType, statementId, substatementId, auditClass, command, statement, databaseSessionId: pid } = request;
  if (!Number.isSafeInteger(Number(pid ?? Number.NaN))) return undefined;
  const columns = [auditType, statementId, substatementId, auditClass, command, '', '', statement];
  const message = `AUDIT: ${columns.map(quoted).join(',')}`;
  return {
    time: timestamp,
    pid: Number(pid),
    user: textOf(request.user),
    database: textOf(request.database),
    message: String(request.chunkIndex ?? 1) === '1' ? message : undefined,
  };
}

function quoted(value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Where collectors keep the line that they were given, the first that is a text counts, and what they know about it. */
const kept = ['textPayload', 'log', 'message', '@message', 'MESSAGE', 'Message', 'line', 'body'] as const;

function innerOf(value: Fields, { time, pid }: Outer): { content: string | Fields; outer: Outer } | undefined {
  const { jsonPayload, properties, processId } = value;
  const sender = value._TRANSPORT === 'syslog' ? (value.SYSLOG_PID ?? value._PID) : undefined;
  const payload = isRecord(jsonPayload) ? jsonPayload : isRecord(properties) ? properties : undefined;
  const known = typeof processId === 'number' ? processId : typeof sender === 'string' ? Number(sender) : pid;
  const written = value.timestamp ?? value['@timestamp'] ?? value.time ?? microseconds(value.__REALTIME_TIMESTAMP);
  const content = payload ?? kept.map((name) => value[name]).find((one) => typeof one === 'string') ?? recordIn(value);
  const outer = { time: timeOf(written) ?? time, pid: known };
  return typeof content === 'string' || isRecord(content) ? { content, outer } : undefined;
}

function recordIn(value: Fields): unknown {
  return kept.map((name) => value[name]).find(isRecord);
}

/** journald's */
function microseconds(value: unknown): number | undefined {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) / 1000 : undefined;
}

/** CloudWatch counts milliseconds. */
function timeOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value > 1e11 ? value / 1000 : value);
  return typeof value === 'string' ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
