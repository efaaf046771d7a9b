/**
 * Is the process that wants to answer an approval one of the agent's own? Decided from the process table alone.
 *
 * A process is let in only where something proves that it cannot descend from the child: an ancestor that is older
 * than this run. The chain is followed up to there. A process that was forked twice, or started a session of its own,
 * is handed to an adopter (init, or the nearest subreaper: prctl(2) PR_SET_CHILD_SUBREAPER), so a chain that ends at an
 * adopter proves nothing and is refused. Asking only "is it below the child?" would let exactly those in. What an earlier
 * run left behind is older, too: every process on the way must be free of the mark that runs give to their own.
 *
 * Where the agent has started dbguard (`dbguard mcp`) it is older itself, and carries no mark: then nothing on the whole way up
 * may be the agent, or what it was started from.
 */

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** Clock ticks since boot. */
  readonly started: number;
  /** It has a controlling terminal. */
  readonly terminal: boolean;
  /** Of whom; undefined where that cannot be read. */
  readonly user: number | undefined;
  /** It carries the mark of a run: of this one, or of another that is over perhaps. */
  readonly marked: boolean;
}

export interface RunProcesses {
  /** dbguard itself. */
  readonly guard: ProcessInfo;
  /** The child's session, where it has one of its own. */
  readonly childSession: number | undefined;
  /** Processes that orphans of the child are handed to. */
  readonly adopters: ReadonlySet<number>;
  /** Processes above dbguard that may be the agent; none where dbguard has started it. */
  readonly agents: ReadonlySet<number>;
}

export type Judgement = { readonly trusted: true } | { readonly trusted: false; readonly why: string };

const inside = 'it runs inside the session of the agent that asks';
const insideAny = 'it runs inside the session of an agent: of this run, or of another one';
const besideAgent =
  'it runs below the agent that asks, or below what the agent was started from. Use another terminal window, which is not the agent’s or its editor’s';
const unproven =
  'nothing proves that it was not started by the agent: no process above it is older than this run. Use a terminal that was open before';
/** Deeper than any real chain; a loop would be a torn reading. */
const chainMax = 200;

export function judgePeer(peer: number, look: (pid: number) => ProcessInfo | undefined, run: RunProcesses): Judgement {
  let pid = peer;
  let older = false;
  for (let step = 0; step < chainMax; step++) {
    const info = look(pid);
    if (!info) return { trusted: false, why: 'its process, or one above it, cannot be read' };
    if (pid === run.guard.pid || info.session === run.childSession) return { trusted: false, why: inside };
    if (run.agents.has(pid)) return { trusted: false, why: besideAgent };
    if (info.marked) return { trusted: false, why: insideAny };
    if (run.adopters.has(pid)) return older ? { trusted: true } : { trusted: false, why: unproven };
    older ||= info.started < run.guard.started;
    if (older && run.agents.size === 0) return { trusted: true };
    // parent 0: came into this process namespace from outside (docker exec), where the child has nobody
    if (info.parent === 0) return pid === 1 && !older ? { trusted: false, why: unproven } : { trusted: true };
    pid = info.parent;
  }
  return { trusted: false, why: unproven };
}

/**
 * Who may be the agent that started `guard`: whatever stands above it, up to the first process of a terminal (its shell, or
 * the agent itself), to what adopts orphans, or to another user's process. Wrappers and sessions without a terminal are
 * climbed through: an editor's helpers, npx.
 */
export function agentsAbove(
  guard: ProcessInfo,
  look: (pid: number) => ProcessInfo | undefined,
  adopters: ReadonlySet<number>,
): ReadonlySet<number> {
  const agents = new Set([guard.parent]);
  for (let pid = guard.parent; agents.size < chainMax; ) {
    const info = look(pid);
    if (!info || (info.terminal && info.session === pid)) break;
    const above = look(info.parent);
    if (!above || adopters.has(above.pid) || above.user !== guard.user) break;
    agents.add(above.pid);
    pid = above.pid;
  }
  return agents;
}
