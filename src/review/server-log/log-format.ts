/** What the formats of a log have in common: they frame entries, and say in which ways an entry can be read. */

/** One way to read an entry. */
export interface LogRecord {
  /** As it is written; see server-clock.ts. */
  readonly time: string;
  readonly pid: number;
  readonly user?: string | undefined;
  readonly database?: string | undefined;
  /** As it is written, in the server's language or one that we do not know; undefined where a form does not say it. */
  readonly severity?: string | undefined;
  /** Undefined for what is no message of its own: the STATEMENT of an error, a notice of a collector. */
  readonly message: string | undefined;
}

/** A line, or several of them, that the server wrote as one. */
export interface Entry {
  readonly text: string;
  /** The lines before it, as long as a name with a line break in it could make them part of this entry. */
  readonly before?: readonly string[];
}

export interface LogFormat {
  /** For people. */
  readonly name: string;
  /** The entries that this line completes. Throws RangeError for one that does not end. */
  entries(line: string): readonly Entry[];
  /** After the last line: what has begun and has no end, because the log was cut off there. */
  end(): readonly Entry[];
  /** Every way to read an entry; none for what is no entry of this format. */
  read(entry: Entry): readonly LogRecord[];
}
