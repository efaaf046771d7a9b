/**
 * How often somebody connected to a database beside dbguard while a run lasted: for the question where an agent's work went that sent
 * nothing through dbguard. The server counts sessions by database (PostgreSQL 14 and later), and says of those that are open whose
 * they are.
 */
import type { ControlConnection } from './control-connection.js';

type Asks = Pick<ControlConnection, 'ask'>;

const timeoutMs = 3000;

const counted = `SELECT sessions::text AS sessions FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database()`;

/** Open now, in this database: with our login, and with another's. */
const openNow = `SELECT pg_catalog.count(*) FILTER (WHERE usename = session_user)::text AS own,
  pg_catalog.count(*) FILTER (WHERE usename <> session_user)::text AS others
FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND backend_type = 'client backend'
  AND application_name NOT LIKE 'dbguard/%'`;

/** Undefined where the server does not say. */
export async function sessionsCounted(control: Asks): Promise<number | undefined> {
  try {
    const [row] = await control.ask(counted, [], timeoutMs, '');
    return row?.sessions == null ? undefined : Number(row.sessions);
  } catch {
    return undefined;
  }
}

/**
 * A lower bound. Where others' programs are connected, too, a session that has ended may have been theirs and is not counted.
 * @param ours connections that dbguard has opened since the session began, and those of its clients that are open
 */
export async function sessionsBeside(
  control: Asks,
  before: number | undefined,
  ours: { readonly opened: number; readonly open: number },
): Promise<number> {
  try {
    const [open] = await control.ask(openNow, [], timeoutMs, '');
    const own = Number(open?.own ?? 0) - ours.open;
    if (own > 0) return own;
    if (before === undefined || Number(open?.others ?? 0) > 0) return 0;
    return Math.max(0, ((await sessionsCounted(control)) ?? before) - before - ours.opened);
  } catch {
    return 0;
  }
}
