/**
 * The server's half of a session: what comes back, and to which forwarded message it belongs.
 *
 * What lives here: the response queue, the transaction status and the parameters as the server last reported them.
 * What it must not know: the client's bytes, the gate, sockets.
 */

import { maskDiagnostics } from '../../masking/diagnostics.js';
import { backendRules, decodeFields, heldMessageLimit, withHint } from '../../wire/backend.js';
import { Framer } from '../../wire/framer.js';
import { backend, ProtocolViolation, type TransactionStatus } from '../../wire/messages.js';
import { decodeColumns, decodeRowDescription } from '../../wire/row-description.js';
import {
  decodeCommandTag,
  decodeParameterStatus,
  decodeReadyForQuery,
  hasCommandTag,
  withoutPayload,
} from '../../wire/server-messages.js';
import type { Outgoing } from '../outgoing.js';
import { HeldAnswer } from './held-answer.js';
import type { Meter } from './meter.js';
import { privilegeRefusal } from './privilege-refusal.js';
import { type Expectation, type ExpectationKind, Responses } from './responses.js';
import type { ClientBytes } from './result-tap.js';

/** Questions of dbguard's own: `undone` afterwards with every setting that they changed, or asked where the client's own changes are `kept`. */
export type Inquiring = 'undone' | 'kept' | false;

/** What may leave something behind for the end of the transaction. */
const runsCode: ReadonlySet<ExpectationKind> = new Set(['query', 'function', 'bind', 'execute']);

export class ServerSide {
  readonly responses = new Responses();
  readonly #framer = new Framer(backendRules);
  readonly #toClient: Outgoing;
  readonly #parameters: Map<string, string>;
  #status: TransactionStatus = 'I';
  #wholeRows = false;
  #inquiring: Inquiring = false;
  #held: HeldAnswer | undefined;
  /** An error of what was held ends in what it set being undone, until the server is ready. */
  #undoes = false;
  #hidesNotifications: (() => boolean) | undefined;
  /** Something answered since ReadyForQuery may have left masked values for the end of the transaction to tell. */
  #hidesRest = false;
  /** Decoded once for all the statements that end with it. */
  #lastTag = '';

  constructor(toClient: Outgoing, parameters: ReadonlyMap<string, string>) {
    this.#toClient = toClient;
    this.#parameters = new Map(parameters);
  }

  /** As of the last ReadyForQuery. */
  get transactionStatus(): TransactionStatus {
    return this.#status;
  }

  /** All of them, as last reported. */
  get parameters(): ReadonlyMap<string, string> {
    return this.#parameters;
  }

  /** The last ParameterStatus of that name. */
  parameter(name: string): string | undefined {
    return this.#parameters.get(name);
  }

  /** True where a message of dbguard's own may go to the client without cutting one of the server's in two. */
  get atBoundary(): boolean {
    return this.#framer.atBoundary;
  }

  /** Rows and COPY data are whole from now on: where anything may have to be rewritten. */
  cutRows(): void {
    this.#wholeRows = true;
    this.#framer.setCut(backend.dataRow, 'whole-runs');
    this.#framer.setCut(backend.copyData, 'whole-runs');
  }

  get inquiring(): boolean {
    return this.#inquiring !== false;
  }

  /** What is for the client waits from now on in what this returns, until `letGo`. */
  hold(): HeldAnswer {
    this.#held = new HeldAnswer(this.#toClient);
    return this.#held;
  }

  letGo(): void {
    this.#held = undefined;
    this.#undoes = true;
  }

  /** Payloads of NOTIFY do not reach the client while `hidden` says so. */
  hideNotifications(hidden: () => boolean): void {
    this.#hidesNotifications = hidden;
  }

  /** dbguard asks for itself: its sinks need whole rows, and nothing that comes of it is for the client. */
  inquire(on: Inquiring): void {
    this.#inquiring = on;
    const usual = this.#wholeRows ? 'whole-runs' : 'streamed';
    this.#framer.setCut(backend.dataRow, on === false ? usual : 'whole');
  }

  /** Throws ProtocolViolation when the server's answers no longer fit what was asked. */
  receive(chunk: Buffer): void {
    const framer = this.#framer;
    framer.push(chunk);
    while (framer.next()) {
      if (framer.kind === 'run') this.#onRun(framer);
      else if (framer.kind === 'oversize') this.#onOversize(framer);
      else this.#onMessage(framer.type, framer.buffer, framer.start, framer.end);
    }
  }

