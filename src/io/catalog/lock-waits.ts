/** Whether a session waits for a lock, asked on dbguard's own connection: the session itself is busy with waiting. */
import type { ControlConnection } from './control-connection.js';

/** A busy server may take its time; the trial is cancelled after its own limit in any case. */
const timeoutMs = 4000;

/** @param pid of the server process; a pooler's says nothing, and a server may give none */
export async function waitsForLock(pid: number | undefined, control: Pick<ControlConnection, 'ask'>): Promise<boolean> {
  if (pid === undefined) return false;
  const sql = "SELECT pg_blocking_pids($1::int) <> '{}' AS waits";
  const [row] = await control.ask(sql, [String(pid)], timeoutMs, '');
  return row?.waits === 't';
}
