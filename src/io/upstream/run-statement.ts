/**
 * One statement with its values, on a connection that is its own: Parse, Bind, Describe, Execute, Sync ("Extended Query" in
 * the PostgreSQL manual). Values and cells are text, in UTF-8 where the connection was opened so.
 *
 * What lives here: the messages of that one exchange, and how much of the answer is kept. What it must not know: who asks,
 * what the answer is for.
 */
import { serialize } from 'pg-protocol';
import { DbguardError } from '../../errors.js';
import { backendRules, decodeFields, message, type ResponseFields } from '../../wire/backend.js';
import {
  encodeBind,
  encodeDescribePortal,
  encodeExecute,
  encodeParse,
  syncMessage,
} from '../../wire/extended-query.js';
import { Framer } from '../../wire/framer.js';
import { backend, frontend, ProtocolViolation, type TransactionStatus } from '../../wire/messages.js';
import { decodeColumnNames, decodeRowDescription } from '../../wire/row-description.js';
import { decodeCommandTag, decodeDataRow, decodeReadyForQuery } from '../../wire/server-messages.js';
import type { Upstream } from './connect.js';

export interface Statement {
  readonly sql: string;
  readonly values: readonly (string | null)[];
}

/** What is kept of the answer; the rest is read and dropped. */
export interface Keep {
  readonly rows: number;
  /** Of all cells together, in UTF-8. */
  readonly bytes: number;
  /** Ask the server for one row more than `rows` at most, not for all: what changes rows has no command tag then. */
  readonly suspend: boolean;
}

export interface StatementOutcome {
  /** Undefined where the statement returns no rows. */
  readonly columns: readonly { readonly name: string; readonly typeOid: number }[] | undefined;
  readonly rows: readonly (readonly (string | null)[])[];
  /** Rows came, or would have come, that were not kept. */
  readonly more: boolean;
  /** `INSERT 0 5`; undefined where it failed or was suspended. */
  readonly tag: string | undefined;
  readonly notices: readonly ResponseFields[];
  readonly error: ResponseFields | undefined;
  /** It was a COPY: nothing was sent, and what came was dropped. */
  readonly copy: boolean;
  readonly status: TransactionStatus;
}

/** A longer row does not fit into any answer. */
const longestRow = 16 << 20;

/** A server may say more; nobody reads more. */
const keptNotices = 50;

/**
 * `onNotice` is called as each comes. Ends the connection, whatever happens. Rejects with a DbguardError where the connection
 * ended before the answer did, or a row is longer than 16 MiB; what the server refuses is in the outcome.
 */
export function runStatement(
  { socket, rest }: Pick<Upstream, 'socket' | 'rest'>,
  { sql, values }: Statement,
  keep: Keep,
  onNotice: (fields: ResponseFields) => void = () => {},
): Promise<StatementOutcome> {
  return new Promise((resolve, reject) => {
    const answer = new Answer(keep, onNotice);
    const failed = (error: unknown): void => {
      socket.destroy();
      reject(error instanceof ProtocolViolation ? new DbguardError('upstream-protocol', error.message) : error);
    };
    const lost = (): void => {
      if (answer.error) resolve(answer);
      else failed(new DbguardError('upstream-unreachable', 'the connection ended before the answer'));
    };
    socket.on('error', lost).on('close', lost);
    socket.on('data', (chunk: Buffer) => {
      try {
        const reply = answer.take(chunk);
        if (reply) socket.write(reply);
        if (!answer.over) return;
        resolve(answer);
        socket.end(serialize.end());
      } catch (error) {
        failed(error);
      }
    });
    if (rest.length > 0) socket.unshift(rest);
    const bound = values.map((value) => (value === null ? undefined : Buffer.from(value)));
    socket.write(
      Buffer.concat([
        encodeParse('', Buffer.from(sql)),
        encodeBind('', '', { formats: [], values: bound, resultFormats: [] }),
        encodeDescribePortal(''),
        keep.suspend ? executeSome(keep.rows + 1) : encodeExecute(''),
        syncMessage,
      ]),
    );
    socket.resume();
  });
}

function executeSome(rows: number): Buffer {
  const body = Buffer.alloc(5);
  body.writeInt32BE(rows, 1);
  return message(frontend.execute, body);
}

class Answer implements StatementOutcome {
  columns: StatementOutcome['columns'];
  readonly rows: (string | null)[][] = [];
  more = false;
  tag: string | undefined;
  readonly notices: ResponseFields[] = [];
  error: ResponseFields | undefined;
  copy = false;
  status: TransactionStatus = 'I';
  over = false;
  readonly #keep: Keep;
  readonly #onNotice: (fields: ResponseFields) => void;
  readonly #framer = new Framer({
    ...backendRules,
    streamed: [backend.copyData],
    limitOf: (type) => (type === backend.dataRow ? longestRow : backendRules.limitOf(type)),
  });
  #bytes = 0;

  constructor(keep: Keep, onNotice: (fields: ResponseFields) => void) {
    this.#keep = keep;
    this.#onNotice = onNotice;
  }

  /** What the server has to be told next, if anything. */
  take(chunk: Buffer): Buffer | undefined {
    const framer = this.#framer;
    framer.push(chunk);
    let reply: Buffer | undefined;
    while (framer.next()) {
      if (framer.kind === 'oversize') {
        throw new DbguardError('limit-exceeded', 'a row of the answer is longer than 16 MiB', {
          hint: 'Select fewer columns, or a part of the long ones: left(column, 1000).',
        });
      }
      if (framer.kind === 'message')
        reply = this.#message(framer.type, framer.buffer, framer.start, framer.end) ?? reply;
    }
    return reply;
  }

  #message(type: number, bytes: Buffer, start: number, end: number): Buffer | undefined {
    switch (type) {
      case backend.rowDescription: {
        const names = decodeColumnNames(bytes, start, end);
        this.columns = decodeRowDescription(bytes, start, end).map(({ typeOid }, at) => ({
          name: names[at] ?? '',
          typeOid,
        }));
        break;
      }
      case backend.dataRow:
        this.#row(bytes, start, end);
        break;
      case backend.commandComplete:
        this.tag = decodeCommandTag(bytes, start, end);
        break;
      case backend.portalSuspended:
        this.more = true;
        break;
      case backend.noticeResponse: {
        const fields = decodeFields(bytes, start, end);
        if (this.notices.length < keptNotices) this.notices.push(fields);
        this.#onNotice(fields);
        break;
      }
      case backend.errorResponse:
        this.error ??= decodeFields(bytes, start, end);
        break;
      case backend.copyInResponse:
        this.copy = true;
        // the server has taken no notice of the Sync that was sent before
        return Buffer.concat([message(frontend.copyFail, Buffer.from('no data comes here\0')), syncMessage]);
      case backend.copyOutResponse:
        this.copy = true;
        break;
      case backend.readyForQuery:
        this.status = decodeReadyForQuery(bytes, start, end);
        this.over = true;
        break;
    }
    return undefined;
  }

  #row(bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.more || this.rows.length >= this.#keep.rows || this.#bytes > this.#keep.bytes) {
      this.more = true;
      return;
    }
    this.rows.push(decodeDataRow(bytes, start, end).map((cell) => cell?.toString('utf8') ?? null));
  }
}
