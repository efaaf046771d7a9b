/**
 * What the client's messages mean: each becomes what the registry has to know, what answer the server will owe, and,
 * where it runs something, a statement for the gate.
 *
 * Source: "Message Flow" and "Message Formats" in the PostgreSQL manual.
 */
import type { Facts } from '../../sql/facts.js';
import {
  decodeBind,
  decodeExecute,
  decodeFunctionCall,
  decodeNamed,
  decodeParse,
  decodeQuery,
} from '../../wire/frontend.js';
import { frontend, ProtocolViolation } from '../../wire/messages.js';
import type { Candidate, GatedKind } from '../candidate.js';
import { fresh } from '../prepared/prepared-facts.js';
import { isAsciiName, type Portal, type Prepared, type Settle } from '../prepared/registry.js';
import {
  combineFacts,
  type KnownStatements,
  resolveHandles,
  textsBehind,
  withPortals,
} from '../prepared/what-a-name-runs.js';
import { bytesAmong, decodeSql, formatOf, protocolName, showValue } from '../sql-text.js';
import type { ConnectionState } from '../statement/connection-state.js';
import type { StatementGate } from '../statement/gate.js';
import { type DeferredBind, DeferredBinds } from './deferred-bind.js';
import { functionFacts, tooLarge, tooLargeRuling, unreadable } from './fixed-facts.js';

/** A simple Query replaces the portal of this name before it runs anything. */
const unnamed = '';

export class ClientMessages {
  readonly #state: ConnectionState;
  readonly #gate: StatementGate;
  readonly #known: KnownStatements;
  /** Whether to plan statements of these facts runs more than reading rows of tables. */
  readonly #doesMore = new WeakMap<Facts, boolean>();
  readonly #deferred: DeferredBinds;

