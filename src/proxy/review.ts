/**
 * The wait for a person: one statement is held, everything its client sent behind it waits with it.
 *
 *   settle what runs before it -> let the server parse what we could not -> impact -> notice -> ask
 *
 * What lives here: the steps of one review. What it must not know: the other statements, sockets, screens.
 */
import { decodeFields, type ErrorText, encodeNotice, message } from '../wire/backend.js';
import { backend, frontend } from '../wire/messages.js';
import type { Answer } from './asker.js';
import { awaitingApproval, deniedByAnswer, deniedByRule } from './denial.js';
import type { Admission, Candidate, ConnectionContext, Gate, ImpactSource } from './gate.js';
import type { Outgoing } from './outgoing.js';
import type { ServerSide } from './server-side.js';

export interface Reviewer {
  readonly impact: ImpactSource;
  /** The person chose to end the whole run. */
  endSession(): void;
}

export type ReviewEnd =
  | { readonly kind: 'allow' }
  | { readonly kind: 'deny'; readonly error: ErrorText; readonly endSession: boolean }
  /** The statement never ran: an error before it made the server skip it, or the server itself rejected its text. */
  | { readonly kind: 'skipped' };

export interface ReviewParts {
  readonly candidate: Candidate;
  readonly admission: Admission;
  readonly context: ConnectionContext;
  readonly gate: Gate;
  readonly reviewer: Reviewer;
  readonly server: ServerSide;
  readonly out: Outgoing;
  /** Lets what is in `out` go to the server, journal first. */
  readonly release: () => void;
  readonly toClient: (message: Buffer) => void;
  readonly finish: (end: ReviewEnd) => void;
}

/** What the server said to a text that no grammar of ours reads. */
type ProbeResult = 'rejected' | 'parsed';

export class Review {
  readonly #parts: ReviewParts;
  readonly #abort = new AbortController();
  #whenQuiet: ((skipped: boolean) => void) | undefined;
  #over = false;

  constructor(parts: ReviewParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#run().then(
      (end) => this.#finish(end),
      () => this.#finish({ kind: 'deny', endSession: false, error: reviewFailed }),
    );
  }

  /** The server has answered everything so far; `skipping` when it discards what follows up to Sync. */
  quiet(skipping: boolean): void {
    const resume = this.#whenQuiet;
    this.#whenQuiet = undefined;
    resume?.(skipping);
  }

  /** The client cancelled or left. False when the review is over already. */
  interrupt(why: 'cancel' | 'disconnect'): boolean {
    if (this.#over) return false;
    this.#abort.abort(why);
    this.quiet(false);
    return true;
  }

  #finish(end: ReviewEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.finish(end);
  }

  async #run(): Promise<ReviewEnd> {
    const { candidate, admission, context, gate, reviewer, toClient } = this.#parts;
    if (await this.#settle()) {
      gate.recordSkipped(admission);
      return { kind: 'skipped' };
    }
    if (isMaybeTypo(candidate) && (await this.#probe()) === 'rejected') return { kind: 'skipped' };
    if (admission.ruling.decision === 'deny') {
      gate.recordRuleVerdict(admission);
      return { kind: 'deny', error: deniedByRule(admission.ruling), endSession: false };
    }
    const recalled = gate.recall(candidate, admission, context);
    if (recalled) return endOf(admission, recalled);
    const impact = await reviewer.impact(candidate, context);
    if (admission.ruling.pendingRows && impact.estimatedRows !== undefined) {
      const ruling = gate.reconsider(candidate, admission, context, impact.estimatedRows);
      if (ruling.decision === 'allow') return { kind: 'allow' };
    }
    if (!this.#abort.signal.aborted) toClient(encodeNotice(awaitingApproval(admission.ruling)));
    const answer = await gate.review(candidate, admission, context, impact, this.#abort.signal);
    return endOf(admission, answer);
  }

  /** Waits until the server has answered everything before; true when it skips what follows. */
  async #settle(): Promise<boolean> {
    const { server, out, candidate, release } = this.#parts;
    if (server.responses.idle) {
      release();
      return false;
    }
    // without Sync the server keeps its answers to itself
    if (candidate.kind === 'execute') out.pushMessage(message(frontend.flush, Buffer.alloc(0)));
    const quiet = new Promise<boolean>((resolve) => {
      this.#whenQuiet = resolve;
    });
    release();
    return quiet;
  }

  /**
   * A text that our grammars reject is most often a typo, which the server rejects as well. Parse makes the server
   * read it without running it; its own error is what the client should see. What it does accept is asked about.
   */
  #probe(): Promise<ProbeResult> {
    const { server, out, candidate, admission, gate, release, toClient } = this.#parts;
    return new Promise((resolve) => {
      let error: Buffer | undefined;
      let parsed = false;
      server.responses.expect({
        kind: 'parse',
        sink: (type, bytes, start, end) => {
          if (type !== backend.errorResponse) return;
          const fields = decodeFields(bytes, start, end);
          // "cannot insert multiple commands into a prepared statement" comes after the text was read
          parsed = fields.get('C') === '42601' && fields.get('R') === 'exec_parse_message';
          error = Buffer.from(bytes.subarray(start, end));
        },
      });
      server.responses.expect({
        kind: 'sync',
        sink: (type, bytes, start, end) => {
          if (type !== backend.readyForQuery) return;
          if (error === undefined || parsed) {
            resolve('parsed');
            return;
          }
          toClient(error);
          toClient(Buffer.from(bytes.subarray(start, end)));
          gate.recordRejected(admission, decodeFields(error, 0, error.length).get('C') ?? '');
          resolve('rejected');
        },
      });
      const sql = Buffer.from(`\0${candidate.sql}\0\0\0`, 'utf8');
      out.pushMessage(message(frontend.parse, sql));
      out.pushMessage(message(frontend.sync, Buffer.alloc(0)));
      release();
    });
  }
}

function endOf(admission: Admission, answer: Answer): ReviewEnd {
  if (answer.decision === 'allow') return { kind: 'allow' };
  return {
    kind: 'deny',
    error: deniedByAnswer(admission.ruling, answer),
    endSession: answer.decision === 'abort',
  };
}

/** No grammar of ours reads it; most probably the server's does not either. Only a simple Query can be tried out. */
export function isMaybeTypo(candidate: Candidate): boolean {
  return candidate.kind === 'query' && candidate.facts.unparseable?.reason === 'syntax';
}

const reviewFailed: ErrorText = {
  severity: 'ERROR',
  code: '42501',
  message: 'dbguard could not put this statement to a person and did not run it',
  hint: 'See the terminal of dbguard run; try again once.',
};
