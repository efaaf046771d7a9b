/** What a dry run did besides its statement's own count: rows by cascades and triggers, locks that stop others. */

import { counted } from '../../words.js';
import type { InternalSession } from '../internal-queries/internal-queries.js';
import { ServerRefusal } from '../internal-queries/internal-reply.js';
import { plainName, withInternalSearchPath } from '../internal-queries/internal-search-path.js';
import type { ImpactLine } from '../statement/asker.js';

export interface Counts {
  readonly name: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/** Of this transaction, by table, as the server counts for its statistics ("Cumulative Statistics System"). */
const countsSql = `
  SELECT c.oid::regclass::text AS name, pg_stat_get_xact_tuples_inserted(c.oid) AS inserted,
    pg_stat_get_xact_tuples_updated(c.oid) AS updated, pg_stat_get_xact_tuples_deleted(c.oid) AS deleted
  FROM pg_class c WHERE c.oid = ANY ($1::oid[]) ORDER BY 1`;

export async function countChanges(tables: readonly string[], session: InternalSession): Promise<Counts[]> {
  if (tables.length === 0) return [];
  const rows = await withInternalSearchPath(session, () => session.ask(countsSql, [`{${tables.join(',')}}`]));
  return rows.map((row) => ({
    name: plainName(row.name),
    inserted: Number(row.inserted),
    updated: Number(row.updated),
    deleted: Number(row.deleted),
  }));
}

/** `told`: this table's rows have been spoken of already. */
export function newChanges(
  before: readonly Counts[],
  after: readonly Counts[],
  told: string | undefined,
): ImpactLine[] {
  return after.flatMap((now) => {
    const then = before.find(({ name }) => name === now.name);
    const more = (what: 'inserted' | 'updated' | 'deleted'): number => now[what] - (then?.[what] ?? 0);
    const words = (['inserted', 'updated', 'deleted'] as const).flatMap((what) =>
      more(what) > 0 ? [`${counted(more(what), 'row')} ${what === 'updated' ? 'changed' : what}`] : [],
    );
    if (now.name === told || words.length === 0) return [];
    return [{ label: `and ${now.name}`, text: words.join(', '), severity: 'danger' as const }];
  });
}

/** "Explicit Locking": the modes that stop others from writing, and the one that stops reading as well. */
const locksSql = `
  SELECT c.oid::regclass::text AS name, bool_or(l.mode = 'AccessExclusiveLock') AS reads
  FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
  WHERE l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p', 'm')
    AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  GROUP BY 1 ORDER BY 1`;

export async function strongLocks(session: InternalSession): Promise<string[]> {
  const rows = await withInternalSearchPath(session, () => session.ask(locksSql));
  return rows.map(
    ({ name, reads }) => `${reads === 't' ? 'blocks reads and writes of' : 'blocks writes to'} ${plainName(name)}`,
  );
}

export function newLocks(before: readonly string[], after: readonly string[]): ImpactLine[] {
  const fresh = after.filter((lock) => !before.includes(lock)).slice(0, 10);
  return fresh.map((text) => ({ label: 'locked', text, severity: 'warning' }));
}

/**
 * Constraints of PostgreSQL's own that wait for COMMIT: what they would say there. Constraint triggers with code of the
 * application's own are left to COMMIT.
 */
const deferredSql = `
  SELECT DISTINCT format('%I.%I', n.nspname, k.conname) AS name
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
   WHERE k.condeferrable AND k.contype IN ('f', 'u', 'p', 'x') AND (k.conrelid = ANY ($1::oid[]) OR k.confrelid = ANY ($1::oid[]))
     AND NOT EXISTS (SELECT FROM pg_constraint t
                      WHERE t.contype = 't' AND (t.connamespace, t.conname) = (k.connamespace, k.conname))
   ORDER BY 1`;

/** What the first of them that fails says. `tables`: pg_class.oid of each. */
export async function failingAtCommit(
  tables: readonly string[],
  session: InternalSession,
): Promise<ServerRefusal | undefined> {
  if (tables.length === 0) return undefined;
  const found = await withInternalSearchPath(session, () => session.ask(deferredSql, [`{${tables.join(',')}}`]));
  if (found.length === 0) return undefined;
  try {
    await session.nested(() => session.ask(`SET CONSTRAINTS ${found.map(({ name }) => name).join(', ')} IMMEDIATE`));
  } catch (error) {
    if (error instanceof ServerRefusal) return error;
    throw error;
  }
  return undefined;
}
