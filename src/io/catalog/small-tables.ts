/**
 * How many rows small tables have: the code that a statement runs can hit no more, and no number of statements can take
 * more of them away.
 *
 * What lives here: an upper bound by the tables' size. What it must not know: what the code does, and from how many rows
 * on somebody is asked.
 */
import type { InternalSession } from '../../proxy/internal-queries/internal-queries.js';
import { ServerRefusal } from '../../proxy/internal-queries/internal-reply.js';
import type { Target } from '../../sql/facts.js';

/** More tables of one name are not looked at. */
const mostNamesakes = 8;

/**
 * Rows of all tables that have the names of `targets`, in whatever schema: the code may have a search path of its own.
 * Undefined when they are more than `most`, or cannot be counted. Rejects with ServerRefusal.
 */
export async function rowsOfSmallTables(
  session: InternalSession,
  targets: readonly Target[],
  most: number,
): Promise<number | undefined> {
  if (targets.length === 0) return undefined;
  let rows = 0;
  for (const { name } of targets) {
    const namesakes = await session.ask(namesakesSql, [name]);
    if (namesakes.length === 0 || namesakes.length > mostNamesakes) return undefined;
    for (const { relation, countable } of namesakes) {
      if (countable !== 't') return undefined;
      const [counted] = await session.ask(
        `SELECT pg_catalog.count(*)::pg_catalog.text AS rows FROM (SELECT FROM ${relation} LIMIT ${most + 1}) dbguard_rows`,
      );
      rows += Number(counted?.rows ?? Number.POSITIVE_INFINITY);
      if (rows > most) return undefined;
    }
  }
  return rows;
}

/** Where it makes a difference how many they are, a table has no more. */
const mostCounted = 10_000;

/** Rows of all tables of each name; undefined where they cannot be counted, or are too many. */
export async function rowsByName(
  names: readonly string[],
  session: InternalSession,
): Promise<ReadonlyMap<string, number | undefined>> {
  const rows = new Map<string, number | undefined>();
  for (const name of names) {
    const target: Target = { type: 'table', name };
    rows.set(
      name,
      await session.nested(() => rowsOfSmallTables(session, [target], mostCounted)).catch(undefinedIfRefused),
    );
  }
  return rows;
}

export function undefinedIfRefused(error: unknown): undefined {
  if (!(error instanceof ServerRefusal)) throw error;
}

/** A view's rows are another table's; under row-level security the code may see rows that the client does not. */
const namesakesSql = `
  SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation,
    (c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog."char"[]) AND NOT c.relrowsecurity)::pg_catalog.bool AS countable
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  WHERE c.relname OPERATOR(pg_catalog.=) $1::pg_catalog.name
    AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}'::pg_catalog."char"[])
    AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)`;
