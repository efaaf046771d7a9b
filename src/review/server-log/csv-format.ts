/**
 * `log_destination = csvlog`. A line that a client wrote into a statement looks like any other: only the quotes tell.
 * https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-CSVLOG
 */
import type { Entry, LogFormat, LogRecord } from './log-format.js';
import { csvFields, quotesEvent } from './message.js';

/** PostgreSQL 9.0 has 23 columns; 13, 14 and perhaps later ones add some behind. */
const columns = 23;

/** In the text format a blank follows the time zone. */
const start = /^"?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [^\s,"]+"?,/;

/** Characters; a statement in the log may be long. */
const maxEntry = 64 * 1024 * 1024;

export class CsvFormat implements LogFormat {
  readonly name = 'csvlog';
  /** Lines of an entry that has not come to its end, and their length. */
  #pending: string[] = [];
  #length = 0;

  entries(line: string): readonly Entry[] {
    // a server that died within an entry: what its next life wrote is no part of it
    if (this.#pending.length > 0 && start.test(line) && quotesEvent(line))
      return [...this.end(), ...this.entries(line)];
    const continues = this.#pending.length > 0;
    if (!continues && !start.test(line)) return line === '' ? [] : [{ text: line }];
    this.#pending.push(line);
    this.#length += line.length;
    if (this.#length > maxEntry) throw new RangeError('an entry does not end; is this the whole log?');
    // Within quotes an odd number of them ends the entry, outside an even one does.
    if (quotesIn(line) % 2 === (continues ? 0 : 1)) return [];
    return this.end();
  }

  end(): readonly Entry[] {
    const lines = this.#pending;
    this.#pending = [];
    this.#length = 0;
    return lines.length === 0 ? [] : [{ text: lines.join('\n') }];
  }

  read({ text }: Entry): readonly LogRecord[] {
    if (!start.test(text)) return [];
    const fields = csvFields(text, columns);
    if (fields.length < columns) return [];
    const [time = '', user, database, pid = '', , session = ''] = fields;
    // the session's id repeats the process id: what is shifted by a column is no entry
    const [, repeated] = /^[0-9a-f]+\.([0-9a-f]+)$/.exec(session) ?? [];
    if (!/^\d+$/.test(pid) || Number.parseInt(repeated ?? '', 16) !== Number(pid)) return [];
    const who = { user: user || undefined, database: database || undefined };
    return [{ time, pid: Number(pid), ...who, severity: fields[11], message: fields[13] }];
  }
}

function quotesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}
