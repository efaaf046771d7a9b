/** Statements that are neither queries nor DDL: COPY, EXPLAIN, PREPARE, cursors, LOCK, VACUUM, NOTIFY ... */
import type { DefElem, ExplainStmt, VacuumStmt } from 'libpg-query';
import { relationTarget } from '../conditions/scope.js';
import type { Target } from '../facts.js';
import { as, constant, type Node, names } from '../grammar/tree.js';
import type { LockMode } from '../lock-modes.js';
import type { EffectDetails } from './effect-list.js';
import type { Handlers, Walk } from './effect-walk.js';
import { relationTargets } from './objects.js';
import { addCreatedTable } from './query.js';

export const utilityHandlers: Handlers = {
  CopyStmt(copy, walk, scope) {
    walk.command ||= 'COPY';
    const columns = names(copy.attlist);
    if (copy.relation !== undefined) {
      const relation = relationTarget(copy.relation);
      const target = columns.length > 0 ? { ...relation, columns } : relation;
      if (copy.is_from === true) walk.add('insert', { targets: [target] });
      else walk.add('read', { targets: [target], bounded: false });
    }
    walk.visit(copy.query, scope);
    walk.visitBelow([copy.whereClause, copy.options], scope);
    if (copy.filename === undefined) return;
    if (copy.is_program === true) walk.add('copy-program', { targets: [{ type: 'program', name: copy.filename }] });
    else {
      const file = copy.is_from === true ? 'read' : 'write';
      walk.add('copy-file', { targets: [{ type: 'file', name: copy.filename }], file, detail: file });
    }
  },

  ExplainStmt(explain, walk, scope) {
    walk.command ||= 'EXPLAIN';
    const execute =
      as(explain.query, 'ExecuteStmt') ?? as(as(explain.query, 'CreateTableAsStmt')?.query, 'ExecuteStmt');
    if (isAnalyze(explain)) {
      walk.visit(explain.query, scope);
      return;
    }
    walk.deferred = true;
    // The parameters of an EXECUTE are computed even so, and planning runs what it may of the prepared statement.
    if (execute !== undefined) {
      walk.visitAll(execute.params, scope);
      walk.handle = { op: 'execute', ...(execute.name === undefined ? {} : { name: execute.name }) };
    } else walk.in('plan', () => walk.visit(explain.query, scope));
  },

  PrepareStmt(prepare, walk, scope) {
    walk.command ||= 'PREPARE';
    walk.deferred = true;
    walk.add('prepare', statementTarget(prepare.name));
    const inner = walk.inner(prepare.query, scope);
    if (prepare.name !== undefined) walk.handle = { op: 'prepare', name: prepare.name, inner: inner.facts(0, 0) };
  },

  ExecuteStmt(execute, walk, scope) {
    walk.command ||= 'EXECUTE';
    walk.add('prepare', statementTarget(execute.name));
    walk.visitAll(execute.params, scope);
    walk.handle = { op: 'execute', ...(execute.name === undefined ? {} : { name: execute.name }) };
  },

  DeallocateStmt(deallocate, walk) {
    const all = deallocate.name === undefined;
    walk.command ||= all ? 'DEALLOCATE ALL' : 'DEALLOCATE';
    walk.add('prepare', statementTarget(deallocate.name));
    walk.handle = { op: 'deallocate', ...(deallocate.name === undefined ? {} : { name: deallocate.name }) };
  },

  // The query's effects count here too: WITH HOLD runs it at COMMIT, without any FETCH.
  DeclareCursorStmt(declare, walk, scope) {
    walk.command ||= 'DECLARE CURSOR';
    const held = ((declare.options ?? 0) & cursorHold) !== 0;
    walk.add('cursor', { ...cursorTarget(declare.portalname), ...(held ? { held: true as const } : {}) });
    const inner = walk.inner(declare.query, scope);
    walk.absorb(inner);
    if (declare.portalname !== undefined) {
      walk.handle = { op: 'declare', name: declare.portalname, inner: inner.facts(0, 0) };
    }
  },

  FetchStmt(fetch, walk) {
    walk.command ||= fetch.ismove === true ? 'MOVE' : 'FETCH';
    walk.add('cursor', cursorTarget(fetch.portalname));
    walk.handle = { op: 'fetch', ...(fetch.portalname === undefined ? {} : { name: fetch.portalname }) };
  },

  ClosePortalStmt(close, walk) {
    walk.command ||= close.portalname === undefined ? 'CLOSE CURSOR ALL' : 'CLOSE CURSOR';
    walk.add('cursor', cursorTarget(close.portalname));
    walk.handle = { op: 'close', ...(close.portalname === undefined ? {} : { name: close.portalname }) };
  },

  CreateTableAsStmt(create, walk, scope) {
    const view = create.objtype === 'OBJECT_MATVIEW';
    walk.command ||= view ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS';
    const relation = create.into?.rel;
    if (relation !== undefined && view) walk.add('create', { targets: [relationTarget(relation, 'view')] });
    else if (relation !== undefined) addCreatedTable(walk, relation);
    walk.visit(create.query, scope);
  },

  LockStmt(lock, walk) {
    walk.command ||= 'LOCK TABLE';
    const lockMode = lockModes[lock.mode ?? 8] ?? 'ACCESS EXCLUSIVE';
    walk.add('lock', { targets: relationTargets(lock.relations), lockMode, detail: lockMode });
  },

  VacuumStmt(vacuum, walk) {
    walk.command ||= vacuum.is_vacuumcmd === true ? 'VACUUM' : 'ANALYZE';
    walk.add('maintenance', { targets: vacuumTargets(vacuum), ...switches(vacuum.options) });
  },

  ReindexStmt(reindex, walk) {
    walk.command ||= 'REINDEX';
    const type = reindexed[reindex.kind ?? ''] ?? 'other';
    const target = reindex.relation ? relationTarget(reindex.relation, type) : { type, name: reindex.name ?? '' };
    walk.add('maintenance', { targets: [target], ...switches(reindex.params) });
  },

  ClusterStmt(cluster, walk) {
    walk.command ||= 'CLUSTER';
    walk.add('maintenance', cluster.relation ? { targets: [relationTarget(cluster.relation)] } : {});
  },

  RefreshMatViewStmt(refresh, walk) {
    walk.command ||= 'REFRESH MATERIALIZED VIEW';
    walk.add('maintenance', refresh.relation ? { targets: [relationTarget(refresh.relation, 'view')] } : {});
  },

  CheckPointStmt(_statement, walk) {
    walk.command ||= 'CHECKPOINT';
    walk.add('maintenance');
  },

  NotifyStmt: (notify, walk) => addChannel('NOTIFY', notify.conditionname, walk),
  ListenStmt: (listen, walk) => addChannel('LISTEN', listen.conditionname, walk),
  UnlistenStmt: (unlisten, walk) => addChannel('UNLISTEN', unlisten.conditionname, walk),
};

