/**
 * What a statement would hit, as far as the database can tell without running it: the planner's estimate, sizes,
 * foreign keys that cascade, triggers, dependent views. Asked in the client's own session, read-only and in bounded
 * time, so that names mean what they mean to the client and an open transaction is seen as it is. Where that session
 * cannot be asked (a failed transaction, a pipeline) dbguard's own connection answers: it sees what is committed.
 */

import { messageOf } from '../../errors.js';
import { droppedPart } from '../../policy/wording.js';
import type { Candidate } from '../../proxy/candidate.js';
import type { InternalSession } from '../../proxy/internal-queries/internal-queries.js';
import { plainName, relationNames, withInternalSearchPath } from '../../proxy/internal-queries/internal-search-path.js';
import type { Impact, ImpactLine } from '../../proxy/statement/asker.js';
import type { HeldStatement } from '../../proxy/statement/held-statement.js';
import { kindsWith } from '../../sql/effect-traits.js';
import type { Facts, Target } from '../../sql/facts.js';
import { grouped } from '../../words.js';
import type { ControlConnection } from './control-connection.js';
import { describeRelation, type Fate } from './impact-relations.js';

const budgetMs = 2000;
const tablesMax = 5;
/** Effects that take rows or whole objects away. */
const worthMeasuring = kindsWith('worth-measuring');
const explainable: ReadonlySet<string> = new Set(['UPDATE', 'DELETE', 'INSERT', 'MERGE', 'SELECT']);

export async function measureImpact(
  candidate: Candidate,
  held: HeldStatement,
  session: InternalSession | undefined,
  control: ControlConnection,
): Promise<Impact> {
  const asked = session ?? outside(control);
  const lines: ImpactLine[] = [];
  let estimatedRows: number | undefined;
  try {
    estimatedRows = await asked.nested(() => estimateRows(candidate, held, asked));
    if (estimatedRows !== undefined) {
      const severity = estimatedRows >= 1000 ? 'danger' : 'info';
      lines.push({ label: 'rows', text: `${few(estimatedRows)} by the planner's estimate`, severity });
    }
  } catch (error) {
    const words = held.diagnosticsMasked ? 'the planner refused' : messageOf(error);
    lines.push({ label: 'rows', text: `no estimate: ${words}`, severity: 'warning' });
  }
  try {
    lines.push(...(await asked.nested(() => describeTables(candidate.facts, asked))));
  } catch (error) {
    lines.push({ label: 'impact', text: `not known: ${messageOf(error)}`, severity: 'warning' });
  }
  return { lines, ...(estimatedRows === undefined ? {} : { estimatedRows }) };
}

/**
 * The tables alone, as this connection's login sees them. Nothing is planned: the planner runs functions that say of
 * themselves that they never change, and these may be anybody's.
 */
export function measureTables(facts: Facts, control: ControlConnection): Promise<ImpactLine[]> {
  return describeTables(facts, outside(control));
}

/** Each question in a transaction of its own, so there is nothing to go back to when one fails. */
function outside(control: ControlConnection): InternalSession {
  const ask = (sql: string, values: readonly (string | null)[] = []): Promise<Record<string, string | null>[]> =>
    control.ask(sql, values, budgetMs);
  return {
    ask,
    nested: (attempt) => attempt(),
    put: async ({ sql, bound }) => {
      const rows = await ask(
        sql,
        bound?.values.map((value) => value?.toString('utf8') ?? null),
      );
      const columns = Object.keys(rows[0] ?? {});
      return { columns, rows: rows.map((row) => Object.values(row)), tag: '', notices: [], parameterTypes: [] };
    },
  };
}

/** Rows that the plan would feed into its ModifyTable node ("Using EXPLAIN" in the PostgreSQL manual). */
async function estimateRows(
  candidate: Candidate,
  held: HeldStatement,
  session: InternalSession,
): Promise<number | undefined> {
  const [statement, ...more] = candidate.facts.statements;
  if (candidate.kind === 'function' || !statement || more.length > 0 || !explainable.has(statement.command)) {
    return undefined;
  }
  const bound = held.bound && { bound: held.bound, parameterTypes: held.bound.parameterTypes };
  const { rows } = await session.put({ sql: `EXPLAIN (FORMAT JSON) ${candidate.sql}`, ...bound });
  const text = rows[0]?.[0];
  return text ? rowsOfPlan(JSON.parse(text)) : undefined;
}

interface PlanNode {
  readonly 'Node Type'?: string;
  readonly 'Plan Rows'?: number;
  readonly Plans?: readonly PlanNode[];
}

function rowsOfPlan(explained: readonly { readonly Plan?: PlanNode }[]): number | undefined {
  const root = explained[0]?.Plan;
  if (root?.['Node Type'] !== 'ModifyTable') return root?.['Plan Rows'];
  return root.Plans?.[0]?.['Plan Rows'];
}

function targetsOf(facts: Facts): Target[] {
  const destroyed = facts.statements.flatMap((one) => one.effects.filter(({ kind }) => worthMeasuring.has(kind)));
  return destroyed.flatMap(({ targets }) => targets);
}

/** The planner says 1 where it means none, too. */
function few(rows: number): string {
  return rows <= 1 ? '1 or none' : `about ${grouped(rows)}`;
}

function describeTables(facts: Facts, session: InternalSession): Promise<ImpactLine[]> {
  const effects = facts.statements.flatMap((one) => one.effects);
  const fate: Fate = {
    kinds: new Set(effects.map((effect) => (droppedPart(effect) === undefined ? effect.kind : 'alter'))),
    cascades: effects.some(({ cascade }) => cascade === true),
  };
  return withInternalSearchPath(session, async (lookUp) => {
    const targets = targetsOf(facts);
    const oids = await lookUp(targets);
    const lines: ImpactLine[] = [];
    for (const name of relationNames(targets).slice(0, tablesMax)) {
      const oid = oids.get(name);
      if (oid === undefined) lines.push({ label: plainName(name), text: 'does not exist (yet)', severity: 'info' });
      else lines.push(...(await describeRelation(oid, fate, session)));
    }
    return lines;
  });
}
