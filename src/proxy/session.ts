/**
 * One client connection after startup: what the client sends goes through the gate, what the server answers goes
 * back. Sans-IO: bytes in by `fromClient` and `fromServer`, bytes out through the port.
 *
 * What lives here: the order of everything between one client and one server. What it must not know: sockets, the
 * policy's rules, how a person is asked.
 */
import { DbguardError, messageOf } from '../errors.js';
import type { RewritePlan } from '../masking/masker.js';
import type { Ruling } from '../policy/decision.js';
import type { Analyser, Facts } from '../sql/facts.js';
import { type ErrorText, encodeError } from '../wire/backend.js';
import type { BindValues } from '../wire/extended-query.js';
import { Framer } from '../wire/framer.js';
import {
  decodeBind,
  decodeExecute,
  decodeFunctionCall,
  decodeNamed,
  decodeParse,
  decodeQuery,
  frontendRules,
} from '../wire/frontend.js';
import { frontend, ProtocolViolation } from '../wire/messages.js';
import { deniedByRule, failingMessage, type GatedKind } from './denial.js';
import { functionFacts, tooLarge, unreadable } from './fixed-facts.js';
import type { Admission, Candidate, ConnectionContext, Gate } from './gate.js';
import type { HeldStatement } from './held-statement.js';
import { Inquiry } from './inquiry.js';
import { JournaledOutbox } from './journaled-outbox.js';
import { Meter } from './meter.js';
import { Outgoing } from './outgoing.js';
import { Reading } from './reading.js';
import { type Portal, type Prepared, Registry } from './registry.js';
import { combineFacts, resolveHandles } from './resolve.js';
import { AnswerMask, type ClientMasks, copiesOut, copyNotMaskable, maskRuling, ResultMasks } from './result-masks.js';
import { isMaybeTypo, Review, type ReviewEnd, type Reviewer } from './review.js';
import { ServerSide } from './server-side.js';
import { decodeSql, formatOf, protocolName, showValue } from './sql-text.js';
import { TransactionLog } from './transaction-log.js';

/** How the session acts on the world. */
export interface SessionPort {
  writeServer(slices: Buffer[]): void;
  writeClient(slices: Buffer[]): void;
  /** The session has taken or sent bytes by itself: reading may go on, or has to stop. */
  balance(): void;
  /** Ends both connections once everything written has left. `reason` is for the transcript. */
  close(reason: string): void;
}

export interface SessionParts {
  readonly context: ConnectionContext;
  readonly gate: Gate;
  readonly analyser: Analyser;
  readonly reviewer: Reviewer;
  /** Undefined where nothing is masked. */
  readonly masks: ClientMasks | undefined;
  readonly port: SessionPort;
  /** ParameterStatus values as they stood when the connection was handed over. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Longest client message held in memory, bytes. */
  readonly maxMessage: number;
  /** A portal name that no client can guess; see denial.ts. */
  readonly unguessable: string;
}

/** What to do with the frame at hand once it is decided. */
interface Gated {
  readonly candidate: Candidate;
  /** Its bytes, `buffer[start, end)`: left where they are, so that neighbours leave in one write. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly portal?: Portal;
  /** Registry changes that follow from running it. */
  readonly onForward?: () => ((done: boolean) => void) | undefined;
  readonly mask?: RewritePlan | undefined;
}

