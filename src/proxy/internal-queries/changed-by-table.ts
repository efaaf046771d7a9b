/** How many rows of each table the open transaction has changed or deleted so far, whatever did it. */
import type { RowsByTable } from '../row-counts/shown-rows.js';
import type { InternalSession } from './internal-queries.js';
import { plainName } from './internal-search-path.js';

/**
 * As the server counts for its statistics ("Cumulative Statistics System"), tables by oid. What a savepoint took back
 * is counted too. Every name has its schema: the client's search_path is in force.
 */
const changedSql = `
  SELECT c.oid, c.oid::pg_catalog.regclass, n.changed
    FROM pg_catalog.pg_class c, LATERAL (SELECT pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
      OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)) n(changed)
   WHERE c.relkind OPERATOR(pg_catalog.=) 'r' AND n.changed OPERATOR(pg_catalog.>) 0`;

/** Rejects with ServerRefusal. @param unsynced see InquiryQuestion */
export async function changedByTable(session: Pick<InternalSession, 'put'>, unsynced?: true): Promise<RowsByTable> {
  const { rows } = await session.put({ sql: changedSql, ...(unsynced && { unsynced }) });
  return new Map(rows.map(([oid, name, changed]) => [oid ?? '', { name: plainName(name), rows: Number(changed) }]));
}