  #onRun(framer: Framer): void {
    const head = this.responses.head;
    if (head?.sink) return;
    // what may have to be rewritten belongs to somebody, or nobody gets it
    if (this.#wholeRows) {
      this.#onMessage(framer.type, framer.buffer, framer.start, framer.end);
      return;
    }
    if (head?.meter) head.meter.bytes += framer.end - framer.start;
    if (head?.tap && !head.tap.done) head.tap.takePiece(framer.buffer, framer.start, framer.end);
    this.#client.push(framer.buffer, framer.start, framer.end);
    this.#held?.heard(framer.type);
  }

  /** A row of dbguard's own question is dropped, and the question told; of anything else there is no telling what it hides. */
  #onOversize({ type, last, buffer, start }: Framer): void {
    const sink = type === backend.dataRow ? this.responses.head?.sink : undefined;
    if (!sink)
      throw new ProtocolViolation(
        `a message of more than ${heldMessageLimit >> 20} MiB that dbguard would have to hold`,
      );
    if (last) sink(type, buffer, start, start);
  }

  get #client(): Outgoing {
    return this.#held?.out ?? this.#toClient;
  }

  #onMessage(type: number, bytes: Buffer, start: number, end: number): void {
    this.#take(type, bytes, start, end);
    this.#held?.heard(type);
  }

  #take(type: number, bytes: Buffer, start: number, end: number): void {
    const responses = this.responses;
    const owner = responses.ownerOf(type);
    if (type === backend.readyForQuery) {
      this.#status = decodeReadyForQuery(bytes, start, end);
      this.#undoes = false;
    } else if (type === backend.parameterStatus) {
      const { name, value } = decodeParameterStatus(bytes, start, end);
      // set for our own questions and set back by their end
      if (this.#inquiring === 'undone' && name === 'search_path') return;
      // PostgreSQL 13 says it with every SET ROLE, and when that is undone, whether it is another one or not
      if ((this.#inquiring || this.#held || this.#undoes) && this.#parameters.get(name) === value) return;
      this.#parameters.set(name, value);
    }
    if (this.#inquiring && type === backend.noticeResponse) {
      responses.head?.sink?.(type, bytes, start, end);
      return;
    }
    if (type === backend.notificationResponse && this.#hidesNotifications?.()) {
      this.#client.pushMessage(withoutPayload(bytes, start, end));
      return;
    }
    if (owner === undefined) {
      this.#passUnmasked(type, bytes, start, end, responses.current);
      return;
    }
    if (type === backend.readyForQuery) this.#hidesRest = false;
    else if (hides(owner) && runsCode.has(owner.kind)) this.#hidesRest = true;
    if (owner.sink) {
      owner.sink(type, bytes, start, end);
    } else if (type !== backend.errorResponse || !this.#substituted(owner)) {
      if (owner.meter) this.#measure(owner.meter, type, bytes, start, end);
      if (owner.described && type === backend.rowDescription)
        owner.described(decodeRowDescription(bytes, start, end), () => decodeColumns(bytes, start, end));
      this.#passOwned(type, bytes, start, end, owner);
    }
    responses.advance(type, owner);
  }

  #measure(meter: Meter, type: number, bytes: Buffer, start: number, end: number): void {
    if (type === backend.dataRow || type === backend.copyData) {
      meter.bytes += end - start;
    } else if (type === backend.commandComplete) {
      if (!hasCommandTag(bytes, start, end, this.#lastTag)) this.#lastTag = decodeCommandTag(bytes, start, end);
      meter.tag(this.#lastTag);
    } else if (type === backend.errorResponse) {
      const fields = decodeFields(bytes, start, end);
      meter.sqlstate = fields.get('C');
      meter.refusal = privilegeRefusal(fields);
    }
  }

  #passOwned(type: number, bytes: Buffer, start: number, end: number, owner: Expectation): void {
    const { privilegeHint } = owner;
    if (privilegeHint !== undefined && type === backend.errorResponse && isLackOfPrivilege(bytes, start, end)) {
      const hinted = withHint(bytes, start, end, privilegeHint);
      this.#passMasked(type, hinted, 0, hinted.length, owner);
    } else this.#passMasked(type, bytes, start, end, owner);
  }

  #passMasked(type: number, bytes: Buffer, start: number, end: number, owner: Expectation): void {
    if (owner.mask && !this.#hidden(type, owner)) owner.mask.pass(type, bytes, start, end, this.#clientOf(owner));
    else this.#passUnmasked(type, bytes, start, end, owner);
  }

  /** @param current what the server does meanwhile; a deferred constraint, for one, fails only at Sync */
  #passUnmasked(type: number, bytes: Buffer, start: number, end: number, current: Expectation | undefined): void {
    const client = current === undefined ? this.#client : this.#clientOf(current);
    if (this.#hidden(type, current)) client.pushMessage(maskDiagnostics(bytes, start, end, current?.mask?.isClean));
    else client.push(bytes, start, end);
  }

  /** By way of whoever records what it is shown. */
  #clientOf({ tap }: Expectation): ClientBytes {
    return tap === undefined ? this.#client : tap.before(this.#client);
  }

  #hidden(type: number, current: Expectation | undefined): boolean {
    if (type !== backend.errorResponse && type !== backend.noticeResponse) return false;
    return this.#hidesRest || (current !== undefined && hides(current));
  }

  #substituted(owner: Expectation): boolean {
    const substitute = owner.substitute;
    if (substitute === undefined) return false;
    owner.substitute = undefined;
    this.#client.pushMessage(substitute);
    return true;
  }
}

/** insufficient_privilege. */
function isLackOfPrivilege(bytes: Buffer, start: number, end: number): boolean {
  return decodeFields(bytes, start, end).get('C') === '42501';
}

function hides({ mask, hidesDiagnostics }: Expectation): boolean {
  return mask?.diagnostics ?? hidesDiagnostics ?? false;
}
