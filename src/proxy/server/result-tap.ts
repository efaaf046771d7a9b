/**
 * What a client is shown of one statement's answer, as lines of the recording: masks have been applied to these bytes, and
 * nothing is recorded that did not go to the client.
 *
 * What lives here: messages to lines, up to the cap, which is said. What it must not know: masks, the gate, where lines go.
 */
import { isUtf8 } from 'node:buffer';
import type { RecordedCell, RecordedMessage, ResultLine } from '../../transcript/recording.js';
import { backendRules, decodeFields } from '../../wire/backend.js';
import { Framer } from '../../wire/framer.js';
import { backend, headerBytes } from '../../wire/messages.js';
import { Reader } from '../../wire/reader.js';
import { type Column, decodeColumns } from '../../wire/row-description.js';
import type { Outgoing } from '../outgoing.js';

/** Where the results of a run are recorded. */
export interface ResultRecording {
  /** More waits than may: clients have to wait for their answers. */
  readonly full: boolean;
  /** Of one statement. */
  readonly maxRows: number;
  readonly maxBytes: number;
  write(line: string): void;
  /** Microseconds since 1970 UTC. */
  now(): number;
}

export interface TapParts {
  /** Number of the `statement` entry. */
  readonly of: number;
  /** Result formats of Bind; undefined for a simple Query, which says them itself. */
  readonly formats: readonly number[] | undefined;
  /** What an earlier Describe said, as of the first row. */
  readonly described: () => readonly Column[] | undefined;
}

export type ClientBytes = Pick<Outgoing, 'push' | 'pushMessage'>;

/** Characters of rows in one line. */
const lineLength = 64 * 1024;
const rowTypes: ReadonlySet<number> = new Set([backend.dataRow, backend.copyData]);

export class ResultTap {
  readonly #recording: ResultRecording;
  readonly #parts: TapParts;
  #rows = 0;
  #bytes = 0;
  #columns: readonly Column[] | undefined;
  #begun = false;
  #copiesBytes = false;
  /** Rows, or data of COPY, of the line that is being made. */
  #line: { readonly kind: 'rows' | 'lines'; text: string } | undefined;
  #framer: Framer | undefined;
  /** Lines of an answer that may never reach the client. */
  #held: string[] | undefined;
  /** No more rows are recorded. */
  done = false;

  constructor(recording: ResultRecording, parts: TapParts) {
    this.#recording = recording;
    this.#parts = parts;
  }

  /** The client is shown nothing yet: `end` says whether it was. */
  hold(): void {
    this.#held = [];
  }

  /** The way to the client, with a look at each message. What goes through are whole messages. */
  before(client: ClientBytes): ClientBytes {
    const push = (bytes: Buffer, start: number, end: number): void => {
      this.#messages(bytes, start, end);
      client.push(bytes, start, end);
    };
    return { push, pushMessage: (message) => push(message, 0, message.length) };
  }

  /** Rows that pass in pieces. */
  takePiece(bytes: Buffer, start: number, end: number): void {
    this.#framer ??= wholeFramer();
    // a piece of a message outlives its chunk
    this.#framer.push(Buffer.from(bytes.subarray(start, end)));
    while (!this.done && this.#framer.next()) {
      const { kind, type, buffer, start: from, end: to } = this.#framer;
      if (kind === 'message') this.#take(type, buffer, from, to);
      else this.#cut('bytes');
    }
  }

  /** It has been answered. @param seen false where the client never saw the answer */
  end(seen: boolean): void {
    this.#flush();
    const held = this.#held;
    this.#held = undefined;
    if (seen) for (const line of held ?? []) this.#recording.write(line);
    this.done = true;
  }

