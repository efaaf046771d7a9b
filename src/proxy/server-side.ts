/**
 * The server's half of a session: what comes back, and to which forwarded message it belongs.
 *
 * What lives here: the response queue, the transaction status and the parameters as the server last reported them.
 * What it must not know: the client's bytes, the gate, sockets.
 */
import { backendRules, decodeFields } from '../wire/backend.js';
import { Framer } from '../wire/framer.js';
import { backend, headerBytes, type TransactionStatus } from '../wire/messages.js';
import { Reader } from '../wire/reader.js';
import type { Meter } from './meter.js';
import type { Outgoing } from './outgoing.js';
import { type Expectation, Responses } from './responses.js';

export class ServerSide {
  readonly responses = new Responses();
  readonly #framer = new Framer(backendRules);
  readonly #toClient: Outgoing;
  readonly #parameters: Map<string, string>;
  #status: TransactionStatus = 'I';

  constructor(toClient: Outgoing, parameters: ReadonlyMap<string, string>) {
    this.#toClient = toClient;
    this.#parameters = new Map(parameters);
  }

  /** As of the last ReadyForQuery. */
  get transactionStatus(): TransactionStatus {
    return this.#status;
  }

  /** The last ParameterStatus of that name. */
  parameter(name: string): string | undefined {
    return this.#parameters.get(name);
  }

  /** True where a message of dbguard's own may go to the client without cutting one of the server's in two. */
  get atBoundary(): boolean {
    return this.#framer.atBoundary;
  }

  /** Rows come out whole while dbguard itself is asking. */
  wholeRows(whole: boolean): void {
    this.#framer.setStreamed(backend.dataRow, !whole);
  }

  /** Throws ProtocolViolation when the server's answers no longer fit what was asked. */
  receive(chunk: Buffer): void {
    const framer = this.#framer;
    framer.push(chunk);
    while (framer.next()) {
      if (framer.kind === 'run') this.#onRun(framer);
      else this.#onMessage(framer.type, framer.buffer, framer.start, framer.end);
    }
  }

  #onRun(framer: Framer): void {
    const head = this.responses.head;
    if (head?.sink) return;
    if (head?.meter) head.meter.bytes += framer.end - framer.start;
    this.#toClient.push(framer.buffer, framer.start, framer.end);
  }

  #onMessage(type: number, bytes: Buffer, start: number, end: number): void {
    const responses = this.responses;
    const owner = responses.ownerOf(type);
    if (type === backend.readyForQuery) {
      this.#status = String.fromCharCode(bytes[start + headerBytes] as number) as TransactionStatus;
    } else if (type === backend.parameterStatus) {
      const reader = new Reader(bytes, start + headerBytes, end);
      this.#parameters.set(reader.cstringBytes().toString('utf8'), reader.cstringBytes().toString('utf8'));
    }
    if (owner === undefined) {
      this.#toClient.push(bytes, start, end);
      return;
    }
    if (owner.sink) {
      owner.sink(type, bytes, start, end);
    } else if (type !== backend.errorResponse || !this.#substituted(owner)) {
      if (owner.meter) measure(owner.meter, type, bytes, start, end);
      this.#toClient.push(bytes, start, end);
    }
    responses.advance(type, owner);
  }

  #substituted(owner: Expectation): boolean {
    const substitute = owner.substitute;
    if (substitute === undefined) return false;
    delete owner.substitute;
    this.#toClient.pushMessage(substitute);
    return true;
  }
}

function measure(meter: Meter, type: number, bytes: Buffer, start: number, end: number): void {
  if (type === backend.dataRow) meter.bytes += end - start;
  else if (type === backend.commandComplete) meter.tag(bytes.toString('latin1', start + headerBytes, end - 1));
  else if (type === backend.errorResponse) meter.sqlstate = decodeFields(bytes, start, end).get('C');
}
