/**
 * Whether a statement needs what its login lacks, and which role it could run as instead; asked in the client's own
 * session, before anybody is. The role is not taken on for that.
 *
 * What lives here: the steps of the question. What it must not know: who is asked, how a statement runs as a role.
 */
import { type AccessOffer, accessNeeds, coveringRule, type NamedNeed, type Need } from '../../policy/access-offer.js';
import { accessRulePrefix, type Ruling, type TakenRole } from '../../policy/decision.js';
import { isStricter } from '../../policy/layer.js';
import type { AccessRule } from '../../policy/read-access.js';
import { neverInTransaction, onlyInTransaction } from '../../policy/role-commands.js';
import { durationWords } from '../../policy/units.js';
import type { Facts, StatementFacts, Target } from '../../sql/facts.js';
import type { Candidate, ConnectionContext } from '../candidate.js';
import {
  needWords,
  type RelationRights,
  relationKey,
  relationRights,
  roleObstacle,
  schemaRights,
} from '../internal-queries/access-rights.js';
import { clientCodeSql } from '../internal-queries/client-code.js';
import type { InternalSession } from '../internal-queries/internal-queries.js';
import { ServerRefusal } from '../internal-queries/internal-reply.js';
import type { PrivilegeRefusal } from '../server/privilege-refusal.js';
import type { AccessWindow } from '../session-state/access-windows.js';
import type { HeldStatement } from './held-statement.js';

export type AccessFinding =
  /** The login lacks nothing. */
  | { readonly kind: 'own' }
  /** It lacks something, or names what is not there, and the server is the one to say so. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly rule: AccessRule; readonly obstacle: string }
  | { readonly kind: 'covered'; readonly rule: AccessRule; readonly lacking: readonly NamedNeed[] };

/** insufficient_privilege. */
export const insufficientPrivilege = '42501';

export async function findAccess(
  session: InternalSession,
  candidate: Pick<Candidate, 'facts' | 'sql' | 'transactionStatus'>,
  held: Pick<HeldStatement, 'bound'>,
  { rules }: AccessOffer,
  refused?: Refused,
): Promise<AccessFinding> {
  const [statement] = candidate.facts.statements;
  if (statement === undefined) return { kind: 'unchanged' };
  const outside = candidate.transactionStatus === 'I';
  if (outside ? onlyInTransaction(statement) : neverInTransaction(statement)) return { kind: 'unchanged' };
  const needs = accessNeeds(candidate.facts);
  const rights = await relationRights(
    session,
    // of all others the planner knows which columns they need
    needs.map(({ target: { columns, ...target } }) =>
      statement.command === 'COPY' && columns ? { ...target, columns } : target,
    ),
  );
  const lacking = new Map<string, NamedNeed>();
  for (const need of needs) {
    const found = await lackOf(session, need, rights, statement);
    if (found === 'nothing') continue;
    if (found === 'unknown') return { kind: 'unchanged' };
    lacking.set(JSON.stringify([found.effect, found.schema, found.name]), found);
  }
  const behind = refused && (await lackOfRefused(session, refused));
  for (const one of behind ?? []) lacking.set(JSON.stringify([one.effect, one.schema, one.name]), one);
  if (lacking.size === 0) return { kind: 'own' };
  const isPlanned = planned.has(statement.command) || isPlainExplain(statement);
  const sqlstate = refused || !isPlanned ? insufficientPrivilege : await refusal(session, candidate, held);
  if (sqlstate === undefined) return { kind: 'own' };
  const rule = coveringRule(rules, [...lacking.values()]);
  if (sqlstate !== insufficientPrivilege || rule === undefined) return { kind: 'unchanged' };
  const ofClient = [...rights.values()].find((one) => one.ofClient);
  if (ofClient) return { kind: 'refused', rule, obstacle: `${ofClient.schema}.${ofClient.name} is the login’s own` };
  const [code] = await session.ask(clientCodeSql);
  if (code) return { kind: 'refused', rule, obstacle: clientCodeWords(code.name) };
  const obstacle = await roleObstacle(session, rule.role, [...lacking.values()]);
  if (obstacle !== undefined) return { kind: 'refused', rule, obstacle };
  return { kind: 'covered', rule, lacking: [...lacking.values()] };
}

/** What the server has refused in the middle of a statement, which was undone. */
export interface Refused {
  /** What the code did there that was refused; empty where it cannot be told. */
  readonly needs: readonly Need[];
}

/** @param analyse the text that ran into it */
export function refusedNeeds({ relation, within }: PrivilegeRefusal, analyse: (sql: string) => Facts): Refused {
  if (relation === undefined || within === undefined) return { needs: [] };
  const needs = accessNeeds(analyse(within));
  return { needs: needs.filter(({ target }) => target.name === relation) };
}

