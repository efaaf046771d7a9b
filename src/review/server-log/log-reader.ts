/**
 * One log of a server, entry by entry: which format it has, and which of its lines are connections and audited
 * statements. An entry that may be one and cannot be read is a finding of its own, never passed over.
 */
import { CollectedFormat } from './collected-format.js';
import { commonPrefixes } from './common-prefixes.js';
import { CsvFormat } from './csv-format.js';
import { JsonFormat } from './json-format.js';
import { LinePrefix } from './line-prefix.js';
import { type Doubt, LogDoubts } from './log-doubts.js';
import type { Entry, LogFormat } from './log-format.js';
import { beginsAsEvent, eventIn, type LogEvent, mayBeginEvent, mayHoldEvent } from './message.js';
import type { ServerClock } from './server-clock.js';
import { SyslogFormat } from './syslog-format.js';
import { TextFormat } from './text-format.js';

/** Why an entry, or the log that it stands for, was not understood. */
export type Unread = 'form' | 'zone' | 'cut' | Doubt['why'];

export type LogFinding =
  /** Every way to read one entry: which one the server meant is open when there are several. */
  | { readonly kind: 'event'; readonly readings: readonly [LogEvent, ...LogEvent[]] }
  | { readonly kind: 'unread'; readonly why: Unread; readonly line: number; readonly text: string };

export interface LogKnowledge {
  readonly clock: ServerClock;
  /** What the log is said to have; nothing else is tried then. */
  readonly prefix?: string | undefined;
  /** What servers had, from transcripts. */
  readonly recordedPrefixes?: readonly string[];
}

/** Lines from which the format is told. */
const sampleSize = 1_000;
/** A format that reads none of so many entries is not the log's. */
const enough = 25;

/** What lives here: the format of one log, and the number of its line. */
export class LogReader {
  readonly format: LogFormat;
  readonly #clock: ServerClock;
  #line = 0;
  readonly #doubts: LogDoubts;
  /** Of the last line, where that was one. */
  #last: Entry | undefined;

  private constructor(format: LogFormat, clock: ServerClock) {
    this.format = format;
    this.#clock = clock;
    this.#doubts = new LogDoubts(format);
  }

  /** @param beginning the first lines of the log, as many as there are up to `LogReader.sampleSize` */
  static for(beginning: readonly string[], knowledge: LogKnowledge): LogReader {
    return new LogReader(formatOf(beginning, knowledge), knowledge.clock);
  }

  static readonly sampleSize = sampleSize;

  /** Throws RangeError for an entry without an end. */
  line(text: string): LogFinding[] {
    this.#line++;
    const entries = this.format.entries(text);
    this.#last = entries.at(-1);
    return this.#findings(entries);
  }

  /**
   * After the last line.
   *
   * @param isCut it has no end: what it would have become cannot be told
   */
  end(isCut = false): LogFinding[] {
    const begun = this.format.end();
    const findings = this.#findings(begun);
    const [last] = begun.length > 0 ? begun : isCut && this.#last ? [this.#last] : [];
    if (last && findings.length === 0 && this.#mayBecomeEvent(last)) findings.push(this.#unread('cut', last));
    return findings.length > 0 ? findings : this.#doubts.end().map(unread);
  }

  /** Ends before, or within, the words by which an event is known. */
  #mayBecomeEvent(entry: Entry): boolean {
    if (mayHoldEvent(entry.text)) return false; // has been judged
    const records = this.format.read(entry);
    return records.length === 0 || records.some(({ message }) => message !== undefined && mayBeginEvent(message));
  }

  #findings(entries: readonly Entry[]): LogFinding[] {
    return entries.flatMap((entry) => [
      ...this.#doubts.entry(entry, this.#line).map(unread),
      ...(mayHoldEvent(entry.text) ? this.#finding(entry) : []),
    ]);
  }

  #finding(entry: Entry): LogFinding[] {
    const records = this.format.read(entry);
    if (records.length === 0) return [this.#unread('form', entry)];
    const readings: LogEvent[] = [];
    for (const { message, time, ...origin } of records) {
      if (message === undefined) continue;
      const at = this.#clock.read(time);
      const event = eventIn(message, { ...origin, at: at ?? 0 });
      if (event === undefined && beginsAsEvent(message)) return [this.#unread('form', entry)];
      if (event === undefined) continue;
      if (at === undefined) return [this.#unread('zone', entry)];
      this.#doubts.event(event);
      readings.push(event);
    }
    const [first, ...more] = readings;
    return first === undefined ? [] : [{ kind: 'event', readings: [first, ...more] }];
  }

  #unread(why: Unread, { text }: Entry): LogFinding {
    return { kind: 'unread', why, line: this.#line, text };
  }
}

function unread(doubt: Doubt): LogFinding {
  return { kind: 'unread', ...doubt };
}

/** The format that reads most of the beginning. */
function formatOf(beginning: readonly string[], { prefix, recordedPrefixes = [] }: LogKnowledge): LogFormat {
  const best = (candidates: readonly (() => LogFormat)[]): { make: () => LogFormat; read: number; entries: number } => {
    const tried = candidates.map((make) => ({ make, ...fits(make(), beginning) }));
    return tried.reduce((one, other) => (other.read > one.read ? other : one));
  };
  if (prefix !== undefined) return best(withPrefix(new LinePrefix(prefix))).make();
  const certain = [() => new CsvFormat(), ...recordedPrefixes.flatMap((one) => withPrefix(new LinePrefix(one)))];
  const recorded = best(certain);
  // one line that a recorded prefix does not fit: it may be another server's log
  if (recorded.read > 0 && recorded.read === recorded.entries) return recorded.make();
  const guesses = [...recordedPrefixes, ...commonPrefixes].map((one) => new LinePrefix(one, { guessed: true }));
  return best([() => new CsvFormat(), ...guesses.flatMap(withPrefix)]).make();
}

function withPrefix(prefix: LinePrefix): (() => LogFormat)[] {
  return [
    () => new TextFormat(prefix),
    () => new SyslogFormat(prefix),
    () => new JsonFormat(prefix),
    () => new CollectedFormat(prefix),
  ];
}

/** How many of the entries are read; only those count that look like an entry in some format. */
function fits(format: LogFormat, lines: readonly string[]): { read: number; entries: number } {
  const counts = { read: 0, entries: 0 };
  for (const line of lines) {
    if (counts.entries >= enough && counts.read === 0) break;
    for (const entry of format.entries(line)) {
      if (!looksLikeEntry(entry.text)) continue;
      counts.entries++;
      if (format.read(entry).length > 0) counts.read++;
    }
  }
  return counts;
}

function looksLikeEntry(text: string): boolean {
  return /\p{L}: {2}\S|^"?\d{4}-\d\d-\d\d [\d:.]+ [^\s,"]+"?,|^\{/u.test(text) || mayHoldEvent(text);
}
