/**
 * What all sessions of one connection share: what is known of its databases, and the transcript of the gateway itself, which
 * has dbguard's own connections to the server. It is made anew each day, since no key signs for longer than a week.
 */

import type { LoginKeeper } from '../../identity/login-keeper.js';
import { createSession, MAX_SESSION_MS } from '../../identity/session.js';
import { subjectName } from '../../identity/subject-name.js';
import type { Bucket } from '../../transcript/entry.js';
import { Closers } from '../guard/closers.js';
import type { CloseOptions } from '../guard/contract.js';
import { type OpenCatalogs, openCatalogs } from '../guard/open-catalogs.js';
import { lookAtServer, openSession, type ServerFacts } from '../guard/open-evidence.js';
import type { Setup } from '../guard/setup.js';

export const servedForMs = 24 * 3_600_000;

export interface ServedConnection {
  /** Of the gateway's own transcript. */
  readonly sid: string;
  readonly catalogs: OpenCatalogs;
  readonly server: ServerFacts;
  readonly openedAt: number;
  close(how: CloseOptions): Promise<void>;
}

/** Rejects where the server or the bucket cannot be reached; then nothing stays open. */
export async function openServedConnection(
  setup: Setup,
  keeper: LoginKeeper,
  bucket: Bucket,
): Promise<ServedConnection> {
  const closers = new Closers<CloseOptions>();
  try {
    const now = Date.now();
    const { login } = keeper;
    const credential = createSession(login, { now, lifetimeMs: MAX_SESSION_MS });
    const identity = { credential, upstream: setup.upstream, subject: subjectName(login.subject), groups: undefined };
    const { first, server } = await lookAtServer(identity);
    const evidence = await openSession(setup, identity, { bucket, server, first }, closers);
    const catalogs = await openCatalogs(setup, identity, evidence, closers);
    return { sid: credential.sid, catalogs, server, openedAt: now, close: (how) => closers.close(how) };
  } catch (error) {
    await closers.close({ signal: AbortSignal.timeout(1000) }).catch(() => {});
    throw error;
  }
}
