/**
 * What a statement would hit, as far as the database can tell without running it: the planner's estimate, sizes,
 * foreign keys that cascade, triggers, dependent views. Asked on dbguard's own connection, read-only and in bounded
 * time; where the database does not answer, the prompt says so and nothing fails.
 */
import { messageOf } from '../errors.js';
import type { Impact, ImpactLine } from '../proxy/asker.js';
import type { Candidate } from '../proxy/gate.js';
import type { EffectKind, Facts } from '../sql/facts.js';
import type { ControlConnection, Row } from './control-connection.js';

const budgetMs = 2000;
/** Effects that take rows or whole objects away. */
const destructive: ReadonlySet<EffectKind> = new Set(['update', 'delete', 'truncate', 'drop', 'alter']);
const explainable: ReadonlySet<string> = new Set(['UPDATE', 'DELETE', 'INSERT', 'MERGE', 'SELECT']);

export async function measureImpact(candidate: Candidate, control: ControlConnection): Promise<Impact> {
  const lines: ImpactLine[] = [];
  let estimatedRows: number | undefined;
  try {
    estimatedRows = await estimateRows(candidate, control);
    if (estimatedRows !== undefined) {
      const severity = estimatedRows >= 1000 ? 'danger' : 'info';
      lines.push({ label: 'rows', text: `about ${count(estimatedRows)} by the planner's estimate`, severity });
    }
  } catch (error) {
    lines.push({ label: 'rows', text: `no estimate: ${messageOf(error)}`, severity: 'warning' });
  }
  try {
    for (const name of targetTables(candidate.facts)) lines.push(...(await describeTable(name, candidate, control)));
  } catch (error) {
    lines.push({ label: 'impact', text: `not known: ${messageOf(error)}`, severity: 'warning' });
  }
  return { lines, ...(estimatedRows === undefined ? {} : { estimatedRows }) };
}

/** Rows that the plan would feed into its ModifyTable node ("Using EXPLAIN" in the PostgreSQL manual). */
async function estimateRows(candidate: Candidate, control: ControlConnection): Promise<number | undefined> {
  const [statement, ...more] = candidate.facts.statements;
  if (candidate.kind === 'function' || !statement || more.length > 0 || !explainable.has(statement.command)) {
    return undefined;
  }
  const values = candidate.bindValues ?? [];
  const rows = await control.ask(`EXPLAIN (FORMAT JSON) ${candidate.sql}`, values, budgetMs);
  const text = rows[0]?.['QUERY PLAN'];
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

function targetTables(facts: Facts): string[] {
  const names = facts.statements.flatMap((statement) =>
    statement.effects
      .filter((effect) => destructive.has(effect.kind))
      .flatMap((effect) => effect.targets.filter((target) => target.type === 'table' || target.type === 'view'))
      .map((target) => [target.schema, target.name].flatMap((part) => (part ? [quote(part)] : [])).join('.')),
  );
  return [...new Set(names)].slice(0, 5);
}

const tableSql = `
  select c.oid::text as oid, c.oid::regclass::text as name, greatest(c.reltuples, 0)::bigint::text as tuples,
         pg_catalog.pg_size_pretty(pg_catalog.pg_total_relation_size(c.oid)) as size
  from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass($1)`;
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
  c: 'its rows are deleted too (ON DELETE CASCADE)',
  n: 'its references become NULL (ON DELETE SET NULL)',
  d: 'its references get their default (ON DELETE SET DEFAULT)',
};

async function describeTable(name: string, candidate: Candidate, control: ControlConnection): Promise<ImpactLine[]> {
  const [table] = await control.ask(tableSql, [name], budgetMs);
  if (!table?.oid) return [{ label: name, text: 'does not exist (yet)', severity: 'info' }];
  const lines: ImpactLine[] = [
    { label: table.name ?? name, text: `about ${count(Number(table.tuples))} rows, ${table.size}`, severity: 'info' },
  ];
  const kinds = new Set(candidate.facts.statements.flatMap((one) => one.effects.map((effect) => effect.kind)));
  if (kinds.has('delete') || kinds.has('truncate') || kinds.has('drop')) {
    const references = await control.ask(referencesSql, [table.oid], budgetMs);
    lines.push(...references.map((row) => referenceLine(row, kinds.has('delete'))));
  }
  for (const row of await control.ask(triggersSql, [table.oid], budgetMs)) {
    lines.push({ label: `trigger ${row.name}`, text: `runs ${row.function}()`, severity: 'warning' });
  }
  if (kinds.has('drop') || kinds.has('alter')) {
    for (const row of await control.ask(viewsSql, [table.oid], budgetMs)) {
      lines.push({ label: `view ${row.name}`, text: 'depends on it', severity: 'warning' });
    }
  }
  return lines;
}

function referenceLine(row: Row, deletes: boolean): ImpactLine {
  const action = deleteActions[row.action ?? ''];
  const label = `referenced by ${row.name}`;
  if (deletes && action) {
    return { label, text: `about ${count(Number(row.tuples))} rows; ${action}`, severity: 'danger' };
  }
  return {
    label,
    text: deletes ? 'the foreign key stops rows that are referenced' : 'a foreign key points here',
    severity: 'info',
  };
}

function count(rows: number): string {
  return Math.round(rows).toLocaleString('en-US');
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
