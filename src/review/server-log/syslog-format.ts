/**
 * `log_destination = syslog`, and what journald prints: a header with the process id, then text with its prefix. The
 * server cuts an entry at line breaks and every 900 bytes, and numbers the pieces (`[3-2]`), unless
 * `syslog_sequence_numbers` is off. Only the first piece has a prefix.
 */
import type { LinePrefix } from './line-prefix.js';
import type { Entry, LogFormat, LogRecord } from './log-format.js';
import { mayHoldEvent } from './message.js';
import { textRecords } from './text-format.js';

/** RFC 3164, RFC 3164 with the time of RFC 3339 as rsyslog writes files, RFC 5424, and journalctl's short-iso, short-precise. */
const header =
  /^(?:<\d+>)?(?:1 )?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)) \S+ (?:[^\s:[]+\[(\d+)\]:|\S+ (\d+) \S+ (?:-|\[.*?\])) ?(?:\[(\d+)-(\d+)\] )?/;

/** What rsyslog makes of a tab: the first character of a further line. */
const furtherLine = /^(?:\t|#011)/;

interface Piece {
  readonly time: string;
  readonly pid: number;
  readonly sequence: string | undefined;
  readonly number: number;
  readonly text: string;
}

const maxJoined = 4096;

export class SyslogFormat implements LogFormat {
  readonly name: string;
  readonly prefix: LinePrefix;
  /** The first pieces of each process's latest entry. */
  readonly #pieces = new Map<number, { readonly sequence: string; line: string; read?: true }>();

  constructor(prefix: LinePrefix) {
    this.prefix = prefix;
    this.name = prefix.format === '' ? 'syslog' : `syslog with log_line_prefix = '${prefix.format}'`;
  }

  entries(line: string): readonly Entry[] {
    const piece = pieceOf(line);
    if (piece === undefined) return line === '' ? [] : [{ text: line }];
    if (piece.sequence === undefined) return furtherLine.test(piece.text) ? [] : [{ text: line }];
    if (piece.number === 1) {
      this.#pieces.set(piece.pid, { sequence: piece.sequence, line });
      return [{ text: line }];
    }
    const begun = this.#pieces.get(piece.pid);
    // its beginning is not in this file
    if (begun === undefined || begun.sequence !== piece.sequence) return [{ text: line }];
    if (begun.line.length < maxJoined) begun.line += `\n${piece.text}`;
    if (begun.read || !mayHoldEvent(line)) return [];
    // A name with a line break cuts a prefix: then the pieces are one.
    const [first = ''] = begun.line.split('\n', 1);
    if (this.read({ text: first }).length > 0) return [];
    if (this.read({ text: begun.line }).length > 0) begun.read = true;
    return [{ text: begun.line }];
  }

  /** Each line was given when it was read. */
  end(): readonly Entry[] {
    return [];
  }

  read({ text }: Entry): readonly LogRecord[] {
    const piece = pieceOf(text);
    return piece === undefined || piece.number !== 1 ? [] : textRecords(this.prefix, piece.text, piece);
  }
}

function pieceOf(line: string): Piece | undefined {
  const found = header.exec(line);
  if (found === null) return undefined;
  const [whole, time = '', bracketed, structured, sequence, number = '1'] = found;
  return {
    time,
    pid: Number(bracketed ?? structured),
    sequence,
    number: Number(number),
    text: line.slice(whole.length),
  };
}