/** PostgreSQL's lockdefs.h. */
const lockModes: Readonly<Record<number, LockMode>> = {
  1: 'ACCESS SHARE',
  2: 'ROW SHARE',
  3: 'ROW EXCLUSIVE',
  4: 'SHARE UPDATE EXCLUSIVE',
  5: 'SHARE',
  6: 'SHARE ROW EXCLUSIVE',
  7: 'EXCLUSIVE',
  8: 'ACCESS EXCLUSIVE',
};

/** CURSOR_OPT_HOLD of parsenodes.h. */
const cursorHold = 0x20;

const reindexed: Readonly<Record<string, Target['type']>> = {
  REINDEX_OBJECT_INDEX: 'index',
  REINDEX_OBJECT_TABLE: 'table',
  REINDEX_OBJECT_SCHEMA: 'schema',
  REINDEX_OBJECT_DATABASE: 'database',
  REINDEX_OBJECT_SYSTEM: 'database',
};

function statementTarget(name: string | undefined): { targets: Target[] } {
  return { targets: name === undefined ? [] : [{ type: 'statement', name }] };
}

function cursorTarget(name: string | undefined): { targets: Target[] } {
  return { targets: name === undefined ? [] : [{ type: 'cursor', name }] };
}

function addChannel(command: string, channel: string | undefined, walk: Walk): void {
  walk.command ||= command;
  walk.add('notify', { targets: channel === undefined ? [] : [{ type: 'channel', name: channel }] });
}

function vacuumTargets(vacuum: VacuumStmt): Target[] {
  return (vacuum.rels ?? []).flatMap((node) => {
    const relation = as(node, 'VacuumRelation');
    if (relation?.relation === undefined) return [];
    const columns = names(relation.va_cols);
    const target = relationTarget(relation.relation);
    return [columns.length > 0 ? { ...target, columns } : target];
  });
}

/** The options that are switched on: those that decide, and all as words (`full, verbose`). */
function switches(options: readonly Node[] | undefined): Pick<EffectDetails, 'full' | 'concurrently' | 'detail'> {
  const on = switchedOn(options);
  return {
    ...(on.includes('full') ? { full: true } : {}),
    ...(on.includes('concurrently') ? { concurrently: true } : {}),
    ...(on.length > 0 ? { detail: on.join(', ') } : {}),
  };
}

/** Of an option that stands twice the last one counts: ExplainQuery(), ExecVacuum(), ExecReindex(). */
function switchedOn(options: readonly Node[] | undefined): string[] {
  const last = new Map<string, DefElem>();
  for (const node of options ?? []) {
    const option = as(node, 'DefElem');
    if (option?.defname !== undefined) last.set(option.defname.toLowerCase(), option);
  }
  return [...last].flatMap(([name, option]) => (isOn(option) ? [name] : []));
}

/** Like defGetBoolean; whatever is not surely off counts as on. */
function isOn(option: DefElem): boolean {
  if (option.arg === undefined) return true;
  const integer = as(option.arg, 'Integer');
  const value = integer === undefined ? (as(option.arg, 'String')?.sval ?? constant(option.arg)) : (integer.ival ?? 0);
  const boolean = as(option.arg, 'Boolean');
  if (boolean !== undefined) return boolean.boolval === true;
  return !/^(off|false|0)$/i.test(String(value));
}

function isAnalyze(explain: ExplainStmt): boolean {
  return switchedOn(explain.options).includes('analyze');
}
