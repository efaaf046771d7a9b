/**
 * `log_destination = stderr`: a prefix of the administrator's choice, a severity, a message. Further lines of an entry
 * begin with a tab, which no client can choose; only the names in a prefix are written as they are.
 */
import { languages } from './languages.js';
import type { LinePrefix } from './line-prefix.js';
import type { Entry, LogFormat, LogRecord } from './log-format.js';
import { mayHoldEvent, possibleMessages } from './message.js';

const severity = alternatives(languages.flatMap(({ severities }) => severities));
const addition = alternatives(languages.flatMap(({ additions }) => additions));

/** `log_error_verbosity = verbose` puts the SQLSTATE in front of the message. */
const head = new RegExp(`(?:(${severity}): {2}(?:(?!AUDIT)[0-9A-Z]{5}: )?|(?:${addition}): {1,3})`, 'y');
/** A word of a language that we do not know. */
const foreignHead = /(\p{L}[\p{L} ]{0,30}): {2}/uy;

/** What the prefix leaves open. */
export interface Outer {
  readonly time?: string | undefined;
  readonly pid?: number | undefined;
}

interface TextRecord extends LogRecord {
  /** Where the message begins. */
  readonly start: number;
}

/** Every way to read prefix, severity and message. */
export function textRecords(prefix: LinePrefix, text: string, outer: Outer = {}): readonly LogRecord[] {
  const read = inKnownWords(prefix, text, outer);
  return read.length > 0 || mayHoldEvent(text) ? read : inUnknownWords(prefix, text, outer);
}

/** By a guessed prefix an audit record must not begin anywhere else: it could be one by the true prefix. */
function inKnownWords(prefix: LinePrefix, text: string, outer: Outer = {}): readonly LogRecord[] {
  const records = new Map<string, TextRecord>();
  for (const { fields, end } of prefix.read(text)) {
    head.lastIndex = end;
    const found = head.exec(text);
    const { time = outer.time, pid = outer.pid, user, database } = fields;
    if (found === null || time === undefined || pid === undefined) continue;
    // a collector that knows the process id knows it better than a line that a client may have shaped
    if (outer.pid !== undefined && pid !== outer.pid) continue;
    const start = head.lastIndex;
    const message = found[1] === undefined ? undefined : text.slice(start);
    const severity = found[1];
    records.set([start, time, pid, user, database].join('\0'), { time, pid, user, database, severity, message, start });
  }
  const read = [...records.values()];
  if (!prefix.guessed || !mayHoldEvent(text)) return read;
  const [start, another] = possibleMessages(text);
  const clear = another === undefined && read.every((one) => start === undefined || one.start === start);
  return clear ? read : [];
}

/** The prefix fits, and then comes a severity in a language that is not in languages.ts. */
function inUnknownWords(prefix: LinePrefix, text: string, outer: Outer): readonly LogRecord[] {
  if (!text.includes(':  ')) return [];
  return prefix.read(text).flatMap(({ fields, end }) => {
    foreignHead.lastIndex = end;
    const [found, severity] = foreignHead.exec(text) ?? [];
    const { time = outer.time, pid = outer.pid } = fields;
    if (found === undefined || time === undefined || pid === undefined) return [];
    return [{ time, pid, severity, message: text.slice(end + found.length) }];
  });
}

/** Two names of 63 bytes, and what stands between them. */
const maxBefore = 600;

export class TextFormat implements LogFormat {
  readonly name: string;
  readonly prefix: LinePrefix;
  #before: string[] = [];
  #length = 0;

  constructor(prefix: LinePrefix) {
    this.prefix = prefix;
    this.name = `text with log_line_prefix = '${prefix.format}'`;
  }

  entries(line: string): readonly Entry[] {
    const entry = line.startsWith('\t') ? [] : [{ text: line, before: [...this.#before] }];
    this.#before.push(line);
    this.#length += line.length + 1;
    while (this.#length > maxBefore) this.#length -= (this.#before.shift()?.length ?? 0) + 1;
    return entry;
  }

  /** Each line was given when it was read. */
  end(): readonly Entry[] {
    return [];
  }

  read({ text, before = [] }: Entry): readonly LogRecord[] {
    return [...textRecords(this.prefix, text), ...this.#brokenByAName(text, before)];
  }

  /** A role or database whose name has a line break: `text` is the rest of a prefix that began lines before. */
  #brokenByAName(text: string, before: readonly string[]): readonly LogRecord[] {
    if (!/%-?\d*[ud]/.test(this.prefix.format)) return [];
    for (let from = before.length - 1; from >= 0; from--) {
      const line = before[from] ?? '';
      if (!line.startsWith('\t') && inKnownWords(this.prefix, line).length > 0) return [];
      const records = inKnownWords(this.prefix, [...before.slice(from), text].join('\n'));
      if (records.length > 0) return records;
    }
    return [];
  }
}

/** Longest first, so that no word hides a longer one. */
function alternatives(words: readonly string[]): string {
  return [...new Set(words)].sort((one, other) => other.length - one.length).join('|');
}