export class Session {
  readonly #parts: SessionParts;
  readonly #client: Framer;
  readonly #toClient = new Outgoing();
  readonly #server: ServerSide;
  readonly #outbox: JournaledOutbox;
  readonly #registry = new Registry();
  readonly #reading = new Reading();
  readonly #transaction = new TransactionLog();
  /** Texts in this turn's Parse messages that no entry discloses yet. */
  #undisclosed: Prepared[] = [];
  readonly #masks: ResultMasks | undefined;
  #review: Review | undefined;
  /** A person approved a migration as one transaction: its further changes are part of it. */
  #approvedTransaction = false;
  #oversize: number | undefined;
  #closed = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#client = new Framer(frontendRules(parts.maxMessage));
    this.#server = new ServerSide(this.#toClient, parts.parameters);
    this.#masks = parts.masks && new ResultMasks(parts.masks);
    if (this.#masks) this.#server.cutRows();
    this.#outbox = new JournaledOutbox(
      parts.gate.recorder,
      (slices) => parts.port.writeServer(slices),
      (error) => this.#abort({ severity: 'FATAL', code: '58030', message: `dbguard cannot record: ${error.message}` }),
    );
  }

  /**
   * Client bytes that wait behind a statement under review; the pump stops reading above its own limit. Bytes of a
   * message that is still coming in do not count: without the rest it would never end.
   */
  get clientBacklog(): number {
    return this.#review === undefined ? 0 : this.#client.buffered;
  }

  /** Nothing under way: no transaction, nothing unanswered, nothing under review. */
  get idle(): boolean {
    return (
      this.#review === undefined &&
      this.#outbox.empty &&
      this.#server.responses.idle &&
      this.#server.transactionStatus === 'I'
    );
  }

  /** Takes ownership of the chunk. */
  fromClient(chunk: Buffer): void {
    if (this.#closed) return;
    this.#client.push(chunk);
    this.#pump();
  }

  /** Takes ownership of the chunk. */
  fromServer(chunk: Buffer): void {
    if (this.#closed) return;
    try {
      this.#server.receive(chunk);
    } catch (error) {
      this.#violated(error, 'the server broke the protocol');
      return;
    }
    this.#flushClient();
    if (this.#server.transactionStatus === 'I' && this.#server.responses.idle && !this.#server.inquiring) {
      this.#approvedTransaction = false;
      this.#transaction.clear();
      this.#masks?.settled();
      if (this.#outbox.empty) this.#registry.clearPortals();
    }
    const { idle, discarding } = this.#server.responses;
    if (idle || discarding) this.#review?.quiet(discarding);
  }

  /** Everything that may go to the server has gone. */
  get sentEverything(): boolean {
    return this.#outbox.empty;
  }

  /** A CancelRequest for this connection. True when it ended a wait for approval; else it is the server's. */
  cancel(): boolean {
    return this.#review?.interrupt('cancel') ?? false;
  }

  /** The client is gone. What it sent before counts, as with a server; what waits for approval does not. */
  clientGone(): void {
    this.#review?.interrupt('disconnect');
  }

  /** Ends the connection as a server that shuts down does; call when idle, or when time is up. */
  shutDown(message: string): void {
    this.#abort({ severity: 'FATAL', code: '57P01', message });
  }

  /** Both sides are gone: settle what is open, so that the transcript says so. */
  dispose(): void {
    this.#closed = true;
    this.#review?.interrupt('disconnect');
    this.#server.responses.abandon();
  }

  #pump(): void {
    try {
      while (!this.#blocked() && this.#client.next()) this.#onFrame();
    } catch (error) {
      this.#violated(error, 'the client broke the protocol');
      return;
    }
    this.#release();
  }

  #blocked(): boolean {
    return this.#closed || this.#review !== undefined;
  }

  #onFrame(): void {
    const { kind, type, buffer, start, end } = this.#client;
    if (kind === 'oversize') {
      this.#onOversize(type, end - start, this.#client.last);
    } else if (kind === 'run') {
      this.#outbox.out.push(buffer, start, end);
    } else if (this.#server.responses.discarding && type !== frontend.sync && type !== frontend.terminate) {
      // the server would throw it away unread
    } else {
      this.#onMessage(type, buffer, start, end);
    }
  }

  #onMessage(type: number, buffer: Buffer, start: number, end: number): void {
    switch (type) {
      case frontend.query:
        this.#onQuery(buffer, start, end);
        return;
      case frontend.parse:
        this.#onParse(buffer, start, end);
        break;
      case frontend.bind:
        this.#onBind(buffer, start, end);
        break;
      case frontend.execute:
        this.#onExecute(buffer, start, end);
        return;
      case frontend.functionCall:
        this.#onFunctionCall(buffer, start, end);
        return;
      case frontend.describe:
        this.#onDescribe(buffer, start, end);
        break;
      case frontend.close:
        this.#onClose(buffer, start, end);
        break;
      case frontend.sync:
        this.#server.responses.expect({ kind: 'sync', settle: this.#reading.syncForwarded() });
        break;
      case frontend.copyDone:
      case frontend.copyFail:
        this.#server.responses.expect({ kind: 'copy-end' });
        break;
      case frontend.flush:
      case frontend.terminate:
        break;
      default:
        throw new ProtocolViolation('a password message after authentication');
    }
    this.#outbox.out.push(buffer, start, end);
  }

  #onQuery(buffer: Buffer, start: number, end: number): void {
    const { sql, facts: own } = this.#read(decodeQuery(buffer, start, end));
    const facts = resolveHandles(own, this.#registry);
    this.#gate({
      candidate: { kind: 'query', sql, facts, ...this.#state },
      buffer,
      start,
      end,
      onForward: () => this.#applyHandles(own, sql),
    });
  }

  #onParse(buffer: Buffer, start: number, end: number): void {
    const parse = decodeParse(buffer, start, end);
    const { sql, facts } = this.#read(parse.sql);
    const prepared: Prepared = { sql, facts, parameterTypes: parse.parameterTypes, entry: undefined };
    this.#registry.addStatement(parse.statement, prepared);
    this.#undisclosed.push(prepared);
    this.#server.responses.expect({
      kind: 'parse',
      settle: (how) => {
        if (how !== 'done') this.#registry.removeStatement(parse.statement, prepared);
      },
    });
  }

  #onBind(buffer: Buffer, start: number, end: number): void {
    const bind = decodeBind(buffer, start, end);
    this.#registry.setPortal(bind.portal, {
      statementName: bind.statement,
      prepared: this.#registry.statements(bind.statement),
      parameterFormats: bind.parameterFormats,
      resultFormats: bind.resultFormats,
      values: bind.values,
      admitted: undefined,
    });
    this.#server.responses.expect({ kind: 'bind' });
  }

  /** What the result will look like is remembered for an Execute that comes without a Describe of its own. */
  #onDescribe(buffer: Buffer, start: number, end: number): void {
    if (!this.#masks) {
      this.#server.responses.expect({ kind: 'describe' });
      return;
    }
    const { kind, name } = decodeNamed(buffer, start, end);
    const known = kind === 'S' ? this.#registry.statements(name) : (this.#registry.portal(name)?.prepared ?? []);
    this.#server.responses.expect({
      kind: 'describe',
      described: (fields) => {
        for (const one of known) one.fields = fields;
      },
    });
  }

  #onExecute(buffer: Buffer, start: number, end: number): void {
    const { portal: portalName } = decodeExecute(buffer, start, end);
    const portal = this.#registry.portal(portalName);
    const prepared = portal?.prepared ?? [];
    const only = prepared.length === 1 ? prepared[0] : undefined;
    const facts = combineFacts(prepared);
    const candidate: Candidate = {
      kind: 'execute',
      sql: prepared.map((one) => one.sql).join('\n-- or --\n'),
      facts: resolveHandles(facts, this.#registry),
      textEntry: only?.entry,
      statementName: portal?.statementName ?? '',
      portalName,
      bindValues:
        portal?.values.map((value, index) => showValue(value, formatOf(portal.parameterFormats, index))) ?? [],
      ...this.#state,
    };
    this.#gate({
      candidate,
      buffer,
      start,
      end,
      ...(portal ? { portal } : {}),
      onForward: () => this.#applyHandles(facts, candidate.sql),
    });
  }

  #onFunctionCall(buffer: Buffer, start: number, end: number): void {
    const call = decodeFunctionCall(buffer, start, end);
    this.#gate({
      candidate: {
        kind: 'function',
        sql: `-- FunctionCall of function ${call.functionOid} (pg_proc.oid), past SQL`,
        facts: functionFacts(call.functionOid),
        bindValues: call.values.map((value) => showValue(value, 1)),
        ...this.#state,
      },
      buffer,
      start,
      end,
    });
  }

  #onClose(buffer: Buffer, start: number, end: number): void {
    const { kind, name } = decodeNamed(buffer, start, end);
    const registry = this.#registry;
    const statements = kind === 'S' ? registry.statements(name) : [];
    const portal = kind === 'P' ? registry.portal(name) : undefined;
    this.#server.responses.expect({
      kind: 'close',
      settle: (how) => {
        if (how !== 'done') return;
        for (const one of statements) registry.removeStatement(name, one);
        if (portal) registry.removePortal(name, portal);
      },
    });
  }

  /** A message longer than dbguard may hold: its bytes are dropped as they come, then it is denied. */
  #onOversize(type: number, length: number, last: boolean): void {
    this.#oversize = (this.#oversize ?? 0) + length;
    if (!last) return;
    this.#oversize = undefined;
    const kind: GatedKind = type === frontend.query ? 'query' : type === frontend.functionCall ? 'function' : 'execute';
    if (this.#server.responses.discarding) return;
    const limit = this.#parts.maxMessage;
    const candidate: Candidate = {
      kind,
      sql: '',
      facts: tooLarge(limit),
      ...this.#state,
    };
    const admission = this.#parts.gate.admit(candidate, this.#parts.context);
    this.#parts.gate.recordRuleVerdict(admission);
    this.#deny(kind, {
      severity: 'ERROR',
      code: '54000',
      message: `dbguard refused a message longer than ${limit} bytes`,
      hint: 'Send large data in parts or with COPY, or raise policy.limits.statement_bytes in dbguard.yaml.',
    });
  }

  #read(bytes: Buffer): { sql: string; facts: Facts } {
    const server = this.#server;
    const sql = decodeSql(bytes, this.#encoding);
    if (sql === undefined) return { sql: showValue(bytes, 1) ?? '', facts: unreadable };
    if (this.#reading.ambiguous(sql)) return { sql, facts: unreadable };
    const standardConformingStrings = server.parameter('standard_conforming_strings') !== 'off';
    return { sql, facts: this.#parts.analyser.analyse(sql, { standardConformingStrings }) };
  }

  /** The gates, in order; see gate.ts. */
  #gate(asked: Gated): void {
    const gated = this.#withMask(asked);
    const admitted = gated.portal?.admitted;
    if (admitted !== undefined) {
      this.#outbox.requireCommit();
      this.#forward(gated, this.#parts.gate.admitMore(gated.candidate, admitted, this.#parts.context));
      return;
    }
    const admission = this.#parts.gate.admit(gated.candidate, this.#parts.context);
    for (const one of gated.portal?.prepared ?? []) one.entry ??= admission.n;
    this.#outbox.requireCommit();
    switch (admission.ruling.decision) {
      case 'allow':
        this.#forward(gated, admission);
        return;
      case 'ask':
        if (this.#approvedTransaction && admission.ruling.covers === 'transaction') {
          this.#parts.gate.recordCovered(admission);
          this.#forward(gated, admission);
          return;
        }
        this.#hold(gated, admission);
        return;
      case 'deny':
        if (isMaybeTypo(gated.candidate)) {
          this.#hold(gated, admission);
          return;
        }
        this.#parts.gate.recordRuleVerdict(admission);
        this.#deny(gated.candidate.kind, deniedByRule(admission.ruling));
        return;
      default:
        this.#hold(gated, admission);
    }
  }

  #forward(gated: Gated, admission: Admission): void {
    const gate = this.#parts.gate;
    if (gated.portal) gated.portal.admitted ??= admission.n;
    const settleHandles = gated.onForward?.();
    const settleReading = this.#reading.forwarded(gated.candidate);
    this.#masks?.forwarded(gated.candidate.facts);
    const mask = this.#answerMask(gated);
    const meter = new Meter(admission.n, gate.clock.monotonic());
    this.#server.responses.expect({
      kind: gated.candidate.kind,
      meter,
      ...(mask ? { mask } : {}),
      settle: (how) => {
        settleHandles?.(how === 'done');
        settleReading?.();
        if (how === 'done') this.#transaction.done(gated.candidate.facts, meter.tags);
        gate.recordOutcome(
          meter.outcome(how, gate.clock.monotonic(), this.#server.transactionStatus),
          meter.rowsChanged,
        );
      },
    });
    this.#outbox.out.push(gated.buffer, gated.start, gated.end);
  }

  /** Before the gate, since a statement that would carry masked values where nothing masks them is a denial. */
  #withMask(gated: Gated): Gated {
    if (!this.#masks) return gated;
    const { candidate } = gated;
    const plan = this.#masks.plan(candidate.sql);
    const denied = (denial: Ruling): Gated => ({ ...gated, candidate: { ...candidate, denial } });
    if (candidate.kind === 'function') return denied(copyNotMaskable);
    if (plan.kind === 'none') return gated;
    if (plan.kind === 'deny') return denied(maskRuling(plan));
    if (copiesOut(candidate.facts) && plan.forCopy(this.#encoding) === 'unsupported') return denied(copyNotMaskable);
    return { ...gated, mask: plan };
  }

  #answerMask({ mask, portal, candidate }: Gated): AnswerMask | undefined {
    if (!mask) return undefined;
    if (candidate.kind === 'query') return new AnswerMask(mask, this.#encoding);
    return new AnswerMask(mask, this.#encoding, portal?.resultFormats ?? [], portal?.prepared.at(-1)?.fields);
  }

  /** What else decides what a statement means. The search_path is reported since PostgreSQL 18. */
  get #state(): Pick<Candidate, 'transactionStatus' | 'searchPath' | 'soFar'> {
    return {
      soFar: this.#transaction.soFar,
      transactionStatus: this.#server.transactionStatus,
      searchPath: this.#server.parameter('search_path'),
    };
  }

  get #encoding(): string {
    return this.#server.parameter('client_encoding') ?? '';
  }

  #deny(kind: GatedKind, error: ErrorText): void {
    this.#outbox.requireCommit();
    this.#server.responses.expect({ kind, substitute: encodeError(error) });
    this.#outbox.out.pushMessage(failingMessage(kind, this.#parts.unguessable));
  }

  /** Nothing of this client moves on until the review is over. */
  #hold(gated: Gated, admission: Admission): void {
    this.#review = new Review({
      candidate: gated.candidate,
      admission,
      context: this.#parts.context,
      gate: this.#parts.gate,
      reviewer: this.#parts.reviewer,
      server: this.#server,
      out: this.#outbox.out,
      release: () => this.#release(),
      toClient: (bytes) => {
        this.#toClient.pushMessage(bytes);
        this.#flushClient();
      },
      finish: (end) => this.#afterReview(gated, admission, end),
      held: this.#held(gated),
      inquiry: () => this.#inquiry(gated),
      requireCommit: () => this.#outbox.requireCommit(),
      harmed: (what) => this.#abort({ severity: 'FATAL', code: 'XX000', message: `dbguard: ${what}` }),
    });
    this.#review.start();
  }

  #held({ candidate, portal, mask }: Gated): HeldStatement {
    const only = portal?.prepared[0];
    return {
      bound: portal && only ? { ...boundBy(portal), parameterTypes: only.parameterTypes } : undefined,
      diagnosticsMasked: mask?.diagnostics ?? this.#masks?.plan(candidate.sql).kind === 'deny',
      maskOf: (sql) => {
        const plan = this.#masks?.plan(sql);
        if (plan?.kind === 'deny') return 'hidden';
        return plan?.kind === 'mask' ? new AnswerMask(plan, this.#encoding, []) : undefined;
      },
    };
  }

  #inquiry({ candidate, portal }: Gated): Inquiry | { readonly obstacle: string } {
    if (portal && portal.prepared.length !== 1) return { obstacle: 'what the portal runs is not known yet' };
    // the text is sent anew, in UTF-8
    if (this.#encoding !== 'UTF8' && !/^\p{ASCII}*$/u.test(candidate.sql))
      return { obstacle: 'client_encoding is not UTF8' };
    const obstacle = Inquiry.obstacle(this.#server, this.#registry.otherPortals(portal));
    if (obstacle !== undefined) return { obstacle };
    return new Inquiry({
      server: this.#server,
      out: this.#outbox.out,
      release: () => this.#release(),
      toClient: (bytes) => {
        this.#toClient.pushMessage(bytes);
        this.#flushClient();
      },
      name: this.#parts.unguessable,
      portal: portal && { name: candidate.portalName ?? '', statement: portal.statementName, bound: boundBy(portal) },
    });
  }

  #afterReview(gated: Gated, admission: Admission, end: ReviewEnd): void {
    this.#review = undefined;
    if (this.#closed) return;
    try {
      if (end.kind === 'allow') {
        const { covers } = admission.ruling;
        if (covers === 'transaction' && this.#server.transactionStatus === 'T') this.#approvedTransaction = true;
        this.#outbox.requireCommit(true);
        this.#forward(gated, admission);
      } else if (end.kind === 'deny') {
        this.#deny(gated.candidate.kind, end.error);
      }
    } catch (error) {
      this.#violated(error, 'the review broke');
      return;
    }
    this.#pump();
    this.#parts.port.balance();
    if (end.kind === 'deny' && end.endSession) this.#parts.reviewer.endSession();
  }

  /** PREPARE, DEALLOCATE and friends change what later names mean. Returns what to do when the server has answered. */
  #applyHandles(facts: Facts, sql: string): ((done: boolean) => void) | undefined {
    const registry = this.#registry;
    const onDone: (() => void)[] = [];
    for (const statement of facts.statements) {
      const handle = statement.handle;
      if (handle?.op === 'prepare' && handle.name !== undefined && handle.inner) {
        registry.addStatement(protocolName(handle.name), {
          sql,
          facts: { statements: [handle.inner] },
          parameterTypes: [],
          entry: undefined,
        });
      } else if (handle?.op === 'deallocate') {
        const known = registry
          .allStatements()
          .filter((one) => handle.name === undefined || one.name === protocolName(handle.name));
        onDone.push(() => {
          for (const one of known) registry.removeStatement(one.name, one.prepared);
        });
      }
    }
    if (onDone.length === 0) return undefined;
    return (done) => {
      if (done) for (const act of onDone) act();
    };
  }

  #release(): void {
    for (const prepared of this.#undisclosed) {
      if (prepared.entry !== undefined) continue;
      prepared.entry = this.#parts.gate.recordParse(prepared.sql, prepared.facts, this.#parts.context);
      this.#outbox.requireCommit();
    }
    this.#undisclosed = [];
    this.#outbox.release();
  }

  #flushClient(): void {
    if (this.#toClient.length > 0) this.#parts.port.writeClient(this.#toClient.take());
  }

  /** Whatever went wrong, this connection ends and no other does. */
  #violated(error: unknown, what: string): void {
    if (error instanceof ProtocolViolation) {
      this.#abort({ severity: 'FATAL', code: '08P01', message: `dbguard: ${what}: ${error.message}` });
    } else if (error instanceof DbguardError) {
      const hint = error.hint ? { hint: error.hint } : {};
      this.#abort({ severity: 'FATAL', code: '58030', message: `dbguard: ${error.message}`, ...hint });
    } else {
      this.#abort({ severity: 'FATAL', code: 'XX000', message: `dbguard: internal error: ${messageOf(error)}` });
    }
  }

  #abort(error: ErrorText): void {
    if (this.#closed) return;
    if (this.#server.atBoundary) this.#toClient.pushMessage(encodeError(error));
    this.#flushClient();
    this.#closed = true;
    this.#parts.port.close(error.message);
  }
}

function boundBy(portal: Portal): BindValues {
  return { formats: portal.parameterFormats, values: portal.values, resultFormats: portal.resultFormats };
}