  #messages(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at + headerBytes <= end; ) {
      const next = at + 1 + bytes.readUInt32BE(at + 1);
      const type = bytes[at] ?? 0;
      if (next > end || next <= at) return;
      if (!(this.done && rowTypes.has(type))) this.#take(type, bytes, at, next);
      at = next;
    }
  }

  #take(type: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case backend.rowDescription:
        this.#columns = decodeColumns(bytes, start, end);
        this.#begin();
        break;
      case backend.dataRow:
        this.#row(bytes, start, end);
        break;
      case backend.copyOutResponse:
        this.#copiesBytes = bytes[start + headerBytes] === 1;
        this.#say({ of: this.#parts.of, t: this.#recording.now(), copy: this.#copiesBytes ? 'binary' : 'text' });
        break;
      case backend.copyData:
        this.#copied(bytes.subarray(start + headerBytes, end));
        break;
      case backend.functionCallResponse:
        this.#functionResult(bytes, start, end);
        break;
      case backend.errorResponse:
      case backend.noticeResponse:
        this.#say({ of: this.#parts.of, message: messageIn(bytes, start, end) });
        break;
      case backend.commandComplete:
      case backend.portalSuspended:
        this.#flush();
        this.#begun = false;
    }
  }

  #begin(): void {
    this.#begun = true;
    const columns = this.#columns;
    const { of, formats } = this.#parts;
    const binary = columns?.flatMap(({ format }, at) => (formatAt(formats, at, format) === 1 ? [at] : [])) ?? [];
    this.#say({
      of,
      t: this.#recording.now(),
      ...(columns ? { columns: columns.map(({ name, typeOid, modifier }) => [name, typeOid, modifier] as const) } : {}),
      ...(binary.length > 0 ? { binary } : {}),
    });
  }

  #row(bytes: Buffer, start: number, end: number): void {
    if (!this.#begun) {
      if (this.#parts.formats !== undefined) this.#columns = this.#parts.described();
      this.#begin();
    }
    if (!this.#counts(end - start)) return;
    const reader = new Reader(bytes, start + headerBytes, end);
    const cells = Array.from({ length: reader.uint16() }, (_, at) => {
      const length = reader.int32();
      const format = formatAt(this.#parts.formats, at, this.#columns?.[at]?.format ?? 0);
      return length < 0 ? null : cellOf(reader.bytes(length), format === 1);
    });
    this.#add('rows', JSON.stringify(cells));
  }

  #functionResult(bytes: Buffer, start: number, end: number): void {
    this.#columns = undefined;
    this.#begin();
    if (!this.#counts(end - start)) return;
    const length = bytes.readInt32BE(start + headerBytes);
    const value = bytes.subarray(start + headerBytes + 4, end);
    this.#add('rows', JSON.stringify([length < 0 ? null : cellOf(value, true)]));
    this.#flush();
  }

  #copied(data: Buffer): void {
    if (this.#counts(data.length)) this.#add('lines', JSON.stringify(cellOf(data, this.#copiesBytes)));
  }

  /** False where it is one too many. */
  #counts(bytes: number): boolean {
    if (this.#rows >= this.#recording.maxRows) return this.#cut('rows');
    if (this.#bytes + bytes > this.#recording.maxBytes) return this.#cut('bytes');
    this.#rows++;
    this.#bytes += bytes;
    return true;
  }

  #cut(cut: 'rows' | 'bytes'): false {
    this.done = true;
    this.#say({ of: this.#parts.of, cut, after: this.#rows });
    return false;
  }

  #add(kind: 'rows' | 'lines', json: string): void {
    if (this.#line?.kind === kind) this.#line.text += `,${json}`;
    else {
      this.#flush();
      this.#line = { kind, text: json };
    }
    if (this.#line && this.#line.text.length > lineLength) this.#flush();
  }

  #flush(): void {
    const line = this.#line;
    this.#line = undefined;
    if (line) this.#write(`{"of":${this.#parts.of},"${line.kind}":[${line.text}]}`);
  }

  #say(line: ResultLine): void {
    this.#flush();
    this.#write(JSON.stringify(line));
  }

  #write(line: string): void {
    if (this.#held) this.#held.push(line);
    else this.#recording.write(line);
  }
}

/** Bind: none, one for all, or one each. @param said by the description, which knows it of simple queries alone */
function formatAt(formats: readonly number[] | undefined, at: number, said: number): number {
  if (formats === undefined) return said;
  return (formats.length === 1 ? formats[0] : formats[at]) ?? 0;
}

function cellOf(bytes: Buffer, binary: boolean): RecordedCell {
  return binary || !isUtf8(bytes) ? { hex: bytes.toString('hex') } : bytes.toString('utf8');
}

function messageIn(bytes: Buffer, start: number, end: number): RecordedMessage {
  const fields = decodeFields(bytes, start, end);
  const [detail, hint] = [fields.get('D'), fields.get('H')];
  return {
    severity: fields.get('V') ?? fields.get('S') ?? '',
    code: fields.get('C') ?? '',
    message: fields.get('M') ?? '',
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
  };
}

function wholeFramer(): Framer {
  const framer = new Framer(backendRules);
  for (const type of rowTypes) framer.setCut(type, 'whole');
  return framer;
}
