/** What waits for a person on this machine, asked over the runs' own sockets, and for no longer than anybody notices. */
import { runSockets } from '../../io/approvals/socket-client.js';
import { ApprovalLinks } from '../approvals/links.js';

export interface Questions {
  readonly open: readonly { readonly id: string; readonly headline: string }[];
  /** Runs that answered. */
  readonly runs: readonly { readonly sid: string; readonly agent: string; readonly connection: string }[];
  /** Runs that are there and did not answer in time. */
  readonly silent: number;
}

const PATIENCE_MS = 200;

/** @param folder of the sockets. Throws `denied` where the runs take no answers from this process. */
export async function openQuestions(folder: string): Promise<Questions> {
  if (runSockets(folder).length === 0) return { open: [], runs: [], silent: 0 };
  const links = new ApprovalLinks(folder, PATIENCE_MS);
  try {
    await links.refresh(false);
    const runs = [...links.links].map(({ run: { sid, agent, connection } }) => ({ sid, agent, connection }));
    const open = links.waiting.map(({ asked: { id, preview } }) => ({
      id,
      headline: `${preview.production ? 'PRODUCTION ' : ''}${preview.headline}`,
    }));
    // a socket that nobody listens at was removed just now
    return { open, runs, silent: Math.max(0, runSockets(folder).length - runs.length) };
  } finally {
    links.close();
  }
}
