/**
 * What the server says to one question of dbguard's own: columns, rows, notices, or the refusal.
 *
 * What lives here: collecting messages, bounded. What it must not know: what was asked, and in which scope.
 */

import { decodeFields, message, type ResponseFields } from '../../wire/backend.js';
import { backend, headerBytes } from '../../wire/messages.js';
import { decodeColumnNames } from '../../wire/row-description.js';
import { decodeCommandTag, decodeDataRow, decodeParameterDescription } from '../../wire/server-messages.js';
import { Outgoing } from '../outgoing.js';
import type { AnswerMask } from '../server/answer-mask.js';
import type { Settled } from '../server/meter.js';
import type { ResponseSink } from '../server/responses.js';
import type { ServerSide } from '../server/server-side.js';
import { decodeSql } from '../sql-text.js';

/** What the server said no to. `message` is the server's own. */
export class ServerRefusal extends Error {
  readonly fields: ResponseFields;

  constructor(fields: ResponseFields) {
    super(fields.get('M') ?? 'the server gave no reason');
    this.fields = fields;
  }

  get sqlstate(): string {
    return this.fields.get('C') ?? '';
  }
}

export interface InternalAnswer {
  /** Column names. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** The command tag: `DELETE 5`. */
  readonly tag: string;
  readonly notices: readonly ResponseFields[];
  /** OIDs, where they were asked for. */
  readonly parameterTypes: readonly number[];
}

interface ReplyParts {
  readonly server: ServerSide;
  readonly toClient: (message: Buffer) => void;
}

export interface ReplyLimits {
  readonly mask?: AnswerMask | undefined;
  /** Only the command tag is wanted. */
  readonly discardRows?: true;
  /** Takes what is for the client after all: errors and notices. */
  readonly diagnostics?: ResponseSink;
}

/** A catalog has no more rows than this, nor more bytes; notices of a trigger may go on. */
const rowsKept = 200_000;
const bytesKept = 64 << 20;
const noticesKept = 100;

/** Collects what the server says to one question. */
export class InternalReply {
  readonly #parts: ReplyParts;
  readonly #mask: AnswerMask | undefined;
  readonly #keep: number;
  readonly #diagnostics: ResponseSink | undefined;
  readonly #resolve: (answer: InternalAnswer) => void;
  readonly #reject: (error: Error) => void;
  readonly #rows: (string | null)[][] = [];
  readonly #notices: ResponseFields[] = [];
  #columns: readonly string[] = [];
  #parameterTypes: readonly number[] = [];
  #tag = '';
  #bytes = 0;
  #tooLong = false;
  #error: ServerRefusal | undefined;

  constructor(
    parts: ReplyParts,
    { mask, discardRows, diagnostics }: ReplyLimits,
    resolve: (answer: InternalAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#parts = parts;
    this.#mask = mask;
    this.#keep = discardRows ? 0 : rowsKept;
    this.#diagnostics = diagnostics;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  readonly take = (type: number, bytes: Buffer, start: number, end: number): void => {
    this.#bytes += end - start;
    const kept = type === backend.dataRow ? this.#keep > 0 : type === backend.noticeResponse;
    if (kept && (start === end || this.#bytes > bytesKept)) {
      this.#tooLong = true;
      return;
    }
    switch (type) {
      case backend.rowDescription:
        this.#mask?.pass(type, bytes, start, end, new Outgoing());
        this.#columns = decodeColumnNames(bytes, start, end);
        return;
      case backend.parameterDescription:
        this.#parameterTypes = decodeParameterDescription(bytes, start, end);
        return;
      case backend.dataRow:
        if (this.#rows.length < this.#keep) this.#rows.push(this.#cells(bytes, start, end));
        return;
      case backend.commandComplete:
        this.#tag = decodeCommandTag(bytes, start, end);
        return;
      case backend.noticeResponse:
        this.#diagnostics?.(type, bytes, start, end);
        if (this.#notices.length < noticesKept) this.#notices.push(decodeFields(bytes, start, end));
        return;
      case backend.errorResponse: {
        const fields = decodeFields(bytes, start, end);
        this.#diagnostics?.(type, bytes, start, end);
        this.#error ??= new ServerRefusal(fields);
        // the end of the connection is the client's to know
        if (fields.get('V') === 'FATAL' || fields.get('V') === 'PANIC') {
          this.#parts.toClient(message(backend.errorResponse, bytes.subarray(start + headerBytes, end)));
        }
        return;
      }
    }
  };

  get #answer(): InternalAnswer {
    return {
      columns: this.#columns,
      rows: this.#rows,
      tag: this.#tag,
      notices: this.#notices,
      parameterTypes: this.#parameterTypes,
    };
  }

  /** The last message of the question is answered, or never will be. */
  readonly settled = (how: Settled): void => {
    if (how === 'lost') this.#reject(new Error('the connection was lost'));
    else if (this.#error) this.#reject(this.#error);
    else if (this.#tooLong) this.#reject(new Error(`the server's answer is longer than ${bytesKept >> 20} MiB`));
    else if (how === 'done') this.#resolve(this.#answer);
    else this.#reject(new Error('the server skipped the question'));
  };

  #cells(bytes: Buffer, start: number, end: number): (string | null)[] {
    let row = bytes.subarray(start, end);
    if (this.#mask) {
      const masked = new Outgoing();
      this.#mask.pass(backend.dataRow, bytes, start, end, masked);
      row = Buffer.concat(masked.take());
    }
    const encoding = this.#parts.server.parameter('client_encoding') ?? '';
    return decodeDataRow(row, 0, row.length).map(
      (cell) => cell && (decodeSql(cell, encoding) ?? cell.toString('latin1')),
    );
  }
}
