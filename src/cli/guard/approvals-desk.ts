/**
 * Where a run's statements are answered: the terminal of the child, and `dbguard approvals` in another one.
 *
 * What lives here: the queue and its channels, which come up one after the other. What it must not know: statements.
 */

import {
  type ApprovalChannel,
  type ApprovalDesk,
  type Approvals,
  type ApprovalsClock,
  createApprovals,
} from '../../approval/approvals.js';
import type { WindowDesk } from '../../approval/window-protocol.js';
import { approvalsSocketSupported, startApprovalsSocket } from '../../io/approvals/socket.js';
import { stateDirs } from '../../io/files/state-dirs.js';
import type { Asker } from '../../proxy/statement/asker.js';
import { howToApprove } from '../../run/instructions.js';
import { desktopEnvironment, notificationsFrom, notifyOfAsks } from './notifications.js';
import { notifyOfEnds } from './window-words.js';

export interface RunWords {
  readonly sid: string;
  readonly agent: string;
  readonly subject: string;
  readonly connection: string;
}

export interface RunApprovals {
  readonly asker: Asker;
  readonly clock: ApprovalsClock;
  readonly desk: () => ApprovalDesk;
  readonly totals: Approvals['totals'];
  /** Ring the terminal's bell at each ask. */
  readonly bell: boolean;
  /** Opens the socket for `dbguard approvals`. */
  listen(run: RunWords, windows: WindowDesk): Promise<void>;
  /** The channels of the child's own terminal, and the session of its processes. */
  attend(channels: readonly ApprovalChannel[], childSession: number | undefined): void;
  close(): void;
}

/** Who has started whom, and what follows from that. */
export interface Asking {
  /** Where nobody watches: see ApprovalsOptions. */
  readonly unattended: 'deny' | 'wait';
  readonly howToApprove: string;
  /** Processes that may be the agent where it has started dbguard. */
  readonly agents?: ReadonlySet<number>;
}

const ofChild: Asking = { unattended: 'deny', howToApprove };

export async function openApprovals(env: NodeJS.ProcessEnv, asking: Asking = ofChild): Promise<RunApprovals> {
  const clock: ApprovalsClock = {
    now: () => Date.now(),
    after(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
  };
  const { agents, ...unwatched } = asking;
  const approvals = createApprovals({ channels: [], clock, ...unwatched });
  const notifications = notificationsFrom(env);
  const closers: (() => void)[] = [];
  if (notifications.desktop) closers.push(notifyOfAsks(approvals, env));
  let session: number | undefined;
  return {
    asker: approvals,
    clock,
    desk: () => approvals,
    totals: approvals.totals,
    bell: notifications.bell,
    async listen(run, windows) {
      if (notifications.desktop) closers.push(notifyOfEnds(windows, desktopEnvironment(env)));
      if (!approvalsSocketSupported) return;
      const socket = await startApprovalsSocket({
        dir: stateDirs(env).runtime,
        run: { ...run, pid: process.pid },
        desk: () => approvals,
        windows,
        childSession: () => session,
        ...(agents && { agents }),
      });
      approvals.attach(socket.channel);
      closers.push(() => socket.close());
    },
    attend(more, childSession) {
      session = childSession;
      for (const channel of more) approvals.attach(channel);
    },
    close() {
      for (const end of closers) end();
    },
  };
}
