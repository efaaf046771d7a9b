/**
 * The guarded connection that the tools use, as any other client would: through the loopback port of a guard that is opened
 * here, or of the `dbguard run` that this process is in. Each statement has a connection of its own, so that none waits for
 * another's person, and nothing of one is left to the next.
 */
import { DbguardError } from '../../errors.js';
import { cancelUpstream } from '../../io/upstream/cancel.js';
import { connectUpstream, type Upstream } from '../../io/upstream/connect.js';
import { resolveUpstream } from '../../io/upstream/resolve.js';
import { type Keep, runStatement } from '../../io/upstream/run-statement.js';
import { loopbackUrl, type ProxyAddress } from '../../run/environment.js';
import { sessionMarker } from '../../run/run-mark.js';
import { waitsFor } from './answers.js';
import type { Send } from './held-statements.js';

/** Raw bytes of cells that are kept of an answer: far more than is shown, so that one long cell hides no row. */
const keptBytes = 8 << 20;

/** The variables of a child of `dbguard run` lead to its guard. Throws `usage` where they were changed to lead elsewhere. */
export function urlOfRun(env: NodeJS.ProcessEnv): string | undefined {
  if (!env[sessionMarker]) return undefined;
  const url = env.DATABASE_URL ?? '';
  if (URL.canParse(url) && /^(?:127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname)) return url;
  throw new DbguardError('usage', 'DATABASE_URL is not that of the dbguard run that this is inside of', {
    hint: 'Pass DATABASE_URL and DBGUARD_SESSION on as dbguard run has set them.',
  });
}

export function urlOf(address: ProxyAddress): string {
  return loopbackUrl(address, address);
}

/** @param url of a loopback port; rejects with `usage` where it leads elsewhere */
export function sender(url: () => Promise<string>): Send {
  return (statement, { rows }, waits) => {
    const leave = new AbortController();
    let upstream: Upstream | undefined;
    const run = async () => {
      // nothing of the environment: it says how to get to the real server
      const config = resolveUpstream({ url: await url(), overrides: { client_encoding: 'UTF8' } }, {});
      upstream = await connectUpstream(config, new Map([['application_name', 'dbguard mcp']]), {
        signal: leave.signal,
      });
      leave.signal.throwIfAborted();
      const keep: Keep = { rows, bytes: keptBytes, suspend: onlyReads.test(statement.sql) };
      return await runStatement(upstream, statement, keep, (notice) => {
        const why = waitsFor(notice);
        if (why !== undefined) waits(why);
      });
    };
    return {
      outcome: run().catch((error) => {
        throw error instanceof DbguardError || !leave.signal.aborted
          ? error
          : new DbguardError('denied', 'the call was cancelled before the statement was sent');
      }),
      cancel: () => {
        leave.abort();
        // one that has ended meanwhile has nothing to be cancelled
        if (upstream) void cancelUpstream(upstream).catch(() => upstream?.socket.destroy());
      },
    };
  };
}

/** By its first word; what changes rows behind WITH is then answered without a count. */
const onlyReads = /^\s*(?:select|values|table|show|explain|with)\b/i;