/** As the session's names lead to it, or of all of that name: the code may have a search_path of its own. */
async function lackOfRefused(session: InternalSession, { needs }: Refused): Promise<NamedNeed[]> {
  const lacking: NamedNeed[] = [];
  for (const { effect, target } of needs) {
    const [here] = (
      await relationRights(session, [{ type: target.type, name: target.name, ...schemaOf(target) }])
    ).values();
    if (here && !here.may.has(effect)) {
      lacking.push({ effect, schema: here.schema, name: here.name });
      continue;
    }
    const places = await session.ask(placesSql, [target.name, target.schema ?? null]);
    const { type, name: called } = target;
    const targets = places.map(({ schema }): Target => ({ type, name: called, schema: schema ?? '' }));
    for (const { schema, name, may } of (await relationRights(session, targets)).values())
      if (!may.has(effect)) lacking.push({ effect, schema, name });
  }
  return lacking;
}

function schemaOf({ schema }: Target): Pick<Target, 'schema'> {
  return schema === undefined ? {} : { schema };
}

const placesSql = `
  SELECT n.nspname AS schema FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
   WHERE c.relname OPERATOR(pg_catalog.=) $1::pg_catalog.name
     AND ($2::pg_catalog.name IS NULL OR n.nspname OPERATOR(pg_catalog.=) $2::pg_catalog.name)`;

/** What the login lacks of it. `unknown`: the server is the one to say what is wrong. */
export async function lackOf(
  session: InternalSession,
  { effect, target }: Need,
  rights: ReadonlyMap<string, RelationRights>,
  { command }: StatementFacts,
): Promise<NamedNeed | 'nothing' | 'unknown'> {
  if (effect === 'create' && command !== 'CREATE INDEX') {
    // the server looks at the schema first: one of that name may be there, which IF NOT EXISTS leaves alone, or in another schema
    const place = await schemaRights(session, target);
    if (place === undefined) return 'unknown';
    return place.mayCreate ? 'nothing' : { effect, schema: place.schema, name: target.name, isNew: true };
  }
  const relation = rights.get(relationKey(target));
  if (relation === undefined) return 'unknown';
  const { schema, name, may } = relation;
  return may.has(effect) ? 'nothing' : { effect, schema, name };
}

/** The planner says of these whether the privileges are enough. */
const planned: ReadonlySet<string> = new Set([
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'MERGE',
  'EXECUTE',
  'DECLARE CURSOR',
]);

export function clientCodeWords(name: string | null | undefined): string {
  return `the login has code of its own that could run with it: ${name ?? 'an object'}`;
}

/** Without ANALYZE. */
function isPlainExplain({ command, deferred }: StatementFacts): boolean {
  return command === 'EXPLAIN' && deferred;
}

/** A privilege on the columns that it names is enough; the planner knows which those are. Undefined: the server would run it. */
async function refusal(
  session: InternalSession,
  { sql, facts }: Pick<Candidate, 'facts' | 'sql'>,
  { bound }: Pick<HeldStatement, 'bound'>,
): Promise<string | undefined> {
  const explained = facts.statements.some(isPlainExplain) ? sql : `EXPLAIN ${sql}`;
  try {
    await session.nested(() =>
      session.put({ sql: explained, ...(bound && { bound, parameterTypes: bound.parameterTypes }) }),
    );
    return undefined;
  } catch (error) {
    if (error instanceof ServerRefusal) return error.sqlstate;
    throw error;
  }
}

/** @param so for a login that lacks nothing, and as long as there are few rows */
export function rulingAs(
  { rule, lacking }: Extract<AccessFinding, { kind: 'covered' }>,
  so: Ruling,
  context: ConnectionContext,
  window: AccessWindow | undefined,
): Ruling {
  const words = lacking.map(needWords);
  const as: TakenRole = {
    role: rule.role,
    access: rule.name,
    lacking: words,
    ...reasonOf(window?.reason ?? context.reason),
    ...(window === undefined ? longestOf(rule) : { window: window.n }),
  };
  const time =
    window === undefined ? 'for this statement only' : `as somebody said for ${durationWords(window.leftMs)} more`;
  const what = `${context.login} may not ${words.join(', ')}: it runs as ${rule.role}, ${time}.`;
  return {
    ...named(rule),
    decision: isStricter(so.decision, rule.decision) ? so.decision : rule.decision,
    reason: so.decision === 'allow' ? what : `${what} By rule ${so.rule}: ${so.reason}`,
    as,
  };
}

function reasonOf(reason: string | undefined): Pick<TakenRole, 'reason'> {
  return reason === undefined ? {} : { reason };
}

function longestOf({ forMs, decision }: AccessRule): Pick<TakenRole, 'longestMs'> {
  return forMs === undefined || decision !== 'ask' ? {} : { longestMs: forMs };
}

export function refusedAs(rule: AccessRule, obstacle: string, advice?: string): Ruling {
  return {
    ...named(rule),
    decision: 'deny',
    reason: `it would have to run as ${rule.role}, and cannot, because ${obstacle}.`,
    ...(advice === undefined ? {} : { advice }),
  };
}

/** For the agent, beside the server's error: with what is in the way it could not even be asked about. */
export function privilegeHint({ rules: [rule] }: AccessOffer, obstacle: string): string {
  return `dbguard can have a person asked to let a statement run as ${rule?.role ?? 'another role'}, but not this one, because ${obstacle}.`;
}

function named({ name, place }: AccessRule): Pick<Ruling, 'rule' | 'origin'> {
  return { rule: `${accessRulePrefix}${name}`, origin: `${place.file}:${place.line}` };
}
