/**
 * What a statement would hit, as far as the database can tell without running it: the planner's estimate, sizes,
 * foreign keys that cascade, triggers, dependent views. Asked in the client's own session, read-only and in bounded
 * time, so that names mean what they mean to the client and an open transaction is seen as it is. Where that session
 * cannot be asked (a failed transaction, a pipeline) dbguard's own connection answers: it sees what is committed.
 */
import { messageOf } from '../errors.js';
import type { Impact, ImpactLine } from '../proxy/asker.js';
import type { Candidate } from '../proxy/gate.js';
import type { HeldStatement } from '../proxy/held-statement.js';
import type { InSession } from '../proxy/inquiry.js';
import { plainName, relationNames, underOwnPath } from '../proxy/own-path.js';
import type { EffectKind, Facts, Target } from '../sql/facts.js';
import type { ControlConnection, Row } from './control-connection.js';

const budgetMs = 2000;
const tablesMax = 5;
/** Effects that take rows or whole objects away. */
const destructive: ReadonlySet<EffectKind> = new Set(['update', 'delete', 'truncate', 'drop', 'alter']);
const explainable: ReadonlySet<string> = new Set(['UPDATE', 'DELETE', 'INSERT', 'MERGE', 'SELECT']);

export async function measureImpact(
  candidate: Candidate,
  held: HeldStatement,
  session: InSession | undefined,
  control: ControlConnection,
): Promise<Impact> {
  const asked = session ?? outside(control);
  const lines: ImpactLine[] = [];
  let estimatedRows: number | undefined;
  try {
    estimatedRows = await asked.nested(() => estimateRows(candidate, held, asked));
    if (estimatedRows !== undefined) {
      const severity = estimatedRows >= 1000 ? 'danger' : 'info';
      lines.push({ label: 'rows', text: `about ${count(estimatedRows)} by the planner's estimate`, severity });
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

/** Each question in a transaction of its own, so there is nothing to go back to when one fails. */
function outside(control: ControlConnection): InSession {
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
      return { columns, rows: rows.map((row) => Object.values(row)), tag: '', notices: [] };
    },
  };
}

/** Rows that the plan would feed into its ModifyTable node ("Using EXPLAIN" in the PostgreSQL manual). */
async function estimateRows(
  candidate: Candidate,
  held: HeldStatement,
  session: InSession,
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
  const destroyed = facts.statements.flatMap((one) => one.effects.filter(({ kind }) => destructive.has(kind)));
  return destroyed.flatMap(({ targets }) => targets);
}

const tableSql = `
  select c.oid::text as oid, c.oid::regclass::text as name, greatest(c.reltuples, 0)::bigint::text as tuples,
         pg_catalog.pg_size_pretty(pg_catalog.pg_total_relation_size(c.oid)) as size
  from pg_catalog.pg_class c where c.oid = $1::oid`;
const referencesSql = `
  select k.conrelid::regclass::text as name, k.confdeltype::text as action, greatest(c.reltuples, 0)::bigint::text as tuples
  from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
  where k.contype = 'f' and k.confrelid = $1::oid and k.conparentid = 0 order by 1 limit 10`;
const triggersSql = `
  select t.tgname as name, t.tgfoid::regproc::text as function
  from pg_catalog.pg_trigger t where t.tgrelid = $1::oid and not t.tgisinternal and t.tgenabled <> 'D' order by 1 limit 10`;
const viewsSql = `
  select distinct r.ev_class::regclass::text as name
  from pg_catalog.pg_depend d join pg_catalog.pg_rewrite r on r.oid = d.objid
  where d.classid = 'pg_catalog.pg_rewrite'::regclass and d.refobjid = $1::oid and r.ev_class <> d.refobjid order by 1 limit 10`;

/** pg_constraint.confdeltype */
const deleteActions: Readonly<Record<string, string>> = {
  c: 'those that refer to it are deleted too (ON DELETE CASCADE)',
  n: 'those that refer to it get NULL (ON DELETE SET NULL)',
  d: 'those that refer to it get their default (ON DELETE SET DEFAULT)',
};

function describeTables(facts: Facts, session: InSession): Promise<ImpactLine[]> {
  const kinds = new Set(facts.statements.flatMap((one) => one.effects.map((effect) => effect.kind)));
  return underOwnPath(session, async (lookUp) => {
    const targets = targetsOf(facts);
    const oids = await lookUp(targets);
    const lines: ImpactLine[] = [];
    for (const name of relationNames(targets).slice(0, tablesMax)) {
      const oid = oids.get(name);
      if (oid === undefined) lines.push({ label: plainName(name), text: 'does not exist (yet)', severity: 'info' });
      else lines.push(...(await describeTable(oid, kinds, session)));
    }
    return lines;
  });
}

async function describeTable(oid: string, kinds: ReadonlySet<EffectKind>, session: InSession): Promise<ImpactLine[]> {
  const [table] = await session.ask(tableSql, [oid]);
  if (!table) return [];
  const lines: ImpactLine[] = [
    {
      label: plainName(table.name),
      text: `about ${count(Number(table.tuples))} rows, ${table.size}`,
      severity: 'info',
    },
  ];
  if (kinds.has('delete') || kinds.has('truncate') || kinds.has('drop')) {
    const references = await session.ask(referencesSql, [oid]);
    lines.push(...references.map((row) => referenceLine(row, kinds.has('delete'))));
  }
  for (const row of await session.ask(triggersSql, [oid])) {
    lines.push({ label: `trigger ${row.name}`, text: `runs ${row.function}()`, severity: 'warning' });
  }
  if (kinds.has('drop') || kinds.has('alter')) {
    for (const row of await session.ask(viewsSql, [oid])) {
      lines.push({ label: `view ${plainName(row.name)}`, text: 'depends on it', severity: 'warning' });
    }
  }
  return lines;
}

function referenceLine(row: Row, deletes: boolean): ImpactLine {
  const action = deleteActions[row.action ?? ''];
  const name = plainName(row.name);
  if (!deletes) return { label: name, text: 'refers to it by a foreign key', severity: 'info' };
  if (!action) return { label: name, text: 'refers to it; its foreign key stops the deletion', severity: 'info' };
  return { label: `and ${name}`, text: `of about ${count(Number(row.tuples))} rows, ${action}`, severity: 'danger' };
}

function count(rows: number): string {
  return Math.round(rows).toLocaleString('en-US');
}
