/**
 * The answers of one statement on their way to the client, rewritten by its plan.
 *
 * What lives here: which of the server's messages are described, rewritten or passed on. What it must not know: why a
 * column is masked, the gate, sockets.
 */
import type { Detected } from '../../masking/detectors/detected.js';
import { type CleanColumns, maskDiagnostics } from '../../masking/diagnostics.js';
import type { CopyMask, RewritePlan } from '../../masking/rewrite-plan.js';
import type { RowMask } from '../../masking/row-rewriter.js';
import { backend } from '../../wire/messages.js';
import { decodeRowDescription, type RowField } from '../../wire/row-description.js';
import type { ClientBytes } from './result-tap.js';

const beginsRows: ReadonlySet<number> = new Set([backend.rowDescription, backend.dataRow, backend.copyOutResponse]);

export class AnswerMask {
  readonly #plan: RewritePlan;
  readonly #formats: readonly number[] | undefined;
  readonly #encoding: string;
  #rows: RowMask | undefined;
  #rowsKnown = false;
  /** Results of the text so far. */
  #results = 0;
  #copy: CopyMask | undefined;
  /** What the client has to be told before the first row. */
  notices: () => readonly Buffer[] = () => [];
  /** What the client has to be told behind the last row, of columns that nobody declared. */
  detected: ((found: readonly Detected[]) => readonly Buffer[]) | undefined;
  #announced = false;

  /**
   * @param encoding the client's; empty where it is not known
   * @param formats result formats of Bind; undefined for a simple Query
   * @param fields of an earlier Describe, where there was one
   */
  constructor(plan: RewritePlan, encoding: string, formats?: readonly number[], fields?: readonly RowField[]) {
    this.#plan = plan;
    this.#encoding = encoding;
    this.#formats = formats;
    if (formats && fields) this.#describe(fields);
  }

  get diagnostics(): boolean {
    return this.#plan.diagnostics;
  }

  get isClean(): CleanColumns {
    return this.#plan.isClean;
  }

  /**
   * Takes one whole server message, of DataRow and CopyData any number in a row; what may be seen of it goes to `out`. The bytes are not
   * the caller's any more.
   */
  pass(type: number, bytes: Buffer, start: number, end: number, out: ClientBytes): void {
    if (!this.#announced && beginsRows.has(type)) {
      this.#announced = true;
      for (const notice of this.notices()) out.pushMessage(notice);
    }
    switch (type) {
      case backend.rowDescription:
        this.#describe(
          decodeRowDescription(bytes, start, end),
          this.#formats === undefined ? this.#results++ : undefined,
        );
        break;
      case backend.dataRow:
        this.#passRows(bytes, start, end, out);
        return;
      case backend.copyOutResponse: {
        const copy = this.#plan.forCopy(this.#encoding);
        if (copy === 'unsupported') throw new Error('a COPY that cannot be masked was let through');
        this.#copy = copy;
        break;
      }
      case backend.copyData:
        if (this.#copy) {
          this.#copy.rewrite(bytes, start, end, (from, first, last) => out.push(from, first, last));
          return;
        }
        break;
      case backend.copyDone: {
        this.#copy?.finish((from, first, last) => out.push(from, first, last));
        this.#tell(this.#copy, out);
        this.#copy = undefined;
        break;
      }
      case backend.commandComplete:
      case backend.portalSuspended:
        this.#tell(this.#rows, out);
        break;
      case backend.errorResponse:
      case backend.noticeResponse:
        if (this.diagnostics) {
          out.pushMessage(maskDiagnostics(bytes, start, end, this.#plan.isClean));
          return;
        }
    }
    out.push(bytes, start, end);
  }

  #passRows(bytes: Buffer, start: number, end: number, out: ClientBytes): void {
    if (!this.#rowsKnown) this.#describe(undefined);
    if (this.#rows) this.#rows.rewrite(bytes, start, end, (from, first, last) => out.push(from, first, last));
    else out.push(bytes, start, end);
  }

  /** What is found stays to be said where nobody is told: in a trial run. */
  #tell(rows: RowMask | CopyMask | undefined, out: ClientBytes): void {
    if (this.detected === undefined || rows?.found === undefined) return;
    const found = rows.found();
    for (const notice of found.length === 0 ? [] : this.detected(found)) out.pushMessage(notice);
  }

  #describe(fields: readonly RowField[] | undefined, nth?: number): void {
    this.#rows = this.#plan.forRow(fields, this.#formats, this.#encoding, nth);
    this.#rowsKnown = true;
  }
}
