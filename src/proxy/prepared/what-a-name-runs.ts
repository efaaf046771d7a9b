/**
 * What a text runs beyond itself: `EXECUTE name` runs what an earlier PREPARE, or a Parse message, put under that
 * name. SQL-level and protocol-level prepared statements share one namespace ("PREPARE" in the PostgreSQL manual).
 */
import { isAscii } from 'node:buffer';
import type { Facts, StatementFacts, TransactionEffect } from '../../sql/facts.js';
import { protocolName } from '../sql-text.js';
import type { Portal, Prepared } from './registry.js';

/** What stands under a name: the registry of a connection. */
export interface KnownStatements {
  statements(name: string): readonly Prepared[];
}

/** A statement that runs something nobody has seen. */
function unseen(what: string): StatementFacts {
  return {
    command: 'EXECUTE',
    start: 0,
    end: 0,
    effects: [
      {
        kind: 'execute-code',
        targets: [{ type: 'statement', name: what }],
        bounded: false,
        opaque: true,
        detail: 'not known to dbguard',
      },
    ],
    functions: [],
    parameters: 0,
    deferred: false,
  };
}

/** `facts` and, appended, the facts of everything that its EXECUTEs may run. Returns `facts` itself when nothing is. */
export function resolveHandles(facts: Facts, registry: KnownStatements): Facts {
  let added: StatementFacts[] | undefined;
  /** PREPAREs of this same text, seen by the EXECUTEs behind them. */
  let local: Map<string, StatementFacts> | undefined;
  for (const statement of facts.statements) {
    const handle = statement.handle;
    if (handle?.name === undefined) continue;
    // where a name that is not ASCII is cut off depends on the server's encoding
    const plain = isAscii(Buffer.from(handle.name, 'utf8'));
    if (handle.op === 'prepare' && handle.inner && plain) {
      local ??= new Map();
      local.set(handle.name, handle.inner);
    } else if (handle.op === 'execute') {
      added ??= [];
      const inner = local?.get(handle.name);
      const known = registry.statements(protocolName(handle.name));
      const behind = inner ? [inner] : known.length === 0 ? [unseen(handle.name)] : [];
      for (const one of [...behind, ...known.flatMap(statementsOf)]) added.push({ ...one, named: true });
    }
  }
  return added ? { ...facts, statements: [...facts.statements, ...added] } : facts;
}

/** The texts that the EXECUTEs of a statement may run, where another message has brought them. */
export function textsBehind(facts: Facts, registry: KnownStatements): string[] {
  return facts.statements.flatMap(({ handle }) => {
    if (handle?.op !== 'execute' || handle.name === undefined) return [];
    return registry.statements(protocolName(handle.name)).map(({ sql }) => sql);
  });
}

/** A prepared text whose own statement is an EXECUTE is not followed twice: the server forbids it. */
function statementsOf(prepared: Prepared): readonly StatementFacts[] {
  return prepared.facts.unparseable ? [unseen('an unparseable statement')] : prepared.facts.statements;
}

/** The facts of every candidate together: strictest wins over all of them. */
export function combineFacts(all: readonly Prepared[]): Facts {
  const [first, ...rest] = all;
  if (first === undefined) return { statements: [unseen('a portal')] };
  if (rest.length === 0) return first.facts;
  const broken = all.find((one) => one.facts.unparseable)?.facts.unparseable;
  return { statements: all.flatMap((one) => one.facts.statements), ...(broken ? { unparseable: broken } : {}) };
}

const undoing: ReadonlySet<TransactionEffect | undefined> = new Set(['rollback', 'rollback-to']);
/** The server takes these without looking at a row or calling a function. */
const ofSettings: ReadonlySet<string> = new Set(['SET', 'RESET', 'SHOW']);

const reachesNoPortal = ({ transaction, command }: StatementFacts): boolean =>
  undoing.has(transaction) || ofSettings.has(command);

/** `facts` and those of what `portals` would run: FETCH runs it as Execute does, and so may a function. */
export function withPortals(facts: Facts, portals: readonly Portal[], registry: KnownStatements): Facts {
  if (portals.length === 0 || facts.statements.every(reachesNoPortal)) return facts;
  const behind = portals.map(({ prepared }) => resolveHandles(combineFacts(prepared), registry));
  const broken = [facts, ...behind].find(({ unparseable }) => unparseable)?.unparseable;
  const named = behind.flatMap(({ statements }) => statements.map((one) => ({ ...one, named: true as const })));
  return { statements: [...facts.statements, ...named], ...(broken ? { unparseable: broken } : {}) };
}
