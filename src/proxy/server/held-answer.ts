/**
 * The answer to a statement that may still be undone, kept from the client until that is decided.
 *
 * What lives here: what the server said, in order, within a bound: of an answer beyond it the rows go on to the client
 * and only its end is held back. What it must not know: who decides.
 */
import { backend } from '../../wire/messages.js';
import { Outgoing } from '../outgoing.js';
import { isRefusal } from './privilege-refusal.js';

/** Rows of RETURNING; of a longer answer the client has seen some before it is decided. */
const keptBytes = 4 << 20;

/** Without one of these the client does not take a statement for finished. */
const ends: ReadonlySet<number> = new Set([
  backend.commandComplete,
  backend.portalSuspended,
  backend.emptyQueryResponse,
]);
/** True whatever becomes of the statement. */
const lasting: ReadonlySet<number> = new Set([backend.parameterStatus, backend.notificationResponse]);
/** Of a statement that is only bound there; a simple query has a description of its own. */
const boundFirst: ReadonlySet<number> = new Set([backend.bindComplete, backend.rowDescription, backend.noData]);

export class HeldAnswer {
  /** Takes the bytes of one message, or of a run of rows; then `heard` says what they were. */
  readonly out = new Outgoing();
  readonly #toClient: Outgoing;
  #kept: { readonly bytes: Buffer; readonly lasts: boolean }[] = [];
  #length = 0;
  #end: Buffer[] = [];
  #ready = false;
  #begun = false;
  #bound = false;
  #refusal: Buffer | undefined;
  /** The error for want of a privilege waits, too, as long as the client has seen nothing. */
  keepsRefusal = false;

  constructor(toClient: Outgoing) {
    this.#toClient = toClient;
  }

  /** The client has seen some of it. */
  get begun(): boolean {
    return this.#begun;
  }

  /** The error that waits. */
  get refusal(): Buffer | undefined {
    return this.#begun ? undefined : this.#refusal;
  }

  heard(type: number): void {
    // the answer to a question of dbguard's own
    if (this.out.length === 0) return;
    // the socket's buffers are used again
    const bytes = Buffer.concat(this.out.take());
    if (type === backend.readyForQuery) {
      this.#ready = true;
    } else if (ends.has(type)) {
      this.#keep(this.#end);
      this.#end = [bytes];
    } else if (lasting.has(type) && this.#end.length > 0 && this.#length < keptBytes) {
      this.#length += bytes.length;
      this.#end.push(bytes);
    } else {
      this.#keep(this.#end);
      this.#end = [];
      this.#bound ||= type === backend.bindComplete;
      this.#keep([bytes], lasting.has(type) || (this.#bound && boundFirst.has(type)));
      // it did not run, and its connection may end with this
      if (type === backend.errorResponse) {
        if (this.keepsRefusal && !this.#begun && isRefusal(bytes)) this.#refusal = bytes;
        else this.#send(() => true);
      }
      // its client sends nothing before it has heard this
      if (type === backend.copyInResponse) {
        this.#begun = true;
        this.#send(() => true);
      }
    }
  }

  /** What is in `out` comes before the end: the server says it of COMMIT, which the client takes for part of its statement. */
  beforeEnd(): void {
    this.#keep([Buffer.concat(this.out.take())]);
  }

  /** It failed in the end: the message that said otherwise is not sent. */
  withoutEnd(): void {
    this.#end = [];
  }

  /** @param status transaction status for ReadyForQuery, where the answer had one */
  release(status: string): void {
    this.#keep(this.#end);
    this.#end = [];
    this.#send(() => true);
    if (this.#ready) this.#toClient.pushMessage(Buffer.from([backend.readyForQuery, 0, 0, 0, 5, status.charCodeAt(0)]));
  }

  /** The statement was undone: of its answer only what lasts is said. */
  drop(): void {
    this.#keep(
      this.#end.filter((bytes) => lasting.has(bytes[0] ?? 0)),
      true,
    );
    this.#end = [];
    this.#send(({ lasts }) => lasts);
  }

  #keep(all: readonly Buffer[], lasts = false): void {
    for (const bytes of all) {
      if (bytes.length === 0) continue;
      this.#kept.push({ bytes, lasts });
      this.#length += bytes.length;
    }
    if (!this.#begun && this.#length <= keptBytes) return;
    this.#begun = true;
    this.#send(() => true);
  }

  #send(wanted: (one: { readonly lasts: boolean }) => boolean): void {
    for (const one of this.#kept) if (wanted(one)) this.#toClient.pushMessage(one.bytes);
    this.#kept = [];
    this.#length = 0;
  }
}
