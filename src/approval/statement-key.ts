/** When two asks are about the same statement. */
import { createHash } from 'node:crypto';
import { unmaskRule } from '../policy/decision.js';
import { durationWords } from '../policy/units.js';
import type { ApprovalRequest } from '../proxy/statement/asker.js';

/**
 * Exactly the same: bytes, bind values, database, and all that decides what they mean. Whoever approves for the session
 * approves this and nothing near it.
 */
export function exactKey(request: ApprovalRequest): string {
  return digest([
    request.sid,
    request.connection,
    request.database,
    request.user ?? null,
    request.searchPath ?? null,
    request.sessionDigest ?? null,
    request.sql,
    request.bindValues,
    request.original ?? null,
    request.ruling.as?.role ?? null,
  ]);
}

/**
 * Exactly the same in another session of the same person: a verdict that came too late for the one may be used in the
 * other. Undefined where it cannot be told apart from others there.
 * @param target the servers that the connection leads to: its name may mean others by then
 */
export function lastingKey(request: ApprovalRequest, target: string): string | undefined {
  const { connects, as, rule } = request.ruling;
  // of a connection its lines hold what it is for, and no numbers that move
  const meaning = connects ? [connects.forMs, request.impact.lines] : request.meaning;
  if (meaning === undefined) return undefined;
  return digest([
    target,
    request.connection,
    request.database,
    request.user ?? null,
    request.searchPath ?? null,
    meaning,
    request.sql,
    request.bindValues,
    request.runs ?? null,
    [rule, as?.role ?? null, as?.reason ?? null],
  ]);
}

/** The same to a person: layout, case and a trailing semicolon do not matter. For refusing, where wide is safe. */
export function similarKey(request: ApprovalRequest): string {
  const text = request.sql
    .replace(/\s+/g, ' ')
    .replace(/[\s;]+$/, '')
    .trim()
    .toLowerCase();
  return digest([request.connection, request.database, text, request.bindValues]);
}

/**
 * Why this statement cannot be approved for the session, or undefined. The same text may mean another thing later:
 * EXECUTE of a name that is prepared again, a function that runs what it finds in a table, an unqualified name under
 * another search_path.
 */
export function sessionScopeObstacle(request: ApprovalRequest): string | undefined {
  if (request.ruling.rule === unmaskRule) return 'a mask is lifted for a while, and asked about anew afterwards';
  const { as, connects, reaches } = request.ruling;
  if (reaches) return 'it is remembered for this project as it is';
  if (connects) return `it is for ${durationWords(connects.forMs)} already`;
  // then a time is opened, for all that the entry covers
  if (as) return as.longestMs === undefined ? `it runs as ${as.role}, for itself alone` : undefined;
  if (request.ruling.decision === 'second-person') return 'it needs a second person each time';
  if (request.facts.unparseable) return 'dbguard cannot read it';
  const { statements } = request.facts;
  if (statements.some(({ handle }) => handle?.op === 'execute' || handle?.op === 'fetch')) {
    return 'it runs something by name, which may change';
  }
  if (statements.some(({ effects }) => effects.some(({ opaque }) => opaque))) {
    return 'what it runs cannot be seen in its text, and may be something else the next time';
  }
  const unqualified = statements.some(({ effects }) =>
    effects.some(({ targets }) => targets.some(({ type, schema }) => schemaBound.has(type) && schema === undefined)),
  );
  if (unqualified && request.searchPath === undefined) {
    return 'its names carry no schema, and this server does not report search_path';
  }
  return undefined;
}

const schemaBound: ReadonlySet<string> = new Set(['table', 'view', 'index', 'sequence', 'function', 'type']);

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