  constructor(state: ConnectionState, gate: StatementGate) {
    this.#state = state;
    this.#gate = gate;
    this.#deferred = new DeferredBinds(state, {
      hides: (prepared) => this.#hides(prepared),
      describe: (bytes) => this.#onDescribe(bytes, 0, bytes.length),
    });
    this.#known = { statements: (name) => this.#fresh(state.registry.statements(name)) };
  }

  #fresh(prepared: readonly Prepared[]): readonly Prepared[] {
    const { analyser } = this.#state.parts.catalog;
    for (const one of prepared) fresh(one, analyser);
    return prepared;
  }

  /** One whole message, `buffer[start, end)`. Throws ProtocolViolation for what no client may send now. */
  onMessage(type: number, buffer: Buffer, start: number, end: number): void {
    if (this.#deferred.waitsWith(type, buffer, start, end)) return;
    switch (type) {
      case frontend.query:
        this.#onQuery(buffer, start, end);
        return;
      case frontend.parse:
        if (!this.#onParse(buffer, start, end)) return;
        break;
      case frontend.bind:
        this.#onBind(buffer, start, end);
        return;
      case frontend.execute:
        this.#onExecute(buffer, start, end, this.#deferred.take());
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
        this.#state.server.responses.expect({ kind: 'sync', settle: this.#state.lexical.syncForwarded() });
        this.#state.registry.nextPipeline();
        break;
      case frontend.copyDone:
      case frontend.copyFail:
        this.#state.server.responses.expect({ kind: 'copy-end' });
        break;
      case frontend.flush:
      case frontend.terminate:
        break;
      default:
        throw new ProtocolViolation('a password message after authentication');
    }
    this.#state.outbox.out.push(buffer, start, end);
  }

  #onQuery(buffer: Buffer, start: number, end: number): void {
    const { sql, facts: own } = this.#read(decodeQuery(buffer, start, end));
    const reach = this.#reach(own, unnamed);
    this.#gate.pass({
      candidate: { kind: 'query', sql, ...reach, ...this.#state.meaningOf(reach.facts) },
      buffer,
      start,
      end,
      again: () => this.#onQuery(buffer, start, end),
      onForward: () => this.#applyHandles(own, sql),
    });
  }

  /** False where it waits. */
  #onParse(buffer: Buffer, start: number, end: number, privilegeHint?: string): boolean {
    const parse = decodeParse(buffer, start, end);
    const { sql, facts } = this.#read(parse.sql);
    const { generation } = this.#state.parts.catalog.analyser;
    const prepared: Prepared = { sql, facts, generation, parameterTypes: parse.parameterTypes, entry: undefined };
    const again = (hint?: string): void => {
      if (this.#onParse(buffer, start, end, hint)) this.#state.outbox.out.push(buffer, start, end);
    };
    const bytes = buffer.subarray(start, end);
    if (!this.#gate.mayParse({ name: parse.statement, prepared, bytes, again })) return false;
    const settle = this.#state.addStatement(parse.statement, prepared);
    const hidesDiagnostics = this.#hides([prepared]);
    this.#state.server.responses.expect({ kind: 'parse', hidesDiagnostics, privilegeHint, settle });
    return true;
  }

  #onBind(buffer: Buffer, start: number, end: number): void {
    const bind = decodeBind(buffer, start, end);
    const portal: Portal = {
      statementName: bind.statement,
      prepared: this.#state.registry.statements(bind.statement),
      parameterFormats: bind.parameterFormats,
      resultFormats: bind.resultFormats,
      sessionDigest: this.#state.sessionDigest.digest,
      values: bind.values,
      admitted: undefined,
      generation: 0,
    };
    const add = () => this.#state.registry.addPortal(bind.portal, portal);
    if (this.#deferred.mayNeedRole(portal.prepared)) {
      this.#deferred.defer(bind.portal, Buffer.from(buffer.subarray(start, end)), portal.prepared, add());
      return;
    }
    if (!this.#planningRuns(bind.statement, portal.prepared)) {
      const hidesDiagnostics = this.#hides(portal.prepared);
      this.#state.server.responses.expect({ kind: 'bind', hidesDiagnostics, settle: add() });
      this.#state.outbox.out.push(buffer, start, end);
      return;
    }
    this.#gate.pass({
      candidate: this.#running(bind.portal, portal),
      buffer,
      start,
      end,
      binds: portal,
      again: () => this.#onBind(buffer, start, end),
      onForward: add,
    });
  }

  /** What the server says of these may hold masked values. */
  #hides(prepared: readonly Prepared[]): boolean {
    return this.#state.masks?.hidesDiagnostics(prepared.map(({ sql }) => sql)) ?? false;
  }

  /** Bind plans, and planning runs functions that say of themselves that nothing depends on when. */
  #planningRuns(statement: string, prepared: readonly Prepared[]): boolean {
    if (prepared.length === 0) return !isAsciiName(statement);
    if (prepared.some(({ sql }) => this.#state.masks?.plan(sql).kind === 'deny')) return true;
    const { analyser } = this.#state.parts.catalog;
    return this.#fresh(prepared).some(({ sql, part, facts }) => {
      let does = this.#doesMore.get(facts);
      if (does === undefined) {
        const explained = (): Facts => analyser.analyse(`EXPLAIN\n${sql}`);
        does = facts.unparseable !== undefined || (doesMore(facts) && (part !== undefined || doesMore(explained())));
        this.#doesMore.set(facts, does);
      }
      return does;
    });
  }

  /** What the result will look like is remembered for an Execute that comes without a Describe of its own. */
  #onDescribe(buffer: Buffer, start: number, end: number): void {
    const { recording } = this.#state.parts;
    if (!this.#state.masks && !recording) {
      this.#state.server.responses.expect({ kind: 'describe' });
      return;
    }
    const { kind, name } = decodeNamed(buffer, start, end);
    const known =
      kind === 'S' ? this.#state.registry.statements(name) : (this.#state.registry.portal(name)?.prepared ?? []);
    this.#state.server.responses.expect({
      kind: 'describe',
      hidesDiagnostics: this.#hides(known),
      described: (fields, columns) => {
        for (const one of known) one.fields = fields;
        if (!recording) return;
        const named = columns();
        for (const one of known) one.columns = named;
      },
    });
  }

  /** @param unbound the Bind of its portal, where that waits for it */
  #onExecute(buffer: Buffer, start: number, end: number, unbound: DeferredBind | undefined): void {
    const { portal: portalName } = decodeExecute(buffer, start, end);
    const portal = this.#state.registry.portal(portalName);
    const candidate = this.#running(portalName, portal);
    this.#gate.pass({
      candidate,
      buffer,
      start,
      end,
      portal,
      unbound,
      again: () => this.#onExecute(buffer, start, end, unbound),
      onForward: () => this.#applyHandles(combineFacts(portal?.prepared ?? []), candidate.sql),
    });
  }

  /** @param portal undefined where nothing is known of what the name stands for */
  #running(portalName: string, portal: Portal | undefined): Candidate {
    const prepared = this.#fresh(portal?.prepared ?? []);
    const [only] = prepared.length === 1 ? prepared : [];
    const shown =
      portal?.values.map((value, index) => showValue(value, formatOf(portal.parameterFormats, index))) ?? [];
    const { facts, runs } = this.#reach(combineFacts(prepared), portalName);
    const meaning = this.#state.meaningOf(facts);
    // on the way of every statement: a spread costs more than all that is spread
    return {
      kind: 'execute',
      sql: only ? only.sql : prepared.map((one) => one.sql).join('\n-- or --\n'),
      facts,
      runs,
      textEntry: only?.entry,
      prepared: only,
      statementName: portal?.statementName ?? '',
      portalName,
      bindValues: shown,
      // a text that looks like bytes is rare: nearly all values need no second look
      bytesAmongValues:
        portal && shown.some((value) => value?.startsWith('\\x'))
          ? bytesAmong(portal.values, portal.parameterFormats)
          : undefined,
      bound: portal,
      transaction: meaning.transaction,
      transactionStatus: meaning.transactionStatus,
      isTemporary: meaning.isTemporary,
      searchPath: meaning.searchPath,
      sessionDigest: meaning.sessionDigest,
      catalogGeneration: meaning.catalogGeneration,
    };
  }

  /** What a statement may run, itself and by name. Most run nothing beyond themselves. */
  #reach(own: Facts, portal: string): Pick<Candidate, 'facts' | 'runs'> {
    const waiting = this.#state.registry.waitingPortals(portal);
    const facts = withPortals(resolveHandles(own, this.#known), waiting, this.#known);
    if (facts === own) return { facts };
    const portals = waiting.flatMap(({ prepared }) => this.#fresh(prepared));
    return { facts, runs: [...textsBehind(own, this.#known), ...portals.map(({ sql }) => sql)] };
  }

  #onFunctionCall(buffer: Buffer, start: number, end: number): void {
    const call = decodeFunctionCall(buffer, start, end);
    const reach = this.#reach(functionFacts(call.functionOid), unnamed);
    this.#gate.pass({
      candidate: {
        kind: 'function',
        sql: `-- FunctionCall of function ${call.functionOid} (pg_proc.oid), past SQL`,
        ...reach,
        bindValues: call.values.map((value) => showValue(value, 1)),
        bytesAmongValues: bytesAmong(call.values, [1]),
        ...this.#state.meaningOf(reach.facts),
      },
      buffer,
      start,
      end,
      again: undefined,
    });
  }

  #onClose(buffer: Buffer, start: number, end: number): void {
    const { kind, name } = decodeNamed(buffer, start, end);
    const { registry, server } = this.#state;
    const closed = kind === 'S' ? registry.statements(name) : (registry.portal(name)?.prepared ?? []);
    const settle = kind === 'S' ? registry.closingStatement(name) : registry.closingPortal(name);
    server.responses.expect({ kind: 'close', hidesDiagnostics: this.#hides(closed), settle });
  }

  /** A message longer than dbguard may hold: its bytes are dropped as they come, then it is denied. */
  onOversize(type: number): void {
    this.#deferred.letGo();
    const kind: GatedKind = type === frontend.query ? 'query' : type === frontend.functionCall ? 'function' : 'execute';
    const limit = this.#state.parts.maxMessage;
    const facts = tooLarge(limit);
    const candidate: Candidate = {
      kind,
      sql: '',
      facts,
      decided: tooLargeRuling,
      ...this.#state.meaningOf(facts),
    };
    const admission = this.#state.parts.journal.admit(candidate, this.#state.parts.context);
    this.#state.parts.journal.recordRuleVerdict(admission);
    this.#gate.deny(kind, {
      severity: 'ERROR',
      code: '54000',
      message: `dbguard refused a message longer than ${limit} bytes`,
      hint: 'Send large data in parts or with COPY.',
    });
  }

  #read(bytes: Buffer): { sql: string; facts: Facts } {
    const server = this.#state.server;
    const sql = decodeSql(bytes, this.#state.encoding);
    if (sql === undefined) return { sql: showValue(bytes, 1) ?? '', facts: unreadable };
    if (this.#state.lexical.ambiguous(sql)) return { sql, facts: unreadable };
    const standardConformingStrings = server.parameter('standard_conforming_strings') !== 'off';
    return { sql, facts: this.#state.parts.catalog.analyser.analyse(sql, { standardConformingStrings }) };
  }

  /** PREPARE, DEALLOCATE and friends change what later names mean. Returns what to do when the server has answered. */
  #applyHandles(facts: Facts, sql: string): Settle | undefined {
    const registry = this.#state.registry;
    const onDone: Settle[] = [];
    for (const [part, { handle }] of facts.statements.entries()) {
      if (handle?.op === 'prepare' && handle.name !== undefined && handle.inner) {
        const { generation } = this.#state.parts.catalog.analyser;
        const prepared: Prepared = {
          sql,
          part,
          facts: { statements: [handle.inner] },
          generation,
          parameterTypes: [],
          entry: undefined,
        };
        registry.mayPrepare(protocolName(handle.name), prepared);
      } else if (handle?.op === 'deallocate') {
        const { name } = handle;
        const settle =
          name === undefined ? registry.closingAllStatements() : registry.closingStatement(protocolName(name));
        if (settle) onDone.push(settle);
      }
    }
    if (onDone.length === 0) return undefined;
    return (how) => {
      for (const settle of onDone) settle(how);
    };
  }
}

/** More than reading rows of tables. */
function doesMore({ statements }: Facts): boolean {
  return statements.some(({ effects }) => effects.some(({ kind, opaque }) => opaque || kind !== 'read'));
}
