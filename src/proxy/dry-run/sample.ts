/**
 * A few of the rows that a statement hits, before and after, and their exact number, in one run of it:
 *
 *   WITH changed AS (UPDATE ... RETURNING *)
 *   SELECT the number, the new rows, the old rows by primary key
 *
 * The outer query sees the table as it was: all parts of a WITH query share one snapshot ("Data-Modifying Statements
 * in WITH" in the manual). What is masked in a result is masked here, by the same plan. Where a text cannot be
 * wrapped so (a RETURNING of its own, a WITH that changes data), it runs as it is and only the number is known.
 */
import type { Analyser } from '../../sql/facts.js';
import type { Candidate } from '../candidate.js';
import type { InternalSession } from '../internal-queries/internal-queries.js';
import { ServerRefusal } from '../internal-queries/internal-reply.js';
import { plainName, quote, withInternalSearchPath } from '../internal-queries/internal-search-path.js';
import type { DryRunRow } from '../statement/asker.js';
import type { HeldStatement } from '../statement/held-statement.js';
import { changesRows, factsObstacle } from './undoable.js';

export interface Sample {
  readonly total: number;
  readonly rows: readonly DryRunRow[];
}

const sampleRows = 3;
/** A longer row is counted and not shown. */
const rowBytes = 65_536;
const verbs: Readonly<Record<string, string>> = { DELETE: 'deletes', UPDATE: 'changes', INSERT: 'inserts' };

const tableSql = `
  SELECT c.oid::regclass::text AS name,
    (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid
      WHERE a.attrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS key
  FROM pg_class c WHERE c.oid = $1::oid`;

export interface ChangedTable {
  /** What the statement does to its rows: `changes`. */
  readonly verb: string;
  /** Nothing else in the statement changes rows. */
  readonly alone: boolean;
  /** As SQL needs it written, and as people read it. */
  readonly name: string;
  readonly shown: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/** Runs the statement; undefined where it cannot be wrapped or its number not be shown, and nothing was done. Rejects with ServerRefusal. */
export async function runSampled(
  candidate: Candidate,
  held: HeldStatement,
  table: ChangedTable,
  session: InternalSession,
  analyser: Analyser,
): Promise<Sample | undefined> {
  const [statement] = candidate.facts.statements;
  if (!statement) return undefined;
  const showOld = statement.command === 'UPDATE' && table.key.length > 0;
  const sql = wrapped(candidate.sql.slice(statement.start, statement.end), table, showOld);
  const facts = analyser.analyse(sql);
  if (facts.statements.length !== 1 || factsObstacle(facts) !== undefined) return undefined;
  const mask = held.maskOf(sql);
  if (mask === 'hidden') return undefined;
  const bound = held.bound && { bound: held.bound, parameterTypes: held.bound.parameterTypes };
  try {
    const { rows } = await session.nested(async () => {
      const answer = await session.put({ sql, mask, ...bound });
      // next to DDL that is not committed a mask hides every cell
      if (typeof answer.rows[0]?.[0] !== 'string') throw new NumberHidden();
      return answer;
    });
    const shown = rows.filter((row) => row.slice(1).some((cell) => cell !== null));
    return {
      total: Number(rows[0]?.[0]),
      rows: shown.map((row) => rowOf(row, statement.command, table, showOld)),
    };
  } catch (error) {
    if (error instanceof NumberHidden) return undefined;
    if (error instanceof ServerRefusal && !outOfTime.has(error.sqlstate)) return undefined;
    throw error;
  }
}

class NumberHidden extends Error {}

/** query_canceled, lock_not_available: a second try would only take as long. */
const outOfTime: ReadonlySet<string> = new Set(['57014', '55P03']);

function wrapped(statement: string, table: ChangedTable, showOld: boolean): string {
  const old = table.key.map((name) => `o.${quote(name)} OPERATOR(pg_catalog.=) n.${quote(name)}`).join(' AND ');
  return [
    // a comment may end the statement
    `WITH changed AS (\n${statement}\nRETURNING *)`,
    `SELECT t.total, n.*${showOld ? ', o.*' : ''}`,
    'FROM (SELECT pg_catalog.count(*) AS total FROM changed) t',
    `LEFT JOIN (SELECT * FROM changed c WHERE pg_catalog.octet_length(c::pg_catalog.text) OPERATOR(pg_catalog.<=) ${rowBytes}`,
    `  LIMIT ${sampleRows}) n ON true`,
    ...(showOld ? [`LEFT JOIN ${table.name} o ON ${old}`] : []),
  ].join('\n');
}

/** Columns of the target come first in RETURNING *; the old row comes last. */
function rowOf(row: readonly (string | null)[], command: string, table: ChangedTable, showOld: boolean): DryRunRow {
  const { columns, key } = table;
  const after = row.slice(1, 1 + columns.length);
  const before = showOld ? row.slice(-columns.length) : [];
  const found = key.some((name) => (before[columns.indexOf(name)] ?? null) !== null);
  if (!found) {
    const sign = command === 'DELETE' ? '-' : '+';
    return { sign, cells: columns.map((column, index) => ({ column, value: after[index] ?? null })) };
  }
  return {
    sign: '~',
    cells: columns.flatMap((column, index) => {
      const [was, is] = [before[index] ?? null, after[index] ?? null];
      if (was !== is) return [{ column, was, value: is }];
      return key.includes(column) ? [{ column, value: is }] : [];
    }),
  };
}

/** The one table whose rows a single statement changes; undefined where it is not that simple. */
export async function changedTable({ facts }: Candidate, session: InternalSession): Promise<ChangedTable | undefined> {
  const [statement, ...more] = facts.statements;
  const verb = verbs[statement?.command ?? ''];
  if (!statement || more.length > 0 || verb === undefined) return undefined;
  const effects = statement.effects.filter(changesRows);
  const targets = effects.flatMap((effect) => effect.targets);
  return withInternalSearchPath(session, async (lookUp) => {
    const [oid, another] = [...(await lookUp(targets)).values()];
    if (oid === undefined || another !== undefined) return undefined;
    const [row] = await session.ask(tableSql, [oid]);
    if (!row) return undefined;
    const list = (text: string | null | undefined): string[] => JSON.parse(text ?? '[]') as string[];
    const name = row.name ?? '';
    const alone = effects.length === 1;
    return { verb, alone, name, shown: plainName(name), columns: list(row.columns), key: list(row.key) };
  });
}
